# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Optimizers against their formulas in float64; what they leave alone."""

# The legacy generator of NumPy is what draws come from.
# ruff: noqa: NPY002

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import autograd, nn, optim
from needle.backend_selection import BACKEND

STEPS = 5
# Rounding errors to float32 of about ten operations on numbers near 1, each step.
ALLOWED = STEPS * 10 * 2.0**-24 * 4


def _steps(make: Callable[[list[Any]], Any]) -> tuple[Any, list[Any]]:
    """The parameter after some steps with gradients that are given."""
    generator = np.random.default_rng(8)
    start = generator.uniform(0.5, 1.5, (3, 2)).astype(np.float32)
    grads = [generator.normal(size=(3, 2)).astype(np.float32) for _ in range(STEPS)]
    param = nn.Parameter(start)
    optimizer = make([param])
    for grad in grads:
        param.grad = ndl.Tensor(grad)
        optimizer.step()
        np.testing.assert_array_equal(param.grad.numpy(), grad)
    return param.numpy(), [start.astype(np.float64), *grads]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_sgd(momentum: float, weight_decay: float) -> None:
    result, (param, *grads) = _steps(
        lambda params: optim.SGD(params, 0.1, momentum, weight_decay)
    )
    u = np.zeros_like(param)
    for grad in grads:
        u = momentum * u + (1 - momentum) * (grad + weight_decay * param)
        param = param - 0.1 * u
    np.testing.assert_allclose(result, param, rtol=0, atol=ALLOWED)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam(weight_decay: float) -> None:
    result, (param, *grads) = _steps(
        lambda params: optim.Adam(params, 0.1, 0.8, 0.99, 1e-3, weight_decay)
    )
    m = v = np.zeros_like(param)
    for t, grad in enumerate(grads, 1):
        g = grad + weight_decay * param
        m = 0.8 * m + 0.2 * g
        v = 0.99 * v + 0.01 * g**2
        param = param - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
    np.testing.assert_allclose(result, param, rtol=0, atol=ALLOWED)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_parameters_without_gradient_stay(make: Any) -> None:
    used, unused = nn.Parameter([1.0]), nn.Parameter([2.0])
    optimizer = make([used, unused], lr=0.5, weight_decay=0.1)
    (used * 3).backward()
    optimizer.step()
    assert used.item() != 1
    assert unused.item() == 2
    optimizer.reset_grad()
    assert used.grad is None
    before = used.item()
    optimizer.step()
    assert used.item() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda params: optim.SGD(params, lr=0.01),
        lambda params: optim.SGD(params, lr=0.01, momentum=0.9, weight_decay=0.01),
        lambda params: optim.Adam(params, lr=0.01, weight_decay=0.01),
    ],
)
def test_training_neither_grows_nor_stands_still(make: Any) -> None:
    np.random.seed(0)
    generator = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    x = generator.normal(size=(32, 4)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    optimizer = make(model.parameters())
    loss_of = nn.SoftmaxLoss()
    counts, losses, held = [], [], []
    gc.collect()
    for _ in range(60):
        optimizer.reset_grad()
        loss = loss_of(model(ndl.Tensor(x)), ndl.Tensor(y))
        loss.backward()
        optimizer.step()
        counts.append(autograd.TENSOR_COUNTER)
        losses.append(loss.item())
        if BACKEND == "nd":
            held.append(ndl.cpu().memory()[0])
    # The state of the optimizer and the first graph are there after two steps.
    assert len(set(held[2:])) <= 1
    assert len(set(counts)) == 1
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.is_leaf() and p.requires_grad for p in model.parameters())


def test_what_is_no_parameter() -> None:
    with pytest.raises(TypeError, match="takes Tensors, got str"):
        optim.SGD(["weight"])  # type: ignore[list-item]
    with pytest.raises(NotImplementedError, match="defines no step"):
        optim.Optimizer([]).step()
