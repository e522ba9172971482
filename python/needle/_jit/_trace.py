# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recording one call of a function as a graph."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from needle._jit._array import DynamicParams, Shape, TracedArray
from needle._places import find_caller
from needle.autograd import Node, value_of
from needle.backend_ndarray import NDArray
from needle.backend_ndarray.quantized import QuantParams
from needle.builder import GraphBuilder
from needle.errors import CompileError, TraceError
from needle.graph import Graph

if TYPE_CHECKING:
    from needle.builder import Value as GraphValue

_NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


@dataclass(eq=False)
class Argument:
    """An input that is the array at a place among the arguments."""

    index: int


@dataclass(eq=False)
class NodeData:
    """An input that is the data of a Tensor which the function reaches."""

    node: Node


@dataclass(eq=False)
class GradData:
    """An input that is the data of the gradient of a Tensor."""

    tensor: Any


@dataclass(eq=False)
class Item:
    """An input that is an array in a dictionary, such as an optimizer's state."""

    holder: dict[Any, Any]
    key: Any
    shape: Shape


@dataclass(eq=False)
class Constant:
    """An input that is one array which the function met."""

    array: NDArray


@dataclass(eq=False)
class Number:
    """An input that is a number which a function of the host returns.

    ``group`` counts those functions, ``index`` the numbers that one returns.
    """

    group: int
    index: int


Source = Argument | NodeData | GradData | Item | Constant | Number


@dataclass(frozen=True)
class Check:
    """An output that is 0 unless the inputs were wrong, and what is wrong then."""

    value: TracedArray
    message: str
    place: str


class Trace:
    """What is recorded while a function runs on arrays without values.

    Parameters
    ----------
    name
        Of the function, for messages and the graph.
    function
        Where it is defined is where inputs and outputs are.
    """

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self._file, self._line = _definition(function)
        self.builder = GraphBuilder(name)
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
        self._arrays: dict[int, tuple[NDArray, TracedArray]] = {}
        self._constants: dict[bytes, TracedArray] = {}
        self._thread = threading.get_ident()
        self._is_active = True
        self._random = _random_state()
        self._ended_at = ""

    # -- Errors --------------------------------------------------------------

    def fail(self, message: str) -> NoReturn:
        """Raise TraceError that names the user's line."""
        raise TraceError(f"{place()}: in {self.name}, compiled by ndl.jit: {message}")

    def fail_reading(self, what: str) -> NoReturn:
        """Raise TraceError for something that needs values."""
        self.check_active()
        self.fail(
            f"{what} needs values, but a function is traced without: they are known "
            "only when the compiled function runs. Read them outside, from what it "
            "returns"
        )

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
        element, where = _element(array.quant_params), self._place(name)
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
        if node.op is not None:
            self.former_links[node] = (node.op, node.inputs)
            node.op, node.inputs = None, ()
        tensor = None if node.value is None else node.value()
        self.former_grads[node] = None if tensor is None else tensor.grad
        node.data = stand_in

    def check_random(self) -> None:
        """Raise TraceError if random numbers were drawn since the beginning."""
        if _random_state() != self._random:
            self.fail(
                "random numbers were drawn while tracing: the compiled function "
                "would use the same ones in every call. Draw them outside and give "
                "them as arguments"
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
        return type(node.data) is TracedArray or (
            node.data is None and any(map(self._is_recorded, node.inputs))
        )

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
            return self.constant(np.float32(operand))
        if isinstance(operand, np.ndarray):
            return self.constant(operand.astype(np.float32))
        return NotImplemented

    def _lift_array(self, array: NDArray) -> TracedArray:
        if id(array) not in self._arrays:
            stand_in = self.stand_in(array, Constant(array))
            self._arrays[id(array)] = (array, stand_in)
        return self._arrays[id(array)][1]

    # -- Operations ----------------------------------------------------------

    def constant(self, values: Any) -> TracedArray:
        """A constant of float32."""
        array = np.asarray(values, np.float32)
        key = array.tobytes() + repr(array.shape).encode()
        if key not in self._constants:
            made = TracedArray(self, self.builder.constant(array), array.shape)
            self._constants[key] = made
        return self._constants[key]

    def fill(self, shape: Shape, value: float) -> TracedArray:
        """Equal numbers."""
        scalar = self.constant(np.float32(value))
        made = self.emit_broadcast(scalar, shape) if shape else self._copy(scalar)
        made._fill = float(value)
        return made

    def _copy(self, array: TracedArray) -> TracedArray:
        return TracedArray(self, array._graph_value(), array._shape)

    def emit(
        self,
        mnemonic: str,
        *operands: TracedArray,
        attributes: str = "",
        result: tuple[str, Shape] | None = None,
    ) -> TracedArray:
        """An operation with one result, of float32 unless ``result`` tells more."""
        values = [operand._graph_value() for operand in operands]
        types = () if result is None else (result,)
        value = self._apply(mnemonic, values, attributes, types, 1)[0]
        return TracedArray(self, value, _static(value))

    def _apply(
        self,
        mnemonic: str,
        values: Sequence[GraphValue],
        attributes: str,
        types: Sequence[tuple[str, Any]],
        count: int,
    ) -> tuple[GraphValue, ...]:
        try:
            return self.builder.op(
                mnemonic,
                *values,
                attributes=attributes,
                result_types=types,
                num_results=count,
            )
        except CompileError as error:
            raise CompileError(
                f"{error}\nin {self.name}, compiled by ndl.jit"
            ) from None

    def emit_moved(
        self, mnemonic: str, operand: TracedArray, attributes: str
    ) -> TracedArray:
        """An operation that moves elements of any type."""
        made = self.emit(mnemonic, operand, attributes=attributes)
        made.quant_params = operand.quant_params
        return made

    def emit_reshape(self, operand: TracedArray, shape: Shape) -> TracedArray:
        """The same elements in another shape."""
        value = self.builder.reshape(operand._graph_value(), shape)
        return TracedArray(self, value, shape, operand.quant_params)

    def emit_broadcast(self, operand: TracedArray, shape: Shape) -> TracedArray:
        """Elements repeated."""
        return self.emit("broadcast_to", operand, result=("float32", shape))

    def emit_quantize(self, operand: TracedArray, params: QuantParams) -> TracedArray:
        """Elements rounded to 8 bits, with parameters that are known."""
        made = self.emit("quantize", operand, result=(_element(params), operand.shape))
        made.quant_params = params
        return made

    def emit_quantize_dynamic(self, operand: TracedArray) -> TracedArray:
        """Elements rounded to 8 bits, with parameters computed from them."""
        value, scale, zero_point = self._apply(
            "quantize_dynamic", [operand._graph_value()], "", (), 3
        )
        params = DynamicParams(self, scale, zero_point)
        return TracedArray(self, value, operand.shape, params)

    def emit_dequantize(self, operand: TracedArray) -> TracedArray:
        """The real numbers of a quantized array."""
        params = _dynamic_params(operand)
        values = [operand._graph_value(), *params]
        result = ("float32", operand.shape)
        flags = [1, len(params) // 2, len(params) // 2]
        value = self._apply("dequantize", values, _segments(flags), (result,), 1)[0]
        return TracedArray(self, value, operand.shape)

    def emit_quantized_matmul(self, a: TracedArray, b: TracedArray) -> TracedArray:
        """The product of two quantized arrays, in integers (rules N4 and N5)."""
        if b.ndim > 2:
            self.fail(
                f"@ of quantized arrays of the shapes {a.shape} and {b.shape}: the "
                "right one can only be a matrix in a compiled function"
            )
        batch = a.shape[:-1]
        rows = a.reshape((int(np.prod(batch, dtype=np.int64)), a.shape[-1]))
        left, right = _dynamic_params(rows), _dynamic_params(b)
        values = [rows._graph_value(), b._graph_value(), *left, *right]
        one, two = len(left) // 2, len(right) // 2
        result = ("float32", (rows.shape[0], b.shape[1]))
        flags = _segments([1, 1, one, one, two, two, 0])
        value = self._apply("qmatmul", values, flags, (result,), 1)[0]
        return TracedArray(self, value, result[1]).reshape((*batch, b.shape[1]))

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


def place() -> str:
    """The user's file and line."""
    file, line, _ = find_caller()
    return f"{file}:{line}" if file else "in Python"


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


def _static(value: GraphValue) -> Shape:
    return tuple(dim for dim in value.shape if dim is not None)


def _element(params: QuantParams | DynamicParams | None) -> str:
    """The type of elements, in MLIR syntax if they are quantized."""
    if params is None:
        return "f32"
    return f"!quant.uniform<u8:f32, {params.scale!r}:{params.zero_point}>"


def _dynamic_params(array: TracedArray) -> list[GraphValue]:
    params = array.quant_params
    if isinstance(params, DynamicParams):
        return [params.scale_value, params.zero_point_value]
    return []


def _segments(sizes: Sequence[int]) -> str:
    return f"{{operandSegmentSizes = array<i32: {', '.join(map(str, sizes))}>}}"


def _random_state() -> Any:
    """What tells whether NumPy's global generator has drawn."""
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    return repr({**state, "state": {k: bytes(v) for k, v in _parts(state).items()}})


def _parts(state: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The numbers of a generator, of whichever kind, as arrays."""
    return {key: np.asarray(part) for key, part in state["state"].items()}
