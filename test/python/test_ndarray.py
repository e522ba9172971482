# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# needle draws from NumPy's legacy generator, as the course does.
# ruff: noqa: NPY002
"""Making arrays, converting them, their devices and their memory."""

from __future__ import annotations

import array as buffers
import copy
import gc
import pickle
import threading
import weakref
from typing import Any

import needle
import numpy as np
import pytest
from arrays import DEVICES
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


# ---------------------------------------------------------------------------
# Making
# ---------------------------------------------------------------------------


@each_device
@pytest.mark.parametrize(
    "values",
    [
        3,
        2.5,
        [1, 2, 3],
        [[1.5, 2], [3, 4]],
        (True, False),
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.float64).reshape(2, 3).T,
        np.arange(6, dtype=np.float32)[::-2],
        np.arange(6, dtype=">f4"),
        np.float16(1.5),
        np.array(7, np.uint8),
        np.zeros((0, 3)),
        np.array([True, False]),
        buffers.array("d", [1.0, 2.0]),
        memoryview(b"abc"),
        bytearray(b"xyz"),
        range(4),
    ],
    ids=repr,
)
def test_what_arrays_are_made_from(device: nd.Device, values: Any) -> None:
    a = nd.NDArray(values, device=device)
    expected = np.asarray(values).astype(np.float32)
    assert a.dtype == np.float32
    assert a.dtype == "float32"
    assert a.shape == expected.shape
    assert a.is_compact()
    assert a.device == device
    np.testing.assert_array_equal(a.numpy(), expected)


@each_device
def test_arrays_are_copies(device: nd.Device) -> None:
    values = np.arange(6, dtype=np.float32)
    a = nd.array(values, device=device)
    values[0] = 99
    assert a.numpy()[0] == 0
    out = a.numpy()
    out[0] = 98
    assert a.numpy()[0] == 0
    b = nd.NDArray(a)
    b[0] = 97
    assert a.numpy()[0] == 0
    assert b._handle is not a._handle
    assert nd.array(a[::2]).is_compact()
    for dtype in ("float32", np.float32, np.dtype("f4"), None):
        assert nd.array(values, dtype=dtype).dtype == np.float32


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ("text", TypeError, "not one of real numbers"),
        ([1j], TypeError, "complex128 is not one of real"),
        (None, TypeError, "object is not one of real"),
        ([[1, 2], [3]], ValueError, "no array of numbers"),
        (np.array(["a"]), TypeError, "not one of real numbers"),
        (np.array(["2020-01-01"], "M8[D]"), TypeError, "not one of real numbers"),
    ],
)
def test_what_they_are_not_made_from(
    values: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nd.array(values)


def test_wrong_arguments() -> None:
    for dtype in ("float64", np.int32, "bfloat16?"):
        with pytest.raises(TypeError, match=r"float32|no dtype"):
            nd.array([1.0], dtype=dtype)
        with pytest.raises(TypeError, match=r"float32|no dtype"):
            nd.empty((2,), dtype=dtype)
    with pytest.raises(TypeError, match="device is a Device"):
        nd.array([1.0], device="cpu")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="device is a Device"):
        nd.array([1.0]).to("cuda")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="__init__ has not run"):
        nd.NDArray.__new__(nd.NDArray).shape  # noqa: B018
    with pytest.raises(TypeError, match="expected an NDArray"):
        needle._needle.NDArrayBase(3)  # type: ignore[arg-type]


@each_device
def test_makers(device: nd.Device) -> None:
    assert device.empty((2, 3)).shape == (2, 3)
    assert nd.empty((), device=device).shape == ()
    assert nd.full((2, 2), 2.5, device=device).numpy().tolist() == [[2.5] * 2] * 2
    assert device.full((3,), 1).numpy().tolist() == [1, 1, 1]
    assert device.ones((2,)).numpy().tolist() == [1, 1]
    assert nd.zeros(2, device=device).numpy().tolist() == [0, 0]
    np.random.seed(1)
    drawn = [device.rand(2, 3), device.randn(3), nd.randb(50, p=0.3, device=device)]
    np.random.seed(1)
    expected = [np.random.rand(2, 3), np.random.randn(3), np.random.rand(50) <= 0.3]
    for ours, numpys in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(ours.numpy(), numpys.astype(np.float32))
        assert ours.device == device
        assert ours.committed
    rows = device.one_hot(4, np.array([[0, 3], [1, 1]]))
    np.testing.assert_array_equal(rows.numpy(), np.eye(4)[[[0, 3], [1, 1]]])
    indices = nd.array([2.0, 0.0], device=device)
    np.testing.assert_array_equal(device.one_hot(3, indices).numpy(), np.eye(3)[[2, 0]])
    assert device.one_hot(3, 1).numpy().tolist() == [0, 1, 0]
    for wrong in (4, -1, [0, 9]):
        with pytest.raises(IndexError, match="integers from 0 to 3"):
            device.one_hot(4, wrong)
    with pytest.raises(ValueError, match="integers"):
        device.one_hot(4, 0.5)


# ---------------------------------------------------------------------------
# Conversions
# ---------------------------------------------------------------------------


@each_device
def test_python_protocols(device: nd.Device) -> None:
    a = nd.array([[1.0, 2.0], [3.0, 4.5]], device=device)
    assert len(a) == 2
    assert [row.numpy().tolist() for row in a] == [[1, 2], [3, 4.5]]
    assert a.tolist() == [[1, 2], [3, 4.5]]
    assert repr(a) == f"NDArray({a.numpy()}, device={device})"
    assert str(a) == str(a.numpy())
    assert a[1, 1].item() == 4.5
    assert float(a[1, 1]) == 4.5
    assert int(a[1, 1]) == 4
    assert bool(a[0, 0])
    assert bool(a[0, 0] != 2.0)
    assert f"{a.sum().item():.2f}" == "10.50"
    with pytest.raises(ValueError, match="ambiguous"):
        bool(a)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(nd.array(np.zeros(0), device=device))
    with pytest.raises(ValueError, match="is not one number"):
        float(a)
    scalar = nd.array(1.0, device=device)
    for function in (len, list):
        with pytest.raises(TypeError, match="without dimensions"):
            function(scalar)
    with pytest.raises(TypeError, match="unhashable"):
        hash(a)


@each_device
def test_numpy_conversion(device: nd.Device) -> None:
    a = nd.array(np.arange(6).reshape(2, 3), device=device)
    assert np.asarray(a).dtype == np.float32
    assert np.asarray(a.T).tolist() == a.numpy().T.tolist()
    assert np.asarray(a, dtype=np.float64).dtype == np.float64
    assert np.array([a, a]).shape == (2, 2, 3)
    assert np.mean(a) == 2.5
    assert a.T.numpy().flags.c_contiguous
    with pytest.raises(ValueError, match="always copied"):
        np.array(a, copy=False)


@each_device
def test_copies_and_pickles(device: nd.Device) -> None:
    a = nd.array(np.arange(6).reshape(2, 3), device=device).T
    for same in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        np.testing.assert_array_equal(same.numpy(), a.numpy())
        assert same.device == device
        assert same.committed
        same[0, 0] = 7.0
        assert a.numpy()[0, 0] == 0
    free = pickle.loads(pickle.dumps(nd.array([1.0])))
    assert not free.committed
    assert pickle.loads(pickle.dumps(device)) is device
    assert copy.deepcopy(device) == device


@each_device
def test_dlpack(device: nd.Device) -> None:
    a = nd.array(np.arange(12).reshape(3, 4), device=device)
    view = a[1:, ::2]
    assert view.__dlpack_device__() == (1, 0)
    shared = np.from_dlpack(view)
    np.testing.assert_array_equal(shared, view.numpy())
    a[2, 2] = 100.0
    assert shared[1, 1] == 100
    del a, view
    gc.collect()
    assert shared[1, 1] == 100


def test_from_dlpack_shares_memory() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    for source in (values, values[1:, ::2], values.T, values[::-1]):
        a = nd.from_dlpack(source)
        np.testing.assert_array_equal(a.numpy(), source)
        assert a.shape == source.shape
        source[0, 0] += 1
        assert a.numpy()[0, 0] == source[0, 0]
        a[-1, -1] = -5.0
        assert source[-1, -1] == -5
        np.testing.assert_array_equal((a + a.T.T).numpy(), source + source)
    reference = weakref.ref(values)
    kept = nd.from_dlpack(values)[1:, :]
    del values, source, a
    gc.collect()
    assert reference() is not None
    del kept
    gc.collect()
    assert reference() is None


def test_from_dlpack_copies_other_types() -> None:
    values = np.arange(4, dtype=np.float64)
    a = nd.from_dlpack(values)
    assert a.numpy().tolist() == [0, 1, 2, 3]
    a[0] = 9.0
    assert values[0] == 0
    with pytest.raises(TypeError, match="does not support DLPack"):
        nd.from_dlpack([1.0])


def test_from_dlpack_honours_read_only_memory() -> None:
    values = np.arange(4, dtype=np.float32)
    values.flags.writeable = False
    a = nd.from_dlpack(values)
    assert a.sum().item() == 6
    with pytest.raises(ValueError, match="the memory of the array is read-only"):
        a[0] = 9.0
    assert values[0] == 0


# ---------------------------------------------------------------------------
# Devices
# ---------------------------------------------------------------------------


def test_devices() -> None:
    assert [repr(device) for device in nd.all_devices()] == [
        "cpu()",
        "cuda()",
        "cpu_numpy()",
    ]
    assert nd.cpu() == nd.cpu()
    assert nd.cpu() == nd.Device("cpu", None)
    assert nd.cpu() != nd.cpu_numpy()
    assert nd.cpu() != "cpu"
    assert len({nd.cpu(), nd.cpu(), nd.cuda()}) == 2
    assert nd.default_device() == nd.cpu()
    assert nd.cpu().name == "cpu"
    assert nd.cpu().enabled()
    assert nd.cpu_numpy().enabled()
    assert nd.BackendDevice is nd.Device
    assert nd.ndarray.NDArray is nd.NDArray
    with pytest.raises(AttributeError, match=r"cpu\(\) has no function 'nothing'"):
        nd.cpu().nothing  # noqa: B018


def test_cuda_without_backend() -> None:
    device = nd.cuda()
    assert repr(device) == "cuda()"
    assert not device.enabled()
    uses: list[Any] = [
        lambda: nd.array([1.0], device=device),
        lambda: nd.array([1.0]).to(device),
        lambda: nd.empty((2,), device=device),
        lambda: device.rand(2),
        lambda: device.one_hot(2, 0),
        lambda: device.matmul,
        lambda: nd.NDArray.make((2,), device=device),
    ]
    for use in uses:
        with pytest.raises(
            RuntimeError, match=r"cuda\(\) cannot be used.*ndl\.cpu\(\)"
        ):
            use()
    assert not hasattr(device, "__tile_size__")
    assert pickle.loads(pickle.dumps(device)) == device


def test_uncommitted_arrays_follow() -> None:
    free = nd.array([1.0, 2.0])
    here, there = (nd.array([3.0, 4.0], device=d) for d in (nd.cpu(), nd.cpu_numpy()))
    assert not free.committed
    assert here.committed
    assert free.device == nd.cpu()
    for left, right in [(free, there), (there, free)]:
        result = left + right
        assert result.device == nd.cpu_numpy()
        assert result.committed
        assert result.numpy().tolist() == [4, 6]
        assert (left @ right).device == nd.cpu_numpy()
    assert not (free + free).committed
    assert not free[1:].committed
    assert not free.reshape((2, 1)).sum().committed
    assert not free.quantize_uint8().committed
    assert (free + here).committed
    assert here.exp().committed
    assert nd.stack([free, there]).device == nd.cpu_numpy()
    for operation in (
        lambda: here + there,
        lambda: here @ there,
        lambda: here.maximum(there),
        lambda: nd.concatenate([here, there]),
    ):
        with pytest.raises(ValueError, match=r"two devices, cpu.* and cpu.*\.to\("):
            operation()
    with pytest.raises(ValueError, match=r"on cpu_numpy\(\) to one on cpu\(\)"):
        here[...] = there
    there[...] = free
    assert there.numpy().tolist() == [1, 2]
    moved = free.to(nd.cpu())
    assert moved.committed
    assert not free.committed
    assert moved._handle is free._handle
    assert here.to(nd.cpu()) is here
    assert (here.to(nd.cpu_numpy()) + there).device == nd.cpu_numpy()
    assert nd.array(free, device=nd.cpu_numpy()).device == nd.cpu_numpy()


def test_devices_made_by_hand() -> None:
    """Equal by name, though another object."""
    twin = nd.Device("cpu", nd.cpu().mod)
    a, b = nd.array([1.0], device=twin), nd.array([2.0], device=nd.cpu())
    assert (a + b).item() == 3
    assert (a @ b).item() == 2
    b[...] = a
    assert b.item() == 1


# ---------------------------------------------------------------------------
# Subclasses
# ---------------------------------------------------------------------------


class Named(nd.NDArray):
    """A subclass with attributes of its own."""

    label = "none"


@each_device
def test_results_are_of_the_subclass(device: nd.Device) -> None:
    a = Named(np.arange(6).reshape(2, 3), device=device)
    a.label = "mine"
    q = a.quantize_uint8()
    results = [
        a + 1,
        a + a,
        1 - a,
        -a,
        a.exp(),
        a @ a.T,
        a.sum(axis=0),
        a[1:, :],
        a.T,
        a.reshape(6),
        a.T.reshape(6),
        a.broadcast_to((2, 2, 3)),
        a.compact(),
        a.T.compact(),
        a.flip(),
        a.flat,
        a + nd.array([1.0, 2.0, 3.0]),
        a.pad(((0, 1), (0, 0))),
        a.to(nd.cpu_numpy()),
        a.as_strided((2, 2), (1, 1)),
        copy.deepcopy(a),
        q,
        q[1:, :],
        q.T.reshape(6),
        q + q,
        q.dequantize(),
        Named.make((2,), device=device),
    ]
    assert [type(r) for r in results] == [Named] * len(results)
    assert q[1:, :].quant_params == q.quant_params
    assert (a + a).committed
    np.testing.assert_array_equal((a.T + 1).numpy(), a.numpy().T + 1)
    assert a.label == "mine"
    assert type(nd.NDArray(a)) is nd.NDArray


@each_device
def test_make_decides(device: nd.Device) -> None:
    calls = []

    class Counted(nd.NDArray):
        @classmethod
        def make(cls, shape, strides=None, device=None, handle=None, offset=0):  # type: ignore[no-untyped-def,override]
            calls.append((shape, strides, offset))
            return nd.NDArray.make(shape, strides, device, handle, offset)

    a = Counted(np.arange(6).reshape(2, 3), device=device)
    part = a[1:, 1:]
    assert type(part) is nd.NDArray
    assert calls == [((1, 2), (3, 1), 4)]
    assert part.numpy().tolist() == [[4, 5]]
    assert type(a + 1) is nd.NDArray
    assert len(calls) == 2


@each_device
def test_course_style_subclass(device: nd.Device) -> None:
    """Integers as slices of one element, to index NumPy's arrays alike."""

    class Indices(nd.NDArray):
        def __getitem__(self, index: Any) -> Any:
            return tuple(
                self.process_slice(s, i) if isinstance(s, slice) else slice(s, s + 1, 1)
                for i, s in enumerate(index)
            )

    recorder = Indices(np.ones((4, 5, 6)))
    for index, other in [
        (recorder[1:2, 0, 0], recorder[1:2, 0, 0]),
        (recorder[1:4:2, 0, 0], recorder[1:3, 0, 0]),
        (recorder[1:3, 2:5, 2:6], recorder[:2, :3, :4]),
        (recorder[-1:, :-1, ::2], recorder[:1, :4, :3]),
    ]:
        numpys, source = np.random.randn(4, 5, 6), np.random.randn(4, 5, 6)
        a, b = nd.array(numpys, device=device), nd.array(source, device=device)
        pointer = a._handle.ptr()
        a[index] = b[other]
        numpys[index] = source[other]
        assert a._handle.ptr() == pointer
        assert a.strides == tuple(s // 8 for s in numpys.strides)
        np.testing.assert_array_equal(a.numpy(), numpys.astype(np.float32))
    assert recorder.process_slice(slice(None, None, 2), 1) == slice(0, 5, 2)
    assert recorder.process_slice(slice(-2, 100), 0) == slice(2, 4, 1)
    with pytest.raises(ValueError, match="negative step"):
        recorder.process_slice(slice(None, None, -1), 0)
    with pytest.raises(ValueError, match="axis 3 is out of range"):
        recorder.process_slice(slice(None), 3)
    with pytest.raises(TypeError, match="takes a slice"):
        recorder.process_slice(0, 1)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------
# Raw handles
# ---------------------------------------------------------------------------


@each_device
def test_raw_handles(device: nd.Device) -> None:
    rng = np.random.default_rng(12)
    x, y = (rng.random((2, 6)).astype(np.float32) + 0.5 for _ in range(2))
    a, b, out = device.Array(12), device.Array(12), device.Array(12)
    assert a.size == 12
    assert isinstance(a.ptr(), int)
    device.from_numpy(x, a)
    device.from_numpy(y, b)

    def read() -> Any:
        return device.to_numpy(out, (2, 6), (6, 1), 0).copy()

    np.testing.assert_array_equal(device.to_numpy(a, (6, 2), (1, 6), 0), x.T)
    binary = ["add", "sub", "mul", "div", "maximum", "minimum", "power"]
    binary += ["eq", "ne", "lt", "le", "gt", "ge"]
    for name in binary:
        getattr(device, f"ewise_{name}")(a, b, out)
        expected = device.array_binary(
            name, *(nd.array(v, device=device) for v in (x, y))
        )
        np.testing.assert_array_equal(read(), expected.numpy(), err_msg=name)
        getattr(device, f"scalar_{name}")(a, 1.5, out)
        expected = device.array_binary(name, nd.array(x, device=device), 1.5)
        np.testing.assert_array_equal(read(), expected.numpy(), err_msg=name)
    for name in ["log", "exp", "tanh", "sqrt", "negate", "abs", "relu", "sigmoid"]:
        getattr(device, f"ewise_{name}")(a, out)
        expected = device.array_unary(name, nd.array(x, device=device))
        np.testing.assert_array_equal(read(), expected.numpy(), err_msg=name)
    device.fill(out, 2.0)
    assert (read() == 2).all()
    device.compact(a, out, (6, 2), (1, 6), 0)
    np.testing.assert_array_equal(read().reshape(6, 2), x.T)
    half = device.Array(6)
    device.compact(a, half, (2, 3), (6, 2), 1)
    np.testing.assert_array_equal(device.to_numpy(half, (2, 3), (3, 1), 0), x[:, 1::2])
    device.ewise_setitem(half, out, (2, 3), (6, 2), 0)
    np.testing.assert_array_equal(read()[:, ::2], x[:, 1::2])
    device.fill(out, 0.0)
    device.ewise_setitem(half, out, (2, 3), (6, 2), 1)
    np.testing.assert_array_equal(read()[:, 1::2], x[:, 1::2])
    device.scalar_setitem(3, -1.0, out, (3,), (2,), 1)
    assert read()[0, 1::2].tolist() == [-1, -1, -1]
    square = device.Array(36)
    device.matmul(a, b, square, 6, 2, 6)
    np.testing.assert_allclose(
        device.to_numpy(square, (6, 6), (6, 1), 0),
        x.reshape(6, 2) @ y.reshape(2, 6),
        rtol=1e-6,
    )
    rows = device.Array(4)
    device.reduce_max(a, rows, 3)
    np.testing.assert_array_equal(
        device.to_numpy(rows, (4,), (1,), 0), x.reshape(4, 3).max(axis=1)
    )
    device.reduce_sum(a, rows, 3)
    np.testing.assert_allclose(
        device.to_numpy(rows, (4,), (1,), 0), x.reshape(4, 3).sum(axis=1), rtol=1e-6
    )
    assert device.__device_name__ in ("cpu", "numpy")


@each_device
def test_tiled_matmul(device: nd.Device) -> None:
    t = device.__tile_size__
    rng = np.random.default_rng(13)
    for m, n, p in [(1, 1, 1), (2, 3, 4), (3, 1, 2)]:
        x = rng.integers(-4, 5, (m, n, t, t)).astype(np.float32)
        y = rng.integers(-4, 5, (n, p, t, t)).astype(np.float32)
        a, b = nd.array(x, device=device), nd.array(y, device=device)
        c = nd.NDArray.make((m, p, t, t), device=device)
        device.matmul_tiled(a._handle, b._handle, c._handle, m * t, n * t, p * t)
        flat = x.transpose(0, 2, 1, 3).reshape(m * t, n * t)
        flat = flat @ y.transpose(0, 2, 1, 3).reshape(n * t, p * t)
        expected = flat.reshape(m, t, p, t).transpose(0, 2, 1, 3)
        np.testing.assert_array_equal(c.numpy(), expected)


@each_device
def test_wrong_raw_handles(device: nd.Device) -> None:
    a, small = device.Array(12), device.Array(3)
    with pytest.raises((ValueError, TypeError)):
        device.ewise_add(a, small, a)
    with pytest.raises((ValueError, TypeError)):
        device.compact(a, small, (5,), (1,), 0)
    with pytest.raises((ValueError, TypeError)):
        device.to_numpy(a, (13,), (1,), 0)
    with pytest.raises((ValueError, TypeError)):
        device.to_numpy(a, (2,), (1,), 11)
    with pytest.raises((ValueError, TypeError, MemoryError)):
        device.Array(-1)
    with pytest.raises((ValueError, TypeError, MemoryError)):
        device.Array(2**62)
    with pytest.raises((TypeError, AttributeError)):
        device.fill(np.zeros(3), 1.0)
    with pytest.raises(ValueError, match="not 4"):
        device.scalar_setitem(4, 1.0, a, (3,), (1,), 0)


# ---------------------------------------------------------------------------
# Memory
# ---------------------------------------------------------------------------


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
    if device != nd.cpu():
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
    import sys

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
