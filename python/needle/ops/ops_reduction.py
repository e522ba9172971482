# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums and largest elements over axes."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from needle._tensor import Tensor
from needle.autograd import TensorOp
from needle.ops._helpers import Axes, keep_dims, make_mask
from needle.ops.ops_shape import broadcast_to, reshape


class _Reduction(TensorOp):
    def __init__(self, axes: Axes = None, keepdims: bool = False) -> None:
        self.axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes
        self.keepdims = keepdims

    def _spread(self, value: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Repeat a result along the axes that were reduced."""
        kept = keep_dims(shape, self.axes)
        if value.shape != kept:
            value = reshape(value, kept)
        return broadcast_to(value, shape)


class Summation(_Reduction):
    """The sum over axes."""

    def compute(self, a: Any) -> Any:
        return a.sum(axis=self.axes, keepdims=self.keepdims)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return self._spread(out_grad, node.inputs[0].shape)


class Max(_Reduction):
    """The largest element over axes."""

    def compute(self, a: Any) -> Any:
        return a.max(axis=self.axes, keepdims=self.keepdims)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        a = node.inputs[0]
        data = a.realize_cached_data()
        top = self._spread(node.detach(), a.shape).realize_cached_data()
        ties = make_mask(data == top, data)
        count = Summation(self.axes, keepdims=True)(ties)
        share = ties / broadcast_to(count, a.shape)
        return self._spread(out_grad, a.shape) * share


def summation(a: Tensor, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum over axes.

    Parameters
    ----------
    a : Tensor
    axes : int or tuple of int, optional
        All axes if not given.
    keepdims : bool, optional
        Whether the axes stay, with the extent 1.
    """
    return Summation(axes, keepdims)(a)


def max(a: Tensor, axes: Axes = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The largest element over axes.

    Elements that share the maximum share its gradient equally.

    Parameters
    ----------
    a : Tensor
    axes : int or tuple of int, optional
        All axes if not given.
    keepdims : bool, optional
        Whether the axes stay, with the extent 1.

    Raises
    ------
    ValueError
        If there is no element to choose from.
    """
    return Max(axes, keepdims)(a)


__all__ = ["Max", "Summation", "max", "summation"]
