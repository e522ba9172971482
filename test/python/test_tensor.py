# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Tensor: what it holds, how it converts, copies and combines."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import needle as ndl
import numpy as np
import pytest
from needle.backend_selection import BACKEND

only_nd = pytest.mark.skipif(BACKEND == "np", reason="NumPy arrays have one device")


def test_from_anything() -> None:
    for given in ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))):
        x = ndl.Tensor(given)
        assert x.shape == (2, 2)
        assert (x.ndim, x.size) == (2, 4)
        assert x.dtype == "float32"
        assert x.numpy().tolist() == [[1, 2], [3, 4]]
        assert x.requires_grad
        assert x.is_leaf()
        assert x.grad is None
    assert ndl.Tensor(3.0).shape == ()
    assert ndl.Tensor([1.0], requires_grad=False).requires_grad is False


def test_from_array_of_the_backend() -> None:
    array = ndl.Tensor([1.0, 2.0]).cached_data
    assert ndl.Tensor(array).numpy().tolist() == [1, 2]


def test_from_tensor_shares_the_data() -> None:
    x = ndl.Tensor([1.0, 2.0]) * 2
    y = ndl.Tensor(x)
    assert y.cached_data is x.cached_data
    assert y.is_leaf()
    assert not x.is_leaf()


def test_from_nothing_that_is_an_array() -> None:
    with pytest.raises((TypeError, ValueError)):
        ndl.Tensor("text")
    with pytest.raises((TypeError, ValueError)):
        ndl.Tensor([[1.0], [1.0, 2.0]])
    with pytest.raises(TypeError):
        ndl.Tensor([1.0], requires_gradient=True)  # type: ignore[call-arg]


def test_the_type() -> None:
    assert ndl.Tensor(np.ones(2, np.float32)).dtype == np.float32
    assert ndl.Tensor([1.0], dtype="float32").dtype == "float32"
    if BACKEND == "np":
        assert ndl.Tensor(np.ones(2)).dtype == np.float64
        assert isinstance(ndl.Tensor([1.0]).cached_data, np.ndarray)
        assert (ndl.Tensor(np.ones(2)).sum() * 2).dtype == np.float64
        assert (ndl.Tensor(np.ones(2, np.float32)) * 2.5).dtype == np.float32
        assert isinstance((ndl.Tensor([1.0]).sum() * 2).cached_data, np.ndarray)
    else:
        assert ndl.Tensor(np.ones(2)).dtype == np.float32
        assert isinstance(ndl.Tensor([1.0]).cached_data, ndl.NDArray)
        with pytest.raises(TypeError, match="float32"):
            ndl.Tensor([1.0], dtype="float64")


def test_data_and_detach() -> None:
    x = ndl.Tensor([1.0, 2.0])
    y = x * 3
    for same in (y.data, y.detach()):
        assert same.is_leaf()
        assert not same.requires_grad
        assert same.cached_data is y.cached_data
    x.data = ndl.Tensor([5.0, 6.0])
    assert x.numpy().tolist() == [5, 6]
    assert x.requires_grad
    with pytest.raises(TypeError, match="Tensor"):
        x.data = [1.0, 2.0]  # type: ignore[assignment]
    with pytest.raises(TypeError, match="replace"):
        x.data = ndl.Tensor([5.0, 6.0]).quantize_uint8()


def test_writes_through_cached_data() -> None:
    x = ndl.Tensor([1.0, 2.0])
    x.realize_cached_data().flat[1] += 1.0
    assert x.numpy().tolist() == [1, 3]


def test_numpy_is_a_copy() -> None:
    x = ndl.Tensor([1.0, 2.0])
    for tensor in (x, x.reshape((1, 2)), x.quantize_uint8()):
        before = tensor.numpy().copy()
        copied = tensor.numpy()
        copied[...] = 7
        assert type(copied) is np.ndarray
        assert tensor.numpy().tolist() == before.tolist()
    np.asarray(x)[...] = 7
    assert x.numpy().tolist() == [1, 2]


def test_as_number_and_numpy() -> None:
    x = ndl.Tensor([[2.5]])
    assert float(x) == x.item() == 2.5
    assert np.asarray(ndl.Tensor([1.0, 2.0])).tolist() == [1, 2]
    assert np.asarray(ndl.Tensor([1.0, 2.0]), dtype=np.int32).dtype == np.int32
    with pytest.raises(ValueError, match="2 elements"):
        ndl.Tensor([1.0, 2.0]).item()
    assert str(ndl.Tensor([1.0, 2.0])) == "[1. 2.]"
    assert repr(ndl.Tensor([1.0, 2.0])) == "needle.Tensor([1. 2.])"


def test_with_numpy_arrays_on_either_side() -> None:
    x = ndl.Tensor([1.0, 2.0])
    other = np.array([3.0, 4.0], np.float32)
    for result, expected in [
        (x + other, [4, 6]),
        (other + x, [4, 6]),
        (x - other, [-2, -2]),
        (other - x, [2, 2]),
        (x * other, [3, 8]),
        (other * x, [3, 8]),
        (other / x, [3, 2]),
        (x**other, [1, 16]),
        (other**x, [3, 16]),
        (np.float32(2) * x, [2, 4]),
        (np.eye(2, dtype=np.float32) @ x.reshape((2, 1)), [[1], [2]]),
        (x.reshape((1, 2)) @ np.eye(2), [[1, 2]]),
    ]:
        assert isinstance(result, ndl.Tensor)
        assert result.requires_grad
        assert result.numpy().tolist() == expected


@pytest.mark.parametrize("other", ["text", None, [1.0, 2.0]])
def test_with_what_is_no_number(other: Any) -> None:
    x = ndl.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"unsupported operand|can only concatenate"):
        x + other
    with pytest.raises(TypeError):
        other * x


def test_operations_name_what_is_no_tensor() -> None:
    with pytest.raises(TypeError, match="EWiseAdd takes Tensors, not float"):
        ndl.add(ndl.Tensor([1.0]), 2.0)  # type: ignore[arg-type]


def test_copies_and_pickles_are_leaves() -> None:
    x = ndl.Tensor([1.0, 2.0])
    y = x * 2
    for same in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert type(same) is ndl.Tensor
        assert same.is_leaf()
        assert same.requires_grad
        assert same.numpy().tolist() == [2, 4]
        same.realize_cached_data().flat[0] = 9.0
    assert y.numpy().tolist() == [2, 4]
    layer = ndl.nn.Linear(2, 3)
    other = copy.deepcopy(layer)
    assert type(other.weight) is ndl.nn.Parameter
    other.weight.data = other.weight * 0.0
    assert np.abs(layer.weight.numpy()).min() > 0


def test_tuples() -> None:
    pair = ndl.ops.make_tuple(ndl.Tensor([1.0]), ndl.Tensor([2.0, 3.0]))
    assert isinstance(pair, ndl.TensorTuple)
    assert len(pair) == 2
    assert [part.numpy().tolist() for part in pair] == [[1], [2, 3]]
    assert [part.tolist() for part in pair.numpy()] == [[1], [2, 3]]
    assert pair[-1].numpy().tolist() == [2, 3]
    assert len(pair.tuple()) == 2
    assert not pair.detach().requires_grad
    assert repr(pair).startswith("needle.TensorTuple(")
    with pytest.raises(IndexError, match="no element 2"):
        pair[2]
    with pytest.raises(ValueError, match="2 and 1"):
        pair + ndl.ops.make_tuple(ndl.Tensor([1.0]))


def test_top_level_names() -> None:
    for name in ndl.ops.__all__:
        assert getattr(ndl, name) is getattr(ndl.ops, name)
        assert name in ndl.__all__
    assert ndl.Value is ndl.autograd.Value
    assert isinstance(ndl.Tensor([1.0]), ndl.Value)
    assert repr(ndl.cpu()) == "cpu()"


# Quantized tensors.


def test_quantize_and_dequantize() -> None:
    x = ndl.Tensor(np.linspace(-1, 3, 12, dtype=np.float32).reshape(3, 4))
    q = x.quantize_uint8()
    assert q.dtype == "uint8"
    assert q.numpy().dtype == np.uint8
    assert q.numpy().min() == 0
    assert q.numpy().max() == 255
    assert not q.requires_grad
    assert q.quant_params.zero_point == 64
    assert q.quant_params.scale == np.float32(4 / 255)
    assert x.quant_params is None
    real = q.dequantize()
    assert real.dtype == "float32"
    error = np.abs(real.numpy() - x.numpy()).max()
    assert error <= q.quant_params.scale * (0.5 + 2**-14)
    for other in (q.astype("float32"), q.astype(np.float32)):
        assert other.numpy().tolist() == real.numpy().tolist()
    assert q.astype("uint8") is q
    assert x.astype("float32") is x
    given = x.quantize_uint8(scale=0.5, zero_point=10)
    expected = np.clip(np.rint(x.numpy() / np.float32(0.5)) + 10, 0, 255)
    assert given.numpy().tolist() == expected.tolist()


def test_quantization_errors() -> None:
    x = ndl.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="quantize_uint8"):
        x.quantize_uint8().quantize_uint8()
    with pytest.raises(TypeError, match="dequantize"):
        x.dequantize()
    with pytest.raises(TypeError, match="quantize_uint8"):
        x.astype("uint8")
    with pytest.raises(RuntimeError, match="requires no gradient"):
        x.quantize_uint8().backward()


def test_other_operations_dequantize() -> None:
    generator = np.random.default_rng(3)
    x = ndl.Tensor(generator.normal(size=(3, 4)).astype(np.float32))
    q = x.quantize_uint8()
    real = q.dequantize()
    for function in (
        lambda t: t + 1.0,
        lambda t: t * t,
        lambda t: x - t,
        ndl.relu,
        ndl.exp,
        ndl.logsoftmax,
        ndl.logsumexp,
        lambda t: t.sum((0,)),
        lambda t: ndl.max(t, 1),
        lambda t: t @ x.transpose(),
        lambda t: ndl.stack([t, x], 0),
        lambda t: ndl.dilate(t, (0,), 1),
    ):
        np.testing.assert_array_equal(function(q).numpy(), function(real).numpy())
        assert function(q).dtype == "float32"


def test_views_stay_quantized() -> None:
    q = ndl.Tensor(np.arange(6, dtype=np.float32).reshape(2, 3)).quantize_uint8()
    for view in (q.transpose(), q.reshape((3, 2)), q.broadcast_to((2, 2, 3))):
        assert view.dtype == "uint8"
        assert view.quant_params == q.quant_params


def test_product_of_quantized_is_exact() -> None:
    generator = np.random.default_rng(5)
    a = ndl.Tensor(generator.normal(size=(5, 40)).astype(np.float32)).quantize_uint8()
    b = ndl.Tensor(generator.normal(size=(40, 6)).astype(np.float32)).quantize_uint8()
    left = a.numpy().astype(np.int64) - a.quant_params.zero_point
    right = b.numpy().astype(np.int64) - b.quant_params.zero_point
    scale = np.float32(a.quant_params.scale) * np.float32(b.quant_params.scale)
    expected = (left @ right).astype(np.float32) * scale
    result = a @ b
    assert result.dtype == "float32"
    np.testing.assert_array_equal(result.numpy(), expected)


def test_gradients_pass_by_quantized_operands() -> None:
    w = ndl.Tensor(np.array([[1.0, -2.0], [0.5, 3.0]], np.float32))
    q = w.quantize_uint8()
    x = ndl.Tensor(np.array([[1.0, 2.0]], np.float32))
    (x @ q).sum().backward()
    np.testing.assert_array_equal(
        x.grad.numpy(), q.dequantize().numpy().sum(axis=1)[None]
    )
    assert q.grad is None
    assert w.grad is None


# Devices.


def test_devices() -> None:
    assert ndl.Tensor([1.0]).device == ndl.default_device() == ndl.cpu()
    assert ndl.cpu() in ndl.all_devices()
    assert not ndl.cuda().enabled()
    with pytest.raises(RuntimeError, match=r"ndl\.cpu\(\)"):
        ndl.Tensor([1.0], device=ndl.cuda())


@only_nd
def test_uncommitted_tensors_follow() -> None:
    free = ndl.Tensor([1.0, 2.0])
    fixed = ndl.Tensor([3.0, 4.0], device=ndl.cpu_numpy())
    for result in (free + fixed, fixed * free, ndl.stack([free, fixed], 0)):
        assert result.device == ndl.cpu_numpy()
    assert (free * 2.0).device == ndl.cpu()
    # What follows stays free to follow another.
    other = ndl.Tensor([3.0, 4.0], device=ndl.cpu())
    assert ((free * 2.0) + other).device == ndl.cpu()
    (free * fixed).sum().backward()
    assert free.grad.numpy().tolist() == [3, 4]
    assert fixed.grad.numpy().tolist() == [1, 2]


@only_nd
def test_two_committed_devices_are_an_error() -> None:
    a = ndl.Tensor([1.0, 2.0], device=ndl.cpu())
    b = ndl.Tensor([1.0, 2.0], device=ndl.cpu_numpy())
    for function in (ndl.add, lambda x, y: ndl.stack([x, y], 0)):
        with pytest.raises(ValueError, match=r"cpu\(\).*cpu_numpy\(\)"):
            function(a, b)
    moved = ndl.Tensor(b, device=ndl.cpu())
    assert (a + moved).device == ndl.cpu()


def test_moving_to_a_device() -> None:
    x = ndl.Tensor([1.0, 2.0])
    y = x.to(ndl.cpu_numpy())
    (y * y).sum().backward()
    assert x.grad.numpy().tolist() == [2, 4]
    assert x.grad.device == x.device == ndl.cpu()
    if BACKEND == "nd":
        assert y.device == ndl.cpu_numpy()
        q = x.quantize_uint8().to(ndl.cpu_numpy())
        assert q.quant_params == x.quantize_uint8().quant_params
    with pytest.raises(RuntimeError, match=r"ndl\.cpu\(\)"):
        x.to(ndl.cuda())


@only_nd
def test_a_device_commits_what_a_tensor_shares() -> None:
    free = ndl.Tensor([1.0, 2.0])
    fixed = ndl.Tensor(free, device=ndl.cpu())
    with pytest.raises(ValueError, match="device"):
        fixed + ndl.Tensor([1.0, 2.0], device=ndl.cpu_numpy())
