# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""exp, log, tanh, sigmoid and power, compiled: within the bounds of N7.

NumPy evaluates them in float64; every exponent, every special value and values close
to where an expansion changes its formula are among the arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from differential import SPECIAL, Array, compile_everywhere, same_bits

#: Bounds in ulp: of needle.<op> in compiled code (docs/Spec.md, N7).
BOUNDS = {"exp": 1.0, "log": 1.0, "tanh": 2.0, "sigmoid": 3.0}
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
# Where denormal results begin and end, overflow, switches of formulas, and ties of
# the reduction of exp's argument.
# fmt: off
CRITICAL = np.array(
    [-103.97208, -103.27893, -87.33655, 88.72283, 90.0, -105.0, 0.55, 9.01091, 9.02,
     0.70710678, 1.4142135, 1.0, 0.34657359, 1.0397208, -0.34657359],
    np.float32,
)
# fmt: on


@functools.cache
def arguments() -> Array:
    """Every exponent with dense fractions, both signs, and the neighbours of
    critical values."""
    fractions = np.arange(0, 2**23, 2**23 // 4093, dtype=np.uint32)
    exponents = np.arange(256, dtype=np.uint32)[:, None] << np.uint32(23)
    positive = (exponents | fractions).ravel()
    around = np.concatenate([CRITICAL, SPECIAL]).view(np.uint32).astype(np.int64)
    near = (around[:, None] + np.arange(-2000, 2001)).ravel() % 2**32
    bits = [positive, positive | np.uint32(2**31), near.astype(np.uint32)]
    return np.concatenate(bits).view(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_unary_functions_are_within_their_bound(name: str) -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None,))
    builder.output(getattr(builder, name)(x))
    baseline, *others = compile_everywhere(builder.build())
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name](arguments().astype(np.float64))
    actual = baseline(arguments())
    assert model.ulps(actual, exact).max() <= BOUNDS[name]
    # No step is contracted, so that targets do not differ.
    for other in others:
        same_bits(other(arguments()), actual)


def test_signs_of_zero_and_denormals() -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None,))
    builder.output(builder.tanh(x))
    builder.output(builder.log(x))
    small = np.array([0.0, -0.0, 1e-45, -1e-45, 1e-39], np.float32)
    for executable in compile_everywhere(builder.build()):
        tanh, log = executable(small)
        same_bits(tanh, small)
        with np.errstate(all="ignore"):
            exact = np.log(small.astype(np.float64))
        assert model.ulps(log, exact).max() <= BOUNDS["log"]


@functools.cache
def power() -> list[ndl.Executable]:
    builder = ndl.GraphBuilder()
    x, y = builder.input("x", (None,)), builder.input("y", (None,))
    builder.output(builder.power(x, y))
    return compile_everywhere(builder.build())


def check_power(x: Array, y: Array) -> None:
    x, y = x.astype(np.float32), y.astype(np.float32)
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.float64), y.astype(np.float64))
    baseline, *others = power()
    actual = baseline(x, y)
    assert model.ulps(actual, exact).max() <= 1.0
    exact_sign = np.signbit(exact) & ~np.isnan(exact)
    np.testing.assert_array_equal(np.signbit(actual) & ~np.isnan(actual), exact_sign)
    for other in others:
        same_bits(other(x, y), actual)


# fmt: off
#: Bases and exponents of C99's special cases: signs, parity, the ends of integers.
CORNERS = np.array(
    [0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -7, np.inf, -np.inf, np.nan, 1e-45,
     -1e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 8388607.5, 8388608, 16777215,
     -16777215, 16777216, 2**25, 1e10, -1e10, 0.99999994, 1.0000001, -0.99999994],
    np.float32,
)
# fmt: on


def test_power_in_its_special_cases() -> None:
    x, y = np.meshgrid(CORNERS, CORNERS)
    check_power(x.ravel(), y.ravel())


@pytest.mark.parametrize("seed", range(3))
def test_power_is_within_its_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 200_000
    check_power(rng.uniform(0, 4, n), rng.uniform(-60, 60, n))
    check_power(np.exp(rng.uniform(-80, 80, n)), rng.uniform(-2, 2, n))
    check_power(-np.exp(rng.uniform(-20, 20, n)), rng.integers(-9, 9, n))
    # The logarithm of the base is nearly 0, the exponent large.
    check_power(1 + rng.uniform(-1e-4, 1e-4, n), rng.uniform(-8e5, 8e5, n))
    bits = rng.integers(0, 2**32, (2, n), dtype=np.uint32).view(np.float32)
    check_power(bits[0], bits[1])


def test_no_library_is_called() -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None,))
    for name in FUNCTIONS:
        builder.output(getattr(builder, name)(x))
    builder.output(builder.power(x, x))
    graph = builder.build()
    for target in ("x86-64", "avx2"):
        text = ndl.compile(graph).asm(target)
        assert "vfmadd" not in text
        assert not [line for line in text.splitlines() if "@PLT" in line]
