# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The graph: its order, gradients of gradients, laziness, and when memory goes."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import autograd


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only counting references frees memory."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autograd, "LAZY_MODE", True)


def test_order() -> None:
    a = ndl.Tensor([2.0])
    b = ndl.Tensor([3.0])
    c = 3 * a * a + 4 * b * a - a
    order = autograd.find_topo_sort([c])
    values = [value.numpy().item() for value in order]
    # 3a·a + 4b·a - a, in post-order: a, 3a, 3a·a, b, 4b, 4b·a, their sum, -a, c.
    assert values == [2, 6, 12, 3, 12, 24, 36, -2, 34]
    assert order[0] is a
    assert order[3] is b
    assert order[-1] is c


def test_order_of_several() -> None:
    a = ndl.Tensor([2.0])
    b = a * 2
    c = a * 3
    assert [id(v) for v in autograd.find_topo_sort([b, c])] == [id(a), id(b), id(c)]
    order: list[Any] = []
    autograd.topo_sort_dfs(c, {a}, order)
    assert [id(value) for value in order] == [id(c)]


def test_the_graph_can_be_read() -> None:
    a = ndl.Tensor([2.0])
    b = ndl.Tensor([3.0])
    c = a * b
    assert isinstance(c.op, ndl.ops.EWiseMul)
    assert c.inputs[0] is a
    assert c.inputs[1] is b
    assert a.op is None
    assert a.inputs == []
    left, right = c.op.gradient_as_tuple(ndl.Tensor([1.0]), c)
    assert (left.item(), right.item()) == (3, 2)


def test_gradients_of_gradients() -> None:
    x2 = ndl.Tensor([6.0])
    x3 = ndl.Tensor([0.0])
    y = x2 * x2 + x2 * x3
    y.backward()
    first2, first3 = x2.grad, x3.grad
    assert (first2.item(), first3.item()) == (12, 6)
    first2.backward()
    assert (x2.grad.item(), x3.grad.item()) == (2, 1)


def test_gradients_are_replaced_and_shared_paths_add() -> None:
    x = ndl.Tensor([1.0, 2.0])
    for _ in range(2):
        y = x * 2
        (y + y * x).sum().backward()
        assert x.grad.numpy().tolist() == [2 + 4, 2 + 8]
    assert y.grad.numpy().tolist() == [2, 3]


def test_leaves_share_no_gradient() -> None:
    a, b, c = (ndl.Tensor([1.0, 2.0]) for _ in range(3))
    out_grad = ndl.Tensor([1.0, 1.0], requires_grad=False)
    (a + b + c).backward(out_grad)
    for leaf in (a, b, c):
        assert leaf.grad.numpy().tolist() == [1, 1]
        leaf.grad.data = leaf.grad * 0
    assert out_grad.numpy().tolist() == [1, 1]


def test_shared_gradients_lead_to_the_same_graph() -> None:
    for which in (0, 1):
        leaves = [ndl.Tensor([1.0, 2.0]) for _ in range(2)]
        factor = ndl.Tensor([3.0, 4.0])
        ((leaves[0] + leaves[1]) * factor).sum().backward()
        gradient = leaves[which].grad
        assert gradient.numpy().tolist() == [3, 4]
        gradient.sum().backward()
        assert factor.grad.numpy().tolist() == [1, 1]


def test_backward_of_several_elements() -> None:
    x = ndl.Tensor([1.0, 2.0])
    y = x * x
    y.backward()
    assert x.grad.numpy().tolist() == [2, 4]
    y.backward(ndl.Tensor([1.0, 10.0]))
    assert x.grad.numpy().tolist() == [2, 40]
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        y.backward(ndl.Tensor([1.0, 1.0, 1.0]))


def test_what_requires_no_gradient() -> None:
    x = ndl.Tensor([1.0, 2.0])
    constant = ndl.Tensor([3.0, 4.0], requires_grad=False)
    y = constant * 2
    assert not y.requires_grad
    assert y.is_leaf()
    (x * constant * y).sum().backward()
    assert x.grad.numpy().tolist() == [18, 32]
    (x + constant).sum().backward()
    assert x.grad.numpy().tolist() == [1, 1]
    assert constant.grad is None
    assert y.grad is None
    with pytest.raises(RuntimeError, match="requires no gradient"):
        y.backward()
    with pytest.raises(RuntimeError, match="requires no gradient"):
        (x.detach() * 2).backward()


def test_elements_of_tuples_without_gradient() -> None:
    x = ndl.Tensor([[1.0, 2.0], [3.0, 4.0]])
    (ndl.split(x, 0)[1] * 5).sum().backward()
    assert x.grad.numpy().tolist() == [[0, 0], [5, 5]]


def test_own_operations() -> None:
    class Cube(ndl.TensorOp):
        def compute(self, a: Any) -> Any:
            return a * a * a

        def gradient(self, out_grad: Any, node: Any) -> Any:
            return [out_grad * node.inputs[0] ** 2 * 3]

    class Wrong(ndl.TensorOp):
        def compute(self, a: Any) -> Any:
            return a

    class Miscounted(ndl.TensorOp):
        def compute(self, a: Any, b: Any) -> Any:
            return a + b

        def gradient(self, out_grad: Any, node: Any) -> Any:
            return out_grad

    x = ndl.Tensor([2.0])
    with pytest.raises(ValueError, match=r"Miscounted.*1 gradients for 2 inputs"):
        Miscounted()(x, x).backward()
    Cube()(x).backward()
    assert x.grad.item() == 12
    with pytest.raises(NotImplementedError, match="Wrong defines no gradient"):
        Wrong()(x).backward()


@pytest.mark.usefixtures("lazy")
def test_lazy_values_wait() -> None:
    calls = []

    class Seen(ndl.TensorOp):
        def compute(self, a: Any) -> Any:
            calls.append(a)
            return a * 2.0

        def gradient(self, out_grad: Any, node: Any) -> Any:
            return out_grad * 2

    x = ndl.Tensor([3.0])
    y = Seen()(x) + 1
    assert y.cached_data is None
    assert calls == []
    assert y.shape == (1,)
    assert len(calls) == 1
    assert y.item() == 7
    assert len(calls) == 1
    y.backward()
    assert x.grad.item() == 2
    constant = ndl.Tensor([3.0], requires_grad=False)
    z = ndl.split(constant * 2, 0)[0] * 2
    assert z.cached_data is None
    assert not z.requires_grad
    assert z.item() == 12
    assert z.is_leaf()
    assert z.inputs == []


@pytest.mark.usefixtures("lazy")
def test_lazy_graphs_can_be_deep() -> None:
    x = ndl.Tensor([0.0])
    y = x
    for _ in range(20_000):
        y = y + 1
    assert y.item() == 20_000


def test_graphs_can_be_deep() -> None:
    before = autograd.TENSOR_COUNTER
    x = ndl.Tensor([1.0])
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    del x, y
    assert before == autograd.TENSOR_COUNTER


@pytest.mark.usefixtures("no_collector")
def test_memory_goes_when_it_is_unreachable() -> None:
    before = autograd.TENSOR_COUNTER
    x = ndl.Tensor(np.ones((4, 4), np.float32))
    hidden = ndl.tanh(x @ x)
    loss = (hidden * hidden).sum()
    loss.backward()
    assert hidden.grad is not None
    # The gradient can be differentiated: it holds the graph, and the graph the data.
    assert x.grad.requires_grad
    x.grad.sum().backward()
    assert before < autograd.TENSOR_COUNTER
    data = weakref.ref(hidden.cached_data)
    del x, hidden, loss
    assert before == autograd.TENSOR_COUNTER
    assert data() is None


@pytest.mark.usefixtures("no_collector")
def test_a_gradient_outlives_its_variable() -> None:
    x = ndl.Tensor([3.0])
    (x * x * x).backward()
    gradient = x.grad
    del x
    gradient.backward()
    assert gradient.item() == 27


def test_results_without_gradient_keep_nothing() -> None:
    x = ndl.Tensor(np.ones(3, np.float32), requires_grad=False)
    before = autograd.TENSOR_COUNTER
    y = x
    for _ in range(50):
        y = y * 2 + 1
    assert before + 1 == autograd.TENSOR_COUNTER


def test_tensors_of_all_threads_are_counted() -> None:
    gc.collect()
    before = autograd.TENSOR_COUNTER
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    started = Barrier(4)
    try:
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(_make_tensors, 50_000, started) for _ in range(4)]
            kept = [future.result() for future in work]
    finally:
        sys.setswitchinterval(interval)
    assert before + 4 * 100 == autograd.TENSOR_COUNTER
    del work, kept
    assert before == autograd.TENSOR_COUNTER


def _make_tensors(count: int, started: Barrier) -> list[ndl.Tensor]:
    """The first hundred of them; the others are dropped at once."""
    data = np.zeros(1, np.float32)
    started.wait()
    kept = [ndl.Tensor.make_const(data) for _ in range(100)]
    for _ in range(count):
        ndl.Tensor.make_const(data)
    return kept
