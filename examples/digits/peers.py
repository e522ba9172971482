# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same network in onnxruntime, float and quantized by its own tools."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits.data import Floats

#: Takes a batch of images, returns the ten scores of each.
Model = Callable[[Floats], Floats]


def load_peers(
    weights: Sequence[Floats],
    biases: Sequence[Floats],
    calibration: Sequence[Floats],
    threads: int,
) -> dict[str, Model]:
    """Float and static int8 models by name; empty without onnxruntime."""
    try:
        import onnxruntime
        from onnxruntime import quantization
    except ImportError:
        return {}
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as folder:
        float_path = Path(folder, "float.onnx")
        int8_path = Path(folder, "int8.onnx")
        float_path.write_bytes(_make_onnx(weights, biases))
        # It warns that it would rather see a preprocessed model.
        logging.disable(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quantization.quantize_static(
                float_path,
                int8_path,
                _Reader(calibration),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
            )
        logging.disable(logging.NOTSET)
        return {
            "onnxruntime float32": _open(float_path, threads),
            "onnxruntime int8 (QDQ)": _open(int8_path, threads),
        }


class _Reader:
    """Hands calibration batches to onnxruntime."""

    def __init__(self, batches: Sequence[Floats]) -> None:
        self._batches: Iterator[Floats] = iter(batches)

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"x": batch}


def _open(path: Path, threads: int) -> Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    return lambda images: np.asarray(session.run(None, {"x": images})[0])


def _make_onnx(weights: Sequence[Floats], biases: Sequence[Floats]) -> bytes:
    """The network as an ONNX model with a dynamic batch dimension."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []
    value = "x"
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        names = f"w{layer}", f"b{layer}"
        constants.append(numpy_helper.from_array(weight, names[0]))
        constants.append(numpy_helper.from_array(bias, names[1]))
        is_last = layer == len(weights) - 1
        result = "y" if is_last else f"g{layer}"
        nodes.append(helper.make_node("Gemm", [value, *names], [result]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [result], [f"h{layer}"]))
        value = f"h{layer}"
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "digits",
        [tensor("x", TensorProto.FLOAT, ["n", weights[0].shape[0]])],
        [tensor("y", TensorProto.FLOAT, ["n", weights[-1].shape[1]])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    # What the oldest supported onnxruntime reads.
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
