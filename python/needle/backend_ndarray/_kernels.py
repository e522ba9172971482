# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names of the elementwise operations that every backend has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Operations on one array.
UNARY = ("abs", "exp", "log", "negate", "relu", "sigmoid", "sqrt", "tanh")

#: Operations on two arrays, or an array and a number.
BINARY = (
    "add",
    "div",
    "eq",
    "ge",
    "gt",
    "le",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "power",
    "sub",
)


def define(
    module: dict[str, Any], make: Callable[[str, int, bool], Callable[..., None]]
) -> None:
    """Define the course's functions of raw handles in the namespace of a backend.

    ``ewise_NAME(a, out)``, ``ewise_NAME(a, b, out)`` and
    ``scalar_NAME(a, val, out)``; ``make(name, arity, with_scalar)`` returns them.
    """
    wanted = [(name, 1, False) for name in UNARY]
    wanted += [(name, 2, scalar) for name in BINARY for scalar in (False, True)]
    for name, arity, with_scalar in wanted:
        function = make(name, arity, with_scalar)
        function.__name__ = f"{'scalar' if with_scalar else 'ewise'}_{name}"
        function.__qualname__ = function.__name__
        function.__doc__ = f"{name} of compact handles of one size, to ``out``."
        module[function.__name__] = function
