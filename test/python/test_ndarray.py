# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# needle draws from NumPy's legacy generator, as the course does.
# ruff: noqa: NPY002
"""Making arrays and converting them."""

from __future__ import annotations

import array as buffers
import copy
import gc
import pickle
import weakref
from typing import Any

import needle
import numpy as np
import pytest
from arrays import DEVICES
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


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
        pytest.param(memoryview(b"abc"), id="memoryview"),
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
        with pytest.raises(ValueError, match="integers from 0 to 3"):
            device.one_hot(4, wrong)
    for wrong in (0.5, np.nan):
        with pytest.raises(ValueError, match="one_hot takes integers"):
            device.one_hot(4, wrong)
    # Rows alone: the identity matrix would take 4 TB.
    assert device.one_hot(10**6, 7).numpy()[7] == 1


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


@pytest.mark.skipif(not nd.cuda().enabled(), reason="no CUDA device")
def test_dlpack_of_a_device() -> None:
    a = nd.array([1.0, 2.0], device=nd.cuda())
    assert a.__dlpack_device__() == (2, 0)
    with pytest.raises(BufferError, match=r"simulated device.*\.numpy\(\)"):
        a.__dlpack__()


@pytest.mark.parametrize("device", [nd.cpu(), nd.cpu_numpy()], ids=repr)
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
