# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which arrays Tensors hold: ``NEEDLE_BACKEND`` is ``nd`` (the default) or ``np``.

- ``nd``: :class:`needle.backend_ndarray.NDArray` on compiled kernels.
- ``np``: plain NumPy arrays, of any floating type, on the CPU.

Both modules have the same functions; the rest of the package sees them as
``array_api``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

BACKEND = os.environ.get("NEEDLE_BACKEND", "nd")

if TYPE_CHECKING:
    from needle.backend_ndarray import (
        Device,
        NDArray,
        all_devices,
        cpu,
        cpu_numpy,
        cuda,
        default_device,
    )

    # Either of the two.
    array_api: Any
elif BACKEND == "nd":
    from needle import backend_ndarray as array_api
    from needle.backend_ndarray import (
        Device,
        NDArray,
        all_devices,
        cpu,
        cpu_numpy,
        cuda,
        default_device,
    )
elif BACKEND == "np":
    from needle import backend_numpy as array_api
    from needle.backend_numpy import (
        Device,
        NDArray,
        all_devices,
        cpu,
        cpu_numpy,
        cuda,
        default_device,
    )
else:
    raise ValueError(
        f"the environment variable NEEDLE_BACKEND is {BACKEND!r}; it can be 'nd' "
        "(needle's own arrays, the default) or 'np' (NumPy arrays)"
    )


def committed_device(data: Any) -> Any:
    """The device that somebody chose for this array, None if nobody did."""
    return data.device if getattr(data, "committed", False) else None


def quantize_uint8(data: Any, scale: float | None, zero_point: int | None) -> Any:
    """An array in 8 bits, see :meth:`NDArray.quantize_uint8`."""
    if BACKEND == "np":
        return array_api.quantize_uint8(data, scale, zero_point)
    return data.quantize_uint8(scale, zero_point)


def dequantize(data: Any) -> Any:
    """The float32 values of a quantized array, see :meth:`NDArray.dequantize`."""
    return array_api.dequantize(data) if BACKEND == "np" else data.dequantize()


def is_quantized(data: Any) -> bool:
    """Whether the elements are integers that stand for real numbers."""
    return getattr(data, "quant_params", None) is not None


def to_device(data: Any, device: Device) -> Any:
    """The same values on a device, see :meth:`NDArray.to`."""
    return array_api.to_device(data, device) if BACKEND == "np" else data.to(device)


def real_numbers(data: Any) -> Any:
    """An array as it is, dequantized if it is quantized."""
    return dequantize(data) if is_quantized(data) else data


def float_type(data: Any) -> Any:
    """The type of the real numbers that an array holds or stands for."""
    return "float32" if is_quantized(data) else data.dtype


def is_traced(data: Any) -> bool:
    """Whether an array has no values but records operations for needle.jit."""
    return hasattr(data, "_trace")


def full_like(data: Any, value: float, shape: tuple[int, ...] | None = None) -> Any:
    """Equal real numbers in the place of an array, in its shape or another."""
    if is_traced(data):
        return data._full_like(value, shape)
    return array_api.full(
        data.shape if shape is None else shape,
        value,
        dtype=float_type(data),
        device=committed_device(data),
    )


__all__ = [
    "BACKEND",
    "Device",
    "NDArray",
    "all_devices",
    "array_api",
    "cpu",
    "cpu_numpy",
    "cuda",
    "default_device",
]
