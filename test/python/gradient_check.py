# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gradients compared with central differences of a NumPy function in float64.

With the weights c, phi(x) = sum(c * f(x)) is a number. At a step h the central
difference D(h) is phi' + h² phi3/6 + h⁴ phi5/120 + ..., phi3 and phi5 being further
derivatives. So (4 D(h) - D(2h)) / 3 is off by h⁴ phi5/30, and |D(2h) - D(h)| / 3 is
h² |phi3|/6. The functions here have |phi5| <= 100 |phi3| (1/x at 0.5 has 80): the
former is at most 20 h² times the latter.
Rounding adds u64 * |phi| / h for each of at most OPERATIONS operations within f.

What is checked rounds to u (float32 or float64): at most OPERATIONS operations on
each path, and sums over n terms, each with a relative error of 4 u (exp, log and
their like included) of terms no larger than |c| (1 + |f'|).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import needle as ndl
import numpy as np
from needle.backend_selection import BACKEND

OPERATIONS = 16
STEP = 1e-3
UNIT64 = 2.0**-53
#: The rounding of what is checked.
UNIT = UNIT64 if BACKEND == "np" else 2.0**-24
DTYPE = np.float64 if BACKEND == "np" else np.float32

Arrays = list[Any]


def draw(
    generator: np.random.Generator, shape: tuple[int, ...], low: float, high: float
) -> Any:
    """Numbers that float32 holds, as float64."""
    values = generator.uniform(low, high, shape)
    return values.astype(np.float32).astype(np.float64)


def tensors(arrays: Sequence[Any]) -> list[Any]:
    return [ndl.Tensor(array.astype(DTYPE)) for array in arrays]


def _jacobian(
    function: Callable[..., Any], arrays: Arrays, which: int, step: float
) -> Any:
    """Central differences: one row for each element of the input."""
    rows = []
    for place in np.ndindex(arrays[which].shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = [array.copy() for array in arrays]
            moved[which][place] += sign * step
            ends.append(np.asarray(function(*moved), np.float64).reshape(-1))
        rows.append((ends[0] - ends[1]) / (2.0 * step))
    return np.array(rows)


def differences(
    function: Callable[..., Any], arrays: Arrays, which: int, weights: Any
) -> tuple[Any, Any]:
    """The gradient of sum(weights * function) and how far it may be off.

    The second includes what a computation that rounds to UNIT may be off.
    """
    near = _jacobian(function, arrays, which, STEP)
    far = _jacobian(function, arrays, which, 2.0 * STEP)
    slopes = (4.0 * near - far) / 3.0
    c = weights.reshape(-1)
    value = np.abs(np.asarray(function(*arrays), np.float64)).reshape(-1)
    truncation = np.abs(far - near) / 3.0 * STEP**2 * 20.0
    rounding = OPERATIONS * UNIT64 * (value + 1.0) / STEP
    magnitude = np.abs(c) * (1.0 + np.abs(slopes))
    terms = OPERATIONS + c.size + max(array.size for array in arrays)
    allowed = (truncation + rounding) @ np.abs(c)
    allowed += terms * 4.0 * UNIT * magnitude.sum(axis=1)
    shape = arrays[which].shape
    return (slopes @ c).reshape(shape), allowed.reshape(shape)


def check_gradients(
    op: Callable[..., Any],
    function: Callable[..., Any],
    arrays: Arrays,
    generator: np.random.Generator,
) -> None:
    """The result and the gradient of every input."""
    inputs = tensors(arrays)
    result = op(*inputs)
    expected = np.asarray(function(*arrays), np.float64)
    assert result.shape == expected.shape
    terms = OPERATIONS + max(array.size for array in arrays)
    scale = 1.0 + np.abs(expected).max(initial=0.0)
    np.testing.assert_allclose(
        result.numpy(), expected, rtol=0, atol=terms * 4.0 * UNIT * scale
    )
    weights = draw(generator, expected.shape, -1.0, 1.0)
    (out_grad,) = tensors([weights])
    result.backward(out_grad)
    for which, tensor in enumerate(inputs):
        wanted, allowed = differences(function, arrays, which, weights)
        assert tensor.grad.shape == wanted.shape
        error = np.abs(tensor.grad.numpy() - wanted)
        assert np.all(error <= allowed), f"input {which}: {error.max()}"


def check_second_gradients(
    op: Callable[..., Any], arrays: Arrays, generator: np.random.Generator
) -> None:
    """The gradient of a gradient, from central differences of the first.

    Only where arrays hold float64: differences of float32 say little.
    """
    directions = [draw(generator, array.shape, -1.0, 1.0) for array in arrays]

    def slope(*values: Any) -> tuple[Any, list[Any]]:
        inputs = tensors(values)
        op(*inputs).sum().backward()
        total = None
        for tensor, direction in zip(inputs, directions, strict=True):
            part = (tensor.grad * direction).sum()
            total = part if total is None else total + part
        return total, inputs

    total, inputs = slope(*arrays)
    if total.requires_grad:
        total.backward()
    for which, tensor in enumerate(inputs):
        wanted, allowed = differences(
            lambda *values: slope(*values)[0].numpy(), arrays, which, np.ones(())
        )
        gained = tensor.grad.numpy() if total.requires_grad else np.zeros(wanted.shape)
        error = np.abs(gained - wanted)
        assert np.all(error <= allowed * 16), f"input {which}: {error.max()}"
