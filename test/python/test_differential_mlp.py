# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole networks: weights packed while compiling, quantized in every way."""

from __future__ import annotations

import itertools

import needle as ndl
import numpy as np
import pytest
from differential import Array, check_exact, compile_everywhere, kernels_of

SHAPES = [
    (1, 1, 1),
    (7, 13, 5),
    (16, 17, 15, 2),
    (33, 97, 31),
    (5, 1, 16),
    (64, 48, 12),
]
CONFIGS = {
    "per-axis": ndl.QuantizationConfig(),
    "per-tensor": ndl.QuantizationConfig(granularity="per-tensor"),
    "uint8-weights": ndl.QuantizationConfig(weights="uint8"),
    "dynamic": ndl.QuantizationConfig(mode="dynamic"),
}


def make_network(
    sizes: tuple[int, ...], rng: np.random.Generator, transposed: bool = False
) -> ndl.Graph:
    """Dense layers with relu between them; weights as (in, out) or (out, in)."""
    builder = ndl.GraphBuilder("mlp")
    value = builder.input("x", (None, sizes[0]))
    for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
        if transposed:
            weight = np.ascontiguousarray(weight.T)
        bias = rng.normal(size=outputs).astype(np.float32)
        value = builder.matmul(
            value, weight, transpose_b=transposed, name=f"fc{index + 1}"
        )
        value = builder.add(value, bias)
        if index < len(sizes) - 2:
            value = builder.relu(value)
    builder.output(value, name="y")
    return builder.build()


def batches(rng: np.random.Generator, width: int) -> list[Array]:
    return [
        (rng.normal(size=(rows, width)) * 3).astype(np.float32) for rows in (1, 6, 37)
    ]


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@pytest.mark.parametrize("config", CONFIGS)
def test_quantized_network(sizes: tuple[int, ...], config: str) -> None:
    """N6: from the first quantize on every bit is that of the interpreter."""
    seed = 100 + SHAPES.index(sizes)
    rng = np.random.default_rng(seed)
    graph = make_network(sizes, rng, transposed=seed % 2 == 0)
    data = batches(rng, sizes[0])
    quantized = ndl.quantize(graph, data, CONFIGS[config])
    executables = compile_everywhere(quantized)
    for x in [*data, data[2] * 1e3, np.zeros((0, sizes[0]), np.float32)]:
        check_exact(quantized, executables, [x])
    width = "i16" if config == "uint8-weights" else "s8"
    for executable in executables:
        kernels = kernels_of(executable, "needle.qmatmul")
        assert len(kernels) == len(sizes) - 1
        for kernel in kernels:
            assert kernel.name.startswith(f"qmatmul_u8{width}_"), kernel


def test_quantized_is_close_to_float() -> None:
    """Not the bits this time: the parameters are the right ones."""
    seed = 4
    rng = np.random.default_rng(seed)
    graph = make_network((64, 96, 10), rng)
    data = batches(rng, 64)
    expected = ndl.reference(graph, data[2])
    assert isinstance(expected, np.ndarray)
    spread = np.abs(expected).mean()
    for config in CONFIGS.values():
        result = ndl.compile(ndl.quantize(graph, data, config))(data[2])
        assert np.abs(result - expected).mean() < 0.02 * spread, config


def test_no_packing_at_run_time() -> None:
    """Constant weights are packed while compiling: no step does it."""
    rng = np.random.default_rng(0)
    graph = make_network((16, 33, 5), rng)
    for made in (graph, ndl.quantize(graph, batches(rng, 16))):
        names = [kernel.name for kernel in ndl.compile(made).kernels]
        assert not [name for name in names if "pack" in name]


def test_weights_stay_int8() -> None:
    rng = np.random.default_rng(0)
    graph = make_network((512, 512, 512), rng)
    plain = ndl.compile(graph).weight_bytes
    small = ndl.compile(ndl.quantize(graph, batches(rng, 512))).weight_bytes
    assert 3.5 < plain / small < 4.1
