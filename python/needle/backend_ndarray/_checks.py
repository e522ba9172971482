# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of types and shapes, each with one sentence that says what is wrong."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from needle.backend_ndarray.quantized import FLOAT32

if TYPE_CHECKING:
    import numpy.typing as npt

_MAX_ELEMENTS = (2**63 - 1) // FLOAT32.itemsize


def check_float(dtype: npt.DTypeLike) -> None:
    """Raise TypeError for anything but float32."""
    if as_dtype(dtype) != FLOAT32:
        raise TypeError(
            f"arrays are float32, or uint8 by quantize_uint8(); not {as_dtype(dtype)}"
        )


def as_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """A dtype; float32 for None."""
    if dtype is None:
        return FLOAT32
    try:
        return np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{dtype!r} is no dtype") from None


def check_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front: all for None, or one, or several."""
    if axis is None:
        return tuple(range(rank))
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    axes = []
    for number in map(operator.index, given):
        if not -rank <= number < rank:
            raise ValueError(f"axis {number} is out of range for {rank} dimensions")
        axes.append(number % rank)
    if len(set(axes)) != len(axes):
        raise ValueError(f"an axis is given twice: {given}")
    return tuple(axes)


def as_shape(shape: Any) -> tuple[int, ...]:
    """An integer or a sequence of integers as extents of float32 elements.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If an extent is negative, or memory cannot hold that many elements.
    """
    try:
        given = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        extents = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(
            f"a shape is an integer or a sequence of integers, got {shape!r}"
        ) from None
    if any(extent < 0 for extent in extents):
        raise ValueError(f"shape {extents} has a negative extent")
    if math.prod(extents) > _MAX_ELEMENTS:
        raise ValueError(f"shape {extents} has more elements than memory can hold")
    return extents


def check_broadcast(name: str, *shapes: tuple[int, ...]) -> None:
    """Raise ValueError if shapes do not broadcast."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        text = " and ".join(map(str, shapes))
        raise ValueError(f"{name}: shapes {text} do not broadcast") from None


def check_matmul(
    a: tuple[int, ...], b: tuple[int, ...], lhs: tuple[int, ...], rhs: tuple[int, ...]
) -> None:
    """Raise ValueError if shapes do not fit ``@``; lhs and rhs are matrices."""
    if not a or not b:
        raise ValueError(f"@ of shapes {a} and {b}: one has no dimensions")
    if lhs[-1] != rhs[-2]:
        raise ValueError(
            f"@ of shapes {a} and {b}: {lhs[-1]} columns of the left do not fit "
            f"{rhs[-2]} rows of the right"
        )
    check_broadcast("the leading dimensions of @", lhs[:-2], rhs[:-2])
