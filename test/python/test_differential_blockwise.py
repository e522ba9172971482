# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products with 4-bit weights, compiled, beside the reference interpreter (N9)."""

from __future__ import annotations

import re

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from differential import (
    DEPTHS,
    SEEDS,
    SIZES,
    Array,
    Runnable,
    check_exact,
    compile_everywhere,
    examples,
    kernels_of,
    same_bits,
    values,
)
from hypothesis import given
from hypothesis import strategies as st
from test_blockwise import product

#: Sizes of blocks, and where they meet the kernels' chunks of 32.
BLOCK_SIZES = st.sampled_from([16, 32, 64, 128, 256, 512, 65536])
#: Also more rows than two tiles, and than one block of rows.
ROWS = st.one_of(SIZES, st.sampled_from([100, 193]))


def random_weight(
    rng: np.random.Generator, k: int, n: int, block_size: int, symmetric: bool
) -> tuple[Array, Array, Array | None]:
    """Every integer that fits, extremes more often than others."""
    low, high = (-8, 7) if symmetric else (0, 15)
    q = rng.integers(low, high + 1, (k, n))
    q = np.where(rng.random((k, n)) < rng.random(), rng.choice([low, high]), q)
    shape = (-(-k // block_size), n)
    scales = np.exp(rng.normal(size=shape) * 4).astype(np.float32)
    if symmetric:
        return q.astype(np.int8), scales, None
    zero_points = rng.choice([0, 15, rng.integers(16)], shape).astype(np.uint8)
    return q.astype(np.uint8), scales, zero_points


def check_kernel(executable: Runnable, block_size: int, kinds: str) -> None:
    (kernel,) = kernels_of(executable, "needle.qmatmul_blockwise")
    name = rf"qmatmul_blockwise_{kinds}_b{block_size}\.{executable.target}\.\d+x\d+"
    assert re.fullmatch(name, kernel.name)


@given(
    m=ROWS,
    k=DEPTHS,
    n=SIZES,
    block_size=BLOCK_SIZES,
    symmetric=st.booleans(),
    usual=st.booleans(),
    seed=SEEDS,
)
@examples(15)
def test_integer_activations(
    m: int,
    k: int,
    n: int,
    block_size: int,
    symmetric: bool,
    usual: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    # NaN, infinities and denormals, or the largest sums that there can be.
    x = values(rng, (m, k))
    if usual:
        x = rng.choice(np.array([-1, 1], np.float32), (m, k))
    weight = random_weight(rng, k, n, block_size, symmetric)
    graph = product(x, *weight, block_size, "int8")
    executables = compile_everywhere(graph)
    check_exact(graph, executables, [x])
    for executable in executables:
        check_kernel(executable, block_size, "s8i4" if symmetric else "s8u4")


@given(
    m=ROWS,
    k=DEPTHS,
    n=SIZES,
    block_size=BLOCK_SIZES,
    symmetric=st.booleans(),
    exponent=st.integers(-30, 15),
    seed=SEEDS,
)
@examples(15)
def test_float_activations(
    m: int,
    k: int,
    n: int,
    block_size: int,
    symmetric: bool,
    exponent: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(m, k)) * 10.0**exponent).astype(np.float32)
    weight = random_weight(rng, k, n, block_size, symmetric)
    graph = product(x, *weight, block_size, "float32")
    expected = ndl.reference(graph, (x,))
    assert isinstance(expected, np.ndarray)
    bound = model.blockwise_float_bound(x, *weight, block_size)
    for executable in compile_everywhere(graph):
        actual = executable(x)
        assert actual.shape == (m, n)
        difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
        assert np.all(difference <= bound), (executable.target, difference.max())
        check_kernel(executable, block_size, "f32i4" if symmetric else "f32u4")


@pytest.mark.parametrize("activations", ["int8", "float32"])
@pytest.mark.parametrize("m", [1, 9, 64, 200])
def test_threads_do_not_change_bits(activations: str, m: int) -> None:
    rng = np.random.default_rng(m)
    k, n = 300, 1000
    x = rng.normal(size=(m, k)).astype(np.float32)
    weight = random_weight(rng, k, n, 32, symmetric=False)
    graph = product(x, *weight, 32, activations)
    for one, two in zip(
        compile_everywhere(graph, 1), compile_everywhere(graph, 2), strict=True
    ):
        same_bits(one(x), two(x), one.target)


@pytest.mark.parametrize("activations", ["int8", "float32"])
def test_strided_input(activations: str) -> None:
    """Rows of a transposed array are gathered before they are multiplied."""
    rng = np.random.default_rng(5)
    builder = ndl.GraphBuilder()
    x = builder.input("x", (40, None))
    weight = random_weight(rng, 40, 17, 32, symmetric=True)
    y = builder.matmul_blockwise(
        builder.transpose(x), *weight, block_size=32, activations=activations
    )
    builder.output(y, name="y")
    graph = builder.build()
    data = rng.normal(size=(40, 30)).astype(np.float32)
    expected = ndl.reference(graph, (data,))
    assert isinstance(expected, np.ndarray)
    for executable in compile_everywhere(graph):
        if activations == "int8":
            same_bits(executable(data), expected)
            continue
        bound = model.blockwise_float_bound(data.T, *weight, 32)
        assert np.all(np.abs(executable(data) - expected) <= bound)


@given(k=DEPTHS, n=SIZES, block_size=BLOCK_SIZES, symmetric=st.booleans(), seed=SEEDS)
@examples(10)
def test_dequantize(
    k: int, n: int, block_size: int, symmetric: bool, seed: int
) -> None:
    """The weight by itself and multiplied, here known only at run time."""
    rng = np.random.default_rng(seed)
    q, scales, zero_points = random_weight(rng, k, n, block_size, symmetric)
    arrays = [q, scales] + ([] if zero_points is None else [zero_points])
    builder = ndl.GraphBuilder()
    inputs = [
        builder.input(name, array.shape, array.dtype)
        for name, array in zip("qsz", arrays, strict=False)
    ]
    attributes = f"{{block_size = {block_size} : i64}}"
    (w,) = builder.op("dequantize_blockwise", *inputs, attributes=attributes)
    builder.output(w, name="w")
    x = builder.input("x", (None, k))
    builder.output(builder.matmul(x, w), name="y")
    graph = builder.build()
    # One row of the weight each: no sum is rounded.
    arrays.append(np.eye(min(k, 3), k, dtype=np.float32))
    expected, _ = check_exact(graph, compile_everywhere(graph), arrays)
    same_bits(expected, model.blockwise_weight(q, scales, zero_points, block_size))


def test_run_time_weight_is_an_error() -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (1, 16))
    q = builder.input("q", (16, 2), np.int8)
    scales = np.ones((1, 2), np.float32)
    builder.output(builder.matmul_blockwise(x, q, scales, block_size=16), name="y")
    with pytest.raises(
        ndl.CompileError, match="integers of a 4-bit weight are not constant"
    ):
        ndl.compile(builder.build())


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("q", "integers of a 4-bit weight must be from 0 to 15, but element 3 is 16"),
        ("zero_points", "zero points of a 4-bit weight .* but element 1 is 16"),
    ],
)
def test_wide_constant_is_an_error(which: str, message: str) -> None:
    q = np.zeros((16, 2), np.uint8)
    zero_points = np.zeros((1, 2), np.uint8)
    if which == "q":
        q[1, 1] = 16
    else:
        zero_points[0, 1] = 16
    graph = product(
        np.ones((1, 16)), q, np.ones((1, 2), np.float32), zero_points, 16, "int8"
    )
    with pytest.raises(ndl.CompileError, match=message):
        ndl.compile(graph)
