# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adding operations on traced arrays to a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from needle._jit._array import Shape, TracedArray
from needle._jit._values import DynamicParams
from needle._places import find_caller
from needle.backend_ndarray.quantized import QuantParams
from needle.builder import GraphBuilder
from needle.errors import CompileError, TraceError

if TYPE_CHECKING:
    from needle.builder import Value as GraphValue


class Recorder:
    """A graph under construction, and the operations that arrays add to it.

    Parameters
    ----------
    name
        Of the function, for messages and the graph.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.builder = GraphBuilder(name)
        self._constants: dict[bytes, TracedArray] = {}

    # -- Errors --------------------------------------------------------------

    def fail(self, message: str) -> NoReturn:
        """Raise TraceError that names the user's line."""
        raise TraceError(f"{place()}: in {self.name}, compiled by ndl.jit: {message}")

    def fail_reading(self, what: str) -> NoReturn:
        """Raise TraceError for something that needs values."""
        self.check_active()
        self.fail(
            f"{what} needs values, but a function is traced without: they are known "
            "only when the compiled function runs. Read them outside, from what it "
            "returns"
        )

    def check_active(self) -> None:
        """Raise TraceError if arrays of this graph have no meaning any more."""
        raise NotImplementedError

    # -- What a trace knows more about ----------------------------------------

    def lift(self, operand: Any) -> Any:
        """An operand as an array of this graph, or NotImplemented."""
        raise NotImplementedError

    def add_input(self, array: TracedArray) -> GraphValue:
        """Make an input of the graph for an array that has no value."""
        raise NotImplementedError

    def add_check(self, value: TracedArray, message: str) -> None:
        """Let runs fail where a value without dimensions is not 0."""
        raise NotImplementedError

    # -- Operations ----------------------------------------------------------

    def constant(self, values: Any) -> TracedArray:
        """A constant of float32."""
        array = np.asarray(values, np.float32)
        key = array.tobytes() + repr(array.shape).encode()
        if key not in self._constants:
            made = TracedArray(self, self.builder.constant(array), array.shape)
            self._constants[key] = made
        return self._constants[key]

    def fill(self, shape: Shape, value: float) -> TracedArray:
        """Equal numbers."""
        scalar = self.constant(np.float32(value))
        made = self.emit_broadcast(scalar, shape) if shape else self._copy(scalar)
        made._fill = float(value)
        return made

    def _copy(self, array: TracedArray) -> TracedArray:
        return TracedArray(self, array._graph_value(), array._shape)

    def emit(
        self,
        mnemonic: str,
        *operands: TracedArray,
        attributes: str = "",
        result: tuple[str, Shape] | None = None,
    ) -> TracedArray:
        """An operation with one result, of float32 unless ``result`` tells more."""
        values = [operand._graph_value() for operand in operands]
        types = () if result is None else (result,)
        value = self._apply(mnemonic, values, attributes, types, 1)[0]
        return TracedArray(self, value, _static(value))

    def _apply(
        self,
        mnemonic: str,
        values: Sequence[GraphValue],
        attributes: str,
        types: Sequence[tuple[str, Any]],
        count: int,
    ) -> tuple[GraphValue, ...]:
        try:
            return self.builder.op(
                mnemonic,
                *values,
                attributes=attributes,
                result_types=types,
                num_results=count,
            )
        except CompileError as error:
            raise CompileError(
                f"{error}\nin {self.name}, compiled by ndl.jit"
            ) from None

    def emit_moved(
        self, mnemonic: str, operand: TracedArray, attributes: str
    ) -> TracedArray:
        """An operation that moves elements of any type."""
        made = self.emit(mnemonic, operand, attributes=attributes)
        made.quant_params = operand.quant_params
        return made

    def emit_reshape(self, operand: TracedArray, shape: Shape) -> TracedArray:
        """The same elements in another shape."""
        value = self.builder.reshape(operand._graph_value(), shape)
        return TracedArray(self, value, shape, operand.quant_params)

    def emit_broadcast(self, operand: TracedArray, shape: Shape) -> TracedArray:
        """Elements repeated."""
        return self.emit("broadcast_to", operand, result=("float32", shape))

    def emit_quantize(self, operand: TracedArray, params: QuantParams) -> TracedArray:
        """Elements rounded to 8 bits, with parameters that are known."""
        made = self.emit(
            "quantize", operand, result=(element_type(params), operand.shape)
        )
        made.quant_params = params
        return made

    def emit_quantize_dynamic(self, operand: TracedArray) -> TracedArray:
        """Elements rounded to 8 bits, with parameters computed from them."""
        value, scale, zero_point = self._apply(
            "quantize_dynamic", [operand._graph_value()], "", (), 3
        )
        params = DynamicParams(self, scale, zero_point)
        return TracedArray(self, value, operand.shape, params)

    def emit_dequantize(self, operand: TracedArray) -> TracedArray:
        """The real numbers of a quantized array."""
        params = _dynamic_params(operand)
        values = [operand._graph_value(), *params]
        result = ("float32", operand.shape)
        flags = [1, len(params) // 2, len(params) // 2]
        value = self._apply("dequantize", values, _segments(flags), (result,), 1)[0]
        return TracedArray(self, value, operand.shape)

    def emit_quantized_matmul(self, a: TracedArray, b: TracedArray) -> TracedArray:
        """The product of two quantized arrays, in integers (rules N4 and N5)."""
        if b.ndim > 2:
            self.fail(
                f"@ of quantized arrays of the shapes {a.shape} and {b.shape}: the "
                "right one can only be a matrix in a compiled function"
            )
        batch = a.shape[:-1]
        rows = a.reshape((int(np.prod(batch, dtype=np.int64)), a.shape[-1]))
        left, right = _dynamic_params(rows), _dynamic_params(b)
        values = [rows._graph_value(), b._graph_value(), *left, *right]
        one, two = len(left) // 2, len(right) // 2
        result = ("float32", (rows.shape[0], b.shape[1]))
        flags = _segments([1, 1, one, one, two, two, 0])
        value = self._apply("qmatmul", values, flags, (result,), 1)[0]
        return TracedArray(self, value, result[1]).reshape((*batch, b.shape[1]))


def place() -> str:
    """The user's file and line."""
    file, line, _ = find_caller()
    return f"{file}:{line}" if file else "in Python"


def _static(value: GraphValue) -> Shape:
    return tuple(dim for dim in value.shape if dim is not None)


def element_type(params: QuantParams | DynamicParams | None) -> str:
    """The type of elements, in MLIR syntax if they are quantized."""
    if params is None:
        return "f32"
    return f"!quant.uniform<u8:f32, {params.scale:.17e}:{params.zero_point}>"


def _dynamic_params(array: TracedArray) -> list[GraphValue]:
    params = array.quant_params
    if isinstance(params, DynamicParams):
        return [params.scale_value, params.zero_point_value]
    return []


def _segments(sizes: Sequence[int]) -> str:
    return f"{{operandSegmentSizes = array<i32: {', '.join(map(str, sizes))}>}}"
