# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What no caller should give: one clear error, nothing written, no crash."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from graphs import make_relu


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
    with pytest.raises(ndl.CompileError, match=message):
        array = np.zeros((2, 3), "u1" if "u8" in dtype else "i1")
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
