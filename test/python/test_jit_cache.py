# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When functions are traced, what they keep, and calls from several threads."""

from __future__ import annotations

import contextlib
import copy
import gc
import queue
import threading
import types
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle import nn, optim


def _x(*shape: int, value: float = 1.0) -> ndl.Tensor:
    return ndl.Tensor(np.full(shape or (2, 3), value), requires_grad=False)


class Traced:
    """A function that counts how often Python runs it."""

    def __init__(self, body: Any) -> None:
        self.body = body
        # Of the standard library: effects of other objects are errors.
        self.runs: queue.SimpleQueue[int] = queue.SimpleQueue()

    def function(self, *args: Any, **kwargs: Any) -> Any:
        self.runs.put(1)
        return self.body(*args, **kwargs)

    @property
    def count(self) -> int:
        return self.runs.qsize()


def test_later_calls_run_no_python() -> None:
    traced = Traced(lambda x: x * 2.0)
    runs = traced.runs
    body = traced.body

    @ndl.jit
    def function(x: Any) -> Any:
        _note(runs)
        return body(x)

    for value in range(5):
        result = function(_x(value=value))
        np.testing.assert_array_equal(result.numpy(), np.full((2, 3), 2.0 * value))
    assert runs.qsize() == 1
    assert function.cache_info() == (4, 1, 1)
    function.cache_clear()
    assert function.cache_info() == (0, 0, 0)
    function(_x())
    assert runs.qsize() == 2


def _note(runs: queue.SimpleQueue[int]) -> None:
    runs.put(1)


def test_what_is_another_program() -> None:
    function = ndl.jit(lambda x, *rest, **named: x * 2.0)
    y = _x()

    def misses(*args: Any, **kwargs: Any) -> int:
        before = function.cache_info().misses
        function(*args, **kwargs)
        function(*args, **kwargs)
        return function.cache_info().misses - before

    assert misses(_x()) == 1
    assert misses(_x(2, 3, 1)) == 1
    assert misses(_x(3, 2)) == 1
    assert misses(_x(2, 3)) == 0
    assert misses(ndl.Tensor(np.ones((2, 3)))) == 1  # requires a gradient
    assert misses(_x().cached_data) == 1
    assert misses(_x(), 1) == 1
    assert misses(_x(), 1.0) == 1
    assert misses(_x(), True) == 1
    assert misses(_x(), "1") == 1
    assert misses(_x(), 1) == 0
    assert misses(_x(), [y]) == 1
    assert misses(_x(), (y,)) == 1
    assert misses(_x(), [y, y]) == 1
    assert misses(_x(), [y, _x()]) == 1
    assert misses(_x(), {"a": y}) == 1
    assert misses(_x(), {"b": y}) == 1
    assert misses(_x(), a=y) == 1
    assert misses(_x(), a=y, b=1) == 1
    assert misses(_x(), b=1, a=y) == 0
    strided = ndl.Tensor(np.ones((3, 2)), requires_grad=False).transpose()
    assert misses(strided) == 0


@pytest.mark.parametrize("wrap", [float, np.float32, complex, lambda v: {1: [(v,)]}])
def test_numbers_differ_by_their_bits(wrap: Any) -> None:
    """Zeros have signs, and NaN does not equal itself."""

    def quotient(x: Any, value: Any) -> Any:
        zero = value[1][0][0] if isinstance(value, dict) else value.real
        return x / float(zero)

    compiled = ndl.jit(quotient)
    with np.errstate(divide="ignore"):
        assert compiled(_x(1), wrap(0.0)).numpy() == np.inf
        assert compiled(_x(1), wrap(-0.0)).numpy() == -np.inf
        for _ in range(3):
            assert np.isnan(compiled(_x(1), wrap(float("nan"))).numpy())
    assert compiled.cache_info() == (2, 3, 3)


def test_keys_and_sets_differ_by_their_bits() -> None:
    compiled = ndl.jit(lambda x, numbers: x / next(iter(numbers)))
    for kind in (lambda v: frozenset([v]), lambda v: {v: 1}):
        assert compiled(_x(1), kind(0.0)).numpy() == np.inf
        assert compiled(_x(1), kind(-0.0)).numpy() == -np.inf


def test_train_and_eval() -> None:
    class Mode(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2.0 if self.training else x * 3.0

    model = nn.Sequential(Mode(), nn.ReLU())
    compiled = ndl.jit(lambda x: model(x))
    for _ in range(2):
        assert compiled(_x()).numpy()[0, 0] == 2.0
        model.eval()
        assert compiled(_x()).numpy()[0, 0] == 3.0
        model.train()
    assert compiled.cache_info() == (2, 2, 2)


def test_things_that_are_replaced_are_noticed() -> None:
    """Modules, parameters, variables and functions, by whatever name."""
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    names: dict[str, Any] = {}
    code = "def f(x): return helper(x) * factor + model(x).sum()\n"
    exec(code, names)  # its own global variables
    names.update(model=model, factor=2.0, helper=lambda x: x)
    compiled = ndl.jit(names["f"])
    x = _x(value=0.5)

    def misses() -> int:
        before = compiled.cache_info().misses
        for _ in range(2):
            np.testing.assert_array_equal(compiled(x).numpy(), names["f"](x).numpy())
        return compiled.cache_info().misses - before

    assert misses() == 1
    names["factor"] = 3.0
    assert misses() == 1
    names["helper"] = lambda x: x * 2.0
    assert misses() == 1
    model.modules[0].weight.data = ndl.Tensor(np.ones((3, 2)))
    assert misses() == 0
    model.modules[0].weight = nn.Parameter(np.full((3, 2), 2.0))
    assert misses() == 1
    model.modules = (nn.Linear(3, 2), nn.Linear(2, 2))
    assert misses() == 1
    names["model"] = nn.Linear(3, 2)
    assert misses() == 1
    names["model"].weight.data = ndl.Tensor(np.ones((3, 5)))
    names["model"].bias = None
    names["model"].out_features = 5
    assert misses() == 1
    names["factor"] = 2.0
    names["model"].weight.requires_grad = False
    assert misses() == 1


def test_closures_and_defaults() -> None:
    scale = ndl.Tensor([2.0])
    power = 2

    def function(x: Any, shift: Any = ndl.Tensor([1.0])) -> Any:  # noqa: B008
        return x**power * scale + shift

    compiled = ndl.jit(function)
    assert compiled(_x(1, value=3.0)).numpy() == 19.0
    scale.data = ndl.Tensor([3.0])
    assert compiled(_x(1, value=3.0)).numpy() == 28.0
    scale = ndl.Tensor([4.0])
    power = 1
    assert compiled(_x(1, value=3.0)).numpy() == 13.0
    assert compiled.cache_info().misses == 2


def test_in_place_writes_are_seen() -> None:
    weight = nn.Parameter(np.ones(3))
    array = ndl.NDArray(np.ones(3))
    compiled = ndl.jit(lambda x: x * weight + ndl.Tensor.make_const(array))
    np.testing.assert_array_equal(compiled(_x(3)).numpy(), [2.0, 2.0, 2.0])
    weight.cached_data[0:1] = 5.0
    array[1:2] = 7.0
    np.testing.assert_array_equal(compiled(_x(3)).numpy(), [6.0, 8.0, 2.0])
    assert compiled.cache_info() == (1, 1, 1)


def test_tensors_that_no_search_finds() -> None:
    """What an operation meets is an input, however the function came by it."""
    hidden = [nn.Parameter(np.ones(3))]
    find = weakref.WeakValueDictionary({0: hidden[0]})
    compiled = ndl.jit(lambda x: x * find[0] * 1.0)
    assert compiled(_x(3)).numpy()[0] == 1.0
    hidden[0].data = ndl.Tensor(np.full(3, 4.0))
    assert compiled(_x(3)).numpy()[0] == 4.0


def test_decorator_methods_and_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(np.full(3, 2.0))

        @ndl.jit(target="x86-64", threads=1)
        def forward(self, x: Any) -> Any:
            """Documented."""
            return x * self.weight

    one, other = Net(), Net()
    other.weight.data = ndl.Tensor(np.full(3, 5.0))
    for _ in range(2):
        assert one(_x(3)).numpy()[0] == 2.0
        assert other(_x(3)).numpy()[0] == 5.0
    assert Net.forward.cache_info() == (2, 2, 2)
    assert Net.forward.__doc__ == "Documented."
    assert Net.forward.__name__ == "forward"
    assert repr(Net.forward).endswith("Net.forward>")
    executable = Net.forward.executable(one, _x(3))
    assert (executable.target, executable.threads) == ("x86-64", 1)
    # Within another one it is part of that.
    outer = ndl.jit(lambda x: one(x) + other(x))
    assert outer(_x(3)).numpy()[0] == 7.0
    assert Net.forward.cache_info() == (2, 2, 2)
    assert ndl.jit(one)(_x(3)).numpy()[0] == 2.0


def test_copies() -> None:
    compiled = ndl.jit(nn.Linear(3, 2), threads=1)
    twin = copy.deepcopy(compiled)
    np.testing.assert_array_equal(twin(_x()).numpy(), compiled(_x()).numpy())
    assert twin.executable(_x()).threads == 1
    twin._jit_function.weight.data = ndl.zeros(3, 2)
    assert not np.array_equal(twin(_x()).numpy(), compiled(_x()).numpy())


def test_looking_inside() -> None:
    weight = nn.Parameter(np.ones((3, 2)))

    def function(x: Any) -> Any:
        return ndl.relu(x @ weight)

    compiled = ndl.jit(function)
    graph = compiled.lower(_x())
    assert [spec.shape for spec in graph.inputs] == [(2, 3), (3, 2)]
    assert compiled.cache_info() == (0, 1, 1)
    executable = compiled.executable(_x())
    assert "matmul" in executable.mlir("needle")
    assert "vfmadd" in ndl.jit(function, target="avx2").executable(_x()).asm()
    line = function.__code__.co_firstlineno + 1
    steps = executable.profile(runs=2)
    assert all(f"{__file__}:{line}" in step.kernel.location for step in steps)
    compiled(_x())
    compiled(_x())
    assert compiled.cache_info() == (2, 1, 1)
    assert executable.kernels[0].calls == 2


def test_environment_chooses_the_isa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEEDLE_ISA", "x86-64")
    assert ndl.jit(lambda x: x * 2.0).executable(_x()).target == "x86-64"


def test_compiled_code_is_cached(empty_cache: Path) -> None:
    """Equal functions share an executable, and processes the disk."""

    def make() -> Any:
        return ndl.jit(lambda x: x * 2.0)

    one, other = make(), make()
    assert one.executable(_x()) is other.executable(_x())
    assert ndl.cache.info().misses == 1
    ndl.cache.clear()
    make()(_x())
    assert ndl.cache.info().disk_hits == 1
    assert len(list(empty_cache.iterdir())) == 1


def test_only_so_many_programs_are_kept() -> None:
    compiled = ndl.jit(lambda x, n: x * n)
    for n in range(70):
        compiled.lower(_x(), n)
    assert compiled.cache_info() == (0, 70, 64)


def _train() -> tuple[Any, list[Any]]:
    """A compiled step, and weak references to what only it keeps alive."""
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    optimizer = optim.Adam(model.parameters())

    loss_of, classes = nn.SoftmaxLoss(), ndl.Tensor(np.arange(8) % 4)

    def step(x: Any) -> Any:
        optimizer.reset_grad()
        loss = loss_of(model(x), classes)
        loss.backward()
        optimizer.step()
        return loss

    return ndl.jit(step), [weakref.ref(part) for part in (model, optimizer)]


@pytest.fixture
def no_garbage() -> Iterator[None]:
    """Memory is freed by counting references alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage")
def test_memory_is_freed() -> None:
    before = ndl.autograd.TENSOR_COUNTER, ndl.cpu().memory()[0]
    compiled, parts = _train()
    for _ in range(3):
        compiled(_x(8, 64))
    counts = []
    for _ in range(5):
        compiled(_x(8, 64))
        counts.append((ndl.autograd.TENSOR_COUNTER, ndl.cpu().memory()[0]))
    assert len(set(counts)) == 1
    # Four parameters and the classes.
    assert counts[0][0] == before[0] + 5
    assert all(part() is not None for part in parts)
    compiled = None
    assert [part() for part in parts] == [None, None]
    assert (ndl.autograd.TENSOR_COUNTER, ndl.cpu().memory()[0]) == before


@pytest.mark.usefixtures("no_garbage")
def test_a_function_that_is_dropped_keeps_nothing() -> None:
    weight = nn.Parameter(np.ones((64, 64)))
    before = ndl.cpu().memory()[0]
    compiled = ndl.jit(lambda x: x @ weight)
    compiled(_x(8, 64))
    held = weakref.ref(weight.cached_data)
    compiled = None
    assert ndl.cpu().memory()[0] == before
    weight.data = ndl.zeros(3)
    assert held() is None


@pytest.mark.usefixtures("no_garbage")
def test_results_belong_to_the_caller() -> None:
    compiled = ndl.jit(lambda x: x * 2.0)
    x = _x(64, 64)
    result = compiled(x)
    held = ndl.cpu().memory()[0]
    result = None
    assert ndl.cpu().memory()[0] <= held - 64 * 64 * 4
    assert result is None


@pytest.mark.usefixtures("no_garbage")
def test_a_trace_that_failed_keeps_nothing() -> None:
    before = ndl.autograd.TENSOR_COUNTER, ndl.cpu().memory()[0]
    weight = nn.Parameter(np.ones((64, 64)))
    with contextlib.suppress(ndl.TraceError):
        ndl.jit(lambda x: (x @ weight).numpy())(_x(8, 64))
    weight = None  # type: ignore[assignment]
    assert (ndl.autograd.TENSOR_COUNTER, ndl.cpu().memory()[0]) == before


def test_threads_take_turns() -> None:
    total = nn.Parameter(np.zeros(3))

    @ndl.jit
    def add(x: Any) -> Any:
        total.data = total + x
        return total * 1.0

    seen: list[float] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(100):
                seen.append(float(add(_x(3)).numpy()[0]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(seen) == list(range(1, 401))
    assert add.cache_info() == (399, 1, 1)


def test_containers_that_hold_themselves() -> None:
    names: dict[str, Any] = {"many": list(range(5000)), "factor": [2.0]}
    names["self"] = names
    code = "def f(x): return x * factor[0] * len(many) + len(self) * 0.0\n"
    exec(code, names)
    compiled = ndl.jit(names["f"])
    assert compiled(_x()).numpy()[0, 0] == 10000.0
    names["factor"][0] = 3.0
    assert compiled(_x()).numpy()[0, 0] == 15000.0
    assert compiled.cache_info().misses == 2


def test_results_that_were_made_while_tracing() -> None:
    weight = nn.Parameter(np.ones(2))

    def function() -> Any:
        weight.data = ndl.Tensor([3.0, 4.0])
        return ndl.ones(2), weight, weight.data

    compiled = ndl.jit(function)
    for _ in range(2):
        weight.data = ndl.zeros(2)
        made, same, data = compiled()
        assert same is weight
        for result, values in ((made, [1, 1]), (weight, [3, 4]), (data, [3, 4])):
            np.testing.assert_array_equal(result.numpy(), values)
    assert compiled.cache_info().misses == 1


def test_arguments_can_be_results_and_be_changed() -> None:
    array = _x(3).cached_data
    copied = ndl.jit(lambda a: a)(array)
    np.testing.assert_array_equal(copied.numpy(), array.numpy())

    def change(x: Any, y: Any) -> Any:
        x.data = x + y
        return y.data

    x, y = _x(3), _x(3, value=2.0)
    compiled = ndl.jit(change)
    for number in range(1, 4):
        np.testing.assert_array_equal(compiled(x, y).numpy(), np.full(3, 2.0))
        np.testing.assert_array_equal(x.numpy(), np.full(3, 1.0 + 2 * number))


def test_values_of_all_kinds_are_noticed() -> None:
    """Numbers of NumPy, attributes of modules of Python, slots, arrays."""

    class Slotted:
        __slots__ = ("k",)

        def __init__(self) -> None:
            self.k = 2.0

    module = types.ModuleType("some_module")
    module.k = 2.0  # type: ignore[attr-defined]
    names: dict[str, Any] = {
        "number": np.float32(2),
        "module": module,
        "slotted": Slotted(),
        "array": np.full(1, 2.0),
        "zeros": [0.0],
        "total": lambda a: float(a[0]),
    }
    code = "def f(x): return x * float(number) * module.k * slotted.k * total(array)"
    exec(code, names)
    compiled = ndl.jit(names["f"])

    def check(expected: float, misses: int) -> None:
        for _ in range(2):
            assert compiled(_x(1)).numpy() == expected
        assert compiled.cache_info().misses == misses

    check(16.0, 1)
    names["number"] = np.float32(3)
    check(24.0, 2)
    module.k = 3.0  # type: ignore[attr-defined]
    check(36.0, 3)
    names["slotted"].k = 3.0
    check(54.0, 4)
    names["array"] = np.full(1, 3.0)
    check(81.0, 5)


def test_signs_of_zeros_are_noticed() -> None:
    zeros = [0.0]

    class Quotient(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.zero = 0.0

        def forward(self, x: Any) -> Any:
            return x / self.zero + x / zeros[0]

    model = Quotient()
    compiled = ndl.jit(model)
    assert compiled(_x(1)).numpy() == np.inf
    model.zero = zeros[0] = -0.0
    assert compiled(_x(1)).numpy() == -np.inf
    model.zero = zeros[0] = float("nan")
    for _ in range(2):
        assert np.isnan(compiled(_x(1)).numpy())
    model.zero = zeros[0] = float("nan")
    compiled(_x(1))
    assert compiled.cache_info().misses == 3
