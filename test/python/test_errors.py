# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wrong programs: one clear message with its place; nothing crashes or hangs."""

from __future__ import annotations

import contextlib

import needle as ndl
import numpy as np
import pytest
from differential import examples
from hypothesis import given
from hypothesis import strategies as st

F = "tensor<2x3xf32>"


def function(body: str, arguments: str = f"%x: {F}", result: str = F) -> str:
    return f"func.func @main({arguments}) -> {result} {{\n{body}\n}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", r"m\.mlir:1:1: .*nonsense"),
        (
            function(f"  %y = needle.foo %x : {F}\n  return %y : {F}"),
            r"m\.mlir:2:8: .*needle\.foo.* is unknown",
        ),
        (
            function(f'  %y = "other.op"(%x) : ({F}) -> {F}\n  return %y : {F}'),
            r"m\.mlir:2:\d+: .*unregistered dialect",
        ),
        (
            function(
                f"  %y = needle.relu %x : {F} -> tensor<3x2xf32>\n  return %x : {F}"
            ),
            r"m\.mlir:2:8: 'needle\.relu' op .*tensor<3x2xf32>",
        ),
        (
            function(
                f"  %y = needle.matmul %x, %x : {F}, {F} -> {F}\n  return %y : {F}"
            ),
            r"m\.mlir:2:8: 'needle\.matmul' op K differs",
        ),
        (
            function("  return", "%x: tensor<2xf64>", "()").replace(
                "return",
                "%y = needle.relu %x : tensor<2xf64> -> tensor<2xf64>\n  return",
            ),
            r"m\.mlir:2:8: 'needle\.relu' op operand #0 must be .*f64",
        ),
        (
            function(f"  %y = needle.relu %z : {F} -> {F}\n  return %y : {F}"),
            r"m\.mlir:2:20: use of undeclared SSA value name",
        ),
        (
            function(
                "  %y = needle.quantize %x : tensor<2x3xf32> -> "
                f"tensor<2x3x!quant.uniform<u8:f32, -1.0>>\n  return %x : {F}"
            ),
            r"m\.mlir:2:\d+: .*scale",
        ),
        (
            function(
                "  %y = needle.constant dense_resource<w> : tensor<64xf32> -> "
                f"tensor<64xf32>\n  return %x : {F}"
            ),
            r"m\.mlir:2:8: .*'w' has no data",
        ),
        (function(f"  return %x : {F}")[:-4], r"m\.mlir:\d+:\d+: "),
    ],
)
def test_wrong_text(text: str, message: str) -> None:
    with pytest.raises(ndl.CompileError, match=message) as caught:
        ndl.compile(ndl.parse(text, name="m.mlir"))
    assert len(str(caught.value).splitlines()) == 1


def test_resource_of_the_wrong_size() -> None:
    text = (
        function(
            "  %y = needle.constant dense_resource<w> : tensor<64xf32> -> "
            f"tensor<64xf32>\n  return %x : {F}"
        )
        + '{-# dialect_resources: { builtin: { w: "0x0400000000000000" } } #-}'
    )
    with pytest.raises(ndl.CompileError, match="'w'"):
        ndl.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            function(f"  %y = func.call @g(%x) : ({F}) -> {F}\n  return %y : {F}")
            + f"func.func private @g(%x: {F}) -> {F}",
            r"m\.mlir:2:8: 'func\.call' op is not supported",
        ),
        (
            "func.func @main(%x: f32) -> f32 {\n  return %x : f32\n}",
            r"m\.mlir:1:1: .*f32",
        ),
        (
            "func.func @main(%x: tensor<*xf32>) -> tensor<*xf32> {\n"
            "  return %x : tensor<*xf32>\n}",
            r"m\.mlir:1:1: .*tensor<\*xf32>",
        ),
        (
            "func.func @main(%x: tensor<2xf64>) -> tensor<2xf64> {\n"
            "  return %x : tensor<2xf64>\n}",
            r"m\.mlir:1:1: .*f64",
        ),
    ],
)
def test_valid_text_that_cannot_be_compiled(text: str, message: str) -> None:
    """It parses; compiling says what is not supported, and where."""
    graph = ndl.parse(text, name="m.mlir")
    with pytest.raises(ndl.CompileError, match=message):
        ndl.compile(graph)


def test_module_without_entry_points() -> None:
    with pytest.raises(ValueError, match="no entry point 'main'; it has none"):
        ndl.compile(ndl.parse(""))


def test_a_compile_error_is_a_value_error() -> None:
    assert issubclass(ndl.CompileError, ValueError)
    assert issubclass(ndl.CompileError, ndl.NeedleError)
    assert issubclass(ndl.ArtifactError, ndl.NeedleError)


@given(place=st.integers(0, 10**6), text=st.text(max_size=8), cut=st.integers(0, 30))
@examples(300)
def test_damaged_text_never_crashes(place: int, text: str, cut: int) -> None:
    """Whatever stands there: it parses, or it is an error."""
    good = function(
        "  %w = needle.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32> -> "
        "tensor<3xf32>\n"
        f"  %y = needle.add %x, %w : {F}, tensor<3xf32> -> {F}\n"
        f"  %q = needle.quantize %y : {F} -> "
        "tensor<2x3x!quant.uniform<u8:f32, 0.5:3>>\n"
        "  %d = needle.dequantize %q : tensor<2x3x!quant.uniform<u8:f32, 0.5:3>> "
        f"-> {F}\n"
        f"  return %d : {F}"
    )
    at = place % len(good)
    with contextlib.suppress(ndl.CompileError):
        ndl.parse(good[:at] + text + good[at + cut :])


def test_huge_shapes_do_not_crash() -> None:
    """What no machine can hold is an error, of memory or of shape."""
    builder = ndl.GraphBuilder()
    x = builder.input("x", (None, 2**31))
    y = builder.input("y", (None, 2**31))
    builder.output(builder.matmul(x, y, transpose_b=True))
    run = ndl.compile(builder.build())
    empty = np.zeros((0, 2**31), np.float32)
    assert run(empty, empty).shape == (0, 0)
    wide = np.broadcast_to(np.zeros((1, 1), np.float32), (2**20, 2**31))
    with pytest.raises((MemoryError, ValueError)):
        run(wide, wide)
