# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled functions against eager mode, operation by operation, and gradients.

Sums are of small integers, or of two terms, so that no order of additions changes a
bit; everything else has the same bits by rule N7. So all comparisons are by ``==``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import ops

TARGETS = ["x86-64", "avx2"]
GENERATOR = np.random.default_rng(20)


def _real(*shape: int) -> ndl.Tensor:
    return ndl.Tensor(GENERATOR.normal(size=shape).astype(np.float32))


def _positive(*shape: int) -> ndl.Tensor:
    return ndl.Tensor(GENERATOR.uniform(0.1, 3.0, shape).astype(np.float32))


def _whole(*shape: int) -> ndl.Tensor:
    return ndl.Tensor(GENERATOR.integers(-4, 5, shape).astype(np.float32))


CASES: dict[str, tuple[Any, ...]] = {
    "add": (lambda a, b: a + b, _whole(3, 4), _whole(4)),
    "add_scalar": (lambda a: a + 0.1, _real(5)),
    "sub": (lambda a, b: a - b, _whole(3, 4), _whole(3, 1)),
    "rsub": (lambda a: 1.5 - a, _real(5)),
    "multiply": (lambda a, b: a * b, _whole(3, 4), _whole()),
    "mul_scalar": (lambda a: a * 0.3, _real(5)),
    "divide": (lambda a, b: a / b, _real(3, 4), _positive(3, 4)),
    "divide_scalar": (lambda a: a / 3, _real(5)),
    "rdivide": (lambda a: 1 / a, _real(5)),
    "power": (lambda a, b: a**b, _positive(3, 4), _real(3, 4)),
    "power_scalar": (lambda a: a**3, _real(5)),
    "power_square": (lambda a: a**2, _real(5)),
    "power_root": (lambda a: a**0.5, _positive(5)),
    "rpower": (lambda a: 2**a, _real(5)),
    "negate": (lambda a: -a, _real(5)),
    "log": (ops.log, _positive(37)),
    "exp": (ops.exp, _real(37)),
    "relu": (ops.relu, _real(37)),
    "tanh": (ops.tanh, _real(37)),
    "sigmoid": (ops.sigmoid, _real(37)),
    "sqrt": (ops.sqrt, _positive(37)),
    "sum": (lambda a: a.sum(), _whole(5, 6, 7)),
    "sum_axis": (lambda a: a.sum((1,)), _whole(5, 6, 7)),
    "sum_keep": (lambda a: ops.summation(a, (0, -1), True), _whole(5, 6, 7)),
    "max": (lambda a: ops.max(a, 1), _real(5, 2, 7)),
    "matmul": (lambda a, b: a @ b, _whole(5, 6), _whole(6, 7)),
    "matmul_batch": (lambda a, b: a @ b, _whole(2, 5, 6), _whole(2, 6, 7)),
    "matmul_shared": (lambda a, b: a @ b, _whole(2, 5, 6), _whole(6, 7)),
    "matmul_stretch": (lambda a, b: a @ b, _whole(3, 1, 5, 6), _whole(2, 6, 7)),
    "reshape": (lambda a: a.reshape((3, -1)), _real(5, 6)),
    "transpose": (lambda a: a.transpose(), _real(2, 5, 6)),
    "transpose_axes": (lambda a: a.transpose((0, 2)), _real(2, 5, 6)),
    "broadcast_to": (lambda a: a.broadcast_to((2, 5, 6)), _whole(5, 1)),
    "logsumexp": (lambda a: ops.logsumexp(a, (1,)), _real(5, 2)),
    "logsoftmax": (ops.logsoftmax, _real(5, 2)),
    "stack": (lambda a, b: ops.stack([a, b], 0), _real(5, 6), _real(5, 6)),
    "stack_inner": (lambda a, b: ops.stack([a, b], 1), _real(5, 6), _real(5, 6)),
    "split": (lambda a: ops.split(a, 0)[1] * 2.0, _real(3, 6)),
    "split_all": (lambda a: tuple(ops.split(a, 1)), _real(3, 6)),
    "flip": (lambda a: ops.flip(a, (0,)), _real(3, 6)),
    "dilate": (lambda a: ops.dilate(a, (0, 1), 2), _real(3, 6)),
    "undilate": (lambda a: ops.undilate(a, (0,), 1), _real(4, 6)),
    "fused_add": (lambda a: tuple(ops.fused_add_scalars(a, 1.0, 2.0)), _real(3)),
}


def _tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def _check(eager: Any, compiled: Any) -> None:
    for one, other in zip(_tuple(eager), _tuple(compiled), strict=True):
        assert one.shape == other.shape
        np.testing.assert_array_equal(one.numpy(), other.numpy(), strict=True)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_forward(name: str, target: str) -> None:
    function, *args = CASES[name]
    compiled = ndl.jit(function, target=target)
    _check(function(*args), compiled(*args))
    _check(function(*args), compiled(*args))
    assert compiled.cache_info()[:2] == (1, 1)
    assert compiled.executable(*args).target == target


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str, target: str) -> None:
    function, *args = CASES[name]

    def differentiate(*inputs: Any) -> tuple[Any, ...]:
        total = 0.0
        for part in _tuple(function(*inputs)):
            total = ops.summation(part * part) + total
        total.backward()  # type: ignore[attr-defined]
        return tuple(value.grad for value in inputs)

    eager = differentiate(*args)
    for value in args:
        value.grad = None
    _check(eager, ndl.jit(differentiate, target=target)(*args))
    # As in eager mode, the gradients are left with the arguments, too.
    _check(eager, tuple(value.grad for value in args))


ARRAY_CASES: dict[str, Callable[[Any], Any]] = {
    "slices": lambda a: a[1:3, ::2, -1],
    "ellipsis": lambda a: a[..., 2:],
    "new axis": lambda a: a[None, 1, :, :],
    "empty": lambda a: a[3:3, :, 9:],
    "compare": lambda a: (a > 0.0) + (a <= 1.0) * 2 + (a == 0.0) * 4 + (a != 1.0) * 8,
    "reflected compare": lambda a: (1.0 < a) + (0.5 >= a) * 2,  # noqa: SIM300
    "extremes": lambda a: a.maximum(0.5).minimum(a * 2.0) + a.abs(),
    "min": lambda a: a.min(axis=(0, 2)),
    "permute": lambda a: a.permute((2, 0, 1)),
    "transposed": lambda a: a.T.reshape((-1,)),
    "pad": lambda a: a.pad(((1, 0), (0, 2), (3, 4))),
    "flatten": lambda a: a.flatten(),
}


@pytest.mark.parametrize("name", ARRAY_CASES)
def test_arrays(name: str) -> None:
    """NDArrays as arguments: methods that operations on Tensors do not use."""
    function = ARRAY_CASES[name]
    array = _real(4, 5, 6).cached_data
    result = ndl.jit(function)(array)
    assert isinstance(result, ndl.NDArray)
    _check(function(array), result)


def test_products_with_vectors() -> None:
    a, v = _whole(5, 6).cached_data, _whole(6).cached_data
    _check(a @ v, ndl.jit(lambda a, v: a @ v)(a, v))
    _check(v @ a.T, ndl.jit(lambda a, v: v @ a.T)(a, v))
    _check(v @ v, ndl.jit(lambda v: v @ v)(v))


def test_writes_to_arrays_that_were_made() -> None:
    def function(a: Any) -> Any:
        made = a * 2.0
        made[1:3, ::2] = a[0:2, 0:2]
        made[0, :] = -1.0
        return made

    array = _real(4, 4).cached_data
    _check(function(array), ndl.jit(function)(array))


def test_constants_of_the_function() -> None:
    table = np.arange(4, dtype=np.float64)

    def function(x: ndl.Tensor) -> ndl.Tensor:
        return x * table + ndl.ones(4) + ndl.Tensor(table, requires_grad=False)

    x = _real(3, 4)
    _check(function(x), ndl.jit(function)(x))


def test_one_hot_and_loss() -> None:
    logits, classes = _real(2, 2), ndl.Tensor(np.array([1, 0]), requires_grad=False)
    loss = ndl.nn.SoftmaxLoss()
    _check(loss(logits, classes), ndl.jit(loss)(logits, classes))
    rows = ndl.jit(lambda y: ndl.one_hot(5, y))
    _check(ndl.one_hot(5, classes), rows(classes))
    for wrong in ([5.0, 0.0], [-1.0, 0.0], [0.5, 0.0]):
        with pytest.raises(ValueError, match=r"jit_ops\.py:\d+: one_hot with rows"):
            rows(ndl.Tensor(np.array(wrong)))
    _check(ndl.one_hot(5, classes), rows(classes))


def test_structures() -> None:
    """Containers go in and come out; Tensors that are handed through stay the same."""
    x, y = _real(2, 3), _real(2, 3)

    def function(pair: Any, *, named: Any, factor: float) -> Any:
        return {"sum": pair[0] + pair[1], "same": pair[0], "list": [named["a"], factor]}

    compiled = ndl.jit(function)
    result = compiled((x, y), named={"a": y}, factor=2.0)
    _check(result["sum"], x + y)
    assert result["same"] is x
    assert result["list"] == [y, 2.0]
    assert not result["sum"].requires_grad
    assert compiled(pair=[x, y], named={"a": y}, factor=2.0)["same"] is x
    assert compiled.cache_info().misses == 2


def test_an_argument_given_twice_is_one() -> None:
    def function(a: Any, b: Any) -> Any:
        (a * b).sum().backward()
        return a is b

    x = _whole(3)
    function(x, x)
    eager, x.grad = x.grad, None
    assert ndl.jit(function)(x, x) is True
    _check(eager, x.grad)


def test_lazy_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndl.autograd, "LAZY_MODE", True)
    weight = _whole(4) + _whole(4)
    compiled = ndl.jit(lambda x: (x * weight).sum())
    x = _whole(4) * 2.0
    _check((x * weight).sum(), compiled(x))


def test_making_tensors_of_tensors() -> None:
    def function(x: ndl.Tensor) -> ndl.Tensor:
        y = ndl.Tensor(x, device=ndl.cpu()) * ndl.Tensor(x, dtype="float32")
        return y * 1e300 + ndl.zeros_like(x) + sum([x, x])

    x = _real(3, 4)
    _check(function(x), ndl.jit(function)(x))


def test_committed_as_in_eager_mode() -> None:
    free, placed = _real(3), ndl.Tensor(np.ones(3), device=ndl.cpu())
    double = ndl.jit(lambda x: x * 2.0)
    assert not double(free).cached_data.committed
    assert double(placed).cached_data.committed
    assert double(placed).device == ndl.cpu()
