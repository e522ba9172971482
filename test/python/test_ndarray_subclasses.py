# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# needle draws from NumPy's legacy generator, as the course does.
# ruff: noqa: NPY002
"""Subclasses of NDArray."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from arrays import DEVICES
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)


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
