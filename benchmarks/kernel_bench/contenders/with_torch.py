# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch: its float products and convolutions, FBGEMM for 8 bits."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, NotOfferedError, Setting
from kernel_bench.contenders.layouts import filters_of, to_rows
from kernel_bench.contraction import Array
from kernel_bench.problems import SCALE, ZERO_POINT, Problem
from kernel_bench.shapes import Convolution


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """By the kind of the row."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(setting.threads)
    torch.set_grad_enabled(False)
    kind, shape = problem.case.kind, problem.case.shape
    if isinstance(shape, Convolution):
        if kind == "conv-f32":
            return _make_convolution(torch, problem, shape)
        return _make_fbgemm_convolution(torch, problem, shape)
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
    ops = _fbgemm(torch)
    # Stored n×k, quantized along n.
    weight = _per_channel(torch, problem, np.ascontiguousarray(problem.rhs.T), 0)
    if problem.case.kind == "dynamic":
        packed = ops.linear_prepack(weight, None)
        x = torch.from_numpy(problem.floats)
        return Made(
            lambda: ops.linear_dynamic(x, packed),
            lambda result: np.asarray(result.numpy()),
        )
    packed = ops.linear_prepack(weight, torch.from_numpy(problem.bias))
    q = _activations(torch, torch.from_numpy(problem.lhs))
    scale = float(problem.dest_scale)
    return Made(
        lambda: ops.linear_relu(q, packed, scale, 0),
        lambda result: np.asarray(result.int_repr().numpy()),
    )


def _fbgemm(torch: Any) -> Any:
    """Its operations."""
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        raise NotOfferedError("this build has no FBGEMM")
    torch.backends.quantized.engine = "fbgemm"
    return torch.ops.quantized


def _per_channel(torch: Any, problem: Problem, stored: Array, axis: int) -> Any:
    """Weights with a scale for each channel along ``axis``."""
    scales = torch.from_numpy(problem.scales.astype(np.float64))
    zeros = torch.zeros(problem.case.shape.channels, dtype=torch.long)
    with warnings.catch_warnings():
        # That quantized tensors will go away some day.
        warnings.simplefilter("ignore")
        return torch._make_per_channel_quantized_tensor(
            torch.from_numpy(stored), scales, zeros, axis
        )


def _activations(torch: Any, stored: Any) -> Any:
    return torch._make_per_tensor_quantized_tensor(stored, float(SCALE), ZERO_POINT)


def _image(torch: Any, values: Array) -> Any:
    """N, channels, y, x, with channels closest together in memory."""
    return torch.from_numpy(values).permute(0, 3, 1, 2)


def _make_convolution(torch: Any, problem: Problem, shape: Convolution) -> Made:
    nearest = torch.channels_last
    image = _image(torch, problem.lhs)
    filters = torch.from_numpy(filters_of(problem, shape)).to(memory_format=nearest)
    functional = torch.nn.functional
    convolve = functional.conv_transpose2d if shape.transposed else functional.conv2d
    settings = {
        "stride": shape.stride,
        "padding": shape.padding,
        "groups": shape.groups,
    }
    return Made(
        lambda: convolve(image, filters, **settings),
        lambda y: to_rows(problem, y.numpy()),
    )


def _make_fbgemm_convolution(torch: Any, problem: Problem, shape: Convolution) -> Made:
    ops = _fbgemm(torch)
    if shape.transposed:
        raise NotOfferedError("FBGEMM has no transposed one with scales per channel")
    weight = _per_channel(torch, problem, filters_of(problem, shape), 0)
    packed = ops.conv2d_prepack(
        weight,
        torch.from_numpy(problem.bias),
        [shape.stride] * 2,
        [shape.padding] * 2,
        [1, 1],
        shape.groups,
    )
    q = _activations(torch, _image(torch, problem.lhs))
    scale = float(problem.dest_scale)
    return Made(
        lambda: ops.conv2d_relu(q, packed, scale, 0),
        lambda result: to_rows(problem, result.int_repr().numpy()),
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
