# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rows of the benchmark, as data.

A case is one expression for each contender over operands of the same values. In
it ``nd``, ``np`` and ``torch`` are the libraries and ``device`` is needle's
device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eager_bench import checks

Floats = npt.NDArray[np.float32]
Draw = Callable[[np.random.Generator], Floats]

PEERS = ("numpy", "torch")
SIZES = {"small": (32, 32), "medium": (512, 512), "large": (2048, 2048)}


@dataclass(frozen=True)
class Target:
    """What the first contender must reach.

    Attributes
    ----------
    against
        The contender whose time is divided by ours; None for a limit of time.
    ratio
        The least such quotient.
    seconds
        The limit of time.
    """

    against: str | None = None
    ratio: float = 1.0
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.against is None:
            return f"≤ {self.seconds * 1e6:g} µs"
        return f"≥ {self.ratio:g}× {self.against}"


@dataclass(frozen=True)
class Case:
    """One row: the first contender is the one that is judged."""

    group: str
    name: str
    code: dict[str, str]
    operands: dict[str, Draw]
    check: checks.Check
    target: Target | None = None
    #: Statements that prepare an operand of one contender, untimed.
    setup: dict[str, str] = field(default_factory=dict)
    #: Multiply-accumulates of one call, where that is the work.
    macs: int = 0
    #: Whether the first call in a fresh process is a row, too.
    first_call: bool = False

    @property
    def key(self) -> str:
        """Group and name."""
        return f"{self.group}: {self.name}"


def library_of(contender: str) -> str:
    """The library of a contender such as ``needle f32``."""
    return contender.split()[0]


def normal(*shape: int) -> Draw:
    """Normal numbers."""
    return lambda rng: rng.standard_normal(shape, dtype=np.float32)


def positive(*shape: int) -> Draw:
    """Numbers from 0.5 to 2.5."""
    return lambda rng: (rng.random(shape, dtype=np.float32) * 2 + 0.5).astype(
        np.float32
    )


def _everywhere(code: str) -> dict[str, str]:
    """The same expression, with ``lib`` replaced by the library."""
    names = {"needle": "nd", "numpy": "np", "torch": "torch"}
    return {key: code.replace("lib.", f"{name}.") for key, name in names.items()}


FASTER_THAN_NUMPY = Target("numpy", 1.0)


def overhead() -> Iterator[Case]:
    """What a call costs when there is nothing to compute."""
    one = {"a": normal(1), "b": normal(1)}
    matrices = {"a": normal(2, 2), "b": normal(2, 2)}
    limit = Target(seconds=5e-6)
    exact = checks.Exact("a + b")
    yield Case("call", "a + b, 1 element", _everywhere("a + b"), one, exact, limit)
    yield Case(
        "call",
        "a * 2, 1 element",
        _everywhere("a * 2.0"),
        one,
        checks.Exact("a * np.float32(2)"),
        limit,
    )
    yield Case(
        "call",
        "exp(a), 1 element",
        _everywhere("lib.exp(a)"),
        one,
        checks.Ulps("np.exp(a)", 1),
        limit,
    )
    yield Case(
        "call",
        "a @ b, 2×2",
        _everywhere("a @ b"),
        matrices,
        checks.Contraction(2),
        limit,
    )
    yield Case(
        "call",
        "sum(a), 1 element",
        _everywhere("a.sum()"),
        one,
        checks.Sums("a.sum()", "np.abs(a).sum()"),
        limit,
    )
    yield Case(
        "call",
        "Tensor a + b, 1 element",
        {"needle": "ta + tb", "numpy": "a + b", "torch": "ta + tb"},
        one,
        exact,
        limit,
        setup={
            "needle": "ta = ndl.Tensor(a); tb = ndl.Tensor(b)",
            "torch": "ta = a.requires_grad_(); tb = b.requires_grad_()",
        },
    )


def elementwise() -> Iterator[Case]:
    """One output element for each input element."""
    functions: list[tuple[str, str, checks.Check]] = [
        ("a + b", "a + b", checks.Exact("a + b")),
        ("a * row", "a * row", checks.Exact("a * row")),
        ("a * 2.5", "a * 2.5", checks.Exact("a * np.float32(2.5)")),
        ("1 / p", "1.0 / p", checks.Exact("np.float32(1) / p")),
        ("maximum(a, b)", "lib.maximum(a, b)", checks.Exact("np.maximum(a, b)")),
        ("a > b", "a > b", checks.Exact("a > b")),
        ("exp(a)", "lib.exp(a)", checks.Ulps("np.exp(a)", 1)),
        ("log(p)", "lib.log(p)", checks.Ulps("np.log(p)", 1)),
        ("tanh(a)", "lib.tanh(a)", checks.Ulps("np.tanh(a)", 2)),
        ("sqrt(p)", "lib.sqrt(p)", checks.Exact("np.sqrt(p)")),
        ("p ** a", "p ** a", checks.Ulps("p ** a", 1)),
        ("a ** 2", "a ** 2", checks.Exact("a * a")),
    ]
    for size, shape in SIZES.items():
        for name, code, check in functions:
            row = (1, shape[1])
            draws = {"a": normal(*shape), "b": normal(*shape)}
            draws |= {"p": positive(*shape), "row": normal(*row)}
            used = {k: v for k, v in draws.items() if _mentions(code, k)}
            yield Case(
                "elementwise",
                f"{name}, {size}",
                _everywhere(code),
                used,
                check,
                FASTER_THAN_NUMPY,
            )


def _mentions(code: str, name: str) -> bool:
    return name in code.replace("(", " ").replace(")", " ").replace(",", " ").split()


def copies() -> Iterator[Case]:
    """Copies between layouts."""
    for size, (rows, columns) in SIZES.items():
        shape = (rows, columns)
        for name, ours, numpys, torchs, value in (
            (
                "transpose",
                "a.permute((1, 0)).compact()",
                "np.ascontiguousarray(a.T)",
                "a.t().contiguous()",
                "a.T",
            ),
            (
                "a[::2, ::2]",
                "a[::2, ::2].compact()",
                "a[::2, ::2].copy()",
                "a[::2, ::2].contiguous()",
                "a[::2, ::2]",
            ),
            (
                "rows 1: of a",
                "a[1:, 1:].compact()",
                "a[1:, 1:].copy()",
                "a[1:, 1:].contiguous()",
                "a[1:, 1:]",
            ),
        ):
            yield Case(
                "strided copy",
                f"{name}, {size}",
                {"needle": ours, "numpy": numpys, "torch": torchs},
                {"a": normal(*shape)},
                checks.Exact(value),
                FASTER_THAN_NUMPY,
            )
    heads = (8, 128, 12, 64)
    yield Case(
        "strided copy",
        "attention heads 8×128×12×64",
        {
            "needle": "a.permute((0, 2, 1, 3)).compact()",
            "numpy": "np.ascontiguousarray(a.transpose(0, 2, 1, 3))",
            "torch": "a.permute((0, 2, 1, 3)).contiguous()",
        },
        {"a": normal(*heads)},
        checks.Exact("a.transpose(0, 2, 1, 3)"),
        FASTER_THAN_NUMPY,
    )
    yield Case(
        "strided copy",
        "NCHW to NHWC 16×64×28×28",
        {
            "needle": "a.permute((0, 2, 3, 1)).compact()",
            "numpy": "np.ascontiguousarray(a.transpose(0, 2, 3, 1))",
            "torch": "a.permute((0, 2, 3, 1)).contiguous()",
        },
        {"a": normal(16, 64, 28, 28)},
        checks.Exact("a.transpose(0, 2, 3, 1)"),
        FASTER_THAN_NUMPY,
    )


def writes() -> Iterator[Case]:
    """Assignments to parts of an array."""
    shape = SIZES["medium"]
    half = (shape[0], shape[1] // 2)
    for name, statement, value in (
        ("out[:, 1::2] = b", "out[:, 1::2] = b", "b"),
        ("out[:, :256] = 1", "out[:, :256] = 1.0", "np.ones_like(b)"),
    ):
        part = statement.split("=")[0].strip()
        yield Case(
            "setitem",
            f"{name}, medium",
            dict.fromkeys(("needle", "numpy", "torch"), statement),
            {"out": normal(*shape), "b": normal(*half)},
            checks.Exact(value, of=part),
            FASTER_THAN_NUMPY,
        )


def reductions() -> Iterator[Case]:
    """Sums and maxima over each axis."""
    for size, shape in SIZES.items():
        for axis in (0, 1, None):
            where = "all" if axis is None else f"axis {axis}"
            argument = "" if axis is None else f"axis={axis}"
            torch_max = "a.max()" if axis is None else f"torch.amax(a, dim={axis})"
            yield Case(
                "reduction",
                f"sum {where}, {size}",
                _everywhere(f"a.sum({argument})"),
                {"a": normal(*shape)},
                checks.Sums(f"a.sum({argument})", f"np.abs(a).sum({argument})"),
                FASTER_THAN_NUMPY,
            )
            yield Case(
                "reduction",
                f"max {where}, {size}",
                _everywhere(f"a.max({argument})") | {"torch": torch_max},
                {"a": normal(*shape)},
                checks.Exact(f"a.max({argument})"),
                FASTER_THAN_NUMPY,
            )


#: Sizes of products, and whether their first calls have targets, too.
PRODUCTS = {(100, 50, 80): True, (512, 512, 512): True, (1, 1024, 1024): False}


def products() -> Iterator[Case]:
    """Matrix products of arrays that are both known only at run time."""
    for (m, k, n), is_target in PRODUCTS.items():
        yield Case(
            "@ float32",
            f"{m}×{k}×{n}",
            _everywhere("a @ b"),
            {"a": normal(m, k), "b": normal(k, n)},
            checks.Contraction(k),
            FASTER_THAN_NUMPY,
            macs=m * k * n,
            first_call=is_target,
        )
    yield Case(
        "@ float32",
        "aᵀ @ b, 512×512×512",
        {"needle": "a.transpose() @ b", "numpy": "a.T @ b", "torch": "a.T @ b"},
        {"a": normal(512, 512), "b": normal(512, 512)},
        checks.Contraction(512, "a.T", "b"),
        FASTER_THAN_NUMPY,
        macs=512**3,
    )
    yield Case(
        "@ float32",
        "batched 12×128×64×128",
        _everywhere("a @ b"),
        {"a": normal(12, 128, 64), "b": normal(12, 64, 128)},
        checks.Contraction(64),
        FASTER_THAN_NUMPY,
        macs=12 * 128 * 64 * 128,
    )
    for (m, k, n), is_target in PRODUCTS.items():
        yield Case(
            "@ uint8",
            f"{m}×{k}×{n}",
            {"needle": "qa @ qb", "needle f32": "a @ b"},
            {"a": normal(m, k), "b": normal(k, n)},
            checks.Quantized(),
            Target("needle f32", 1.2) if is_target else None,
            setup={"needle": "qa = a.quantize_uint8(); qb = b.quantize_uint8()"},
            macs=m * k * n,
            first_call=is_target,
        )


def quantizing() -> Iterator[Case]:
    """Between float32 and 8 bits; NumPy does it by rules N1 to N3."""
    shape = SIZES["medium"]
    yield Case(
        "quantize",
        "quantize_uint8, medium",
        {"needle": "a.quantize_uint8()", "numpy": "quantize(a)"},
        {"a": normal(*shape)},
        checks.Exact("quantize(a)"),
    )
    yield Case(
        "quantize",
        "dequantize, medium",
        {"needle": "qa.dequantize()", "numpy": "dequantize(qa)"},
        {"a": normal(*shape)},
        checks.Exact("dequantize(quantize(a), a)"),
        setup={
            "needle": "qa = a.quantize_uint8()",
            "numpy": "qa = quantize(a); dequantize = partial(dequantize, like=a)",
        },
    )


def all_cases() -> list[Case]:
    """Every row but the training step, in the order of the table."""
    groups = (
        overhead,
        elementwise,
        copies,
        writes,
        reductions,
        products,
        quantizing,
    )
    return [case for group in groups for case in group()]
