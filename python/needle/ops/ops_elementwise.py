# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations on each element; two operands broadcast as in NumPy."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from needle._tensor import Tensor
from needle.autograd import TensorOp
from needle.backend_selection import (
    BACKEND,
    array_api,
    float_type,
    is_traced,
    real_numbers,
)
from needle.ops._helpers import make_mask, sum_to


class EWiseAdd(TensorOp):
    """a + b."""

    def compute(self, a: Any, b: Any) -> Any:
        return a + b

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[Tensor, Tensor]:
        a, b = node.inputs
        return sum_to(out_grad, a.shape), sum_to(out_grad, b.shape)


class EWiseMul(TensorOp):
    """a * b."""

    def compute(self, a: Any, b: Any) -> Any:
        return a * b

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[Any, Any]:
        a, b = node.inputs
        return (
            sum_to(out_grad * b, a.shape) if a.requires_grad else None,
            sum_to(out_grad * a, b.shape) if b.requires_grad else None,
        )


class EWiseDiv(TensorOp):
    """a / b."""

    def compute(self, a: Any, b: Any) -> Any:
        return a / b

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[Any, Any]:
        a, b = node.inputs
        quotient = out_grad / b
        return (
            sum_to(quotient, a.shape) if a.requires_grad else None,
            sum_to(-(quotient * node), b.shape) if b.requires_grad else None,
        )


class EWisePow(TensorOp):
    """a ** b."""

    def compute(self, a: Any, b: Any) -> Any:
        return a**b

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[Any, Any]:
        a, b = node.inputs
        base = exponent = None
        if a.requires_grad:
            # Where b is 0 the factor b decides: 0 * 0 ** -1 would be no number.
            powers = b.realize_cached_data()
            reduced = b - 1.0 + make_mask(powers == 0.0, powers)
            base = sum_to(out_grad * b * a**reduced, a.shape)
        if b.requires_grad:
            # 0 ** b does not change with b > 0, so the logarithm of 0 counts as 0.
            data = a.realize_cached_data()
            logarithm = log(a + make_mask(data == 0.0, data))
            exponent = sum_to(out_grad * node * logarithm, b.shape)
        return base, exponent


class Compare(TensorOp):
    """1 where a comparison of a with b, or with a number, holds, else 0.

    Parameters
    ----------
    name : str
        ``"lt"``, ``"le"``, ``"gt"`` or ``"ge"``.
    scalar : float, optional
        The number, if there is no b.
    """

    def __init__(self, name: str, scalar: float | None = None) -> None:
        self.name = name
        self.scalar = scalar

    def compute(self, a: Any, b: Any = None) -> Any:
        result = getattr(operator, self.name)(a, self.scalar if b is None else b)
        return result.astype(float_type(a)) if BACKEND == "np" else result

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[None, ...]:
        return (None,) * len(node.inputs)


class Select(TensorOp):
    """a where a mask of 0 and 1 is 1, elsewhere 0, even where a is not finite."""

    def compute(self, mask: Any, a: Any) -> Any:
        if BACKEND == "np":
            return np.where(mask > 0, real_numbers(a), 0.0).astype(float_type(a))
        traced = next((one for one in (mask, a) if is_traced(one)), None)
        if traced is None:
            return array_api.relu_grad(mask, a)
        trace = traced._trace
        operands = [trace.lift(one)._real() for one in (mask, a)]
        return trace.emit("select", *operands, trace.fill(a.shape, 0.0))

    def gradient(self, out_grad: Tensor, node: Tensor) -> tuple[None, Tensor]:
        return None, self(node.inputs[0], out_grad)


class _ScalarOp(TensorOp):
    """An operation with a number."""

    def __init__(self, scalar: Any) -> None:
        # An array of one element, too, whatever its shape.
        self.scalar = float(scalar.item() if isinstance(scalar, np.ndarray) else scalar)


class AddScalar(_ScalarOp):
    """a + scalar."""

    def compute(self, a: Any) -> Any:
        return a + self.scalar

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad


class MulScalar(_ScalarOp):
    """a * scalar."""

    def compute(self, a: Any) -> Any:
        return a * self.scalar

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad * self.scalar


class DivScalar(_ScalarOp):
    """a / scalar."""

    def compute(self, a: Any) -> Any:
        return a / self.scalar

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad / self.scalar


class RDivScalar(_ScalarOp):
    """scalar / a."""

    def compute(self, a: Any) -> Any:
        return self.scalar / a

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        a: Tensor = node.inputs[0]
        return -(out_grad * node / a)


class PowerScalar(_ScalarOp):
    """a ** scalar."""

    def compute(self, a: Any) -> Any:
        return a**self.scalar

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        if self.scalar == 0.0:
            # Not 0 * a ** -1, which is no number where a is 0.
            return out_grad * 0.0
        if self.scalar == 1.0:
            return out_grad
        a: Tensor = node.inputs[0]
        slope = a if self.scalar == 2.0 else a ** (self.scalar - 1.0)
        return out_grad * (slope * self.scalar)


class RPowerScalar(_ScalarOp):
    """scalar ** a."""

    def compute(self, a: Any) -> Any:
        return self.scalar**a

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        # 0 ** a does not change with a > 0, and has no real slope below 0.
        if self.scalar < 0.0:
            return out_grad * math.nan
        return out_grad * node * (math.log(self.scalar) if self.scalar else 0.0)


class Negate(TensorOp):
    """-a."""

    def compute(self, a: Any) -> Any:
        return -a

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return -out_grad


class Log(TensorOp):
    """The natural logarithm."""

    def compute(self, a: Any) -> Any:
        return array_api.log(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        a: Tensor = node.inputs[0]
        return out_grad / a


class Exp(TensorOp):
    """The exponential function."""

    def compute(self, a: Any) -> Any:
        return array_api.exp(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad * node


class ReLU(TensorOp):
    """The larger one of a and 0; its slope at 0 is 0."""

    def compute(self, a: Any) -> Any:
        return array_api.relu(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        data = node.inputs[0].realize_cached_data()
        return out_grad * make_mask(data > 0.0, data)


class Tanh(TensorOp):
    """The hyperbolic tangent."""

    def compute(self, a: Any) -> Any:
        return array_api.tanh(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad * (1.0 - node * node)


class Sigmoid(TensorOp):
    """1 / (1 + exp(-a))."""

    def compute(self, a: Any) -> Any:
        return array_api.sigmoid(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad * (node * (1.0 - node))


class Sqrt(TensorOp):
    """The square root; its slope at 0 is infinite."""

    def compute(self, a: Any) -> Any:
        return array_api.sqrt(a)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return out_grad / (node * 2.0)


# One of each is enough for operations without parameters.
_ADD, _MUL, _DIV, _POW = EWiseAdd(), EWiseMul(), EWiseDiv(), EWisePow()
_NEGATE, _LOG, _EXP, _RELU = Negate(), Log(), Exp(), ReLU()
_TANH, _SIGMOID, _SQRT = Tanh(), Sigmoid(), Sqrt()


def add(a: Tensor, b: Tensor) -> Tensor:
    """A + b; shapes broadcast."""
    return _ADD(a, b)


def add_scalar(a: Tensor, scalar: float) -> Tensor:
    """A + scalar."""
    return AddScalar(scalar)(a)


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """A * b; shapes broadcast."""
    return _MUL(a, b)


def mul_scalar(a: Tensor, scalar: float) -> Tensor:
    """A * scalar."""
    return MulScalar(scalar)(a)


def divide(a: Tensor, b: Tensor) -> Tensor:
    """A / b; shapes broadcast."""
    return _DIV(a, b)


def divide_scalar(a: Tensor, scalar: float) -> Tensor:
    """A / scalar."""
    return DivScalar(scalar)(a)


def rdivide_scalar(a: Tensor, scalar: float) -> Tensor:
    """Scalar / a."""
    return RDivScalar(scalar)(a)


def power(a: Tensor, b: Tensor) -> Tensor:
    """A ** b; shapes broadcast.

    The gradient with respect to b is NaN where a is negative, and 0 where a is 0.
    """
    return _POW(a, b)


def power_scalar(a: Tensor, scalar: float) -> Tensor:
    """A ** scalar."""
    return PowerScalar(scalar)(a)


def rpower_scalar(a: Tensor, scalar: float) -> Tensor:
    """Scalar ** a; the gradient is NaN for a negative scalar."""
    return RPowerScalar(scalar)(a)


def negate(a: Tensor) -> Tensor:
    """-a."""
    return _NEGATE(a)


def log(a: Tensor) -> Tensor:
    """The natural logarithm: -inf at 0, NaN below."""
    return _LOG(a)


def exp(a: Tensor) -> Tensor:
    """The exponential function."""
    return _EXP(a)


def relu(a: Tensor) -> Tensor:
    """The larger one of a and 0; its slope at 0 is 0."""
    return _RELU(a)


def tanh(a: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return _TANH(a)


def sigmoid(a: Tensor) -> Tensor:
    """1 / (1 + exp(-a))."""
    return _SIGMOID(a)


def sqrt(a: Tensor) -> Tensor:
    """The square root: NaN below 0."""
    return _SQRT(a)


__all__ = [
    "AddScalar",
    "Compare",
    "DivScalar",
    "EWiseAdd",
    "EWiseDiv",
    "EWiseMul",
    "EWisePow",
    "Exp",
    "Log",
    "MulScalar",
    "Negate",
    "PowerScalar",
    "RDivScalar",
    "RPowerScalar",
    "ReLU",
    "Select",
    "Sigmoid",
    "Sqrt",
    "Tanh",
    "add",
    "add_scalar",
    "divide",
    "divide_scalar",
    "exp",
    "log",
    "mul_scalar",
    "multiply",
    "negate",
    "power",
    "power_scalar",
    "rdivide_scalar",
    "relu",
    "rpower_scalar",
    "sigmoid",
    "sqrt",
    "tanh",
]
