# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What users try with Tensors, modules and optimizers: it works, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn, ops
from needle.backend_selection import BACKEND

only_nd = pytest.mark.skipif(BACKEND == "np", reason="compiles for needle's arrays")


def test_truth() -> None:
    assert not ndl.Tensor([0.0])
    assert ndl.Tensor(2.0)
    assert ndl.Tensor([[np.nan]])
    for given in ([1.0, 2.0], []):
        with pytest.raises(ValueError, match="is true is ambiguous"):
            bool(ndl.Tensor(given))


def test_comparisons() -> None:
    x = ndl.Tensor([1.0, 2.0, np.nan])
    y = ndl.Tensor([[2.0], [1.0]])
    assert (x > 1.0).numpy().tolist() == [0, 1, 0]
    assert (x > 1).numpy().tolist() == [0, 1, 0]
    assert (x >= y).numpy().tolist() == [[0, 1, 0], [1, 1, 0]]
    assert (x < y).numpy().tolist() == [[1, 0, 0], [0, 0, 0]]
    assert (np.array([2.0, 2.0, 2.0]) <= x).numpy().tolist() == [0, 1, 0]
    assert not (x <= y).requires_grad
    assert (x > 1.0).dtype == x.dtype
    assert x == x
    assert x in {x: 1}
    with pytest.raises(TypeError, match="not supported"):
        x > "a"  # noqa: B015
    w = ndl.Tensor([3.0, 4.0])
    (w * (w > 3.5)).sum().backward()
    assert w.grad.numpy().tolist() == [0, 1]


@only_nd
def test_comparisons_in_compiled_functions() -> None:
    x = ndl.Tensor([1.0, 5.0])
    assert ndl.jit(lambda a: a * (a > a.sum() / 2))(x).numpy().tolist() == [0, 5]
    with pytest.raises(ndl.TraceError):
        ndl.jit(lambda a: 1 if a.sum() > 0 else 2)(x)


def test_infinite_logits() -> None:
    logits = ndl.Tensor([[-np.inf, 0.0]])
    loss = nn.SoftmaxLoss()(logits, ndl.Tensor([1]))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.numpy().tolist() == [[0, 0]]
    assert nn.SoftmaxLoss()(logits, ndl.Tensor([0])).item() == np.inf


@only_nd
def test_infinite_logits_in_compiled_functions() -> None:
    logits = ndl.Tensor([[-np.inf, 0.0]])
    loss = ndl.jit(lambda z, y: nn.SoftmaxLoss()(z, y))(logits, ndl.Tensor([1]))
    assert loss.item() == 0


def _sgd(params: Any) -> Any:
    return ndl.optim.SGD(params, momentum=0.9)


@pytest.mark.parametrize("make", [_sgd, ndl.optim.Adam])
def test_steps_are_whole(make: Callable[[Any], Any]) -> None:
    params = [nn.Parameter([1.0, 2.0]), nn.Parameter([3.0, 4.0])]
    optimizer = make(params)
    params[0].grad = ndl.Tensor([1.0, 1.0])
    params[1].grad = ndl.Tensor([[1.0], [1.0]])
    with pytest.raises(ValueError, match=r"parameter 1 has the shape \(2, 1\)"):
        optimizer.step()
    params[1].grad = np.ones(2)
    with pytest.raises(TypeError, match="parameter 1 is a Tensor, not ndarray"):
        optimizer.step()
    assert params[0].numpy().tolist() == [1, 2]
    assert getattr(optimizer, "t", 0) == 0
    assert not getattr(optimizer, "u", {})


class _Wrong(ops.Exp):
    def __init__(self, wrong: Callable[[Any], Any]) -> None:
        self.wrong = wrong

    def gradient(self, out_grad: Any, node: Any) -> Any:
        return self.wrong(out_grad)


def test_gradients_of_custom_operations() -> None:
    x = ndl.Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"_Wrong.gradient returned the shape \(\)"):
        _Wrong(lambda grad: grad.sum())(x).sum().backward()
    with pytest.raises(TypeError, match=r"_Wrong.gradient returns Tensors, not"):
        _Wrong(lambda grad: grad.cached_data)(x).sum().backward()


def test_quantized_parameters_stay() -> None:
    param = nn.Parameter(ndl.Tensor([1.0, 2.0]).quantize_uint8())
    assert not param.requires_grad
    ndl.optim.SGD([param]).step()
    assert param.dtype == "uint8"


def test_names_of_numpy() -> None:
    x = ndl.Tensor([[1.0, 2.0], [3.0, 5.0]])
    assert np.sum(x).item() == 11
    assert np.sum(x, axis=0).numpy().tolist() == [4, 7]
    assert np.max(x, axis=1, keepdims=True).numpy().tolist() == [[2], [5]]
    assert x.sum(0).numpy().tolist() == x.sum(axes=0).numpy().tolist() == [4, 7]
    with pytest.raises(TypeError, match="not dtype"):
        np.sum(x, dtype="float64")
    with pytest.raises(TypeError, match="not out"):
        np.sum(x, out=np.zeros(()))
    with pytest.raises(TypeError, match="not both"):
        x.sum(0, axis=0)


def test_formats() -> None:
    x = ndl.Tensor([1.0, 2.0])
    assert f"{x.sum():.2f}" == "3.00"
    assert f"{x}" == str(x)
    with pytest.raises(TypeError, match=r"the format '.2f' is one of numbers"):
        format(x, ".2f")


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: nn.Linear(0, 3), ValueError, "in_features must be positive"),
        (lambda x: nn.Linear(3, -1), ValueError, "out_features must be positive"),
        (lambda x: nn.Linear(2, 2)([[1.0, 2.0]]), TypeError, "takes a Tensor"),
        (lambda x: nn.Sequential([nn.ReLU()]), TypeError, "one by one"),
        (lambda x: x.sum().backward(2.0), TypeError, "out_grad is a Tensor"),
        (lambda x: ops.transpose(x, 1), ValueError, "swaps two axes"),
        (lambda x: ndl.optim.SGD(x), TypeError, "takes a list"),
        (lambda x: ops.stack([np.ones(2), x], 0), TypeError, "stack takes Tensors"),
    ],
)
def test_messages(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        wrong(ndl.Tensor([1.0, 2.0]))


@pytest.mark.skipif(BACKEND == "nd", reason="needle's own arrays are replaced by +=")
def test_quantized_numpy_arrays_are_not_written() -> None:
    stored = ndl.Tensor([1.0, 2.0]).quantize_uint8().cached_data
    with pytest.raises(TypeError, match=r"numpy.add cannot write to a quantized"):
        stored += 1
