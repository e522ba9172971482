# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training steps in one program against the same steps in eager mode.

The network, its loss and the update are sums and products; rectifiers choose the same
elements in both as long as no argument is near 0. A sum of products computed with at
most m roundings on any path is within γ_m = m·u / (1 − m·u) of the same expression
over absolute values [Higham 2002, §3.1], which float64 evaluates here. Each step
starts from equal parameters; Adam's update, which is no sum of products, is compared
by ``==`` with its formula, from the averages that were computed.
"""

# The legacy generator of NumPy is what draws come from.
# ruff: noqa: NPY002

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn, optim
from numeric_model import U

TARGETS = ["x86-64", "avx2"]
SIZES = (20, 16, 5)
BATCH = 6
STEPS = 5


class Problem:
    """A network of two layers, an optimizer, and the function that makes a step."""

    def __init__(self, make: Callable[[list[Any]], optim.Optimizer]) -> None:
        np.random.seed(3)
        self.model = nn.Sequential(
            nn.Linear(SIZES[0], SIZES[1]), nn.ReLU(), nn.Linear(SIZES[1], SIZES[2])
        )
        self.optimizer = make(self.model.parameters())

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.reset_grad()
        error = self.model(x) - y
        loss = (error * error).sum()
        loss.backward()
        self.optimizer.step()
        return loss

    def arrays(self) -> list[Any]:
        return [param.numpy() for param in self.model.parameters()]


def _magnitudes(params: list[Any], x: Any, y: Any) -> list[Any]:
    """Gradients with absolute values for all numbers, in float64."""
    w1, b1, w2, b2, x, y = (np.abs(a.astype(np.float64)) for a in (*params, x, y))
    hidden = x @ w1 + b1
    error = 2 * (hidden @ w2 + b2 + y)
    back = error @ w2.T
    bias1, bias2 = back.sum(0, keepdims=True), error.sum(0, keepdims=True)
    return [x.T @ back, bias1, hidden.T @ error, bias2]


#: Roundings on the longest path to a gradient: three products of matrices, two sums
#: over the batch, and a few elementwise operations.
ROUNDINGS = sum(SIZES) + 2 * BATCH + 12


def _gamma(count: int) -> float:
    return count * U / (1 - count * U)


def _batch(step: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(step)
    x = generator.normal(size=(BATCH, SIZES[0])).astype(np.float32)
    return x, generator.normal(size=(BATCH, SIZES[2])).astype(np.float32)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("momentum", [0.0, 0.75])
@pytest.mark.parametrize("weight_decay", [0.0, 0.25])
def test_sgd(momentum: float, weight_decay: float, target: str) -> None:
    rate = 0.03125

    def make(params: list[Any]) -> optim.Optimizer:
        return optim.SGD(params, rate, momentum, weight_decay)

    one, other = Problem(make), Problem(make)
    compiled = ndl.jit(other.step, target=target)
    velocity = [np.zeros(a.shape) for a in one.arrays()]
    for number in range(STEPS):
        before, (x, y) = one.arrays(), _batch(number)
        loss = one.step(ndl.Tensor(x), ndl.Tensor(y)).numpy()
        again = compiled(ndl.Tensor(x), ndl.Tensor(y)).numpy()
        size = np.abs(_loss(before, np.abs(x), -np.abs(y), np.abs))
        assert abs(loss - again) <= 2 * _gamma(ROUNDINGS) * size
        for index, grad in enumerate(_magnitudes(before, x, y)):
            param = np.abs(before[index].astype(np.float64))
            grad = grad + weight_decay * param
            grad = (1 - momentum) * grad + momentum * velocity[index]
            velocity[index] = grad
            allowed = 2 * _gamma(ROUNDINGS + 8) * (param + rate * grad)
            here, there = one.arrays()[index], other.arrays()[index]
            assert np.all(np.abs(here - there) <= allowed)
            assert not np.array_equal(there, before[index])
        for mine, yours in zip(
            one.model.parameters(), other.model.parameters(), strict=True
        ):
            # The next step starts from equal parameters; the state is compared too.
            yours.data = mine
            if momentum:
                former = one.optimizer.u[mine].numpy()  # type: ignore[attr-defined]
                state = other.optimizer.u  # type: ignore[attr-defined]
                np.testing.assert_allclose(state[yours].numpy(), former, atol=1e-4)
                state[yours] = ndl.NDArray(former)
    assert compiled.cache_info() == (STEPS - 1, 1, 1)


def _loss(params: list[Any], x: Any, y: Any, absolute: Callable[[Any], Any]) -> float:
    w1, b1, w2, b2 = (absolute(a.astype(np.float64)) for a in params)
    hidden = np.maximum(x @ w1 + b1, 0)
    return float(((hidden @ w2 + b2 - y) ** 2).sum())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.25])
def test_adam(weight_decay: float, target: str) -> None:
    rate, beta1, beta2, eps = 0.01, 0.75, 0.9375, 1e-3

    def make(params: list[Any]) -> optim.Optimizer:
        return optim.Adam(params, rate, beta1, beta2, eps, weight_decay)

    one, other = Problem(make), Problem(make)
    compiled = ndl.jit(other.step, target=target)
    for number in range(STEPS):
        before, (x, y) = one.arrays(), _batch(number)
        moments = [_moments(problem) for problem in (one, other)]
        one.step(ndl.Tensor(x), ndl.Tensor(y))
        compiled(ndl.Tensor(x), ndl.Tensor(y))
        t = number + 1
        assert one.optimizer.t == other.optimizer.t == t  # type: ignore[attr-defined]
        sizes = _magnitudes(before, x, y)
        for index, (first, second) in enumerate(_moments(other)):
            mine = _moments(one)[index]
            size = sizes[index] + weight_decay * np.abs(before[index], dtype=np.float64)
            former = np.abs(moments[0][index][0]) if number else 0.0
            allowed = 2 * _gamma(ROUNDINGS + 6) * ((1 - beta1) * size + beta1 * former)
            assert np.all(np.abs(first - mine[0]) <= allowed)
            former = moments[0][index][1] if number else 0.0
            size = (1 - beta2) * size**2 + beta2 * former
            assert np.all(
                np.abs(second - mine[1]) <= 2 * _gamma(2 * ROUNDINGS + 6) * size
            )
            expected = _adam_formula(before[index], first, second, t, rate, eps)
            np.testing.assert_array_equal(other.arrays()[index], expected)
        _copy_state(one, other)
    assert compiled.cache_info() == (STEPS - 1, 1, 1)


def _moments(problem: Problem) -> list[tuple[Any, Any]]:
    """Adam's averages of each parameter."""
    optimizer: Any = problem.optimizer
    return [
        (optimizer.m[param].numpy(), optimizer.v[param].numpy())
        for param in problem.model.parameters()
        if param in optimizer.m
    ]


def _adam_formula(
    param: Any, first: Any, second: Any, t: int, rate: float, eps: float
) -> Any:
    """The update as needle.optim computes it, each step rounded to float32."""
    root = math.sqrt(1.0 - 0.9375**t)
    factor = np.float32(rate * root / (1.0 - 0.75**t))
    return param - first / (np.sqrt(second) + np.float32(eps * root)) * factor


def _copy_state(source: Problem, target: Problem) -> None:
    """Parameters and averages of one become those of the other."""
    pairs = zip(source.model.parameters(), target.model.parameters(), strict=True)
    for mine, yours in pairs:
        yours.data = mine
        for name in ("m", "v"):
            held = vars(source.optimizer)[name][mine]
            vars(target.optimizer)[name][yours] = ndl.NDArray(held)


def test_adam_from_its_own_state() -> None:
    """Step by step without any help, averages and counter are carried along."""

    def make(params: list[Any]) -> optim.Optimizer:
        return optim.Adam(params, 0.01)

    problem = Problem(make)
    compiled = ndl.jit(problem.step)
    x, y = map(ndl.Tensor, _batch(0))
    losses = [float(compiled(x, y)) for _ in range(50)]
    assert losses[-1] < losses[0] / 10
    assert problem.optimizer.t == 50  # type: ignore[attr-defined]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_another_learning_rate_is_no_other_program(momentum: float) -> None:
    problem = Problem(lambda params: optim.SGD(params, 0.5, momentum))
    compiled = ndl.jit(problem.step)
    x, y = map(ndl.Tensor, _batch(0))
    compiled(x, y)
    before = problem.arrays()
    problem.optimizer.lr = 0.0  # type: ignore[attr-defined]
    compiled(x, y)
    for one, other in zip(before, problem.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert compiled.cache_info().misses == 1


def test_other_settings_are_another_program() -> None:
    problem = Problem(lambda params: optim.SGD(params, 0.01, 0.5))
    compiled = ndl.jit(problem.step)
    x, y = map(ndl.Tensor, _batch(0))
    compiled(x, y)
    problem.optimizer.weight_decay = 0.5  # type: ignore[attr-defined]
    compiled(x, y)
    assert compiled.cache_info().misses == 2


def test_gradients_that_eager_mode_left_are_used() -> None:
    """Only the update is compiled."""
    problem = Problem(lambda params: optim.SGD(params, 0.25))
    update = ndl.jit(problem.optimizer.step)
    for number in range(2):
        x, y = map(ndl.Tensor, _batch(number))
        loss = (problem.model(x) - y).sum()
        problem.optimizer.reset_grad()
        loss.backward()
        expected = [
            p.numpy() - np.float32(0.25) * p.grad.numpy()
            for p in problem.model.parameters()
        ]
        update()
        for one, other in zip(expected, problem.arrays(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert update.cache_info() == (1, 1, 1)


def test_gradients_are_left_unless_a_step_used_them() -> None:
    problem = Problem(lambda params: optim.SGD(params, 0.25))
    x, y = map(ndl.Tensor, _batch(0))
    params = problem.model.parameters()

    def backward(x: Any, y: Any) -> Any:
        (problem.model(x) - y).sum().backward()

    ndl.jit(backward)(x, y)
    assert all(param.grad is not None for param in params)
    ndl.jit(problem.step)(x, y)
    assert all(param.grad is None for param in params)
    ndl.jit(problem.step, grads=True)(x, y)
    assert all(param.grad is not None for param in params)
    for param in params:
        param.grad = None
    ndl.jit(backward, grads=False)(x, y)
    assert all(param.grad is None for param in params)


def test_parameters_that_have_no_gradient_stay() -> None:
    problem = Problem(lambda params: optim.Adam(params, 0.25))
    first = problem.model.modules[0].weight
    first.requires_grad = False
    before = first.numpy()
    compiled = ndl.jit(problem.step)
    x, y = map(ndl.Tensor, _batch(0))
    for _ in range(2):
        compiled(x, y)
    np.testing.assert_array_equal(first.numpy(), before)
    assert first not in problem.optimizer.m  # type: ignore[attr-defined]
    first.requires_grad = True
    compiled(x, y)
    assert not np.array_equal(first.numpy(), before)
    assert compiled.cache_info().misses == 2


@pytest.mark.parametrize(
    "hold",
    [
        lambda weight: weight.data,
        lambda weight: weight.cached_data.reshape((-1,)),
        lambda weight: np.from_dlpack(weight.cached_data),
    ],
    ids=["the array", "a view", "the memory"],
)
def test_arrays_that_somebody_holds_are_not_written_to(
    hold: Callable[[Any], Any],
) -> None:
    """What a step replaces is memory for the next one, if nobody can see it."""
    problem = Problem(lambda params: optim.SGD(params, 0.25))
    compiled = ndl.jit(problem.step)
    x, y = map(ndl.Tensor, _batch(0))
    weight = problem.model.modules[0].weight
    kept = []
    for _ in range(6):
        compiled(x, y)
        kept.append((hold(weight), weight.numpy()))
    for held, values in kept:
        np.testing.assert_array_equal(np.asarray(held).ravel(), values.ravel())


def test_memory_of_others_is_not_written_to() -> None:
    values = np.arange(4, dtype=np.float32)
    weight = nn.Parameter(np.zeros(4))
    weight.cached_data = ndl.backend_ndarray.from_dlpack(values)

    def double() -> None:
        weight.data = weight * 2.0

    compiled = ndl.jit(double)
    for _ in range(4):
        compiled()
    np.testing.assert_array_equal(values, np.arange(4))
    np.testing.assert_array_equal(weight.numpy(), 16 * np.arange(4))


def test_buffers_of_modules() -> None:
    """An attribute that is assigned another Tensor: running averages."""

    class Average(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean = ndl.zeros(3)

        def forward(self, x: Any) -> Any:
            self.mean = self.mean * 0.5 + x.detach() * 0.5
            return x - self.mean

    module, twin = Average(), Average()
    compiled = ndl.jit(module)
    for number in range(3):
        x = ndl.Tensor(np.full(3, float(number)))
        np.testing.assert_array_equal(compiled(x).numpy(), twin(x).numpy())
        np.testing.assert_array_equal(module.mean.numpy(), twin.mean.numpy())
    assert compiled.cache_info().misses == 1
