# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantized layers and arrays in compiled functions: bit for bit as in eager mode."""

# The legacy generator of NumPy is what draws come from.
# ruff: noqa: NPY002

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn

TARGETS = ["x86-64", "avx2"]


def _model() -> Any:
    np.random.seed(5)
    model = nn.Sequential(
        nn.Linear(37, 20), nn.ReLU(), nn.Linear(20, 9, bias=False), nn.Linear(9, 3)
    )
    for layer in model.modules:
        if isinstance(layer, nn.Linear):
            layer.quantize_weights()
    return model


def _x(*shape: int, seed: int = 0) -> ndl.Tensor:
    values = np.random.default_rng(seed).normal(size=shape) * 3
    return ndl.Tensor(values, requires_grad=False)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", [(11, 37), (2, 5, 37)])
def test_quantized_layers(shape: tuple[int, ...], target: str) -> None:
    model = _model().eval()
    compiled = ndl.jit(model, target=target)
    for seed in range(3):
        x = _x(*shape, seed=seed)
        np.testing.assert_array_equal(compiled(x).numpy(), model(x).numpy())
    assert compiled.cache_info() == (2, 1, 1)
    kernels = [kernel.name for kernel in compiled.executable(x).kernels]
    assert sum(name.startswith("qmatmul") for name in kernels) == 3
    assert all(target in name for name in kernels if "matmul" in name)


def test_train_mode_uses_float_values() -> None:
    model = _model()
    x = _x(4, 37)
    compiled = ndl.jit(model)
    difference = np.abs(compiled(x).numpy() - model(x).numpy())
    # Three layers, each a sum of at most 38 terms: far below a step of 8 bits.
    assert difference.max() < 1e-4
    kernels = [kernel.name for kernel in compiled.executable(x).kernels]
    assert not any(name.startswith("qmatmul") for name in kernels)


def test_other_parameters_are_another_program() -> None:
    layer = nn.Linear(6, 4).eval()
    compiled = ndl.jit(layer)
    x = _x(3, 6)
    for misses, change in (
        (1, lambda: None),
        (2, layer.quantize_weights),
        (3, lambda: setattr(layer.weight, "cached_data", _requantized(layer))),
        (3, layer.dequantize_weights),
    ):
        change()
        expected = layer(x).numpy()
        for _ in range(2):
            np.testing.assert_allclose(compiled(x).numpy(), expected, rtol=1e-5)
        assert compiled.cache_info().misses == misses


def _requantized(layer: nn.Linear) -> Any:
    """The weight with another scale and zero point."""
    return layer.weight.cached_data.dequantize().quantize_uint8(0.03125, 100)


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "dynamic": lambda a: a.quantize_uint8().dequantize(),
    "static": lambda a: a.quantize_uint8(0.125, 3).dequantize(),
    "tiny scale": lambda a: (a * 1e-30).quantize_uint8(1e-32, 0).dequantize(),
    "product": lambda a: a.quantize_uint8() @ a.T.quantize_uint8(),
    "mixed product": lambda a: a.quantize_uint8() @ a.quantize_uint8(0.5, 7).T,
    "other operations": lambda a: (
        -a.quantize_uint8(0.5, 100) + a.quantize_uint8().exp()
    ),
    "views": lambda a: a.quantize_uint8(0.125, 9).T.reshape((-1,)).dequantize(),
    "astype": lambda a: a.quantize_uint8().astype("float32"),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, target: str) -> None:
    array = _x(7, 7).cached_data
    compiled = ndl.jit(ARRAYS[name], target=target)
    expected = ARRAYS[name](array)
    np.testing.assert_array_equal(compiled(array).numpy(), expected.numpy())


def test_quantized_arguments() -> None:
    a, b = (_x(5, 5, seed=seed).quantize_uint8() for seed in (1, 2))
    compiled = ndl.jit(lambda a, b: a @ b)
    np.testing.assert_array_equal(compiled(a, b).numpy(), (a @ b).numpy())
    np.testing.assert_array_equal(compiled(b, a).numpy(), (b @ a).numpy())
    assert compiled.cache_info().misses == 2


def test_what_quantized_arrays_cannot_do() -> None:
    array = _x(2, 3).cached_data
    for function, message in (
        (lambda a: a.quantize_uint8().quant_params.scale, r"quant_params\.scale needs"),
        (
            lambda a: a.quantize_uint8(scale=0.5),
            "both of scale and zero_point",
        ),
        (lambda a: a.quantize_uint8(), "a quantized array cannot leave"),
    ):
        with pytest.raises(ndl.TraceError, match=message):
            ndl.jit(function)(array)
    with pytest.raises(TypeError, match="this one is uint8 already"):
        ndl.jit(lambda a: a.quantize_uint8().quantize_uint8())(array)
    with pytest.raises(TypeError, match="this one is float32"):
        ndl.jit(lambda a: a.dequantize())(array)
