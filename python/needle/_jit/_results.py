# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a traced function may return."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NoReturn

import numpy as np

from needle._jit._array import TracedArray
from needle._jit._trace import Trace
from needle.autograd import Value
from needle.nn import Module
from needle.optim import Optimizer


def check_result(trace: Trace, value: Any) -> None:
    """Raise TraceError if arrays without values would leave in what is returned."""
    if isinstance(value, (Value, TracedArray)):
        return
    if isinstance(value, (list, tuple)):
        for part in value:
            check_result(trace, part)
    elif isinstance(value, dict):
        for part in value.values():
            check_result(trace, part)
        if any(_is_traced(trace, key) for key in value):
            _fail(trace, value, " with Tensors as keys")
    elif isinstance(value, Iterator):
        _fail(trace, value, "")
    elif any(_is_traced(trace, part) for part in _parts(value)):
        _fail(trace, value, " of Tensors")


def _parts(value: Any) -> list[Any]:
    """What may be Tensors in an object of another type."""
    if isinstance(value, (Module, Optimizer, str, bytes, range, np.ndarray)):
        return []
    if isinstance(value, Collection):
        return list(value)
    return list(getattr(value, "__dict__", {}).values())


def _is_traced(trace: Trace, value: Any) -> bool:
    """Whether something has no values, and is not given any when tracing ends."""
    if isinstance(value, Value):
        return value._node not in trace.replaced
    return isinstance(value, TracedArray)


def _fail(trace: Trace, value: Any, what: str) -> NoReturn:
    trace.fail(
        f"it returned a {type(value).__name__}{what}, which cannot leave a compiled "
        "function: return Tensors in lists, tuples and dictionaries"
    )
