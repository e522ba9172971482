# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CUDA backend: needle's own kernels as PTX, which the driver compiles.

The functions are those of the CPU backend, on memory of the device. Operations are
queued: an error of one of them is raised by a later call, at the latest when results
are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle._needle import CudaArray as Array
from needle._needle import (
    array_assign,
    array_binary,
    array_copy,
    array_dequantize,
    array_matmul,
    array_quantize,
    array_range,
    array_reduce,
    array_unary,
)
from needle.backend_ndarray import _raw_functions
from needle.backend_ndarray._raw_functions import TILE_SIZE

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Array",
    "array_assign",
    "array_binary",
    "array_copy",
    "array_dequantize",
    "array_from_numpy",
    "array_matmul",
    "array_new",
    "array_quantize",
    "array_range",
    "array_reduce",
    "array_unary",
    "to_numpy",
]

__device_name__ = "cuda"
__tile_size__ = TILE_SIZE


def isa() -> str:
    """The compute capability that the kernels in use are compiled for: ``sm_80``."""
    return _needle.array_target(True)


def name() -> str:
    """The device, as the driver calls it."""
    return _needle.cuda_device_name()


def launches() -> dict[str, int]:
    """How often each kernel was launched in this process."""
    return _needle.array_launches(True)


def memory() -> tuple[int, int]:
    """Bytes that arrays hold, and bytes that are kept for arrays to come."""
    return _needle.array_memory(True)


def synchronize() -> None:
    """Wait for everything that was queued."""
    _needle.cuda_synchronize()


def array_new(shape: Any, device: Any, committed: bool, params: Any) -> Any:
    """A new array, not initialized."""
    return _needle.array_new(shape, device, committed, params, True)


def array_from_numpy(values: Any, device: Any, committed: bool, params: Any) -> Any:
    """A new array with the elements of a NumPy array."""
    return _needle.array_from_numpy(values, device, committed, params, True)


def from_numpy(a: npt.NDArray[Any], out: Array) -> None:
    """Copy the elements of an array, in row-major order, to a handle."""
    target = _raw_functions.view(out)
    values = np.ascontiguousarray(a, np.float32).reshape(-1)
    array_assign(target, array_from_numpy(values, target.device, True, None))


globals().update(_raw_functions.functions())


def to_numpy(
    a: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> npt.NDArray[Any]:
    """A copy of a view of a handle."""
    result: npt.NDArray[Any] = _raw_functions.view(a, shape, strides, offset).numpy()
    return result
