# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What several operations need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from needle._tensor import Tensor
from needle.backend_ndarray._checks import check_axes as check_axes
from needle.backend_selection import BACKEND

Axes = int | Sequence[int] | None
Shape = tuple[int, ...]


def keep_dims(shape: Shape, axes: Axes) -> Shape:
    """The shape with 1 in place of the reduced extents."""
    reduced = check_axes(axes, len(shape))
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def drop_dims(shape: Shape, axes: Axes) -> Shape:
    """The shape without the reduced extents."""
    reduced = check_axes(axes, len(shape))
    return tuple(n for i, n in enumerate(shape) if i not in reduced)


def sum_to(grad: Tensor, shape: Shape) -> Tensor:
    """The gradient of what was broadcast: summed over where it was repeated."""
    given = grad.shape
    if given == shape:
        return grad
    lead = len(given) - len(shape)
    axes = tuple(
        i for i, n in enumerate(given) if i < lead or (shape[i - lead] == 1 and n != 1)
    )
    if axes:
        grad = grad.sum(axes)
    return grad if grad.shape == shape else grad.reshape(shape)


def make_mask(condition: Any, like: Any) -> Tensor:
    """1 where the condition holds, else 0; a constant of the type of ``like``."""
    return Tensor.make_const(
        condition.astype(like.dtype) if BACKEND == "np" else condition
    )
