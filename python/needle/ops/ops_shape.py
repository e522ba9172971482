# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations that move elements: shapes, order of axes, stacks, gaps."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from needle._tensor import Tensor
from needle.autograd import TensorOp, TensorTuple, TensorTupleOp, Value
from needle.backend_selection import array_api, full_like, real_numbers
from needle.ops._helpers import Axes, Shape, check_axes, sum_to
from needle.ops.ops_tuple import make_tuple


def _shape_tuple(shape: Any) -> Shape:
    given = shape if isinstance(shape, Sequence) else (shape,)
    return tuple(map(operator.index, given))


class Transpose(TensorOp):
    """Swaps two axes, the last two by default."""

    def __init__(self, axes: Sequence[int] | None = None) -> None:
        if axes is not None and (not hasattr(axes, "__len__") or len(axes) != 2):
            raise ValueError(f"transpose swaps two axes, got {axes}")
        self.axes = None if axes is None else tuple(axes)

    def compute(self, a: Any) -> Any:
        rank = len(a.shape)
        if self.axes is None and rank < 2:
            raise ValueError(f"the shape {a.shape} has no two axes to swap")
        first, second = (
            (rank - 2, rank - 1) if self.axes is None else check_axes(self.axes, rank)
        )
        order = list(range(rank))
        order[first], order[second] = second, first
        return array_api.permute(a, tuple(order))

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return self(out_grad)


class Reshape(TensorOp):
    """The same elements in another shape."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = _shape_tuple(shape)

    def compute(self, a: Any) -> Any:
        return array_api.reshape(a, self.shape)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return reshape(out_grad, node.inputs[0].shape)


class BroadcastTo(TensorOp):
    """Repeats along dimensions of extent 1 and along new ones in front."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = _shape_tuple(shape)

    def compute(self, a: Any) -> Any:
        return array_api.broadcast_to(a, self.shape)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return sum_to(out_grad, node.inputs[0].shape)


class Stack(TensorOp):
    """Arrays of one shape along a new axis."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def compute(self, args: tuple[Any, ...]) -> Any:
        (axis,) = check_axes(self.axis, len(args[0].shape) + 1 if args else 1)
        return array_api.stack(args, axis)

    def gradient(self, out_grad: Tensor, node: Tensor) -> TensorTuple:
        return split(out_grad, self.axis)


class Split(TensorTupleOp):
    """The slices of an array along an axis, which goes."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def compute(self, a: Any) -> tuple[Any, ...]:
        (axis,) = check_axes(self.axis, len(a.shape))
        whole = (slice(None),)
        shape = a.shape[:axis] + a.shape[axis + 1 :]
        return tuple(
            array_api.reshape(
                a[whole * axis + (slice(i, i + 1),) + whole * (len(shape) - axis)],
                shape,
            )
            for i in range(a.shape[axis])
        )

    def gradient(self, out_grad: TensorTuple, node: Value) -> Tensor:
        return stack(out_grad, self.axis)


class Flip(TensorOp):
    """Reverses the order along axes."""

    def __init__(self, axes: Axes = None) -> None:
        self.axes = axes

    def compute(self, a: Any) -> Any:
        return array_api.flip(a, check_axes(self.axes, len(a.shape)))

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return flip(out_grad, self.axes)


def _gaps(dilation: int) -> int:
    number = operator.index(dilation)
    if number < 0:
        raise ValueError(f"a dilation is at least 0, not {number}")
    return number


def _spaced(rank: int, axes: Shape, dilation: int) -> tuple[slice, ...]:
    """The index of the elements between which the gaps are."""
    step = slice(None, None, dilation + 1)
    return tuple(step if i in axes else slice(None) for i in range(rank))


class Dilate(TensorOp):
    """Zeros after each element along axes.

    Parameters
    ----------
    axes : int or tuple of int, optional
        All axes if not given.
    dilation : int
        How many zeros follow each element.
    shape : sequence of int, optional
        Of the result, if it ends earlier than after the last zeros.
    """

    def __init__(
        self, axes: Axes, dilation: int, shape: Sequence[int] | None = None
    ) -> None:
        self.axes = axes
        self.dilation = _gaps(dilation)
        self.shape = None if shape is None else tuple(shape)

    def compute(self, a: Any) -> Any:
        axes = check_axes(self.axes, len(a.shape))
        a = real_numbers(a)
        shape = self.shape or tuple(
            n * (self.dilation + 1) if i in axes else n for i, n in enumerate(a.shape)
        )
        result = full_like(a, 0.0, shape)
        result[_spaced(len(shape), axes, self.dilation)] = a
        return result

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return undilate(out_grad, self.axes, self.dilation)


class UnDilate(TensorOp):
    """Every element that :class:`Dilate` puts no zeros in place of."""

    def __init__(self, axes: Axes, dilation: int) -> None:
        self.axes = axes
        self.dilation = _gaps(dilation)

    def compute(self, a: Any) -> Any:
        axes = check_axes(self.axes, len(a.shape))
        return a[_spaced(len(a.shape), axes, self.dilation)]

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        shape = node.inputs[0].shape
        return Dilate(self.axes, self.dilation, shape)(out_grad)


_TRANSPOSE = Transpose()


def transpose(a: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Swap two axes, the last two by default."""
    return _TRANSPOSE(a) if axes is None else Transpose(axes)(a)


def reshape(a: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements, in row-major order, in another shape.

    One extent can be -1: it follows from the others.

    Raises
    ------
    ValueError
        If the number of elements differs.
    """
    return Reshape(shape)(a)


def broadcast_to(a: Tensor, shape: Sequence[int]) -> Tensor:
    """Repeat along dimensions of extent 1 and along new ones in front.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    return BroadcastTo(shape)(a)


def stack(args: Sequence[Tensor] | TensorTuple, axis: int) -> Tensor:
    """Tensors of one shape along a new axis.

    Parameters
    ----------
    args : sequence of Tensor or TensorTuple
        At least one.
    axis : int
        Where the new axis is in the result.

    Raises
    ------
    ValueError
        If shapes or committed devices differ.
    """
    if isinstance(args, TensorTuple):
        return Stack(axis)(args)
    tensors = list(args)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"stack takes Tensors, not {type(tensor).__name__}; ndl.Tensor(...) "
                "makes one"
            )
    return Stack(axis)(make_tuple(*tensors))


def split(a: Tensor, axis: int) -> TensorTuple:
    """The slices of a tensor along an axis, which goes: the inverse of stack."""
    return Split(axis)(a)


def flip(a: Tensor, axes: Axes = None) -> Tensor:
    """Reverse the order along axes, all by default."""
    return Flip(axes)(a)


def dilate(a: Tensor, axes: Axes, dilation: int) -> Tensor:
    """Insert zeros after each element along axes.

    Parameters
    ----------
    a : Tensor
    axes : int or tuple of int
    dilation : int
        How many zeros follow each element; an extent n becomes n * (dilation + 1).
    """
    return Dilate(axes, dilation)(a)


def undilate(a: Tensor, axes: Axes, dilation: int) -> Tensor:
    """Take the zeros out that :func:`dilate` inserts.

    Parameters
    ----------
    a : Tensor
    axes : int or tuple of int
    dilation : int
        After each element that is kept as many are left out.
    """
    return UnDilate(axes, dilation)(a)


__all__ = [
    "BroadcastTo",
    "Dilate",
    "Flip",
    "Reshape",
    "Split",
    "Stack",
    "Transpose",
    "UnDilate",
    "broadcast_to",
    "dilate",
    "flip",
    "reshape",
    "split",
    "stack",
    "transpose",
    "undilate",
]
