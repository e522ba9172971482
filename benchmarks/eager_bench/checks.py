# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What results must be before anybody's time counts.

A check gets the operands as NumPy arrays and our result as one; it returns what is
wrong, or None. Expressions are evaluated by NumPy: in float32 where equality is
asked for, in float64 where a bound is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from needle.backend_ndarray import quantized

Arrays = dict[str, npt.NDArray[Any]]
HALF_ULP = 2.0**-24


class Check(Protocol):
    """A claim about a result."""

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""


@dataclass(frozen=True)
class Exact:
    """Every element equals NumPy's.

    Attributes
    ----------
    value
        The expression whose value the result has.
    of
        The part of an operand to look at where the result is an assignment.
    """

    value: str
    of: str = ""

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""
        expected = _evaluate(self.value, operands)
        if expected.dtype == bool:
            expected = expected.astype(np.float32)
        return _unequal(result, expected)


@dataclass(frozen=True)
class Ulps:
    """Every element is within some units in the last place of the exact value."""

    value: str
    ulps: float

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""
        exact = _evaluate(self.value, _double(operands))
        unit = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
        return _beyond(result, exact, self.ulps * unit)


@dataclass(frozen=True)
class Sums:
    """Sums that meet at most 513 roundings to float32 on their way (rule N7)."""

    value: str
    magnitude: str

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""
        exact = _evaluate(self.value, _double(operands))
        magnitude = _evaluate(self.magnitude, _double(operands))
        return _beyond(result, exact, _gamma(513) * magnitude)


@dataclass(frozen=True)
class Contraction:
    """Sums of ``depth`` products in float32, in any order."""

    depth: int
    lhs: str = "a"
    rhs: str = "b"

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""
        lhs = _evaluate(self.lhs, _double(operands))
        rhs = _evaluate(self.rhs, _double(operands))
        return _beyond(
            result, lhs @ rhs, _gamma(self.depth) * (np.abs(lhs) @ np.abs(rhs))
        )


@dataclass(frozen=True)
class Quantized:
    """The product of both operands, quantized: the same bits (rules N1 to N5)."""

    def __call__(self, operands: Arrays, result: npt.NDArray[Any]) -> str | None:
        """What is wrong, None if nothing is."""
        a, b = operands["a"], operands["b"]
        of_a, of_b = map(quantized.choose_params_for, (a, b))
        lhs, rhs = quantized.quantize(a, of_a), quantized.quantize(b, of_b)
        return _unequal(result, quantized.matmul(lhs, of_a, rhs, of_b))


def quantize(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """8 bits by the rules N1 and N2, in NumPy."""
    return quantized.quantize(a, quantized.choose_params_for(a))


def dequantize(stored: npt.NDArray[Any], like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rule N3 in NumPy, with the parameters of the values that were quantized."""
    return quantized.dequantize(stored, quantized.choose_params_for(like))


#: What expressions of NumPy see besides their operands.
NUMPY_NAMES: dict[str, Any] = {
    "np": np,
    "partial": partial,
    "quantize": quantize,
    "dequantize": dequantize,
}


def _evaluate(expression: str, operands: Arrays) -> npt.NDArray[Any]:
    return np.asarray(eval(expression, NUMPY_NAMES | operands))


def _double(operands: Arrays) -> Arrays:
    return {name: value.astype(np.float64) for name, value in operands.items()}


def _gamma(roundings: int) -> float:
    """The bound of a relative error after so many roundings."""
    return roundings * HALF_ULP / (1 - roundings * HALF_ULP)


def _unequal(result: npt.NDArray[Any], expected: npt.NDArray[Any]) -> str | None:
    if result.shape != expected.shape:
        return f"shape {result.shape}, not {expected.shape}"
    count = int(np.sum(result != expected))
    return f"{count} of {expected.size} elements differ" if count else None


def _beyond(
    result: npt.NDArray[Any], exact: npt.NDArray[Any], bound: npt.NDArray[Any]
) -> str | None:
    if result.shape != exact.shape:
        return f"shape {result.shape}, not {exact.shape}"
    error = np.abs(result.astype(np.float64) - exact)
    # `not <=` catches NaN, too.
    wrong = ~(error <= bound)
    if not wrong.any():
        return None
    return f"{int(wrong.sum())} of {exact.size} elements err by more than the bound"
