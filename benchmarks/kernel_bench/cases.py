# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rows of the benchmark, as data: shapes, kinds, weight sets, targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What is computed.

    Attributes
    ----------
    title
        For people.
    limit
        The limit of arithmetic that it is measured against, as
        ``machine_limits.c`` calls it.
    avx2_limit
        What no AVX2 code exceeds, however it computes this.
    constant_weights
        Whether the right operand is known when the program is made, so that it may
        be packed; otherwise both are values of the run.
    bytes_of
        Of one element of the left operand, the right one, the result.
    exact
        Whether needle's result has to equal the rules of docs/Spec.md bit for bit.
    """

    title: str
    limit: str
    avx2_limit: str
    constant_weights: bool
    bytes_of: tuple[int, int, int]
    exact: bool


KINDS = {
    "f32": Kind("f32", "f32", "f32", True, (4, 4, 4), False),
    "u8s8-i32": Kind("u8×s8 → i32", "i16_pairs", "u8_octets", True, (1, 1, 4), True),
    "u8u8-f32": Kind("u8×u8 → f32", "i16_pairs", "u8_octets", False, (1, 1, 4), True),
    "dynamic": Kind(
        "f32 → dynamic u8×s8 → f32", "i16_pairs", "u8_octets", True, (4, 1, 4), True
    ),
    "static": Kind(
        "u8×s8 + bias, relu → u8", "i16_pairs", "u8_octets", True, (1, 1, 1), exact=True
    ),
}


@dataclass(frozen=True)
class Shape:
    """``batch`` products of m×k by k×n."""

    m: int
    k: int
    n: int
    batch: int = 1

    def __str__(self) -> str:
        text = f"{self.m}×{self.k}×{self.n}"
        return text if self.batch == 1 else f"{self.batch}×[{text}]"

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.batch * self.m * self.k * self.n

    @property
    def is_large(self) -> bool:
        """Whether every extent is at least 512."""
        return min(self.m, self.k, self.n) >= 512


SHAPES = (
    Shape(100, 50, 80),
    Shape(1, 1024, 1024),
    Shape(1, 4096, 4096),
    Shape(64, 784, 512),
    Shape(128, 384, 1536),
    Shape(512, 512, 512),
    Shape(1024, 1024, 1024),
    Shape(2048, 2048, 2048),
    Shape(4096, 64, 64),
    Shape(128, 256, 512),
    Shape(127, 255, 511),
    Shape(128, 64, 128, batch=12),
)

#: An odd shape → the even one beside it.
NEIGHBOURS = {Shape(127, 255, 511): Shape(128, 256, 512)}

#: Made-up weights: what they are.
WEIGHTS = {
    "uniform": "uniform in ±127",
    "gaussian": "Gaussian, each channel scaled to ±127",
    "uniform-7": "uniform in ±63",
    "gaussian-7": "Gaussian, each channel scaled to ±63",
}
DEFAULT_WEIGHTS = "uniform"

#: Layers of real networks: weight set → shape with a batch as they would see it.
REAL_LAYERS = {
    "digits-1": Shape(64, 784, 256),
    "digits-2": Shape(64, 256, 128),
    "digits-3": Shape(64, 128, 10),
    "minilm-query": Shape(128, 384, 384),
    "minilm-intermediate": Shape(128, 384, 1536),
    "minilm-output": Shape(128, 1536, 384),
}


@dataclass(frozen=True)
class Target:
    """What needle has to reach.

    Attributes
    ----------
    of
        ``"limit"``: the fraction of the rate that the machine allows;
        ``"peers"``: the rate divided by the best one of an exact peer;
        ``"neighbour"``: divided by that of the even shape.
    at_least
        The least such number.
    must
        Whether missing it is a defect.
    """

    of: str
    at_least: float
    must: bool

    def __str__(self) -> str:
        if self.of == "peers":
            return f"≥ {self.at_least:g}× the best exact peer"
        where = "the limit" if self.of == "limit" else "the even shape"
        return f"≥ {self.at_least:.0%} of {where}"


@dataclass(frozen=True)
class Case:
    """One row."""

    kind: str
    shape: Shape
    weights: str = DEFAULT_WEIGHTS

    @property
    def key(self) -> str:
        """A name for people and for ``--only``."""
        return f"{self.kind} {self.shape} {self.weights}"

    @property
    def footprint(self) -> int:
        """Bytes of operands and result: what has to move at least once."""
        lhs, rhs, dest = KINDS[self.kind].bytes_of
        s = self.shape
        return s.batch * (s.m * s.k * lhs + s.k * s.n * rhs + s.m * s.n * dest)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What this row has to reach."""
        found = [Target("peers", 1.0, must=self.kind in ("f32", "u8s8-i32"))]
        if self.shape == Shape(100, 50, 80):
            found.append(Target("peers", 1.2, must=False))
        if self.shape.is_large and self.kind in ("f32", "u8s8-i32", "static"):
            found.append(Target("limit", 0.93, must=True))
        if self.shape.m == 1:
            found.append(Target("limit", 0.9, must=False))
        if self.shape in NEIGHBOURS:
            found.append(Target("neighbour", 0.85, must=True))
        return tuple(found)


def all_cases() -> list[Case]:
    """Every row that needle can run, in the order of the table."""
    return [*_products(), *_weight_sets(), *_layers()]


def _products() -> Iterator[Case]:
    for kind in KINDS:
        for shape in SHAPES:
            if shape.batch == 1 or not _needs_constants(kind):
                yield Case(kind, shape)


def _needs_constants(kind: str) -> bool:
    # A batch of float products has two operands of the run.
    return KINDS[kind].constant_weights and kind != "f32"


def _weight_sets() -> Iterator[Case]:
    """Only integer kernels could care what the weights are."""
    for weights in WEIGHTS:
        if weights == DEFAULT_WEIGHTS:
            continue
        for kind in filter(_needs_constants, KINDS):
            for shape in SHAPES:
                if shape.batch == 1:
                    yield Case(kind, shape, weights)


def _layers() -> Iterator[Case]:
    for kind in filter(_needs_constants, KINDS):
        for weights, shape in REAL_LAYERS.items():
            yield Case(kind, shape, weights)


#: What was asked for and cannot be measured, as needle cannot compute it yet.
_CONVOLUTIONS = (
    "conv 3×3 stride 1, 64 → 64 at 56²",
    "conv 3×3 stride 2, 64 → 64 at 56²",
    "conv 1×1, 256 → 64 at 56²",
    "conv 7×7 stride 2, 3 → 64 at 224²",
    "depthwise 3×3 at 112²",
    "depthwise 3×3 at 14²",
    "depthwise 5×5 at 112²",
    "depthwise 5×5 at 14²",
    "grouped conv 3×3",
    "transposed conv 2×2",
)
_FOUR_BITS = (
    Shape(1, 1024, 1024),
    Shape(1, 4096, 4096),
    Shape(1, 4096, 11008),
    Shape(64, 1024, 1024),
    Shape(128, 384, 1536),
    Shape(512, 1024, 1024),
)


def not_yet() -> list[str]:
    """Rows that are missing, by name."""
    rows = [f"{name}, f32 and int8" for name in _CONVOLUTIONS]
    rows += [
        f"4-bit weights, blocks of 32 and 128, symmetric and asymmetric, {shape}"
        for shape in _FOUR_BITS
    ]
    return rows
