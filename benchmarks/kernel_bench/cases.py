# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rows of the benchmark, as data: shapes, kinds, weight sets, targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kernel_bench.shapes import Blockwise, Contraction, Convolution, Shape


@dataclass(frozen=True)
class Kind:
    """What is computed.

    Attributes
    ----------
    title
        For people.
    limit
        The limit of arithmetic that AVX2 code is measured against, as
        ``machine_limits.c`` calls it.
    avx2_limit
        What no AVX2 code exceeds, however it computes this.
    full_limit
        The limit where all instructions of the CPU may be used, if it has them.
    bytes_of
        Of one element of the left operand, the right one, the result.
    constant_weights
        Whether the right operand is known when the program is made, so that it may
        be packed; otherwise both are values of the run.
    exact
        Whether needle's result has to equal the rules of docs/Spec.md bit for bit.
    float_kind
        The kind that computes the same in float32, and is to be outrun.
    """

    title: str
    limit: str
    avx2_limit: str
    full_limit: str
    bytes_of: tuple[float, float, float]
    constant_weights: bool = True
    exact: bool = True
    float_kind: str = ""


_INTEGER_LIMITS = ("i16_pairs", "u8_octets", "u8_dot_512")
_FLOAT_LIMITS = ("f32", "f32", "f32_512")
#: Of products.
PRODUCTS = {
    "f32": Kind("f32", *_FLOAT_LIMITS, (4, 4, 4), exact=False),
    "u8s8-i32": Kind("u8×s8 → i32", *_INTEGER_LIMITS, (1, 1, 4)),
    "u8u8-f32": Kind(
        "u8×u8 → f32", *_INTEGER_LIMITS, (1, 1, 4), constant_weights=False
    ),
    "dynamic": Kind("f32 → dynamic u8×s8 → f32", *_INTEGER_LIMITS, (4, 1, 4)),
    "static": Kind("u8×s8 + bias, relu → u8", *_INTEGER_LIMITS, (1, 1, 1)),
}
CONVOLUTIONS = {
    "conv-f32": Kind("convolution, f32", *_FLOAT_LIMITS, (4, 4, 4), exact=False),
    "conv-static": Kind(
        "convolution, u8×s8 + bias, relu → u8",
        *_INTEGER_LIMITS,
        (1, 1, 1),
        float_kind="conv-f32",
    ),
}
FOUR_BITS = {
    "w4-f32": Kind("f32 × 4 bits", *_FLOAT_LIMITS, (4, 0.5, 4), exact=False),
    "w4-int8": Kind(
        "f32 → int8 of each block × 4 bits",
        "u4_blocks",
        "u4_blocks",
        "u8_dot_512",
        (4, 0.5, 4),
        exact=False,
    ),
}
KINDS = PRODUCTS | CONVOLUTIONS | FOUR_BITS


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
NEIGHBOURS: dict[Contraction, Contraction] = {
    Shape(127, 255, 511): Shape(128, 256, 512)
}

CONVOLVED = (
    Convolution(3, 1, 64, 64, 56),
    Convolution(3, 2, 64, 64, 56),
    Convolution(1, 1, 256, 64, 56),
    Convolution(7, 2, 3, 64, 224),
    Convolution(3, 1, 32, 32, 112, groups=32),
    Convolution(3, 1, 512, 512, 14, groups=512),
    Convolution(5, 1, 32, 32, 112, groups=32),
    Convolution(5, 1, 512, 512, 14, groups=512),
    Convolution(3, 1, 64, 64, 56, groups=4),
    Convolution(2, 2, 64, 64, 28, transposed=True),
)

BLOCKWISE = tuple(
    Blockwise(m, k, n, block, symmetric)
    for m, k, n in (
        (1, 1024, 1024),
        (1, 4096, 4096),
        (1, 4096, 11008),
        (64, 1024, 1024),
        (128, 384, 1536),
        (512, 1024, 1024),
    )
    for block in (32, 128)
    for symmetric in (True, False)
)

#: Made-up weights: what they are.
WEIGHTS = {
    "uniform": "uniform in ±127",
    "gaussian": "Gaussian, each channel scaled to ±127",
    "uniform-7": "uniform in ±63",
    "gaussian-7": "Gaussian, each channel scaled to ±63",
}
DEFAULT_WEIGHTS = "uniform"
#: Convolutions have these, float ones as well.
CONVOLUTION_WEIGHTS = "gaussian"
#: 4-bit weights have no other kind.
FOUR_BIT_WEIGHTS = "4-bit"

#: Layers of real networks: weight set → shape with a batch as they would see it.
REAL_LAYERS = {
    "digits-1": Shape(64, 784, 256),
    "digits-2": Shape(64, 256, 128),
    "digits-3": Shape(64, 128, 10),
    "minilm-query": Shape(128, 384, 384),
    "minilm-intermediate": Shape(128, 384, 1536),
    "minilm-output": Shape(128, 1536, 384),
}


#: Weight sets whose fused layers are to be as fast as those that saturate.
_LIKE_REAL_ONES = ("gaussian", *REAL_LAYERS)


@dataclass(frozen=True)
class Target:
    """What needle has to reach.

    Attributes
    ----------
    of
        ``"limit"``: the fraction of the rate that the machine allows;
        ``"peers"``: the rate divided by the best one of an exact peer;
        ``"any peer"``: of any, even if it computes something else;
        ``"neighbour"``: divided by that of the even shape;
        ``"float"``: divided by that of the same in float32;
        or the name of a peer.
    at_least
        The least such number.
    must
        Whether missing it is a defect.
    noise
        How far below it still counts as reached, for what should be equal.
    """

    of: str
    at_least: float
    must: bool = False
    noise: float = 0.0

    def is_missed(self, reached: float) -> bool:
        """Whether it is."""
        return reached < self.at_least * (1 - self.noise)

    def __str__(self) -> str:
        if self.of == "peers":
            within = f" within {self.noise:.0%}" if self.noise else ""
            return f"≥ {self.at_least:g}× the best exact peer{within}"
        if self.is_share:
            where = "the limit" if self.of == "limit" else "the even shape"
            return f"≥ {self.at_least:.0%} of {where}"
        whose = {"float": "float32", "any peer": "the best peer, exact or not"}
        return f"≥ {self.at_least:g}× {whose.get(self.of, self.of)}"

    @property
    def is_share(self) -> bool:
        """Whether it is a part of what can be reached, at most one."""
        return self.of in ("limit", "neighbour")


#: Several libraries reach the same limit of float32; who is first there is chance.
_FLOAT_NOISE = 0.02
#: Weights of 7 bits are where onnxruntime's saturating kernel is exact.
SEVEN_BITS = Target("onnxruntime u8s8", 1.15)


@dataclass(frozen=True)
class Case:
    """One row."""

    kind: str
    shape: Contraction
    weights: str = DEFAULT_WEIGHTS

    @property
    def key(self) -> str:
        """A name for people and for ``--only``."""
        return f"{self.kind} {self.shape} {self.weights}"

    @property
    def footprint(self) -> int:
        """Bytes of operands and result: what has to move at least once."""
        return self.shape.footprint(KINDS[self.kind].bytes_of)

    @property
    def is_exact(self) -> bool:
        """Whether needle's result has to equal the rules bit for bit.

        A transposed convolution has no integer form: between quantizations it is
        computed in float32, with roundings.
        """
        shape = self.shape
        is_float = isinstance(shape, Convolution) and shape.transposed
        return KINDS[self.kind].exact and not is_float

    @property
    def is_basic(self) -> bool:
        """Whether it has the usual weight set, or kind of blocks."""
        if isinstance(self.shape, Blockwise):
            return self.shape.block == 32 and self.shape.symmetric
        return isinstance(self.shape, Convolution) or self.weights == DEFAULT_WEIGHTS

    @property
    def targets(self) -> tuple[Target, ...]:
        """What this row has to reach."""
        if isinstance(self.shape, Convolution):
            return tuple(_targets_of_convolution(self.kind, self.shape))
        if isinstance(self.shape, Blockwise):
            return (_target_of_blockwise(self.kind, self.shape),)
        assert isinstance(self.shape, Shape)
        return tuple(_targets_of_product(self, self.shape))


def _targets_of_product(case: Case, shape: Shape) -> Iterator[Target]:
    noise = _FLOAT_NOISE if case.kind == "f32" else 0.0
    yield Target("peers", 1.0, case.kind in ("f32", "u8s8-i32"), noise)
    if shape == Shape(100, 50, 80):
        yield Target("peers", 1.2)
    if shape.is_large and case.kind in ("f32", "u8s8-i32", "static"):
        yield Target("limit", 0.93, must=True)
    if shape.m == 1:
        yield Target("limit", 0.9)
    if shape in NEIGHBOURS:
        yield Target("neighbour", 0.85, must=True)
    if case.kind in ("dynamic", "static") and case.weights in _LIKE_REAL_ONES:
        yield Target("any peer", 1.0)
    is_middle = shape.m >= 64 and min(shape.k, shape.n) >= 256
    if case.kind == "u8s8-i32" and case.weights == "gaussian-7" and is_middle:
        yield SEVEN_BITS


def _targets_of_convolution(kind: str, shape: Convolution) -> Iterator[Target]:
    yield Target("peers", 1.0)
    if KINDS[kind].float_kind:
        yield Target("float", 1.4 if shape.groups == 1 else 1.0)


def _target_of_blockwise(kind: str, shape: Blockwise) -> Target:
    """Float activations of many rows cost float products, whoever computes them."""
    if shape.m == 1:
        return Target("peers", 1.3)
    return Target("peers", 2.0 if kind == "w4-int8" else 1.0)


def all_cases() -> list[Case]:
    """Every row, in the order of the table: kind by kind."""
    order = list(KINDS)
    cases = [*_products(), *_weight_sets(), *_layers(), *_convolutions(), *_four_bits()]
    return sorted(cases, key=lambda case: order.index(case.kind))


def _products() -> Iterator[Case]:
    for kind in PRODUCTS:
        for shape in SHAPES:
            if shape.batch == 1 or not _needs_constants(kind):
                yield Case(kind, shape)


def _needs_constants(kind: str) -> bool:
    # A batch of float products has two operands of the run.
    return PRODUCTS[kind].constant_weights and kind != "f32"


def _weight_sets() -> Iterator[Case]:
    """Only integer kernels could care what the weights are."""
    for weights in WEIGHTS:
        if weights == DEFAULT_WEIGHTS:
            continue
        for kind in filter(_needs_constants, PRODUCTS):
            for shape in SHAPES:
                if shape.batch == 1:
                    yield Case(kind, shape, weights)


def _layers() -> Iterator[Case]:
    for kind in filter(_needs_constants, PRODUCTS):
        for weights, shape in REAL_LAYERS.items():
            yield Case(kind, shape, weights)


def _convolutions() -> Iterator[Case]:
    for kind in CONVOLUTIONS:
        for shape in CONVOLVED:
            yield Case(kind, shape, CONVOLUTION_WEIGHTS)


def _four_bits() -> Iterator[Case]:
    for kind in FOUR_BITS:
        for shape in BLOCKWISE:
            yield Case(kind, shape, FOUR_BIT_WEIGHTS)
