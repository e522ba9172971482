"""The reference interpreter against NumPy written from docs/Spec.md, bit for bit.

Each example draws its shapes and one seed; hypothesis prints both when one fails.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import needle as ndl
import numeric_model as model
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Array = npt.NDArray[Any]

settings.register_profile("oracle", print_blob=True, deadline=None, max_examples=60)
settings.load_profile("oracle")

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([0, 1, 2, 3, 5, 7, 8, 13, 17, 31])
SCALES = st.sampled_from(
    [np.float32(s) for s in (1, 0.5, 0.1, 1 / 3, 0.013696, 1.5e-39, 2.0**-126, 3e35)]
)
# fmt: off
SPECIAL = np.array(
    [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-45, 1.1754944e-38, 3e9, -3e9,
     3.4028235e38, -3.4028235e38, 0.5, 1.5, 2.5, -0.5, 127.5, 254.5],
    np.float32,
)
# fmt: on


def values(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1) -> Array:
    """Usual values, ties for a scale, special values and random bits."""
    kinds = rng.integers(0, 4, shape)
    bits = rng.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        ties = ((rng.integers(-300, 300, shape) + 0.5) * scale).astype(np.float32)
        usual = (rng.normal(size=shape) * 100 * scale).astype(np.float32)
    return np.select(
        [kinds == 0, kinds == 1, kinds == 2],
        [bits, ties, rng.choice(SPECIAL, shape)],
        usual,
    ).astype(np.float32)


def same_bits(actual: Array, expected: Array) -> None:
    """Equal shapes, types and bits, all NaN counted as one."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if actual.dtype != np.float32:
        np.testing.assert_array_equal(actual, expected)
        return
    same = (actual.view(np.uint32) == expected.view(np.uint32)) | (
        np.isnan(actual) & np.isnan(expected)
    )
    assert same.all(), (actual[~same], expected[~same])


def evaluate(arguments: list[str], op: str, result: str, *inputs: Array) -> Any:
    """Interpret a function of one operation on %0, %1, ..."""
    named = ", ".join(f"%{i}: {text}" for i, text in enumerate(arguments))
    count = result.count("tensor<")
    names = ", ".join(f"%r{i}" for i in range(count))
    return ndl.reference(
        ndl.parse(
            f"func.func @main({named}) -> ({result}) {{\n"
            f"  {names} = {op}\n  return {names} : {result}\n}}"
        ),
        inputs,
    )


def dims(shape: tuple[int, ...], dynamic: bool) -> str:
    return "".join(f"{'?' if dynamic else size}x" for size in shape)


def per_tensor(storage: str, scale: np.float32, zero_point: int) -> str:
    return f"!quant.uniform<{storage}:f32, {float(scale)!r}:{zero_point}>"


def per_axis(storage: str, axis: int, scales: Array, zero_points: Array) -> str:
    entries = ",".join(
        f"{float(s)!r}:{z}" for s, z in zip(scales, zero_points, strict=True)
    )
    return f"!quant.uniform<{storage}:f32:{axis}, {{{entries}}}>"


STORAGES = {"u8": (0, 255, np.uint8), "i8": (-128, 127, np.int8)}
STORAGES["i8<-127:127>"] = (-127, 127, np.int8)


@given(SIZES, SCALES, st.sampled_from(list(STORAGES)), st.booleans(), SEEDS)
def test_quantize_dequantize_fake_quantize(
    size: int, scale: np.float32, storage: str, dynamic: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    qmin, qmax, dtype = STORAGES[storage]
    zero_point = int(rng.integers(qmin, qmax + 1))
    quantized = per_tensor(storage, scale, zero_point)
    shape = (3, size)
    x = values(rng, shape, float(scale))
    f, t = f"tensor<{dims(shape, dynamic)}f32>", f"tensor<{dims(shape, dynamic)}"
    q = model.quantize(x, scale, np.int64(zero_point), qmin, qmax)
    actual = evaluate(
        [f], f"needle.quantize %0 : {f} -> {t}{quantized}>", f"{t}{quantized}>", x
    )
    same_bits(actual, q.astype(dtype))
    back = model.dequantize(q, scale, np.int64(zero_point))
    actual = evaluate(
        [f"{t}{quantized}>"],
        f"needle.dequantize %0 : {t}{quantized}> -> {f}",
        f,
        q.astype(dtype),
    )
    same_bits(actual, back)
    op = f"needle.fake_quantize %0 {{type = {quantized}}} : {f} -> {f}"
    same_bits(evaluate([f], op, f, x), back)


@given(st.tuples(SIZES, SIZES, SIZES), st.integers(0, 2), SEEDS)
def test_per_axis(shape: tuple[int, int, int], axis: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels = max(shape[axis], 1)
    shape = (*shape[:axis], channels, *shape[axis + 1 :])
    scales = rng.uniform(0.01, 2, channels).astype(np.float32)
    zeros = rng.integers(-128, 128, channels)
    target_scale, target_zero = np.float32(0.7), int(rng.integers(0, 256))
    quantized = f"tensor<{dims(shape, False)}{per_axis('i8', axis, scales, zeros)}>"
    target = (
        f"tensor<{dims(shape, False)}{per_tensor('u8', target_scale, target_zero)}>"
    )
    f = f"tensor<{dims(shape, False)}f32>"
    along = tuple(channels if i == axis else 1 for i in range(3))
    s, z = scales.reshape(along), zeros.reshape(along)
    x = values(rng, shape)
    q = model.quantize(x, s, z, -128, 127)
    actual = evaluate([f], f"needle.quantize %0 : {f} -> {quantized}", quantized, x)
    same_bits(actual, q.astype(np.int8))
    back = model.dequantize(q, s, z)
    actual = evaluate(
        [quantized], f"needle.dequantize %0 : {quantized} -> {f}", f, q.astype(np.int8)
    )
    same_bits(actual, back)
    again = model.quantize(back, target_scale, np.int64(target_zero), 0, 255)
    actual = evaluate(
        [quantized],
        f"needle.requantize %0 : {quantized} -> {target}",
        target,
        q.astype(np.int8),
    )
    same_bits(actual, again.astype(np.uint8))


@given(SIZES, st.sampled_from(["any", "finite", "positive", "tiny", "zero"]), SEEDS)
def test_quantize_dynamic(size: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = values(rng, (size,))
    with np.errstate(all="ignore"):
        if kind != "any":
            x = np.where(np.abs(x) < 1e4, x, np.float32(3))
        if kind == "positive":
            x = np.abs(x) + np.float32(1)
        if kind == "tiny":
            x = x * np.float32(1e-42)
        if kind == "zero":
            x = x * np.float32(0)
    scale, zero_point = model.parameters(*model.value_range(x), model.UINT8)
    q = model.quantize(x, scale, np.int64(zero_point), 0, 255)
    actual = evaluate(
        ["tensor<?xf32>"],
        "needle.quantize_dynamic %0 : tensor<?xf32> -> tensor<?xui8>, tensor<f32>, "
        "tensor<i32>",
        "tensor<?xui8>, tensor<f32>, tensor<i32>",
        x,
    )
    same_bits(actual[0], q.astype(np.uint8))
    same_bits(actual[1], np.asarray(scale, np.float32))
    same_bits(actual[2], np.asarray(zero_point, np.int32))


FLAGS = st.tuples(st.booleans(), st.booleans())


def attributes(flags: tuple[bool, bool], activation: str) -> str:
    parts = [f"activation = #needle.activation<{activation}>"]
    parts += [
        name
        for name, on in zip(("transpose_lhs", "transpose_rhs"), flags, strict=True)
        if on
    ]
    return "{" + ", ".join(parts) + "}"


def laid_out(matrix: Array, transposed: bool) -> Array:
    return np.ascontiguousarray(matrix.T if transposed else matrix)


@given(
    SIZES,
    SIZES,
    SIZES,
    FLAGS,
    st.booleans(),
    st.sampled_from(["none", "relu"]),
    st.booleans(),
    SEEDS,
)
def test_matmul(
    m: int,
    n: int,
    k: int,
    flags: tuple[bool, bool],
    with_bias: bool,
    activation: str,
    special: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    x, w, bias = rng.normal(size=(m, k)), rng.normal(size=(k, n)), rng.normal(size=n)
    if special:
        x, w, bias = values(rng, (m, k)), values(rng, (k, n)), values(rng, (n,))
    x, w, bias = (a.astype(np.float32) for a in (x, w, bias))
    f = "tensor<?x?xf32>"
    actual = evaluate(
        [f, f] + ["tensor<?xf32>"] * with_bias,
        "needle.matmul %0, %1 "
        + ("bias(%2 : tensor<?xf32>) " if with_bias else "")
        + f"{attributes(flags, activation)} : {f}, {f} -> {f}",
        f,
        *[laid_out(x, flags[0]), laid_out(w, flags[1])] + [bias] * with_bias,
    )
    same_bits(actual, model.matmul(x, w, bias if with_bias else None, activation))


@given(
    SIZES,
    SIZES,
    SIZES,
    FLAGS,
    st.sampled_from(["none", "i32", "f32"]),
    st.sampled_from(["i32", "f32", "u8"]),
    st.booleans(),
    SEEDS,
)
def test_qmatmul(
    m: int,
    n: int,
    k: int,
    flags: tuple[bool, bool],
    bias_type: str,
    result: str,
    at_run_time: bool,
    seed: int,
) -> None:
    """Parameters in types (rhs per axis) or in operands; every kind of result."""
    rng = np.random.default_rng(seed)
    n = max(n, 1)
    if result == "i32" and bias_type == "f32":
        bias_type = "i32"
    activation = "none" if result == "i32" else str(rng.choice(["none", "relu"]))
    lhs = rng.integers(0, 256, (m, k)).astype(np.uint8)
    rhs = rng.integers(-128, 128, (k, n)).astype(np.int8)
    sa, za = np.float32(rng.uniform(1e-3, 1)), int(rng.integers(0, 256))
    sb = rng.uniform(1e-3, 1, 1 if at_run_time else n).astype(np.float32)
    zb = rng.integers(-128, 128, sb.shape)
    arguments = [
        "tensor<?x?x" + ("ui8>" if at_run_time else per_tensor("u8", sa, za) + ">")
    ]
    shape = (n, k) if flags[1] else (k, n)
    axis = 0 if flags[1] else 1
    text = (
        "?x" * 2
        if at_run_time
        else ("".join(f"{n}x" if i == axis else "?x" for i in range(2)))
    )
    arguments.append(
        f"tensor<{text}"
        + ("si8>" if at_run_time else per_axis("i8", axis, sb, zb) + ">")
    )
    assert shape[axis] == n
    inputs: list[Array] = [laid_out(lhs, flags[0]), laid_out(rhs, flags[1])]
    op = "needle.qmatmul %0, %1 "
    if at_run_time:
        op += "lhs_params(%2, %3 : tensor<f32>, tensor<i32>) "
        op += "rhs_params(%4, %5 : tensor<f32>, tensor<i32>) "
        arguments += ["tensor<f32>", "tensor<i32>"] * 2
        inputs += [np.array(sa), np.array(za, np.int32)]
        inputs += [np.array(sb[0]), np.array(zb[0], np.int32)]
    integer_bias = float_bias = None
    if bias_type != "none":
        op += f"bias(%{len(arguments)} : tensor<?x{bias_type}>) "
        arguments.append(f"tensor<?x{bias_type}>")
        if bias_type == "i32":
            integer_bias = rng.integers(-(2**31), 2**31, n).astype(np.int32)
            inputs.append(integer_bias)
        else:
            float_bias = values(rng, (n,))
            inputs.append(float_bias)
    so, zo = np.float32(rng.uniform(0.5, 50)), int(rng.integers(0, 256))
    element = per_tensor("u8", so, zo) if result == "u8" else result
    target = f"tensor<?x?x{element}>"
    op += (
        f"{attributes(flags, activation)} : {arguments[0]}, {arguments[1]} -> {target}"
    )
    actual = evaluate(arguments, op, target, *inputs)

    total = model.integer_sum(
        lhs.astype(np.int64) - za, rhs.astype(np.int64) - zb, integer_bias
    )
    if result == "i32":
        same_bits(actual, model.wrap_int32(total))
        return
    expected: Array = model.rescale(total, sa, sb, float_bias, activation)
    if result == "u8":
        expected = model.quantize(expected, so, np.int64(zo), 0, 255).astype(np.uint8)
    same_bits(actual, expected)


@pytest.mark.parametrize("k", [33025, 33026, 40000, 66052, 131073])
def test_sums_beyond_int32(k: int) -> None:
    a, b = np.full((1, k), 255, np.uint8), np.full((k, 1), 255, np.uint8)
    total = model.integer_sum(a.astype(np.int64), b.astype(np.int64))
    assert int(total[0, 0]) == 65025 * k
    t = f"x{per_tensor('u8', np.float32(1), 0)}>"
    for element in ("i32", "f32"):
        actual = evaluate(
            [f"tensor<1x?{t}", f"tensor<?x1{t}"],
            f"needle.qmatmul %0, %1 : tensor<1x?{t}, tensor<?x1{t} -> "
            f"tensor<1x1x{element}>",
            f"tensor<1x1x{element}>",
            a,
            b,
        )
        same_bits(
            actual,
            model.wrap_int32(total) if element == "i32" else total.astype(np.float32),
        )


def test_contraction_depth() -> None:
    assert model.contraction_depth((-255, 255), (-255, 255), 32) == 33025
    assert model.contraction_depth((-255, 255), (-127, 127), 32) == 66311
    assert model.contraction_depth((-127, 127), (-127, 127), 32) == 133144
    assert model.contraction_depth((0, 0), (-127, 127), 32) is None


def maximum(a: Array, b: Array) -> Array:
    """IEEE 754-2019 maximum; np.maximum leaves the order of zeros open."""
    zero = np.where(np.signbit(a) & np.signbit(b), np.float32(-0.0), np.float32(0))
    return np.where((a == 0) & (b == 0), zero, np.maximum(a, b))


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": maximum,
    "minimum": lambda a, b: -maximum(-a, -b),
}
UNARY = {"relu": model.relu, "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt}


@given(st.sampled_from(list(BINARY)), SIZES, SIZES, st.integers(0, 3), SEEDS)
def test_binary(name: str, m: int, n: int, broadcast: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [((m, n), (m, n)), ((m, n), (n,)), ((m, 1), (1, n)), ((), (m, n))]
    left, right = shapes[broadcast]
    a, b = values(rng, left), values(rng, right)
    f = [f"tensor<{dims(shape, False)}f32>" for shape in (left, right, (m, n))]
    actual = evaluate(
        f[:2], f"needle.{name} %0, %1 : {f[0]}, {f[1]} -> {f[2]}", f[2], a, b
    )
    with np.errstate(all="ignore"):
        same_bits(actual, np.asarray(BINARY[name](a, b), np.float32))


@given(st.sampled_from(list(UNARY)), SIZES, SEEDS)
def test_unary(name: str, size: int, seed: int) -> None:
    x = values(np.random.default_rng(seed), (size, 2))
    f = "tensor<?x2xf32>"
    actual = evaluate([f], f"needle.{name} %0 : {f} -> {f}", f, x)
    with np.errstate(all="ignore"):
        same_bits(actual, UNARY[name](x))


@given(st.permutations(range(4)), SIZES, SIZES, SEEDS)
def test_transpose_and_reshape(
    permutation: list[int], m: int, n: int, seed: int
) -> None:
    x = values(np.random.default_rng(seed), (m, 2, n, 3))
    f = "tensor<?x?x?x?xf32>"
    op = f"needle.transpose %0 {{permutation = array<i64: {str(permutation)[1:-1]}>}}"
    same_bits(
        evaluate([f], f"{op} : {f} -> {f}", f, x),
        np.ascontiguousarray(x.transpose(permutation)),
    )
    to = f"tensor<6x{m * n}xf32>"
    same_bits(
        evaluate([f], f"needle.reshape %0 : {f} -> {to}", to, x), x.reshape(6, m * n)
    )


#
# The bounds of N7 and N8 hold, and are not so wide that they say nothing.
#


def float_and_integer_form(
    rng: np.random.Generator, m: int, k: int, n: int
) -> tuple[Array, Array, Array, Array, Array, dict[str, Any]]:
    """One layer in both forms: values, stored integers, and what the bounds need."""
    lhs = rng.integers(0, 256, (m, k)).astype(np.uint8)
    rhs = rng.integers(-127, 128, (k, n)).astype(np.int8)
    bias = rng.normal(size=n).astype(np.float32)
    sa, za = np.float32(rng.uniform(1e-3, 1)), int(rng.integers(0, 256))
    sb = rng.uniform(1e-3, 1, n).astype(np.float32)
    so = np.float32(float(sa) * 0.5 * 255 * 64 * max(k, 1) ** 0.5 / 255)
    zo = int(rng.integers(0, 256))
    t = (
        f"tensor<{m}x{k}x{per_tensor('u8', sa, za)}>",
        f"tensor<{k}x{n}x{per_axis('i8<-127:127>', 1, sb, np.zeros(n, int))}>",
        f"tensor<{n}xf32>",
    )
    f, q = f"tensor<{m}x{n}xf32>", f"tensor<{m}x{n}x{per_tensor('u8', so, zo)}>"
    fx, fw = f"tensor<{m}x{k}xf32>", f"tensor<{k}x{n}xf32>"
    arguments = f"%a: {t[0]}, %b: {t[1]}, %c: {t[2]}"
    results = ndl.reference(
        ndl.parse(
            f"""func.func @main({arguments}) -> ({f}, {q}, {f}, {q}) {{
            %x = needle.dequantize %a : {t[0]} -> {fx}
            %w = needle.dequantize %b : {t[1]} -> {fw}
            %y = needle.matmul %x, %w bias(%c : {t[2]}) : {fx}, {fw} -> {f}
            %p = needle.quantize %y : {f} -> {q}
            %z = needle.qmatmul %a, %b bias(%c : {t[2]}) : {t[0]}, {t[1]} -> {f}
            %r = needle.qmatmul %a, %b bias(%c : {t[2]}) : {t[0]}, {t[1]} -> {q}
            return %y, %p, %z, %r : {f}, {q}, {f}, {q}
            }}"""
        ),
        [lhs, rhs, bias],
    )
    centered = lhs.astype(np.int64) - za, rhs.astype(np.int64)
    bound = model.after_bias_bound(model.fusion_bound(*centered, sa, sb), results[0])
    output = {"scale": so, "zero_point": zo, "qmin": 0, "qmax": 255}
    return *results, bound, output


@given(st.integers(1, 40), st.integers(0, 300), st.integers(1, 40), SEEDS)
def test_fusion_bound(m: int, k: int, n: int, seed: int) -> None:
    y, p, z, r, bound, output = float_and_integer_form(
        np.random.default_rng(seed), m, k, n
    )
    assert np.all(np.abs(z.astype(np.float64) - y.astype(np.float64)) <= bound)
    assert model.differs_only_at_boundaries(
        y, p.astype(np.int64), r.astype(np.int64), bound, **output
    )


def test_fusion_bounds_are_not_idle() -> None:
    """Differences occur, in values and in stored integers, and come near the bounds."""
    seed = 3
    y, p, z, r, bound, output = float_and_integer_form(
        np.random.default_rng(seed), 400, 64, 400
    )
    used = np.abs(z.astype(np.float64) - y.astype(np.float64)) / bound
    assert 0.1 < used.max() <= 1, seed
    stored = p.astype(np.int64), r.astype(np.int64)
    assert 0 < np.count_nonzero(p != r) < p.size / 100, seed
    assert model.differs_only_at_boundaries(y, *stored, bound, **output)


@pytest.mark.parametrize(
    ("value", "step", "allowed"),
    [(10.3, 0, True), (10.3, 1, False), (10.4999, 1, True), (10.4999, 2, False)],
)
def test_one_step_at_a_boundary(value: float, step: int, allowed: bool) -> None:
    oracle = np.array([[value]], np.float32)
    stored = np.array([[10]]), np.array([[10 + step]])
    bound = np.array([[2e-4]])
    assert allowed == model.differs_only_at_boundaries(
        oracle, *stored, bound, np.float32(1), 0, 0, 255
    )


@given(SIZES, st.integers(1, 200), SIZES, st.integers(-40, 38), SEEDS)
def test_float_sum_bound(m: int, k: int, n: int, exponent: int, seed: int) -> None:
    """f32 sums in random order, with and without fused multiply-add."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(m, k)) * 10.0 ** min(exponent, 15)).astype(np.float32)
    w = (rng.normal(size=(k, n)) * 10.0 ** min(exponent, 15)).astype(np.float32)
    oracle = model.matmul(x, w).astype(np.float64)
    bound = model.float_sum_bound(x, w)
    separate, fused = np.zeros((2, m, n), np.float32)
    for i in rng.permutation(k):
        separate = separate + np.outer(x[:, i], w[i])
        # The product is exact in f64; its sum with an f32 is rounded twice here,
        # by 2⁻⁵³ more than a fused operation: far below what is compared.
        fused = (fused + np.outer(x[:, i].astype(np.float64), w[i])).astype(np.float32)
    assert separate.dtype == fused.dtype == np.float32
    assert np.all(np.abs(separate - oracle) <= bound)
    assert np.all(np.abs(fused - oracle) <= bound)
