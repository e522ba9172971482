# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every operation against NumPy, and its gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import needle as ndl
import numpy as np
import pytest
from gradient_check import check_gradients, check_second_gradients, draw
from needle.backend_selection import BACKEND


@dataclass
class Case:
    name: str
    op: Callable[..., Any]
    function: Callable[..., Any]
    shapes: list[tuple[int, ...]]
    low: float = -2.0
    high: float = 2.0
    smooth: bool = True


def _logsumexp(x: Any, axes: Any = None) -> Any:
    return np.log(np.exp(x).sum(axis=axes))


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _dilate(x: Any, axes: tuple[int, ...], dilation: int) -> Any:
    shape = [n * (dilation + 1) if i in axes else n for i, n in enumerate(x.shape)]
    result = np.zeros(shape)
    step = slice(None, None, dilation + 1)
    result[tuple(step if i in axes else slice(None) for i in range(x.ndim))] = x
    return result


def _split_and_use(x: Any) -> Any:
    parts = ndl.split(x, 1)
    return parts[0] * parts[2] + parts[0]


def _logsoftmax(x: Any) -> Any:
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


CASES = [
    Case("add", ndl.add, np.add, [(3, 4), (3, 4)]),
    Case("add-broadcast", ndl.add, np.add, [(3, 1, 4), (2, 1)]),
    Case("add-scalar", lambda x: 1.5 + x + 2, lambda x: x + 3.5, [(3, 4)]),
    Case("subtract", lambda x, y: x - y, np.subtract, [(3, 4), (1, 4)]),
    Case("subtract-from-scalar", lambda x: 3 - x - 1, lambda x: 2 - x, [(3, 4)]),
    Case("multiply", ndl.multiply, np.multiply, [(3, 4), (3, 4)]),
    Case("multiply-broadcast", ndl.multiply, np.multiply, [(4,), (2, 3, 1)]),
    Case("multiply-itself", lambda x: x * x * x, lambda x: x**3, [(3, 4)]),
    Case("mul-scalar", lambda x: 2 * x * 1.5, lambda x: 3 * x, [(2, 5)]),
    Case("divide", ndl.divide, np.divide, [(3, 4), (3, 4)], 0.5),
    Case("divide-broadcast", ndl.divide, np.divide, [(3, 1), (2, 1, 4)], 0.5),
    Case("divide-scalar", lambda x: x / 4, lambda x: x / 4, [(2, 5)]),
    Case("divide-number-by", lambda x: 3 / x, lambda x: 3 / x, [(2, 5)], 0.5),
    Case("power", ndl.power, np.power, [(3, 4), (3, 4)], 0.5),
    Case("power-broadcast", ndl.power, np.power, [(3, 4), (1,)], 0.5),
    Case("power-scalar", lambda x: x**3, lambda x: x**3, [(3, 4)]),
    Case("power-square", lambda x: x**2, lambda x: x**2, [(3, 4)]),
    Case("power-one", lambda x: x**1, lambda x: x, [(3, 4)]),
    Case("power-zero", lambda x: x**0, np.ones_like, [(3, 4)]),
    Case("power-half", lambda x: x**0.5, np.sqrt, [(3, 4)], 0.5),
    Case("power-of-number", lambda x: 2.5**x, lambda x: 2.5**x, [(3, 4)]),
    Case("negate", ndl.negate, np.negative, [(3, 4)]),
    Case("log", ndl.log, np.log, [(3, 4)], 0.5),
    Case("exp", ndl.exp, np.exp, [(3, 4)]),
    Case("relu", ndl.relu, lambda x: np.maximum(x, 0), [(3, 4)], smooth=False),
    Case("tanh", ndl.tanh, np.tanh, [(3, 4)]),
    Case("sigmoid", ndl.sigmoid, _sigmoid, [(3, 4)]),
    Case("sqrt", ndl.sqrt, np.sqrt, [(3, 4)], 0.5),
    Case("matmul", ndl.matmul, np.matmul, [(3, 4), (4, 5)]),
    Case("matmul-batch", ndl.matmul, np.matmul, [(2, 3, 4), (2, 4, 5)]),
    Case("matmul-batch-left", ndl.matmul, np.matmul, [(2, 2, 3, 4), (4, 2)]),
    Case("matmul-batch-right", ndl.matmul, np.matmul, [(3, 4), (2, 4, 2)]),
    Case("matmul-batch-broadcast", ndl.matmul, np.matmul, [(2, 1, 3, 2), (3, 2, 2)]),
    Case("matmul-one", ndl.matmul, np.matmul, [(1, 1), (1, 1)]),
    Case("summation", ndl.summation, np.sum, [(3, 4)]),
    Case("summation-axis", lambda x: x.sum(1), lambda x: x.sum(1), [(3, 4)]),
    Case(
        "summation-axes",
        lambda x: ndl.summation(x, (0, -1)),
        lambda x: x.sum((0, 2)),
        [(2, 3, 4)],
    ),
    Case(
        "summation-keepdims",
        lambda x: ndl.summation(x, 1, keepdims=True),
        lambda x: x.sum(1, keepdims=True),
        [(2, 3, 4)],
    ),
    Case("max", ndl.max, np.max, [(3, 4)], smooth=False),
    Case(
        "max-axes",
        lambda x: ndl.max(x, (0, 2)),
        lambda x: x.max((0, 2)),
        [(2, 3, 4)],
        smooth=False,
    ),
    Case(
        "broadcast",
        lambda x: x.broadcast_to((2, 3, 4)),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        [(3, 1)],
    ),
    Case(
        "broadcast-number",
        lambda x: x.broadcast_to((2, 3)),
        lambda x: np.broadcast_to(x, (2, 3)),
        [()],
    ),
    Case("reshape", lambda x: x.reshape((2, 6)), lambda x: x.reshape(2, 6), [(3, 4)]),
    Case(
        "reshape-infer", lambda x: x.reshape(-1, 2), lambda x: x.reshape(6, 2), [(3, 4)]
    ),
    Case("transpose", ndl.transpose, lambda x: x.swapaxes(-1, -2), [(2, 3, 4)]),
    Case(
        "transpose-axes",
        lambda x: x.transpose((0, -1)),
        lambda x: x.swapaxes(0, 2),
        [(2, 3, 4)],
    ),
    Case(
        "stack",
        lambda *x: ndl.stack(x, 1),
        lambda *x: np.stack(x, 1),
        [(2, 3), (2, 3), (2, 3)],
    ),
    Case(
        "stack-last",
        lambda *x: ndl.stack(list(x), -1),
        lambda *x: np.stack(x, -1),
        [(2, 3), (2, 3)],
    ),
    Case("split", _split_and_use, lambda x: x[:, 0] * x[:, 2] + x[:, 0], [(2, 4, 3)]),
    Case(
        "split-stack",
        lambda x: ndl.stack(ndl.split(x, 0), 2),
        lambda x: np.stack(list(x), 2),
        [(2, 4, 3)],
    ),
    Case(
        "tuple-sum",
        lambda x: (ndl.split(x, 0) + ndl.split(x * x, 0))[1],
        lambda x: (x + x * x)[1],
        [(3, 2)],
    ),
    Case(
        "fused-add-scalars",
        lambda x: ndl.fused_add_scalars(x, 1, 2)[0] * ndl.fused_add_scalars(x, 1, 2)[1],
        lambda x: (x + 1) * (x + 2),
        [(3, 2)],
    ),
    Case(
        "flip", lambda x: ndl.flip(x, (0, 2)), lambda x: np.flip(x, (0, 2)), [(2, 3, 4)]
    ),
    Case("flip-all", ndl.flip, np.flip, [(2, 3)]),
    Case(
        "dilate",
        lambda x: ndl.dilate(x, (1, -1), 2),
        lambda x: _dilate(x, (1, 2), 2),
        [(2, 2, 3)],
    ),
    Case("dilate-none", lambda x: ndl.dilate(x, (0,), 0), lambda x: x, [(2, 3)]),
    Case(
        "undilate",
        lambda x: ndl.undilate(x, (0, 1), 1),
        lambda x: x[::2, ::2],
        [(4, 6)],
    ),
    Case(
        "undilate-uneven",
        lambda x: ndl.undilate(x, axes=1, dilation=2),
        lambda x: x[:, ::3],
        [(2, 5)],
    ),
    Case("logsumexp", ndl.logsumexp, _logsumexp, [(3, 4)]),
    Case(
        "logsumexp-axes",
        lambda x: ndl.logsumexp(x, (0, 2)),
        lambda x: _logsumexp(x, (0, 2)),
        [(2, 3, 4)],
    ),
    Case(
        "logsumexp-axis",
        lambda x: ndl.logsumexp(x, -1),
        lambda x: _logsumexp(x, -1),
        [(2, 3)],
    ),
    Case("logsoftmax", ndl.logsoftmax, _logsoftmax, [(3, 4)]),
    Case("logsoftmax-3d", ndl.logsoftmax, _logsoftmax, [(2, 3, 4)]),
    Case(
        "layer",
        lambda x, w, b: ndl.tanh(x @ w + b.broadcast_to((3, 2))) / 2,
        lambda x, w, b: np.tanh(x @ w + b) / 2,
        [(3, 4), (4, 2), (1, 2)],
    ),
]


def _arrays(case: Case) -> tuple[list[Any], np.random.Generator]:
    generator = np.random.default_rng(7)
    arrays = [draw(generator, shape, case.low, case.high) for shape in case.shapes]
    if not case.smooth:
        # Differences say nothing across a kink: keep away from 0 and from ties.
        values = 0.5 * np.arange(1, arrays[0].size + 1)
        values[::2] *= -1
        arrays[0] = generator.permutation(values).reshape(arrays[0].shape)
    return arrays, generator


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gradients(case: Case) -> None:
    arrays, generator = _arrays(case)
    check_gradients(case.op, case.function, arrays, generator)


@pytest.mark.skipif(BACKEND != "np", reason="differences of float32 say little")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_second_gradients(case: Case) -> None:
    arrays, generator = _arrays(case)
    check_second_gradients(case.op, arrays, generator)


def test_max_shares_the_gradient_of_ties() -> None:
    x = ndl.Tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    ndl.max(x, 1).sum().backward()
    third = np.float32(1) / np.float32(3)
    np.testing.assert_allclose(
        x.grad.numpy(), [[0, 0.5, 0.5], [third, third, third]], rtol=1e-7
    )


def test_relu_has_no_slope_at_zero() -> None:
    x = ndl.Tensor([-1.0, 0.0, 2.0])
    ndl.relu(x).sum().backward()
    assert x.grad.numpy().tolist() == [0, 0, 1]


def test_numbers_of_any_kind() -> None:
    x = ndl.Tensor([6.0])
    for number in (2, 2.0, np.float32(2), np.int64(2), np.array(2.0), np.array([2.0])):
        assert ndl.divide_scalar(x, scalar=number).item() == 3
        assert ndl.power_scalar(x, scalar=number).item() == 36
    with pytest.raises((TypeError, ValueError)):
        ndl.add_scalar(x, np.array([1.0, 2.0]))


def test_power_of_zero() -> None:
    a = ndl.Tensor([0.0, 0.0, 2.0])
    b = ndl.Tensor([2.0, 3.0, 2.0])
    (a**b).sum().backward()
    assert a.grad.numpy().tolist() == [0, 0, 4]
    np.testing.assert_allclose(b.grad.numpy(), [0, 0, 4 * np.log(2)], rtol=1e-6)
    x = ndl.Tensor([0.0, -1.0])
    (x**0).sum().backward()
    assert x.grad.numpy().tolist() == [0, 0]


def test_power_zero_of_zero() -> None:
    a = ndl.Tensor([[0.0, 0.0, -1.0, 2.0], [0.0, 3.0, 0.0, 4.0]])
    b = ndl.Tensor([0.0, 1.0, 0.0, 0.0], requires_grad=False)
    (a**b).sum().backward()
    assert a.grad.numpy().tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize("offset", [0.0, 1000.0, -1000.0])
def test_logarithms_of_sums_do_not_overflow(offset: float) -> None:
    values = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]) + offset
    x = ndl.Tensor(values)
    expected = _logsumexp(values - offset, 1) + offset
    np.testing.assert_allclose(ndl.logsumexp(x, 1).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(
        ndl.logsoftmax(x).numpy(), _logsoftmax(values - offset), rtol=1e-4
    )
    ndl.logsumexp(x, 1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy().sum(axis=1), [1, 1], rtol=1e-4)


def test_logsumexp_of_infinities() -> None:
    inf = np.inf
    x = ndl.Tensor(np.array([[-inf, -inf], [-inf, 0.0], [inf, 0.0]], np.float32))
    with np.errstate(divide="ignore"):
        assert ndl.logsumexp(x, 1).numpy().tolist() == [-inf, 0.0, inf]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x @ x, "shapes|mismatch"),
        (lambda x: ndl.matmul(x, ndl.Tensor([1.0, 2.0, 3.0])), "two dimensions"),
        (lambda x: x.sum(2), "axis 2|out of (range|bounds)"),
        (lambda x: x.reshape((4, 2)), "reshape"),
        (lambda x: x.broadcast_to((2, 4)), "broadcast"),
        (lambda x: x.transpose((0, 1, 2)), "two axes"),
        (lambda x: ndl.Tensor([1.0]).transpose(), "no two axes"),
        (lambda x: ndl.flip(x, (0, 0)), "twice"),
        (lambda x: ndl.dilate(x, (0,), -1), "at least 0"),
        (lambda x: ndl.stack([x, x.sum(0)], 0), "shape"),
        (lambda x: ndl.stack([], 0), "at least one|one shape"),
        (lambda x: ndl.stack([x], 3), "out of range"),
        (lambda x: ndl.split(x, 2), "out of range"),
        (lambda x: x.reshape((0,)), "reshape"),
    ],
)
def test_wrong_shapes(make: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(ndl.Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
