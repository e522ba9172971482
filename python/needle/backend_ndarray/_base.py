# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shape, strides, offset and handle of an array, and its views."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np


def compact_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides."""
    strides = []
    stride = 1
    for extent in reversed(shape):
        strides.append(stride)
        stride *= extent
    return tuple(reversed(strides))


def check_shape(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of integers that are not negative."""
    dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    checked = tuple(operator.index(extent) for extent in dims)
    if any(extent < 0 for extent in checked):
        raise ValueError(f"an extent cannot be negative: {checked}")
    return checked


def check_axes(axes: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front, each one once."""
    given = (axes,) if isinstance(axes, (int, np.integer)) else tuple(axes)
    result = []
    for axis in map(operator.index, given):
        if not -rank <= axis < rank:
            raise ValueError(f"axis {axis} is out of range for {rank} dimensions")
        result.append(axis % rank)
    if len(set(result)) != len(result):
        raise ValueError(f"an axis is given twice: {given}")
    return tuple(result)


def reshape_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], new: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Strides that view the same elements in another shape, None if there are none."""
    if 0 in shape:
        return compact_strides(new)
    blocks: list[tuple[int, int]] = []
    for extent, stride in zip(shape, strides, strict=True):
        if extent == 1:
            continue
        if blocks and blocks[-1][1] == extent * stride:
            blocks[-1] = (blocks[-1][0] * extent, stride)
        else:
            blocks.append((extent, stride))
    left, step = 1, 1
    result = []
    for extent in reversed(new):
        if extent != 1:
            if left == 1:
                left, step = blocks.pop()
            if left % extent:
                return None
        result.append(step)
        step *= extent
        left //= extent
    return tuple(reversed(result))


class NDArrayBase:
    """What an array is made of; its views."""

    __slots__ = (
        "__weakref__",
        "_committed",
        "_device",
        "_dtype",
        "_handle",
        "_offset",
        "_quant_params",
        "_shape",
        "_strides",
    )

    _shape: tuple[int, ...]
    _strides: tuple[int, ...]
    _offset: int
    _handle: Any
    _device: Any
    _committed: bool
    _dtype: np.dtype[Any]
    _quant_params: Any

    def _fill(
        self,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        handle: Any,
        device: Any,
        committed: bool,
        dtype: Any,
        quant_params: Any,
    ) -> None:
        self._shape = shape
        self._strides = strides
        self._offset = offset
        self._handle = handle
        self._device = device
        self._committed = committed
        self._dtype = dtype
        self._quant_params = quant_params

    def _view(
        self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
    ) -> Any:
        """Other shape and strides over the same handle."""
        result = self.make(shape, strides, self._device, self._handle, offset)  # type: ignore[attr-defined]
        result._committed = self._committed
        result._quant_params = self._quant_params
        return result

    shape = property(lambda self: self._shape)
    strides = property(lambda self: self._strides)
    offset = property(lambda self: self._offset)
    ndim = property(lambda self: len(self._shape))
    size = property(lambda self: math.prod(self._shape))
    device = property(lambda self: self._device)
    dtype = property(lambda self: self._dtype)
    quant_params = property(lambda self: self._quant_params)

    def is_compact(self) -> bool:
        return (
            0 in self._shape
            or (self._offset == 0
            and math.prod(self._shape) == self._handle.size
            and all(
                n == 1 or s == c
                for n, s, c in zip(
                    self._shape,
                    self._strides,
                    compact_strides(self._shape),
                    strict=True,
                )
            ))
        )

    def as_strided(self, shape: Any, strides: Any) -> Any:
        shape, strides = check_shape(shape), tuple(map(operator.index, strides))
        return self._view(shape, strides, self._offset)

    def reshape(self, *new_shape: Any) -> Any:
        if len(new_shape) == 1 and not isinstance(new_shape[0], (int, np.integer)):
            (new_shape,) = new_shape
        shape = tuple(map(operator.index, new_shape))
        known = math.prod(n for n in shape if n != -1)
        fits = shape.count(-1) <= 1 and all(n >= -1 for n in shape)
        if -1 in shape and fits and known and self.size % known == 0:
            shape = tuple(self.size // known if n == -1 else n for n in shape)
        if not fits or math.prod(shape) != self.size or -1 in shape:
            raise ValueError(f"cannot reshape {self._shape} to {shape}")
        strides = reshape_strides(self._shape, self._strides, shape)
        if strides is None:
            return self.compact().reshape(shape)
        return self._view(shape, strides, self._offset)

    def permute(self, *new_axes: Any) -> Any:
        if len(new_axes) == 1 and not isinstance(new_axes[0], (int, np.integer)):
            (new_axes,) = new_axes
        axes = check_axes(new_axes, self.ndim)
        if len(axes) != self.ndim:
            raise ValueError(f"{self.ndim} axes are needed to permute, got {axes}")
        return self._view(
            tuple(self._shape[a] for a in axes),
            tuple(self._strides[a] for a in axes),
            self._offset,
        )

    def broadcast_to(self, new_shape: Any) -> Any:
        shape = check_shape(new_shape)
        lead = len(shape) - self.ndim
        fits = lead >= 0 and all(
            n in (1, m) for n, m in zip(self._shape, shape[max(lead, 0) :], strict=True)
        )
        if not fits:
            raise ValueError(f"cannot broadcast {self._shape} to {shape}")
        kept = (
            0 if n == 1 else s for n, s in zip(self._shape, self._strides, strict=True)
        )
        return self._view(shape, (0,) * lead + tuple(kept), self._offset)

    def process_slice(self, sl: slice, dim: int) -> slice:
        try:
            start, stop, step = sl.indices(self._shape[dim])
        except ValueError as error:
            raise ValueError(f"index {dim}: {error}") from None
        if step < 0:
            raise ValueError(
                f"index {dim}: a slice with the negative step {step}; use flip()"
            )
        return slice(start, max(start, stop), step)

    def __getitem__(self, idxs: Any) -> Any:
        given = idxs if isinstance(idxs, tuple) else (idxs,)
        count = sum(i is not None and i is not Ellipsis for i in given)
        dots = sum(i is Ellipsis for i in given)
        if dots > 1:
            raise IndexError("an index has at most one ellipsis")
        if count > self.ndim or (count < self.ndim and not dots):
            raise IndexError(
                f"{count} indices for {self.ndim} dimensions {self._shape}: give one "
                "for each, or an ellipsis for the others"
            )
        shape: list[int] = []
        strides: list[int] = []
        offset = self._offset
        dim = 0
        for index in given:
            if index is None:
                shape.append(1)
                strides.append(0)
                continue
            if index is Ellipsis:
                skipped = self.ndim - count
                shape += self._shape[dim : dim + skipped]
                strides += self._strides[dim : dim + skipped]
                dim += skipped
                continue
            if isinstance(index, slice):
                s = self.process_slice(index, dim)
            else:
                s = self._integer_slice(index, dim)
            shape.append(len(range(s.start, s.stop, s.step)))
            strides.append(self._strides[dim] * s.step)
            if shape[-1]:
                offset += self._strides[dim] * s.start
            dim += 1
        return self._view(tuple(shape), tuple(strides), offset)

    def _integer_slice(self, index: Any, dim: int) -> slice:
        if isinstance(index, (bool, np.bool_)) or not hasattr(index, "__index__"):
            raise TypeError(
                f"index {dim} is {type(index).__name__}: arrays are indexed by "
                "integers, slices, ... and None; boolean and integer arrays as "
                "indices are not supported"
            )
        number = operator.index(index)
        extent = self._shape[dim]
        if not -extent <= number < extent:
            raise IndexError(f"index {dim}: {number} is out of range for {extent}")
        number %= extent
        return slice(number, number + 1, 1)


def _binary(name: str) -> Any:
    return lambda self, other: self._binary(name, other, False)


def _reflected(name: str) -> Any:
    return lambda self, other: self._binary(name, other, True)


for _method, _name in {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "pow": "power",
}.items():
    setattr(NDArrayBase, f"__{_method}__", _binary(_name))
    setattr(NDArrayBase, f"__r{_method}__", _reflected(_name))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(NDArrayBase, f"__{_name}__", _binary(_name))
for _name in ("maximum", "minimum"):
    setattr(NDArrayBase, _name, _binary(_name))
for _name in ("exp", "log", "tanh", "sqrt", "relu", "sigmoid", "abs"):
    setattr(NDArrayBase, _name, lambda self, name=_name: self._unary(name))
NDArrayBase.__neg__ = lambda self: self._unary("negate")
NDArrayBase.__matmul__ = lambda self, other: self._matmul(other, False)
NDArrayBase.__rmatmul__ = lambda self, other: self._matmul(other, True)
for _name in ("sum", "max", "min"):
    setattr(
        NDArrayBase,
        _name,
        lambda self, axis=None, keepdims=False, name=_name: self._reduce(
            name, axis, keepdims
        ),
    )
