# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Views of arrays are NumPy's: shape, strides, offset, elements, memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arrays import DEVICES, address, random_views, strides_of
from differential import SEEDS, examples
from hypothesis import given
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


@each_device
@given(seed=SEEDS)
@examples(150)
def test_random_views(device: nd.Device, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(0, 6))
    shape = tuple(int(n) for n in rng.integers(0 if seed % 7 == 0 else 1, 6, rank))
    base = nd.array(rng.normal(size=shape), device=device)
    view, mirror = random_views(rng, base, int(rng.integers(1, 6)))
    assert view.shape == mirror.shape
    assert view.ndim == mirror.ndim
    assert view.size == mirror.size
    np.testing.assert_array_equal(view.numpy(), mirror)
    assert view._handle is base._handle
    if view.size:
        # NumPy gives dimensions of extent 1 strides of all kinds.
        pairs = zip(view.shape, view.strides, strides_of(mirror), strict=True)
        assert all(n == 1 or ours == theirs for n, ours, theirs in pairs)
        # The mirror of what lies on a device is a copy.
        if device != nd.cuda():
            assert base._handle.ptr() + 4 * view.offset == address(mirror)
        whole = mirror.flags.c_contiguous and view.size == base.size
        assert view.is_compact() == whole
    packed = view.compact()
    assert packed.is_compact()
    assert (packed is view) == view.is_compact()
    np.testing.assert_array_equal(packed.numpy(), mirror)


@each_device
@given(seed=SEEDS)
@examples(80)
def test_random_writes(device: nd.Device, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, int(rng.integers(1, 5))))
    values = rng.normal(size=shape).astype(np.float32)
    base = nd.array(values, device=device)
    view, _ = random_views(rng, base, 3)
    if view.size and any(
        s == 0 and n > 1 for s, n in zip(view.strides, view.shape, strict=True)
    ):
        with pytest.raises(ValueError, match="same memory"):
            view[...] = 1.0
        np.testing.assert_array_equal(base.numpy(), values)
        return
    pointer = base._handle.ptr()
    expected = values.copy()
    changed = np.lib.stride_tricks.as_strided(
        expected.reshape(-1)[view.offset :] if view.size else expected,
        view.shape,
        tuple(4 * s for s in view.strides),
    )
    kind = rng.integers(0, 4)
    new: Any = rng.normal(size=view.shape).astype(np.float32)
    if kind == 0:
        new = float(rng.normal())
    elif kind == 1:
        new = np.float32(rng.normal())
    elif kind == 2 and view.ndim:
        new = new[:1]
    changed[...] = new
    array = nd.array(new, device=device) if isinstance(new, np.ndarray) else new
    view[...] = array if kind != 3 else new
    np.testing.assert_array_equal(base.numpy(), expected)
    assert base._handle.ptr() == pointer


@each_device
def test_overlapping_writes(device: nd.Device) -> None:
    for shift in (1, 2, 5):
        values = np.arange(1000, dtype=np.float32)
        a = nd.array(values, device=device)
        a[shift:] = a[:-shift]
        values[shift:] = values[:-shift]
        np.testing.assert_array_equal(a.numpy(), values)
        a[:-shift] = a[shift:]
        values[:-shift] = values[shift:]
        np.testing.assert_array_equal(a.numpy(), values)
    square = np.arange(121, dtype=np.float32).reshape(11, 11)
    a = nd.array(square, device=device)
    a[...] = a.T
    np.testing.assert_array_equal(a.numpy(), square.T)
    a[...] = a + a.T
    np.testing.assert_array_equal(a.numpy(), square + square.T)
    a[:, ::2] = a[:, 0]
    doubled = square + square.T
    doubled[:, ::2] = doubled[:, :1].copy()
    np.testing.assert_array_equal(a.numpy(), doubled)


@each_device
def test_values_that_differ_by_extents_of_1(device: nd.Device) -> None:
    """An integer keeps its dimension, but what is written need not have it."""
    expected = np.zeros((3, 4, 5), np.float32)
    a = nd.array(expected, device=device)
    column, plane = np.arange(1, 4), np.arange(1, 13).reshape(3, 4)
    a[:, 0, 0] = nd.array(column, device=device)
    expected[:, 0, 0] = column
    a[:, :, 1] = nd.array(plane, device=device)
    expected[:, :, 1] = plane
    a[:, 2, 2] = column
    expected[:, 2, 2] = column
    a[1, :, 3] = nd.array([[[5.0], [6.0], [7.0], [8.0]]], device=device)
    expected[1, :, 3] = [5, 6, 7, 8]
    a[2, 3, :] = nd.array(9.0, device=device)
    expected[2, 3, :] = 9
    np.testing.assert_array_equal(a.numpy(), expected)
    with pytest.raises(ValueError, match="broadcast"):
        a[:, :, 1] = nd.array(plane.T, device=device)
    with pytest.raises(ValueError, match="broadcast"):
        a[:, :, 1] = nd.array(plane.reshape(12), device=device)


@each_device
def test_integers_keep_their_dimension(device: nd.Device) -> None:
    a = nd.array(np.arange(24).reshape(2, 3, 4), device=device)
    assert a[1, :, 2].shape == (1, 3, 1)
    assert a[-1, -1, -1].shape == (1, 1, 1)
    assert float(a[-1, -1, -1]) == 23
    assert a[0, ...].shape == (1, 3, 4)
    assert a[..., 0].shape == (2, 3, 1)
    assert a[..., None, :, :, :].shape == (1, 2, 3, 4)
    assert a[:, None, 1, ..., np.int64(2)].shape == (2, 1, 1, 1)
    assert a[5:, 2:1, 7:9].shape == (0, 0, 0)
    assert [row.shape for row in a] == [(3, 4)] * 2
    assert [float(x) for x in a[0, 1, :].reshape(4)] == [4, 5, 6, 7]


@each_device
@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ((slice(None),), IndexError, "1 indices for the 2 dimensions"),
        (0, IndexError, "1 indices for the 2 dimensions"),
        ((0, 0, 0), IndexError, "3 indices for the 2 dimensions"),
        ((), IndexError, "0 indices for the 2 dimensions"),
        ((..., ...), IndexError, "at most one ellipsis"),
        ((0, 4), IndexError, "index 1: 4 is out of range for 4"),
        ((-4, 0), IndexError, "index 0: -4 is out of range for 3"),
        ((0, 10**30), IndexError, "."),
        ((slice(None, None, -1), 0), ValueError, "negative step -1"),
        ((slice(None, None, 0), 0), ValueError, "step cannot be zero"),
        ((slice("a"), 0), TypeError, "slice indices"),
        ((True, 0), TypeError, "boolean and integer arrays"),
        (([0, 1], 0), TypeError, "boolean and integer arrays"),
        ((np.array([0, 1]), 0), TypeError, "boolean and integer arrays"),
        ((0.0, 0), TypeError, "index 0 is float"),
        (("x", 0), TypeError, "index 0 is str"),
    ],
)
def test_wrong_indices(
    device: nd.Device, index: Any, error: type[Exception], message: str
) -> None:
    a = nd.array(np.arange(12).reshape(3, 4), device=device)
    with pytest.raises(error, match=message):
        a[index]
    with pytest.raises(error, match=message):
        a[index] = 1.0
    np.testing.assert_array_equal(a.numpy(), np.arange(12).reshape(3, 4))


@each_device
def test_wrong_shapes(device: nd.Device) -> None:
    a = nd.array(np.arange(12).reshape(3, 4), device=device)
    for shape in [(5,), (-1, 5), (-1, -1), (3, -2), (2, 6, 0)]:
        with pytest.raises(ValueError, match="reshape"):
            a.reshape(shape)
    with pytest.raises(TypeError, match="integer"):
        a.reshape((3.0, 4))
    for axes in [(0,), (0, 0), (0, 2), (1, 0, 2)]:
        with pytest.raises(ValueError, match=r"ax[ie]s"):
            a.permute(axes)
    for shape in [(4, 3), (4,), (3, 5), (0, 3, 5), (3, -4)]:
        with pytest.raises(ValueError, match="broadcast"):
            a.broadcast_to(shape)
    with pytest.raises(TypeError, match="cannot be deleted"):
        del a[0, 0]
    with pytest.raises(ValueError, match="at most 32"):
        a.reshape((1,) * 40 + (3, 4))
    with pytest.raises(IndexError, match="at most 32"):
        a[(None,) * 40 + (slice(None), slice(None))]


@each_device
def test_reshape(device: nd.Device) -> None:
    a = nd.array(np.arange(24).reshape(2, 3, 4), device=device)
    assert a.reshape((-1, 6)).shape == (4, 6)
    assert a.reshape(4, -1).shape == (4, 6)
    assert a.reshape(-1)._handle is a._handle
    assert a.reshape(np.array([24])).shape == (24,)
    # Half of it can be viewed in one dimension, the transposed cannot.
    half = a[1:, :, :].reshape(12)
    assert half._handle is a._handle
    turned = a.T.reshape(24)
    assert turned._handle is not a._handle
    np.testing.assert_array_equal(turned.numpy(), a.numpy().T.reshape(24))
    empty = nd.array(np.zeros((0, 5)), device=device)
    assert empty.reshape((5, 0, 7)).shape == (5, 0, 7)
    assert empty.reshape(-1).shape == (0,)
    with pytest.raises(ValueError, match="reshape"):
        empty.reshape((0, -1))


@each_device
def test_flat(device: nd.Device) -> None:
    a = nd.array(np.arange(6).reshape(2, 3), device=device)
    a.flat[4:] = 9.0
    assert a.numpy().tolist() == [[0, 1, 2], [3, 9, 9]]
    a[1:, :].flat[:1] = -1.0
    assert a.numpy().tolist() == [[0, 1, 2], [-1, 9, 9]]
    with pytest.raises(ValueError, match="no flat view"):
        a.T.flat  # noqa: B018
    a.flat = np.zeros((2, 3))
    assert a.numpy().tolist() == [[0, 0, 0], [0, 0, 0]]


@each_device
def test_make(device: nd.Device) -> None:
    a = nd.array(np.arange(12), device=device)
    view = nd.NDArray.make((3, 2), (4, 1), device, a._handle, 1)
    assert view.numpy().tolist() == [[1, 2], [5, 6], [9, 10]]
    assert view._handle is a._handle
    backwards = nd.NDArray.make((3,), (-5,), device, a._handle, 11)
    assert backwards.numpy().tolist() == [11, 6, 1]
    overlapping = a.as_strided((4, 3), (1, 2))
    assert overlapping.numpy().tolist() == [
        [0, 2, 4],
        [1, 3, 5],
        [2, 4, 6],
        [3, 5, 7],
    ]
    np.testing.assert_array_equal((overlapping + 1).numpy(), overlapping.numpy() + 1)
    fresh = nd.NDArray.make((2, 3), device=device)
    assert fresh.is_compact()
    assert fresh._handle.size == 6
    assert nd.NDArray.make((2, 3)).device == nd.default_device()


@each_device
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (13,)}, ValueError, "reaches from element 0 to 12"),
        ({"shape": (12,), "offset": 1}, ValueError, "to 12, outside the memory of 12"),
        ({"shape": (2,), "offset": -1}, ValueError, "from element -1"),
        ({"shape": (3,), "strides": (-1,)}, ValueError, "from element -2"),
        ({"shape": (2, 2), "strides": (2**62, 1)}, ValueError, "reaches"),
        ({"shape": (2, 2), "strides": (1,)}, ValueError, "1 strides for 2 dim"),
        ({"shape": (-1,)}, ValueError, "negative extent"),
        ({"shape": (2**40, 2**40)}, ValueError, "more elements than memory"),
        ({"shape": (1,), "handle": np.zeros(3)}, TypeError, "handle is an Array"),
        ({"shape": (1,), "device": "cpu"}, TypeError, "device is a Device"),
        ({"shape": ("a",)}, TypeError, "integer"),
    ],
)
def test_make_wrong(
    device: nd.Device, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    handle = nd.array(np.zeros(12), device=device)._handle
    with pytest.raises(error, match=message):
        nd.NDArray.make(**({"device": device, "handle": handle} | arguments))


@each_device
def test_flip_and_pad(device: nd.Device) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(3, 4, 5)).astype(np.float32)
    a = nd.array(values, device=device)
    for axes in [None, 0, (1,), (0, 2), (-1, -2), ()]:
        np.testing.assert_array_equal(a.flip(axes).numpy(), np.flip(values, axes))
        np.testing.assert_array_equal(
            nd.flip(a.T, axes).numpy(), np.flip(values.T, axes)
        )
    padding = ((0, 1), (2, 0), (1, 3))
    np.testing.assert_array_equal(a.pad(padding).numpy(), np.pad(values, padding))
    np.testing.assert_array_equal(
        nd.pad(a.T, padding).numpy(), np.pad(values.T, padding)
    )
    with pytest.raises(ValueError, match="3 pairs"):
        a.pad(((0, 1),))
    with pytest.raises(ValueError, match="not negative"):
        a.pad(((0, -1), (0, 0), (0, 0)))
    with pytest.raises(ValueError, match="axis 3 is out of range"):
        a.flip(3)
    with pytest.raises(ValueError, match="twice"):
        a.flip((0, 0))


@each_device
def test_stack_concatenate_split(device: nd.Device) -> None:
    rng = np.random.default_rng(6)
    parts = [rng.normal(size=(2, 3)).astype(np.float32) for _ in range(3)]
    arrays = [nd.array(part, device=device) for part in parts]
    for axis in (0, 1, 2, -1):
        stacked = nd.stack(arrays, axis)
        np.testing.assert_array_equal(stacked.numpy(), np.stack(parts, axis))
    for axis in (0, 1, -1):
        joined = nd.concatenate(arrays, axis)
        np.testing.assert_array_equal(joined.numpy(), np.concatenate(parts, axis))
        sections = joined.shape[axis] // 3
        for ours, theirs in zip(
            nd.split(joined, sections, axis),
            np.split(joined.numpy(), sections, axis),
            strict=True,
        ):
            np.testing.assert_array_equal(ours.numpy(), theirs)
            assert ours._handle is joined._handle
    assert [p.shape for p in nd.split(arrays[0], [1, 2], 1)] == [(2, 1)] * 3
    with pytest.raises(ValueError, match="one shape"):
        nd.stack([arrays[0], arrays[0].T])
    with pytest.raises(ValueError, match="concatenate along axis 0"):
        nd.concatenate([arrays[0], arrays[0].T])
    with pytest.raises(ValueError, match="do not divide"):
        nd.split(arrays[0], 2, 1)


def test_names_of_the_course():
    a = nd.NDArray(np.zeros((2, 3, 4)))[1:2, :, ::2]
    assert (a._shape, a._strides, a._offset) == (a.shape, a.strides, 12)
    assert a._device == a.device
    for shape in [(), (5,), (2, 3, 4)]:
        assert nd.NDArray.compact_strides(shape) == nd.NDArray(np.zeros(shape)).strides


@each_device
def test_writing_flat_goes_row_by_row(device: nd.Device) -> None:
    a = nd.ones((2, 2), device=device)
    for values in (np.arange(4.0), [0, 1, 2, 3], nd.array(np.arange(4.0))):
        a.fill(7)
        a.flat = values
        assert a.numpy().tolist() == [[0, 1], [2, 3]]
    a.flat = 5
    assert a.numpy().tolist() == [[5, 5], [5, 5]]
    with pytest.raises(ValueError, match="broadcast"):
        a.flat = np.arange(3.0)


@each_device
def test_overlapping_writes_in_one_dimension(device: nd.Device) -> None:
    a = nd.array(np.arange(9.0), device=device)
    a[2:7] = a[::2]
    assert a.numpy().tolist() == [0, 1, 0, 2, 4, 6, 8, 7, 8]


@each_device
def test_arrays_of_numpy_and_other_things(device: nd.Device) -> None:
    a = nd.ones((2,), device=device)
    assert nd.concatenate([np.zeros(2), a]).numpy().tolist() == [0, 0, 1, 1]
    assert nd.stack([a, np.zeros(2)]).numpy().tolist() == [[1, 1], [0, 0]]
    with pytest.raises(TypeError, match="stack takes arrays, not list"):
        nd.stack([[1.0, 2.0], a])
    with pytest.raises(ValueError, match="pad takes 1 pairs"):
        a.pad((1,))
    assert f"{a.sum():.1f} {a}" == "2.0 [1. 1.]"
    with pytest.raises(TypeError, match="is one of numbers"):
        format(a, ".1f")
