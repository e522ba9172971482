# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""OpenVINO on the CPU."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, Setting
from kernel_bench.contenders.layouts import to_rows
from kernel_bench.contenders.onnx_models import make_model
from kernel_bench.problems import Problem


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """An inference request whose input lies in our memory."""
    del contender
    ov: Any = importlib.import_module("openvino")
    model, feed = make_model(problem)
    core = ov.Core()
    settings = {
        "INFERENCE_NUM_THREADS": setting.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": 1,
    }
    if problem.case.kind == "w4-f32":
        # Otherwise it quantizes activations wherever it finds that faster.
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 0
    request = core.compile_model(
        core.read_model(model), "CPU", settings
    ).create_infer_request()
    for name, values in feed.items():
        request.set_tensor(name, ov.Tensor(values, shared_memory=True))

    def infer(_kept: object = (feed, model)) -> Any:
        # The request looks into memory of ours without keeping it.
        return request.infer()

    return Made(
        infer,
        lambda result: to_rows(problem, np.array(next(iter(result.values())))),
        _executed(request),
    )


def _executed(request: Any) -> tuple[str, ...]:
    """Primitives that OpenVINO says it runs, such as ``brgemm_avx2_f32``."""
    graph = request.get_compiled_model().get_runtime_model()
    found = []
    for op in graph.get_ops():
        info = op.get_rt_info()
        if "primitiveType" in info:
            text = str(info["primitiveType"].value)
            if "gemm" in text or "jit" in text:
                found.append(text)
    return tuple(dict.fromkeys(found))
