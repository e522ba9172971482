# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Modules, their parameters, quantized layers and the loss."""

# The legacy generator of NumPy is what draws come from.
# ruff: noqa: NPY002

from __future__ import annotations

import gc
import weakref
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn
from needle.backend_selection import BACKEND


def _allowed(*factors: Any) -> Any:
    """What a sum of products over the last axes, plus a bias below 2, may be off."""
    left, right = (np.abs(factor).astype(np.float64) for factor in factors)
    terms = left.shape[-1]
    return (terms + 2) * 2.0**-24 * (left @ right + 2)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(10, 20)
        self.fc2 = nn.Linear(20, 5)

    def forward(self, x: Any) -> Any:
        return self.fc2(ndl.relu(self.fc1(x)))


def test_parameters_are_found_in_containers_once() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            self.weight = nn.Parameter([1.0])

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter([2.0])
            self.several = [Inner(), {"deep": (Inner(), [nn.Parameter([3.0])])}]
            self.again = self.a
            self.myself = self
            self.constant = ndl.Tensor([4.0])
            self.name = "text"

    outer = Outer()
    values = [parameter.item() for parameter in outer.parameters()]
    assert values == [2, 1, 1, 3]
    assert all(type(p) is nn.Parameter for p in outer.parameters())


def test_train_and_eval_reach_all_modules() -> None:
    inner = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(inner))
    assert model.training
    assert inner.training
    assert model.eval() is model
    assert not model.training
    assert not inner.training
    assert model.train() is model
    assert inner.training


def test_forward_has_to_be_defined() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty defines no forward"):
        Empty()(1)


def test_results_of_modules_are_no_parameters() -> None:
    weight = nn.Parameter([1.0])
    assert type(weight * 2) is ndl.Tensor
    assert weight.requires_grad


def test_linear_draws_the_weight_first() -> None:
    np.random.seed(11)
    layer = nn.Linear(3, 4)
    np.random.seed(11)
    bound = np.sqrt(6.0 / 3)
    weight = np.random.rand(3, 4) * 2 * bound - bound
    bound = np.sqrt(6.0 / 4)
    bias = np.random.rand(4, 1) * 2 * bound - bound
    # Four roundings to float32 of numbers up to twice the bound.
    allowed = 4 * 2.0**-24 * 2 * bound
    np.testing.assert_allclose(layer.weight.numpy(), weight, rtol=0, atol=allowed)
    assert layer.bias is not None
    assert layer.bias.shape == (1, 4)
    np.testing.assert_allclose(layer.bias.numpy(), bias.T, rtol=0, atol=allowed)


def test_linear() -> None:
    generator = np.random.default_rng(2)
    layer = nn.Linear(3, 4)
    assert layer.bias is not None
    assert len(layer.parameters()) == 2
    assert len(nn.Linear(3, 4, bias=False).parameters()) == 1
    for shape in [(5, 3), (2, 5, 3)]:
        values = generator.normal(size=shape).astype(np.float32)
        x = ndl.Tensor(values)
        y = layer(x)
        weight = layer.weight.numpy().astype(np.float64)
        expected = values @ weight + layer.bias.numpy()
        assert np.all(np.abs(y.numpy() - expected) <= _allowed(values, weight))
        y.sum().backward()
        rows = values.reshape(-1, 3).astype(np.float64)
        ones = np.ones((len(rows), 4))
        error = np.abs(layer.weight.grad.numpy() - rows.T @ ones)
        assert np.all(error <= _allowed(rows.T, ones))
        assert layer.bias.grad.numpy().tolist() == [[len(rows)] * 4]
        assert x.grad.shape == shape
    with pytest.raises(ValueError, match=r"\(\.\.\., 3\).*\(3, 4\)"):
        layer(ndl.Tensor(np.ones((3, 4), np.float32)))


def test_quantized_linear_by_hand() -> None:
    np.random.seed(3)
    layer = nn.Linear(40, 6).eval()
    assert layer.bias is not None
    x = ndl.Tensor(np.random.randn(5, 40).astype(np.float32))
    weight = layer.weight.numpy()
    layer.quantize_weights()
    q = layer.weight
    assert q.dtype == "uint8"
    low, high = min(weight.min(), 0.0), max(weight.max(), 0.0)
    scale = np.float32((np.float64(high) - np.float64(low)) / 255)
    zero_point = int(np.rint(-np.float64(low) / np.float64(scale)))
    assert q.quant_params.scale == scale
    assert q.quant_params.zero_point == zero_point
    stored = np.clip(np.rint(weight / scale) + zero_point, 0, 255)
    assert q.numpy().tolist() == stored.tolist()

    xq = x.quantize_uint8()
    left = xq.numpy().astype(np.int64) - xq.quant_params.zero_point
    combined = np.float32(xq.quant_params.scale) * scale
    product = (left @ (stored.astype(np.int64) - zero_point)).astype(np.float32)
    expected = product * combined + layer.bias.numpy()
    y = layer(x)
    assert y.dtype == "float32"
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), expected)
    # An input that is quantized already is used as it is.
    np.testing.assert_array_equal(layer(xq).numpy(), expected)


def test_known_values_of_a_quantized_net() -> None:
    np.random.seed(456)
    np.random.randn(4, 3)
    net = Net()
    np.random.seed(789)
    x = ndl.Tensor(np.random.randn(8, 10).astype(np.float32), dtype="float32")
    y = net(x).numpy()
    assert [f"{value:.5f}" for value in y[0, :3]] == ["1.21930", "0.06146", "2.48812"]
    net.eval()
    net.fc1.quantize_weights()
    net.fc2.quantize_weights()
    error = np.abs(y - net(x).numpy())
    assert f"{error.max():.6f}" == "0.025245"
    assert f"{error.mean():.6f}" == "0.008181"


def test_quantizing_and_back() -> None:
    layer = nn.Linear(8, 4)
    weight = layer.weight
    before = weight.numpy()
    parameters = layer.parameters()
    assert not layer.quantized
    layer.dequantize_weights()
    np.testing.assert_array_equal(layer.weight.numpy(), before)
    layer.quantize_weights()
    stored = layer.weight.numpy()
    layer.quantize_weights()
    assert layer.quantized
    assert layer.weight is weight
    assert list(map(id, layer.parameters())) == list(map(id, parameters))
    np.testing.assert_array_equal(layer.weight.numpy(), stored)
    assert not layer.weight.requires_grad
    real = layer.weight.dequantize().numpy()
    layer.dequantize_weights()
    assert not layer.quantized
    assert layer.weight.requires_grad
    np.testing.assert_array_equal(layer.weight.numpy(), real)


def test_quantized_linear_in_train_mode_uses_float_values() -> None:
    np.random.seed(6)
    layer = nn.Linear(8, 4)
    assert layer.bias is not None
    layer.quantize_weights()
    generator = np.random.default_rng(1)
    x = ndl.Tensor(generator.normal(size=(3, 8)).astype(np.float32))
    real = layer.weight.dequantize().numpy()
    y = layer.train()(x)
    expected = x.numpy().astype(np.float64) @ real + layer.bias.numpy()
    assert np.all(np.abs(y.numpy() - expected) <= _allowed(x.numpy(), real))
    optimizer = ndl.optim.SGD(layer.parameters(), lr=0.1)
    y.sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    bias = layer.bias.numpy().copy()
    optimizer.step()
    np.testing.assert_array_equal(layer.weight.dequantize().numpy(), real)
    # Two roundings of numbers below 2.
    np.testing.assert_allclose(layer.bias.numpy(), bias - 0.3, rtol=0, atol=2.0**-22)


def _stored_bytes(tensor: Any) -> int:
    data = tensor.cached_data
    if isinstance(data, np.ndarray):
        return data.nbytes
    return int(data._handle.size) * data.dtype.itemsize


def test_quantizing_frees_the_float_weight() -> None:
    layer = nn.Linear(64, 32)
    optimizer = ndl.optim.Adam(layer.parameters())
    y = layer(ndl.Tensor(np.ones((2, 64), np.float32)))
    before = _stored_bytes(layer.weight)
    data = weakref.ref(layer.weight.cached_data)
    tensors = ndl.autograd.TENSOR_COUNTER
    layer.quantize_weights()
    assert _stored_bytes(layer.weight) * 4 == before == 64 * 32 * 4
    # Neither optimizers nor graphs keep the float weight alive.
    assert data() is None
    assert optimizer.params[0] is layer.weight
    assert y.inputs[0].inputs[1] is layer.weight
    assert tensors == ndl.autograd.TENSOR_COUNTER


@pytest.mark.skipif(BACKEND == "np", reason="NumPy does not count its memory")
def test_memory_of_a_quantized_layer() -> None:
    def held() -> int:
        gc.collect()
        return int(ndl.cpu().memory()[0])

    empty = held()
    layer = nn.Linear(512, 256, bias=False)
    full = held() - empty
    layer.quantize_weights()
    quantized = held() - empty
    # Each block of memory has less than 256 bytes beside the elements.
    assert 0 <= full - 512 * 256 * 4 < 256
    assert 0 <= quantized - 512 * 256 < 256
    layer.dequantize_weights()
    assert held() - empty == full
    del layer
    assert held() == empty


def test_small_modules() -> None:
    x = ndl.Tensor([[[1.0, -2.0], [3.0, -4.0]]])
    assert nn.Identity()(x) is x
    assert nn.Flatten()(x).shape == (1, 4)
    assert nn.Flatten()(ndl.Tensor([1.0, 2.0])).shape == (2, 1)
    assert nn.ReLU()(x).numpy().tolist() == [[[1, 0], [3, 0]]]
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    assert model(x).shape == (1, 2)
    assert len(model.parameters()) == 2


def test_softmax_loss() -> None:
    generator = np.random.default_rng(4)
    values = generator.normal(size=(6, 4)).astype(np.float32) * 3
    classes = np.array([0, 1, 2, 3, 3, 0])
    logits = ndl.Tensor(values)
    loss = nn.SoftmaxLoss()(logits, ndl.Tensor(classes))
    exponentials = np.exp(values.astype(np.float64))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    expected = -np.log(softmax[np.arange(6), classes]).mean()
    assert loss.shape == ()
    # About ten roundings of numbers below 20 (3 standard deviations times 3, twice).
    assert abs(loss.item() - expected) <= 10 * 2.0**-24 * 20
    loss.backward()
    np.testing.assert_allclose(
        logits.grad.numpy(),
        (softmax - np.eye(4)[classes]) / 6,
        rtol=0,
        # The exponent, below 20, is rounded twice; the rest is smaller.
        atol=3 * 2.0**-24 * 20 / 6,
    )
    with pytest.raises(ValueError, match=r"\(n, classes\)"):
        nn.SoftmaxLoss()(logits, ndl.Tensor([0, 1]))
    with pytest.raises(ValueError, match="0 to 3"):
        nn.SoftmaxLoss()(logits, ndl.Tensor([0, 1, 2, 3, 4, 0]))
