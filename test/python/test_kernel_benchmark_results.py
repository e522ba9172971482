# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of kernels: operands, what must come out, and who computes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import pytest
from kernel_benchmark import (
    BLOCKWISE,
    CASES,
    CONVOLVED,
    make_problem,
    problems,
    result_of,
    session,
)

# isort: split
from kernel_bench import weights
from kernel_bench.cases import (
    FOUR_BIT_WEIGHTS,
    FOUR_BITS,
    KINDS,
    PRODUCTS,
    WEIGHTS,
    Case,
)
from kernel_bench.contenders import ggml_blocks
from kernel_bench.contenders.needle_graphs import make_graph
from kernel_bench.contenders.with_needle import inputs_of
from kernel_bench.contraction import contract
from kernel_bench.problems import Problem, Verdict, judge
from kernel_bench.shapes import Blockwise, Convolution, Shape

INTEGER_KINDS = [kind for kind in PRODUCTS if kind != "f32"]

# -- Results -----------------------------------------------------------------


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("kind", PRODUCTS)
def test_needle_computes_what_the_rules_say(
    kind: str, name: str, tmp_path: Path
) -> None:
    problem = make_problem(kind, name)
    verdict = judge(problem, result_of("needle", problem, tmp_path))
    assert verdict == Verdict("exact" if KINDS[kind].exact else "rounded")


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.kind not in PRODUCTS],
    ids=lambda case: case.key,
)
def test_needle_computes_convolutions_and_4_bits(case: Case, tmp_path: Path) -> None:
    problem = problems.make(case, {})
    verdict = judge(problem, result_of("needle", problem, tmp_path))
    assert verdict.status in ("exact", "exact" if case.is_exact else "rounded")


@pytest.mark.parametrize("kind", ["f32", "u8u8-f32"])
def test_needle_computes_batches(kind: str, tmp_path: Path) -> None:
    problem = make_problem(kind, shape=Shape(5, 6, 7, batch=3))
    assert problem.lhs.shape == (3, 5, 6)
    verdict = judge(problem, result_of("needle", problem, tmp_path))
    assert verdict.status != "inexact"


@pytest.mark.parametrize("kind", ["u8s8-i32", "dynamic", "static"])
def test_the_rules_are_those_of_the_reference_interpreter(kind: str) -> None:
    problem = make_problem(kind, "gaussian")
    reference = ndl.reference(make_graph(problem), inputs_of(problem))
    np.testing.assert_array_equal(problems.expected(problem), reference)


@pytest.mark.parametrize("kind", INTEGER_KINDS)
def test_activations_quantize_exactly(kind: str) -> None:
    problem = make_problem(kind)
    assert (problem.lhs.min(), problem.lhs.max()) == (0, 255)
    low, high = float(problem.floats.min()), float(problem.floats.max())
    scale = (np.float32(high) - np.float32(low)) / np.float32(255)
    assert scale == problems.SCALE
    assert np.rint(-low / scale) == problems.ZERO_POINT
    np.testing.assert_array_equal(
        problem.floats / scale, problem.lhs.astype(np.float32) - problems.ZERO_POINT
    )


@pytest.mark.parametrize("kind", FOUR_BITS)
def test_blocks_of_activations_quantize_exactly(kind: str) -> None:
    for case in (case for case in CASES if case.kind == kind):
        problem = problems.make(case, {})
        assert isinstance(case.shape, Blockwise)
        steps = (problem.lhs / problems.SCALE).reshape(case.shape.m, -1, 32)
        np.testing.assert_array_equal(steps, np.rint(steps))
        np.testing.assert_array_equal(np.abs(steps).max(axis=-1), 127)


def test_parameters_of_blocks_are_half_precision_numbers() -> None:
    shape = Blockwise(1, 256, 500, 32, symmetric=False)
    _, scales, zeros = weights.draw_blockwise(shape, np.random.default_rng(1))
    assert zeros is not None
    for values in (scales, scales * zeros):
        np.testing.assert_array_equal(values, values.astype(np.float16))


@pytest.mark.parametrize("shape", BLOCKWISE, ids=str)
def test_ggml_is_given_the_same_weights(shape: Blockwise) -> None:
    problem = make_problem("w4-int8", FOUR_BIT_WEIGHTS, shape)
    header = 2 if shape.symmetric else 4
    blocks = ggml_blocks.pack(problem).reshape(shape.n, -1, header + 16)
    numbers = blocks[..., :header].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([blocks[..., header:] & 15, blocks[..., header:] >> 4], -1)
    scale, offset = numbers[..., :1], numbers[..., 1:]
    values = nibbles * scale + (-8 * scale if shape.symmetric else offset)
    np.testing.assert_array_equal(values.reshape(shape.n, -1).T, problem.rhs_floats)


def naive(shape: Convolution, image: Any, filters: Any) -> Any:
    """A convolution product by product, in integers."""
    dest = np.zeros(shape.dest_shape, np.int64)
    channels, columns = filters.shape[2], shape.channels_out // shape.groups
    for y, x, i, j in np.ndindex(*dest.shape[1:3], shape.extent, shape.extent):
        for o in range(shape.channels_out):
            if shape.transposed:
                if (y % shape.stride, x % shape.stride) != (i, j):
                    continue
                row, column = y // shape.stride, x // shape.stride
            else:
                row = y * shape.stride + i - shape.padding
                column = x * shape.stride + j - shape.padding
            if not (0 <= row < shape.size and 0 <= column < shape.size):
                continue
            first = o // columns * channels
            pixel = image[0, row, column, first : first + channels]
            dest[0, y, x, o] += pixel @ filters[i, j, :, o]
    return dest


@pytest.mark.parametrize("shape", CONVOLVED, ids=str)
def test_convolutions_are_sums_of_products(shape: Convolution) -> None:
    rng = np.random.default_rng(7)
    image = rng.integers(-9, 10, shape.lhs_shape)
    filters = rng.integers(-9, 10, shape.rhs_shape)
    found = contract(shape, image, filters)
    np.testing.assert_array_equal(found, naive(shape, image, filters))


def saturating(problem: Problem) -> Any:
    """What vpmaddubsw computes: sums of two products stop at the ends of 16 bits."""
    a, b = problem.lhs.astype(np.int64), problem.rhs.astype(np.int64)
    pairs = a[:, 0::2, None] * b[None, 0::2] + a[:, 1::2, None] * b[None, 1::2]
    sums = np.clip(pairs, -(2**15), 2**15 - 1).sum(axis=1)
    return sums - problems.ZERO_POINT * b.sum(axis=0)


def test_saturation_is_noticed_and_only_where_it_happens() -> None:
    wide, narrow = make_problem("u8s8-i32"), make_problem("u8s8-i32", "uniform-7")
    assert judge(wide, saturating(wide).astype(np.int32)).status == "inexact"
    assert judge(narrow, saturating(narrow).astype(np.int32)) == Verdict("exact")


def test_one_step_of_one_activation_of_a_block_is_noticed() -> None:
    for case in (case for case in CASES if case.kind == "w4-int8"):
        problem = problems.make(case, {})
        wrong = problems.make(case, {})
        row = int(np.argmax(np.abs(wrong.rhs[:, 0] - 7.5)))  # not one of zero
        wrong.lhs[-1, row] += problems.SCALE
        assert judge(problem, problems.expected(wrong)).status == "inexact"
        rounded = problems.expected(problem).astype(np.float32)
        assert judge(problem, rounded) == Verdict("rounded")


@pytest.mark.parametrize("kind", ["dynamic", "u8u8-f32", "static"])
def test_one_step_of_one_sum_is_noticed(kind: str) -> None:
    problem = make_problem(kind)
    right = problems.expected(problem)
    assert judge(problem, right) == Verdict("exact")
    wrong = right.copy()
    if problems.is_static(kind):
        # One that rounding does not decide.
        wrong.flat[int(np.argmax((right > 10) & (right < 240)))] += 2
    else:
        unit = problems.SCALE * np.float32(problem.scales.flat[-1])
        wrong.flat[-1] += unit
    assert judge(problem, wrong).status == "inexact"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_wrong_shapes_and_nan_are_noticed(case: Case) -> None:
    problem = problems.make(case, {})
    right = problems.expected(problem)
    assert "shape" in judge(problem, right[..., None]).detail
    wrong = right.astype(np.float64)
    wrong.flat[0] = np.nan
    assert judge(problem, wrong).status == "inexact"


def test_other_roundings_are_told_apart_from_equal_bits() -> None:
    problem = make_problem("dynamic")
    right = problems.expected(problem)
    rounded = np.nextafter(right, np.float32(np.inf), dtype=np.float32)
    assert judge(problem, rounded) == Verdict("rounded")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
@pytest.mark.parametrize("contender", ["onnxruntime"])
def test_models_compute_the_rows(contender: str, case: Case, tmp_path: Path) -> None:
    if case.kind == "u8s8-i32":
        contender = "onnxruntime u8u8"  # the other one may saturate
    problem = problems.make(case, {})
    verdict = judge(problem, result_of(contender, problem, tmp_path))
    if case.kind in ("u8u8-f32", "f32", "u8s8-i32", "conv-f32", *FOUR_BITS):
        assert verdict.status != "inexact", verdict
    else:
        # Saturation is its own business; a wrong model would be wrong everywhere.
        assert "shape" not in verdict.detail


# Weights of 7 bits do not saturate, whatever instructions there are.
@pytest.mark.parametrize(
    ("contender", "kind"),
    [
        ("numpy", "f32"),
        ("onnxruntime", "f32"),
        ("onnxruntime u8s8", "u8s8-i32"),
        ("onnxruntime u8u8", "u8s8-i32"),
        ("onnxruntime", "u8u8-f32"),
        ("onnxruntime", "dynamic"),
        ("onnxruntime", "static"),
    ],
)
def test_peers_compute_the_same(contender: str, kind: str, tmp_path: Path) -> None:
    problem = make_problem(kind, "uniform-7")
    verdict = judge(problem, result_of(contender, problem, tmp_path))
    assert verdict.status != "inexact", verdict


# -- Weights -----------------------------------------------------------------


@pytest.mark.parametrize("name", WEIGHTS)
def test_weight_sets_use_the_bits_they_are_named_for(name: str) -> None:
    stored, scales = weights.draw(name, Shape(1, 300, 40), np.random.default_rng(1))
    most = 63 if name.endswith("-7") else 127
    assert np.abs(stored.astype(int)).max() == most
    assert stored.shape == (300, 40)
    assert scales.shape == (40,)
    if name.startswith("gaussian"):
        # Each channel reaches the end.
        assert (np.abs(stored.astype(int)).max(axis=0) == most).all()


def test_a_column_of_zeros_stays_one() -> None:
    stored, scales = weights.quantize_symmetric(np.zeros((3, 2), np.float32), 127)
    assert not stored.any()
    assert (scales == 1).all()


def test_safetensors_are_read(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<f4").reshape(2, 3)
    header = json.dumps(
        {
            "first": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "second": {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]},
            "half": {"dtype": "F16", "shape": [2], "data_offsets": [28, 32]},
        }
    ).encode()
    path = tmp_path / "model.safetensors"
    data = bytes(4) + values.tobytes() + bytes(4)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    np.testing.assert_array_equal(weights.read_safetensor(path, "second"), values)
    with pytest.raises(ValueError, match="half is F16, not F32"):
        weights.read_safetensor(path, "half")


def test_a_network_that_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "MINILM_PACKAGE", "no_such_package")
    missing = session.write_weights({"uniform", "minilm-query"}, tmp_path, tmp_path)
    assert missing == {"minilm-query": "no-such-package is not installed"}
