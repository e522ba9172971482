# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Initial values: constants, and draws of NumPy's legacy generator."""

# The legacy generator of NumPy is what draws come from.
# ruff: noqa: NPY002

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import init


def test_constants() -> None:
    assert init.zeros(2, 3).numpy().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert init.ones(2).numpy().tolist() == [1, 1]
    assert init.constant(2, 1, c=2.5).numpy().tolist() == [[2.5], [2.5]]
    assert init.zeros().shape == ()
    x = ndl.Tensor(np.array([[1.0, 2.0]], np.float32))
    assert init.zeros_like(x).numpy().tolist() == [[0, 0]]
    assert init.ones_like(x.quantize_uint8()).numpy().tolist() == [[1, 1]]
    for tensor in (init.ones(2), init.rand(2), init.zeros_like(x)):
        assert not tensor.requires_grad
        assert tensor.dtype == "float32"
    for make in (init.ones, init.zeros, init.rand, init.randn, init.randb):
        assert make(2, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: init.rand(3, 4), lambda: np.random.rand(3, 4)),
        (
            lambda: init.rand(3, 4, low=-2, high=3),
            lambda: np.random.rand(3, 4) * 5 - 2,
        ),
        (lambda: init.randn(3, 4), lambda: np.random.randn(3, 4)),
        (
            lambda: init.randn(3, 4, mean=1, std=2),
            lambda: np.random.randn(3, 4) * 2 + 1,
        ),
        (lambda: init.randb(3, 4, p=0.3), lambda: np.random.rand(3, 4) <= 0.3),
        (
            lambda: init.xavier_uniform(3, 5, gain=2.0),
            lambda: (2 * np.random.rand(3, 5) - 1) * 2 * np.sqrt(6 / 8),
        ),
        (
            lambda: init.xavier_normal(3, 5, gain=2.0),
            lambda: np.random.randn(3, 5) * 2 * np.sqrt(2 / 8),
        ),
        (
            lambda: init.kaiming_uniform(3, 5),
            lambda: (2 * np.random.rand(3, 5) - 1) * np.sqrt(6 / 3),
        ),
        (
            lambda: init.kaiming_normal(3, 5),
            lambda: np.random.randn(3, 5) * np.sqrt(2 / 3),
        ),
        (
            lambda: init.kaiming_uniform(9, 5, shape=(3, 3, 1, 5)),
            lambda: (2 * np.random.rand(3, 3, 1, 5) - 1) * np.sqrt(6 / 9),
        ),
    ],
)
def test_draws(make: Callable[[], Any], expected: Callable[[], Any]) -> None:
    np.random.seed(5)
    tensor = make()
    np.random.seed(5)
    values = expected()
    assert tensor.shape == values.shape
    # Three roundings to float32 of numbers no larger than 8.
    np.testing.assert_allclose(tensor.numpy(), values, rtol=0, atol=3 * 8 * 2.0**-24)


def test_known_draw_of_the_course() -> None:
    np.random.seed(0)
    weight = init.kaiming_uniform(16 * 9, 8 * 9, shape=(3, 3, 16, 8))
    assert abs(weight.sum().item() - -2.5719218) < 1e-4


def test_one_hot() -> None:
    expected = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    for indices in ([1, 2, 0], np.array([1, 2, 0], np.uint8), ndl.Tensor([1, 2, 0])):
        assert init.one_hot(3, indices).numpy().tolist() == expected
    assert init.one_hot(2, [[0], [1]]).numpy().tolist() == [[[1, 0]], [[0, 1]]]
    with pytest.raises(ValueError, match="0 to 2, got 0 to 3"):
        init.one_hot(3, [0, 3])
    with pytest.raises(ValueError, match="0 to 2, got -1"):
        init.one_hot(3, [-1])
    with pytest.raises(ValueError, match="integers"):
        init.one_hot(3, [0.5])


def test_unknown_nonlinearity() -> None:
    with pytest.raises(ValueError, match="'tanh'"):
        init.kaiming_uniform(3, 4, nonlinearity="tanh")


def test_devices() -> None:
    for make in (init.ones, init.rand, init.randn, init.randb):
        assert make(2, device=ndl.cpu()).device == ndl.cpu()
        with pytest.raises(RuntimeError, match="cuda"):
            make(2, device=ndl.cuda())
