# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle: compiled programs, and eager arrays where both operands are values."""

from __future__ import annotations

import needle as ndl
import numpy as np
from needle import backend_ndarray as nd

from kernel_bench.contenders import Made, Setting
from kernel_bench.problems import SCALE, ZERO_POINT, Array, Problem

TARGET = "avx2"
_ACTIVATIONS = f"!quant.uniform<u8:f32, {float(SCALE)!r}:{ZERO_POINT}>"
#: lhs, rhs, lhs_scale, lhs_zero_point, rhs_scale, rhs_zero_point, bias
_WITH_PARAMS = "{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0>}"
_WITH_BIAS = (
    "{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>, "
    "activation = #needle.activation<relu>}"
)


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """A compiled program; eager arrays for ``needle eager`` and ``u8u8-f32``."""
    if contender == "needle eager" or problem.case.kind == "u8u8-f32":
        return _make_eager(problem)
    inputs = inputs_of(problem)
    executable = ndl.compile(make_graph(problem), TARGET, setting.threads)

    def kernel_seconds(runs: int) -> float:
        steps = executable.profile(*inputs, runs=runs)
        return sum(step.min_ns for step in steps) * 1e-9

    kernels = tuple(kernel.name for kernel in executable.kernels)
    return Made(lambda: executable(*inputs), np.asarray, kernels, kernel_seconds)


def _make_eager(problem: Problem) -> Made:
    if problem.case.kind == "f32":
        a, b = nd.NDArray(problem.lhs), nd.NDArray(problem.rhs)
    else:
        a = nd.NDArray(problem.floats).quantize_uint8()
        b = nd.NDArray(problem.rhs_floats).quantize_uint8()
    before = nd.cpu().launches()
    _ = a @ b
    after = nd.cpu().launches()
    kernels = tuple(name for name in after if after[name] != before.get(name))
    return Made(lambda: a @ b, lambda result: np.asarray(result.numpy()), kernels)


def inputs_of(problem: Problem) -> tuple[Array, ...]:
    """What the program is called with."""
    if problem.case.shape.batch > 1:
        return problem.lhs, problem.rhs
    if problem.case.kind == "dynamic":
        return (problem.floats,)
    return (problem.lhs,)


def make_graph(problem: Problem) -> ndl.Graph:
    """The row as a graph; the number of rows is known only when it runs."""
    s, kind = problem.case.shape, problem.case.kind
    builder = ndl.GraphBuilder("layer")
    if kind == "f32" and s.batch > 1:
        a = builder.input("a", problem.lhs.shape)
        b = builder.input("b", problem.rhs.shape)
        builder.output(builder.matmul(a, b), name="y")
    elif kind == "f32":
        x = builder.input("x", (None, s.k))
        weight = builder.constant(problem.rhs, name="weight")
        builder.output(builder.matmul(x, weight), name="y")
    else:
        _add_integer_layer(builder, problem)
    return builder.build()


def _add_integer_layer(builder: ndl.GraphBuilder, problem: Problem) -> None:
    s, kind = problem.case.shape, problem.case.kind
    scales = ", ".join(repr(float(scale)) for scale in problem.scales)
    weight = builder.constant(
        problem.rhs,
        name="weight",
        dtype=f"!quant.uniform<i8<-127:127>:f32:1, {{{scales}}}>",
    )
    if kind == "dynamic":
        x = builder.input("x", (None, s.k))
        q, scale, zero = builder.op("quantize_dynamic", x, num_results=3)
        operands: tuple[ndl.builder.Value, ...] = (q, weight, scale, zero)
        attributes, dest = _WITH_PARAMS, "float32"
    else:
        q = builder.input("q", (None, s.k), _ACTIVATIONS)
        operands = (q, weight)
        attributes, dest = "", "int32"
        if kind == "static":
            operands = (q, weight, builder.constant(problem.bias, name="bias"))
            attributes = _WITH_BIAS
            dest = f"!quant.uniform<u8:f32, {float(problem.dest_scale)!r}>"
    types = [(dest, (None, s.n))]
    (y,) = builder.op("qmatmul", *operands, attributes=attributes, result_types=types)
    builder.output(y, name="y")
