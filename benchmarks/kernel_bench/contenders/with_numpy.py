# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NumPy, that is, the BLAS it was built with."""

from __future__ import annotations

from kernel_bench.contenders import Made, Setting
from kernel_bench.problems import Problem


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """Products of floats."""
    del contender, setting
    lhs, rhs = problem.lhs, problem.rhs
    return Made(lambda: lhs @ rhs)
