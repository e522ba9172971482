# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bits of a result do not depend on how work is divided among threads (N6, N7)."""

from __future__ import annotations

import needle as ndl
import numpy as np
import pytest

# Above the size from which work is handed to the pool. By rows: several blocks of
# rows; by columns: one block, so that columns are divided; ragged: both, with
# remainders everywhere.
SHAPES = {"rows": (601, 96, 33), "columns": (7, 301, 512), "ragged": (199, 131, 87)}
THREADS = (1, 2, 3, 16, 64)


def layer(k: int, n: int) -> ndl.Graph:
    rng = np.random.default_rng(k * n)
    builder = ndl.GraphBuilder("layer")
    x = builder.input("x", (None, k))
    weight = rng.standard_normal((k, n)).astype(np.float32)
    bias = rng.standard_normal(n).astype(np.float32)
    builder.output(builder.relu(builder.add(builder.matmul(x, weight), bias)))
    return builder.build()


@pytest.mark.parametrize("target", ["x86-64", "avx2"])
@pytest.mark.parametrize("shape", SHAPES)
def test_integer_bits(shape: str, target: str) -> None:
    m, k, n = SHAPES[shape]
    data = np.random.default_rng(m).standard_normal((m, k)).astype(np.float32)
    graph = ndl.quantize(layer(k, n), [data])
    expected = ndl.reference(graph, [data])
    for threads in THREADS:
        executable = ndl.compile(graph, target=target, threads=threads)
        assert executable.threads == threads
        for _ in range(3):
            np.testing.assert_array_equal(executable(data), expected)


@pytest.mark.parametrize("target", ["x86-64", "avx2"])
@pytest.mark.parametrize("shape", SHAPES)
def test_float_bits(shape: str, target: str) -> None:
    m, k, n = SHAPES[shape]
    data = np.random.default_rng(m).standard_normal((m, k)).astype(np.float32)
    graph = layer(k, n)
    expected = ndl.compile(graph, target=target, threads=1)(data)
    for threads in THREADS:
        actual = ndl.compile(graph, target=target, threads=threads)(data)
        np.testing.assert_array_equal(actual, expected)
