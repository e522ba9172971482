# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A traced function as a program: its graph, and how to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from needle import autograd
from needle._jit._arguments import Arguments, Replaced, Results, others
from needle._jit._array import TracedArray
from needle._jit._discovery import Guard, Reach
from needle._jit._proxies import Proxies, have_grads
from needle._jit._results import check_result
from needle._jit._sources import (
    Argument,
    ArgumentGrad,
    Constant,
    GradData,
    Item,
    NodeData,
    Number,
)
from needle._jit._state import Changes, State
from needle._jit._trace import Trace
from needle.autograd import Node, Tensor
from needle.backend_ndarray.functions import zeros

if TYPE_CHECKING:
    from needle.backend_ndarray import NDArray
    from needle.executable import Executable
    from needle.graph import Graph


class Program:
    """What tracing a function once gave.

    Attributes
    ----------
    graph
        Its operations.
    guard
        Whether it is what tracing again would give.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        keep_grads: bool | None,
    ) -> None:
        trace = self._trace = Trace(name, function)
        reach = Reach((function, others(args), others(kwargs)))
        state = State(trace, reach)
        trace.is_random = state.effects.is_random
        self._outputs: list[TracedArray] = []
        arguments = Arguments(args, kwargs)
        self._argument_count = len(arguments.arrays)
        self._have_grads = have_grads(arguments.tensors)
        try:
            state.place()
            given = Replaced(args, kwargs, lambda i, data: _make_input(trace, i, data))
            proxies = given.tensors
            arrays = Proxies(trace, proxies, arguments.tensors)
            autograd.TRACER = trace
            try:
                result = function(*given.args, **given.kwargs)
            finally:
                autograd.TRACER = None
            trace.check_random()
            check_result(trace, result)
            keep = not trace.functions if keep_grads is None else keep_grads
            changes = state.find_changes(keep)
            self._find_writes(changes, arrays, keep)
            self._results = Results(
                result, self._add_output, lambda t: self._find_known(t, proxies, reach)
            )
            self._checks = [
                (self._add_output(check.value), f"{check.place}: {check.message}")
                for check in trace.checks
            ]
            if not self._outputs:
                # A program has an output, even if nobody wants one.
                self._outputs.append(trace.constant(0.0))
            self.graph: Graph = trace.build(self._outputs)
        finally:
            state.restore()
            trace.end()
            del self._trace
        owners = [getattr(f, "__self__", None) for f in trace.functions]
        self._functions = trace.functions
        self._owners = [owner for owner in owners if owner is not None]
        self.guard = Guard(reach, owners)
        self._sort_sources(trace)
        self._quantized = trace.quantized
        self.executable: Executable | None = None
        self._memory: list[Any] = [None] * len(self._outputs)
        self._transient = sorted(
            {*self._results.indices, *(index for _, index in self._grads)}
            | {index for _, index in self._argument_grads}
        )
        del self._outputs
        self._like = zeros(())

    # -- Made while tracing ---------------------------------------------------

    def _add_output(self, array: Any) -> int:
        """The index of the output that is this array."""
        array = self._trace.lift(array)
        for index, other in enumerate(self._outputs):
            if other is array:
                return index
        self._outputs.append(array)
        return len(self._outputs) - 1

    def _find_writes(self, changes: Changes, proxies: Proxies, keep: bool) -> None:
        self._nodes = [(node, self._add_output(data)) for node, data in changes.nodes]
        self._items = [
            (held, key, self._add_output(data)) for held, key, data in changes.items
        ]
        self._grads = [(t, self._add_output(data)) for t, data in changes.grads]
        self._cleared = changes.cleared
        data, grads, self._argument_cleared = proxies.find_changes(keep)
        self._arguments = [(place, self._add_output(made)) for place, made in data]
        self._argument_grads = [
            (place, self._add_output(made)) for place, made in grads
        ]

    def _find_known(
        self, tensor: Tensor, proxies: list[Tensor | None], reach: Reach
    ) -> Tensor | int | None:
        for place, proxy in enumerate(proxies):
            if proxy is tensor:
                return place
        return reach.tensors.get(id(tensor))

    def _sort_sources(self, trace: Trace) -> None:
        """Lists of inputs by kind, and the order of the graph in their sum."""
        kinds: dict[type, list[Any]] = {
            kind: [source for source in trace.sources if type(source) is kind]
            for kind in (NodeData, GradData, ArgumentGrad, Item, Constant, Number)
        }
        self._input_nodes: list[Node] = [s.node for s in kinds[NodeData]]
        self._input_grads: list[Tensor] = [s.tensor for s in kinds[GradData]]
        self._input_argument_grads = [s.index for s in kinds[ArgumentGrad]]
        self._input_items = [(s.holder, s.key) for s in kinds[Item]]
        self._input_arrays: list[NDArray] = [s.array for s in kinds[Constant]]
        numbers: list[Number] = kinds[Number]
        count = self._argument_count
        ordered: list[Any] = [s for kind in kinds.values() for s in kind]
        places = {id(source): count + i for i, source in enumerate(ordered)}
        self._number_places = [(n.group, n.index) for n in numbers]
        self._order = [
            s.index if isinstance(s, Argument) else places[id(s)] for s in trace.sources
        ]
        for (holder, key), source in zip(self._input_items, kinds[Item], strict=True):
            if key not in holder:
                holder[key] = zeros(source.shape)

    # -- Running --------------------------------------------------------------

    def run(self, arguments: Arguments) -> tuple[bool, Any]:
        """Run it; (False, None), nothing done, if an array is not as it was."""
        owners = [(owner, dict(vars(owner))) for owner in self._owners]
        is_done = False
        try:
            is_done = self._invoke(arguments)
        finally:
            if not is_done:
                for owner, attributes in owners:
                    vars(owner).update(attributes)
        return is_done, self._finish(arguments.tensors) if is_done else None

    def _invoke(self, arguments: Arguments) -> bool:
        tensors: list[Any] = arguments.tensors
        if have_grads(tensors) != self._have_grads:
            return False
        for node, params in self._quantized:
            if node.data.quant_params != params:
                return False
        values = [
            *arguments.arrays,
            *[node.data for node in self._input_nodes],
            *[tensor.grad._node.data for tensor in self._input_grads],
            *[
                tensors[place].grad.realize_cached_data()
                for place in self._input_argument_grads
            ],
            *[holder.get(key) for holder, key in self._input_items],
            *self._input_arrays,
        ]
        if self._functions:
            groups = [function() for function in self._functions]
            values += [float(groups[g][i]) for g, i in self._number_places]
        assert self.executable is not None
        inputs = [values[place] for place in self._order]
        if not self.executable._run_arrays(inputs, self._memory, self._like):
            return False
        for index, message in self._checks:
            if self._memory[index].item() != 0.0:
                raise ValueError(message)
        return True

    def _finish(self, tensors: list[Tensor | None]) -> Any:
        """Put outputs where they belong; what they replace is written to next."""
        memory = self._memory
        # An output may belong to several places, which share it as in eager mode.
        made = list(memory)
        result = self._results.make(memory, tensors)
        for node, index in self._nodes:
            node.data, memory[index] = made[index], node.data
        for holder, key, index in self._items:
            holder[key], memory[index] = made[index], holder.get(key)
        for place, index in self._arguments:
            node = tensors[place]._node  # type: ignore[union-attr]
            node.data, memory[index] = made[index], node.data
        for tensor, index in self._grads:
            tensor.grad = Tensor.make_const(made[index])
        for place, index in self._argument_grads:
            tensors[place].grad = Tensor.make_const(made[index])  # type: ignore[union-attr]
        for tensor in self._cleared:
            tensor.grad = None
        for place in self._argument_cleared:
            tensors[place].grad = None  # type: ignore[union-attr]
        for index in self._transient:
            memory[index] = None
        return result


def _make_input(trace: Trace, index: int, data: Any) -> TracedArray:
    """An argument, which is an input even if it is not used."""
    made = trace.stand_in(data, Argument(index))
    made._graph_value()
    return made
