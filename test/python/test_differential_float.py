# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float operations, compiled, beside the reference interpreter.

Everything without a float sum has the same bits (N1 to N3, N7); sums are within the
bound (B1) of docs/Spec.md, and have the same bits for any number of threads.
"""

from __future__ import annotations

import functools
import itertools

import emulation
import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from differential import (
    DEPTHS,
    ROWS,
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

Built = tuple[ndl.Graph, list[Runnable]]


@functools.cache
def build(text: str) -> Built:
    graph = ndl.parse(text)
    return graph, compile_everywhere(graph)


def function(arguments: list[str], op: str, result: str) -> str:
    named = ", ".join(f"%{i}: {type_}" for i, type_ in enumerate(arguments))
    count = result.count("tensor<")
    names = ", ".join(f"%r{i}" for i in range(count))
    return (
        f"func.func @main({named}) -> ({result}) {{\n"
        f"  {names} = {op}\n  return {names} : {result}\n}}\n"
    )


#
# Matrix products
#


def matmul_text(transposed: tuple[bool, bool], bias: bool, activation: str) -> str:
    f = "tensor<?x?xf32>"
    attributes = [f"activation = #needle.activation<{activation}>"]
    attributes += ["transpose_lhs"] * transposed[0] + ["transpose_rhs"] * transposed[1]
    return function(
        [f, f] + ["tensor<?xf32>"] * bias,
        f"needle.matmul %0, %1{' bias(%2 : tensor<?xf32>)' * bias} "
        f"{{{', '.join(attributes)}}} : {f}, {f} -> {f}",
        f,
    )


TRANSPOSED = list(itertools.product([False, True], repeat=2))


@pytest.mark.parametrize(
    ("transposed", "bias", "activation"),
    [
        (transposed, index % 2 == 0, ("none", "relu")[index // 2])
        for index, transposed in enumerate(TRANSPOSED)
    ]
    + [(transposed, True, "none") for transposed in TRANSPOSED[1:2]],
)
@given(m=ROWS, n=SIZES, k=DEPTHS, exponent=st.integers(-30, 15), seed=SEEDS)
@examples(25)
def test_matmul(
    transposed: tuple[bool, bool],
    bias: bool,
    activation: str,
    m: int,
    n: int,
    k: int,
    exponent: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0**exponent
    x, w, b = (
        (rng.normal(size=shape) * scale).astype(np.float32)
        for shape in ((m, k), (k, n), (n,))
    )
    inputs = [
        np.ascontiguousarray(x.T) if transposed[0] else x,
        np.ascontiguousarray(w.T) if transposed[1] else w,
    ] + [b] * bias
    graph, executables = build(matmul_text(transposed, bias, activation))
    expected = ndl.reference(graph, inputs)
    assert isinstance(expected, np.ndarray)
    bound = model.float_sum_bound(x, w)
    if bias:
        bound = model.after_bias_bound(bound, model.matmul(x, w, b))
    for executable in executables:
        actual = executable(*inputs)
        assert actual.shape == (m, n)
        difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
        assert np.all(difference <= bound), (executable.target, difference.max())
        (kernel,) = kernels_of(executable, "needle.matmul")
        assert kernel.name.startswith("matmul_f32")
        assert ("_bias" in kernel.name) == bias
        assert ("_relu" in kernel.name) == (activation == "relu")


@given(m=SIZES, n=SIZES, k=SIZES, seed=SEEDS)
@examples(40)
def test_matmul_of_special_values(m: int, n: int, k: int, seed: int) -> None:
    """N7: where an operand is NaN or infinite, and that alone, so is the result."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    for array in (x, w):
        places = rng.random(array.shape) < 0.05
        array[places] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], places.sum())
    inputs = [x.astype(np.float32), w.astype(np.float32)]
    graph, executables = build(matmul_text((False, False), False, "none"))
    expected = ndl.reference(graph, inputs)
    assert isinstance(expected, np.ndarray)
    for executable in executables:
        actual = executable(*inputs)
        for kind in (np.isnan, np.isposinf, np.isneginf):
            np.testing.assert_array_equal(kind(actual), kind(expected))


@pytest.mark.parametrize("transposed", TRANSPOSED)
def test_threads_do_not_change_a_bit(transposed: tuple[bool, bool]) -> None:
    seed = 11
    rng = np.random.default_rng(seed)
    m, n, k = 211, 97, 129
    x = rng.normal(size=(k, m) if transposed[0] else (m, k)).astype(np.float32)
    w = rng.normal(size=(n, k) if transposed[1] else (k, n)).astype(np.float32)
    _, single = build(matmul_text(transposed, False, "none"))
    for executable in single:
        expected = executable(x, w)
        for threads in (2, 3, 5):
            several = type(executable)(executable.artifact, executable.target, threads)
            assert several.threads == threads
            for _ in range(3):
                same_bits(several(x, w), expected, (executable.target, threads, seed))


@pytest.mark.skipif(bool(emulation.RUNNER), reason="AArch64 fuses on every CPU")
@pytest.mark.parametrize("k", [1, 511, 513, 1031, 2049])
@pytest.mark.parametrize("n", [15, 64, 131, 300])
def test_sums_have_the_order_of_k(n: int, k: int) -> None:
    """Without fused operations the bits are NumPy's, term after term."""
    seed = 21
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(13, k)).astype(np.float32)
    w = rng.normal(size=(k, n)).astype(np.float32)
    b = rng.normal(size=n).astype(np.float32)
    expected = np.zeros((13, n), np.float32)
    for i in range(k):
        expected += x[:, i : i + 1] * w[i]
    expected += b
    _, executables = build(matmul_text((False, False), True, "none"))
    (baseline,) = [each for each in executables if each.target == "x86-64"]
    for m in (13, 1):
        same_bits(baseline(x[:m], w, b), expected[:m], (m, n, k, seed))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_row_does_not_depend_on_the_others(transposed: bool) -> None:
    """One row and two have kernels of their own, blocks end in tiles of 1 to 5."""
    seed = 12
    rng = np.random.default_rng(seed)
    k, n = 1031, 287
    x = rng.normal(size=(301, k)).astype(np.float32)
    w = rng.normal(size=(k, n)).astype(np.float32)

    def lhs(rows: Array) -> Array:
        return np.ascontiguousarray(rows.T) if transposed else rows

    _, executables = build(matmul_text((transposed, False), False, "none"))
    for executable in executables:
        expected = executable(lhs(x), w)
        for m in (1, 2, 3, 4, 5, 6, 7, 97):
            same_bits(executable(lhs(x[:m]), w), expected[:m], (m, seed))
    tiles = {
        "x86-64": {1: "1x32", 2: "2x16"},
        "neon": {1: "1x32", 2: "2x16"},
        "avx2": {1: "1x64", 2: "2x32"},
        "avx-vnni": {1: "1x64", 2: "2x32"},
        "avx512-vnni": {1: "1x128", 2: "2x64"},
    }
    for m in (1, 2):
        f, g, h = (
            f"tensor<{m}x{k}xf32>",
            f"tensor<{k}x{n}xf32>",
            f"tensor<{m}x{n}xf32>",
        )
        _, fixed = build(function([f, g], f"needle.matmul %0, %1 : {f}, {g} -> {h}", h))
        for executable, dynamic in zip(fixed, executables, strict=True):
            same_bits(executable(x[:m], w), dynamic(lhs(x), w)[:m], (m, seed))
            (kernel,) = kernels_of(executable, "needle.matmul")
            assert kernel.name.endswith(f".{tiles[executable.target][m]}")


#
# Elementwise, shapes
#

BINARY = ["add", "sub", "mul", "div", "maximum", "minimum"]
UNARY = ["relu", "neg", "abs", "sqrt"]


@pytest.mark.parametrize("name", BINARY)
@given(m=SIZES, n=SIZES, seed=SEEDS)
@examples(20)
def test_binary(name: str, m: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    f = "tensor<?x?xf32>"
    text = function([f, f], f"needle.{name} %0, %1 : {f}, {f} -> {f}", f)
    graph, executables = build(text)
    check_exact(graph, executables, [values(rng, (m, n)), values(rng, (m, n))])


BROADCASTS = [("?x8", "8", "?x8"), ("?x1", "1x8", "?x8"), ("", "?x3", "?x3")]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shapes", BROADCASTS)
def test_broadcast(name: str, shapes: tuple[str, str, str]) -> None:
    seed = 5
    rng = np.random.default_rng(seed)
    types = [f"tensor<{shape + 'x' * bool(shape)}f32>" for shape in shapes]
    text = function(
        types[:2],
        f"needle.{name} %0, %1 : {types[0]}, {types[1]} -> {types[2]}",
        types[2],
    )
    graph, executables = build(text)
    for rows in (0, 1, 7, 64):
        inputs = [
            values(
                rng,
                [rows if dim == "?" else int(dim) for dim in shape.split("x") if dim],
            )
            for shape in shapes[:2]
        ]
        check_exact(graph, executables, inputs)


@given(size=st.integers(0, 200), seed=SEEDS)
@examples(60)
def test_unary_chain(size: int, seed: int) -> None:
    """Each alone and all after another, fused or not: the same bits."""
    x = values(np.random.default_rng(seed), (size,))
    builder = ndl.GraphBuilder("unary")
    value = builder.input("x", (None,))
    chain = value
    for name in UNARY:
        builder.output(getattr(builder, name)(value), name=name)
        chain = getattr(builder, name)(builder.add(chain, 0.25))
    builder.output(chain, name="chain")
    graph, executables = _built(builder)
    check_exact(graph, executables, [x])


_KEPT: dict[bytes, Built] = {}


def _built(builder: ndl.GraphBuilder) -> Built:
    """As build(), for a graph that the builder makes anew for each example."""
    graph = builder.build()
    if graph.fingerprint() not in _KEPT:
        _KEPT[graph.fingerprint()] = graph, compile_everywhere(graph)
    return _KEPT[graph.fingerprint()]


@pytest.mark.parametrize("permutation", list(itertools.permutations(range(3))))
@given(shape=st.tuples(SIZES, st.integers(0, 5), SIZES), seed=SEEDS)
@examples(10)
def test_transpose(
    permutation: tuple[int, ...], shape: tuple[int, ...], seed: int
) -> None:
    x = values(np.random.default_rng(seed), shape)
    f = "tensor<?x?x?xf32>"
    attribute = f"{{permutation = array<i64: {', '.join(map(str, permutation))}>}}"
    text = function([f], f"needle.transpose %0 {attribute} : {f} -> {f}", f)
    graph, executables = build(text)
    (result,) = check_exact(graph, executables, [x])
    same_bits(result, np.ascontiguousarray(x.transpose(permutation)))


@given(m=st.integers(0, 30), n=st.sampled_from([1, 2, 7]), seed=SEEDS)
@examples(20)
def test_reshape(m: int, n: int, seed: int) -> None:
    x = values(np.random.default_rng(seed), (m, 6 * n))
    f, g = "tensor<?x?xf32>", "tensor<?x3x2xf32>"
    graph, executables = build(function([f], f"needle.reshape %0 : {f} -> {g}", g))
    (result,) = check_exact(graph, executables, [x])
    same_bits(result, x.reshape(-1, 3, 2) if x.size else x.reshape(0, 3, 2))


#
# Between float and integer
#

PARAMETERS = [
    ("u8", 0.013696, 140),
    ("u8", 1 / 3, 0),
    ("u8", 1.5e-39, 255),
    ("i8", 0.5, -128),
    ("i8", 3e35, 127),
    ("i8<-127:127>", 0.1, 0),
]


@pytest.mark.parametrize("parameters", PARAMETERS)
@given(m=SIZES, n=SIZES, seed=SEEDS)
@examples(12)
def test_quantize(
    parameters: tuple[str, float, int], m: int, n: int, seed: int
) -> None:
    """quantize, dequantize, fake_quantize, requantize in one module."""
    stored, scale, zero = parameters
    scale = float(np.float32(scale))
    element = f"!quant.uniform<{stored}:f32, {scale!r}:{zero}>"
    q = f"tensor<?x?x{element}>"
    r = "tensor<?x?x!quant.uniform<u8:f32, 0.75:13>>"
    f = "tensor<?x?xf32>"
    text = f"""func.func @main(%x: {f}) -> ({q}, {f}, {f}, {r}) {{
      %q = needle.quantize %x : {f} -> {q}
      %d = needle.dequantize %q : {q} -> {f}
      %g = needle.fake_quantize %x {{type = {element}}} : {f} -> {f}
      %r = needle.requantize %q : {q} -> {r}
      return %q, %d, %g, %r : {q}, {f}, {f}, {r}
    }}"""
    graph, executables = build(text)
    x = values(np.random.default_rng(seed), (m, n), scale)
    results = check_exact(graph, executables, [x])
    assert results[0].dtype == (np.uint8 if stored == "u8" else np.int8)
    spec = executables[0].outputs[0].quantization
    assert spec is not None
    assert (spec.scales, spec.zero_points) == ((scale,), (zero,))


@pytest.mark.parametrize("axis", [0, 1])
def test_quantize_per_axis(axis: int) -> None:
    seed = 8
    rng = np.random.default_rng(seed)
    channels = 13
    scales = rng.uniform(0.01, 2, channels).astype(np.float32)
    zeros = rng.integers(-128, 128, channels)
    entries = ",".join(f"{float(s)!r}:{z}" for s, z in zip(scales, zeros, strict=True))
    dims = "13x?" if axis == 0 else "?x13"
    f = f"tensor<{dims}xf32>"
    q = f"tensor<{dims}x!quant.uniform<i8:f32:{axis}, {{{entries}}}>>"
    text = f"""func.func @main(%x: {f}) -> ({q}, {f}) {{
      %q = needle.quantize %x : {f} -> {q}
      %d = needle.dequantize %q : {q} -> {f}
      return %q, %d : {q}, {f}
    }}"""
    graph, executables = build(text)
    for size in (0, 1, 31, 64):
        shape = (channels, size) if axis == 0 else (size, channels)
        check_exact(graph, executables, [values(rng, shape)])


KINDS = ["any", "finite", "positive", "tiny", "zero", "nan"]


@given(size=st.integers(0, 300), kind=st.sampled_from(KINDS), seed=SEEDS)
@examples(80)
def test_quantize_dynamic(size: int, kind: str, seed: int) -> None:
    """N2 at run time: empty, one-sided, denormal, all-zero and all-NaN ranges."""
    x = values(np.random.default_rng(seed), (size,))
    with np.errstate(all="ignore"):
        changed: dict[str, Array] = {
            "any": x,
            "finite": np.where(np.abs(x) < 1e4, x, np.float32(3)),
            "positive": np.abs(np.where(np.abs(x) < 1e4, x, np.float32(3))) + 1,
            "tiny": np.where(np.abs(x) < 1e4, x, np.float32(3)) * np.float32(1e-42),
            "zero": np.zeros_like(x),
            "nan": np.full_like(x, np.nan),
        }
    types = "tensor<?xui8>, tensor<f32>, tensor<i32>"
    text = function(
        ["tensor<?xf32>"],
        f"needle.quantize_dynamic %0 : tensor<?xf32> -> {types}",
        types,
    )
    graph, executables = build(text)
    check_exact(graph, executables, [changed[kind].astype(np.float32)])


#
# What the compiler may fuse keeps its meaning.
#


@given(m=SIZES, seed=SEEDS)
@examples(20)
def test_elementwise_graph(m: int, seed: int) -> None:
    """A value with several users, broadcasts and constants in one graph."""
    graph, executables = _built(_make_elementwise())
    rng = np.random.default_rng(seed)
    check_exact(graph, executables, [values(rng, (m, 9)), values(rng, (m, 9))])


def _make_elementwise() -> ndl.GraphBuilder:
    builder = ndl.GraphBuilder("elementwise")
    a = builder.input("a", (None, 9))
    b = builder.input("b", (None, 9))
    row = builder.constant(np.linspace(-3, 3, 9, dtype=np.float32))
    shared = builder.maximum(builder.mul(a, row), builder.sub(b, 0.5))
    left = builder.div(shared, builder.add(builder.abs(b), 1.0))
    right = builder.sqrt(builder.abs(builder.minimum(shared, a)))
    builder.output(builder.neg(builder.add(left, right)), name="y")
    builder.output(shared, name="shared")
    builder.output(builder.transpose(builder.relu(shared)), name="t")
    return builder
