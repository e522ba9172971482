# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""4-bit weights in blocks: the interpreter and the library against NumPy (N9)."""

from __future__ import annotations

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from differential import SEEDS, Array, examples, same_bits, values
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.sampled_from([1, 2, 3, 7, 16, 17])
DEPTHS = st.sampled_from([1, 2, 15, 16, 17, 31, 33, 64, 100])
BLOCK_SIZES = st.sampled_from([16, 32, 64])


def product(
    x: Array,
    q: Array,
    scales: Array,
    zero_points: Array | None,
    block_size: int,
    activations: str,
) -> ndl.Graph:
    """A graph of one product with a constant weight."""
    builder = ndl.GraphBuilder()
    value = builder.input("x", (None, x.shape[1]))
    result = builder.matmul_blockwise(
        value,
        q,
        scales,
        zero_points,
        block_size=block_size,
        activations=activations,
    )
    builder.output(result, name="y")
    return builder.build()


@given(k=DEPTHS, n=SIZES, block_size=BLOCK_SIZES, symmetric=st.booleans(), seed=SEEDS)
@examples(60)
def test_quantize_blockwise(
    k: int, n: int, block_size: int, symmetric: bool, seed: int
) -> None:
    w = values(np.random.default_rng(seed), (k, n))
    stored, scales, zero_points = ndl.quantize_blockwise(w, block_size, symmetric)
    expected = model.quantize_blockwise(w, block_size, symmetric)
    assert stored.dtype == (np.int8 if symmetric else np.uint8)
    np.testing.assert_array_equal(stored, expected[0])
    same_bits(scales, expected[1])
    if symmetric:
        assert zero_points is None
    else:
        assert zero_points is not None
        assert zero_points.dtype == np.uint8
        np.testing.assert_array_equal(zero_points, expected[2])


@given(
    m=SIZES,
    k=DEPTHS,
    n=SIZES,
    block_size=BLOCK_SIZES,
    symmetric=st.booleans(),
    seed=SEEDS,
)
@examples(40)
def test_integer_activations(
    m: int, k: int, n: int, block_size: int, symmetric: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = values(rng, (m, k))
    weight = ndl.quantize_blockwise(values(rng, (k, n)), block_size, symmetric)
    graph = product(x, *weight, block_size, "int8")
    expected = model.blockwise_integer(x, *weight, block_size)
    same_bits(ndl.reference(graph, (x,)), expected)


@given(
    m=SIZES,
    k=DEPTHS,
    n=SIZES,
    block_size=BLOCK_SIZES,
    symmetric=st.booleans(),
    seed=SEEDS,
)
@examples(40)
def test_float_activations(
    m: int, k: int, n: int, block_size: int, symmetric: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, k)).astype(np.float32)
    w = rng.normal(size=(k, n)).astype(np.float32)
    weight = ndl.quantize_blockwise(w, block_size, symmetric)
    graph = product(x, *weight, block_size, "float32")
    expected = model.matmul(x, model.blockwise_weight(*weight, block_size))
    same_bits(ndl.reference(graph, (x,)), expected)


def test_reference_refuses_wider_integers() -> None:
    builder = ndl.GraphBuilder()
    q = builder.input("q", (16, 2), np.int8)
    x = builder.input("x", (1, 16))
    scales = np.ones((1, 2), np.float32)
    builder.output(builder.matmul_blockwise(x, q, scales, block_size=16), name="y")
    graph = builder.build()
    wide = np.zeros((16, 2), np.int8)
    wide[3, 1] = -9
    with pytest.raises(
        ndl.CompileError, match="weight must be from -8 to 7, but element 7 is -9"
    ):
        ndl.reference(graph, (wide, np.ones((1, 16), np.float32)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((2, 2)),), TypeError, "float32, got float64"),
        ((np.ones(2, np.float32),), ValueError, r"two dimensions \(K, N\)"),
        ((np.ones((2, 2), np.float32), 8), ValueError, "at least 16"),
        ((np.ones((2, 2), np.float32), 48), ValueError, "power of two, not 48"),
        ((np.ones((2, 2), np.float32), 32, 1), TypeError, "True or False"),
    ],
)
def test_wrong_arguments(
    arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ndl.quantize_blockwise(*arguments)  # type: ignore[arg-type]


def test_wrong_activations() -> None:
    x = np.ones((1, 16), np.float32)
    weight = ndl.quantize_blockwise(np.ones((16, 1), np.float32), 16)
    with pytest.raises(ValueError, match="='int4' is none of 'float32' and 'int8'"):
        product(x, *weight, 16, "int4")


def test_empty_weight() -> None:
    stored, scales, _ = ndl.quantize_blockwise(np.ones((0, 3), np.float32))
    assert stored.shape == (0, 3)
    assert scales.shape == (0, 3)


@pytest.mark.parametrize(
    ("shapes", "name"),
    [(((32,), (32, 5)), "lhs"), (((1, 32), (32,)), "weight"), (((), ()), "lhs")],
)
def test_operands_that_are_no_matrices(
    shapes: tuple[tuple[int, ...], ...], name: str
) -> None:
    builder = ndl.GraphBuilder()
    x, q = builder.input("x", shapes[0]), builder.input("q", shapes[1], "int8")
    scales = builder.input("s", (1, 5))
    with pytest.raises(ndl.CompileError, match=f"op {name} must have rank 2"):
        builder.matmul_blockwise(x, q, scales, block_size=32)


def test_zero_points_and_the_type_of_the_weight() -> None:
    builder = ndl.GraphBuilder()
    x, scales = builder.input("x", (3, 32)), builder.input("s", (1, 5))
    signed = builder.input("q", (32, 5), "int8")
    unsigned = builder.input("u", (32, 5), "uint8")
    zeros = builder.input("z", (1, 5), "uint8")
    with pytest.raises(ndl.CompileError, match="of ui8 needs zero_points"):
        builder.matmul_blockwise(x, unsigned, scales, block_size=32)
    with pytest.raises(ndl.CompileError, match="takes no zero_points"):
        builder.matmul_blockwise(x, signed, scales, zeros, block_size=32)
    with pytest.raises(ndl.CompileError, match="scales must have shape 2x5, one value"):
        builder.matmul_blockwise(x, unsigned, scales, zeros, block_size=16)


def test_missing_block_size() -> None:
    builder = ndl.GraphBuilder()
    x, q = builder.input("x", (3, 32)), builder.input("q", (32, 5), "int8")
    scales = builder.input("s", (1, 5))
    with pytest.raises(ndl.CompileError, match="requires attribute 'block_size'"):
        builder.op("qmatmul_blockwise", x, q, scales)
