# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Devices, whose arrays follow whom, and their functions of raw handles."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from arrays import DEVICES
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


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


@pytest.mark.skipif(nd.cuda().enabled(), reason="there is a CUDA device")
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
            RuntimeError, match=r"(?s)cuda\(\) cannot be used.*use the CPU"
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
    assert device.__device_name__ in ("cpu", "numpy", "cuda")


@pytest.mark.parametrize("device", [nd.cpu(), nd.cpu_numpy()], ids=repr)
def test_raw_handles_of_stored_integers(device: nd.Device) -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    out = device.Array(6, "uint8")
    device.from_numpy(values, out)
    np.testing.assert_array_equal(device.to_numpy(out, (2, 3), (3, 1), 0), values)
    with pytest.raises(ValueError, match="shape"):
        device.from_numpy(values[:1], out)


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
