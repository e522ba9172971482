# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions of the reference interpreter against NumPy and the ONNX node tests."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from convolutions import (
    Array,
    Shape,
    Window,
    conv2d,
    conv_transpose2d,
    draw_shape,
)
from differential import SEEDS, examples, same_bits
from hypothesis import given

KINDS = ("dense", "grouped", "depthwise")


def build(
    shape: Shape, bias: Array | None = None, relu: bool = False
) -> tuple[ndl.Graph, Window]:
    window = shape.window
    builder = ndl.GraphBuilder()
    x, w = builder.input("x", shape.x), builder.input("w", shape.w)
    y = builder.conv2d(
        x,
        w,
        strides=window.strides,
        padding=window.padding,
        dilations=window.dilations,
        groups=window.groups,
    )
    if bias is not None:
        y = builder.add(y, bias)
    builder.output(builder.relu(y) if relu else y)
    return builder.build(), window


@examples(120)
@given(SEEDS)
def test_float_is_the_rounded_f64_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = draw_shape(rng, KINDS)
    x = rng.normal(size=shape.x).astype(np.float32)
    w = rng.normal(size=shape.w).astype(np.float32)
    bias = rng.normal(size=shape.w[3]).astype(np.float32)
    graph, window = build(shape, bias, relu=True)
    actual = ndl.reference(graph, (x, w))
    exact = conv2d(x.astype(np.float64), w.astype(np.float64), window)
    magnitude = conv2d(
        np.abs(x).astype(np.float64), np.abs(w).astype(np.float64), window
    )
    # Sums in f64 of other orders, rounded once, then one addition: a rounding of
    # each and what the order of K terms makes (N7).
    k = shape.w[0] * shape.w[1] * shape.w[2]
    error = 2 * model.V * k * magnitude + model.U * np.abs(exact) + model.ETA
    total = exact + bias.astype(np.float64)
    error = error * (1 + model.U) + model.U * np.abs(total)
    expected = np.maximum(total, 0)
    assert actual.shape == expected.shape
    assert (np.abs(actual - expected) <= error).all(), shape


@examples(150)
@given(SEEDS)
def test_integers_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = draw_shape(rng, KINDS)
    zero, scale = int(rng.integers(0, 256)), np.float32(rng.uniform(1e-3, 1))
    scales = rng.uniform(1e-3, 1, shape.w[3]).astype(np.float32)
    result = str(rng.choice(["i32", "f32", "u8"]))
    extreme = rng.random() < 0.3
    x = rng.choice([0, 255], shape.x) if extreme else rng.integers(0, 256, shape.x)
    w = (
        rng.choice([-127, 127], shape.w)
        if extreme
        else rng.integers(-127, 128, shape.w)
    )
    text = qconv2d_text(shape, zero, scale, scales, result)
    actual = ndl.reference(ndl.parse(text), (x.astype(np.uint8), w.astype(np.int8)))
    total = conv2d(x.astype(np.int64) - zero, w.astype(np.int64), shape.window)
    # Padding is the real 0, which the zero point stands for.
    if result == "i32":
        assert (actual == total.astype(np.int32)).all(), shape
        return
    value = total.astype(np.float32) * (scale * scales)
    if result == "u8":
        value = model.quantize(value, np.float32(2.0), np.int64(7), 0, 255)
        value = value.astype(np.uint8)
    same_bits(actual, value, shape)


def qconv2d_text(
    shape: Shape, zero: int, scale: np.float32, scales: Array, result: str
) -> str:
    """One qconv2d with weights per axis."""
    height = shape.window.extent(shape.x[1], shape.w[0], 0)
    width = shape.window.extent(shape.x[2], shape.w[1], 1)
    entries = ", ".join(repr(float(s)) for s in scales)
    element = "!quant.uniform<u8:f32, 2.0:7>" if result == "u8" else result
    x = (
        "x".join(map(str, shape.x))
        + f"x!quant.uniform<u8:f32, {float(scale)!r}:{zero}>"
    )
    w = (
        "x".join(map(str, shape.w))
        + f"x!quant.uniform<i8<-127:127>:f32:3, {{{entries}}}>"
    )
    y = f"{shape.x[0]}x{height}x{width}x{shape.w[3]}x{element}"
    return f"""
      func.func @main(%x: tensor<{x}>, %w: tensor<{w}>) -> tensor<{y}> {{
        %0 = needle.qconv2d %x, %w {{{shape.window.attributes()}}}
          : tensor<{x}>, tensor<{w}> -> tensor<{y}>
        return %0 : tensor<{y}>
      }}"""


@examples(120)
@given(SEEDS)
def test_transposed_float(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel = [int(size) for size in rng.integers(1, 5, 2)]
    strides = [int(size) for size in rng.integers(1, 4, 2)]
    sizes = [int(size) for size in rng.integers(1, 6, 2)]
    more = [int(rng.integers(0, stride)) for stride in strides]
    cuts = []
    for axis in range(2):
        whole = (sizes[axis] - 1) * strides[axis] + kernel[axis] + more[axis]
        low = int(rng.integers(0, min(whole, 3) + 1))
        cuts.append((low, int(rng.integers(0, min(whole - low, 3) + 1))))
    channels, columns = (int(size) for size in rng.integers(1, 9, 2))
    x = rng.integers(-9, 10, (2, *sizes, channels)).astype(np.float32)
    w = rng.integers(-9, 10, (*kernel, channels, columns)).astype(np.float32)
    builder = ndl.GraphBuilder()
    y = builder.conv_transpose2d(
        builder.input("x", x.shape),
        w,
        strides=strides,
        padding=cuts,
        output_padding=more,
    )
    builder.output(y)
    window = Window(tuple(strides), tuple(cuts))  # type: ignore[arg-type]
    # Small integers: every sum is exact in f32.
    expected = conv_transpose2d(x, w, window, tuple(more))  # type: ignore[arg-type]
    assert y.shape == expected.shape
    assert (ndl.reference(builder.build(), (x,)) == expected).all()


# -- The ONNX backend's node tests ----------------------------------------------


@functools.cache
def all_onnx_cases() -> list[Any]:
    pytest.importorskip("onnx")
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        # Those of other operators overflow.
        warnings.simplefilter("ignore")
        return list(collect_testcases(None))


def onnx_cases(operator: str) -> list[tuple[str, dict[str, Any], list[Array], Array]]:
    """Name, attributes, inputs and output of each node test of an operator."""
    cases = []
    for case in all_onnx_cases():
        nodes = case.model.graph.node
        if [node.op_type for node in nodes] != [operator]:
            continue
        from onnx import helper

        attributes = {a.name: helper.get_attribute_value(a) for a in nodes[0].attribute}
        ((inputs, outputs),) = case.data_sets
        cases.append((case.name, attributes, list(inputs), outputs[0]))
    assert cases
    return cases


def onnx_window(attributes: dict[str, Any]) -> Window:
    get = attributes.get
    top, left, bottom, right = get("pads", [0] * 4)
    return Window(
        tuple(get("strides", (1, 1))),
        ((top, bottom), (left, right)),
        tuple(get("dilations", (1, 1))),
        get("group", 1),
    )


def test_onnx_conv() -> None:
    count = 0
    for name, attributes, inputs, output in onnx_cases("Conv"):
        if inputs[0].ndim != 4 or "auto_pad" in attributes:
            continue
        count += 1
        x = np.ascontiguousarray(inputs[0].transpose(0, 2, 3, 1))
        w = np.ascontiguousarray(inputs[1].transpose(2, 3, 1, 0))
        window = onnx_window(attributes)
        graph, _ = build(Shape(x.shape, w.shape, window))
        actual = ndl.reference(graph, (x, w)).transpose(0, 3, 1, 2)
        # The cases are small integers.
        assert (actual == output).all(), name
    assert count >= 4


def test_onnx_conv_transpose() -> None:
    count = 0
    for name, attributes, inputs, output in onnx_cases("ConvTranspose"):
        ours = {"strides", "pads", "output_padding", "kernel_shape"}
        if inputs[0].ndim != 4 or not set(attributes) <= ours:
            continue
        count += 1
        x = np.ascontiguousarray(inputs[0].transpose(0, 2, 3, 1))
        w = np.ascontiguousarray(inputs[1].transpose(2, 3, 0, 1))
        window = onnx_window(attributes)
        builder = ndl.GraphBuilder()
        y = builder.conv_transpose2d(
            builder.input("x", x.shape),
            w,
            strides=window.strides,
            padding=window.padding,
            output_padding=attributes.get("output_padding", (0, 0)),
        )
        builder.output(y)
        actual = ndl.reference(builder.build(), (x,)).transpose(0, 3, 1, 2)
        assert (actual == output).all(), name
    assert count >= 2


def raw_qconv2d(
    x: Array, w: Array, window: Window, result: str, zeros: tuple[int, int]
) -> Array:
    """A qconv2d whose parameters are operands, of scales 1."""
    element = {np.dtype(np.uint8): "ui8", np.dtype(np.int8): "si8"}
    types = ["x".join(map(str, a.shape)) + f"x{element[a.dtype]}" for a in (x, w)]
    y = "x".join(map(str, conv2d(np.zeros(x.shape), np.zeros(w.shape), window).shape))
    text = f"""
      func.func @main(%x: tensor<{types[0]}>, %w: tensor<{types[1]}>,
          %s: tensor<f32>, %zx: tensor<i32>, %zw: tensor<i32>)
          -> tensor<{y}x{result}> {{
        %0 = needle.qconv2d %x, %w
          input_params(%s, %zx : tensor<f32>, tensor<i32>)
          filter_params(%s, %zw : tensor<f32>, tensor<i32>) {{{window.attributes()}}}
          : tensor<{types[0]}>, tensor<{types[1]}> -> tensor<{y}x{result}>
        return %0 : tensor<{y}x{result}>
      }}"""
    scale, zx, zw = np.float32(1), np.int32(zeros[0]), np.int32(zeros[1])
    inputs = (x, w, np.array(scale), np.array(zx), np.array(zw))
    result_array: Array = ndl.reference(ndl.parse(text), inputs)
    return result_array


def test_onnx_conv_integer() -> None:
    for name, attributes, inputs, output in onnx_cases("ConvInteger"):
        x = np.ascontiguousarray(inputs[0].transpose(0, 2, 3, 1))
        w = np.ascontiguousarray(inputs[1].transpose(2, 3, 1, 0))
        window = onnx_window(attributes)
        # Zero points of the weights are one, or one for each channel.
        columns = w.shape[3]
        zeros = np.broadcast_to(inputs[3] if len(inputs) > 3 else 0, columns)
        for column in range(columns):
            one = np.ascontiguousarray(w[..., column : column + 1])
            pair = int(inputs[2]), int(zeros[column])
            actual = raw_qconv2d(x, one, window, "i32", pair)[..., 0]
            assert (actual == output[:, column]).all(), (name, column)


def test_onnx_qlinear_conv() -> None:
    for name, attributes, inputs, output in onnx_cases("QLinearConv"):
        x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = inputs
        window = onnx_window(attributes)
        total = raw_qconv2d(
            np.ascontiguousarray(x.transpose(0, 2, 3, 1)),
            np.ascontiguousarray(w.transpose(2, 3, 1, 0)),
            window,
            "i32",
            (int(x_zero), int(np.ravel(w_zero)[0])),
        )
        # N5 and N1 by the model: parameters are operands here, those of a result
        # are types.
        value = total.astype(np.float32) * np.float32(np.float32(x_scale) * w_scale)
        actual = model.quantize(
            value, np.float32(y_scale), np.int64(int(y_zero)), 0, 255
        )
        assert (actual.transpose(0, 3, 1, 2) == output).all(), name


# -- Errors -----------------------------------------------------------------------


def test_errors_name_what_is_wrong() -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (1, 8, 8, 4))
    w = np.zeros((3, 3, 4, 2), np.float32)
    with pytest.raises(ndl.CompileError, match="4 channels in 2 groups"):
        builder.conv2d(x, w, groups=2)
    with pytest.raises(ValueError, match="strides has two integers, got"):
        builder.conv2d(x, w, strides=(1, 2, 3))
    with pytest.raises(TypeError, match="strides has two integers, got 2"):
        builder.conv2d(x, w, strides=2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a value of strides is at least 1, not 0"):
        builder.conv2d(x, w, strides=(1, 0))
    with pytest.raises(ValueError, match=r"padding is \(\(top, bottom\), "):
        builder.conv2d(x, w, padding=(1, 1, 1))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="padding has two integers, got 1"):
        builder.conv2d(x, w, padding=(1, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a value of padding is at least 0, not -1"):
        builder.conv2d(x, w, padding=((-1, 0), (0, 0)))
    with pytest.raises(ValueError, match="groups is at least 1, not 0"):
        builder.conv2d(x, w, groups=0)
    with pytest.raises(ndl.CompileError, match="must be less than the stride 1"):
        builder.conv_transpose2d(x, w, output_padding=(1, 0))


def test_the_interpreter_checks_dynamic_shapes() -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (1, None, 4, None))
    w = np.zeros((3, 3, 4, 2), np.float32)
    builder.output(builder.conv2d(x, w))
    graph = builder.build()
    image = np.zeros((1, 2, 4, 4), np.float32)
    with pytest.raises(ndl.NeedleError, match="the kernel does not fit into input"):
        ndl.reference(graph, (image,))
    image = np.zeros((1, 3, 4, 3), np.float32)
    with pytest.raises(ndl.NeedleError, match="channels differ: they are 3"):
        ndl.reference(graph, (image,))
