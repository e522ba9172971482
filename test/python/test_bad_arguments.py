# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What no caller should give: one clear error, nothing written, no crash."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from graphs import make_linear, make_relu


@pytest.fixture(scope="module")
def relu() -> ndl.Executable:
    return ndl.compile(make_relu((2,)))


def test_save_refuses_a_fifo(relu: ndl.Executable, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    link = tmp_path / "link"
    link.symlink_to(fifo)
    for path in (fifo, link):
        with pytest.raises(OSError, match=f"{path} exists and is not a regular"):
            relu.save(path)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [fifo, link]


def test_save_refuses_a_folder(relu: ndl.Executable, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is not a regular file"):
        relu.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_save_follows_links_and_keeps_the_mode(
    relu: ndl.Executable, tmp_path: Path
) -> None:
    file = tmp_path / "folder" / "file.ndl"
    file.parent.mkdir()
    file.write_bytes(b"old")
    file.chmod(0o640)
    link = tmp_path / "link.ndl"
    link.symlink_to(file)
    relu.save(link)
    assert link.is_symlink()
    assert file.read_bytes() == relu.artifact
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    new = tmp_path / "folder" / "new.ndl"
    dangling = tmp_path / "dangling.ndl"
    dangling.symlink_to(new)
    relu.save(dangling)
    assert new.read_bytes() == relu.artifact


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        (np.array([1, 2], "i4"), "float32", "float32.*array of int32"),
        (np.array([1, 2], "f4"), "int32", "int32.*array of float32"),
        (np.array([200], "u1"), "int8", "int8.*array of uint8"),
        (np.array([200], "u1"), "!quant.uniform<i8:f32, 0.5>", "int8.*of uint8"),
        (np.array([-1], "i1"), "!quant.uniform<u8:f32, 0.5:3>", "uint8.*of int8"),
        (np.array([1], "f4"), "!quant.uniform< u8 : f32, 0.5:3>", "uint8.*float32"),
        (np.array([-1], "i1"), "!quant.uniform<u8<0:9>:f32, 0.5>", "uint8.*int8"),
    ],
)
def test_constants_are_not_reinterpreted(
    array: np.ndarray, dtype: str, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        ndl.GraphBuilder().constant(array, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "array"),
    [
        ("!quant.uniform<u8:f32, 0.5:3>", np.array([200], "u1")),
        ("!quant.uniform<i8<-127:127>:f32, 0.5>", np.array([-127], "i1")),
        ("float32", np.array([1], "f4")),
    ],
)
def test_constants_of_their_storage_type(dtype: str, array: np.ndarray) -> None:
    value = ndl.GraphBuilder().constant(array, dtype=dtype)
    assert value.dtype == array.dtype.name


@pytest.mark.parametrize("size", ["abc", "nan", "inf", "-1"])
def test_cache_size(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    monkeypatch.setenv("NEEDLE_CACHE_SIZE", size)
    with pytest.raises(ValueError, match=f"NEEDLE_CACHE_SIZE.*megabytes.*'{size}'"):
        ndl.compile(make_relu((3,)))
    assert not empty_cache.exists()
    monkeypatch.setenv("NEEDLE_CACHE", "0")
    ndl.compile(make_relu((3,)))


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("!quant.calibrated<f32<-1.0:1.0>>", "unsupported element type"),
        ("!quant.any<i8:f32>", "unsupported element type"),
        ("!quant.any<i8>", "unsupported element type"),
        ("!quant.uniform<u8:f32, 0.5:300>", "zero point 300 .*storage range"),
        ("!quant.uniform<u8:f32, 0.1>", "is not an f32 value"),
        ("!quant.uniform<u8:f64, 0.5>", "expressed type .* must be f32"),
        ("!quant.uniform<i16:f32, 0.5>", "must have 8 bits"),
        ("!quant.uniform<i8:f32:1, {0.5, 0.25}>", "2 scales, but dimension 1 is 3"),
        ("!quant.uniform<i8:f32:5, {0.5}>", "axis 5 .* does not exist"),
    ],
)
def test_types_of_inputs(dtype: str, message: str) -> None:
    builder = ndl.GraphBuilder()
    with pytest.raises(ndl.CompileError, match=message):
        builder.input("x", (2, 3), dtype)
    array = np.zeros((2, 3), "u1" if "u8" in dtype else "i1")
    with pytest.raises(ndl.CompileError, match=message):
        builder.constant(array, dtype=dtype)
    builder.output(builder.input("x", (2, 3)))
    assert [spec.name for spec in builder.build().inputs] == ["x"]


def test_optional_operands() -> None:
    builder = ndl.GraphBuilder()
    q = builder.input("q", (2, 3), "!quant.uniform<u8:f32, 0.5:3>")
    w = builder.input("w", (3, 2), "!quant.uniform<i8:f32, 0.25>")
    raw = builder.input("raw", (2, 3), "uint8")
    scale, zero = builder.constant(np.float32(0.5)), builder.constant(np.int32(3))
    bias = builder.constant(np.ones(2, np.float32))
    types = [("float32", (2, 3))]
    (x,) = builder.op("dequantize", q, result_types=types)
    (y,) = builder.op("dequantize", raw, scale, zero, result_types=types)
    square = [("float32", (2, 2))]
    (z,) = builder.op("qmatmul", q, w, result_types=square)
    with pytest.raises(
        ndl.CompileError,
        match=r"qmatmul.* 2 operands and 5 optional ones, got 3.*operandSegmentSizes",
    ):
        builder.op("qmatmul", q, w, bias, result_types=square)
    segments = "{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 1>}"
    (b,) = builder.op("qmatmul", q, w, bias, attributes=segments, result_types=square)
    for value in (x, y, z, b):
        builder.output(value)
    left = np.arange(6, dtype=np.uint8).reshape(2, 3)
    right = np.arange(6, dtype=np.int8).reshape(3, 2)
    results = ndl.reference(builder.build(), (left, right, left))
    real = (left.astype(np.float32) - 3) * np.float32(0.5)
    product = real @ (right.astype(np.float32) * np.float32(0.25))
    for result, wanted in zip(results, (real, real, product, product + 1), strict=True):
        np.testing.assert_array_equal(result, wanted)


def graph() -> ndl.Graph:
    return make_relu((2, 2))


def with_input(act: Callable[[ndl.GraphBuilder, Any], Any]) -> Callable[[], Any]:
    def run() -> Any:
        builder = ndl.GraphBuilder()
        return act(builder, builder.input("x", (2, 2)))

    return run


def make_input(*arguments: Any) -> Any:
    return ndl.GraphBuilder().input(*arguments)


CASES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "threads-text": (lambda: ndl.compile(graph(), threads="2"), TypeError, "threads"),
    "threads-float": (lambda: ndl.compile(graph(), threads=2.5), TypeError, "threads"),
    "threads-big": (lambda: ndl.compile(graph(), threads=10**30), ValueError, "thr"),
    "target": (lambda: ndl.compile(graph(), target=5), TypeError, "target"),
    "stage": (lambda: ndl.compile(graph()).mlir(None), TypeError, "stage"),
    "asm": (lambda: ndl.compile(graph()).asm(5), TypeError, "target"),
    "runs": (lambda: ndl.compile(graph()).profile(runs=2.5), TypeError, "runs"),
    "builder-none": (lambda: ndl.GraphBuilder(None), TypeError, "name"),
    "builder-nul": (lambda: ndl.GraphBuilder("a\0b"), ValueError, "name.*NUL"),
    "builder-surrogate": (lambda: ndl.GraphBuilder("\ud800"), ValueError, "Unicode"),
    "input-name": (lambda: make_input(5, (2,)), TypeError, "name"),
    "input-nul": (lambda: make_input("a\0b", (2,)), ValueError, "name.*NUL"),
    "shape-float": (lambda: make_input("x", 2.5), TypeError, "shape"),
    "shape-text": (lambda: make_input("x", "ab"), TypeError, "shape"),
    "dim-float": (lambda: make_input("x", (2.5,)), TypeError, "a dimension.*2.5"),
    "dim-text": (lambda: make_input("x", ("a",)), TypeError, "a dimension.*'a'"),
    "dim-big": (lambda: make_input("x", (1 << 64,)), ValueError, "a dimension.*184"),
    "dim-bool": (lambda: make_input("x", (True,)), TypeError, "a dimension.*True"),
    "dtype-nul": (lambda: make_input("x", (), "!quant\0"), ValueError, "dtype.*NUL"),
    "reference": (lambda: ndl.reference(None, ()), TypeError, "Graph.*NoneType"),
    "quantize": (lambda: ndl.quantize(None), TypeError, "Graph.*NoneType"),
    "config": (lambda: ndl.quantize(graph(), [], "dynamic"), TypeError, "config"),
    "calibration": (lambda: ndl.quantize(make_linear(), 5), TypeError, "iterable"),
    "flag-text": (
        with_input(lambda b, x: b.matmul(x, x, transpose_b="yes")),
        TypeError,
        "transpose_b",
    ),
    "flag-two": (
        with_input(lambda b, x: b.matmul(x, x, transpose_b=2)),
        TypeError,
        "transpose_b",
    ),
    "num-results": (
        with_input(lambda b, x: b.op("relu", x, num_results=10**9)),
        ValueError,
        "num_results",
    ),
    "mnemonic": (with_input(lambda b, x: b.op(5, x)), TypeError, "mnemonic"),
    "attributes": (
        with_input(lambda b, x: b.op("relu", x, attributes="{}\0")),
        ValueError,
        "attributes.*NUL",
    ),
    "result-types": (
        with_input(lambda b, x: b.op("reshape", x, result_types=["float32"])),
        TypeError,
        "result_types",
    ),
    "result-types-number": (
        with_input(lambda b, x: b.op("reshape", x, result_types=5)),
        TypeError,
        "result_types.*int",
    ),
    "operand-big": (
        with_input(lambda b, x: b.add(x, 10**400)),
        ValueError,
        "range of float32",
    ),
    "op-name": (with_input(lambda b, x: b.relu(x, name=5)), TypeError, "name"),
    "output-nul": (with_input(lambda b, x: b.output(x, "\0")), ValueError, "name.*NUL"),
    "reshape": (with_input(lambda b, x: b.reshape(x, (2.5,))), TypeError, "a dimens"),
    "axis": (with_input(lambda b, x: b.transpose(x, (0.0, 1))), TypeError, "an axis"),
    "parse": (lambda: ndl.parse(b"x"), TypeError, "parse takes.*bytes"),
    "json-exclude": (
        lambda: ndl.QuantizationConfig.from_text('{"exclude": "a"}'),
        ValueError,
        "exclude is a sequence",
    ),
    "json-number": (
        lambda: ndl.QuantizationConfig.from_text('{"include": 5}'),
        ValueError,
        "include is a sequence",
    ),
    "json-five": (
        lambda: ndl.QuantizationConfig.from_text("5"),
        ValueError,
        "JSON object",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_arguments(case: str) -> None:
    act, kind, message = CASES[case]
    with pytest.raises(kind, match=message) as caught:
        act()
    assert type(caught.value) is kind
    assert "incompatible function arguments" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load_of_a_wrong_target(relu: ndl.Executable, tmp_path: Path) -> None:
    relu.save(tmp_path / "relu.ndl")
    with pytest.raises(TypeError, match="target is a string, got int"):
        ndl.load(tmp_path / "relu.ndl", target=5)
    with pytest.raises(TypeError, match="entry is a string, got int"):
        ndl.load(tmp_path / "relu.ndl", entry=5)


@pytest.mark.parametrize(
    "batch", [np.full((4, 2), np.nan, np.float32), np.zeros((0, 2), np.float32)]
)
def test_calibration_without_a_number(batch: np.ndarray) -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None, 2))
    y = builder.matmul(x, np.ones((2, 3), np.float32), name="first")
    builder.output(builder.matmul(y, np.ones((3, 1), np.float32), name="second"))
    graph = builder.build()
    with pytest.raises(ValueError, match=r"empty or NaN.*'lhs' of 'first'") as caught:
        ndl.quantize(graph, [batch, batch])
    assert "'lhs' of 'second'" in str(caught.value)
    assert "exclude the operation" in str(caught.value)
    assert "allow-uncalibrated" not in str(caught.value)
    good = np.ones((4, 2), np.float32)
    assert "needle.qmatmul" in ndl.quantize(graph, [batch, good]).mlir()
