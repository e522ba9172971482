# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NumPy arrays as what Tensors hold (``NEEDLE_BACKEND=np``).

The functions of :mod:`needle.backend_ndarray` for NumPy arrays. Every name that is
not defined here is NumPy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from needle.backend_ndarray import NDArray as _NeedleArray
from needle.backend_ndarray import QuantParams
from needle.backend_ndarray import cpu as _cpu
from needle.backend_ndarray import cpu_numpy as cpu_numpy
from needle.backend_ndarray import cuda as cuda
from needle.backend_ndarray.device import Device as Device
from needle.backend_ndarray.functions import matmul as _matmul

NDArray = np.ndarray
Array = npt.NDArray[Any]


def cpu() -> Device:
    """The CPU, where NumPy arrays live."""
    return _cpu()


def default_device() -> Device:
    """The CPU."""
    return cpu()


def all_devices() -> list[Device]:
    """The devices that can be named; NumPy arrays live on the CPU."""
    return [cpu(), cuda(), cpu_numpy()]


def _check_device(device: Device | None) -> None:
    if device is not None and device not in (cpu(), cpu_numpy()):
        device.check_enabled()
        raise ValueError(
            f"NumPy arrays (NEEDLE_BACKEND=np) live on the CPU, not on {device}"
        )


def __getattr__(name: str) -> Any:
    return getattr(np, name)


class QuantizedArray(np.ndarray[Any, Any]):
    """A uint8 array that stands for real numbers.

    Views keep its parameters. The product of two is computed in integers; every
    other function of NumPy sees the float32 values that the integers stand for.
    """

    quant_params: QuantParams | None

    def __array_finalize__(self, other: Any) -> None:
        self.quant_params = getattr(other, "quant_params", None)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if any(isinstance(out, QuantizedArray) for out in kwargs.get("out", ())):
            raise TypeError(
                f"numpy.{ufunc.__name__} cannot write to a quantized array: assign its "
                "result to a new name, or dequantize first"
            )
        both = all(isinstance(operand, QuantizedArray) for operand in inputs)
        if ufunc is np.matmul and method == "__call__" and both:
            left, right = inputs
            return _matmul(_to_needle(left), _to_needle(right)).numpy()
        return getattr(ufunc, method)(*map(_real, inputs), **kwargs)

    def __array_function__(
        self, function: Any, types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function not in _OF_STORED:
            args = _real_in(args)
        return super().__array_function__(function, types, args, kwargs)

    def astype(self, dtype: npt.DTypeLike, *args: Any, **kwargs: Any) -> Any:
        """The real numbers in a floating type, or this array for uint8."""
        if np.dtype(dtype) == np.uint8:
            return self
        return dequantize(self).astype(dtype, *args, **kwargs)

    def __reduce__(self) -> Any:
        return _rebuild, (np.array(self.view(np.ndarray)), self.quant_params)


def _rebuild(stored: Array, params: QuantParams | None) -> QuantizedArray:
    result = stored.view(QuantizedArray)
    result.quant_params = params
    return result


#: Functions that see the stored integers: views, copies and what prints.
_OF_STORED = {
    np.array2string,
    np.array_repr,
    np.array_str,
    np.broadcast_to,
    np.copy,
    np.expand_dims,
    np.flip,
    np.moveaxis,
    np.ndim,
    np.reshape,
    np.shape,
    np.size,
    np.squeeze,
    np.swapaxes,
    np.transpose,
}


def _real_in(operand: Any) -> Any:
    """The operand with what is quantized in it dequantized, in sequences, too."""
    if isinstance(operand, (list, tuple)):
        return type(operand)(map(_real_in, operand))
    return _real(operand)


def _real(operand: Any) -> Any:
    return dequantize(operand) if isinstance(operand, QuantizedArray) else operand


def _to_needle(array: QuantizedArray) -> _NeedleArray:
    return _NeedleArray(
        np.ascontiguousarray(array.view(np.ndarray)),
        device=cpu_numpy(),
        dtype="uint8",
        quant_params=array.quant_params,
    )


def quantize_uint8(
    a: Array, scale: float | None = None, zero_point: int | None = None
) -> QuantizedArray:
    """The array, rounded to float32, in 8 bits (rules N1 and N2).

    Raises
    ------
    TypeError
        If it holds integers.
    """
    if a.dtype.kind != "f":
        raise TypeError(
            f"quantize_uint8() takes a floating array, this one is {a.dtype}"
        )
    quantized = _NeedleArray(a, device=cpu_numpy()).quantize_uint8(scale, zero_point)
    return _rebuild(quantized.numpy(), quantized.quant_params)


def dequantize(a: Array) -> Array:
    """The real numbers that the integers stand for (rule N3), as float32.

    Raises
    ------
    TypeError
        If the array is not quantized.
    """
    if not isinstance(a, QuantizedArray) or a.quant_params is None:
        raise TypeError(f"dequantize() takes a quantized array, this one is {a.dtype}")
    result: Array = _to_needle(a).dequantize().numpy()
    return result


def array(a: Any, dtype: npt.DTypeLike = None, device: Device | None = None) -> Array:
    """An array of a copy; without a type integers become float32."""
    _check_device(device)
    if isinstance(a, QuantizedArray):
        return a if dtype is None else np.array(a.astype(dtype))
    result = np.array(a, dtype=dtype)
    if dtype is None and result.dtype.kind in "biu":
        return result.astype(np.float32)
    if result.dtype.kind not in "biuf":
        raise TypeError(f"an array of {result.dtype} is not one of real numbers")
    return result


def to_device(a: Array, device: Device) -> Array:
    """The array itself: all are on the CPU."""
    _check_device(device)
    return a


def empty(
    shape: Any, dtype: npt.DTypeLike = "float32", device: Device | None = None
) -> Array:
    """An array that is not initialized."""
    _check_device(device)
    return np.empty(shape, dtype)


def full(
    shape: Any,
    fill_value: float,
    dtype: npt.DTypeLike = "float32",
    device: Device | None = None,
) -> Array:
    """An array with all elements equal."""
    _check_device(device)
    return np.full(shape, fill_value, dtype)


def permute(a: Array, axes: Sequence[int]) -> Array:
    """The axes in another order, a view."""
    return a.transpose(axes)


def reshape(a: Array, shape: Sequence[int]) -> Array:
    """The same elements in another shape."""
    return a.reshape(shape)


def broadcast_to(a: Array, shape: Sequence[int]) -> Array:
    """Repeated along dimensions of extent 1 and new ones in front, a view."""
    return np.broadcast_to(a, shape, subok=True)


def relu(a: Array) -> Array:
    """The larger one of a and 0."""
    return np.maximum(a, 0.0)


def sigmoid(a: Array) -> Array:
    """1 / (1 + exp(-a)), which does not overflow."""
    a = np.asarray(_real(a))
    e = np.exp(-np.abs(a))
    result: Array = np.where(a >= 0, 1.0, e).astype(a.dtype) / (1.0 + e)
    return result
