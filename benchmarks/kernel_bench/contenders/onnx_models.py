# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows as ONNX models, for the libraries that run those."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from kernel_bench.contenders import NotOfferedError
from kernel_bench.problems import SCALE, ZERO_POINT, Array, Problem

Feed = dict[str, Array]
_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}  # TensorProto.DataType


class _Model:
    """A model under construction."""

    def __init__(self) -> None:
        self._helper: Any = importlib.import_module("onnx.helper")
        self._numpy: Any = importlib.import_module("onnx.numpy_helper")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []

    def input(self, name: str, values: Array) -> str:
        """An input like these values."""
        info = self._helper.make_tensor_value_info
        self._inputs.append(info(name, _TYPES[values.dtype.name], values.shape))
        return name

    def constant(self, values: Any) -> str:
        """A constant."""
        name = f"c{len(self._constants)}"
        self._constants.append(self._numpy.from_array(np.asarray(values), name))
        return name

    def op(self, kind: str, *operands: str, outputs: int = 1, **attributes: Any) -> Any:
        """An operation: the name of its output, or of each."""
        names = [f"v{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(
            self._helper.make_node(kind, list(operands), names, **attributes)
        )
        return names[0] if outputs == 1 else names

    def build(self, result: str, dtype: str, shape: tuple[int, ...]) -> bytes:
        """The model in bytes."""
        info = self._helper.make_tensor_value_info(result, _TYPES[dtype], shape)
        graph = self._helper.make_graph(
            self._nodes, "row", self._inputs, [info], self._constants
        )
        model = self._helper.make_model(
            graph, opset_imports=[self._helper.make_opsetid("", 17)], ir_version=8
        )
        data: bytes = model.SerializeToString()
        return data


def make_model(problem: Problem, unsigned_weights: bool = False) -> tuple[bytes, Feed]:
    """The row as a model, and what it is run with.

    ``unsigned_weights`` stores the weights of ``u8s8-i32`` as u8 with zero point
    128: the same sums.
    """
    kind, s = problem.case.kind, problem.case.shape
    shape = (*problem.lhs.shape[:-1], s.n)
    model = _Model()
    if kind == "f32":
        feed = {"a": problem.lhs}
        a = model.input("a", problem.lhs)
        if s.batch > 1:
            feed["b"] = problem.rhs
            b = model.input("b", problem.rhs)
        else:
            b = model.constant(problem.rhs)
        return model.build(model.op("MatMul", a, b), "float32", shape), feed
    builders = {
        "u8s8-i32": lambda: _integer(model, problem, unsigned_weights),
        "u8u8-f32": lambda: _two_values(model, problem),
        "dynamic": lambda: _dynamic(model, problem),
        "static": lambda: _static(model, problem),
    }
    if kind not in builders:
        raise NotOfferedError(f"no ONNX model for {kind}")
    result, dtype, feed = builders[kind]()
    return model.build(result, dtype, shape), feed


def _integer(model: _Model, problem: Problem, unsigned: bool) -> tuple[str, str, Feed]:
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


def _two_values(model: _Model, problem: Problem) -> tuple[str, str, Feed]:
    zero = model.constant(np.uint8(ZERO_POINT))
    sums = model.op(
        "MatMulInteger",
        model.input("a", problem.lhs),
        model.input("b", problem.rhs),
        zero,
        zero,
    )
    scale = model.constant(np.float32(SCALE * SCALE))
    result = model.op("Mul", model.op("Cast", sums, to=_TYPES["float32"]), scale)
    return result, "float32", {"a": problem.lhs, "b": problem.rhs}


def _dynamic(model: _Model, problem: Problem) -> tuple[str, str, Feed]:
    """The pattern that onnxruntime fuses to DynamicQuantizeMatMul."""
    x = problem.floats
    q, scale, zero = model.op("DynamicQuantizeLinear", model.input("x", x), outputs=3)
    zeros = model.constant(np.zeros(problem.case.shape.n, np.int8))
    sums = model.op("MatMulInteger", q, model.constant(problem.rhs), zero, zeros)
    scales = model.op("Mul", scale, model.constant(problem.scales))
    result = model.op("Mul", model.op("Cast", sums, to=_TYPES["float32"]), scales)
    return result, "float32", {"x": x}


def _static(model: _Model, problem: Problem) -> tuple[str, str, Feed]:
    """Quantize-dequantize around a Gemm with bias and relu."""
    n = problem.case.shape.n
    lhs = model.op(
        "DequantizeLinear",
        model.input("a", problem.lhs),
        model.constant(SCALE),
        model.constant(np.uint8(ZERO_POINT)),
    )
    scales = model.constant(problem.scales)
    zeros = model.constant(np.zeros(n, np.int8))
    rhs = model.op(
        "DequantizeLinear", model.constant(problem.rhs), scales, zeros, axis=1
    )
    bias = model.op(
        "DequantizeLinear",
        model.constant(problem.bias_steps),
        model.constant(SCALE * problem.scales),
        model.constant(np.zeros(n, np.int32)),
        axis=0,
    )
    values = model.op("Relu", model.op("Gemm", lhs, rhs, bias))
    result = model.op(
        "QuantizeLinear",
        values,
        model.constant(problem.dest_scale),
        model.constant(np.uint8(0)),
    )
    return result, "uint8", {"a": problem.lhs}
