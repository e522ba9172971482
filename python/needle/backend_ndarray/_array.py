# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NDArray: arrays of float32, or of uint8 that stand for reals, on a device."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

import numpy as np

from needle import _needle
from needle._needle import NDArrayBase
from needle.backend_ndarray._checks import (
    as_dtype,
    as_shape,
    check_axes,
    check_float,
    check_matmul,
)
from needle.backend_ndarray._conversion import from_values
from needle.backend_ndarray.device import KDL_CPU, Device, default_device
from needle.backend_ndarray.quantized import FLOAT32, UINT8, QuantParams, choose_params

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self


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

    def __init__(
        self,
        other: Any,
        device: Device | None = None,
        dtype: npt.DTypeLike = None,
        quant_params: QuantParams | None = None,
    ) -> None:
        if isinstance(other, NDArray):
            made = other._copied(device, dtype)
        else:
            made = from_values(other, device, as_dtype(dtype), quant_params)
        super().__init__(made)

    # -- Making ------------------------------------------------------------

    @classmethod
    def make(
        cls,
        shape: Any,
        strides: Any = None,
        device: Device | None = None,
        handle: Any = None,
        offset: SupportsIndex = 0,
        *,
        quant_params: QuantParams | None = None,
    ) -> Self:
        """An array over memory that exists, or over new memory, not initialized.

        Results of operations on instances of a subclass are made by its ``make``.

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
        quant_params
            Given if, and only if, the handle holds uint8.

        Raises
        ------
        ValueError
            If an element lies outside of the handle.
        TypeError
            If the handle belongs to another kind of device, or holds integers
            without ``quant_params``.
        """
        chosen = default_device() if device is None else device
        if not isinstance(chosen, Device):
            raise TypeError(f"device is a Device such as cpu(), got {device!r}")
        chosen.check_enabled()
        extents = as_shape(shape)
        start = operator.index(offset)
        if handle is None:
            size = max(start, 0) + math.prod(extents)
            handle = chosen.Array(size, FLOAT32 if quant_params is None else UINT8)
        if not isinstance(handle, chosen.Array):
            raise TypeError(
                f"handle is an Array of {chosen!r}, got {type(handle).__name__}"
            )
        if (handle.dtype == UINT8) != (quant_params is not None):
            raise TypeError(
                f"a handle of {handle.dtype} with quant_params={quant_params}: "
                "they belong to uint8, and only to it"
            )
        made = _needle.array_make(
            extents, strides, chosen, handle, start, device is not None, quant_params
        )
        return cls._as_own(made)

    @classmethod
    def _as_own(cls, made: NDArrayBase) -> Self:
        """An array as instance of this class."""
        if type(made) is cls:
            return made
        self = cls.__new__(cls)
        NDArrayBase.__init__(self, made)
        return self

    def _like(self, made: NDArrayBase) -> Self:
        """A result as instance of the class of this array, by its ``make``."""
        if type(self) is not NDArray:
            made = _needle.array_cast_like(made, self)
        return cast("Self", made)

    def _copied(self, device: Device | None, dtype: npt.DTypeLike = None) -> Self:
        """A compact copy; on this device and committed only if a device is given."""
        if dtype is not None and as_dtype(dtype) != self.dtype:
            return self.astype(dtype)._copied(device)
        if device is None:
            return self._like(self.device.array_copy(self))
        if device != self.device:
            return self.to(device)
        return self._like(_needle.array_commit(self.device.array_copy(self)))

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
        return result

    @flat.setter
    def flat(self, value: Any) -> None:
        # A value of as many elements is read row by row, whatever its shape.
        given = NDArray(value) if isinstance(value, (list, tuple)) else value
        if getattr(given, "size", 1) == self.size and self.size > 1:
            given = given.reshape(self.shape)
        self[...] = given

    # -- Conversions -------------------------------------------------------

    def to(self, device: Device) -> Self:
        """The array on a device; itself if it is there already."""
        if not isinstance(device, Device):
            raise TypeError(f"device is a Device such as cpu(), got {device!r}")
        if device == self.device:
            return self if self.committed else self._like(_needle.array_commit(self))
        device.check_enabled()
        made = device.array_from_numpy(self.numpy(), device, True, self.quant_params)
        return self._like(made)

    def item(self) -> float:
        """The only element, as a Python number.

        Raises
        ------
        ValueError
            If there is not exactly one.
        """
        if self.size != 1:
            raise ValueError(f"an array of shape {self.shape} is not one number")
        return float(self._dequantized().numpy().reshape(())[()])

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
        wanted = as_dtype(dtype)
        if wanted == self.dtype:
            return self._copied(None)
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
        if self.quant_params is not None:
            raise TypeError(
                "quantize_uint8() takes a float32 array, this one is uint8 already"
            )
        low, high = 0.0, 0.0
        if scale is None or zero_point is None:
            low, high = self.device.array_range(self)
        params = choose_params(low, high, scale, zero_point)
        return self._like(self.device.array_quantize(self, params))

    def dequantize(self) -> Self:
        """The real numbers that the integers stand for (rule N3), as float32.

        Raises
        ------
        TypeError
            If this array is not quantized.
        """
        if self.quant_params is None:
            raise TypeError("dequantize() takes a quantized array, this one is float32")
        return self._like(self.device.array_dequantize(self))

    def _dequantized(self) -> NDArray:
        if self.quant_params is None:
            return self
        made: NDArray = self.device.array_dequantize(self)
        return made

    # -- Shapes ------------------------------------------------------------

    def as_strided(self, shape: Any, strides: Any) -> Self:
        """A view with these strides, in elements, from the same offset.

        Raises
        ------
        ValueError
            If an element lies outside of the handle.
        """
        made = _needle.array_make(
            shape,
            strides,
            self.device,
            self._handle,
            self.offset,
            self.committed,
            self.quant_params,
        )
        return self._like(made)

    @staticmethod
    def compact_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
        """Strides, in elements, of a compact array of this shape."""
        strides = [1] * len(shape)
        for axis in range(len(shape) - 1, 0, -1):
            strides[axis - 1] = strides[axis] * max(shape[axis], 1)
        return tuple(strides)

    def flatten(self) -> Self:
        """A copy in one dimension."""
        copy = self._like(self.device.array_copy(self))
        return copy.reshape((self.size,))

    def flip(self, axes: Any = None) -> Self:
        """A copy with the elements reversed along some axes, by default all."""
        flipped = check_axes(axes, self.ndim)
        strides = list(self.strides)
        offset = self.offset
        if self.size:
            for axis in flipped:
                offset += strides[axis] * (self.shape[axis] - 1)
                strides[axis] = -strides[axis]
        view = _needle.array_make(
            self.shape,
            strides,
            self.device,
            self._handle,
            offset,
            self.committed,
            self.quant_params,
        )
        return self._like(self.device.array_copy(view))

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
        try:
            pairs = [tuple(map(operator.index, pair)) for pair in axes]
        except TypeError:
            pairs = []
            right = False
        else:
            right = len(pairs) == self.ndim
        if not right or any(len(p) != 2 or min(p) < 0 for p in pairs):
            raise ValueError(
                f"pad takes {self.ndim} pairs of numbers that are not negative, "
                f"got {axes!r}"
            )
        shape = [
            before + n + after
            for n, (before, after) in zip(self.shape, pairs, strict=True)
        ]
        out = self.device.array_new(shape, self.device, self.committed, None)
        out.fill(0.0)
        inner = tuple(
            slice(before, before + n)
            for n, (before, _) in zip(self.shape, pairs, strict=True)
        )
        out[inner] = self._dequantized()
        return self._like(out)

    # -- Writing -----------------------------------------------------------

    def fill(self, value: float) -> None:
        """Set all elements, in place."""
        self[...] = float(value)

    def _write(self, view: NDArray, other: Any) -> None:
        """What ``self[index] = other`` does when it is not the plain case.

        A quantized array quantizes what is written by its own parameters.
        """
        value = _operand(other)
        if value is NotImplemented:
            value = NDArray(other)
        if not isinstance(value, NDArray):
            number = np.float32(value)
            value = self.device.array_from_numpy(number, self.device, True, None)
        value = self._place_value(value)
        params = self.quant_params
        if params is None:
            value = value._dequantized()
        elif value.quant_params != params:
            value = self.device.array_quantize(value._dequantized(), params)
        if view.size and any(
            s == 0 and n > 1 for n, s in zip(view.shape, view.strides, strict=True)
        ):
            raise ValueError(
                "cannot write: several elements of the array are the same memory (it "
                "is broadcast); write to a copy"
            )
        self.device.array_assign(view, value)

    def _place_value(self, value: NDArray) -> NDArray:
        if value.device == self.device:
            return value
        if value.committed:
            raise ValueError(
                f"cannot write an array on {value.device} to one on {self.device}: "
                "move it with .to(device)"
            )
        return value.to(self.device)

    # -- Operations --------------------------------------------------------

    # What the operators do when the operands are not plain: not float32 arrays on
    # one device with native memory, or Python numbers.

    def _unary(self, name: str) -> Any:
        return self._like(self.device.array_unary(name, self._dequantized()))

    def _binary(self, name: str, other: Any, reflected: bool) -> Any:
        operand = _operand(other)
        if operand is NotImplemented:
            return NotImplemented
        a = self._dequantized()
        b = operand
        if isinstance(b, NDArray):
            a, b = _place(a, b._dequantized())
        left, right = (b, a) if reflected else (a, b)
        return self._like(a.device.array_binary(name, left, right))

    def _reduce(self, name: str, axis: Any, keepdims: bool) -> Any:
        axes = check_axes(axis, self.ndim)
        if name != "sum" and any(self.shape[i] == 0 for i in axes):
            raise ValueError(
                f"{name}() of no elements: shape {self.shape}, axis {axis}"
            )
        real = self._dequantized()
        return self._like(self.device.array_reduce(name, real, axes, keepdims))

    def _matmul(self, other: Any, reflected: bool, bias: NDArray | None = None) -> Any:
        operand = _operand(other)
        if operand is NotImplemented:
            return NotImplemented
        if not isinstance(operand, NDArray):
            raise ValueError("@ takes two arrays; multiply by a number with *")
        a, b = _place(self, operand)
        if reflected:
            a, b = b, a
        if a.quant_params is None or b.quant_params is None:
            a, b = a._dequantized(), b._dequantized()
        lhs = a[None, :] if a.ndim == 1 else a
        rhs = b[:, None] if b.ndim == 1 else b
        check_matmul(a.shape, b.shape, lhs.shape, rhs.shape)
        out = a.device.array_matmul(lhs, rhs, bias)
        if a.ndim == 1 or b.ndim == 1:
            rows = () if a.ndim == 1 else out.shape[-2:-1]
            columns = () if b.ndim == 1 else out.shape[-1:]
            out = out.reshape(out.shape[:-2] + rows + columns)
        return self._like(out)

    # -- Python ------------------------------------------------------------

    def __iter__(self) -> Iterator[Self]:
        """Views along the first axis, without that axis."""
        for i in range(len(self)):
            yield self[i, ...].reshape(self.shape[1:])

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"whether an array of shape {self.shape} is true is ambiguous: "
                "compare its sum() or numpy().all()"
            )
        return self.item() != 0

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self.size != 1:
            raise TypeError(
                f"the format {spec!r} is one of numbers: an array of shape "
                f"{self.shape} has {self.size}; format the elements of numpy()"
            )
        return format(self.item(), spec)

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return f"NDArray({self}, device={self.device})"

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
        device = self.device if self.committed else None
        arguments = (self.numpy(), device, self.dtype.name, self.quant_params)
        return (type(self), arguments)

    def __copy__(self) -> Self:
        return self._like(self.device.array_copy(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._like(self.device.array_copy(self))

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device.dlpack_device()

    def __dlpack__(self, **kwargs: Any) -> Any:
        """The memory itself, not copied; the stored integers of a quantized array.

        Raises
        ------
        BufferError
            If the memory is that of a simulated device, which nobody else can read.
        """
        if self.device.dlpack_device()[0] != KDL_CPU:
            return _needle.array_dlpack(self).__dlpack__(**kwargs)
        stored = self.device.to_numpy(
            self._handle, self.shape, self.strides, self.offset
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


def _operand(other: Any) -> Any:
    """An NDArray, a Python float, or NotImplemented."""
    if isinstance(other, NDArray):
        return other
    if isinstance(other, (bool, int, float, np.bool_, np.integer, np.floating)):
        return float(other)
    if isinstance(other, np.ndarray):
        return from_values(other, None, FLOAT32, None) if other.ndim else float(other)
    return NotImplemented


def _place(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """Two operands on one device."""
    if a.device == b.device:
        return a, b
    if a.committed and b.committed:
        raise ValueError(
            f"the operands are on two devices, {a.device} and {b.device}: move one "
            "with .to(device)"
        )
    if a.committed:
        return a, b.to(a.device)
    return a.to(b.device), b


def place_all(arrays: list[NDArray]) -> list[NDArray]:
    """Operands on one device."""
    target = next((a for a in arrays if a.committed), arrays[0])
    return [_place(target, a)[1] for a in arrays]


_needle.set_array_class(NDArray, QuantParams)
