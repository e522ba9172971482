# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Several Python threads at once, and the GIL."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from graphs import data, make_linear, make_relu

WORKERS = 6


def at_once(work: Callable[[int], None]) -> None:
    """Run in several threads that start together; the first exception is raised."""
    barrier = threading.Barrier(WORKERS)

    def run(index: int) -> None:
        barrier.wait()
        work(index)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, range(WORKERS)))


@pytest.mark.parametrize("threads", [1, 3])
def test_one_executable_called_from_many_threads(threads: int) -> None:
    graph = ndl.quantize(make_linear(96, 64), [data(32, 96)])
    run = ndl.compile(graph, threads=threads)
    inputs = [data(17 + 40 * index, 96, seed=index) for index in range(WORKERS)]
    expected = [ndl.reference(graph, x) for x in inputs]
    calls = 30

    def work(index: int) -> None:
        for turn in range(calls):
            which = (index + turn) % WORKERS
            np.testing.assert_array_equal(run(inputs[which]), expected[which])

    at_once(work)
    assert {kernel.calls for kernel in run.kernels} == {calls * WORKERS}


def test_compile_from_many_threads(empty_cache: Path) -> None:
    """The same graph and different ones; the graphs' contexts are shared too."""
    shared = make_linear(16, 9)
    x = data(4, 16)
    expected = ndl.reference(shared, x)

    def work(index: int) -> None:
        own = ndl.compile(make_relu((index + 1,)))
        assert own(-np.ones(index + 1, np.float32)).tolist() == [0] * (index + 1)
        np.testing.assert_allclose(
            ndl.compile(shared)(x), expected, rtol=1e-4, atol=1e-5
        )
        assert "needle.matmul" in str(shared)

    at_once(work)


def test_quantize_from_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs made from one share a context: their work is done one by one."""
    monkeypatch.setenv("NEEDLE_CACHE", "0")
    graph = make_linear(16, 40)
    inputs = [data(8, 16, seed=index) * (index + 1) for index in range(WORKERS)]
    expected = [str(ndl.quantize(make_linear(16, 40), [x])) for x in inputs]

    def work(index: int) -> None:
        for turn in range(4):
            which = (index + turn) % WORKERS
            quantized = ndl.quantize(graph, [inputs[which]])
            for _ in range(5):
                assert mask(str(quantized)) == mask(expected[which])
            ndl.reference(quantized, inputs[which])

    at_once(work)


def mask(text: str) -> str:
    """The text without the numbers that keep names of constants apart."""
    return re.sub(r"(constant_\d+|weight)_int8\w*", "constant", text)


def test_profile_beside_calls() -> None:
    run = ndl.compile(make_linear(64, 64))
    x = data(16, 64)
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            run(x)

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call)
        for _ in range(20):
            assert [step.runs for step in run.profile(x, runs=5)] == [5]
        done.set()
        calling.result()


def progress_during(work: Callable[[], object]) -> int:
    """How often another Python thread gets to run while `work` does."""
    started, done = threading.Event(), threading.Event()
    turns = 0

    def count() -> None:
        nonlocal turns
        started.set()
        while not done.is_set():
            turns += 1
            time.sleep(0)

    other = threading.Thread(target=count)
    other.start()
    started.wait()
    turns = 0
    work()
    during = turns
    done.set()
    other.join()
    return during


def test_gil_is_released_while_compiling_and_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the GIL held, the other thread would not get a single turn.

    The interpreter asks for the GIL every 5 ms by default; the interval is set so
    long that only a release lets the other thread run.
    """
    monkeypatch.setenv("NEEDLE_CACHE", "0")
    import sys

    before = sys.getswitchinterval()
    graph = make_linear(700, 700)
    run = ndl.compile(graph, threads=1)
    x = data(700, 700)
    sys.setswitchinterval(1000)
    try:
        assert progress_during(lambda: ndl.compile(graph)) > 0
        assert progress_during(lambda: run(x)) > 0
        assert progress_during(lambda: ndl.reference(graph, data(200, 700))) > 0
    finally:
        sys.setswitchinterval(before)


def test_fork() -> None:
    """A forked child can run what its parent has loaded, and compile."""
    run = ndl.compile(make_linear(64, 64), threads=2)
    x = data(200, 64)
    expected = run(x)
    child = os.fork()
    if child == 0:
        try:
            same = bool((run(x) == expected).all())
            made = ndl.compile(make_linear(8, 3), threads=2)(data(2, 8))
            os._exit(0 if same and made.shape == (2, 3) else 1)
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_graphs_are_freed() -> None:
    """Neither graphs nor executables outlive their last reference."""
    import gc
    import weakref

    graph = make_linear(300, 300)
    quantized = ndl.quantize(graph, [data(8, 300)])
    run = ndl.compile(quantized)
    watched = [weakref.ref(graph), weakref.ref(quantized), weakref.ref(run)]
    del graph, quantized, run
    ndl.cache.clear()
    gc.collect()
    assert [reference() for reference in watched] == [None] * 3
