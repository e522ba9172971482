# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# needle draws from NumPy's legacy generator, as the course does.
# ruff: noqa: NPY002
"""Quantized arrays: rules N1 to N5, and what operations make of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from arrays import BINARY, DEVICES, UNARY, Array, products, view_of
from differential import SEEDS, examples, same_bits, values
from hypothesis import given
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)
FLT_MAX = float(np.finfo(np.float32).max)
FLT_MIN = float(np.finfo(np.float32).tiny)


def choose(data: Array) -> tuple[np.float32, int]:
    """N2, written once more."""
    finite = np.clip(data[~np.isnan(data)].astype(np.float64), -FLT_MAX, FLT_MAX)
    low, high = min(0.0, *finite, 0.0), max(0.0, *finite, 0.0)
    if low == high:
        return np.float32(1), 0
    scale = np.float32(min(max((high - low) / 255, FLT_MIN), FLT_MAX))
    return scale, int(np.clip(np.rint(-low / float(scale)), 0, 255))


def quantize(data: Array, scale: np.float32, zero_point: int) -> Array:
    """N1, in Python's integers."""
    stored = []
    with np.errstate(all="ignore"):
        quotients = (data.astype(np.float32) / scale).reshape(-1)
    for quotient in quotients:
        if np.isnan(quotient):
            stored.append(zero_point)
        elif np.isinf(quotient):
            stored.append(255 if quotient > 0 else 0)
        else:
            stored.append(min(max(round(float(quotient)) + zero_point, 0), 255))
    return np.array(stored, np.uint8).reshape(data.shape)


@each_device
@given(seed=SEEDS)
@examples(60)
def test_rules(device: nd.Device, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(0 if seed % 5 == 0 else 1, 9, 2))
    exponent = float(rng.choice([1e-30, 1e-3, 1, 1e3, 1e30]))
    data = (rng.normal(size=shape) * exponent).astype(np.float32)
    if seed % 3 == 0:
        data = values(rng, shape)
        data = np.where(np.isnan(data), np.float32(np.nan), data)
    x = nd.array(data, device=device)
    for array, mirror in [(x, data), (x.T, data.T), (x[::2, 1:], data[::2, 1:])]:
        q = array.quantize_uint8()
        scale, zero_point = choose(mirror.reshape(-1))
        assert q.dtype == "uint8"
        assert q.quant_params is not None
        assert q.quant_params.scale == float(scale)
        assert q.quant_params.zero_point == zero_point
        assert q.quant_params.original_dtype == np.float32
        stored = quantize(mirror, scale, zero_point)
        np.testing.assert_array_equal(q.numpy(), stored)
        with np.errstate(all="ignore"):
            real = (stored.astype(np.int32) - zero_point).astype(np.float32) * scale
        same_bits(q.dequantize().numpy(), real)


@each_device
def test_given_parameters(device: nd.Device) -> None:
    data = np.array([-1.0, 0.0, 0.5, 1.5, 2.5, 3.0, 1000.0, np.nan], np.float32)
    x = nd.array(data, device=device)
    q = x.quantize_uint8(scale=1.0, zero_point=3)
    # Ties go to even.
    assert q.numpy().tolist() == [2, 3, 3, 5, 5, 6, 255, 3]
    assert q.quant_params == nd.QuantParams(1.0, 3)
    # The zero point by N2: -min / scale.
    assert x.quantize_uint8(scale=0.5).quant_params == nd.QuantParams(0.5, 2)
    for low, zero_point in [(-1.3, 3), (-1.25, 2), (-1.75, 4), (-900.0, 255), (2.0, 0)]:
        q = nd.array([low, 1.0], device=device).quantize_uint8(scale=0.5)
        assert q.quant_params == nd.QuantParams(0.5, zero_point)
    # The least scale that covers the range.
    for numbers, zero_point, least in [
        ([-1.0, 1000.0], 10, 1000 / 245),
        ([-1000.0, 1.0], 10, 1000 / 10),
        ([-7.0, 5.0], 0, 5 / 255),
        ([-7.0, 5.0], 255, 7 / 255),
        ([0.0, 0.0], 9, 1),
    ]:
        q = nd.array(numbers, device=device).quantize_uint8(zero_point=zero_point)
        assert q.quant_params == nd.QuantParams(least, zero_point)
    wrong: list[tuple[Any, Any, type[Exception], str]] = [
        (0.0, 0, ValueError, "scale is a positive"),
        (-1.0, None, ValueError, "scale is a positive"),
        (np.inf, 0, ValueError, "scale is a positive"),
        (np.nan, 0, ValueError, "scale is a positive"),
        (1e-60, 0, ValueError, "scale is a positive"),
        ("1.0x", 0, TypeError, "scale is a number"),
        (1.0, 256, ValueError, "zero_point is 0 … 255"),
        (1.0, -1, ValueError, "zero_point is 0 … 255"),
        (None, 1.5, TypeError, "zero_point is an integer"),
    ]
    for scale, zero_point, error, message in wrong:
        with pytest.raises(error, match=message):
            x.quantize_uint8(scale, zero_point)


@each_device
def test_clear_errors(device: nd.Device) -> None:
    x = nd.array([[1.0, 2.0]], device=device)
    q = x.quantize_uint8()
    with pytest.raises(TypeError, match="uint8 already"):
        q.quantize_uint8()
    with pytest.raises(TypeError, match="this one is float32"):
        x.dequantize()
    with pytest.raises(TypeError, match=r"use quantize_uint8\(\)"):
        x.astype("uint8")
    with pytest.raises(TypeError, match="not float64"):
        x.astype(np.float64)
    with pytest.raises(TypeError, match="not int32"):
        q.astype(np.int32)
    with pytest.raises(TypeError, match="no dtype"):
        x.astype("floaty")
    with pytest.raises(TypeError, match="takes quant_params"):
        nd.array(np.zeros(3, np.uint8), dtype="uint8", device=device)
    with pytest.raises(TypeError, match='for dtype="uint8"'):
        nd.array(np.zeros(3), quant_params=nd.QuantParams(1.0, 0), device=device)
    params = nd.QuantParams(1.0, 0)
    with pytest.raises(TypeError, match="stored integers are uint8, got float64"):
        nd.array(np.zeros(3), dtype="uint8", quant_params=params, device=device)
    with pytest.raises(TypeError, match="they belong to uint8"):
        nd.NDArray.make((2,), None, device, q._handle)


@each_device
def test_astype(device: nd.Device) -> None:
    x = nd.array([[1.0, 2.0], [-3.0, 0.5]], device=device)
    q = x.quantize_uint8()
    for dtype in ("float32", np.float32, np.dtype("float32"), "f4"):
        same = x.astype(dtype)
        assert same.dtype == dtype
        assert same._handle is not x._handle
        same_bits(same.numpy(), x.numpy())
        same_bits(q.astype(dtype).numpy(), q.dequantize().numpy())
    copied = q.astype("uint8")
    assert copied.quant_params == q.quant_params
    assert copied._handle is not q._handle
    np.testing.assert_array_equal(copied.numpy(), q.numpy())


@each_device
def test_views_keep_parameters(device: nd.Device) -> None:
    rng = np.random.default_rng(8)
    data = rng.normal(size=(4, 6)).astype(np.float32)
    q = nd.array(data, device=device).quantize_uint8()
    stored = q.numpy()
    views = {
        "slice": (q[1:, ::2], stored[1:, ::2]),
        "permute": (q.T, stored.T),
        "reshape": (q.reshape((3, 8)), stored.reshape(3, 8)),
        "reshape of a transposed": (q.T.reshape(24), stored.T.reshape(24)),
        "broadcast": (q[:1, :].broadcast_to((4, 6)), np.repeat(stored[:1], 4, 0)),
        "compact": (q.T.compact(), stored.T),
        "flip": (q.flip(1), stored[:, ::-1]),
        "to": (q.to(device), stored),
        "other device": (q.to(nd.cpu_numpy()).to(nd.cpu()), stored),
        "copy": (copy.deepcopy(q), stored),
        "pickle": (pickle.loads(pickle.dumps(q)), stored),
        "array": (nd.array(q), stored),
        "make": (
            nd.NDArray.make(
                (24,), None, device, q._handle, quant_params=q.quant_params
            ),
            stored.reshape(24),
        ),
        "stored": (
            nd.array(stored, "uint8", device, q.quant_params),
            stored,
        ),
    }
    for name, (view, expected) in views.items():
        assert view.dtype == "uint8", name
        assert view.quant_params == q.quant_params, name
        np.testing.assert_array_equal(view.numpy(), expected, err_msg=name)
        same_bits(
            view.dequantize().numpy(),
            nd.array(view).dequantize().numpy(),
        )
    assert views["slice"][0]._handle is q._handle
    assert q._handle.size == 24
    assert q._handle.dtype == np.uint8


@each_device
def test_operations_dequantize(device: nd.Device) -> None:
    rng = np.random.default_rng(9)
    a = nd.array(rng.normal(size=(4, 5)), device=device)
    b = nd.array(rng.normal(size=(1, 5)), device=device)
    qa, qb = a.quantize_uint8(), b.quantize_uint8()
    ra, rb = qa.dequantize(), qb.dequantize()
    for operation in UNARY.values():
        same_bits(operation(qa).numpy(), operation(ra).numpy())
    for function in BINARY.values():
        expected = function(ra, rb).numpy()
        for left, right in [(qa, qb), (qa, rb), (ra, qb)]:
            result = function(left, right)
            assert result.dtype == np.float32
            assert result.quant_params is None
            same_bits(result.numpy(), expected)
        same_bits(function(qa, 2.0).numpy(), function(ra, 2.0).numpy())
        same_bits(function(2.0, qa).numpy(), function(2.0, ra).numpy())
        same_bits(function(rb.numpy(), qa).numpy(), function(rb.numpy(), ra).numpy())
    for name in ("sum", "max", "min"):
        for axis in (None, 0, (0, 1)):
            result = getattr(qa, name)(axis=axis, keepdims=True)
            same_bits(
                result.numpy(), getattr(ra, name)(axis=axis, keepdims=True).numpy()
            )
    same_bits((qa @ rb.T).numpy(), (ra @ rb.T).numpy())
    same_bits((a @ qb.T).numpy(), (a @ rb.T).numpy())
    same_bits(nd.concatenate([qa, a]).numpy(), nd.concatenate([ra, a]).numpy())
    same_bits(qa.pad(((1, 1), (0, 0))).numpy(), ra.pad(((1, 1), (0, 0))).numpy())
    same_bits(np.asarray(qa), ra.numpy())
    assert float(qa[1, 2]) == ra.numpy()[1, 2]
    assert str(qa) == str(qa.numpy())


@each_device
@given(seed=SEEDS)
@examples(30)
def test_matmul_is_exact(device: nd.Device, seed: int) -> None:
    """N4 in Python's integers, N5 in float32: equal bits."""
    rng = np.random.default_rng(seed)
    m, k, n = (int(v) for v in rng.choice([1, 2, 5, 6, 7, 16, 17, 33, 64, 100], 3))
    sides = []
    for shape in ((m, k), (k, n)):
        stored = rng.integers(0, 256, shape).astype(np.uint8)
        if seed % 4 == 0:
            stored[...] = rng.choice([0, 255])
        zero_point = int(rng.choice([0, 1, 127, 128, 255]))
        params = nd.QuantParams(float(rng.uniform(1e-3, 2)), zero_point)
        array = nd.array(stored, dtype="uint8", quant_params=params, device=device)
        sides.append((array, stored.astype(np.int64) - zero_point, params))
    (a, left, params_a), (b, right, params_b) = sides
    before = products(device, "matmul_u8u8_f32")
    actual = a @ b
    assert actual.dtype == np.float32
    assert actual.quant_params is None
    combined = np.float32(params_a.scale) * np.float32(params_b.scale)
    expected = (left @ right).astype(np.float32) * combined
    same_bits(actual.numpy(), expected)
    # Strides instead of copies: the product of the transposed.
    same_bits((b.T @ a.T).numpy(), expected.T.copy())
    if device == nd.cpu():
        assert products(device, "matmul_u8u8_f32") == before + 2


@each_device
def test_deep_sums_do_not_wrap(device: nd.Device) -> None:
    """Beyond K = 33025 a sum of u8·u8 leaves 32 bits."""
    k = 70000
    params = nd.QuantParams(1.0, 0)
    full = nd.array(
        np.full((1, k), 255, np.uint8),
        dtype="uint8",
        quant_params=params,
        device=device,
    )
    assert float(full @ full.T) == float(np.float32(255 * 255 * k))


@each_device
def test_batches_of_quantized_matrices(device: nd.Device) -> None:
    rng = np.random.default_rng(10)
    a, _ = view_of(rng, (2, 3, 4, 5), device)
    b, _ = view_of(rng, (3, 5, 6), device)
    qa, qb = a.quantize_uint8(), b.quantize_uint8()
    whole = (qa @ qb).numpy()
    for i in range(2):
        for j in range(3):
            one = qa[i, j, ...].reshape((4, 5)) @ qb[j, ...].reshape((5, 6))
            same_bits(whole[i, j], one.numpy())


@each_device
def test_writing(device: nd.Device) -> None:
    """What is written is quantized by the array's own parameters."""
    params = nd.QuantParams(0.5, 10)
    stored = np.zeros((2, 3), np.uint8)
    q = nd.array(stored, dtype="uint8", quant_params=params, device=device)
    q[0, :] = 1.25
    q[1, :2] = np.array([-100.0, 2.0])
    q[1, 2] = nd.array([[3.0]], device=device).quantize_uint8()
    assert q.numpy().tolist() == [[12, 12, 12], [0, 14, 16]]
    q[0, :] = q[1, :]
    assert q.numpy().tolist() == [[0, 14, 16], [0, 14, 16]]
    x = nd.array(np.zeros((2, 3)), device=device)
    x[...] = q
    same_bits(x.numpy(), q.dequantize().numpy())


def test_devices_agree() -> None:
    rng = np.random.default_rng(11)
    data = [rng.normal(size=s).astype(np.float32) for s in ((50, 60), (60, 70))]
    results = []
    for device in DEVICES:
        a, b = (nd.array(d, device=device).quantize_uint8() for d in data)
        results.append([a.numpy(), b.numpy(), (a @ b).numpy()])
        assert [a.quant_params, b.quant_params] == [
            nd.array(d).quantize_uint8().quant_params for d in data
        ]
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


# The figures that the notebook of the quantization demo prints.


@each_device
def test_notebook_section_1(device: nd.Device) -> None:
    np.random.seed(42)
    x = nd.NDArray(np.random.randn(5, 4).astype(np.float32), device=device)
    q = x.quantize_uint8()
    assert q.quant_params is not None
    assert f"{q.quant_params.scale:.6f}" == "0.013696"
    assert q.quant_params.zero_point == 140
    assert q.numpy()[0].tolist() == [176, 130, 187, 251]
    error = np.abs(x.numpy() - q.dequantize().numpy())
    assert f"{error.max():.6f}" == "0.005282"
    assert f"{error.mean():.6f}" == "0.002388"
    assert f"{np.sqrt((error**2).mean()):.6f}" == "0.002887"


@each_device
def test_notebook_section_2(device: nd.Device) -> None:
    np.random.seed(123)
    a = nd.NDArray(np.random.randn(100, 50).astype(np.float32) * 2.0, device=device)
    b = nd.NDArray(np.random.randn(50, 80).astype(np.float32) * 2.0, device=device)
    qa, qb = a.quantize_uint8(), b.quantize_uint8()
    assert qa.quant_params is not None
    assert qb.quant_params is not None
    assert f"{qa.quant_params.scale:.6f}" == "0.057827"
    assert f"{qb.quant_params.scale:.6f}" == "0.060813"
    exact = (a @ b).numpy()
    error = np.abs(exact - (qa @ qb).numpy())
    assert f"{error.mean() / np.abs(exact).mean() * 100:.2f}" == "1.18"


@each_device
def test_notebook_section_3(device: nd.Device) -> None:
    np.random.seed(456)
    x = nd.NDArray(np.random.randn(4, 3).astype(np.float32), device=device)
    error = np.abs(x.numpy() - x.quantize_uint8().dequantize().numpy())
    assert f"{error.max():.6f}" == "0.006656"
