# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an index selects, for arrays whose shape is all that is known."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from needle.backend_ndarray.functions import full

if TYPE_CHECKING:
    from needle._jit._array import TracedArray

Shape = tuple[int, ...]


class Region(NamedTuple):
    """The elements that an index selects.

    Attributes
    ----------
    starts, limits, steps
        For each dimension, as the operation ``slice`` takes them.
    shape
        What the index gives: that of the region with new axes.
    """

    starts: Shape
    limits: Shape
    steps: Shape
    shape: Shape

    @property
    def extents(self) -> Shape:
        """How many elements are selected along each dimension."""
        return tuple(
            len(range(start, limit, step))
            for start, limit, step in zip(
                self.starts, self.limits, self.steps, strict=True
            )
        )

    def is_whole(self, shape: Shape) -> bool:
        """Whether all elements of an array are selected."""
        return self.extents == shape

    def padding(self, shape: Shape) -> tuple[Shape, Shape, Shape]:
        """Zeros before, after and between the elements that give ``shape``."""
        ends = [
            start + (n - 1) * step + 1 if n else start
            for start, step, n in zip(
                self.starts, self.steps, self.extents, strict=True
            )
        ]
        high = tuple(map(operator.sub, shape, ends))
        return self.starts, high, tuple(step - 1 for step in self.steps)


def find_region(index: Any, shape: Shape) -> Region:
    """The region of an index, which raises what an NDArray of this shape raises."""
    # A view of one element knows shapes and errors.
    probe = full((1,) * len(shape), 0.0).broadcast_to(shape)
    result = probe[index].shape
    parts = [part for part in _as_tuple(index) if part is not None]
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        missing = len(shape) - len(parts) + 1
        parts[at : at + 1] = [slice(None)] * missing
    bounds = [_bounds(part, n) for part, n in zip(parts, shape, strict=True)]
    starts, limits, steps = zip(*bounds, strict=True) if bounds else ((), (), ())
    return Region(starts, limits, steps, result)


def _as_tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _bounds(part: Any, extent: int) -> tuple[int, int, int]:
    if isinstance(part, slice):
        start, stop, step = part.indices(extent)
        if start >= extent:
            return extent, extent, 1
        return start, max(start, stop), step
    at = operator.index(part)
    at += extent if at < 0 else 0
    return at, at + 1, 1


def infer_shape(wanted: Shape, shape: Shape) -> Shape:
    """A shape of as many elements; an extent of -1 follows from the others."""
    size = math.prod(shape)
    if wanted.count(-1) == 1:
        known = -math.prod(wanted)
        if known and size % known == 0:
            wanted = tuple(size // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != size or any(n < 0 for n in wanted):
        raise ValueError(f"cannot reshape {shape} to {wanted}")
    return wanted


def fit_source(source: TracedArray, extents: Shape, shape: Shape) -> TracedArray:
    """What is written, in the shape of the region.

    It broadcasts to that, or is equal to it but for extents of 1.
    """
    try:
        fits = np.broadcast_shapes(source.shape, extents) == extents
    except ValueError:
        fits = False
    if fits:
        return source.broadcast_to(extents)
    if [n for n in source.shape if n != 1] == [n for n in extents if n != 1]:
        return source.reshape(extents)
    raise ValueError(f"cannot write shape {source.shape} to shape {shape}")
