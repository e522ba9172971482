# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values, the operations between them, and the gradients of both.

A :class:`Tensor` is what a program holds; the graph behind it is made of nodes
that know no Tensor. A gradient can therefore be differentiated again (its graph
leads back to the variable) without the variable and its ``grad`` keeping each
other alive: memory is freed as soon as the last name of it goes.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

import numpy as np

from needle._topology import sort_nodes
from needle.backend_selection import BACKEND, NDArray

if TYPE_CHECKING:
    import numpy.typing as npt

#: Whether operations wait until somebody asks for their data.
LAZY_MODE = False
#: While needle.jit traces a function: what is called with the nodes that an operation
#: takes, before it computes, and gives the numbers that change with every step.
TRACER: Any = None
#: How many values there are at the moment, in all threads. Exact: Python changes
#: threads at calls and backward jumps, which counting has none of.
TENSOR_COUNTER = 0

ValueT = TypeVar("ValueT", bound="Value")
_new = object.__new__


class Node:
    """A value as the graph sees it."""

    __slots__ = ("data", "inputs", "op", "requires_grad", "value")

    op: Op | None
    inputs: tuple[Node, ...]
    #: An array, a tuple of them, or None before it is computed.
    data: Any
    requires_grad: bool
    #: The Value that a program holds of this node, if it may still hold one.
    value: ref[Value] | None

    def __init__(
        self, op: Op | None, inputs: tuple[Node, ...], data: Any, requires_grad: bool
    ) -> None:
        global TENSOR_COUNTER
        TENSOR_COUNTER += 1
        self.op = op
        self.inputs = inputs
        self.data = data
        self.requires_grad = requires_grad
        self.value = None

    def __del__(self) -> None:
        global TENSOR_COUNTER
        TENSOR_COUNTER -= 1


def per_step(function: Callable[[], builtins.tuple[float, ...]]) -> Any:
    """Numbers that a function returns, which differ from step to step.

    A compiled function (:func:`needle.jit`) calls it anew for each run; what it
    does besides, such as counting, is done then.
    """
    return function() if TRACER is None else TRACER.numbers(function)


class Op:
    """An operation on values; call it to apply it."""

    #: Which element of a tuple the operation takes out, if that is what it does.
    element: int | None = None

    def __call__(self, *args: Any) -> Any:
        """Apply the operation to values."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def compute(self, *args: Any) -> Any:
        """The result, from the arrays of the inputs.

        Parameters
        ----------
        args : NDArray
            One array for each input; a tuple of arrays for a TensorTuple.

        Returns
        -------
        NDArray or tuple of NDArray
        """
        raise NotImplementedError(f"{type(self).__name__} defines no compute")

    def gradient(self, out_grad: Any, node: Any) -> Any:
        """What the inputs contribute to the gradient of the result.

        Parameters
        ----------
        out_grad : Value
            The gradient with respect to the result.
        node : Value
            The result; ``node.inputs`` are what it was computed from.

        Returns
        -------
        Value or tuple of Value
            One for each input, built of operations on values, so that it can be
            differentiated again. None stands for an input that needs none.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no gradient")

    def gradient_as_tuple(self, out_grad: Value, node: Value) -> tuple[Any, ...]:
        """What :meth:`gradient` returns, always as a tuple."""
        output = self.gradient(out_grad, node)
        if isinstance(output, tuple):
            return output
        return tuple(output) if isinstance(output, list) else (output,)


class TensorOp(Op):
    """An operation that results in a :class:`Tensor`."""

    def __call__(self, *args: Value) -> Tensor:
        """Apply the operation to values."""
        return Tensor.make_from_op(self, args)


class TensorTupleOp(Op):
    """An operation that results in a :class:`TensorTuple`."""

    def __call__(self, *args: Value) -> TensorTuple:
        """Apply the operation to values."""
        return TensorTuple.make_from_op(self, args)


class Value:
    """A value in the graph of computations.

    Attributes
    ----------
    grad : Value or None
        The gradient that the latest ``backward()`` left here, None before.
    """

    __slots__ = ("__weakref__", "_node", "grad")

    _node: Node
    grad: Any

    @property
    def op(self) -> Op | None:
        """The operation that made this value, None for a leaf."""
        return self._node.op

    @property
    def inputs(self) -> list[Any]:
        """The values that the operation was applied to."""
        return [value_of(node) for node in self._node.inputs]

    @property
    def cached_data(self) -> Any:
        """The array behind this value; None in lazy mode before it is computed."""
        return self._node.data

    @cached_data.setter
    def cached_data(self, data: Any) -> None:
        self._node.data = data

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this value."""
        return self._node.requires_grad

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self._node.requires_grad = bool(requires_grad)

    def realize_cached_data(self) -> Any:
        """The array behind this value, computed now if it has not been before."""
        data = self._node.data
        return _realize(self._node) if data is None else data

    def is_leaf(self) -> bool:
        """Whether no operation made this value."""
        return self._node.op is None

    @classmethod
    def make_const(cls: type[ValueT], data: Any, requires_grad: bool = False) -> ValueT:
        """A leaf around an array (a tuple of arrays for a TensorTuple)."""
        if isinstance(data, Value):
            data = data.realize_cached_data()
        return cls._wrap(Node(None, (), data, requires_grad))

    @classmethod
    def make_from_op(cls: type[ValueT], op: Op, inputs: Sequence[Value]) -> ValueT:
        """The result of an operation; recorded if an input requires gradients."""
        try:
            nodes = tuple([value._node for value in inputs])
        except AttributeError:
            raise _wrong_operand(op, inputs) from None
        if TRACER is not None:
            TRACER(nodes)
        requires_grad = False
        for node in nodes:
            if node.requires_grad:
                requires_grad = True
                break
        data = None
        if not LAZY_MODE:
            data = op.compute(
                *[_realize(n) if n.data is None else n.data for n in nodes]
            )
            if _IS_NUMPY:
                data = _as_array(data)
        result = _new(cls)
        result.grad = None
        if requires_grad or data is None:
            for value, node in zip(inputs, nodes):  # noqa: B905 (speed: equal lengths)
                if node.value is None:
                    node.value = ref(value)
            result._node = Node(op, nodes, data, requires_grad)
        else:
            result._node = Node(None, (), data, False)
        return result

    @classmethod
    def _wrap(cls: type[ValueT], node: Node) -> ValueT:
        value = _new(cls)
        value._node = node
        value.grad = None
        return value

    def numpy(self) -> Any:
        """A copy of the data: a NumPy array (a list of them for a TensorTuple)."""
        data = self.realize_cached_data()
        if isinstance(data, tuple):
            return [_to_numpy(part) for part in data]
        return _to_numpy(data)


class TensorTuple(Value):
    """Several tensors as one value, the result of an operation such as split."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.realize_cached_data())

    def __getitem__(self, index: int) -> Tensor:
        count = len(self)
        number = operator.index(index)
        if not -count <= number < count:
            raise IndexError(f"a tuple of {count} tensors has no element {number}")
        return _ops.tuple_get_item(self, number % count)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[index] for index in range(len(self)))

    def tuple(self) -> builtins.tuple[Tensor, ...]:
        """The tensors as a Python tuple."""
        return tuple(self)

    def __repr__(self) -> str:
        return f"needle.TensorTuple{self.tuple()}"

    def __add__(self, other: TensorTuple) -> TensorTuple:
        if not isinstance(other, TensorTuple):
            return NotImplemented
        if len(self) != len(other):
            raise ValueError(
                f"cannot add tuples of {len(self)} and {len(other)} tensors"
            )
        return _ops.make_tuple(*map(operator.add, self, other))

    def detach(self) -> TensorTuple:
        """The same data without the graph behind it."""
        return TensorTuple.make_const(self.realize_cached_data())


def value_of(node: Node) -> Value:
    """The Value of a node: the one that somebody holds, or a new one."""
    value = None if node.value is None else node.value()
    if value is None:
        several = isinstance(node.op, TensorTupleOp) or type(node.data) is tuple
        value = (TensorTuple if several else Tensor)._wrap(node)
        node.value = ref(value)
    return value


def _realize(node: Node) -> Any:
    """Compute what is missing, without recursion: graphs can be deep."""
    if node.data is None:
        for one in sort_nodes([node], lambda one: one.data is None):
            if one.data is not None:
                continue
            if one.op is None:
                raise RuntimeError("a leaf without data: cached_data was set to None")
            data = one.op.compute(*[value.data for value in one.inputs])
            one.data = _as_array(data) if _IS_NUMPY else data
            if not one.requires_grad:
                one.op, one.inputs = None, ()
    return node.data


def _to_numpy(data: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any]
    if not _IS_NUMPY:
        array = data.numpy()
    else:
        # Quantized NumPy arrays are a class of their own.
        array = np.array(data, subok=False)
    return array


_IS_NUMPY = BACKEND == "np"


def _as_array(data: Any) -> Any:
    """NumPy makes numbers of arrays without dimensions; Tensors hold arrays."""
    return data if isinstance(data, tuple) else np.asanyarray(data)


def _wrong_operand(op: Op, inputs: Sequence[Any]) -> TypeError:
    wrong = next(value for value in inputs if not isinstance(value, Value))
    return TypeError(
        f"{type(op).__name__} takes Tensors, not {type(wrong).__name__}; "
        "ndl.Tensor(...) makes one"
    )


# At the end: what is built on the classes above.
from needle._tensor import Tensor  # isort: skip  # noqa: E402
from needle import ops as _ops  # isort: skip  # noqa: E402
from needle._gradient import (  # noqa: E402
    compute_gradient_of_variables,
    find_topo_sort,
    sum_node_list,
    topo_sort_dfs,
)

__all__ = [
    "LAZY_MODE",
    "TENSOR_COUNTER",
    "NDArray",
    "Op",
    "Tensor",
    "TensorOp",
    "TensorTuple",
    "TensorTupleOp",
    "Value",
    "compute_gradient_of_variables",
    "find_topo_sort",
    "sum_node_list",
    "topo_sort_dfs",
]
