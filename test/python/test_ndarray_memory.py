# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When the memory of arrays is freed; threads."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import numpy as np
import pytest
from arrays import DEVICES
from needle import _needle
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


class Named(nd.NDArray):
    """A subclass, whose instances have a dictionary."""


def live() -> int:
    return int(nd.cpu().memory()[0])


def live_since(before: int) -> float:
    """In MiB; the few bytes that describe a block do not count."""
    return round((live() - before) / 2**20, 2)


def test_memory_is_freed_at_once() -> None:
    """Without the garbage collector: nothing refers to itself."""
    gc.collect()
    gc.disable()
    try:
        before = live()
        a = nd.array(np.zeros((256, 1024)))
        assert live_since(before) == 1
        b = a + 1
        assert live_since(before) == 2
        view = b[1:, :].T
        handle = view._handle
        del b, view
        assert live_since(before) == 2
        del handle
        assert live_since(before) == 1
        for _ in range(10):
            c = (a * 2).exp().sum(axis=0) @ nd.array(np.zeros((1024, 1)))
            q = a.quantize_uint8()
            with pytest.raises(ValueError):
                a + nd.array(np.zeros(3))
            with pytest.raises(IndexError):
                a[0]
            with pytest.raises(TypeError):
                a + "x"
        assert live_since(before) == 1.25
        del c, q
        shared = a.numpy()
        alias = nd.cpu().to_numpy(a._handle, (4,), (1,), 0)
        del a
        assert live_since(before) == 1
        del alias, shared
        assert live() == before
    finally:
        gc.enable()


@each_device
def test_weak_references(device: nd.Device) -> None:
    a = nd.array([1.0], device=device)
    reference, handle = weakref.ref(a), weakref.ref(a._handle)
    view = a[:]
    del a
    assert reference() is None
    if device == nd.cpu_numpy():
        assert handle() is not None
    assert view.item() == 1


def test_quantizing_frees_three_quarters() -> None:
    before = live()
    a = nd.array(np.ones((512, 512)))
    assert live_since(before) == 1
    a = a.quantize_uint8()
    assert live_since(before) == 0.25
    assert a._handle.size == 2**18


def test_references_are_balanced() -> None:
    """Errors in the native part leak no reference to what they were given."""
    device = nd.cpu()
    a, other = nd.array(np.ones((2, 3)), device=device), object()
    params = nd.QuantParams(1.0, 0)
    stored = np.ones((2, 3), np.uint8)
    counted = [device, other, params, None, nd.NDArray, Named]

    def work() -> None:
        named = Named(np.ones((2, 2)))
        q = nd.array(stored, dtype="uint8", quant_params=params)
        for _ in range(50):
            (a + a)[1:, :].T.reshape(3).sum()
            (named + 1)[:, None, :].T.compact()
            (q @ q.T, q[1:, :].dequantize(), q.T.reshape(6), q + 1)
            for wrong in (
                lambda: a + other,
                lambda: a[other, 0],
                lambda: a.reshape(other),
                lambda: a.sum(axis=other),
                lambda: a @ a,
                lambda: a.permute(0, other),
                lambda: nd.NDArray.make((9,), None, device, a._handle),
            ):
                with pytest.raises((TypeError, ValueError)):
                    wrong()

    work()
    before = [sys.getrefcount(o) for o in counted]
    work()
    after = [sys.getrefcount(o) for o in counted]
    # None is counted by many; types by caches.
    assert all(abs(x - y) < 20 for x, y in zip(before, after, strict=True))


def test_arrays_are_initialized_once() -> None:
    a, b = nd.array([1.0]), nd.array([2.0, 3.0])
    with pytest.raises(RuntimeError, match="initialized already"):
        a.__init__(b)  # type: ignore[misc]
    assert a.numpy().tolist() == [1]


def test_handles_asked_for_while_one_dies() -> None:
    """A callback of a weak reference runs before the object is gone."""
    a = nd.array([1.0, 2.0])
    kept = []
    handle = a._handle
    reference = weakref.ref(handle, lambda _: kept.append(a._handle))
    del handle
    assert reference() is None
    assert len(kept) == 1
    assert kept[0].size == 2
    assert a._handle is kept[0]
    assert a[1:]._handle is kept[0]
    del kept[:]
    assert a._handle.ptr() == a._handle.ptr()


def test_numbers_that_change_their_list() -> None:
    class Evil:
        def __index__(self) -> int:
            shape.clear()
            shape.extend([object()] * 100)
            return 2

    shape: list[object] = [Evil(), 3]
    assert nd.zeros((6,)).reshape(shape).shape == (2, 3)

    class Failing:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, i: int) -> int:
            raise KeyError("its own error")

    with pytest.raises(KeyError, match="its own error"):
        nd.zeros((6,)).reshape(Failing())
    with pytest.raises(TypeError, match="reshape: integers are needed, got float"):
        nd.zeros((6,)).reshape(2.0)

    class Once:
        calls = 0

        def __index__(self) -> int:
            self.calls += 1
            if self.calls > 1:
                raise KeyError("called twice")
            return 1

    processed = nd.zeros((6,)).process_slice(slice(Once(), 4), 0)
    assert processed == slice(1, 4, 1)


def test_casting_like_no_array_keeps_no_reference() -> None:
    a = nd.zeros((3,))
    before = sys.getrefcount(a)
    for _ in range(10):
        with pytest.raises(TypeError, match="expected an NDArray"):
            _needle.array_cast_like(a, 1)
    assert sys.getrefcount(a) == before


def test_threads() -> None:
    """Large operations release the interpreter's lock; results stay right."""
    rng = np.random.default_rng(14)
    values = rng.normal(size=(300, 300)).astype(np.float32)
    a = nd.array(values)
    expected = [(a @ a).numpy(), (a + a).numpy(), a.sum(axis=0).numpy()]
    failures = []

    def work() -> None:
        for _ in range(20):
            results = [(a @ a).numpy(), (a + a).numpy(), a.sum(axis=0).numpy()]
            for one, other in zip(results, expected, strict=True):
                if not np.array_equal(one, other):
                    failures.append(one)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
