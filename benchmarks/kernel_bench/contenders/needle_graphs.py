# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows as needle graphs."""

from __future__ import annotations

import needle as ndl

from kernel_bench.problems import SCALE, ZERO_POINT, Problem, is_static
from kernel_bench.shapes import Blockwise, Convolution

Value = ndl.builder.Value
_ACTIVATIONS = f"!quant.uniform<u8:f32, {float(SCALE)!r}:{ZERO_POINT}>"
#: lhs, rhs, lhs_scale, lhs_zero_point, rhs_scale, rhs_zero_point, bias
_WITH_PARAMS = "{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0>}"
_WITH_BIAS = (
    "{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>, "
    "activation = #needle.activation<relu>}"
)


def make_graph(problem: Problem) -> ndl.Graph:
    """The row as a graph; the number of rows is known only when it runs."""
    shape, kind = problem.case.shape, problem.case.kind
    builder = ndl.GraphBuilder("layer")
    if isinstance(shape, Convolution):
        add = _convolution_static if is_static(kind) else _convolution
        y = add(builder, problem, shape)
    elif isinstance(shape, Blockwise):
        y = _blockwise(builder, problem, shape)
    elif kind == "f32":
        y = _product(builder, problem)
    else:
        y = _integer_product(builder, problem)
    builder.output(y, name="y")
    return builder.build()


# -- Products ----------------------------------------------------------------


def _product(builder: ndl.GraphBuilder, problem: Problem) -> Value:
    if problem.lhs.ndim > 2:  # a batch of two values of the run
        a = builder.input("a", problem.lhs.shape)
        return builder.matmul(a, builder.input("b", problem.rhs.shape))
    x = builder.input("x", (None, problem.case.shape.depth))
    return builder.matmul(x, builder.constant(problem.rhs, name="weight"))


def _integer_product(builder: ndl.GraphBuilder, problem: Problem) -> Value:
    shape, kind = problem.case.shape, problem.case.kind
    weight = _weights(builder, problem)
    if kind == "dynamic":
        x = builder.input("x", (None, shape.depth))
        q, scale, zero = builder.op("quantize_dynamic", x, num_results=3)
        operands: tuple[Value, ...] = (q, weight, scale, zero)
        attributes, dest = _WITH_PARAMS, "float32"
    else:
        q = builder.input("q", (None, shape.depth), _ACTIVATIONS)
        operands = (q, weight)
        attributes, dest = "", "int32"
        if is_static(kind):
            operands = (q, weight, builder.constant(problem.bias, name="bias"))
            attributes, dest = _WITH_BIAS, _result_type(problem)
    types = [(dest, (None, shape.channels))]
    (y,) = builder.op("qmatmul", *operands, attributes=attributes, result_types=types)
    return y


def _weights(builder: ndl.GraphBuilder, problem: Problem) -> Value:
    """The stored weights, with a scale for each channel, which come last."""
    scales = ", ".join(repr(float(scale)) for scale in problem.scales)
    axis = problem.rhs.ndim - 1
    return builder.constant(
        problem.rhs,
        name="weight",
        dtype=f"!quant.uniform<i8<-127:127>:f32:{axis}, {{{scales}}}>",
    )


def _result_type(problem: Problem) -> str:
    return f"!quant.uniform<u8:f32, {float(problem.dest_scale)!r}>"


# -- Convolutions ------------------------------------------------------------


def _convolution(
    builder: ndl.GraphBuilder, problem: Problem, shape: Convolution
) -> Value:
    x = builder.input("x", shape.lhs_shape)
    return _convolve(builder, shape, x, builder.constant(problem.rhs, name="weight"))


def _convolution_static(
    builder: ndl.GraphBuilder, problem: Problem, shape: Convolution
) -> Value:
    """Around a float one, as quantizing a model leaves it; fused when compiled."""
    q = builder.input("q", shape.lhs_shape, _ACTIVATIONS)
    weight = _weights(builder, problem)
    types = [("float32", shape.lhs_shape)], [("float32", shape.rhs_shape)]
    (x,) = builder.op("dequantize", q, result_types=types[0])
    (w,) = builder.op("dequantize", weight, result_types=types[1])
    bias = builder.constant(problem.bias, name="bias")
    y = builder.relu(builder.add(_convolve(builder, shape, x, w), bias))
    dest = [(_result_type(problem), shape.dest_shape)]
    (result,) = builder.op("quantize", y, result_types=dest)
    return result


def _convolve(
    builder: ndl.GraphBuilder, shape: Convolution, x: Value, weight: Value
) -> Value:
    strides = (shape.stride, shape.stride)
    if shape.transposed:
        return builder.conv_transpose2d(x, weight, strides=strides)
    edge = (shape.padding, shape.padding)
    return builder.conv2d(
        x, weight, strides=strides, padding=(edge, edge), groups=shape.groups
    )


# -- Weights of 4 bits -------------------------------------------------------


def _blockwise(builder: ndl.GraphBuilder, problem: Problem, shape: Blockwise) -> Value:
    return builder.matmul_blockwise(
        builder.input("x", (None, shape.k)),
        problem.rhs,
        problem.scales,
        problem.zero_points,
        block_size=shape.block,
        activations="int8" if problem.case.kind == "w4-int8" else "float32",
    )
