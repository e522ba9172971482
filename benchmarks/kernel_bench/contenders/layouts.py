# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Images and filters as most other libraries have them: channels first."""

from __future__ import annotations

import numpy as np

from kernel_bench.contraction import Array
from kernel_bench.problems import Problem
from kernel_bench.shapes import Convolution, Extents


def image_of(values: Array) -> Array:
    """NHWC → NCHW."""
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def filters_of(problem: Problem, shape: Convolution) -> Array:
    """The weights as [out][in][y][x], or [in][out][y][x] of a transposed one."""
    order = (2, 3, 0, 1) if shape.transposed else (3, 2, 0, 1)
    return np.ascontiguousarray(problem.rhs.transpose(order))


def result_extents(problem: Problem) -> Extents:
    """Of the result, with channels first in an image."""
    extents = problem.case.shape.dest_shape
    if isinstance(problem.case.shape, Convolution):
        batch, height, width, channels = extents
        return batch, channels, height, width
    return extents


def to_rows(problem: Problem, result: Array) -> Array:
    """A result with its channels last."""
    if isinstance(problem.case.shape, Convolution):
        return np.ascontiguousarray(result.transpose(0, 2, 3, 1))
    return result
