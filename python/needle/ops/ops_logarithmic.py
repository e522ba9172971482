# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Logarithms of sums of exponentials, without overflow."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

import numpy as np

from needle._tensor import Tensor
from needle.autograd import TensorOp
from needle.backend_selection import array_api, real_numbers
from needle.ops._helpers import Axes, drop_dims, keep_dims
from needle.ops.ops_elementwise import exp
from needle.ops.ops_reduction import summation
from needle.ops.ops_shape import broadcast_to, reshape


def _log_sum_exp(data: Any, axes: Any) -> Any:
    """The result with the reduced axes kept."""
    largest = float(np.finfo(np.dtype(data.dtype)).max)
    # Infinite maxima count as the largest number: inf - inf would be no number.
    top = data.max(axis=axes, keepdims=True)
    top = array_api.minimum(array_api.maximum(top, -largest), largest)
    total = array_api.exp(data - top).sum(axis=axes, keepdims=True)
    return array_api.log(total) + top


class LogSumExp(TensorOp):
    """log(sum(exp(a))) over axes."""

    def __init__(self, axes: Axes = None) -> None:
        self.axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes

    def compute(self, a: Any) -> Any:
        kept = _log_sum_exp(real_numbers(a), self.axes)
        return array_api.reshape(kept, drop_dims(a.shape, self.axes))

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        a = node.inputs[0]
        kept = keep_dims(a.shape, self.axes)
        result = broadcast_to(reshape(node, kept), a.shape)
        return exp(a - result) * broadcast_to(reshape(out_grad, kept), a.shape)


class LogSoftmax(TensorOp):
    """a - logsumexp(a) over the last axis."""

    def compute(self, a: Any) -> Any:
        a = real_numbers(a)
        return a - _log_sum_exp(a, -1)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        total = summation(out_grad, -1, keepdims=True)
        return out_grad - exp(node) * broadcast_to(total, node.shape)


_LOG_SOFTMAX = LogSoftmax()


def logsumexp(a: Tensor, axes: Axes = None) -> Tensor:
    """log(sum(exp(a))) over axes, without overflow.

    Parameters
    ----------
    a : Tensor
    axes : int or tuple of int, optional
        All axes if not given; they do not stay.

    Raises
    ------
    ValueError
        If there is no element to sum.
    """
    return LogSumExp(axes)(a)


def logsoftmax(a: Tensor) -> Tensor:
    """The logarithm of the softmax over the last axis, of the shape of a."""
    return _LOG_SOFTMAX(a)


__all__ = ["LogSoftmax", "LogSumExp", "logsoftmax", "logsumexp"]
