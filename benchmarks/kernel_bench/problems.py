# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of a row, what must come out, and what a library's result is worth.

Activations are whole multiples of a power of two, and their range is exactly that
of 8 bits: whoever quantizes them, in whatever order of operations, gets the same
integers. So any other difference is one of arithmetic, and the bounds below are
those of a few roundings to float32, not of quantization.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kernel_bench import weights
from kernel_bench.cases import KINDS, WEIGHTS, Case

Array = npt.NDArray[Any]

#: Parameters of the activations: x = (q − ZERO_POINT) · SCALE.
SCALE, ZERO_POINT = np.float32(2.0**-5), 128
HALF_ULP = 2.0**-24
#: Conversion of the sum, product of the scales, rescale, bias.
_ROUNDINGS = 4


@dataclass(frozen=True)
class Verdict:
    """Whether a result is right.

    Attributes
    ----------
    status
        ``"exact"``: equal to the numeric rules bit for bit; ``"rounded"``: equal up
        to roundings to float32; ``"inexact"``: neither.
    detail
        How far it is off, if it is.
    """

    status: str
    detail: str = ""


@dataclass
class Problem:
    """Operands that all contenders compute with.

    Attributes
    ----------
    lhs, rhs
        float32 for kind ``f32``, else the stored integers.
    scales
        Of the columns of ``rhs``; a single one where both are values of the run.
    bias
        float32, one for each column; zeros where the kind has none.
    bias_steps
        The same in units of SCALE · scales, as integers.
    dest_scale
        Of the result of kind ``static``, whose zero point is 0.
    """

    case: Case
    lhs: Array
    rhs: Array
    scales: Array = field(default_factory=lambda: np.ones(1, np.float32))
    bias: Array = field(default_factory=lambda: np.zeros(1, np.float32))
    bias_steps: Array = field(default_factory=lambda: np.zeros(1, np.int32))
    dest_scale: np.float32 = field(default_factory=lambda: np.float32(1))

    @property
    def floats(self) -> Array:
        """The left operand as floats, which quantize to ``lhs``."""
        if self.case.kind == "f32":
            return self.lhs
        return (self.lhs.astype(np.float32) - ZERO_POINT) * SCALE

    @property
    def rhs_floats(self) -> Array:
        """The same of the right one, where it is a value of the run."""
        return (self.rhs.astype(np.float32) - ZERO_POINT) * SCALE

    def sums(self) -> npt.NDArray[np.float64]:
        """Exact integer sums: float64 holds them up to 2**53."""
        lhs = self.lhs.astype(np.float64) - ZERO_POINT
        rhs = self.rhs.astype(np.float64)
        if not KINDS[self.case.kind].constant_weights:
            rhs -= ZERO_POINT
        product: npt.NDArray[np.float64] = lhs @ rhs
        return product


def make(case: Case, real: dict[str, weights.Floats]) -> Problem:
    """The operands of a row; ``real`` has weights of real layers."""
    rng = np.random.default_rng(zlib.crc32(case.key.encode()))
    s = case.shape
    batch = (s.batch,) if s.batch > 1 else ()
    if case.kind == "f32":
        lhs = rng.standard_normal((*batch, s.m, s.k), dtype=np.float32)
        rhs = rng.standard_normal((*batch, s.k, s.n), dtype=np.float32)
        return Problem(case, lhs, rhs)
    stored = _activations((*batch, s.m, s.k), rng)
    if not KINDS[case.kind].constant_weights:
        other = _activations((*batch, s.k, s.n), rng)
        return Problem(case, stored, other, np.array([SCALE], np.float32))
    if case.weights in WEIGHTS:
        weight, scales = weights.draw(case.weights, s, rng)
    else:
        weight, scales = weights.quantize_symmetric(real[case.weights], 127)
    problem = Problem(case, stored, weight, scales)
    if case.kind == "static":
        _add_epilogue(problem, rng)
    return problem


def _activations(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A bell around the zero point that touches both ends of 8 bits."""
    drawn = np.rint(rng.standard_normal(shape, dtype=np.float32) * 40 + ZERO_POINT)
    stored = np.clip(drawn, 0, 255).astype(np.uint8)
    stored.flat[0], stored.flat[-1] = 0, 255
    return stored


def _add_epilogue(problem: Problem, rng: np.random.Generator) -> None:
    """A bias as large as the sums, and a result scale that uses most of 8 bits."""
    spread = max(1.0, float(problem.sums().std()))
    steps = rng.standard_normal(problem.case.shape.n) * spread / 4
    problem.bias_steps = np.rint(steps).astype(np.int32)
    unit = SCALE * problem.scales
    problem.bias = problem.bias_steps.astype(np.float32) * unit
    # Large products do not saturate, small ones do not vanish.
    problem.dest_scale = np.float32(3 * spread * float(unit.mean()) / 255)


def expected(problem: Problem) -> Array:
    """The result by the rules N1, N4 and N5 of docs/Spec.md, bit for bit."""
    kind = problem.case.kind
    if kind == "f32":
        product: Array = problem.lhs.astype(np.float64) @ problem.rhs
        return product
    sums = problem.sums()
    if kind == "u8s8-i32":
        return sums.astype(np.int32)
    values: Array = sums.astype(np.float32) * (SCALE * problem.scales)
    if kind != "static":
        return values
    values = np.maximum(values + problem.bias, np.float32(0))
    steps = np.clip(np.rint(values / problem.dest_scale), 0, 255)
    return steps.astype(np.uint8)


def judge(problem: Problem, result: Array) -> Verdict:
    """What a result is worth."""
    wanted = expected(problem)
    if result.shape != wanted.shape:
        return Verdict("inexact", f"shape {result.shape}, not {wanted.shape}")
    kind = problem.case.kind
    if kind == "f32":
        depth = _gamma(problem.case.shape.k)
        bound = depth * (np.abs(problem.lhs).astype(np.float64) @ np.abs(problem.rhs))
        return _within(result, wanted, bound)
    if result.dtype == wanted.dtype and np.array_equal(result, wanted):
        return Verdict("exact")
    if kind == "u8s8-i32":
        return _within(result, wanted, np.zeros(()))
    sums = problem.sums()
    scale = (SCALE * problem.scales).astype(np.float64)
    exact = sums * scale + problem.bias
    bound = _gamma(_ROUNDINGS) * (np.abs(sums * scale) + np.abs(problem.bias))
    if kind != "static":
        return _within(result, exact, bound)
    # A step is the nearest one, or one of two where roundings decide.
    step = float(problem.dest_scale)
    exact = np.clip(exact / step, 0, 255)
    return _within(result, exact, 0.5 + bound / step + 2 * HALF_ULP * exact)


def _within(result: Array, exact: Array, bound: Array) -> Verdict:
    error = np.abs(result.astype(np.float64) - exact)
    # `not <=` catches NaN, too.
    wrong = ~(error <= bound)
    if not wrong.any():
        return Verdict("rounded")
    count, most = int(wrong.sum()), float(error[wrong].max())
    return Verdict(
        "inexact", f"{count} of {wrong.size} elements are wrong, by up to {most:g}"
    )


def _gamma(roundings: int) -> float:
    """The bound of a relative error after so many roundings to float32."""
    return roundings * HALF_ULP / (1 - roundings * HALF_ULP)
