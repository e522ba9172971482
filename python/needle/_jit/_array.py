# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays without values, which record what is computed with them.

A :class:`TracedArray` stands where an NDArray would while a function is traced: it
has the methods of one, but each adds operations to a graph.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle._jit import _indexing
from needle._jit._operators import Operators
from needle._jit._values import DynamicParams, Valueless
from needle.backend_ndarray import cpu
from needle.backend_ndarray._checks import check_axes, check_matmul
from needle.backend_ndarray.device import Device
from needle.backend_ndarray.quantized import FLOAT32, UINT8, QuantParams

if TYPE_CHECKING:
    from needle._jit._recorder import Recorder
    from needle.builder import Value as GraphValue

Shape = tuple[int, ...]


class TracedArray(Operators, Valueless):
    """An array of a graph under construction, with the methods of NDArray.

    Parameters
    ----------
    trace
        What it belongs to.
    value
        The value in the graph; None for something that becomes an input of the
        graph when it is first used.
    shape
        Its extents, all known.
    quant_params
        None for float32.
    """

    __slots__ = (
        "__weakref__",
        "_fill",
        "_shape",
        "_source",
        "_trace",
        "_value",
        "_viewed",
        "quant_params",
    )
    #: Where it was placed is decided by the inputs of a run.
    committed = False

    def __init__(
        self,
        trace: Recorder,
        value: GraphValue | None,
        shape: Shape,
        quant_params: QuantParams | DynamicParams | None = None,
        source: Any = None,
    ) -> None:
        self._trace = trace
        self._value = value
        self._shape = shape
        self._source = source
        self._viewed = source is not None
        self._fill: float | None = None
        self.quant_params = quant_params

    # -- What it is ----------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """Extents."""
        self._graph_value()
        return self._shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32, or uint8 of a quantized array."""
        return FLOAT32 if self.quant_params is None else UINT8

    @property
    def device(self) -> Device:
        """Compiled functions run on the CPU."""
        return cpu()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"TracedArray({self.dtype}, shape={self._shape})"

    def _graph_value(self) -> GraphValue:
        """The value in the graph, which is an input from now on if it was none."""
        self._trace.check_active()
        if self._value is None:
            self._value = self._trace.add_input(self)
        return self._value

    def _view(self, made: TracedArray) -> TracedArray:
        """In eager mode the two share memory: neither may be written to."""
        self._viewed = made._viewed = True
        return made

    def _real(self) -> TracedArray:
        return self if self.quant_params is None else self.dequantize()

    _dequantized = _real

    # -- Reductions ----------------------------------------------------------

    def _reduce(self, mnemonic: str, axis: Any, keepdims: bool) -> TracedArray:
        axes = sorted(check_axes(axis, self.ndim))
        if mnemonic == "reduce_max" and any(self.shape[i] == 0 for i in axes):
            raise ValueError(f"max() of no elements: shape {self.shape}, axis {axis}")
        flag = ", keepdims" if keepdims else ""
        return self._made(mnemonic, attributes=f"{{axes = {_integers(axes)}{flag}}}")

    def sum(self, axis: Any = None, keepdims: bool = False) -> TracedArray:
        """Sums over some axes, by default all."""
        return self._reduce("reduce_sum", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> TracedArray:
        """Maxima over some axes, by default all."""
        return self._reduce("reduce_max", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> TracedArray:
        """Minima over some axes, by default all."""
        return -(-self)._reduce("reduce_max", axis, keepdims)

    # -- Products ------------------------------------------------------------

    def __matmul__(self, other: Any) -> Any:
        return self._matmul(other, False)

    def __rmatmul__(self, other: Any) -> Any:
        return self._matmul(other, True)

    def _matmul(self, other: Any, reflected: bool, bias: Any = None) -> Any:
        if isinstance(other, (bool, int, float, np.generic)):
            raise ValueError("@ takes two arrays; multiply by a number with *")
        operand = self._trace.lift(other)
        if operand is NotImplemented:
            return NotImplemented
        a, b = (operand, self) if reflected else (self, operand)
        lhs = a.reshape((1, *a.shape)) if a.ndim == 1 else a
        rhs = b.reshape((*b.shape, 1)) if b.ndim == 1 else b
        check_matmul(a.shape, b.shape, lhs.shape, rhs.shape)
        if a.quant_params is None or b.quant_params is None:
            out = self._trace.emit("matmul", lhs._real(), rhs._real())
        else:
            out = self._trace.emit_quantized_matmul(lhs, rhs)
        if bias is not None:
            out = out + bias
        if a.ndim == 1 or b.ndim == 1:
            rows = () if a.ndim == 1 else out.shape[-2:-1]
            columns = () if b.ndim == 1 else out.shape[-1:]
            out = out.reshape(out.shape[:-2] + rows + columns)
        return out

    # -- Shapes --------------------------------------------------------------

    def reshape(self, *shape: Any) -> TracedArray:
        """The same elements in another shape; one extent may be -1."""
        wanted = _indexing.infer_shape(_numbers(shape), self.shape)
        if wanted == self.shape:
            return self
        return self._view(self._trace.emit_reshape(self, wanted))

    def permute(self, *axes: Any) -> TracedArray:
        """Dimension i of the result is dimension axes[i] of this array."""
        given = _numbers(axes)
        order = check_axes(given, self.ndim)
        if len(order) != self.ndim:
            raise ValueError(f"permute takes {self.ndim} axes, got {given}")
        attributes = f"{{permutation = {_integers(order)}}}"
        made = self._trace.emit_moved("transpose", self, attributes)
        return self._view(made)

    def transpose(self, axes: Any = None) -> TracedArray:
        """Permuted axes, by default reversed."""
        return self.permute(range(self.ndim)[::-1] if axes is None else axes)

    @property
    def T(self) -> TracedArray:  # noqa: N802 (NumPy's name)
        """All axes reversed."""
        return self.transpose()

    def broadcast_to(self, *shape: Any) -> TracedArray:
        """Repeat along dimensions of extent 1 and along new ones in front."""
        wanted = _numbers(shape)
        if wanted == self.shape:
            return self
        try:
            fits = np.broadcast_shapes(self.shape, wanted) == wanted
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"shape {self.shape} does not broadcast to {wanted}")
        return self._view(self._trace.emit_broadcast(self._real(), wanted))

    def flatten(self) -> TracedArray:
        """The elements in one dimension."""
        return self.reshape((self.size,))

    def compact(self) -> TracedArray:
        """The array itself: graphs know no strides."""
        return self

    def flip(self, axes: Any = None) -> TracedArray:
        """The elements reversed along some axes, by default all."""
        flipped = sorted(check_axes(axes, self.ndim))
        return self._made("reverse", attributes=f"{{axes = {_integers(flipped)}}}")

    def pad(self, axes: Any) -> TracedArray:
        """Zeros around this array, for each axis how many before and after."""
        pairs = [tuple(map(operator.index, pair)) for pair in axes]
        if len(pairs) != self.ndim or any(len(p) != 2 or min(p) < 0 for p in pairs):
            raise ValueError(
                f"pad takes {self.ndim} pairs of numbers that are not negative, "
                f"got {axes!r}"
            )
        low, high = ([pair[i] for pair in pairs] for i in (0, 1))
        return self._padded(low, high, [0] * self.ndim)

    def _padded(
        self, low: Sequence[int], high: Sequence[int], interior: Sequence[int]
    ) -> TracedArray:
        return self._made(
            "pad",
            attributes=f"{{low = {_integers(low)}, high = {_integers(high)}, "
            f"interior = {_integers(interior)}}}",
        )

    # -- Elements ------------------------------------------------------------

    def __getitem__(self, index: Any) -> TracedArray:
        region = _indexing.find_region(index, self.shape)
        made = self
        if not region.is_whole(self.shape):
            made = self._made(
                "slice",
                attributes=f"{{starts = {_integers(region.starts)}, "
                f"limits = {_integers(region.limits)}, "
                f"steps = {_integers(region.steps)}}}",
            )
        return self._view(made.reshape(region.shape))

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write to an array that was made in the traced function."""
        if self._viewed:
            self._trace.fail(
                "writing in place to an array that is an argument, is captured, or "
                "shares memory with another one: compiled functions can only write "
                "to arrays they made; assign a new array instead"
            )
        if self.quant_params is not None:
            self._trace.fail("writing in place to a quantized array")
        operand = self._trace.lift(value)
        if operand is NotImplemented:
            raise TypeError(f"cannot write {type(value).__name__} to an array")
        region = _indexing.find_region(index, self.shape)
        extents = region.extents
        source = _indexing.fit_source(operand._real(), extents, region.shape)
        low, high, interior = region.padding(self.shape)
        padded = source._padded(low, high, interior)
        if self._fill is None or self._fill != 0.0 or str(self._fill) == "-0.0":
            ones = self._trace.fill(extents, 1.0)
            mask = ones._padded(low, high, interior)
            padded = self._trace.emit("select", mask, padded, self)
        self._value, self._fill = padded._graph_value(), None

    def fill(self, value: float) -> None:
        """Set all elements."""
        self[...] = float(value)

    def __iter__(self) -> Iterator[TracedArray]:
        for i in range(len(self)):
            yield self[i, ...].reshape(self.shape[1:])

    # -- Types and places ----------------------------------------------------

    def astype(self, dtype: Any) -> TracedArray:
        """The array itself, or the real numbers of a quantized one."""
        wanted = np.dtype(dtype)
        if wanted == self.dtype:
            return self
        if wanted == FLOAT32:
            return self.dequantize()
        raise TypeError(
            f"arrays are float32, or uint8 by quantize_uint8(); not {wanted}"
        )

    def to(self, device: Device) -> TracedArray:
        """The array itself; compiled functions run on cpu()."""
        if device != self.device:
            self._trace.fail(
                f"an array cannot move to {device!r}: compiled functions run on "
                f"{self.device!r}"
            )
        return self

    def quantize_uint8(
        self, scale: float | None = None, zero_point: int | None = None
    ) -> TracedArray:
        """Quantize to uint8; see :meth:`NDArray.quantize_uint8`."""
        if self.quant_params is not None:
            raise TypeError(
                "quantize_uint8() takes a float32 array, this one is uint8 already"
            )
        if scale is not None and zero_point is not None:
            return self._trace.emit_quantize(self, QuantParams(scale, zero_point))
        if not (scale is None and zero_point is None):
            self._trace.fail(
                "quantize_uint8() takes both of scale and zero_point, or none, in a "
                "compiled function"
            )
        return self._trace.emit_quantize_dynamic(self)

    def dequantize(self) -> TracedArray:
        """The real numbers that the integers stand for (rule N3)."""
        if self.quant_params is None:
            raise TypeError("dequantize() takes a quantized array, this one is float32")
        return self._trace.emit_dequantize(self)

    # -- What functions of arrays ask for ------------------------------------

    def _full_like(self, value: float, shape: Shape | None = None) -> TracedArray:
        """Equal numbers, in this shape or another."""
        return self._trace.fill(self.shape if shape is None else shape, value)

    def _one_hot(self, n: int) -> TracedArray:
        """Rows of the identity matrix; wrong indices are found when it runs."""
        numbers = self._trace.constant(np.arange(n, dtype=np.float32))
        rows = self._real().reshape((*self.shape, 1)) == numbers
        missing = 1.0 - rows.sum(axis=-1)
        self._trace.add_check(
            missing.max() if self.size else missing.sum(),
            f"one_hot with rows of {n} takes integers from 0 to {n - 1}",
        )
        made: TracedArray = rows
        return made

    def _concatenate(self, arrays: Sequence[Any], axis: int) -> TracedArray:
        """Arrays one behind the other; axis is counted from the front."""
        operands = [self._trace.lift(array)._real() for array in arrays]
        return self._trace.emit(
            "concat", *operands, attributes=f"{{axis = {axis} : i64}}"
        )


def _integers(numbers: Sequence[int]) -> str:
    """An attribute of integers in MLIR syntax."""
    listed = ", ".join(map(str, numbers))
    return f"array<i64{': ' + listed if listed else ''}>"


def _numbers(given: Sequence[Any]) -> Shape:
    """Integers that are given one by one or as a sequence."""
    if len(given) == 1 and not isinstance(given[0], (int, np.integer)):
        given = given[0]
    return tuple(map(operator.index, given))
