"""The numeric rules of docs/Spec.md in NumPy, and the bounds B1 to B6 as functions.

Written from the specification alone and sharing nothing with the compiler: integers
are int64 (or Python's, where that could overflow), ranges float64, and each step that
the specification rounds to f32 is one NumPy operation on float32.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

FLT_MIN = np.finfo(np.float32).tiny
FLT_MAX = np.finfo(np.float32).max
# Largest relative rounding errors of f32 and f64, and the largest absolute error of
# an f32 result below FLT_MIN.
U = 2.0**-24
V = 2.0**-53
ETA = 2.0**-150


@dataclass(frozen=True)
class Format:
    """The stored integers [qmin, qmax]; symmetric formats have zero point 0."""

    qmin: int
    qmax: int
    symmetric: bool


UINT8 = Format(0, 255, symmetric=False)
INT8 = Format(-127, 127, symmetric=True)
UINT4 = Format(0, 15, symmetric=False)
INT4 = Format(-7, 7, symmetric=True)


def quantize(x: F32, scale: F32, zero_point: Int, qmin: int, qmax: int) -> Int:
    """N1. Parameters broadcast against x."""
    with np.errstate(all="ignore"):
        t = np.float32(x) / np.float32(scale)
    assert t.dtype == np.float32
    nan = np.isnan(t)
    # np.rint rounds ties to even.
    t = np.where(nan, 0, np.rint(t.astype(np.float64)))
    q = zero_point + np.clip(t, qmin - zero_point, qmax - zero_point).astype(np.int64)
    return np.where(nan, zero_point, q)


def value_range(x: F32) -> tuple[float, float]:
    """The widened, finite range of N2."""
    with np.errstate(invalid="ignore"):  # signaling NaN
        values = np.asarray(x, np.float64).ravel()
    values = np.clip(values[~np.isnan(values)], -float(FLT_MAX), float(FLT_MAX))
    if not values.size:
        return 0.0, 0.0
    return min(0.0, float(values.min())), max(0.0, float(values.max()))


def parameters(low: float, high: float, form: Format) -> tuple[np.float32, int]:
    """N2: scale and zero point of a widened range."""
    if form.symmetric:
        width, steps = max(-low, high), form.qmax
    else:
        width, steps = high - low, form.qmax - form.qmin
    if width == 0:
        scale = np.float32(1)
    else:
        with np.errstate(over="ignore", under="ignore"):
            scale = np.float32(width / steps)
        scale = np.float32(min(max(scale, FLT_MIN), FLT_MAX))
    if form.symmetric:
        return scale, 0
    zero_point = form.qmin + round(-low / float(scale))  # Python rounds to even
    return scale, min(max(zero_point, form.qmin), form.qmax)


def dequantize(q: Int, scale: F32, zero_point: Int) -> F32:
    """N3."""
    with np.errstate(all="ignore"):
        return (np.asarray(q, np.int64) - zero_point).astype(np.float32) * np.float32(
            scale
        )


def integer_sum(a: Int, b: Int, bias: Int | None = None) -> Int:
    """N4 for centered operands M×K and K×N: exact, by 8-bit operands of any K."""
    total = np.asarray(a, np.int64) @ np.asarray(b, np.int64)
    return total if bias is None else total + np.asarray(bias, np.int64)


def contraction_depth(a: tuple[int, int], b: tuple[int, int], bits: int) -> int | None:
    """N4: how many products of centered operands fit `bits`; None for any number."""
    products = [x * y for x in a for y in b]
    limits = [(2 ** (bits - 1) - 1) // p for p in products if p > 0]
    limits += [2 ** (bits - 1) // -p for p in products if p < 0]
    return min(limits, default=None)


def wrap_int32(total: Int) -> npt.NDArray[np.int32]:
    """The sum modulo 2³², as an i32 result holds it."""
    return (np.asarray(total, np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def relu(x: F32) -> F32:
    """IEEE 754-2019 maximum(x, +0)."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(x), x, np.where(x > 0, x, np.float32(0)))


def rescale(
    total: Int,
    lhs_scale: F32,
    rhs_scale: F32,
    bias: F32 | None = None,
    activation: str = "none",
) -> F32:
    """N5: each step one rounding to f32. rhs_scale may differ by column."""
    with np.errstate(all="ignore"):
        combined = np.float32(lhs_scale) * np.float32(rhs_scale)
        y = np.asarray(total, np.int64).astype(np.float32) * combined
        if bias is not None:
            y = y + np.float32(bias)
    assert y.dtype == np.float32
    return relu(y) if activation == "relu" else y


def matmul(x: F32, w: F32, bias: F32 | None = None, activation: str = "none") -> F32:
    """N7 as the oracle evaluates it: f64 sums, k ascending, rounded once."""
    total = np.zeros((x.shape[0], w.shape[1]), np.float64)
    with np.errstate(all="ignore"):
        for k in range(x.shape[1]):
            total += np.outer(x[:, k].astype(np.float64), w[k].astype(np.float64))
        y = total.astype(np.float32)
        if bias is not None:
            y = y + np.float32(bias)
    return relu(y) if activation == "relu" else y


def gamma(n: int, unit: float = U) -> float:
    """n roundings of relative error `unit` add up to at most this."""
    assert n * unit < 1
    return n * unit / (1 - n * unit)


def float_sum_bound(x: F32, w: F32) -> F64:
    """B1: |f32 sums in any order − the oracle| for matmul without bias."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    return contraction_bound(x.shape[1], x @ w, np.abs(x) @ np.abs(w))


def contraction_bound(k: int, total: F64, magnitude: F64) -> F64:
    """B1 for sums of k products, and of their magnitudes, formed in f64."""
    magnitude = magnitude * (1 + gamma(k + 2, V))
    exact = np.abs(total) + gamma(k, V) * magnitude
    return (
        (gamma(k) + gamma(k, V)) * magnitude
        + U * (exact + gamma(k, V) * magnitude)
        + (k + 1) * ETA * (1 + gamma(k))
    )


def ulps(actual: F32, exact: F64) -> F64:
    """|actual − exact| in units of the last place of f32 at the exact value.

    0 where the exact value, rounded to f32, is NaN or infinite and so is the actual
    one; infinite where only one of them is.
    """
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
        finite = np.isfinite(rounded) & np.isfinite(actual)
        agree = (np.isnan(rounded) & np.isnan(actual)) | (rounded == actual)
        exponents = np.frexp(np.where(finite, exact, 1.0))[1]
        unit = np.ldexp(1.0, np.maximum(exponents, -125) - 24)
        distance = np.abs(actual.astype(np.float64) - exact) / unit
    return np.where(finite, distance, np.where(agree, 0.0, np.inf))


def sum_bound(x: F32, axes: tuple[int, ...], keepdims: bool = False) -> F64:
    """B5: |compiled sum − the oracle| for reduce_sum of finite elements.

    For axes of static size: up to 512 elements are added in f32, more in f64.
    """
    n = int(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
    wide = x.astype(np.float64)
    magnitude = np.abs(wide).sum(axes, keepdims=keepdims) * (1 + gamma(n + 1, V))
    exact = np.abs(wide.sum(axes, keepdims=keepdims)) + gamma(n, V) * magnitude
    rounded = gamma(n, V) * magnitude + U * (exact + gamma(n, V) * magnitude)
    return 2 * rounded if n > 512 else gamma(n) * magnitude + rounded


def fusion_bound(a: Int, b: Int, lhs_scale: F32, rhs_scale: F32) -> F64:
    """B2: |integer form − float form| for centered operands, before the bias."""
    k = a.shape[1]
    scales = np.float64(lhs_scale) * np.asarray(rhs_scale, np.float64)
    total = np.abs(integer_sum(a, b)).astype(np.float64)
    magnitude = integer_sum(np.abs(a), np.abs(b)).astype(np.float64)
    e = (1 + U) ** 2 * (1 + gamma(k, V)) - 1
    return (
        scales * (total * ((1 + U) ** 3 - 1 + U) + magnitude * e * (1 + U))
        + np.where(scales < float(FLT_MIN), total * (1 + U) ** 2 * ETA, 0)
        + 2 * ETA
    )


def after_bias_bound(bound: F64, y: F32) -> F64:
    """B3: the bound after a bias; y is the oracle's value before the activation."""
    return bound * (1 + U) + 2 * U * np.abs(y.astype(np.float64)) / (1 - U)


def quotient_bound(
    bound: F64, scale: float, zero_point: int, qmin: int, qmax: int
) -> F64:
    """B4: how far the clamped quotients of N1 are apart."""
    largest = max(abs(qmin - zero_point), abs(qmax - zero_point))
    return bound / float(scale) + 2 * U * largest + 2 * ETA


def differs_only_at_boundaries(
    oracle: F32,
    q_oracle: Int,
    q: Int,
    bound: F64,
    scale: np.float32,
    zero_point: int,
    qmin: int,
    qmax: int,
) -> bool:
    """N8: stored integers differ by one step at most, near half-integers only.

    Parameters
    ----------
    oracle
        The float form's values, after the activation, before requantization.
    bound
        How far the integer form's values may be from them (B3).
    """
    apart = quotient_bound(bound, float(scale), zero_point, qmin, qmax)
    t = np.clip(
        (oracle / scale).astype(np.float64), qmin - zero_point, qmax - zero_point
    )
    to_boundary = np.abs(t - np.floor(t) - 0.5)
    steps = np.abs(q - q_oracle)
    small = apart < 1
    allowed = (steps == 0) | ((steps == 1) & (to_boundary <= apart))
    return bool(np.all(np.where(small, allowed, steps <= np.ceil(apart))))


#
# N9
#


def blocks_of(depth: int, block_size: int) -> list[slice]:
    """The blocks along K; the last may be partial."""
    return [slice(k, min(k + block_size, depth)) for k in range(0, depth, block_size)]


def quantize_blockwise(
    w: F32, block_size: int, symmetric: bool
) -> tuple[Int, F32, Int | None]:
    """N2 and N1 for each block of each column."""
    form = INT4 if symmetric else UINT4
    blocks = blocks_of(w.shape[0], block_size)
    stored = np.zeros(w.shape, np.int64)
    scales = np.zeros((len(blocks), w.shape[1]), np.float32)
    zero_points = np.zeros(scales.shape, np.int64)
    for b, rows in enumerate(blocks):
        for column in range(w.shape[1]):
            values = w[rows, column]
            scale, zero = parameters(*value_range(values), form)
            stored[rows, column] = quantize(
                values, scale, np.int64(zero), form.qmin, form.qmax
            )
            scales[b, column], zero_points[b, column] = scale, zero
    return stored, scales, None if symmetric else zero_points


def blockwise_integer(
    x: F32, q: Int, scales: F32, zero_points: Int | None, block_size: int
) -> F32:
    """N9 with integer activations."""
    y = np.zeros((x.shape[0], q.shape[1]), np.float32)
    for b, ks in enumerate(blocks_of(x.shape[1], block_size)):
        zero = 0 if zero_points is None else zero_points[b].astype(np.int64)
        weight = q[ks].astype(np.int64) - zero
        for row in range(x.shape[0]):
            scale, _ = parameters(*value_range(x[row, ks]), INT8)
            stored = quantize(x[row, ks], scale, np.int64(0), -127, 127)
            total = integer_sum(stored[None], weight)[0]
            with np.errstate(all="ignore"):
                y[row] = y[row] + rescale(total, scale, scales[b])
    return y


def blockwise_weight(
    q: Int, scales: F32, zero_points: Int | None, block_size: int
) -> F32:
    """N3 for each block."""
    block = np.arange(q.shape[0]) // block_size
    zero = 0 if zero_points is None else zero_points[block].astype(np.int64)
    return dequantize(q.astype(np.int64) - zero, scales[block], np.int64(0))


def blockwise_float_bound(
    x: F32, q: Int, scales: F32, zero_points: Int | None, block_size: int
) -> F64:
    """B6: |compiled product with float activations - the oracle|."""
    k = x.shape[1]
    block = np.arange(k) // block_size
    zero = 0 if zero_points is None else zero_points[block].astype(np.int64)
    weight = (q.astype(np.int64) - zero) * scales[block].astype(np.float64)
    wide = x.astype(np.float64)
    # Their own errors, of f64, are far below what follows.
    magnitude = (np.abs(wide) @ np.abs(weight)) * (1 + gamma(k + 2, V))
    exact = np.abs(wide @ weight) + gamma(k + 2, V) * magnitude
    oracle = ((1 + U) * (1 + gamma(k, V)) - 1) * (1 + U)
    return (
        (gamma(k + 1) + oracle) * magnitude
        + U * exact
        + (k + 1) * ETA * (1 + gamma(k + 1))
    )
