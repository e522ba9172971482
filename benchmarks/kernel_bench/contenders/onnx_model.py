# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Building small ONNX models."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from kernel_bench.contraction import Array

Feed = dict[str, Array]
#: TensorProto.DataType.
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}
#: The domain of onnxruntime's own operations.
MICROSOFT = "com.microsoft"


class Model:
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
        self._inputs.append(info(name, TYPES[values.dtype.name], values.shape))
        return name

    def constant(self, values: Any) -> str:
        """A constant."""
        name = f"c{len(self._constants)}"
        self._constants.append(self._numpy.from_array(np.asarray(values), name))
        return name

    def op(self, kind: str, *operands: str, outputs: int = 1, **attributes: Any) -> Any:
        """An operation: the name of its output, or of each.

        The attribute ``domain`` names another set of operations than ONNX's.
        """
        names = [f"v{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(
            self._helper.make_node(kind, list(operands), names, **attributes)
        )
        return names[0] if outputs == 1 else names

    def build(self, result: str, dtype: str, shape: tuple[int, ...]) -> bytes:
        """The model in bytes."""
        info = self._helper.make_tensor_value_info(result, TYPES[dtype], shape)
        graph = self._helper.make_graph(
            self._nodes, "row", self._inputs, [info], self._constants
        )
        opset = self._helper.make_opsetid
        model = self._helper.make_model(
            graph, opset_imports=[opset("", 17), opset(MICROSOFT, 1)], ir_version=8
        )
        data: bytes = model.SerializeToString()
        return data
