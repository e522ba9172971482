# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle.qmatmul, compiled, beside the reference interpreter: bit for bit (N6)."""

from __future__ import annotations

import functools
import itertools
import re
import zlib
from dataclasses import dataclass, fields

import emulation
import needle as ndl
import numpy as np
import pytest
from differential import (
    DEPTHS,
    ROWS,
    SEEDS,
    SIZES,
    Array,
    check_exact,
    compile_everywhere,
    examples,
    kernels_of,
    values,
)
from hypothesis import given

#: Stored integers of each type, as an input and in the text of its parameters.
RANGES = {"u8": (0, 255), "i8": (-128, 127), "i8<-127:127>": (-127, 127)}
RANGES |= {"ui8": (0, 255), "si8": (-128, 127)}


#: Targets that have no exact product of bytes.
PLAIN = ("x86-64", "neon")


@dataclass(frozen=True)
class Case:
    """Which operation: one compilation, run on many shapes and values."""

    lhs: str
    rhs: str
    # "zero": zero point 0; "some": another; "axis": per column; for operands: "some".
    rhs_params: str
    transpose_lhs: bool
    transpose_rhs: bool
    bias: str
    activation: str
    result: str
    columns: int | None

    def __str__(self) -> str:
        return "-".join(str(getattr(self, field.name)) for field in fields(self))


CHOICES: dict[str, list[object]] = {
    "lhs": ["u8", "i8", "ui8", "si8"],
    "rhs": ["i8<-127:127>", "i8", "u8", "ui8", "si8"],
    "rhs_params": ["zero", "some", "axis"],
    "transpose_lhs": [False, True],
    "transpose_rhs": [False, True],
    "bias": ["none", "i32", "f32"],
    "activation": ["none", "relu"],
    "result": ["f32", "i32", "u8", "i8"],
    "columns": [None, 1, 16, 37],
}


def draw_case(rng: np.random.Generator) -> dict[str, object]:
    """Random settings that make sense together."""
    drawn = {
        name: options[rng.integers(len(options))] for name, options in CHOICES.items()
    }
    if drawn["rhs"] in ("ui8", "si8"):
        drawn["rhs_params"] = "some"
    if drawn["rhs_params"] == "axis" and drawn["columns"] is None:
        drawn["columns"] = 37
    if drawn["result"] == "i32":
        drawn["activation"] = "none"
        drawn["bias"] = "none" if drawn["bias"] == "f32" else drawn["bias"]
    return drawn


def make_cases(count: int) -> list[Case]:
    """A fixed choice that brings as many pairs of settings together as it can."""
    rng = np.random.default_rng(20250601)
    pairs: set[tuple[object, ...]] = set()
    cases = []
    for _ in range(count):
        drawn = [draw_case(rng) for _ in range(100)]
        brought = [set(itertools.combinations(d.items(), 2)) - pairs for d in drawn]
        best = max(range(len(drawn)), key=lambda index: len(brought[index]))
        pairs |= brought[best]
        cases.append(Case(**drawn[best]))  # type: ignore[arg-type]
    return cases


CASES = make_cases(28)


def test_cases_cover_all_settings() -> None:
    for name, options in CHOICES.items():
        assert {getattr(case, name) for case in CASES} == set(options)
    assert len({(case.lhs, case.rhs) for case in CASES}) == 20
    assert len({(case.transpose_lhs, case.transpose_rhs) for case in CASES}) == 4
    assert len({(case.bias, case.result) for case in CASES}) == 11


class Built:
    """A case as a graph, its executables, and inputs for it."""

    def __init__(self, case: Case) -> None:
        rng = np.random.default_rng(zlib.crc32(str(case).encode()))
        self.case = case
        self.lhs_zero = int(rng.integers(*RANGES[case.lhs], endpoint=True))
        low, high = RANGES[case.rhs]
        count = case.columns if case.rhs_params == "axis" else 1
        assert count is not None
        zeros = rng.integers(low, high, count, endpoint=True)
        if case.rhs_params == "zero" or (
            case.rhs_params == "axis" and "-127" in case.rhs
        ):
            zeros = np.zeros(count, np.int64)
        self.rhs_zero = zeros
        self.scales = rng.uniform(1e-3, 1, count + 1).astype(np.float32)
        self.result_scale = np.float32(rng.uniform(1, 200))
        self.result_zero = int(
            rng.integers(*RANGES.get(case.result, (0, 0)), endpoint=True)
        )
        self.graph = ndl.parse(self.text())
        self.executables = compile_everywhere(self.graph)

    def element(self, stored: str, scale: float, zero: int) -> str:
        if stored in ("ui8", "si8", "f32", "i32"):
            return stored
        return f"!quant.uniform<{stored}:f32, {float(scale)!r}:{zero}>"

    def rhs_element(self) -> str:
        case = self.case
        if case.rhs_params != "axis":
            return self.element(case.rhs, self.scales[1], int(self.rhs_zero[0]))
        entries = ",".join(
            f"{float(scale)!r}:{zero}"
            for scale, zero in zip(self.scales[1:], self.rhs_zero, strict=True)
        )
        axis = 0 if case.transpose_rhs else 1
        return f"!quant.uniform<{case.rhs}:f32:{axis}, {{{entries}}}>"

    def text(self) -> str:
        case = self.case
        n = "?" if case.columns is None else str(case.columns)
        lhs = f"tensor<?x?x{self.element(case.lhs, self.scales[0], self.lhs_zero)}>"
        shape = f"{n}x?" if case.transpose_rhs else f"?x{n}"
        rhs = f"tensor<{shape}x{self.rhs_element()}>"
        result = self.element(case.result, self.result_scale, self.result_zero)
        arguments = [lhs, rhs]
        op = "needle.qmatmul %0, %1"
        for side, stored in (("lhs", case.lhs), ("rhs", case.rhs)):
            if stored in ("ui8", "si8"):
                first = len(arguments)
                op += (
                    f" {side}_params(%{first}, %{first + 1} : tensor<f32>, tensor<i32>)"
                )
                arguments += ["tensor<f32>", "tensor<i32>"]
        if case.bias != "none":
            op += f" bias(%{len(arguments)} : tensor<{n}x{case.bias}>)"
            arguments.append(f"tensor<{n}x{case.bias}>")
        attributes = [f"activation = #needle.activation<{case.activation}>"]
        attributes += ["transpose_lhs"] * case.transpose_lhs
        attributes += ["transpose_rhs"] * case.transpose_rhs
        target = f"tensor<?x{n}x{result}>"
        named = ", ".join(f"%{i}: {type_}" for i, type_ in enumerate(arguments))
        return (
            f"func.func @main({named}) -> {target} {{\n"
            f"  %r = {op} {{{', '.join(attributes)}}} : {lhs}, {rhs} -> {target}\n"
            f"  return %r : {target}\n}}\n"
        )

    def inputs(self, m: int, n: int, k: int, seed: int) -> list[Array]:
        case = self.case
        rng = np.random.default_rng(seed)

        def stored(kind: str, shape: tuple[int, int]) -> Array:
            low, high = RANGES[kind]
            drawn = rng.integers(low, high, shape, endpoint=True)
            if rng.random() < 0.3:
                drawn = rng.choice([low, high], shape)
            return drawn.astype(np.int8 if low else np.uint8)

        inputs = [
            stored(case.lhs, (k, m) if case.transpose_lhs else (m, k)),
            stored(case.rhs, (n, k) if case.transpose_rhs else (k, n)),
        ]
        if case.lhs in ("ui8", "si8"):
            inputs += [self.scales[0].reshape(()), np.array(self.lhs_zero, np.int32)]
        if case.rhs in ("ui8", "si8"):
            inputs += [self.scales[1].reshape(()), np.array(self.rhs_zero[0], np.int32)]
        if case.bias == "i32":
            inputs.append(rng.integers(-(2**31), 2**31, n).astype(np.int32))
        if case.bias == "f32":
            inputs.append(values(rng, (n,)))
        return inputs


@functools.cache
def build(case: Case) -> Built:
    return Built(case)


@pytest.mark.parametrize("case", CASES, ids=str)
@given(m=ROWS, n=SIZES, k=DEPTHS, seed=SEEDS)
@examples(12)
def test_qmatmul(case: Case, m: int, n: int, k: int, seed: int) -> None:
    built = build(case)
    n = n if case.columns is None else case.columns
    check_exact(built.graph, built.executables, built.inputs(m, n, k, seed))
    for executable in built.executables:
        (kernel,) = kernels_of(executable, "needle.qmatmul")
        sign = "u8" if RANGES[case.lhs][0] == 0 else "s8"
        # Only a signed rhs without zero points stays 8 bits wide.
        is_narrow = RANGES[case.rhs][0] < 0 and not (
            case.rhs in ("ui8", "si8") or built.rhs_zero.any()
        )
        width = "s8" if is_narrow else "i16"
        assert kernel.name.startswith(f"qmatmul_{sign}{width}_"), kernel
        assert ("_relu" in kernel.name) == (case.activation == "relu")


@pytest.mark.parametrize("result", ["f32", "i32", "u8"])
@pytest.mark.parametrize("k", [33024, 33025, 33026, 66052, 131073])
def test_sums_beyond_int32(k: int, result: str) -> None:
    """N4: extremes whose sum leaves i32, with K known only at run time."""
    element = "!quant.uniform<u8:f32, 1.0>"
    target = "!quant.uniform<u8:f32, 2.0e7:3>" if result == "u8" else result
    graph = ndl.parse(
        f"""func.func @main(%a: tensor<?x?x{element}>, %b: tensor<?x?x{element}>)
            -> tensor<?x?x{target}> {{
          %r = needle.qmatmul %a, %b : tensor<?x?x{element}>, tensor<?x?x{element}>
             -> tensor<?x?x{target}>
          return %r : tensor<?x?x{target}>
        }}"""
    )
    a, b = np.full((7, k), 255, np.uint8), np.full((k, 17), 255, np.uint8)
    b[:, 3] = 1
    executables = compile_everywhere(graph)
    (expected,) = check_exact(graph, executables, [a, b])
    total = 65025 * k
    if result == "i32":
        wrapped = (total + 2**31) % 2**32 - 2**31
        assert expected[0, 0] == wrapped
        assert expected[0, 3] == 255 * k
    if result == "f32":
        assert expected[0, 0] == np.float32(total)


def test_constant_zero_point_at_the_edges() -> None:
    """Zero points 0 and 255 of u8, -128 and 127 of i8: the widest centered values."""
    rng = np.random.default_rng(3)
    for left, right in itertools.product((0, 255), (-128, 127)):
        a_type = f"tensor<?x?x!quant.uniform<u8:f32, 0.5:{left}>>"
        b_type = f"tensor<?x?x!quant.uniform<i8:f32, 0.25:{right}>>"
        graph = ndl.parse(
            f"""func.func @main(%a: {a_type}, %b: {b_type}) -> tensor<?x?xi32> {{
              %r = needle.qmatmul %a, %b : {a_type}, {b_type} -> tensor<?x?xi32>
              return %r : tensor<?x?xi32>
            }}"""
        )
        a = rng.choice([0, 255], (13, 259)).astype(np.uint8)
        b = rng.choice([-128, 127], (259, 33)).astype(np.int8)
        (result,) = check_exact(graph, compile_everywhere(graph), [a, b])
        exact = (a.astype(np.int64) - left) @ (b.astype(np.int64) - right)
        np.testing.assert_array_equal(result, exact)


def constant_weights(kind: str, k: int, n: int, rng: np.random.Generator) -> Array:
    """Weights that the saturation proof treats differently."""
    bits = {"full": 128, "seven": 64, "five": 16}
    if kind == "worst":
        drawn = rng.choice([-128, 127], (k, n))
        drawn[:, 0], drawn[:, -1] = -128, 127
    elif kind in bits:
        drawn = rng.integers(-bits[kind], bits[kind], (k, n))
    else:
        # Small ones, among which few are extreme: those are split.
        drawn = rng.integers(-20, 21, (k, n))
        for _ in range(max(1, k * n // 500)):
            drawn[rng.integers(k), rng.integers(n)] = rng.choice([-128, 127])
    return drawn.astype(np.int8)


def adversarial(weights: Array, m: int, low: int, rng: np.random.Generator) -> Array:
    """Activations that take the sums of some column to either extreme."""
    rows = rng.integers(0, 256, (m, weights.shape[0]))
    for row in range(m):
        column = weights[:, rng.integers(weights.shape[1])]
        pattern = row % 5
        if pattern < 2:
            rows[row] = np.where(column > 0 if pattern else column < 0, 255, 0)
        elif pattern == 2:
            rows[row] = 255
        elif pattern == 3:
            rows[row] = rng.choice([0, 255], weights.shape[0])
    return (rows + low).astype(np.int8 if low else np.uint8)


@pytest.mark.parametrize("lhs", ["u8", "i8"])
@pytest.mark.parametrize("kind", ["worst", "full", "seven", "five", "few"])
@pytest.mark.parametrize("k", [1, 6, 61, 260, 1028])
def test_constant_weights(kind: str, lhs: str, k: int) -> None:
    """Whatever is proven of weights, no activations make a sum inexact."""
    if emulation.RUNNER and kind not in ("worst", "full"):
        pytest.skip("what is proven of weights matters to x86-64 alone")
    rng = np.random.default_rng(zlib.crc32(f"{kind} {lhs} {k}".encode()))
    forms = set()
    for n, transpose in ((1, False), (37, True), (50, False)):
        weights = constant_weights(kind, k, n, rng)
        zero = int(rng.integers(*RANGES[lhs], endpoint=True))
        builder = ndl.GraphBuilder("layer")
        shape = (k, None) if transpose else (None, k)
        q = builder.input("q", shape, f"!quant.uniform<{lhs}:f32, 0.5:{zero}>")
        w = builder.constant(weights, name="w", dtype="!quant.uniform<i8:f32, 0.25>")
        (y,) = builder.op(
            "qmatmul",
            q,
            w,
            attributes="{transpose_lhs}" if transpose else "",
            result_types=[("int32", (None, n))],
        )
        builder.output(y, name="y")
        graph = builder.build()
        executables = compile_everywhere(graph)
        for m in (1, 7) if emulation.RUNNER else (1, 2, 3, 5, 12, 13, 29):
            rows = adversarial(weights, m, RANGES[lhs][0], rng)
            given = np.ascontiguousarray(rows.T) if transpose else rows
            (result,) = check_exact(graph, executables, [given])
            exact = (rows.astype(np.int64) - zero) @ weights.astype(np.int64)
            np.testing.assert_array_equal(result, exact)
        for executable in executables:
            (kernel,) = kernels_of(executable, "needle.qmatmul")
            form = re.match(r"qmatmul_[us]8s8(?:_(bytes\dr?|quads))?_i32", kernel.name)
            assert form, kernel
            if executable.target == "avx2":
                forms.add(form[1])
                assert kernel.note
                halves = "M = 1: qmatmul_" + lhs.replace("i", "s") + "s8_nibbles_i32"
                assert (halves in kernel.note) == (form[1] is None), kernel
            else:
                assert form[1] == (None if executable.target in PLAIN else "quads")
    # What the proof has to find where there is enough of a matrix.
    if k > 6 and not emulation.RUNNER:
        if kind in ("worst", "full"):
            assert forms == {None}
        if kind == "seven":
            assert None not in forms
        if kind == "five":
            assert forms == {"bytes4"}
        if kind == "few":
            assert any(form and "r" in form for form in forms), forms


@pytest.mark.parametrize("lhs", ["u8", "i8"])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("k", [6, 31, 32, 33, 67, 65792])
def test_one_row(k: int, transpose: bool, lhs: str) -> None:
    """Halves of bytes, up to the largest sum that i32 holds."""
    rng = np.random.default_rng(zlib.crc32(f"{k} {transpose} {lhs}".encode()))
    n = 19
    weights = constant_weights("worst", k, n, rng)
    zero = 255 if lhs == "u8" else -128
    builder = ndl.GraphBuilder("layer")
    shape = (k, 1) if transpose else (1, k)
    q = builder.input("q", shape, f"!quant.uniform<{lhs}:f32, 0.5:{zero}>")
    w = builder.constant(weights, name="w", dtype="!quant.uniform<i8:f32, 0.25>")
    (y,) = builder.op(
        "qmatmul",
        q,
        w,
        attributes="{transpose_lhs}" if transpose else "",
        result_types=[("float32", (1, n))],
    )
    builder.output(y, name="y")
    graph = builder.build()
    executables = compile_everywhere(graph)
    low = RANGES[lhs][0]
    for row in (0, 255, rng.integers(0, 256, k)):
        given = (np.full(k, row) + low).astype(np.int8 if low else np.uint8)
        (result,) = check_exact(graph, executables, [given.reshape(shape)])
        exact = (given.astype(np.int64) - zero) @ weights.astype(np.int64)
        rescaled = exact.astype(np.float32) * np.float32(0.5 * 0.25)
        np.testing.assert_array_equal(result[0], rescaled)
    for executable in executables:
        (kernel,) = kernels_of(executable, "needle.qmatmul")
        if executable.target == "avx2":
            assert "_nibbles_f32.avx2.1x16" in kernel.name


@pytest.mark.parametrize("bias", ["none", "f32", "i32"])
@pytest.mark.parametrize("result", ["f32", "!quant.uniform<u8:f32, 900.0:7>"])
@pytest.mark.parametrize("k", ["260", "65796", "?"])
def test_split_weights_with_any_result(k: str, result: str, bias: str) -> None:
    """Weights are split only for kernels that read both of their terms."""
    depth, n = (65796 if k == "?" else int(k)), 5
    rng = np.random.default_rng(zlib.crc32(f"{k} {result} {bias}".encode()))
    weights = constant_weights("few", depth, n, rng)
    lhs, rhs = "!quant.uniform<u8:f32, 0.5:131>", "!quant.uniform<i8:f32, 0.25>"
    types = f"tensor<?x{k}x{lhs}>, tensor<{depth}x{n}x{rhs}>"
    operand, constant = "", ""
    if bias != "none":
        data = rng.integers(-9, 10, n).astype({"f32": "f4", "i32": "i4"}[bias])
        operand = f"bias(%b : tensor<{n}x{bias}>)"
        kind, bits = f"tensor<{n}x{bias}>", data.tobytes().hex()
        constant = f'%b = needle.constant dense<"0x{bits}"> : {kind} -> {kind}'
    graph = ndl.parse(
        f"""
        func.func @main(%q: tensor<?x{k}x{lhs}>) -> tensor<?x{n}x{result}> {{
          %w = needle.constant dense<"0x{weights.tobytes().hex()}">
            : tensor<{depth}x{n}xi8> -> tensor<{depth}x{n}x{rhs}>
          {constant}
          %y = needle.qmatmul %q, %w {operand} : {types} -> tensor<?x{n}x{result}>
          return %y : tensor<?x{n}x{result}>
        }}
        """
    )
    executables = compile_everywhere(graph)
    check_exact(graph, executables, [adversarial(weights, 7, 0, rng)])
    for executable in executables:
        (kernel,) = kernels_of(executable, "needle.qmatmul")
        if executable.target == "avx2":
            split = bias != "i32" and depth == 260
            assert ("_bytes" in kernel.name) == split, kernel
            assert ("splitting" in kernel.note) == split, kernel
