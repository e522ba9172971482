# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What GraphBuilder makes of axes, predicates and widths, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import needle as ndl
import numpy as np
import pytest


@pytest.fixture
def builder() -> ndl.GraphBuilder:
    return ndl.GraphBuilder()


def test_axes_are_counted_from_either_end(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (2, None, 4))
    assert builder.reduce_sum(x).shape == ()
    assert builder.reduce_sum(x, -1).shape == (2, None)
    assert builder.reduce_max(x, (-1, 0), keepdims=True).shape == (1, None, 1)
    assert builder.reduce_sum(x, np.int64(1)).shape == (2, 4)
    assert builder.reverse(x, [2, -3]).shape == (2, None, 4)
    assert builder.concat([x, x], axis=-3).shape == (4, None, 4)


def test_shapes_of_moving_operations(builder: ndl.GraphBuilder) -> None:
    x = builder.input("x", (None, 4))
    assert builder.broadcast_to(x, (3, None, 4)).shape == (3, None, 4)
    assert builder.pad(x, (1, 2), (0, 3)).shape == (None, 9)
    assert builder.pad(x, (0, 0), (0, 0), (0, 1)).shape == (None, 7)
    assert builder.slice(x, (0, 1), (None, 4), (1, 2)).shape == (None, 2)
    assert builder.slice(x, (0, 1), (None, None)).shape == (None, 3)


def test_matmul_takes_batches(builder: ndl.GraphBuilder) -> None:
    x, y = builder.input("x", (5, 1, 2, 3)), builder.input("y", (None, 4, 3))
    assert builder.matmul(x, y, transpose_b=True).shape == (5, None, 2, 4)


Refused = Callable[[ndl.GraphBuilder, ndl.builder.Value], object]
REFUSED: list[tuple[Refused, type[Exception], str]] = [
    (lambda b, x: b.reduce_sum(x, 2), ValueError, r"no axis 2: the value has rank 2"),
    (lambda b, x: b.reduce_max(x, (0, -2)), ValueError, r"named twice in \[0, -2\]"),
    (lambda b, x: b.reduce_sum(x, "0"), TypeError, "an axis"),
    (lambda b, x: b.reduce_sum(x, 0, keepdims=1), TypeError, "keepdims"),
    (lambda b, x: b.compare(x, x, "less"), ValueError, "'less' is none of 'eq'"),
    (lambda b, x: b.concat([]), ValueError, "at least one value"),
    (lambda b, x: b.concat([x, x], 2), ValueError, "no axis 2"),
    (lambda b, x: b.pad(x, (1,), (1, 1)), ndl.CompileError, "'low' must have 2 values"),
    (lambda b, x: b.pad(x, (0, -1), (0, 0)), ndl.CompileError, "not be negative"),
    (lambda b, x: b.slice(x, (0, 3), (2, 5)), ndl.CompileError, "elements 3 to 5"),
    (lambda b, x: b.slice(x, (0, 1.5), (2, 3)), TypeError, "a value"),
    (lambda b, x: b.broadcast_to(x, (3,)), ndl.CompileError, "fewer dimensions"),
    (lambda b, x: b.select(x, x, np.ones((3,), np.float32)), ndl.CompileError, "on_f"),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_makes_no_sense_is_refused(builder: ndl.GraphBuilder, case: int) -> None:
    call, error, text = REFUSED[case]
    x = builder.input("x", (2, 4))
    with pytest.raises(error, match=text):
        call(builder, x)
