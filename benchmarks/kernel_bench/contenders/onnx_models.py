# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows as ONNX models, for the libraries that run those."""

from __future__ import annotations

import numpy as np

from kernel_bench.contenders.layouts import filters_of, image_of, result_extents
from kernel_bench.contenders.onnx_model import MICROSOFT, TYPES, Feed, Model
from kernel_bench.contraction import Array
from kernel_bench.problems import SCALE, ZERO_POINT, Problem, is_static
from kernel_bench.shapes import Blockwise, Convolution

#: What a builder returns: the result, its type, what the model is run with.
Built = tuple[str, str, Feed]


def make_model(problem: Problem, unsigned_weights: bool = False) -> tuple[bytes, Feed]:
    """The row as a model, and what it is run with.

    ``unsigned_weights`` stores the weights of ``u8s8-i32`` as u8 with zero point
    128: the same sums. Images are NCHW, as ONNX has them.
    """
    model, shape = Model(), problem.case.shape
    if isinstance(shape, Blockwise):
        built = _blockwise(model, problem, shape)
    elif isinstance(shape, Convolution):
        build = _convolution_static if is_static(problem.case.kind) else _convolution
        built = build(model, problem, shape)
    elif problem.case.kind == "u8s8-i32":
        built = _integer(model, problem, unsigned_weights)
    else:
        builders = {
            "f32": _product,
            "u8u8-f32": _two_values,
            "dynamic": _dynamic,
            "static": _static,
        }
        built = builders[problem.case.kind](model, problem)
    result, dtype, feed = built
    return model.build(result, dtype, result_extents(problem)), feed


# -- Products ----------------------------------------------------------------


def _product(model: Model, problem: Problem) -> Built:
    feed = {"a": problem.lhs}
    a = model.input("a", problem.lhs)
    if problem.lhs.ndim > 2:  # a batch of two values of the run
        feed["b"] = problem.rhs
        b = model.input("b", problem.rhs)
    else:
        b = model.constant(problem.rhs)
    return model.op("MatMul", a, b), "float32", feed


def _integer(model: Model, problem: Problem, unsigned: bool) -> Built:
    weight, zero = problem.rhs, np.int8(0)
    if unsigned:
        weight = (problem.rhs.astype(np.int16) + 128).astype(np.uint8)
        zero = np.uint8(128)  # type: ignore[assignment]
    result = model.op(
        "MatMulInteger",
        model.input("a", problem.lhs),
        model.constant(weight),
        model.constant(np.uint8(ZERO_POINT)),
        model.constant(zero),
    )
    return result, "int32", {"a": problem.lhs}


def _two_values(model: Model, problem: Problem) -> Built:
    zero = model.constant(np.uint8(ZERO_POINT))
    sums = model.op(
        "MatMulInteger",
        model.input("a", problem.lhs),
        model.input("b", problem.rhs),
        zero,
        zero,
    )
    scale = model.constant(np.float32(SCALE * SCALE))
    result = model.op("Mul", model.op("Cast", sums, to=TYPES["float32"]), scale)
    return result, "float32", {"a": problem.lhs, "b": problem.rhs}


def _dynamic(model: Model, problem: Problem) -> Built:
    """The pattern that onnxruntime fuses to DynamicQuantizeMatMul."""
    x = problem.floats
    q, scale, zero = model.op("DynamicQuantizeLinear", model.input("x", x), outputs=3)
    zeros = model.constant(np.zeros(problem.case.shape.channels, np.int8))
    sums = model.op("MatMulInteger", q, model.constant(problem.rhs), zero, zeros)
    scales = model.op("Mul", scale, model.constant(problem.scales))
    result = model.op("Mul", model.op("Cast", sums, to=TYPES["float32"]), scales)
    return result, "float32", {"x": x}


def _static(model: Model, problem: Problem) -> Built:
    """Quantize-dequantize around a Gemm with bias and relu."""
    values = model.op(
        "Gemm",
        _activations(model, problem.lhs),
        _weights(model, problem, problem.rhs, axis=1),
        _bias(model, problem),
    )
    return _quantized(model, problem, values), "uint8", {"a": problem.lhs}


def _activations(model: Model, stored: Array) -> str:
    result: str = model.op(
        "DequantizeLinear",
        model.input("a", stored),
        model.constant(SCALE),
        model.constant(np.uint8(ZERO_POINT)),
    )
    return result


def _weights(model: Model, problem: Problem, stored: Array, axis: int) -> str:
    """With a scale for each channel along ``axis``."""
    result: str = model.op(
        "DequantizeLinear",
        model.constant(stored),
        model.constant(problem.scales),
        model.constant(np.zeros(problem.case.shape.channels, np.int8)),
        axis=axis,
    )
    return result


def _bias(model: Model, problem: Problem) -> str:
    result: str = model.op(
        "DequantizeLinear",
        model.constant(problem.bias_steps),
        model.constant(SCALE * problem.scales),
        model.constant(np.zeros(problem.case.shape.channels, np.int32)),
        axis=0,
    )
    return result


def _quantized(model: Model, problem: Problem, values: str) -> str:
    result: str = model.op(
        "QuantizeLinear",
        model.op("Relu", values),
        model.constant(problem.dest_scale),
        model.constant(np.uint8(0)),
    )
    return result


# -- Convolutions ------------------------------------------------------------


def _convolve(model: Model, shape: Convolution, *operands: str) -> str:
    result: str = model.op(
        "ConvTranspose" if shape.transposed else "Conv",
        *operands,
        strides=[shape.stride] * 2,
        pads=[shape.padding] * 4,
        group=shape.groups,
    )
    return result


def _convolution(model: Model, problem: Problem, shape: Convolution) -> Built:
    feed = {"a": image_of(problem.lhs)}
    a = model.input("a", feed["a"])
    filters = model.constant(filters_of(problem, shape))
    return _convolve(model, shape, a, filters), "float32", feed


def _convolution_static(model: Model, problem: Problem, shape: Convolution) -> Built:
    """Quantize-dequantize around a convolution with bias and relu."""
    feed = {"a": image_of(problem.lhs)}
    values = _convolve(
        model,
        shape,
        _activations(model, feed["a"]),
        _weights(
            model,
            problem,
            filters_of(problem, shape),
            axis=1 if shape.transposed else 0,
        ),
        _bias(model, problem),
    )
    return _quantized(model, problem, values), "uint8", feed


# -- Weights of 4 bits -------------------------------------------------------


def _blockwise(model: Model, problem: Problem, shape: Blockwise) -> Built:
    """Onnxruntime's MatMulNBits; activations stay floats or become int8."""
    x = problem.lhs
    columns = problem.rhs.T.astype(np.uint8)
    if problem.zero_points is None:
        columns = columns + np.uint8(8)  # the zero point that it assumes
    operands = [
        model.input("x", x),
        model.constant(_nibbles(columns).reshape(shape.n, shape.blocks, -1)),
        model.constant(np.ascontiguousarray(problem.scales.T).reshape(-1)),
    ]
    if problem.zero_points is not None:
        zeros = problem.zero_points.T.astype(np.uint8)
        zeros = np.pad(zeros, ((0, 0), (0, shape.blocks % 2)))
        operands.append(model.constant(_nibbles(zeros).reshape(-1)))
    result = model.op(
        "MatMulNBits",
        *operands,
        domain=MICROSOFT,
        K=shape.k,
        N=shape.n,
        bits=4,
        block_size=shape.block,
        accuracy_level=4 if problem.case.kind == "w4-int8" else 0,
    )
    return result, "float32", {"x": x}


def _nibbles(values: Array) -> Array:
    """Two values in a byte, the first one in its low half."""
    return np.ascontiguousarray(values[:, ::2] | values[:, 1::2] << 4)
