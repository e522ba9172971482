# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of arguments, each with one sentence that names the argument."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

#: The largest dimension: sizes are counted in 63 bits.
_MOST = 2**63 - 1


def check_text(argument: str, value: Any) -> str:
    """A string that C can hold: a NUL would end it early."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} is a string, got {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{argument} has no NUL character, got {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{argument} is Unicode text, got {value!r}") from None
    return value


def check_flag(argument: str, value: Any) -> bool:
    """True or False, and nothing that is only like one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} is True or False, got {value!r}")
    return bool(value)


def check_integer(argument: str, value: Any, least: int, most: int) -> int:
    """An integer within bounds, of Python's type or NumPy's."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{argument} is an integer, got {value!r} ({type(value).__name__})"
        )
    if number < least:
        raise ValueError(f"{argument} is at least {least}, not {number}")
    if number > most:
        raise ValueError(f"{argument} is at most {most}, not {number}")
    return number


def check_shape(shape: Any, *, infer: bool = False) -> list[int | None]:
    """Dimensions, None for dynamic ones; with ``infer``, -1 stands for None."""
    if isinstance(shape, str) or not isinstance(shape, (Sequence, np.ndarray)):
        raise TypeError(
            f"shape is a sequence of integers and None, got {shape!r}; for one "
            "dimension give (n,)"
        )
    return [_check_dimension(dim, infer) for dim in shape]


def _check_dimension(dim: Any, infer: bool) -> int | None:
    if dim is None:
        return None
    number = check_integer("a dimension", dim, -_MOST, _MOST)
    if infer and number == -1:
        return None
    if number < 0:
        raise ValueError(
            f"a dimension cannot be {number}; None stands for one that is known only "
            "at run time"
        )
    return number
