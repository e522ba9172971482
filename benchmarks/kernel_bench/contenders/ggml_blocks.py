# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights of 4 bits in ggml's formats Q4_0 and Q4_1."""

from __future__ import annotations

import numpy as np

from kernel_bench.contraction import Array
from kernel_bench.problems import Problem
from kernel_bench.shapes import Blockwise

BLOCK = 32


def pack(problem: Problem) -> Array:
    """Blocks of 32 along k for each column: scale (and offset) in f16, nibbles.

    The first half of a block is in the low nibbles. Q4_0, without an offset, stands for
    (q − 8) · scale, Q4_1 for q · scale + offset. Larger blocks repeat their scale.
    """
    shape = problem.case.shape
    assert isinstance(shape, Blockwise)
    repeat = shape.block // BLOCK
    scales = np.repeat(problem.scales.T, repeat, axis=1)
    values: Array = problem.rhs.T.reshape(shape.n, -1, BLOCK).astype(np.uint8)
    header = [scales.astype(np.float16)]
    if problem.zero_points is None:
        values = values + np.uint8(8)
    else:
        zeros = np.repeat(problem.zero_points.T, repeat, axis=1)
        header.append((scales * -zeros.astype(np.float32)).astype(np.float16))
    nibbles = values[..., : BLOCK // 2] | values[..., BLOCK // 2 :] << 4
    parts = [part[..., None].view(np.uint8) for part in header]
    return np.ascontiguousarray(np.concatenate([*parts, nibbles], axis=-1))
