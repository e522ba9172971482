# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From NumPy's arrays, and what NumPy can convert, to arrays on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from needle.backend_ndarray._checks import check_float
from needle.backend_ndarray.device import Device, default_device
from needle.backend_ndarray.quantized import FLOAT32, UINT8, QuantParams

if TYPE_CHECKING:
    import numpy.typing as npt

    from needle.backend_ndarray._array import NDArray


def from_values(
    values: Any, device: Device | None, dtype: np.dtype[Any], params: QuantParams | None
) -> NDArray:
    """A compact array of what NumPy can convert."""
    array = to_numpy(values)
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
        if array.dtype is not FLOAT32:
            with np.errstate(all="ignore"):
                array = array.astype(FLOAT32)
    place = default_device() if device is None else device
    if not isinstance(place, Device):
        raise TypeError(f"device is a Device such as cpu(), got {device!r}")
    place.check_enabled()
    if not array.flags.c_contiguous:
        array = array.copy(order="C")
    made: NDArray = place.array_from_numpy(array, place, device is not None, params)
    return made


def to_numpy(values: Any) -> npt.NDArray[Any]:
    """What NumPy makes of a value; not copied where that is possible."""
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        return np.from_dlpack(values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"no array of numbers: {error}") from None
