# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU backend: needle's own kernels, compiled when needle is built.

Most functions take raw handles of compact arrays, as the backends of the
deep-learning-systems course do. Those called ``array_*`` take arrays with any
strides; `NDArray` uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle._needle import (
    Array,
    array_assign,
    array_binary,
    array_copy,
    array_dequantize,
    array_from_numpy,
    array_matmul,
    array_new,
    array_quantize,
    array_range,
    array_reduce,
    array_unary,
)
from needle._needle import array_to_numpy as to_numpy
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

__device_name__ = "cpu"
__tile_size__ = TILE_SIZE


def isa() -> str:
    """The instruction set that the kernels in use are compiled for."""
    return _needle.array_target()


def launches() -> dict[str, int]:
    """How often each kernel was launched in this process."""
    return _needle.array_launches()


def memory() -> tuple[int, int]:
    """Bytes that arrays hold, and bytes that are kept for arrays to come."""
    return _needle.array_memory()


def from_numpy(a: npt.NDArray[Any], out: Array) -> None:
    """Copy the elements of an array, in row-major order, to a handle."""
    to_numpy(out, (out.size,), (1,), 0)[:] = np.asarray(a).reshape(-1)


globals().update(_raw_functions.functions())
