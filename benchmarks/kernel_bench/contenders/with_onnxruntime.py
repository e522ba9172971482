# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""onnxruntime on the CPU."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, Setting
from kernel_bench.contenders.layouts import to_rows
from kernel_bench.contenders.onnx_models import make_model
from kernel_bench.problems import Problem


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """A session; ``onnxruntime u8u8`` stores weights as u8."""
    ort: Any = importlib.import_module("onnxruntime")
    model, feed = make_model(problem, unsigned_weights=contender.endswith(" u8u8"))
    options = ort.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Made(
        lambda: session.run(None, feed),
        lambda result: to_rows(problem, np.asarray(result[0])),
    )
