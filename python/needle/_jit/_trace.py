# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recording one call of a function as a graph."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle._jit._array import TracedArray
from needle._jit._recorder import Recorder, element_type, place
from needle._jit._sources import (
    Check,
    Constant,
    GradData,
    NodeData,
    Number,
    Source,
)
from needle.autograd import Node, value_of
from needle.backend_ndarray import NDArray
from needle.errors import TraceError
from needle.graph import Graph

if TYPE_CHECKING:
    from needle.builder import Value as GraphValue

_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


class Trace(Recorder):
    """What is recorded while a function runs on arrays without values.

    Parameters
    ----------
    name
        Of the function, for messages and the graph.
    function
        Where it is defined is where inputs and outputs are.
    """

    def __init__(self, name: str, function: Any) -> None:
        super().__init__(name)
        self._file, self._line = _definition(function)
        #: What gives each input of the graph, in order.
        self.sources: list[Source] = []
        #: Inputs whose scale and zero point are part of the graph.
        self.quantized: list[tuple[Node, Any]] = []
        #: Functions of the host that are called before each run.
        self.functions: list[Callable[[], tuple[float, ...]]] = []
        self.checks: list[Check] = []
        #: Nodes whose data were replaced, with what they held.
        self.replaced: dict[Node, tuple[Any, Any]] = {}
        #: Operations and inputs of those that are leaves meanwhile.
        self.former_links: dict[Node, tuple[Any, Any]] = {}
        #: Gradients of those that had a Tensor.
        self.former_grads: dict[Node, Any] = {}
        #: Whether they required a gradient.
        self.former_flags: dict[Node, bool] = {}
        #: Nodes that wait (in lazy mode) for something of this trace.
        self._waiting: set[Node] = set()
        self._arrays: dict[int, tuple[NDArray, TracedArray]] = {}
        self._thread = threading.get_ident()
        self._is_active = True
        #: Tells whether random numbers were drawn from what the function reaches.
        self.is_random: Callable[[], bool] = lambda: False

    # -- Errors --------------------------------------------------------------

    def check_active(self) -> None:
        """Raise TraceError if an array is used where it has no meaning."""
        if not self._is_active:
            raise TraceError(
                f"{place()}: this array has no values: it was made while ndl.jit "
                f"traced {self.name} and kept outside, for example in a list, an "
                "attribute or a global variable. Such side effects are lost; return "
                "the Tensor instead"
            )
        if threading.get_ident() != self._thread:
            raise TraceError(
                f"{place()}: another thread is tracing {self.name} at this moment, "
                "which uses this Tensor"
            )

    @property
    def is_here(self) -> bool:
        """Whether this thread is the one that traces."""
        return threading.get_ident() == self._thread

    def end(self) -> None:
        """From now on arrays of this trace cannot be used."""
        self._is_active = False
        self._arrays.clear()
        self._constants.clear()
        self.replaced.clear()
        self.former_links.clear()
        self.former_grads.clear()
        self.former_flags.clear()
        self._waiting.clear()
        # Their arrays lead back here.
        self.checks.clear()
        del self.is_random

    # -- Inputs --------------------------------------------------------------

    def stand_in(self, data: Any, source: Source) -> TracedArray:
        """What takes the place of an array; an input when it is first used."""
        if data.device.name != "cpu":
            self.fail(
                f"compiled functions run on cpu(), but an array is on {data.device}: "
                "move it with .to(ndl.cpu())"
            )
        return TracedArray(self, None, data.shape, data.quant_params, source)

    def add_input(self, array: TracedArray) -> GraphValue:
        """Make an input of the graph for an array that has no value."""
        source = array._source
        self.sources.append(source)
        if array.quant_params is not None and isinstance(source, NodeData):
            self.quantized.append((source.node, array.quant_params))
        kind = type(source).__name__.lower()
        name = f"{kind}_{len(self.sources) - 1}"
        native = self.builder._native
        element, where = element_type(array.quant_params), self._place(name)
        return self.builder._value(
            native.input(name, element, list(array._shape), where)
        )

    def _place(self, name: str = "") -> tuple[str, int, str]:
        """Where inputs and outputs are: calls are at different lines."""
        return self._file, self._line, name

    def capture(self, node: Node, source: NodeData | GradData | None = None) -> None:
        """Let the data of a Tensor be an input.

        What it was computed from outside of the function stays outside: there it is
        a leaf until the function ends.
        """
        data = _realize(node)
        if isinstance(data, tuple):
            stand_in: Any = tuple(map(self.lift, data))
        else:
            stand_in = self.stand_in(data, source or NodeData(node))
        self.replaced[node] = (data, stand_in)
        self.former_flags[node] = node.requires_grad
        if node.op is not None:
            self.former_links[node] = (node.op, node.inputs)
            node.op, node.inputs = None, ()
        tensor = None if node.value is None else node.value()
        self.former_grads[node] = None if tensor is None else tensor.grad
        node.data = stand_in

    def check_random(self) -> None:
        """Raise TraceError if random numbers were drawn since the beginning."""
        if self.is_random():
            self.fail(
                "random numbers were drawn while tracing: the compiled function "
                "would use the same ones in every call. Draw them outside and give "
                "them as arguments"
            )

    def check_flag(self, former: bool, latter: bool) -> None:
        """Raise TraceError if a Tensor from outside has another requires_grad."""
        if former != latter:
            self.fail(
                f"requires_grad of a Tensor from outside was set to {latter}, which "
                "the compiled function would not do again. Set it outside"
            )

    def __call__(self, nodes: Sequence[Node]) -> None:
        """Called with the inputs of each operation on Tensors, before it computes."""
        if not self.is_here:
            return
        for node in nodes:
            data = node.data
            if type(data) is TracedArray:
                continue
            if data is None and any(map(self._is_recorded, node.inputs)):
                continue
            if type(data) is not tuple or any(type(d) is NDArray for d in data):
                self.check_random()
                self.capture(node)

    def _is_recorded(self, node: Node) -> bool:
        """Whether a node waits (in lazy mode) for something of this trace."""
        pending, seen = [node], {node}
        while pending:
            one = pending.pop()
            if type(one.data) is TracedArray or one in self._waiting:
                self._waiting.add(node)
                return True
            if one.data is None:
                inputs = [other for other in one.inputs if other not in seen]
                seen.update(inputs)
                pending += inputs
        return False

    def numbers(self, function: Callable[[], tuple[float, ...]]) -> tuple[Any, ...]:
        """Numbers that ``function`` returns anew for each run."""
        if not self.is_here:
            return function()
        group = len(self.functions)
        self.functions.append(function)
        return tuple(
            TracedArray(self, None, (), None, Number(group, index))
            for index in range(len(function()))
        )

    def lift(self, operand: Any) -> Any:
        """An operand as an array of this trace, or NotImplemented."""
        self.check_active()
        if isinstance(operand, TracedArray):
            if operand._trace is not self:
                operand._trace.check_active()
                self.fail("an array of another compiled function")
            return operand
        if isinstance(operand, NDArray):
            return self._lift_array(operand)
        if isinstance(operand, _NUMBERS):
            with np.errstate(over="ignore"):
                return self.constant(np.float32(operand))
        if isinstance(operand, np.ndarray):
            return self.constant(operand.astype(np.float32))
        return NotImplemented

    def _lift_array(self, array: NDArray) -> TracedArray:
        if id(array) not in self._arrays:
            stand_in = self.stand_in(array, Constant(array))
            self._arrays[id(array)] = (array, stand_in)
        return self._arrays[id(array)][1]

    # -- Outputs -------------------------------------------------------------

    def add_check(self, value: TracedArray, message: str) -> None:
        """Let runs fail where a value without dimensions is not 0."""
        self.checks.append(Check(value, message, place()))

    def build(self, outputs: Sequence[TracedArray]) -> Graph:
        """End the graph."""
        for index, array in enumerate(outputs):
            name = f"output_{index}"
            if array.quant_params is not None:
                self.fail(
                    "a quantized array cannot leave a compiled function: return "
                    "dequantize() of it"
                )
            value = array._graph_value()._id
            self.builder._native.output(name, value, self._place(name))
        return Graph(self.builder._native.build(self._place()))


def _definition(function: Any) -> tuple[str, int]:
    """File and first line of a function, if it is written in Python."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        code = getattr(getattr(type(function), "forward", None), "__code__", None)
    return ("", 0) if code is None else (code.co_filename, code.co_firstlineno)


def _realize(node: Node) -> Any:
    """The data of a node that may be waiting for them in lazy mode."""
    return node.data if node.data is not None else value_of(node).realize_cached_data()
