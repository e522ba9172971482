# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations that make tuples of tensors and take them apart."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from needle._tensor import Tensor
from needle.autograd import TensorOp, TensorTuple, TensorTupleOp, Value
from needle.backend_selection import full_like


class MakeTensorTuple(TensorTupleOp):
    """Several tensors as one value."""

    def compute(self, *args: Any) -> tuple[Any, ...]:
        return args

    def gradient(self, out_grad: TensorTuple, node: Value) -> tuple[Tensor, ...]:
        return out_grad.tuple()


class TensorTupleGetItem(TensorOp):
    """One element of a tuple."""

    def __init__(self, index: int) -> None:
        self.index = self.element = index

    def __call__(self, a: TensorTuple, fold_const: bool = True) -> Tensor:  # type: ignore[override]
        """Apply the operation; what make_tuple put in comes out again."""
        if fold_const and isinstance(a.op, MakeTensorTuple):
            value: Tensor = a.inputs[self.index]
            return value
        return Tensor.make_from_op(self, (a,))

    def compute(self, a: tuple[Any, ...]) -> Any:
        return a[self.index]

    def gradient(self, out_grad: Tensor, node: Value) -> TensorTuple:
        parts = node.inputs[0].realize_cached_data()
        return make_tuple(
            *[
                out_grad
                if index == self.index
                else Tensor.make_const(full_like(part, 0.0))
                for index, part in enumerate(parts)
            ]
        )


class FusedAddScalars(TensorTupleOp):
    """The pair (a + c0, a + c1)."""

    def __init__(self, c0: float, c1: float) -> None:
        self.c0 = float(c0)
        self.c1 = float(c1)

    def compute(self, a: Any) -> tuple[Any, Any]:
        return a + self.c0, a + self.c1

    def gradient(self, out_grad: TensorTuple, node: Value) -> Tensor:
        return out_grad[0] + out_grad[1]


_MAKE_TUPLE = MakeTensorTuple()


def make_tuple(*args: Tensor) -> TensorTuple:
    """Tensors as one value."""
    return _MAKE_TUPLE(*args)


def tuple_get_item(value: TensorTuple, index: int) -> Tensor:
    """The element of a tuple at an index, counted from 0."""
    return TensorTupleGetItem(index)(value)


def fused_add_scalars(x: Tensor, c0: float, c1: float) -> TensorTuple:
    """The pair (x + c0, x + c1)."""
    return FusedAddScalars(c0, c1)(x)


__all__ = [
    "FusedAddScalars",
    "MakeTensorTuple",
    "TensorTupleGetItem",
    "fused_add_scalars",
    "make_tuple",
    "tuple_get_item",
]
