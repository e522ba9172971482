# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What cannot be compiled: one message that names the line, and nothing changed."""

# The legacy generator of NumPy is what is to be noticed.
# ruff: noqa: NPY002

from __future__ import annotations

import copy
import inspect
import os
import queue
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn, optim

HERE = r"test_jit_errors\.py"


def _x(*shape: int) -> ndl.Tensor:
    return ndl.Tensor(np.ones(shape or (2, 3)))


def _fails(function: Callable[..., Any], message: str, *args: Any) -> None:
    """Calling raises TraceError with the line of the function's last statement."""
    lines, start = inspect.getsourcelines(function)
    where = rf"{HERE}:(\d+): in \S+, compiled by ndl\.jit: {message}"
    with pytest.raises(ndl.TraceError, match=where) as raised:
        ndl.jit(function)(*(args or (_x(),)))
    line = int(str(raised.value).split(":")[1])
    assert start <= line < start + len(lines)


def test_reading_values() -> None:
    def number(x: Any) -> Any:
        return float(x.sum())

    def array(x: Any) -> Any:
        return x.numpy()

    def numpy_function(x: Any) -> Any:
        return np.log(np.asarray(x))

    def item(x: Any) -> Any:
        return x.sum().item()

    _fails(number, r"numpy\(\) needs values")
    _fails(array, r"numpy\(\) needs values, .* Read them outside")
    _fails(numpy_function, r"numpy\(\) needs values")
    _fails(item, r"numpy\(\) needs values")


def test_control_flow_that_depends_on_data() -> None:
    def branch(a: Any) -> Any:
        return a if a[0, 0] > 0.0 else -a

    def loop(a: Any) -> Any:
        while a.sum() > 0.0:
            a = a - 1.0
        return a

    def index(a: Any) -> Any:
        return [1, 2, 3][a.sum()]

    message = r"bool\(\) \(data-dependent control flow"
    _fails(branch, message, _x().cached_data)
    _fails(loop, message, _x().cached_data)
    _fails(index, "an index needs values", _x().cached_data)


def test_printing_is_no_reading(capsys: pytest.CaptureFixture[str]) -> None:
    @ndl.jit
    def function(x: Any) -> Any:
        print(x)
        return x * 2.0

    function(_x())
    function(_x())
    assert capsys.readouterr().out == "TracedArray(float32, shape=(2, 3))\n"


def test_random_draws() -> None:
    def dropout(x: Any) -> Any:
        return x * ndl.randb(2, 3, p=0.5)

    def unused(x: Any) -> Any:
        np.random.rand()
        return x * 2.0

    def layer(x: Any) -> Any:
        return nn.Linear(3, 2)(x)

    message = "random numbers were drawn while tracing"
    _fails(dropout, message)
    _fails(layer, message)
    with pytest.raises(ndl.TraceError, match=message):
        ndl.jit(unused)(_x())


def test_writing_in_place() -> None:
    weight = nn.Parameter(np.ones((2, 3)))

    def argument(x: Any) -> Any:
        x.cached_data[0, :] = 1.0
        return x

    def captured(x: Any) -> Any:
        weight.cached_data[0, :] = 1.0
        return x * weight

    def viewed(x: Any) -> Any:
        made = (x * 2.0).cached_data
        row = made[0, :]
        made[0, :] = 1.0
        return row

    def of_a_view(x: Any) -> Any:
        made = (x * 2.0).cached_data
        made.reshape((6,))[0:1] = 1.0
        return made

    for function in (argument, captured, viewed, of_a_view):
        _fails(function, "writing in place to an array")
    np.testing.assert_array_equal(weight.numpy(), np.ones((2, 3)))


def test_arrays_that_are_kept() -> None:
    """By an object that no search looks into."""
    kept: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @ndl.jit
    def function(x: Any) -> Any:
        kept.put(x * 2.0)
        return x

    function(_x())
    tensor = kept.get(timeout=1)
    message = rf"{HERE}:\d+: this array has no values: .* traced .*function and kept"
    with pytest.raises(ndl.TraceError, match=message):
        _ = tensor + 1.0
    with pytest.raises(ndl.TraceError, match=message):
        tensor.numpy()
    with pytest.raises(ndl.TraceError, match=message):
        ndl.jit(lambda x: x * tensor)(_x())
    with pytest.raises(ndl.TraceError, match=message):
        _ = _x().cached_data + tensor.cached_data


_counter = 0


class _Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class _Holder:
    value: Any = None


def test_effects() -> None:
    numbers: list[Any] = [1]
    table: dict[str, Any] = {"inner": {1}}
    holder, slotted, cell = _Holder(), _Slotted(), 0

    def append(x: Any) -> Any:
        numbers.append(x)
        return x

    def element(x: Any) -> Any:
        table["key"] = x
        return x

    def inner(x: Any) -> Any:
        table["inner"].add(2)
        return x

    def nonlocal_variable(x: Any) -> Any:
        nonlocal cell
        cell += 1
        return x * cell

    def global_variable(x: Any) -> Any:
        global _counter
        _counter += 1
        return x

    def attribute(x: Any) -> Any:
        holder.value = x
        return x

    def slot(x: Any) -> Any:
        slotted.value += 1
        return x

    _fails(append, "the list 'numbers' was changed")
    _fails(element, "the dict 'table' was changed")
    _fails(nonlocal_variable, "the variable 'cell' was changed")
    _fails(global_variable, "the variable '_counter' was changed")
    _fails(attribute, "the attribute 'value' was changed")
    _fails(slot, "the attribute 'value' was changed")
    _fails(inner, "a set was changed")
    assert (numbers, table, cell, _counter) == ([1], {"inner": {1}}, 0, 0)
    assert vars(holder) == {}
    assert slotted.value == 0


def test_draws_of_all_generators() -> None:
    generator, own = np.random.default_rng(0), random.Random(0)
    legacy = np.random.RandomState(0)

    def numpy_generator(x: Any) -> Any:
        return x * generator.random()

    def global_generator(x: Any) -> Any:
        return x * random.random()

    def own_generator(x: Any) -> Any:
        return x * own.random()

    def legacy_generator(x: Any) -> Any:
        return x * legacy.rand()

    functions = [numpy_generator, global_generator, own_generator, legacy_generator]
    states = [g.getstate() for g in (random, own)]
    for function in functions:
        with pytest.raises(ndl.TraceError, match="random numbers were drawn"):
            ndl.jit(function)(_x())
    # They go on as if nothing had been drawn.
    assert [g.getstate() for g in (random, own)] == states
    assert generator.random() == np.random.default_rng(0).random()
    assert legacy.rand() == np.random.RandomState(0).rand()


class _Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.seen: list[Any] = []
        self.weight = nn.Parameter(np.ones((2, 3)))


def test_attributes_of_modules() -> None:
    class Number(_Counting):
        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * self.weight

    class Array(_Counting):
        def forward(self, x: Any) -> Any:
            self.last = x * self.weight
            return self.last

    class Listed(_Counting):
        def forward(self, x: Any) -> Any:
            self.seen.append(x)
            return x

    class Mode(_Counting):
        def forward(self, x: Any) -> Any:
            self.eval()
            return x

    cases = [(Number, "calls"), (Array, "last"), (Listed, "seen"), (Mode, "training")]
    for kind, name in cases:
        module = kind()
        before = dict(vars(module))
        message = f"the attribute '{name}' of {kind.__name__} was changed"
        with pytest.raises(ndl.TraceError, match=message):
            ndl.jit(module)(_x())
        assert vars(module) == before
        assert module.seen == []


def test_everything_is_as_before_after_an_error() -> None:
    np.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    adam = optim.Adam(model.parameters())
    sgd = optim.SGD(model.parameters(), 0.1, 0.9)
    optimizers = [adam, sgd]
    for param in model.parameters():
        param.grad = ndl.ones_like(param)

    def step(x: Any) -> Any:
        loss = model(x).sum()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        model.modules[0].weight.requires_grad = True
        return loss.numpy()

    data = [(p, p.cached_data, p.grad, p.grad.cached_data) for p in model.parameters()]
    attributes = [copy.copy(vars(thing)) for thing in optimizers]
    for _ in range(2):
        with pytest.raises(ndl.TraceError, match=r"numpy\(\) needs values"):
            ndl.jit(step)(_x())
    assert ndl.autograd.TRACER is None
    for param, array, grad, grad_array in data:
        assert param.cached_data is array
        assert param.grad is grad
        assert grad.cached_data is grad_array
    for optimizer, former in zip(optimizers, attributes, strict=True):
        assert vars(optimizer) == former
    assert not adam.m
    assert not adam.v
    assert not sgd.u
    # And the same function, without what was wrong, works.
    assert ndl.jit(model)(_x()).shape == (2, 2)


def test_nothing_changes_if_a_run_finds_wrong_data() -> None:
    np.random.seed(0)
    model, loss = nn.Linear(3, 2), nn.SoftmaxLoss()
    optimizer = optim.Adam(model.parameters())

    @ndl.jit
    def step(x: Any, y: Any) -> Any:
        optimizer.reset_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    x = _x()
    for _ in range(2):
        step(x, ndl.Tensor([0, 1]))
        arrays = [p.numpy() for p in model.parameters()]
        with pytest.raises(ValueError, match=rf"{HERE}:\d+: one_hot with rows of 2"):
            step(x, ndl.Tensor([0, 2]))
        assert optimizer.t == step.cache_info().misses + step.cache_info().hits
        for before, param in zip(arrays, model.parameters(), strict=True):
            np.testing.assert_array_equal(param.numpy(), before)


def test_gradients_that_would_end() -> None:
    weight = nn.Parameter(np.ones((2, 3)))
    outside = weight * 2.0

    def function(x: Any) -> Any:
        (x * outside).sum().backward()

    with pytest.raises(ndl.TraceError, match=r"backward\(\) reaches a Tensor"):
        ndl.jit(function)(_x())
    assert outside.op is not None
    assert outside.grad is None
    # Without backward() it is a Tensor as others.
    compiled = ndl.jit(lambda x: x * outside)
    np.testing.assert_array_equal(compiled(_x()).numpy(), np.full((2, 3), 2.0))
    outside.sum().backward()
    assert weight.grad is not None


def test_shapes_that_do_not_fit() -> None:
    def add(x: Any, y: Any) -> Any:
        return x + y

    with pytest.raises(ndl.CompileError, match=rf"{HERE}:\d+: .*add.*\n?.*ndl\.jit"):
        ndl.jit(add)(_x(2, 3), _x(4))
    with pytest.raises(ValueError, match="3 columns of the left do not fit 2 rows"):
        ndl.jit(lambda x: x @ x)(_x())
    with pytest.raises(ValueError, match="cannot reshape"):
        ndl.jit(lambda x: x.reshape((4, 4)))(_x())


def test_other_devices() -> None:
    there = ndl.Tensor(np.ones(3), device=ndl.cpu_numpy())
    message = r"run on cpu\(\), but an array is on cpu_numpy\(\)"
    with pytest.raises(ndl.TraceError, match=message):
        ndl.jit(lambda x: x * 2.0)(there)
    with pytest.raises(ndl.TraceError, match=message):
        ndl.jit(lambda x: x * there)(_x(3))

    def move(x: Any) -> Any:
        return x.cached_data.to(ndl.cpu_numpy())

    _fails(move, r"an array cannot move to cpu_numpy\(\)")


def test_arguments() -> None:
    compiled = ndl.jit(lambda x, *rest: x)
    with pytest.raises(TypeError, match=r"numpy\.ndarray is neither a Tensor nor hash"):
        compiled(np.ones(3))
    with pytest.raises(TypeError, match="set is neither a Tensor nor hashable"):
        compiled(_x(), {1, 2})
    with pytest.raises(TypeError, match="jit takes a function, got int"):
        ndl.jit(3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="grads is True or False"):
        ndl.jit(lambda x: x, grads="all")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="threads is at least 1"):
        ndl.jit(lambda x: x, threads=0)
    with pytest.raises(ValueError, match="unknown target 'sparc'"):
        ndl.jit(lambda x: x * 2.0, target="sparc")(_x())


def test_methods_that_graphs_lack() -> None:
    def strided(a: Any) -> Any:
        return a.as_strided((2,), (1,))

    def handle(a: Any) -> Any:
        return a._handle

    _fails(strided, "as_strided of an array is not supported", _x().cached_data)
    _fails(handle, "_handle of an array is not supported", _x().cached_data)
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        ndl.jit(lambda a: a.frobnicate())(_x().cached_data)


def test_another_thread_during_the_trace() -> None:
    """It computes as always, but not with what is being traced."""
    weight = nn.Parameter(np.ones(3))
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        results.put((_x(3) * 2.0).numpy())
        try:
            _ = weight * 2.0
        except ndl.TraceError as error:
            results.put(str(error))

    @ndl.jit
    def function(x: Any) -> Any:
        y = x * weight
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return y

    function(_x(3))
    np.testing.assert_array_equal(results.get(timeout=1), [2.0, 2.0, 2.0])
    assert "another thread is tracing" in results.get(timeout=1)


@pytest.mark.parametrize("value", [None, True])
def test_no_effect_and_no_result(value: Any) -> None:
    compiled = ndl.jit(lambda x: value)
    assert compiled(_x()) is value
    assert compiled(_x()) is value


def test_results_have_no_gradient() -> None:
    weight = nn.Parameter(np.ones((2, 3)))
    loss = ndl.jit(lambda x: (x * weight).sum())(_x())
    with pytest.raises(RuntimeError, match="returned by a compiled function"):
        loss.backward()


def test_numpy_backend() -> None:
    code = "import needle as ndl; ndl.jit(lambda x: x)"
    path = str(Path(ndl.__file__).parent.parent)
    environment = {**os.environ, "NEEDLE_BACKEND": "np", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert "RuntimeError: ndl.jit compiles for needle's own arrays" in done.stderr


def test_memory_that_there_is_not() -> None:
    """Each call says so: none takes an array without memory for one with it."""
    compiled = ndl.jit(lambda x: x.broadcast_to((1 << 21, 1 << 21)))
    for _ in range(3):
        with pytest.raises(MemoryError, match="no memory for an array"):
            compiled(_x(1, 1))
