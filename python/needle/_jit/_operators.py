# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators and functions of single elements, for traced arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from needle._jit._array import TracedArray
    from needle._jit._recorder import Recorder


class Operators:
    """What computes each element from those at its place; operands broadcast."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    _trace: Recorder

    def _real(self) -> TracedArray:
        """The array itself, dequantized if it is quantized."""
        raise NotImplementedError

    def _made(self, mnemonic: str, *others: Any, attributes: str = "") -> TracedArray:
        """The result of an operation of float operands, this one first."""
        return self._trace.emit(mnemonic, self._real(), *others, attributes=attributes)

    def _binary(
        self, mnemonic: str, other: Any, reflected: bool = False, attributes: str = ""
    ) -> Any:
        operand = self._trace.lift(other)
        if operand is NotImplemented:
            return NotImplemented
        left, right = self._real(), operand._real()
        if reflected:
            left, right = right, left
        return self._trace.emit(mnemonic, left, right, attributes=attributes)

    def _compare(self, predicate: str, other: Any) -> Any:
        attributes = f"{{predicate = #needle.predicate<{predicate}>}}"
        return self._binary("compare", other, attributes=attributes)

    def __add__(self, other: Any) -> Any:
        return self._binary("add", other)

    def __radd__(self, other: Any) -> Any:
        return self._binary("add", other, True)

    def __sub__(self, other: Any) -> Any:
        return self._binary("sub", other)

    def __rsub__(self, other: Any) -> Any:
        return self._binary("sub", other, True)

    def __mul__(self, other: Any) -> Any:
        return self._binary("mul", other)

    def __rmul__(self, other: Any) -> Any:
        return self._binary("mul", other, True)

    def __truediv__(self, other: Any) -> Any:
        return self._binary("div", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary("div", other, True)

    def __pow__(self, other: Any) -> Any:
        return self._binary("power", other)

    def __rpow__(self, other: Any) -> Any:
        return self._binary("power", other, True)

    def __eq__(self, other: object) -> Any:
        return self._compare("eq", other)

    def __ne__(self, other: object) -> Any:
        return self._compare("ne", other)

    def __lt__(self, other: Any) -> Any:
        return self._compare("lt", other)

    def __le__(self, other: Any) -> Any:
        return self._compare("le", other)

    def __gt__(self, other: Any) -> Any:
        return self._compare("gt", other)

    def __ge__(self, other: Any) -> Any:
        return self._compare("ge", other)

    def maximum(self, other: Any) -> Any:
        """The larger of two elements; NaN if one is."""
        return self._checked("maximum", other)

    def minimum(self, other: Any) -> Any:
        """The smaller of two elements; NaN if one is."""
        return self._checked("minimum", other)

    def _checked(self, mnemonic: str, other: Any) -> Any:
        result = self._binary(mnemonic, other)
        if result is NotImplemented:
            raise TypeError(
                f"{mnemonic} takes arrays and numbers, got {type(other).__name__}"
            )
        return result

    def __neg__(self) -> TracedArray:
        return self._made("neg")

    def abs(self) -> TracedArray:
        """Absolute values."""
        return self._made("abs")

    def log(self) -> TracedArray:
        """Natural logarithms."""
        return self._made("log")

    def exp(self) -> TracedArray:
        """Exponentials."""
        return self._made("exp")

    def tanh(self) -> TracedArray:
        """Hyperbolic tangents."""
        return self._made("tanh")

    def sqrt(self) -> TracedArray:
        """Square roots."""
        return self._made("sqrt")

    def relu(self) -> TracedArray:
        """``maximum(a, 0)``."""
        return self._made("relu")

    def sigmoid(self) -> TracedArray:
        """``1 / (1 + exp(-a))``."""
        return self._made("sigmoid")
