# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparisons, reductions, moving operations and batches beside the interpreter.

Whatever does not sum has the same bits; sums are within the bounds (B1) and (B5) of
docs/Spec.md. The interpreter itself is held against NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from differential import (
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

Shape = tuple[int | None, ...]
Emit = Callable[..., ndl.builder.Value]
Built = tuple[ndl.Graph, list[Runnable]]

PREDICATES: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def build(shapes: Sequence[Shape], emit: Callable[..., ndl.builder.Value]) -> Built:
    """A graph of one operation; ``emit`` takes the builder and the inputs."""
    builder = ndl.GraphBuilder()
    inputs = [builder.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    builder.output(emit(builder, *inputs))
    graph = builder.build()
    return graph, compile_everywhere(graph)


#
# Comparisons and choices
#


@functools.cache
def comparison(predicate: str) -> Built:
    return build([(None, None), (None,)], lambda b, x, y: b.compare(x, y, predicate))


@examples(40)
@given(st.sampled_from(sorted(PREDICATES)), SIZES, SIZES, SEEDS)
def test_compare(predicate: str, rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = values(rng, (rows, columns)), values(rng, (columns,))
    x = np.where(rng.random(x.shape) < 0.3, y, x)
    graph, executables = comparison(predicate)
    (result,) = check_exact(graph, executables, (x, y))
    same_bits(result, PREDICATES[predicate](x, y).astype(np.float32))


@functools.cache
def selection() -> Built:
    return build([(None, 1), (None, None), ()], lambda b, c, x, y: b.select(c, x, y))


@examples(30)
@given(SIZES, SIZES, SEEDS)
def test_select(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    condition = rng.choice(
        np.array([0.0, -0.0, 1.0, np.nan, 1e-45], np.float32), (rows, 1)
    )
    x, y = values(rng, (rows, columns)), values(rng, ())
    graph, executables = selection()
    (result,) = check_exact(graph, executables, (condition, x, y))
    same_bits(result, np.where(condition != 0, x, y))


#
# Reductions
#


@functools.cache
def reduction(kind: str, axes: tuple[int, ...], keepdims: bool, static: Shape) -> Built:
    return build([static], lambda b, x: getattr(b, kind)(x, axes, keepdims=keepdims))


AXES = st.lists(st.integers(0, 2), unique=True).map(lambda axes: tuple(sorted(axes)))


@examples(60)
@given(AXES, st.booleans(), SIZES, SIZES, SIZES, SEEDS)
def test_reduce_sum(
    axes: tuple[int, ...], keepdims: bool, a: int, b: int, c: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(a, b, c)) * 10.0 ** rng.integers(-3, 4)).astype(np.float32)
    graph, executables = reduction("reduce_sum", axes, keepdims, (None, None, None))
    expected = np.asarray(ndl.reference(graph, x))
    wide = x.astype(np.float64).sum(axes, keepdims=keepdims)
    np.testing.assert_allclose(
        expected, wide, rtol=1e-6, atol=1e-30 + 1e-12 * a * b * c
    )
    bound = model.sum_bound(x, axes, keepdims)
    for executable in executables:
        actual = executable(x)
        assert actual.shape == expected.shape
        distance = np.abs(actual.astype(np.float64) - expected)
        assert (distance <= bound).all(), executable.target


@examples(60)
@given(AXES, st.booleans(), SIZES, SIZES, SIZES, SEEDS)
def test_reduce_max(
    axes: tuple[int, ...], keepdims: bool, a: int, b: int, c: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = values(rng, (a, b, c))
    x = np.where(rng.random(x.shape) < 0.9, np.nan_to_num(x), x)
    graph, executables = reduction("reduce_max", axes, keepdims, (None, None, None))
    (result,) = check_exact(graph, executables, (x,))
    expected = x.max(axes, keepdims=keepdims, initial=-np.inf)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize(
    "shape", [(64, 256), (1, 200_000), (3001, 7), (128, 10), (1 << 22, 2)]
)
def test_reductions_of_static_shape(shape: Shape, axes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(7)
    # None is negative: the error of a long sum in f32 would show.
    x = np.abs(rng.normal(size=shape)).astype(np.float32)
    graph, executables = reduction("reduce_sum", axes, False, shape)
    expected = np.asarray(ndl.reference(graph, x))
    for executable in executables:
        distance = np.abs(executable(x).astype(np.float64) - expected)
        assert (distance <= model.sum_bound(x, axes)).all(), executable.target
    check_exact(*reduction("reduce_max", axes, True, shape), (x,))


def test_reductions_of_nothing() -> None:
    x = np.ones((0, 3), np.float32)
    for kind, identity in (("reduce_sum", 0.0), ("reduce_max", -np.inf)):
        graph, executables = reduction(kind, (0,), False, (None, 3))
        (result,) = check_exact(graph, executables, (x,))
        same_bits(result, np.full(3, identity, np.float32))


def test_a_reduction_takes_what_it_needs_along() -> None:
    """softmax: functions fused into reductions, and the other way round."""
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None, 33))
    shifted = builder.sub(x, builder.reduce_max(x, 1, keepdims=True))
    power = builder.exp(shifted)
    builder.output(builder.div(power, builder.reduce_sum(power, 1, keepdims=True)))
    rng = np.random.default_rng(3)
    values_ = rng.normal(size=(17, 33)).astype(np.float32) * 5
    # The difference is rounded to f32 as in the graph.
    wide = np.exp((values_ - values_.max(1, keepdims=True)).astype(np.float64))
    exact = wide / wide.sum(1, keepdims=True)
    for executable in compile_everywhere(builder.build()):
        # exp within 1 ulp, a sum of 33 positive terms, a division.
        relative = np.abs(executable(values_) - exact) / exact
        assert relative.max() <= 2 * model.U * 2 + model.gamma(33) + 2 * model.U


#
# Moving operations
#


@examples(30)
@given(SIZES, SIZES, SEEDS)
def test_moving_of_dynamic_shapes(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = values(rng, (rows, columns)), values(rng, (3, columns))
    graph, executables = moving()
    results = check_exact(graph, executables, (x, y))
    same_bits(results[0], np.broadcast_to(x, (2, rows, columns)))
    same_bits(results[1], x[::-1, ::-1])
    same_bits(results[2], np.pad(x, ((1, 2), (0, 3))))
    same_bits(results[3], np.concatenate([x, y, x]))
    same_bits(results[4], y[::2])


@functools.cache
def moving() -> Built:
    builder = ndl.GraphBuilder()
    x, y = builder.input("x", (None, None)), builder.input("y", (3, None))
    builder.output(builder.broadcast_to(x, (2, None, None)))
    builder.output(builder.reverse(x))
    builder.output(builder.pad(x, (1, 0), (2, 3)))
    builder.output(builder.concat([x, y, x]))
    builder.output(builder.slice(y, (0, 0), (None, None), (2, 1)))
    graph = builder.build()
    return graph, compile_everywhere(graph)


@pytest.mark.parametrize("seed", range(12))
def test_moving_of_static_shapes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(0, 5))
    shape = tuple(int(size) for size in rng.integers(0, 6, rank))
    x = values(rng, shape)
    low, high, interior = (rng.integers(0, 3, rank) for _ in range(3))
    starts = np.array([rng.integers(0, size + 1) for size in shape], int)
    limits = np.array(
        [
            rng.integers(start, size + 1)
            for start, size in zip(starts, shape, strict=True)
        ],
        int,
    )
    steps = rng.integers(1, 4, rank)
    axes = [axis for axis in range(rank) if rng.random() < 0.5]
    kept = tuple(1 if rng.random() < 0.3 else size for size in shape)

    builder = ndl.GraphBuilder()
    value = builder.input("x", shape)
    builder.output(builder.pad(value, low, high, interior))
    builder.output(builder.slice(value, starts, limits, steps))
    builder.output(builder.reverse(value, axes))
    builder.output(builder.broadcast_to(builder.input("k", kept), (2, *shape)))
    graph = builder.build()
    k = values(rng, kept)
    results = check_exact(graph, compile_everywhere(graph), (x, k))

    padded = [
        lo + size + max(size - 1, 0) * between + hi
        for lo, size, between, hi in zip(low, shape, interior, high, strict=True)
    ]
    expected = np.zeros(padded, np.float32)
    ends = low + np.maximum(np.array(shape, int) - 1, 0) * interior + shape
    places = zip(low, ends, interior + 1, strict=True)
    expected[tuple(slice(lo, end, step) for lo, end, step in places)] = x
    same_bits(results[0], expected)
    taken = zip(starts, limits, steps, strict=True)
    same_bits(results[1], x[tuple(slice(*one) for one in taken)])
    same_bits(results[2], np.flip(x, axes))
    same_bits(results[3], np.ascontiguousarray(np.broadcast_to(k, (2, *shape))))


#
# Batches of matrices
#


def check_batch(
    built: Built, x: Array, y: Array, transposed: tuple[bool, bool]
) -> None:
    graph, executables = built
    expected = np.asarray(ndl.reference(graph, (x, y)))
    lhs = x.swapaxes(-1, -2) if transposed[0] else x
    rhs = y.swapaxes(-1, -2) if transposed[1] else y
    wide = lhs.astype(np.float64) @ rhs.astype(np.float64)
    np.testing.assert_allclose(expected, wide, rtol=1e-5, atol=1e-5)
    batch = np.broadcast_shapes(lhs.shape[:-2], rhs.shape[:-2])
    lhs = np.broadcast_to(lhs, (*batch, *lhs.shape[-2:]))
    rhs = np.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    for executable in executables:
        actual = executable(x, y)
        assert actual.shape == expected.shape
        for index in np.ndindex(*batch):
            bound = model.float_sum_bound(lhs[index], rhs[index])
            distance = np.abs(actual[index].astype(np.float64) - expected[index])
            assert (distance <= bound).all(), (executable.target, index)
        # Without a batch there is nothing to execute.
        if expected.shape[0]:
            kernels_of(executable, "needle.matmul")


@functools.cache
def batch(lhs: Shape, rhs: Shape, transposed: tuple[bool, bool]) -> Built:
    return build([lhs, rhs], lambda b, x, y: b.matmul(x, y, *transposed))


BOTH = st.tuples(st.booleans(), st.booleans())


@examples(30)
@given(BOTH, st.integers(0, 3), st.integers(0, 3), SIZES, SIZES, SIZES, SEEDS)
def test_dynamic_batches(
    transposed: tuple[bool, bool], a: int, b: int, m: int, n: int, k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(a, b, *((k, m) if transposed[0] else (m, k))))
    y = rng.normal(size=(b, *((n, k) if transposed[1] else (k, n))))
    built = batch((None,) * 4, (None,) * 3, transposed)
    check_batch(built, x.astype(np.float32), y.astype(np.float32), transposed)


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        ((3,), ()),
        ((), (3,)),
        ((2, 1), (3,)),
        ((1, 4), (5, 1)),
        ((2, 3), (2, 3)),
        ((0,), (0,)),
    ],
)
def test_static_batches(
    lhs: tuple[int, ...], rhs: tuple[int, ...], transposed: tuple[bool, bool]
) -> None:
    rng = np.random.default_rng(5)
    m, k, n = 7, 19, 17
    x = rng.normal(size=(*lhs, *((k, m) if transposed[0] else (m, k))))
    y = rng.normal(size=(*rhs, *((n, k) if transposed[1] else (k, n))))
    built = batch(x.shape, y.shape, transposed)
    check_batch(built, x.astype(np.float32), y.astype(np.float32), transposed)


def test_batches_that_differ_are_an_error() -> None:
    _, executables = batch((None,) * 4, (None,) * 3, (False, False))
    x, y = np.ones((2, 3, 4, 5), np.float32), np.ones((2, 5, 6), np.float32)
    with pytest.raises(ValueError, match=r"dimension 0 of rhs .* must equal"):
        executables[0](x, y)
