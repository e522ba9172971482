# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays, their functions and their devices, under the course's module name."""

from needle.backend_ndarray import functions
from needle.backend_ndarray._array import NDArray
from needle.backend_ndarray.device import (
    BackendDevice,
    Device,
    all_devices,
    cpu,
    cpu_numpy,
    cuda,
    default_device,
)
from needle.backend_ndarray.functions import *  # noqa: F403
from needle.backend_ndarray.quantized import QuantParams

__all__ = [
    "BackendDevice",
    "Device",
    "NDArray",
    "QuantParams",
    "all_devices",
    "cpu",
    "cpu_numpy",
    "cuda",
    "default_device",
    *functions.__all__,
]
