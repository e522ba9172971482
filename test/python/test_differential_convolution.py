# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions, compiled, beside the reference interpreter.

Integers have the same bits (N6); floats lie within the bound of a matmul over
KH·KW·C/groups terms (B1, B3), terms on padding being zero.
"""

from __future__ import annotations

from typing import Any

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from convolutions import Array, Shape, Window, conv2d, draw_shape
from differential import SEEDS, check_exact, compile_everywhere, examples, kernels_of
from hypothesis import given

KINDS = ("dense", "grouped", "small groups", "depthwise")


def bound(x: Array, w: Array, window: Window) -> tuple[Array, Array]:
    """The largest distance by B1, and the exact sums."""
    wide = x.astype(np.float64), w.astype(np.float64)
    exact = conv2d(*wide, window)
    magnitude = conv2d(np.abs(wide[0]), np.abs(wide[1]), window)
    k = w.shape[0] * w.shape[1] * w.shape[2]
    return model.contraction_bound(k, exact, magnitude), exact


def build_float(shape: Shape, w: Array, bias: Array | None, relu: bool) -> ndl.Graph:
    window = shape.window
    builder = ndl.GraphBuilder()
    y = builder.conv2d(
        builder.input("x", shape.x),
        w,
        strides=window.strides,
        padding=window.padding,
        dilations=window.dilations,
        groups=window.groups,
        name="conv",
    )
    if bias is not None:
        y = builder.add(y, bias)
    builder.output(builder.relu(y) if relu else y)
    return builder.build()


@examples(30)
@given(SEEDS)
def test_float(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = draw_shape(rng, KINDS)
    x = rng.normal(size=shape.x).astype(np.float32)
    w = rng.normal(size=shape.w).astype(np.float32)
    bias = rng.normal(size=shape.w[3]).astype(np.float32) if seed % 3 else None
    graph = build_float(shape, w, bias, relu=bool(seed % 2))
    expected = ndl.reference(graph, (x,))
    error, _ = bound(x, w, shape.window)
    if bias is not None:
        # The value before the activation.
        plain = build_float(shape, w, bias, relu=False)
        error = model.after_bias_bound(error, ndl.reference(plain, (x,)))
    for executable in compile_everywhere(graph):
        actual = executable(x)
        assert actual.shape == expected.shape
        distance = np.abs(actual.astype(np.float64) - expected)
        assert (distance <= error).all(), (seed, shape, executable.target)


def element(stored: str, scale: float, zero: int) -> str:
    return f"!quant.uniform<{stored}:f32, {float(scale)!r}:{zero}>"


def draw_integer(rng: np.random.Generator, shape: Shape) -> tuple[str, list[Array]]:
    """A qconv2d of random types, and its inputs but the weights, which are an
    input every other time and else a constant."""
    stored = {"u8": (0, 255, np.uint8), "i8": (-128, 127, np.int8)}
    kind, weight = rng.choice(["u8", "u8", "i8"]), rng.choice(["i8", "i8", "u8"])
    low, high, dtype = stored[kind]
    extreme = rng.random() < 0.4

    def draw(low: int, high: int, dtype: Any, size: tuple[int, ...]) -> Array:
        values = (
            rng.choice([low, high], size)
            if extreme
            else rng.integers(low, high, size, endpoint=True)
        )
        return values.astype(dtype)

    x = draw(low, high, dtype, shape.x)
    w = draw(*stored[weight], shape.w)
    columns = shape.w[3]
    scale = np.float32(rng.uniform(1e-3, 1))
    types = {"x": element(kind, scale, int(rng.integers(low, high, endpoint=True)))}
    zero = int(rng.integers(0, 256)) if weight == "u8" else 0
    if weight == "i8" and rng.random() < 0.6:
        entries = ", ".join(
            repr(float(np.float32(s))) for s in rng.uniform(1e-3, 1, columns)
        )
        types["w"] = f"!quant.uniform<i8:f32:3, {{{entries}}}>"
    else:
        types["w"] = element(weight, np.float32(rng.uniform(1e-3, 1)), zero)
    result = rng.choice(["f32", "i32", "u8", "u8"])
    if result == "u8":
        types["y"] = element("u8", np.float32(rng.uniform(1, 200)), 7)
    else:
        types["y"] = result
    bias = rng.choice(["", "i32", "f32"])
    if result == "i32" and bias == "f32":
        bias = ""
    attributes = shape.window.attributes()
    if result != "i32" and rng.random() < 0.5:
        attributes += ", activation = #needle.activation<relu>"
    text, inputs = qconv2d_text(shape, types, bias, attributes, rng.random() < 0.7, w)
    if bias:
        given = rng.integers(-10000, 10000, columns)
        inputs.append(given.astype(np.int32 if bias == "i32" else np.float32))
    return text, [x, *inputs]


def qconv2d_text(
    shape: Shape,
    types: dict[str, str],
    bias: str,
    attributes: str,
    is_constant: bool,
    w: Array,
) -> tuple[str, list[Array]]:
    """The module, and the weights if they are an input."""
    height = shape.window.extent(shape.x[1], shape.w[0], 0)
    width = shape.window.extent(shape.x[2], shape.w[1], 1)
    x = f"tensor<{'x'.join(map(str, shape.x))}x{types['x']}>"
    w_type = f"tensor<{'x'.join(map(str, shape.w))}x{types['w']}>"
    y = f"tensor<{shape.x[0]}x{height}x{width}x{shape.w[3]}x{types['y']}>"
    b = f"tensor<{shape.w[3]}x{bias}>"
    arguments = [f"%x: {x}"]
    constant = ""
    if is_constant:
        value = f'dense<"0x{w.tobytes().hex()}">' if w.size else "dense<>"
        stored = f"tensor<{'x'.join(map(str, shape.w))}xi8>"
        constant = f"%w = needle.constant {value} : {stored} -> {w_type}"
    else:
        arguments.append(f"%w: {w_type}")
    if bias:
        arguments.append(f"%b: {b}")
    with_bias = f"bias(%b : {b})" if bias else ""
    text = f"""
      func.func @main({", ".join(arguments)}) -> {y} {{
        {constant}
        %0 = needle.qconv2d %x, %w {with_bias} {{{attributes}}} : {x}, {w_type} -> {y}
        return %0 : {y}
      }}"""
    return text, [] if is_constant else [w]


@examples(40)
@given(SEEDS)
def test_integers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = draw_shape(rng, KINDS)
    text, inputs = draw_integer(rng, shape)
    graph = ndl.parse(text)
    executables = compile_everywhere(graph)
    check_exact(graph, executables, inputs)


@pytest.mark.parametrize("groups", [1, 2, 10])
def test_channels_and_filters_apart(groups: int) -> None:
    """Every other channel of an input, and of a filter given at run time."""
    rng = np.random.default_rng(groups)
    w_shape = (3, 3, 10 // groups, 20)
    x = rng.integers(-9, 10, (2, 6, 7, 20)).astype(np.float32)
    w = rng.integers(-9, 10, w_shape).astype(np.float32)
    for is_dynamic in (False, True):
        builder = ndl.GraphBuilder()
        shape = (None, *x.shape[1:]) if is_dynamic else x.shape
        part = builder.slice(
            builder.input("x", shape), (0, 0, 0, 1), (None,) * 4, (1, 1, 1, 2)
        )
        filters = builder.slice(
            builder.input("w", w_shape), (0, 0, 0, 0), (None,) * 4, (1, 1, 1, 2)
        )
        padding = ((1, 1), (0, 1))
        builder.output(
            builder.conv2d(part, filters, padding=padding, groups=groups, name="conv")
        )
        graph = builder.build()
        # Small integers: every sum is exact in f32, so all orders give one result.
        check_exact(graph, compile_everywhere(graph), [x, w])


@pytest.mark.parametrize("result", ["?x?x?x?", "2x{h}x?x?", "?x{h}x?x3"])
@pytest.mark.parametrize(
    ("op", "filter_", "attributes", "h"),
    [
        ("conv2d", "3x2x4x3", "padding = array<i64: 1, 1, 0, 0>", 8),
        ("conv2d", "1x1x4x3", "", 8),
        ("conv2d", "3x3x1x3", "groups = 3", 6),
        ("conv2d", "3x3x2x3", "groups = 3, dilations = array<i64: 2, 1>", 4),
        ("conv_transpose2d", "2x3x4x3", "strides = array<i64: 2, 2>", 16),
    ],
)
def test_result_types_less_precise_than_operands(
    op: str, filter_: str, attributes: str, h: int, result: str
) -> None:
    """Extents that the operands say are static may be dynamic in the result."""
    channels = int(filter_.split("x")[2]) * (3 if "groups" in attributes else 1)
    x, w = f"tensor<2x8x9x{channels}xf32>", f"tensor<{filter_}xf32>"
    y = f"tensor<{result.format(h=h)}xf32>"
    graph = ndl.parse(f"""
      func.func @main(%x: {x}, %w: {w}) -> {y} {{
        %0 = needle.{op} %x, %w {{{attributes}}} : {x}, {w} -> {y}
        %1 = needle.relu %0 : {y} -> {y}
        return %1 : {y}
      }}""")
    rng = np.random.default_rng(h)
    # All sums of so small integers are exact.
    inputs = [
        rng.integers(-9, 9, spec.shape, endpoint=True).astype(np.float32)
        for spec in graph.inputs
    ]
    (expected,) = check_exact(graph, compile_everywhere(graph), inputs)
    assert expected.shape[0] == 2
    assert expected.shape[1] == h
    assert expected.shape[3] == 3


@pytest.mark.parametrize("size", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("groups", [1, 7, 40])
def test_empty_images_with_padding(size: tuple[int, int], groups: int) -> None:
    rng = np.random.default_rng(groups)
    window = Window(padding=((1, 2), (2, 2)), groups=groups)
    shape = Shape((1, *size, groups), (3, 3, 1, groups), window)
    w = rng.integers(-128, 128, shape.w).astype(np.int8)
    types = {
        "x": element("u8", 0.5, 3),
        "w": element("i8", 0.25, 0),
        "y": "i32",
    }
    text, inputs = qconv2d_text(shape, types, "", window.attributes(), True, w)
    graph = ndl.parse(text)
    x = np.zeros(shape.x, np.uint8)
    check_exact(graph, compile_everywhere(graph), [x, *inputs])


def test_dynamic_shapes_and_their_errors() -> None:
    rng = np.random.default_rng(5)
    w = rng.normal(size=(3, 2, 4, 5)).astype(np.float32)
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None, None, None, 4))
    y = builder.conv2d(x, w, strides=(2, 1), padding=((1, 0), (0, 2)), name="conv")
    builder.output(y)
    graph = builder.build()
    window = Window((2, 1), ((1, 0), (0, 2)))
    for executable in compile_everywhere(graph):
        for size in ((0, 5, 5), (1, 2, 1), (2, 9, 7), (3, 4, 40)):
            image = rng.normal(size=(*size, 4)).astype(np.float32)
            error, exact = bound(image, w, window)
            assert (np.abs(executable(image) - exact) <= error).all(), size
        with pytest.raises(ValueError, match=r"dimension 1 of input .* at least 2"):
            executable(np.zeros((1, 1, 4, 4), np.float32))


@examples(25)
@given(SEEDS)
def test_transposed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # More than 16 phases are computed together.
    most = int(rng.choice([3, 6]))
    kernel = [int(size) for size in rng.integers(1, 2 * most, 2)]
    strides = [int(size) for size in rng.integers(most // 2, most + 1, 2)]
    sizes = [int(size) for size in rng.integers(1, 9, 2)]
    more = [int(rng.integers(0, stride)) for stride in strides]
    cuts = []
    for axis in range(2):
        whole = (sizes[axis] - 1) * strides[axis] + kernel[axis] + more[axis]
        low = int(rng.integers(0, min(whole, 4) + 1))
        cuts.append((low, int(rng.integers(0, min(whole - low, 4) + 1))))
    channels, columns = int(rng.integers(1, 9)), int(rng.integers(1, 20))
    w = rng.integers(-9, 10, (*kernel, channels, columns)).astype(np.float32)
    bias = rng.integers(-9, 10, columns).astype(np.float32)
    is_dynamic, is_constant = rng.random(2) < 0.5
    shape = (2, *sizes, channels)
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None, None, None, channels) if is_dynamic else shape)
    y = builder.conv_transpose2d(
        x,
        w if is_constant else builder.input("w", w.shape),
        strides=strides,
        padding=cuts,
        output_padding=more,
        name="up",
    )
    builder.output(builder.relu(builder.add(y, bias)) if seed % 2 else y)
    graph = builder.build()
    # Small integers: every sum is exact in f32, so all orders give one result.
    image = rng.integers(-9, 10, shape).astype(np.float32)
    inputs = [image] if is_constant else [image, w]
    check_exact(graph, compile_everywhere(graph), inputs)


@pytest.mark.parametrize("shape", [(1, 1, 4, 2), (1, 1, 1, 2)])
def test_transposed_with_all_rows_of_some_phases_cut(shape: tuple[int, ...]) -> None:
    """Of so little that parts of the result would have fewer rows than none."""
    rng = np.random.default_rng(7)
    w = rng.integers(-9, 10, (9, 5 if shape[2] > 1 else 9, 2, 3)).astype(np.float32)
    column = ((0, 0), 0) if shape[2] > 1 else ((10, 0), 4)
    builder = ndl.GraphBuilder()
    y = builder.conv_transpose2d(
        builder.input("x", (None, None, None, 2)),
        w,
        strides=[5, 5],
        padding=[(10, 0), column[0]],
        output_padding=[4, column[1]],
    )
    builder.output(y)
    graph = builder.build()
    image = rng.integers(-9, 10, shape).astype(np.float32)
    check_exact(graph, compile_everywhere(graph), [image])


def test_which_kernels_run() -> None:
    rng = np.random.default_rng(1)
    shape = Shape((1, 9, 9, 8), (3, 3, 8, 24), Window(padding=((1, 1), (1, 1))))
    w = rng.normal(size=shape.w).astype(np.float32)
    x = rng.normal(size=shape.x).astype(np.float32)
    graph = build_float(shape, w, np.ones(24, np.float32), relu=True)
    for executable in compile_everywhere(graph):
        executable(x)
        (kernel,) = kernels_of(executable, "needle.conv2d")
        assert kernel.name.startswith("conv2d_f32_bias_relu.")
        assert kernel.macs == 81 * 72 * 24
    quantized = ndl.quantize(graph, [{"x": x}])
    for executable in compile_everywhere(quantized):
        executable(x)
        (kernel,) = kernels_of(executable, "needle.qconv2d")
        assert kernel.name.startswith("qconv2d_u8s8")


def test_depthwise_kernels() -> None:
    rng = np.random.default_rng(3)
    window = Window(padding=((1, 1), (1, 1)), groups=24)
    shape = Shape((2, 11, 12, 24), (3, 3, 1, 24), window)
    w = rng.normal(size=shape.w).astype(np.float32)
    x = rng.normal(size=shape.x).astype(np.float32)
    graph = build_float(shape, w, np.ones(24, np.float32), relu=True)
    for executable in compile_everywhere(graph):
        executable(x)
        (kernel,) = kernels_of(executable, "needle.conv2d")
        assert kernel.name.startswith("conv2d_depthwise3s1d1_f32_bias_relu.")
        assert kernel.macs == x.size * 9
    quantized = ndl.quantize(graph, [{"x": x}])
    for executable in compile_everywhere(quantized):
        check_exact(quantized, [executable], [x])
        (kernel,) = kernels_of(executable, "needle.qconv2d")
        assert kernel.name.startswith("qconv2d_depthwise3s1d1_")


@pytest.mark.parametrize(
    ("depth", "height", "width"), [(2, 43, 3), (4, 16, 4), (2, 26, 5), (4, 13, 5)]
)
def test_small_groups_at_the_edge(depth: int, height: int, width: int) -> None:
    """As many products of the largest integers as f32 adds up exactly, and more."""
    groups = 40 // depth
    fits = height * width * depth * 255**2 <= 2**24
    rng = np.random.default_rng(depth)
    w = rng.choice([0, 255], (height, width, depth, 40)).astype(np.uint8)
    x = rng.choice([0, 255], (2, height + 2, width + 5, 40)).astype(np.uint8)
    w[..., :depth], x[..., :depth] = 255, 255
    builder = ndl.GraphBuilder("edge")
    image = builder.input("x", x.shape, "!quant.uniform<u8:f32, 0.5:0>")
    kernel = builder.constant(w, name="w", dtype="!quant.uniform<u8:f32, 0.25:0>")
    (y,) = builder.op(
        "qconv2d",
        image,
        kernel,
        attributes=f"{{groups = {groups} : i64}}",
        result_types=[("int32", (2, 3, 6, 40))],
    )
    builder.output(y, name="y")
    graph = builder.build()
    executables = compile_everywhere(graph)
    (result,) = check_exact(graph, executables, [x])
    exact = np.zeros((2, 3, 6, 40), np.int64)
    for i, j, c in np.ndindex(height, width, depth):
        pixels = x[:, i : i + 3, j : j + 6].reshape(2, 3, 6, groups, depth)[..., c]
        exact += np.repeat(pixels.astype(np.int64), depth, axis=3) * w[i, j, c]
    np.testing.assert_array_equal(result, exact)
    assert exact.max() == height * width * depth * 255**2
    for executable in executables:
        (kernel_run,) = kernels_of(executable, "needle.qconv2d")
        name = f"_depthwise{width}s1d1c{depth}_u8f32_i32"
        assert (name in kernel_run.name) == fits


@pytest.mark.parametrize("groups", [1, 4, 48])
def test_threads_give_the_same_bits(groups: int) -> None:
    rng = np.random.default_rng(2)
    window = Window(strides=(1, 2), padding=((1, 1), (1, 1)), groups=groups)
    shape = Shape((3, 30, 31, 48), (3, 3, 48 // groups, 48), window)
    w = rng.normal(size=shape.w).astype(np.float32)
    x = rng.normal(size=shape.x).astype(np.float32)
    graph = build_float(shape, w, None, relu=False)
    one, two = compile_everywhere(graph), compile_everywhere(graph, threads=2)
    for single, double in zip(one, two, strict=True):
        assert (single(x).view(np.uint32) == double(x).view(np.uint32)).all()
    quantized = ndl.quantize(graph, [{"x": x}])
    check_exact(quantized, compile_everywhere(quantized, threads=2), [x])
