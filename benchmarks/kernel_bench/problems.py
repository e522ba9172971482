# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of a row, what must come out, and what a library's result is worth.

Activations are whole multiples of a power of two, and their range is exactly that
of 8 bits (in each block, where blocks are quantized): whoever quantizes them, in
whatever order of operations, gets the same integers. So any other difference is one
of arithmetic, and the bounds below are those of a few roundings to float32, not of
quantization.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kernel_bench import weights
from kernel_bench.cases import FOUR_BITS, KINDS, WEIGHTS, Case
from kernel_bench.contraction import Array, Doubles, contract
from kernel_bench.shapes import Blockwise, Convolution

#: Parameters of the activations: x = (q − ZERO_POINT) · SCALE.
SCALE, ZERO_POINT = np.float32(2.0**-5), 128
HALF_ULP = 2.0**-24
#: Conversion of the sum, product of the scales, rescale, bias.
_ROUNDINGS = 4
#: Of those that libraries quantize activations by.
_SMALLEST_BLOCK = 32


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
        float32 where the kind says so, else the stored integers.
    scales
        Of the channels of ``rhs``; a single one where both are values of the run;
        of each block and column of 4-bit weights.
    zero_points
        Of the blocks of 4-bit weights, where they have any.
    own_floats
        4-bit weights as a library stands for them, if by other parameters.
    bias
        float32, one for each column; zeros where the kind has none.
    bias_steps
        The same in units of SCALE · scales, as integers.
    dest_scale
        Of the result of a ``static`` kind, whose zero point is 0.
    """

    case: Case
    lhs: Array
    rhs: Array
    scales: Array = field(default_factory=lambda: np.ones(1, np.float32))
    bias: Array = field(default_factory=lambda: np.zeros(1, np.float32))
    bias_steps: Array = field(default_factory=lambda: np.zeros(1, np.int32))
    dest_scale: np.float32 = field(default_factory=lambda: np.float32(1))
    zero_points: Array | None = None
    own_floats: Array | None = None

    @property
    def floats(self) -> Array:
        """The left operand as floats, which quantize to ``lhs``."""
        if self.lhs.dtype == np.float32:
            return self.lhs
        return (self.lhs.astype(np.float32) - ZERO_POINT) * SCALE

    @property
    def rhs_floats(self) -> Array:
        """The right one as floats, where it is a value of the run or of 4 bits."""
        if not isinstance(self.case.shape, Blockwise):
            return (self.rhs.astype(np.float32) - ZERO_POINT) * SCALE
        if self.own_floats is not None:
            return self.own_floats
        stored = self.rhs.astype(np.float32)
        if self.zero_points is not None:
            stored -= self._of_rows(self.zero_points)
        return stored * self._of_rows(self.scales)

    def _of_rows(self, parameters: Array) -> Array:
        """Parameters of blocks, repeated for each row of the weights."""
        assert isinstance(self.case.shape, Blockwise)
        repeated: Array = np.repeat(parameters, self.case.shape.block, axis=0)
        return repeated[: len(self.rhs)]

    @property
    def magnitudes(self) -> Array:
        """The largest values that computing with 4-bit weights goes through."""
        if self.own_floats is not None:
            # Any such form is scale · q − offset, with an offset in its own range.
            sizes: Array = np.abs(self.own_floats)
            bound: Array = sizes + 2 * sizes.max()
            return bound
        stored = np.abs(self.rhs.astype(np.float32))
        if self.zero_points is not None:
            # Zero points may be taken off the sums instead of the weights.
            stored += self._of_rows(self.zero_points)
        return stored * self._of_rows(self.scales)

    @cached_property
    def sums(self) -> Doubles:
        """Exact integer sums: float64 holds them up to 2**53."""
        rhs = self.rhs.astype(np.float64)
        if not KINDS[self.case.kind].constant_weights:
            rhs -= ZERO_POINT
        return contract(self.case.shape, self.lhs.astype(np.float64) - ZERO_POINT, rhs)

    @cached_property
    def float_result(self) -> tuple[Doubles, Doubles]:
        """The result of a float kind in float64, and the bound of its errors."""
        shape = self.case.shape
        rhs, sizes, roundings = self.rhs, np.abs(self.rhs), shape.depth
        if isinstance(shape, Blockwise):
            rhs, sizes = self.rhs_floats, self.magnitudes
            # Sums in a block of integers are exact; otherwise each weight is rounded.
            roundings = shape.blocks if self.case.kind == "w4-int8" else shape.depth
            roundings += _ROUNDINGS
        bound = _gamma(roundings) * contract(shape, np.abs(self.lhs), sizes)
        return contract(shape, self.lhs, rhs), bound


def make(case: Case, real: dict[str, weights.Floats]) -> Problem:
    """The operands of a row; ``real`` has weights of real layers."""
    rng = np.random.default_rng(zlib.crc32(case.key.encode()))
    s = case.shape
    if case.kind in ("f32", "conv-f32"):
        lhs = rng.standard_normal(s.lhs_shape, dtype=np.float32)
        rhs = rng.standard_normal(s.rhs_shape, dtype=np.float32)
        return Problem(case, lhs, rhs)
    if case.kind in FOUR_BITS:
        assert isinstance(s, Blockwise)
        weight, scales, zeros = weights.draw_blockwise(s, rng)
        lhs = _blockwise_activations(s, rng)
        return Problem(case, lhs, weight, scales, zero_points=zeros)
    stored = _activations(s.lhs_shape, rng)
    if not KINDS[case.kind].constant_weights:
        other = _activations(s.rhs_shape, rng)
        return Problem(case, stored, other, np.array([SCALE], np.float32))
    if case.weights in WEIGHTS:
        weight, scales = weights.draw(case.weights, s, rng)
    else:
        weight, scales = weights.quantize_symmetric(real[case.weights], 127)
    problem = Problem(case, stored, weight, scales)
    if is_static(case.kind):
        _add_epilogue(problem, rng)
    return problem


def is_static(kind: str) -> bool:
    """Whether the result is quantized with parameters known beforehand."""
    return kind in ("static", "conv-static")


def _activations(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A bell around the zero point that touches both ends of 8 bits."""
    drawn = np.rint(rng.standard_normal(shape, dtype=np.float32) * 40 + ZERO_POINT)
    stored = np.clip(drawn, 0, 255).astype(np.uint8)
    stored.flat[0], stored.flat[-1] = 0, 255
    return stored


def _blockwise_activations(shape: Blockwise, rng: np.random.Generator) -> Array:
    """Multiples of SCALE in ±127, and ±127 itself in each block of 32."""
    drawn = rng.standard_normal(shape.lhs_shape, dtype=np.float32) * 40
    steps = np.clip(np.rint(drawn), -127, 127)
    steps[:, ::_SMALLEST_BLOCK] = np.copysign(127, steps[:, ::_SMALLEST_BLOCK])
    return (steps * SCALE).astype(np.float32)


def _add_epilogue(problem: Problem, rng: np.random.Generator) -> None:
    """A bias as large as the sums, and a result scale that uses most of 8 bits."""
    spread = max(1.0, float(problem.sums.std()))
    steps = rng.standard_normal(problem.case.shape.channels) * spread / 4
    problem.bias_steps = np.rint(steps).astype(np.int32)
    unit = SCALE * problem.scales
    problem.bias = problem.bias_steps.astype(np.float32) * unit
    # Large products do not saturate, small ones do not vanish.
    problem.dest_scale = np.float32(3 * spread * float(unit.mean()) / 255)


def expected(problem: Problem) -> Array:
    """The result by the rules N1, N4 and N5 of docs/Spec.md, bit for bit.

    Of kinds that add up floats, in whatever order: the one in float64.
    """
    kind = problem.case.kind
    if not KINDS[kind].exact:
        return problem.float_result[0]
    sums = problem.sums
    if kind == "u8s8-i32":
        return sums.astype(np.int32)
    values: Array = sums.astype(np.float32) * (SCALE * problem.scales)
    if not is_static(kind):
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
    if not KINDS[kind].exact:
        return _within(result, *problem.float_result)
    if result.dtype == wanted.dtype and np.array_equal(result, wanted):
        return Verdict("exact")
    if kind == "u8s8-i32":
        return _within(result, wanted, np.zeros(()))
    sums = problem.sums
    scale = (SCALE * problem.scales).astype(np.float64)
    exact = sums * scale + problem.bias
    bound = _gamma(_ROUNDINGS) * (np.abs(sums * scale) + np.abs(problem.bias))
    shape = problem.case.shape
    if isinstance(shape, Convolution) and shape.transposed:
        # Libraries that have none for integers compute it in float32.
        centered = np.abs(problem.lhs.astype(np.float64) - ZERO_POINT)
        sizes = contract(shape, centered, np.abs(problem.rhs)) * scale
        bound = _gamma(_ROUNDINGS + shape.depth) * (sizes + np.abs(problem.bias))
    if not is_static(kind):
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
