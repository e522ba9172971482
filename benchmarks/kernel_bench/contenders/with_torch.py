# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch: its float products, FBGEMM for 8 bits."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, NotOfferedError, Setting
from kernel_bench.problems import SCALE, ZERO_POINT, Problem


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """By the kind of the row."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(setting.threads)
    torch.set_grad_enabled(False)
    kind = problem.case.kind
    if kind == "f32":
        a, b = torch.from_numpy(problem.lhs), torch.from_numpy(problem.rhs)
        return Made(lambda: a @ b, lambda result: np.asarray(result.numpy()))
    if kind == "u8s8-i32":
        return _make_int_mm(torch, problem)
    return _make_fbgemm(torch, problem)


def _make_int_mm(torch: Any, problem: Problem) -> Made:
    """The same sums from s8×s8: the zero point is taken off beforehand."""
    centered = (problem.lhs.astype(np.int16) - ZERO_POINT).astype(np.int8)
    a, b = torch.from_numpy(centered), torch.from_numpy(problem.rhs)
    try:
        torch._int_mm(a, b)
    except RuntimeError as error:
        raise NotOfferedError(f"_int_mm: {_first_line(error)}") from None
    return Made(lambda: torch._int_mm(a, b), lambda result: np.asarray(result.numpy()))


def _make_fbgemm(torch: Any, problem: Problem) -> Made:
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        raise NotOfferedError("this build has no FBGEMM")
    torch.backends.quantized.engine = "fbgemm"
    ops = torch.ops.quantized
    scales = torch.from_numpy(problem.scales.astype(np.float64))
    # Stored n×k, quantized along n.
    stored = np.ascontiguousarray(problem.rhs.T)
    zeros = torch.zeros(problem.case.shape.n, dtype=torch.long)
    with warnings.catch_warnings():
        # That quantized tensors will go away some day.
        warnings.simplefilter("ignore")
        weight = torch._make_per_channel_quantized_tensor(
            torch.from_numpy(stored), scales, zeros, 0
        )
    if problem.case.kind == "dynamic":
        packed = ops.linear_prepack(weight, None)
        x = torch.from_numpy(problem.floats)
        return Made(
            lambda: ops.linear_dynamic(x, packed),
            lambda result: np.asarray(result.numpy()),
        )
    packed = ops.linear_prepack(weight, torch.from_numpy(problem.bias))
    q = torch._make_per_tensor_quantized_tensor(
        torch.from_numpy(problem.lhs), float(SCALE), ZERO_POINT
    )
    scale = float(problem.dest_scale)
    return Made(
        lambda: ops.linear_relu(q, packed, scale, 0),
        lambda result: np.asarray(result.int_repr().numpy()),
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
