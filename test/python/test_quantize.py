# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantizing: calibration, configuration, what is left in float, errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import needle as ndl
import numeric_model as model
import numpy as np
import pytest
from graphs import data, make_linear, make_two_inputs


def ops(graph: ndl.Graph) -> list[str]:
    """The operations but constants, in order."""
    found = re.findall(r"needle\.(\w+) [%\"d]", str(graph))
    return [name for name in found if name != "constant"]


def two_layers() -> ndl.Graph:
    builder = ndl.GraphBuilder("two layers")
    x = builder.input("x", (None, 6))
    h = builder.relu(builder.matmul(x, data(6, 7), name="first"))
    builder.output(builder.matmul(h, data(7, 3), name="second"), name="y")
    return builder.build()


def test_static_parameters_are_those_of_the_data() -> None:
    """N2 from the least and largest value of all batches together."""
    batches = [data(5, 6, seed=seed) * (seed + 1) for seed in range(3)]
    batches[1][0, 0] = np.nan
    quantized = ndl.quantize(two_layers(), batches)
    assert ops(quantized) == ["quantize", "qmatmul", "qmatmul"]
    everything = np.concatenate(batches)
    scale, zero = model.parameters(*model.value_range(everything), model.UINT8)
    found = re.search(r"quantize %arg0.*u8:f32, ([\d.e-]+):(\d+)>", str(quantized))
    assert found is not None
    assert np.float32(found[1]) == scale
    assert int(found[2]) == zero
    # Per-channel weights: one scale a column.
    for column in data(6, 7).T:
        expected, _ = model.parameters(*model.value_range(column), model.INT8)
        assert f"{float(expected):.6g}"[:7] in str(quantized)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["quantize", "qmatmul", "qmatmul"]),
        ({"granularity": "per-tensor"}, ["quantize", "qmatmul", "qmatmul"]),
        (
            {"mode": "dynamic"},
            ["quantize_dynamic", "qmatmul", "quantize_dynamic", "qmatmul"],
        ),
        ({"exclude": ["first"]}, ["matmul", "quantize", "qmatmul"]),
        ({"include": ["first"]}, ["quantize", "qmatmul", "matmul"]),
        ({"include": ["*st", "sec*"]}, ["quantize", "qmatmul", "qmatmul"]),
        ({"activations": "none"}, ["dequantize", "dequantize", "matmul", "matmul"]),
    ],
)
def test_configurations(config: dict[str, Any], expected: list[str]) -> None:
    chosen = ndl.QuantizationConfig(**config)
    quantized = ndl.quantize(two_layers(), [data(4, 6)], chosen)
    assert sorted(ops(quantized)) == sorted(expected)
    assert ("f32:1, {" in str(quantized)) == (chosen.granularity == "per-axis")


def test_reasons_are_recorded() -> None:
    config = ndl.QuantizationConfig(exclude=("first",))
    text = str(ndl.quantize(two_layers(), [data(4, 6)], config))
    assert "needle.not_quantized = \"excluded by 'first'\"" in text
    config = ndl.QuantizationConfig(activations="none")
    assert "needle.not_fused = \"operand 'lhs'" in str(
        ndl.quantize(two_layers(), None, config)
    )


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_transposed_convolution_stays_float_with_a_reason(mode: Any) -> None:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (1, 4, 4, 2))
    y = builder.conv2d(x, data(3, 3, 2, 2), name="down")
    builder.output(builder.conv_transpose2d(y, data(2, 2, 2, 3), name="up"), name="y")
    config = ndl.QuantizationConfig(mode=mode)
    text = str(ndl.quantize(builder.build(), [data(1, 4, 4, 2)], config))
    assert "needle.qconv2d" in text
    reason = "needle.conv_transpose2d has no integer form"
    assert text.count(f'needle.not_quantized = "{reason}"') == 1
    assert "needle.not_fused" not in text


def test_calibration_in_every_form() -> None:
    graph = make_two_inputs()
    a, b = data(3, 4), data(4, 2)
    texts = {
        str(ndl.quantize(graph, batches))
        for batches in ([(a, b)], [[a, b]], [{"b": b, "a": a}], iter([(a, b)]))
    }
    assert len(texts) == 1
    single = [
        str(ndl.quantize(make_linear(), [x])) for x in (data(3, 8), (data(3, 8),))
    ]
    assert single[0] == single[1]


def test_the_graph_is_not_changed() -> None:
    graph = two_layers()
    before = graph.mlir()
    ndl.quantize(graph, [data(4, 6)])
    assert graph.mlir() == before


def test_calibration_compiles_once(empty_cache: Path) -> None:
    graph = two_layers()
    first = ndl.quantize(graph, [data(4, 6)])
    misses = ndl.cache.info().misses
    assert misses == 1
    assert ndl.quantize(graph, [data(4, 6)]).fingerprint() == first.fingerprint()
    assert ndl.cache.info().misses == misses


def test_calibration_errors() -> None:
    graph = two_layers()
    with pytest.raises(ValueError, match="give calibration batches"):
        ndl.quantize(graph)
    with pytest.raises(ValueError, match="calibration data is empty"):
        ndl.quantize(graph, [])
    with pytest.raises(TypeError, match="give \\[batch\\]"):
        ndl.quantize(graph, data(4, 6))
    with pytest.raises(TypeError, match="give \\[batch\\]"):
        ndl.quantize(graph, {"x": data(4, 6)})
    good = data(4, 6)
    with pytest.raises(ValueError, match=r"calibration batch 1: .*'x'.*7"):
        ndl.quantize(graph, [good, data(4, 7)])
    with pytest.raises(TypeError, match="calibration batch 2: input 'x': expected fl"):
        ndl.quantize(graph, [good, good, good.astype(np.float64)])
    with pytest.raises(TypeError, match="calibration batch 0: main\\(\\) takes 1"):
        ndl.quantize(graph, [(good, good)])
    with pytest.raises(ndl.CompileError, match=r"'third'.*first.*second"):
        ndl.quantize(graph, [good], ndl.QuantizationConfig(include=("third",)))
    # Nothing was ever seen: neither a range nor a guess.
    with pytest.raises(ndl.CompileError, match=r"calibrat|range|observe"):
        ndl.quantize(graph, [np.full((4, 6), np.nan, np.float32)])


def test_an_error_in_the_callers_data_is_the_callers() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield data(4, 6)
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        ndl.quantize(two_layers(), broken())


def test_config_is_text(tmp_path: Path) -> None:
    config = ndl.QuantizationConfig(
        mode="dynamic", granularity="per-tensor", exclude=("a*", "b")
    )
    assert ndl.QuantizationConfig.from_text(config.to_text()) == config
    path = tmp_path / "config.json"
    config.save(path)
    assert ndl.QuantizationConfig.load(path) == config
    assert ndl.QuantizationConfig.from_text("{}") == ndl.QuantizationConfig()
    path.write_text('{"mode": "sometimes"}')
    with pytest.raises(ValueError, match=r"config\.json: mode='sometimes' is none of"):
        ndl.QuantizationConfig.load(path)
    for text in ("[]", "{", '{"bits": 4}'):
        with pytest.raises(ValueError):
            ndl.QuantizationConfig.from_text(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "none"},
        {"weights": "int4"},
        {"activations": "int8"},
        {"granularity": "per-block"},
    ],
)
def test_config_values_are_checked(wrong: dict[str, str]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}='{value}' is none of"):
        ndl.QuantizationConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="include is a sequence of patterns"):
        ndl.QuantizationConfig(include="fc1")  # type: ignore[arg-type]


def test_progress_bar(capfd: pytest.CaptureFixture[str]) -> None:
    graph = two_layers()
    ndl.quantize(graph, [data(4, 6)])
    assert capfd.readouterr() == ("", "")
    ndl.quantize(graph, [data(4, 6)] * 3, progress=True)
    assert capfd.readouterr().out == ""
