# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NDArray: arrays of float32, or of uint8 that stand for reals, on a device."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from needle.backend_ndarray._base import (
    NDArrayBase,
    check_axes,
    check_shape,
    compact_strides,
)
from needle.backend_ndarray.device import Device, default_device
from needle.backend_ndarray.quantized import FLOAT32, UINT8, QuantParams, choose_params

if TYPE_CHECKING:
    from typing_extensions import Self


def check_float(dtype: npt.DTypeLike) -> None:
    """Raise TypeError for anything but float32."""
    if _dtype(dtype) != FLOAT32:
        raise TypeError(
            f"arrays are float32, or uint8 by quantize_uint8(); not {_dtype(dtype)}"
        )


def _dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    if dtype is None:
        return FLOAT32
    try:
        return np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{dtype!r} is no dtype") from None


class NDArray(NDArrayBase):
    """An array of float32 on a device, or of uint8 that stand for reals.

    Shape, strides and offset count elements. Indexing by slices, :meth:`reshape`,
    :meth:`permute` and :meth:`broadcast_to` are views of the same ``_handle``.
    Operators broadcast as in NumPy; comparisons give 0 and 1. Operands that are
    quantized are dequantized, except in ``@`` of two quantized arrays.

    An array made without a device is placed on :func:`default_device` and follows
    the other operand of an operation to its device; two arrays that were placed
    on different devices cannot be combined.

    Parameters
    ----------
    other
        An NDArray, a NumPy array, anything that exports a buffer, ``__array__``
        or DLPack, a number, nested sequences of numbers. It is copied.
    device
        Where to place the array.
    dtype
        ``"float32"``; every other type of number is converted. ``"uint8"`` with
        ``quant_params`` takes stored integers as they are.
    quant_params
        Only for ``dtype="uint8"``.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        other: Any,
        device: Device | None = None,
        dtype: npt.DTypeLike = None,
        quant_params: QuantParams | None = None,
    ) -> None:
        if isinstance(other, NDArray):
            made = other._copy(device, dtype)
        else:
            made = _from_values(other, device, _dtype(dtype), quant_params)
        self._fill(
            made._shape,
            made._strides,
            made._offset,
            made._handle,
            made._device,
            made._committed,
            made._dtype,
            made._quant_params,
        )

    # -- Making ------------------------------------------------------------

    @classmethod
    def make(
        cls,
        shape: Any,
        strides: Any = None,
        device: Device | None = None,
        handle: Any = None,
        offset: SupportsIndex = 0,
    ) -> Self:
        """An array over memory that exists, or over new memory, not initialized.

        Parameters
        ----------
        shape
            Extents.
        strides
            In elements, by default those of a compact array.
        device
            Whose memory ``handle`` is, by default :func:`default_device`.
        handle
            As ``_handle`` of an array or ``device.Array(size)``; None for new
            memory.
        offset
            Of the first element, in elements.

        Raises
        ------
        ValueError
            If an element lies outside of the handle.
        TypeError
            If the handle belongs to another kind of device.
        """
        chosen = default_device() if device is None else device
        if not isinstance(chosen, Device):
            raise TypeError(f"device is a Device such as cpu(), got {device!r}")
        chosen.check_enabled()
        dims = check_shape(shape)
        if strides is None:
            steps = compact_strides(dims)
        else:
            steps = tuple(map(operator.index, strides))
        start = operator.index(offset)
        if len(steps) != len(dims):
            raise ValueError(f"{len(steps)} strides for {len(dims)} dimensions")
        if handle is None:
            handle = chosen.Array(start + math.prod(dims))
        if not isinstance(handle, chosen.Array):
            raise TypeError(
                f"handle is an Array of {chosen!r}, got {type(handle).__name__}"
            )
        _check_bounds(dims, steps, start, handle.size)
        self = cls.__new__(cls)
        committed = device is not None
        self._fill(dims, steps, start, handle, chosen, committed, handle.dtype, None)
        return self

    @classmethod
    def _new(
        cls,
        shape: tuple[int, ...],
        device: Device,
        committed: bool,
        quant_params: QuantParams | None = None,
    ) -> Self:
        """A compact array, not initialized."""
        dtype = FLOAT32 if quant_params is None else UINT8
        handle = device.Array(math.prod(shape), dtype)
        self = cls.make(shape, None, device, handle)
        self._committed = committed
        self._quant_params = quant_params
        return self

    def _copy(self, device: Device | None, dtype: npt.DTypeLike = None) -> Self:
        """A compact copy; on this device and committed only if a device is given."""
        wanted = self._dtype if dtype is None else _dtype(dtype)
        if wanted != self._dtype:
            return self.astype(wanted)._copy(device)
        if device is not None and device != self._device:
            return self.to(device)
        out = self._new(self._shape, self._device, self._committed, self._quant_params)
        self._device.assign(out, self)
        out._committed |= device is not None
        return out

    # -- Properties --------------------------------------------------------

    @property
    def flat(self) -> Self:
        """The elements in row-major order, as a view: writing to it writes here.

        Raises
        ------
        ValueError
            If no strides view them so; ``compact().flat`` is a copy.
        """
        result = self.reshape((self.size,))
        if result._handle is not self._handle:
            raise ValueError(
                f"strides {self.strides} of shape {self.shape} have no flat view; "
                "compact().flat is a copy"
            )
        return result  # type: ignore[no-any-return]

    @flat.setter
    def flat(self, value: Any) -> None:
        self[...] = value

    T = property(lambda self: self.transpose(), doc="All axes reversed.")

    # -- Conversions -------------------------------------------------------

    def to(self, device: Device) -> Self:
        """This array on a device; itself if it is there already."""
        if not isinstance(device, Device):
            raise TypeError(f"device is a Device such as cpu(), got {device!r}")
        if device == self._device:
            if self._committed:
                return self
            same = self._view(self._shape, self._strides, self._offset)
            same._committed = True
            return same  # type: ignore[no-any-return]
        device.check_enabled()
        out = self._new(self._shape, device, True, self._quant_params)
        device.from_numpy(self.numpy(), out._handle)
        return out

    def numpy(self) -> npt.NDArray[Any]:
        """A copy as a NumPy array: float32, or the stored integers."""
        stored: npt.NDArray[Any] = self._device.to_numpy(
            self._handle, self._shape, self._strides, self._offset
        )
        return stored.copy()

    def item(self) -> float:
        """The only element, as a Python number.

        Raises
        ------
        ValueError
            If there is not exactly one.
        """
        if self.size != 1:
            raise ValueError(f"an array of shape {self._shape} is not one number")
        return float(self._dequantized().numpy().reshape(()))

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self.numpy().tolist()

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """A copy in another type.

        Raises
        ------
        TypeError
            For uint8 of a float array: see :meth:`quantize_uint8`; for every other
            type but float32.
        """
        wanted = _dtype(dtype)
        if wanted == self._dtype:
            return self._copy(None)
        if wanted == UINT8:
            raise TypeError(
                'astype("uint8") would round the values away: use quantize_uint8(), '
                "which chooses a scale and a zero point"
            )
        check_float(wanted)
        return self.dequantize()

    # -- Quantization ------------------------------------------------------

    def quantize_uint8(
        self, scale: float | None = None, zero_point: int | None = None
    ) -> Self:
        """Quantize to uint8 with one scale for the whole array.

        Parameters
        ----------
        scale, zero_point
            By default chosen so that the range of the values and 0 are covered
            (rule N2). With a scale alone the zero point follows; with a zero point
            alone the least scale that covers the range.

        Returns
        -------
        An array of uint8 with :attr:`quant_params`. Values are divided by the
        scale and rounded to the nearest integer, ties to even; NaN becomes the
        zero point (rule N1).

        Raises
        ------
        TypeError
            If this array is quantized already.
        """
        if self._quant_params is not None:
            raise TypeError(
                "quantize_uint8() takes a float32 array, this one is uint8 already"
            )
        low, high = 0.0, 0.0
        if scale is None or zero_point is None:
            low, high = self._device.value_range(self)
        params = choose_params(low, high, scale, zero_point)
        out = self._new(self._shape, self._device, self._committed, params)
        self._device.quantize(self, out)
        return out

    def dequantize(self) -> Self:
        """The real numbers that the integers stand for (rule N3), as float32.

        Raises
        ------
        TypeError
            If this array is not quantized.
        """
        if self._quant_params is None:
            raise TypeError("dequantize() takes a quantized array, this one is float32")
        out = self._new(self._shape, self._device, self._committed)
        self._device.dequantize(self, out)
        return out

    def _dequantized(self) -> Self:
        return self if self._quant_params is None else self.dequantize()

    # -- Shapes ------------------------------------------------------------

    def compact(self) -> Self:
        """This array if it fills its handle in row-major order, or a copy that does."""
        return self if self.is_compact() else self._copy(None)

    def transpose(self, *axes: Any) -> Self:
        """Permuted axes, by default reversed."""
        if not axes or axes == (None,):
            axes = tuple(reversed(range(self.ndim)))
        return self.permute(*axes)  # type: ignore[no-any-return]

    def flatten(self) -> Self:
        """A copy in one dimension."""
        return self._copy(None).reshape((self.size,))  # type: ignore[no-any-return]

    def flip(self, axes: Any = None) -> Self:
        """A copy with the elements reversed along some axes, by default all."""
        chosen = range(self.ndim) if axes is None else axes
        flipped = check_axes(tuple(chosen) if axes is None else axes, self.ndim)
        strides = list(self._strides)
        offset = self._offset
        if self.size:
            for axis in flipped:
                offset += strides[axis] * (self._shape[axis] - 1)
                strides[axis] = -strides[axis]
        return self._view(self._shape, tuple(strides), offset)._copy(None)  # type: ignore[no-any-return]

    def pad(self, axes: Any) -> Self:
        """Zeros around this array.

        Parameters
        ----------
        axes
            For each axis how many zeros come before and after, as in
            ``((0, 0), (1, 1))``.

        Raises
        ------
        ValueError
            If there is not one pair of numbers, not negative, for each axis.
        """
        pairs = [tuple(map(operator.index, pair)) for pair in axes]
        if len(pairs) != self.ndim or any(len(p) != 2 or min(p) < 0 for p in pairs):
            raise ValueError(
                f"pad takes {self.ndim} pairs of numbers that are not negative, "
                f"got {axes!r}"
            )
        real = self._dequantized()
        shape = tuple(
            before + n + after
            for n, (before, after) in zip(self._shape, pairs, strict=True)
        )
        out = real._new(shape, self._device, self._committed)
        out.fill(0.0)
        inner = tuple(
            slice(before, before + n)
            for n, (before, _) in zip(self._shape, pairs, strict=True)
        )
        out[inner] = real
        return out

    # -- Writing -----------------------------------------------------------

    def fill(self, value: float) -> None:
        """Set all elements, in place."""
        self[...] = float(value)

    def __setitem__(self, idxs: Any, other: Any) -> None:
        """Write to a view, in place.

        ``other`` is a number or an array that broadcasts to the view, or has its
        shape but for extents of 1. A quantized array quantizes what is written
        by its own parameters.
        """
        view = (
            NDArray.__getitem__(self, idxs) if type(self) is not NDArray else self[idxs]
        )
        if any(
            s == 0 and n > 1 for n, s in zip(view._shape, view._strides, strict=True)
        ):
            raise ValueError(
                "cannot write to a broadcast array: its elements share memory; "
                "write to compact()"
            )
        value = _operand(other)
        if value is NotImplemented:
            value = NDArray(other)
        if isinstance(value, NDArray):
            value = self._place_value(value)
            value = _fit(value, view._shape)
        if self._quant_params is not None and (
            not isinstance(value, NDArray) or value._quant_params != self._quant_params
        ):
            value = self._quantize_value(value)
        elif self._quant_params is None and isinstance(value, NDArray):
            value = value._dequantized()
        self._device.assign(view, value)

    def _place_value(self, value: NDArray) -> NDArray:
        if value._device == self._device:
            return value
        if value._committed:
            raise ValueError(
                f"cannot write an array on {value._device} to one on {self._device}: "
                "move it with .to(device)"
            )
        return value.to(self._device)

    def _quantize_value(self, value: NDArray | float) -> NDArray:
        params = self._quant_params
        if not isinstance(value, NDArray):
            number = value
            value = self._new((), self._device, self._committed)
            self._device.assign(value, number)
        return value._dequantized().quantize_uint8(params.scale, params.zero_point)

    # -- Operations --------------------------------------------------------

    def _unary(self, name: str) -> Self:
        a = self._dequantized()
        out = a._new(a._shape, a._device, a._committed)
        a._device.elementwise(name, (a,), out)
        return out

    def _binary(self, name: str, other: Any, reflected: bool) -> Any:
        operand = _operand(other)
        if operand is NotImplemented:
            return NotImplemented
        a = self._dequantized()
        if not isinstance(operand, NDArray):
            pair = (operand, a) if reflected else (a, operand)
            out = a._new(a._shape, a._device, a._committed)
            a._device.elementwise(name, pair, out)
            return out
        a, b = _place(a, operand._dequantized())
        try:
            shape = np.broadcast_shapes(a._shape, b._shape)
        except ValueError:
            raise ValueError(
                f"{name}: shapes {a._shape} and {b._shape} do not broadcast"
            ) from None
        out = a._new(shape, a._device, a._committed or b._committed)
        a._device.elementwise(name, (b, a) if reflected else (a, b), out)
        return out

    def _reduce(self, name: str, axis: Any, keepdims: bool) -> Self:
        a = self._dequantized()
        axes = tuple(range(a.ndim)) if axis is None else check_axes(axis, a.ndim)
        if name != "sum" and any(a._shape[i] == 0 for i in axes):
            raise ValueError(f"{name}() of no elements: shape {a._shape}, axis {axis}")
        kept = tuple(1 if i in axes else n for i, n in enumerate(a._shape))
        out = a._new(kept, a._device, a._committed)
        a._device.reduce(name, a, axes, out)
        if keepdims:
            return out
        return out.reshape(  # type: ignore[no-any-return]
            tuple(n for i, n in enumerate(kept) if i not in axes)
        )

    def _matmul(self, other: Any, reflected: bool) -> Any:
        operand = _operand(other)
        if not isinstance(operand, NDArray):
            if operand is NotImplemented:
                return NotImplemented
            raise ValueError("@ takes two arrays; multiply by a number with *")
        a, b = _place(self, operand)
        if reflected:
            a, b = b, a
        if a._quant_params is None or b._quant_params is None:
            a, b = a._dequantized(), b._dequantized()
        if a.ndim == 0 or b.ndim == 0:
            raise ValueError(f"@ of shapes {a._shape} and {b._shape}: no dimensions")
        lhs = a[None, :] if a.ndim == 1 else a
        rhs = b[:, None] if b.ndim == 1 else b
        if lhs._shape[-1] != rhs._shape[-2]:
            raise ValueError(
                f"@ of shapes {a._shape} and {b._shape}: {lhs._shape[-1]} columns of "
                f"the left do not fit {rhs._shape[-2]} rows of the right"
            )
        try:
            batch = np.broadcast_shapes(lhs._shape[:-2], rhs._shape[:-2])
        except ValueError:
            raise ValueError(
                f"@ of shapes {a._shape} and {b._shape}: the leading dimensions do "
                "not broadcast"
            ) from None
        rows = (lhs._shape[-2],)
        columns = (rhs._shape[-1],)
        committed = a._committed or b._committed
        out = self._new(batch + rows + columns, a._device, committed)
        a._device.contract(lhs, rhs, out)
        if a.ndim == 1 or b.ndim == 1:
            kept = (() if a.ndim == 1 else rows) + (() if b.ndim == 1 else columns)
            out = out.reshape(batch + kept)
        return out

    # -- Python ------------------------------------------------------------

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError("len() of an array without dimensions")
        return self._shape[0]

    def __iter__(self) -> Iterator[Self]:
        """Views along the first axis, without that axis."""
        for i in range(len(self)):
            yield self._view(
                self._shape[1:], self._strides[1:], self._offset + i * self._strides[0]
            )

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"whether an array of shape {self._shape} is true is ambiguous: "
                "compare its sum() or numpy().all()"
            )
        return self.item() != 0

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return f"NDArray({self}, device={self._device})"

    def __str__(self) -> str:
        return str(self.numpy())

    def __array__(
        self, dtype: npt.DTypeLike = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """The real numbers, for NumPy."""
        if copy is False:
            raise ValueError("an NDArray is always copied to NumPy")
        return self._dequantized().numpy().astype(dtype or FLOAT32, copy=False)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """NumPy's operators with an NDArray on the right give NDArrays."""
        name = _UFUNCS.get(ufunc.__name__)
        if method == "__call__" and not kwargs and name and len(inputs) == 2:
            if name == "matmul":
                return self._matmul(inputs[0], True)
            return self._binary(name, inputs[0], True)
        arrays = [np.asarray(i) if isinstance(i, NDArray) else i for i in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        device = self._device if self._committed else None
        arguments = (self.numpy(), device, self._dtype.name, self._quant_params)
        return (type(self), arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._copy(None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # kDLCPU

    def __dlpack__(self, **kwargs: Any) -> Any:
        """The memory itself, not copied; the stored integers of a quantized array."""
        stored: npt.NDArray[Any] = self._device.to_numpy(
            self._handle, self._shape, self._strides, self._offset
        )
        return stored.__dlpack__(**kwargs)


_UFUNCS = {
    "add": "add",
    "divide": "div",
    "equal": "eq",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "matmul": "matmul",
    "maximum": "maximum",
    "minimum": "minimum",
    "multiply": "mul",
    "not_equal": "ne",
    "power": "power",
    "subtract": "sub",
}


def _check_bounds(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int, size: int
) -> None:
    """Raise ValueError if an element lies outside of a handle."""
    if 0 in shape:
        return
    reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    least = offset + sum(r for r in reach if r < 0)
    most = offset + sum(r for r in reach if r > 0)
    if least < 0 or most >= size:
        raise ValueError(
            f"shape {shape} with strides {strides} and offset {offset} reaches from "
            f"element {least} to {most}, the handle has {size}"
        )


def _operand(other: Any) -> Any:
    """An NDArray, a Python float, or NotImplemented."""
    if isinstance(other, NDArray):
        return other
    if isinstance(other, (bool, int, float, np.bool_, np.integer, np.floating)):
        return float(other)
    if isinstance(other, np.ndarray):
        return NDArray(other) if other.ndim else float(other)
    return NotImplemented


def _place(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """Two operands on one device."""
    if a._device == b._device:
        return a, b
    if a._committed and b._committed:
        raise ValueError(
            f"the operands are on two devices, {a._device} and {b._device}: move one "
            "with .to(device)"
        )
    if a._committed:
        return a, b.to(a._device)
    return a.to(b._device), b


def place_all(arrays: list[NDArray]) -> list[NDArray]:
    """Operands on one device."""
    target = next((a for a in arrays if a._committed), arrays[0])
    return [_place(target, a)[1] for a in arrays]


def _fit(value: NDArray, shape: tuple[int, ...]) -> NDArray:
    """A value that broadcasts to a shape; extents of 1 may be anywhere."""
    if value._shape == shape:
        return value
    if [n for n in value._shape if n != 1] == [n for n in shape if n != 1]:
        return value.reshape(shape)  # type: ignore[no-any-return]
    return value.broadcast_to(shape)  # type: ignore[no-any-return]


def _from_values(
    values: Any, device: Device | None, dtype: np.dtype[Any], params: QuantParams | None
) -> NDArray:
    """A compact array of what NumPy can convert."""
    array = _to_numpy(values)
    if dtype == UINT8:
        if params is None:
            raise TypeError(
                'dtype="uint8" takes quant_params: QuantParams(scale, zero_point); '
                "quantize_uint8() of a float32 array chooses them"
            )
        if array.dtype != UINT8:
            raise TypeError(f"stored integers are uint8, got {array.dtype}")
    else:
        check_float(dtype)
        if params is not None:
            raise TypeError('quant_params are for dtype="uint8"')
        if array.dtype.kind not in "biuf":
            raise TypeError(f"an array of {array.dtype} is not one of real numbers")
        with np.errstate(all="ignore"):
            array = array.astype(FLOAT32, copy=False)
    place = default_device() if device is None else device
    if not isinstance(place, Device):
        raise TypeError(f"device is a Device such as cpu(), got {device!r}")
    place.check_enabled()
    out = NDArray._new(array.shape, place, device is not None, params)
    place.from_numpy(array, out._handle)
    return out


def _to_numpy(values: Any) -> npt.NDArray[Any]:
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        return np.from_dlpack(values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"no array of numbers: {error}") from None
