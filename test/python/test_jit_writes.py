# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where compiled functions leave what they computed.

All numbers are small integers: every operation is exact.
"""

from __future__ import annotations

from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn, optim


def _zeros() -> ndl.Tensor:
    return ndl.Tensor([0.0, 0.0])


def _is(tensor: Any, *expected: float) -> None:
    np.testing.assert_array_equal(tensor.numpy(), np.array(expected, np.float32))


def test_one_array_is_written_to_two_tensors() -> None:
    a, b = _zeros(), _zeros()

    @ndl.jit
    def function(x: Any) -> None:
        y = (x * 2.0).detach()
        a.data = y
        b.data = y

    for i in range(3):
        kept = a.data, b.data, a.numpy()
        function(ndl.Tensor([1.0 + i, 2.0]))
        _is(a, 2.0 + 2.0 * i, 4.0)
        _is(b, 2.0 + 2.0 * i, 4.0)
        # What somebody else holds is not written to.
        _is(kept[0], *kept[2])
        _is(kept[1], *kept[2])


def test_a_gradient_is_also_written_to_a_tensor() -> None:
    weight, average = nn.Parameter(np.ones(2)), _zeros()

    @ndl.jit
    def function(x: Any) -> None:
        (weight * x).sum().backward()
        average.data = weight.grad.detach()

    for i in range(3):
        function(ndl.Tensor([1.0 + i, 2.0]))
        _is(weight.grad, 1.0 + i, 2.0)
        _is(average, 1.0 + i, 2.0)


class Keeping(optim.Optimizer):
    """Its state are the latest gradients."""

    state = ("latest",)

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.latest: dict[Any, Any] = {}

    def step(self) -> None:
        """Keep the gradients."""
        for param in self.params:
            self.latest[param] = param.grad.realize_cached_data()


def test_a_gradient_is_also_the_state_of_an_optimizer() -> None:
    weight = nn.Parameter(np.ones(2))
    optimizer = Keeping([weight])

    def function(x: Any) -> None:
        (weight * x).sum().backward()
        optimizer.step()

    compiled = ndl.jit(function, grads=True)
    for i in range(3):
        compiled(ndl.Tensor([1.0 + i, 2.0]))
        _is(weight.grad, 1.0 + i, 2.0)
        _is(optimizer.latest[weight], 1.0 + i, 2.0)


@pytest.mark.parametrize("returned", [False, True])
def test_one_array_is_written_to_arguments_and_others(returned: bool) -> None:
    weight = _zeros()

    @ndl.jit
    def function(x: Any, y: Any, z: Any) -> Any:
        z = (z + 1.0).detach()
        x.data = z
        y.data = z
        weight.data = z
        return z if returned else None

    x, y = _zeros(), _zeros()
    for i in range(3):
        result = function(x, y, ndl.Tensor([1.0 + i, 2.0]))
        for tensor in (x, y, weight, *([result] if returned else [])):
            _is(tensor, 2.0 + i, 3.0)


def test_an_argument_is_written_to_others() -> None:
    weight = _zeros()

    @ndl.jit
    def function(x: Any, y: Any, z: Any) -> None:
        x.data = z
        y.data = z
        weight.data = z

    x, y = _zeros(), _zeros()
    for i in range(3):
        z = ndl.Tensor([1.0 + i, 2.0])
        function(x, y, z)
        for tensor in (x, y, z, weight):
            _is(tensor, 1.0 + i, 2.0)


def test_gradients_of_arguments() -> None:
    @ndl.jit
    def clear(x: Any) -> None:
        x.grad = None

    @ndl.jit
    def double(x: Any) -> Any:
        return None if x.grad is None else x.grad * 2.0

    for i in range(3):
        x = _zeros()
        x.grad = ndl.Tensor([1.0 + i, 2.0])
        _is(double(x), 2.0 + 2.0 * i, 4.0)
        _is(x.grad, 1.0 + i, 2.0)
        clear(x)
        assert x.grad is None
        assert double(x) is None
    assert double.cache_info().misses == 2


def test_gradients_of_arguments_are_made_anew() -> None:
    weight = nn.Parameter(np.ones(2))

    @ndl.jit
    def function(x: Any) -> None:
        former = x.grad
        (x * x * weight.detach()).sum().backward()
        if former is not None:
            x.grad = former + x.grad

    x = ndl.Tensor([1.0, 2.0], requires_grad=True)
    for i in range(1, 5):
        function(x)
        _is(x.grad, 2.0 * i, 4.0 * i)


def test_data_of_a_gradient_of_an_argument_cannot_be_replaced() -> None:
    def function(x: Any) -> None:
        x.grad.data = x

    x = _zeros()
    former = x.grad = ndl.Tensor([1.0, 2.0])
    with pytest.raises(ndl.TraceError, match="data of the gradient of an argument"):
        ndl.jit(function)(x)
    assert x.grad is former
    _is(x.grad, 1.0, 2.0)


def test_requires_grad_is_set_outside() -> None:
    weight = nn.Parameter(np.ones(2))

    def captured(x: Any) -> Any:
        weight.requires_grad = False
        return weight * x

    def argument(x: Any) -> Any:
        x.requires_grad = True
        return weight * x

    def meanwhile(x: Any) -> Any:
        weight.requires_grad = False
        made = weight * x
        weight.requires_grad = True
        return made

    x = ndl.Tensor([1.0, 2.0], requires_grad=False)
    for function in (captured, argument):
        with pytest.raises(ndl.TraceError, match="requires_grad of a Tensor from out"):
            ndl.jit(function)(x)
        assert weight.requires_grad
        assert not x.requires_grad
    _is(ndl.jit(meanwhile)(x), 1.0, 2.0)


class Holder:
    """An object that is neither a container nor a module."""

    def __init__(self, made: Any) -> None:
        self.made = made


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x: {x}, "set of Tensors"),
        (lambda x: [frozenset([x + 1.0])], "frozenset of Tensors"),
        (lambda x: (part for part in [x]), "generator"),
        (lambda x: {"a": map(abs, [x])}, "map"),
        (lambda x: {x: 1}, "dict with Tensors as keys"),
        (lambda x: Holder(x.cached_data), "Holder of Tensors"),
    ],
)
def test_results_that_would_hold_no_values(function: Any, kind: str) -> None:
    with pytest.raises(ndl.TraceError, match=f"it returned a {kind}, which cannot"):
        ndl.jit(function)(_zeros())


def test_results_of_other_types_leave() -> None:
    weight = nn.Parameter(np.ones(2))
    holder = Holder(weight)
    compiled = ndl.jit(lambda x: ({1, 2}, {weight}, {weight: x}, holder, range(2)))
    for _ in range(2):
        x = _zeros()
        result = compiled(x)
        assert result == ({1, 2}, {weight}, {weight: x}, holder, range(2))
        _is(weight, 1.0, 1.0)


def test_long_chains_in_lazy_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndl.autograd, "LAZY_MODE", True)

    @ndl.jit
    def function(x: Any) -> Any:
        for _ in range(1500):
            x = x + 1.0
        return x

    _is(function(_zeros()), 1500.0, 1500.0)
