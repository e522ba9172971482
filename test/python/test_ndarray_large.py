# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations that run without the interpreter's lock, and shapes beyond memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from arrays import DEVICES
from needle import backend_ndarray as nd
from needle.backend_ndarray import QuantParams

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)

# More than the elements from which on the lock is released.
MANY = 40000


@each_device
def test_writes_to_many_elements(device: nd.Device) -> None:
    values = np.arange(MANY, dtype=np.float32)
    a = device.zeros((MANY,))
    a[:] = values
    np.testing.assert_array_equal(a.numpy(), values)
    a[0:MANY] = 1.0
    assert (a.numpy() == 1).all()
    a[:] = nd.array(values, device=device)
    np.testing.assert_array_equal(a.numpy(), values)
    a[:] = nd.array(values, device=device).reshape((1, MANY))
    np.testing.assert_array_equal(a.numpy(), values)
    twice = device.zeros((2 * MANY,))
    twice[::2] = a
    np.testing.assert_array_equal(twice.numpy()[::2], values)
    twice[:] = a[0:1]
    assert (twice.numpy() == 0).all()


@each_device
def test_quantized_writes_to_many_elements(device: nd.Device) -> None:
    rng = np.random.default_rng(3)
    values = rng.random(MANY, dtype=np.float32)
    q = nd.array(values, device=device).quantize_uint8()
    other = nd.array(values[::-1].copy(), device=device).quantize_uint8(
        *(q.quant_params.scale, q.quant_params.zero_point)
    )
    q[0:MANY] = other
    np.testing.assert_array_equal(q.numpy(), other.numpy())
    q[:] = 0.5
    expected = nd.array([0.5]).quantize_uint8(
        q.quant_params.scale, q.quant_params.zero_point
    )
    assert (q.numpy() == expected.numpy()[0]).all()


@each_device
@pytest.mark.parametrize("value", [1.0, "array"])
def test_broadcast_arrays_are_not_written(device: nd.Device, value: Any) -> None:
    a = device.zeros((1,)).broadcast_to((MANY,))
    if value == "array":
        value = device.ones((MANY,))
    with pytest.raises(ValueError, match="cannot write: several elements"):
        a[0:MANY] = value
    with pytest.raises(ValueError, match="cannot write: several elements"):
        a[:] = np.ones(MANY)


@each_device
def test_raw_handles_of_many_elements(device: nd.Device) -> None:
    rng = np.random.default_rng(4)
    n = 300
    x, y = (rng.integers(-4, 5, (n, n)).astype(np.float32) for _ in range(2))
    a, b, out = (device.Array(n * n) for _ in range(3))
    device.from_numpy(x, a)
    device.from_numpy(y, b)

    def check(expected: Any, handle: Any = out, shape: Any = (n, n)) -> None:
        read = device.to_numpy(handle, shape, nd.NDArray.compact_strides(shape), 0)
        np.testing.assert_array_equal(read, expected)

    device.compact(a, out, (n, n), (1, n), 0)
    check(x.T)
    device.ewise_setitem(b, out, (n, n), (1, n), 0)
    check(y.T)
    device.scalar_setitem(n * n, 3.0, out, (n, n), (1, n), 0)
    check(np.full((n, n), 3))
    device.fill(out, 2.0)
    check(np.full((n, n), 2))
    device.ewise_add(a, b, out)
    check(x + y)
    device.scalar_mul(a, 2.0, out)
    check(x * 2)
    device.ewise_negate(a, out)
    check(-x)
    device.matmul(a, b, out, n, n, n)
    check(x @ y)
    rows = device.Array(n)
    device.reduce_sum(a, rows, n)
    check(x.sum(axis=1), rows, (n,))
    device.reduce_max(a, rows, n)
    check(x.max(axis=1), rows, (n,))
    large = device.Array(2 * MANY)
    single = device.Array(2 * MANY)
    device.fill(single, 5.0)
    device.reduce_sum(single, large, 1)
    check(np.full(2 * MANY, 5), large, (2 * MANY,))
    m = 296
    a, b, out = (device.Array(m * m) for _ in range(3))
    device.fill(a, 1.0)
    device.fill(b, 2.0)
    device.matmul_tiled(a, b, out, m, m, m)
    check(np.full((m, m), 2 * m), out, (m, m))


HUGE = 2**32


@each_device
@pytest.mark.parametrize(
    "make",
    [
        lambda a: a.broadcast_to((HUGE, HUGE)),
        lambda a: a.as_strided((HUGE, HUGE), (0, 0)),
        lambda a: a.broadcast_to((HUGE, 1)) + a.broadcast_to((1, HUGE)),
        lambda a: nd.empty((HUGE, HUGE)),
        lambda a: nd.zeros((HUGE, HUGE), device=a.device),
    ],
)
def test_more_elements_than_can_be_counted(
    device: nd.Device, make: Callable[[nd.NDArray], nd.NDArray]
) -> None:
    a = device.ones((1, 1))
    with pytest.raises((ValueError, MemoryError)):
        make(a)


@each_device
def test_shared_elements_that_can_be_counted(device: nd.Device) -> None:
    a = device.ones((1, 1)).broadcast_to((2**30, 2**30))
    assert a.size == 2**60
    with pytest.raises(ValueError, match="cannot reshape"):
        a.reshape((0,))
    assert device.zeros((1, 0, 1)).broadcast_to((HUGE, 0, HUGE)).size == 0


def test_missing_memory_is_described() -> None:
    with pytest.raises(MemoryError, match=r"\(1099511627776, 1000\)"):
        nd.cpu().ones((1, 1)).broadcast_to((2**40, 1000)) + 1.0


def test_shared_memory_beyond_all_limits() -> None:
    values = np.broadcast_to(np.float32(1), (2**20, 2**20)).view()
    values.flags.writeable = True
    assert nd.from_dlpack(values).size == 2**40


def test_from_dlpack_copies_misaligned_memory() -> None:
    memory = np.zeros(41, np.uint8)
    values = memory[1:].view(np.float32)
    values[:] = np.arange(10)
    a = nd.from_dlpack(values)
    values[:] = 0
    assert (a + 1).numpy().tolist() == list(range(1, 11))


@each_device
@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (2, 0, 3), (0,)], ids=str)
def test_arrays_without_elements(device: nd.Device, shape: tuple[int, ...]) -> None:
    made = [
        device.zeros(shape),
        device.ones(shape),
        device.full(shape, 2.0),
        device.empty(shape),
        nd.zeros(shape, device=device),
        nd.ones(shape, device=device),
        nd.full(shape, 3.0, device=device),
        nd.array(np.zeros(shape), device=device),
        device.rand(*shape),
        device.zeros((*shape, 4)).sum(axis=-1),
    ]
    for a in made:
        assert a.shape == shape
        assert a.strides == nd.NDArray.compact_strides(shape)
        assert 0 not in a.strides
        assert a.numpy().shape == shape
        a[...] = 1.0
        a[...] = np.ones(shape)
        a[...] = device.ones(shape)
        a.fill(2.0)
        assert (a + a).shape == shape
        assert a.sum().item() == 0
        assert a.flip().shape == shape
        assert a.is_compact()
    q = device.zeros(shape).quantize_uint8()
    q[...] = 1.0
    assert q.shape == shape
    part = made[0][(slice(1, None),) * len(shape)]
    assert part.flip().numpy().shape == part.shape


@each_device
@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((2, -3), ValueError, r"shape \(2, -3\) has a negative extent"),
        (-1, ValueError, r"shape \(-1,\) has a negative extent"),
        ("a", TypeError, "integers, got 'a'"),
        ((2.0,), TypeError, r"integers, got \(2.0,\)"),
        (2.5, TypeError, "integers, got 2.5"),
        (None, TypeError, "integers, got None"),
        ((2**40, 2**40), ValueError, "more elements than memory can hold"),
    ],
)
def test_wrong_shapes(
    device: nd.Device, shape: Any, error: type[Exception], message: str
) -> None:
    for make in (device.empty, device.zeros, nd.NDArray.make, nd.empty, nd.ones):
        with pytest.raises(error, match=message):
            make(shape)


def test_arrays_from_numpy_have_the_right_type() -> None:
    device = nd.cpu()
    for dtype in (np.int32, ">f4", np.uint8):
        with pytest.raises(TypeError, match="a NumPy array of float32 is needed"):
            device.array_from_numpy(np.zeros(4, dtype), device, True, None)
    with pytest.raises(TypeError, match="a NumPy array of uint8 is needed"):
        device.array_from_numpy(np.zeros(4, np.int8), device, True, QuantParams(1.0, 0))
