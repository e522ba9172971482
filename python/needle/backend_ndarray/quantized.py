# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the integers of a quantized array stand for real numbers."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle

if TYPE_CHECKING:
    import numpy.typing as npt

FLOAT32 = np.dtype(np.float32)
UINT8 = np.dtype(np.uint8)


class QuantParams:
    """The integer q stands for the real number ``(q - zero_point) * scale``.

    Immutable; two are equal if all their values are.

    Parameters
    ----------
    scale
        Positive and finite; rounded to float32.
    zero_point
        The integer, 0 … 255, that stands for 0.
    original_dtype
        What :meth:`NDArray.dequantize` gives back.
    """

    # Not a dataclass: importing that module takes longer than all of this package.
    __slots__ = ("_values",)

    def __init__(
        self, scale: float, zero_point: int, original_dtype: npt.DTypeLike = FLOAT32
    ) -> None:
        self._values = (
            check_scale(scale),
            check_zero_point(zero_point),
            np.dtype(original_dtype),
        )

    @classmethod
    def _of(cls, scale: float, zero_point: int) -> QuantParams:
        """Parameters that are known to be valid."""
        self = cls.__new__(cls)
        self._values = (scale, zero_point, FLOAT32)
        return self

    @property
    def scale(self) -> float:
        """The real number that one step stands for."""
        return self._values[0]

    @property
    def zero_point(self) -> int:
        """The integer that stands for 0."""
        return self._values[1]

    @property
    def original_dtype(self) -> np.dtype[Any]:
        """What dequantizing gives back."""
        return self._values[2]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuantParams) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return (QuantParams, self._values)

    def __repr__(self) -> str:
        scale, zero_point, dtype = self._values
        return (
            f"QuantParams(scale={scale!r}, zero_point={zero_point}, "
            f"original_dtype={dtype.name!r})"
        )


def check_scale(scale: Any) -> float:
    """A scale, rounded to float32."""
    try:
        with np.errstate(all="ignore"):
            rounded = float(np.float32(float(scale)))
    except (TypeError, ValueError):
        raise TypeError(
            f"scale is a number, got {scale!r} ({type(scale).__name__})"
        ) from None
    if not 0 < rounded < math.inf:
        raise ValueError(f"scale is a positive, finite float32, got {scale!r}")
    return rounded


def check_zero_point(zero_point: Any) -> int:
    """A zero point of uint8."""
    try:
        number = operator.index(zero_point)
    except TypeError:
        raise TypeError(
            f"zero_point is an integer, got {zero_point!r} "
            f"({type(zero_point).__name__})"
        ) from None
    if not 0 <= number <= 255:
        raise ValueError(f"zero_point is 0 … 255 for uint8, got {number}")
    return number


def choose_params(
    low: float, high: float, scale: Any = None, zero_point: Any = None
) -> QuantParams:
    """Parameters for numbers from ``low`` to ``high``, by rule N2 where not given.

    With a scale alone the zero point follows from it as in N2; with a zero point
    alone the scale is the least that covers the range.
    """
    if scale is None and zero_point is None:
        return QuantParams._of(*_needle.choose_quantization_params(low, high, "uint8"))
    low = max(min(low, 0.0), -float(np.finfo(np.float32).max))
    high = min(max(high, 0.0), float(np.finfo(np.float32).max))
    if zero_point is None:
        scale = check_scale(scale)
        # Python rounds ties to even.
        return QuantParams(scale, min(max(round(-low / scale), 0), 255))
    zero_point = check_zero_point(zero_point)
    if scale is None:
        below = -low / zero_point if zero_point else 0.0
        above = high / (255 - zero_point) if zero_point < 255 else 0.0
        least = max(below, above)
        scale = max(least, float(np.finfo(np.float32).tiny)) if least else 1.0
    return QuantParams(scale, zero_point)


# ---------------------------------------------------------------------------
# The rules on NumPy arrays
# ---------------------------------------------------------------------------


def choose_params_for(
    values: npt.NDArray[Any], scale: Any = None, zero_point: Any = None
) -> QuantParams:
    """:func:`choose_params` for the range of some values; NaN is ignored."""
    return choose_params(*value_range(values), scale, zero_point)


def value_range(values: npt.NDArray[Any]) -> tuple[float, float]:
    """The least and the largest value, widened to contain 0; NaN is ignored."""
    return (
        float(np.fmin.reduce(values, axis=None, initial=0.0)),
        float(np.fmax.reduce(values, axis=None, initial=0.0)),
    )


def quantize(values: npt.NDArray[Any], params: QuantParams) -> npt.NDArray[np.uint8]:
    """Rule N1, in float32: divided, rounded to even, clamped; NaN is the zero point."""
    low, high = np.float32(-params.zero_point), np.float32(255 - params.zero_point)
    with np.errstate(all="ignore"):
        scaled = np.rint(np.asarray(values, np.float32) / np.float32(params.scale))
        clamped = np.clip(scaled, low, high)
    clamped = np.where(np.isnan(clamped), np.float32(0), clamped)
    return (clamped.astype(np.int32) + params.zero_point).astype(np.uint8)


def dequantize(
    stored: npt.NDArray[np.uint8], params: QuantParams
) -> npt.NDArray[np.float32]:
    """Rule N3: the difference in integers, one product in float32."""
    centered = stored.astype(np.int32) - params.zero_point
    with np.errstate(all="ignore"):
        return centered.astype(np.float32) * np.float32(params.scale)


def matmul(
    a: npt.NDArray[np.uint8],
    params_a: QuantParams,
    b: npt.NDArray[np.uint8],
    params_b: QuantParams,
    bias: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Rules N4 and N5: exact sums, rounded to float32 once, one product, the bias."""
    # Sums of products of 9-bit integers are exact in float64 to 2**53, which is a
    # depth of 10**11.
    lhs = a.astype(np.float64) - params_a.zero_point
    rhs = b.astype(np.float64) - params_b.zero_point
    with np.errstate(all="ignore"):
        scale = np.float32(params_a.scale) * np.float32(params_b.scale)
        product: npt.NDArray[np.float32] = (lhs @ rhs).astype(np.float32) * scale
        return product if bias is None else product + bias
