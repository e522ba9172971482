# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations of arrays beside NumPy in float64, on every device and ISA.

What IEEE 754 rounds once is compared bit by bit. exp, log, tanh, power and
sigmoid keep the bounds in ulp that they state. A sum of n products or terms in
float32, in any order, differs from the exact one by at most γ(n) · Σ|terms|, with
γ(n) = n·u / (1 - n·u), u = 2**-24 (Higham, Accuracy and Stability, 3.1 and 4.2).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from arrays import (
    BINARY,
    DEVICES,
    NUMBERS,
    NUMPY_ULPS,
    REDUCTIONS,
    SHAPES,
    ULPS,
    UNARY,
    Array,
    compute_all,
    products,
    view_of,
)
from differential import SEEDS, SPECIAL, examples, same_bits, values
from hypothesis import given
from needle import backend_ndarray as nd

each_device = pytest.mark.parametrize("device", DEVICES, ids=repr)
SEED = 20261123


def gamma(terms: int) -> float:
    u = 2.0**-24
    return terms * u / (1 - terms * u)


def check(name: str, actual: Array, exact: Any, device: nd.Device, at: object) -> None:
    """Compare with the result in float64."""
    exact = np.asarray(exact, np.float64)
    assert actual.dtype == np.float32
    assert actual.shape == exact.shape, at
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
    if name not in ULPS:
        # -0 of relu and maximum is as the operation likes it.
        np.testing.assert_array_equal(actual, rounded, err_msg=str(at))
        return
    ulps = ULPS[name] if device == nd.cpu() else NUMPY_ULPS
    same = (actual == rounded) | (np.isnan(actual) & np.isnan(rounded))
    spacing = np.spacing(np.maximum(np.abs(rounded), np.finfo(np.float32).tiny))
    with np.errstate(all="ignore"):
        error = np.abs(actual.astype(np.float64) - exact)
        assert (same | (error <= ulps * spacing)).all(), (at, actual, exact)


@each_device
def test_unary(device: nd.Device) -> None:
    rng = np.random.default_rng(SEED)
    for name, operation in UNARY.items():
        before = device.launches().get(name, 0) if device == nd.cpu() else 0
        for shape, _ in SHAPES:
            array, mirror = view_of(rng, shape, device)
            with np.errstate(all="ignore"):
                exact = operation(mirror.astype(np.float64))
            check(name, operation(array).numpy(), exact, device, (name, shape))
        if device == nd.cpu():
            assert device.launches()[name] > before


@each_device
@given(seed=SEEDS)
@examples(20)
def test_unary_specials(device: nd.Device, seed: int) -> None:
    """Special values and random bits, contiguous and strided."""
    rng = np.random.default_rng(seed)
    mixed = values(rng, (3, 57), scale=float(rng.choice([0.01, 0.1, 1.0])))
    # NumPy's own functions quieten signaling NaN; their bits do not matter here.
    mixed = np.where(np.isnan(mixed), np.float32(np.nan), mixed)
    array = nd.array(mixed, device=device)
    for name, operation in UNARY.items():
        with np.errstate(all="ignore"):
            exact = operation(mixed.astype(np.float64))
        check(name, operation(array).numpy(), exact, device, name)
        check(name, operation(array[:, ::2]).numpy(), exact[:, ::2], device, name)
        check(name, operation(array.T).numpy(), exact.T, device, name)


@each_device
def test_binary(device: nd.Device) -> None:
    rng = np.random.default_rng(SEED + 1)
    for name, operation in BINARY.items():
        for left, right in SHAPES:
            a, mirror_a = view_of(rng, left, device)
            b, mirror_b = view_of(rng, right, device)
            wide_a, wide_b = mirror_a.astype(np.float64), mirror_b.astype(np.float64)
            at = (name, left, right)
            with np.errstate(all="ignore"):
                check(
                    name, operation(a, b).numpy(), operation(wide_a, wide_b), device, at
                )
                check(
                    name, operation(b, a).numpy(), operation(wide_b, wide_a), device, at
                )
                for number in NUMBERS:
                    check(
                        name,
                        operation(a, number).numpy(),
                        operation(wide_a, number),
                        device,
                        at,
                    )
                    check(
                        name,
                        operation(number, a).numpy(),
                        operation(number, wide_a),
                        device,
                        at,
                    )


@each_device
def test_binary_specials(device: nd.Device) -> None:
    """Every pair of special values."""
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    x, y = nd.array(a, device=device), nd.array(b, device=device)
    for name, operation in BINARY.items():
        with np.errstate(all="ignore"):
            exact = operation(wide_a, wide_b)
            check(name, operation(x, y).numpy(), exact, device, name)
            for number in SPECIAL.tolist():
                exact = operation(wide_a, number)
                check(name, operation(x, number).numpy(), exact, device, (name, number))
                exact = operation(number, wide_a)
                check(name, operation(number, x).numpy(), exact, device, (number, name))
    with np.errstate(all="ignore"):
        exact = np.power(wide_a, wide_b)
    check("power", (x**y).numpy(), exact, device, "negative bases")


@each_device
def test_kinds_of_operands(device: nd.Device) -> None:
    x = np.array([[1.0, -2.0, 3.0]], np.float32)
    a = nd.array(x, device=device)
    numbers: list[Any] = [2, True, 2.5, np.float32(2.5), np.int8(3), np.bool_(True)]
    numbers += [np.float64(0.1), np.array(2.0)]
    for number in numbers:
        as_float = np.float32(float(number))
        for result, expected in [
            (a + number, x + as_float),
            (number - a, as_float - x),
            (number * a, as_float * x),
            (number / a, as_float / x),
            (a <= number, x <= as_float),
            (number < a, as_float < x),
        ]:
            assert isinstance(result, nd.NDArray)
            same_bits(result.numpy(), expected.astype(np.float32))
    column = np.array([[1.0], [2.0]])
    for result, expected in [
        (a + column, x + column),
        (column - a, column - x),
        (column @ a, column @ x),
        (a.T @ column.T, x.T @ column.T),
        (np.maximum(column, a), np.maximum(column, x)),
        (column >= a, column >= x),
    ]:
        assert isinstance(result, nd.NDArray)
        same_bits(result.numpy(), expected.astype(np.float32))
    assert isinstance(np.exp(a), np.ndarray)
    assert a.__add__("x") is NotImplemented
    assert (a == None) is False  # noqa: E711
    assert (a != "x") is True
    for wrong in ("x", None, [1.0], 1j):
        with pytest.raises(TypeError):
            a + wrong
        with pytest.raises(TypeError):
            a.maximum(wrong)
    with pytest.raises(ValueError, match="two arrays; multiply"):
        a @ 2.0
    with pytest.raises(TypeError):
        pow(a, 2, 3)
    assert (a * 1e300).numpy()[0, 0] == np.inf
    with pytest.raises(OverflowError, match="too large"):
        a + 10**400


@each_device
def test_shapes_that_do_not_broadcast(device: nd.Device) -> None:
    a = nd.array(np.zeros((2, 3)), device=device)
    b = nd.array(np.zeros((2, 4)), device=device)
    for operation in BINARY.values():
        with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 4\) do not broadcast"):
            operation(a, b)
    with pytest.raises(ValueError, match="broadcast"):
        a[...] = b


@each_device
def test_reductions(device: nd.Device) -> None:
    rng = np.random.default_rng(SEED + 2)
    shapes = [
        (),
        (1,),
        (1000,),
        (7, 33),
        (33, 7),
        (3, 4, 5, 6, 2),
        (2, 70000),
        (70001,),
    ]
    for shape in shapes:
        array, mirror = view_of(rng, shape, device)
        wide = mirror.astype(np.float64)
        axes: list[Any] = [None, (), *range(-len(shape), len(shape))]
        axes += [(0, -1), tuple(range(len(shape)))] if len(shape) > 1 else []
        for axis in axes:
            for keep in (False, True):
                terms = array.size // max(1, wide.max(axis=axis).size)
                total = array.sum(axis=axis, keepdims=keep).numpy()
                exact = wide.sum(axis=axis, keepdims=keep)
                magnitude = np.abs(wide).sum(axis=axis, keepdims=keep)
                assert total.shape == exact.shape
                assert (np.abs(total - exact) <= gamma(terms) * magnitude).all()
                for name in ("max", "min"):
                    actual = getattr(array, name)(axis=axis, keepdims=keep).numpy()
                    expected = getattr(mirror, name)(axis=axis, keepdims=keep)
                    same_bits(actual, np.asarray(expected))


@each_device
def test_sums_of_integers_are_exact(device: nd.Device) -> None:
    """A term that is lost or counted twice cannot hide in a bound."""
    rng = np.random.default_rng(SEED + 3)
    whole = rng.integers(-8, 9, (40, 60, 70)).astype(np.float32)
    array = nd.array(whole, device=device)
    for axis in (None, 0, 1, 2, (0, 1), (0, 2), (1, 2)):
        same_bits(array.sum(axis=axis).numpy(), np.asarray(whole.sum(axis=axis)))
        turned = array.permute((2, 0, 1))
        expected = whole.transpose(2, 0, 1).sum(axis=axis)
        same_bits(turned.sum(axis=axis).numpy(), np.asarray(expected))
    broadcast = array[:1, :1, :].broadcast_to((50, 60, 70))
    assert float(broadcast.sum()) == 3000 * whole[0, 0].sum()


@each_device
def test_reductions_of_specials(device: nd.Device) -> None:
    nan = nd.array([[1.0, np.nan, 3.0], [np.inf, -np.inf, 0.0]], device=device)
    assert np.isnan(nan.max(axis=1).numpy()).tolist() == [True, False]
    assert np.isnan(nan.min(axis=1).numpy()).tolist() == [True, False]
    assert np.isnan(nan.sum(axis=1).numpy()).tolist() == [True, True]
    assert float(nan[1, :].max()) == np.inf
    empty = nd.array(np.zeros((0, 3)), device=device)
    assert empty.sum().numpy() == 0
    assert empty.sum(axis=0).numpy().tolist() == [0, 0, 0]
    assert empty.max(axis=1).shape == (0,)
    assert empty.sum(axis=1, keepdims=True).shape == (0, 1)
    for name in ("max", "min"):
        for axis in (None, 0, (0, 1)):
            with pytest.raises(ValueError, match=r"of nothing|no elements"):
                getattr(empty, name)(axis=axis)
    for axis, message in [(2, "axis 2 is out of range"), ((0, -2), "axis"), (-3, "-3")]:
        with pytest.raises(ValueError, match=message):
            empty.sum(axis=axis)
    with pytest.raises(TypeError):
        empty.sum(axis="0")
    for arguments, keywords, message in [
        ((0, False, 1), {}, "got 3 arguments"),
        ((0,), {"axis": 0}, "'axis' is given twice"),
        ((), {"axes": 0}, "not 'axes'"),
        ((), {"keepdims": True, "axis": 0, "out": None}, "got 3 arguments"),
    ]:
        with pytest.raises(TypeError, match=message):
            empty.sum(*arguments, **keywords)
    assert empty.sum(1, True).shape == (0, 1)
    assert empty.sum(1, keepdims=1).shape == (0, 1)
    assert empty.sum(keepdims=True, axis=1).shape == (0, 1)


MATMUL_SHAPES = [
    ((3, 5), (5, 7)),
    ((1, 1), (1, 1)),
    ((64, 1), (1, 64)),
    ((1, 300), (300, 1)),
    ((100, 50), (50, 80)),
    ((2, 3, 4, 5), (3, 5, 6)),
    ((4, 5), (2, 3, 5, 6)),
    ((2, 1, 4, 5), (1, 3, 5, 6)),
    ((0, 5), (5, 3)),
    ((3, 0), (0, 4)),
    ((0, 3, 4), (4, 2)),
    ((5,), (5,)),
    ((5,), (5, 3)),
    ((2, 4, 5), (5,)),
]


@each_device
@pytest.mark.parametrize(("left", "right"), MATMUL_SHAPES)
def test_matmul(
    device: nd.Device, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(SEED + 4)
    for _ in range(4):
        a, mirror_a = view_of(rng, left, device)
        b, mirror_b = view_of(rng, right, device)
        before = products(device, "matmul_f32")
        actual = (a @ b).numpy()
        wide_a, wide_b = mirror_a.astype(np.float64), mirror_b.astype(np.float64)
        exact = wide_a @ wide_b
        bound = gamma(left[-1]) * (np.abs(wide_a) @ np.abs(wide_b))
        assert actual.shape == exact.shape
        assert (np.abs(actual - exact) <= bound).all()
        if device == nd.cpu() and actual.size and left[-1]:
            assert products(device, "matmul_f32") > before


@each_device
def test_matmul_accuracy(device: nd.Device) -> None:
    """The stated figure: 1e-5 against float64 on unit-scale data."""
    rng = np.random.default_rng(SEED + 5)
    for m, k, n in [(100, 50, 80), (128, 128, 128), (64, 784, 256)]:
        a, b = rng.random((m, k)) / k**0.5, rng.random((k, n)) / k**0.5
        product = nd.array(a, device=device) @ nd.array(b, device=device)
        assert np.abs(product.numpy() - a @ b).max() <= 1e-5


@each_device
def test_matmul_wrong(device: nd.Device) -> None:
    def zeros(*shape: int) -> nd.NDArray:
        return nd.array(np.zeros(shape), device=device)

    for left, right in [((2, 3), (4, 5)), ((3,), (4, 5)), ((2, 3), (4,))]:
        with pytest.raises(ValueError, match=r"(@ of|multiply arrays of) shapes"):
            zeros(*left) @ zeros(*right)
    with pytest.raises(ValueError, match="broadcast"):
        zeros(2, 3, 4) @ zeros(3, 4, 5)
    with pytest.raises(ValueError, match="no dimensions"):
        zeros() @ zeros(2, 2)


@each_device
def test_matmul_with_bias(device: nd.Device) -> None:
    rng = np.random.default_rng(SEED + 6)
    a, b = rng.normal(size=(5, 6)), rng.normal(size=(6, 7))
    bias = rng.normal(size=(1, 7)).astype(np.float32)
    arrays = [nd.array(v, device=device) for v in (a, b, bias)]
    same_bits(nd.matmul(*arrays).numpy(), (arrays[0] @ arrays[1] + arrays[2]).numpy())
    quantized = [x.quantize_uint8() for x in arrays[:2]]
    same_bits(
        nd.matmul(*quantized, arrays[2]).numpy(),
        (quantized[0] @ quantized[1]).numpy() + bias,
    )
    for operands in (arrays[:2], quantized, [arrays[0], quantized[1]]):
        for wrong in (arrays[2][:, :3], arrays[2][:, :1], nd.array(np.ones((5, 7)))):
            with pytest.raises(ValueError, match=r"bias of shape .* for 7 columns"):
                nd.matmul(*operands, wrong)
    column = nd.matmul(arrays[0], arrays[1][:, 0].reshape((6,)), arrays[2][:, :1])
    assert column.shape == (5,)
    batch = arrays[0].reshape((1, 5, 6))
    assert nd.matmul(batch, arrays[1], arrays[2]).shape == (1, 5, 7)


@each_device
def test_the_backend_adds_a_bias(device: nd.Device) -> None:
    rng = np.random.default_rng(SEED + 7)
    a, b, bias = (
        nd.array(rng.normal(size=shape), device=device)
        for shape in ((2, 5, 6), (6, 7), (7,))
    )
    same_bits(device.array_matmul(a, b, bias).numpy(), (a @ b + bias).numpy())
    nothing = device.array_matmul(a[:, :0, :], b, bias)
    assert nothing.shape == (2, 0, 7)
    with pytest.raises(ValueError, match=r"bias|broadcast"):
        device.array_matmul(a, b, bias[:3])


@each_device
def test_relu_grad(device: nd.Device) -> None:
    x = nd.array([-1.0, 0.0, -0.0, 2.0, np.nan], device=device)
    g = nd.array([5.0, 6.0, 7.0, 8.0, 9.0], device=device)
    assert nd.relu_grad(x, g).numpy().tolist() == [0, 0, 0, 8, 0]


@pytest.mark.parametrize("isa", ["x86-64", "avx2"])
def test_every_isa(isa: str, tmp_path: Path) -> None:
    """All operations once more in a process with another instruction set."""
    file = tmp_path / "results.npz"
    script = Path(__file__).parent / "arrays.py"
    done = subprocess.run(
        [sys.executable, script, str(SEED), file],
        env=os.environ
        | {"NEEDLE_ISA": isa, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    used, *kernels = done.stdout.split()
    assert used == isa
    assert {"ewise_add", "scalar_power", "reduce_sum", "matmul_f32"} < set(kernels)
    assert {"quantize_u8", "dequantize_u8", "matmul_u8u8_f32"} < set(kernels)
    expected = compute_all(nd.cpu_numpy(), SEED)
    with np.load(file) as actual:
        assert sorted(actual) == sorted(expected)
        for name, value in expected.items():
            compare(name, actual[name], value)


@pytest.mark.parametrize("isa", ["avx-vnni", "avx512-vnni"])
def test_isa_without_kernels_of_its_own(isa: str) -> None:
    """NEEDLE_ISA limits what kernels may use; these need no more than AVX2."""
    (target,) = (row for row in ndl.targets() if row.name == isa)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from needle import backend_ndarray as nd\n"
            "print((nd.array([1.0]) + nd.array([2.0])).numpy(), nd.cpu().isa())",
        ],
        env=os.environ
        | {"NEEDLE_ISA": isa, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    if set(target.features) <= set(ndl.cpu_features()):
        assert done.stdout == "[3.] avx2\n", done.stderr
    else:
        assert f"target '{isa}' (set by NEEDLE_ISA) needs" in done.stderr


def test_unknown_isa() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from needle import backend_ndarray as nd; nd.array(1)"],
        env=os.environ
        | {"NEEDLE_ISA": "avx9", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no body for target 'avx9' (set by NEEDLE_ISA)" in done.stderr


def compare(name: str, actual: Array, numpys: Array) -> None:
    """Results of needle's kernels and of NumPy."""
    kind = name.split("/")[0]
    assert actual.shape == numpys.shape, name
    if kind in ULPS:
        spacing = np.spacing(np.maximum(np.abs(numpys), np.finfo(np.float32).tiny))
        same = (actual == numpys) | (np.isnan(actual) & np.isnan(numpys))
        with np.errstate(all="ignore"):
            close = np.abs(actual - numpys) <= (ULPS[kind] + NUMPY_ULPS) * spacing
        assert (same | close).all(), name
    elif kind in ("sum", "matmul"):
        # Both within γ(n) Σ|terms| of the exact sum; terms are below 6 here.
        terms = 300 * 301 if kind == "sum" else 70
        largest = 6 if kind == "sum" else 36
        np.testing.assert_allclose(
            actual, numpys, rtol=0, atol=2 * gamma(terms) * terms * largest
        )
    else:
        np.testing.assert_array_equal(actual, numpys, err_msg=name)


def test_names_are_complete() -> None:
    """Every operation of the kernel library is computed by the tests above."""
    compute_all(nd.cpu(), SEED)
    seen = set(nd.cpu().launches())
    names = {f"ewise_{n}" for n in BINARY} | {f"scalar_{n}" for n in BINARY}
    names |= {f"reduce_{n}" for n in REDUCTIONS} | set(UNARY)
    names |= {"scalar_rsub", "scalar_rdiv", "scalar_rpower", "copy", "range_min"}
    assert names <= seen
