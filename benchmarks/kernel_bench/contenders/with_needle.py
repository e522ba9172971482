# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle: compiled programs, and eager arrays where both operands are values."""

from __future__ import annotations

import needle as ndl
import numpy as np
from needle import backend_ndarray as nd

from kernel_bench.contenders import Made, Setting
from kernel_bench.contenders.needle_graphs import make_graph
from kernel_bench.contraction import Array
from kernel_bench.problems import Problem

#: The target without instructions beyond AVX2; the other one is this CPU's best.
AVX2_TARGET, BEST_TARGET = "avx2", "host"


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """A compiled program; eager arrays for ``needle eager`` and ``u8u8-f32``."""
    if contender == "needle eager" or problem.case.kind == "u8u8-f32":
        return _make_eager(problem)
    inputs = inputs_of(problem)
    target = AVX2_TARGET if setting.limited else BEST_TARGET
    executable = ndl.compile(make_graph(problem), target, setting.threads)

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
    if problem.lhs.ndim == 3:  # a batch of two values of the run
        return problem.lhs, problem.rhs
    if problem.case.kind == "dynamic":
        return (problem.floats,)
    return (problem.lhs,)
