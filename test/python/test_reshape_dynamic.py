# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A reshape to a dynamic shape, followed by whatever takes the dimensions of it.

The sizes of the buffers behind such a reshape follow from the inputs only through
the reshape. All values are small integers, so that sums in f32 are exact and every
result has the bits of the reference interpreter.
"""

from __future__ import annotations

import functools

import needle as ndl
import numpy as np
import pytest
from differential import check_exact, compile_everywhere

#: The operand's shape and that of the result, with columns that are known.
RESHAPES = [
    ("?x28x28", "?x784"),
    ("?x?x4", "?x4"),
    ("?x4", "?x8"),
    ("?", "?x8"),
    ("?x8", "?x2x4"),
    ("?x2x4", "?x8"),
    ("?x6", "?"),
]

#: What follows the reshape %r : tensor<?x{n}xf32>; two of a kind, so that a buffer of
#: that size is needed and not only the output.
CONSUMERS = {
    "matmul": """
  %0 = needle.matmul %r, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  %y = needle.matmul %0, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  return %y : {r}""",
    "matmul of a transposed lhs": """
  %0 = needle.matmul %r, %r {{transpose_lhs}} : {r}, {r} -> tensor<{n}x{n}xf32>
  %y = needle.matmul %r, %0 : {r}, tensor<{n}x{n}xf32> -> {r}
  return %y : {r}""",
    "matmul of a rhs": """
  %0 = needle.matmul %w, %r {{transpose_rhs}} : tensor<{n}x{n}xf32>, {r} -> {t}
  %y = needle.matmul %w, %0 : tensor<{n}x{n}xf32>, {t} -> {t}
  return %y : {t}""",
    "relu and transpose": """
  %0 = needle.relu %r : {r} -> {r}
  %1 = needle.transpose %0 {{permutation = array<i64: 1, 0>}} : {r} -> {t}
  %2 = needle.matmul %w, %1 : tensor<{n}x{n}xf32>, {t} -> {t}
  %y = needle.transpose %2 {{permutation = array<i64: 1, 0>}} : {t} -> {r}
  return %y : {r}""",
    "elementwise, used twice": """
  %0 = needle.add %r, %r : {r}, {r} -> {r}
  %1 = needle.matmul %0, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  %y = needle.sub %1, %0 : {r}, {r} -> {r}
  return %y : {r}""",
    "reshape and back": """
  %0 = needle.matmul %r, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  %1 = needle.reshape %0 : {r} -> tensor<?xf32>
  %2 = needle.neg %1 : tensor<?xf32> -> tensor<?xf32>
  %3 = needle.reshape %2 : tensor<?xf32> -> {r}
  %y = needle.matmul %3, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  return %y : {r}""",
    "a second output": """
  %0 = needle.matmul %r, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  %y = needle.matmul %0, %w : {r}, tensor<{n}x{n}xf32> -> {r}
  return %y, %r : {r}, {r}""",
}


@functools.cache
def build(
    operand: str, result: str, consumer: str
) -> tuple[ndl.Graph, list[ndl.Executable]]:
    # A result that has not two dimensions is brought to two of them first.
    n = {"?": "6", "?x2x4": "8"}.get(result, result.removeprefix("?x"))
    matrix, transposed = f"tensor<?x{n}xf32>", f"tensor<{n}x?xf32>"
    shape = f"tensor<{result}xf32>"
    first = f"  %r = needle.reshape %x : tensor<{operand}xf32> -> {shape}"
    if shape != matrix:
        first = first.replace("%r", "%s")
        first += f"\n  %r = needle.reshape %s : {shape} -> {matrix}"
    body = CONSUMERS[consumer].format(n=n, r=matrix, t=transposed)
    results = body.rsplit(":", 1)[1].strip()
    text = (
        f"func.func @main(%x: tensor<{operand}xf32>, %w: tensor<{n}x{n}xf32>)"
        f" -> ({results}) {{\n{first}{body}\n}}\n"
    )
    graph = ndl.parse(text)
    return graph, compile_everywhere(graph)


#: Every reshape before a matmul, and two, one that collapses and one that also
#: expands, before everything.
CASES = [(*reshape, "matmul") for reshape in RESHAPES]
CASES += [
    (*reshape, consumer)
    for reshape in RESHAPES[1:3]
    for consumer in CONSUMERS
    if consumer != "matmul"
]


@pytest.mark.parametrize(("operand", "result", "consumer"), CASES)
def test_consumer_of_a_reshape(operand: str, result: str, consumer: str) -> None:
    graph, executables = build(operand, result, consumer)
    seed = 29
    rng = np.random.default_rng(seed)
    for rows in (0, 2, 6, 24, 48):
        # A flat operand has the elements of `rows` rows.
        dynamic = iter([rows * 24, 0] if operand == "?" else [rows, 3])
        shape = [
            next(dynamic) if extent == "?" else int(extent)
            for extent in operand.split("x")
        ]
        x = rng.integers(-1, 2, shape).astype(np.float32)
        n = graph.inputs[1].shape[0]
        assert n is not None
        w = rng.integers(-1, 2, (n, n)).astype(np.float32)
        check_exact(graph, executables, [x, w])


def test_a_count_that_does_not_fit_is_refused() -> None:
    """The size behind the reshape is rounded down; nothing runs on it."""
    _, executables = build("?x4", "?x8", "matmul")
    w = np.zeros((8, 8), np.float32)
    for executable in executables:
        with pytest.raises(ValueError, match="number of elements"):
            executable(np.zeros((3, 4), np.float32), w)
