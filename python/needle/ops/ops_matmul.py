# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The matrix product."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from needle._tensor import Tensor
from needle.autograd import TensorOp
from needle.ops._helpers import Shape, sum_to
from needle.ops.ops_shape import transpose


class MatMul(TensorOp):
    """a @ b over the last two axes; the axes before them broadcast."""

    def compute(self, a: Any, b: Any) -> Any:
        if a.ndim < 2 or b.ndim < 2:
            raise ValueError(
                "matmul takes operands of at least two dimensions, got the shapes "
                f"{a.shape} and {b.shape}; reshape a vector to (1, n) or (n, 1)"
            )
        return a @ b

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[Any, Any]:
        a, b = node.inputs
        left = right = None
        if a.requires_grad:
            left = sum_to(matmul(out_grad, transpose(b)), a.shape)
        if b.requires_grad:
            shape: Shape = b.shape
            if len(shape) == 2 and len(a.shape) > 2:
                # One product over all batches instead of one for each and a sum.
                a = a.reshape((-1, shape[0]))
                out_grad = out_grad.reshape((-1, shape[1]))
            right = sum_to(matmul(transpose(a), out_grad), shape)
        return left, right


_MATMUL = MatMul()


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product over the last two axes.

    Parameters
    ----------
    a : Tensor
        Of the shape (..., m, k).
    b : Tensor
        Of the shape (..., k, n).

    Returns
    -------
    Tensor
        Of the shape (..., m, n), where the axes before broadcast. Two operands of
        type uint8 are multiplied in integers, exactly, and give float32 (rules N4
        and N5).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    return _MATMUL(a, b)


__all__ = ["MatMul", "matmul"]
