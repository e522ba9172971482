# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Building graphs: results, locations, errors at the line that caused them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from graphs import data, make_linear, make_relu


def line() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


@pytest.fixture
def builder() -> ndl.GraphBuilder:
    return ndl.GraphBuilder("test")


def test_every_method_against_numpy(builder: ndl.GraphBuilder) -> None:
    a, b = data(3, 4, seed=1), data(3, 4, seed=2)
    x, y = builder.input("a", (3, 4)), builder.input("b", (3, 4))
    expected = {
        "matmul": (builder.matmul(x, y, transpose_b=True), a @ b.T),
        "matmul_a": (builder.matmul(x, y, transpose_a=True), a.T @ b),
        "add": (builder.add(x, y), a + b),
        "sub": (builder.sub(x, y), a - b),
        "mul": (builder.mul(x, y), a * b),
        "div": (builder.div(x, y), a / b),
        "maximum": (builder.maximum(x, y), np.maximum(a, b)),
        "minimum": (builder.minimum(x, y), np.minimum(a, b)),
        "relu": (builder.relu(x), np.maximum(a, 0)),
        "neg": (builder.neg(x), -a),
        "abs": (builder.abs(x), np.abs(a)),
        "sqrt": (builder.sqrt(builder.abs(x)), np.sqrt(np.abs(a))),
        "transpose": (builder.transpose(x), a.T),
        "transpose_negative": (builder.transpose(x, (-1, 0)), a.T),
        "reshape": (builder.reshape(x, (2, -1)), a.reshape(2, 6)),
        "scalar": (builder.add(x, 2), a + 2),
        "array": (builder.mul(np.float32(3), x), 3 * a),
    }
    for name, (value, _) in expected.items():
        builder.output(value, name=name)
    graph = builder.build()
    assert [spec.name for spec in graph.outputs] == list(expected)
    results = ndl.reference(graph, {"b": b, "a": a})
    for (name, (_, wanted)), result in zip(expected.items(), results, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-6, atol=1e-6, err_msg=name)


def test_values_know_shape_and_dtype(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (None, 3), np.float32)
    q = builder.input("q", (2,), "!quant.uniform<u8:f32, 0.5:3>")
    assert (x.shape, x.dtype) == ((None, 3), "float32")
    assert (q.shape, q.dtype) == ((2,), "uint8")
    assert builder.reshape(x, (-1,)).shape == (None,)
    assert builder.constant(np.arange(3, dtype=np.int32)).dtype == "int32"
    assert repr(x) == "Value(float32, shape=(None, 3))"


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "int8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 5), (17, 0, 2), (40, 40)])
def test_constants_are_what_they_were(
    builder: ndl.GraphBuilder, dtype: str, shape: tuple[int, ...]
) -> None:
    size = int(np.prod(shape))
    array = (np.arange(size).reshape(shape) * 37 - 90).astype(dtype)
    builder.output(builder.constant(array))
    graph = builder.build()
    for made in (graph, ndl.parse(graph.mlir())):
        result = ndl.reference(made, ())
        assert isinstance(result, np.ndarray)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, array)


def test_constants_keep_bits_and_layouts(builder: ndl.GraphBuilder) -> None:
    bits = np.array([0x7FC00001, 0x80000000, 0x00000001, 0xFF800000], np.uint32)
    special = np.tile(bits, 8).view(np.float32)
    strided = data(8, 6)[::2, ::-1]
    swapped = strided.astype(">f4")
    for array in (special, strided, swapped):
        builder.output(builder.constant(array))
    first, second, third = ndl.reference(builder.build(), ())
    np.testing.assert_array_equal(first.view(np.uint32), special.view(np.uint32))
    np.testing.assert_array_equal(second, strided)
    np.testing.assert_array_equal(third, strided)


def test_a_constant_is_a_copy(builder: ndl.GraphBuilder) -> None:
    array = data(100)
    kept = array.copy()
    builder.output(builder.constant(array))
    array[:] = 0
    np.testing.assert_array_equal(ndl.reference(builder.build(), ()), kept)


def test_text_goes_round() -> None:
    graph = make_linear()
    again = ndl.parse(graph.mlir(locations=True))
    assert again.fingerprint() == graph.fingerprint()
    assert again.inputs == graph.inputs
    # Without locations it is another module: artifacts hold them.
    assert ndl.parse(graph.mlir()).fingerprint() != graph.fingerprint()
    assert make_linear(seed=1).fingerprint() != graph.fingerprint()


def test_fingerprint_tells_large_constants_apart() -> None:
    prints = set()
    for value in (0, 1, 2):
        builder = ndl.GraphBuilder()
        builder.output(builder.constant(np.full(100, value, np.float32)))
        prints.add(builder.build().fingerprint())
    assert len(prints) == 3


def test_str_leaves_large_constants_out() -> None:
    graph = make_linear(128, 64)
    assert len(graph.mlir()) > 2 * 4 * 128 * 64
    assert len(str(graph)) < 4000
    assert "needle.matmul" in str(graph)
    with pytest.raises(ndl.CompileError, match=r"weight.*has no data"):
        ndl.parse(str(graph))


def test_locations_name_the_callers_line(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (2, 3))
    at = line() + 1
    y = builder.relu(x, name="activation")
    builder.output(y)
    text = builder.build().mlir(locations=True)
    assert f'loc("{__file__}":{at}:0)' in text
    assert 'loc("activation"' in text


def raises_here(act: Callable[[], Any], message: str) -> None:
    """It raises a CompileError whose message begins with the line of `act`."""
    with pytest.raises(ndl.CompileError, match=message) as caught:
        act()
    start = act.__code__.co_firstlineno
    assert str(caught.value).startswith(f"{__file__}:{start}: ")


def test_errors_name_line_operation_and_operand(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (2, 3))
    raises_here(lambda: builder.matmul(x, x), "'needle.matmul' op K differs: .*3.*2")
    raises_here(lambda: builder.add(x, data(4)), "'needle.add' op cannot broadcast")
    raises_here(lambda: builder.transpose(x, (0, 0)), "permutation \\[0, 0\\]")
    raises_here(lambda: builder.transpose(x, (0, 2)), "permutation \\[0, 2\\]")
    raises_here(lambda: builder.reshape(x, (4,)), "6 elements against 4")
    raises_here(lambda: builder.reshape(x, (-1, -1)), "at most one dynamic")
    raises_here(lambda: builder.input("x", (2,)), "already an input named 'x'")
    raises_here(lambda: builder.input("", (2,)), "an input needs a name")
    raises_here(lambda: builder.input("y", (1,) * 17), "at most 16 dimensions")
    raises_here(lambda: builder.input("y", (2**40,) * 3), "overflows")
    raises_here(lambda: builder.input("y", (1,), "!quant.uniform<u8"), "uniform<u8")
    raises_here(lambda: builder.input("y", (1,), "!foo.bar"), "foo")
    raises_here(lambda: builder.op("foo", x), "no operation 'needle.foo'")
    raises_here(lambda: builder.op("relu"), "at least 1 operands, got 0")
    raises_here(lambda: builder.op("relu", x, x), "'needle.relu' op")
    raises_here(lambda: builder.op("matmul", x), "at least 2 operands, got 1")
    raises_here(lambda: builder.op("relu", x, num_results=2), "1 results, not 2")
    raises_here(lambda: builder.op("qmatmul", x, x), "does not infer")
    raises_here(lambda: builder.op("transpose", x), "requires attribute 'permutation'")
    raises_here(lambda: builder.op("observe", x), "requires attribute 'id'")
    raises_here(lambda: builder.op("relu", x, attributes="{a"), "in '\\{a'")
    raises_here(lambda: builder.op("relu", x, attributes="3 : i32"), "dictionary")
    raises_here(
        lambda: builder.op("matmul", x, x, attributes="{transpose_rhs = 1 : i32}"),
        "transpose_rhs",
    )
    raises_here(
        lambda: builder.op("matmul", x, x, attributes="{transpose_b}"),
        "'needle.matmul' op has no attribute \"transpose_b\"; it has .*transpose_rhs",
    )
    raises_here(
        lambda: builder.op("relu", x, attributes="{axes = 1 : i64}"),
        "'needle.relu' op has no attribute \"axes\"; it has none",
    )
    raises_here(lambda: builder.build(), "no output")
    builder.output(x, name="y")
    raises_here(lambda: builder.output(x, name="y"), "already an output named 'y'")
    # A failing step has added nothing.
    assert str(builder.build()).count("needle.") == 3  # two names, one constant


def test_wrong_arguments(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (2, 3))
    other = ndl.GraphBuilder().input("x", (2, 3))
    with pytest.raises(ValueError, match="another GraphBuilder"):
        builder.relu(other)
    with pytest.raises(TypeError, match=r"an operand is a Value.*got str"):
        builder.relu("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="float64; convert it"):
        builder.constant(np.zeros(3))
    with pytest.raises(TypeError, match="dtype 'float64' is none of"):
        builder.input("y", (2,), np.float64)
    with pytest.raises(TypeError, match="dtype 'nonsense' is none of"):
        builder.input("y", (2,), "nonsense")
    with pytest.raises(ValueError, match="cannot be -1; None stands"):
        builder.input("y", (-1,))
    builder.relu(x, name="twice")
    with pytest.raises(ValueError, match="already an operation named 'twice'"):
        builder.relu(x, name="twice")
    with pytest.raises(ValueError, match="not empty"):
        builder.relu(x, name="")
    builder.output(x)
    builder.build()
    with pytest.raises(ValueError, match="already been built"):
        builder.relu(x)


def test_names_are_made_unique(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (2,))
    builder.relu(x, name="relu_1")
    builder.output(builder.relu(builder.relu(x)))
    builder.output(x)
    graph = builder.build()
    assert [spec.name for spec in graph.outputs] == ["output_0", "output_1"]
    text = graph.mlir(locations=True)
    for name in ("relu_0", "relu_1", "relu_2"):
        assert text.count(f'loc("{name}"') == 1


def test_any_operation_by_name(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (None, 4))
    q, scale, zero = builder.op("quantize_dynamic", x, num_results=3)
    (back,) = builder.op(
        "dequantize",
        q,
        scale,
        zero,
        attributes="{operandSegmentSizes = array<i32: 1, 1, 1>}",
        result_types=[("float32", (None, 4))],
    )
    assert (q.dtype, scale.shape, zero.dtype) == ("uint8", (), "int32")
    builder.output(back)
    values = data(5, 4)
    result = ndl.reference(builder.build(), values)
    assert isinstance(result, np.ndarray)
    assert 0 < np.abs(result - values).max() < 0.02


def test_quantized_inputs_and_constants(builder: ndl.GraphBuilder) -> None:
    element = "!quant.uniform<u8:f32, 0.5:3>"
    q = builder.input("q", (None, 4), element)
    c = builder.constant(np.arange(4, dtype=np.uint8), dtype=element)
    for value, shape in ((q, (None, 4)), (c, (4,))):
        (real,) = builder.op(
            "dequantize",
            value,
            attributes="{operandSegmentSizes = array<i32: 1, 0, 0>}",
            result_types=[("float32", shape)],
        )
        builder.output(real)
    graph = builder.build()
    info = graph.inputs[0].quantization
    assert info == ndl.QuantizationInfo((0.5,), (3,), None, 0, 255)
    stored = np.arange(8, dtype=np.uint8).reshape(2, 4)
    first, second = ndl.compile(graph)(stored)
    np.testing.assert_array_equal(first, (stored.astype(np.float32) - 3) * 0.5)
    np.testing.assert_array_equal(second, (np.arange(4, dtype=np.float32) - 3) * 0.5)


def test_signature_and_repr() -> None:
    graph = make_linear()
    assert graph.name == "linear"
    assert graph.inputs == (ndl.TensorSpec("x", (None, 8), "float32"),)
    assert repr(graph) == ("Graph('linear', (x: float32[?, 8]) -> (y: float32[?, 5]))")


def test_names_of_unnamed_tensors() -> None:
    """The same before and after compiling."""
    graph = ndl.parse(
        "func.func @main(%0: tensor<2xf32>, %1: tensor<2xf32>) -> tensor<2xf32> {\n"
        "  return %1 : tensor<2xf32>\n}"
    )
    assert [spec.name for spec in graph.inputs] == ["arg0", "arg1"]
    run = ndl.compile(graph)
    assert (run.inputs, run.outputs) == (graph.inputs, graph.outputs)


def test_parse_file(tmp_path: Path) -> None:
    path = tmp_path / "relu.mlir"
    path.write_text(make_relu().mlir())
    assert ndl.parse(path).inputs == make_relu().inputs
    path.write_text("func.func @main() {\n  needle.nonsense\n}")
    with pytest.raises(ndl.CompileError, match=r"relu\.mlir:2:3: .*needle.nonsense"):
        ndl.parse(path)
    with pytest.raises(FileNotFoundError):
        ndl.parse(tmp_path / "none.mlir")


def test_reference_takes_inputs_in_three_ways() -> None:
    graph, x = make_relu(), data(4)
    for inputs in (x, (x,), [x], {"x": x}, x[::1]):
        np.testing.assert_array_equal(ndl.reference(graph, inputs), np.maximum(x, 0))
    np.testing.assert_array_equal(ndl.reference(graph, x[::-2]), np.maximum(x[::-2], 0))
    with pytest.raises(TypeError, match="the inputs are 'x', got 'z'"):
        ndl.reference(graph, {"z": x})
    with pytest.raises(TypeError, match=r"main\(\) takes 1 inputs \('x'\), got 2"):
        ndl.reference(graph, (x, x))
    with pytest.raises(TypeError, match="input 'x': expected float32, got float64"):
        ndl.reference(graph, x.astype(np.float64))
    with pytest.raises(ValueError, match="input 'x': expected 1 dimensions, got 2"):
        ndl.reference(graph, data(2, 2))
