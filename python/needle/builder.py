# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Building graphs op by op."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from needle import _needle
from needle._arguments import check_flag, check_integer, check_shape, check_text
from needle._convolution import Convolutions
from needle._places import find_caller
from needle.blockwise import check_activations, check_block_size
from needle.graph import Graph, listed
from needle.signature import TensorSpec, make_spec

Array = npt.NDArray[Any]
#: Element types by NumPy's names, in MLIR syntax.
ELEMENT_TYPES = {"float32": "f32", "int32": "i32", "uint8": "ui8", "int8": "si8"}
#: More results than any operation has.
_MOST_RESULTS = 1024
#: Where a quantized type in MLIR syntax names its storage type: u8 or i8.
_STORAGE = re.compile(r"uniform\s*<\s*([ui])8\b")


class Value:
    """A value in a graph under construction: an input or the result of an op.

    Made by the methods of :class:`GraphBuilder`.
    """

    __slots__ = ("_builder", "_id", "_spec")

    def __init__(self, builder: GraphBuilder, value: int, spec: TensorSpec) -> None:
        self._builder = builder
        self._id = value
        self._spec = spec

    @property
    def shape(self) -> tuple[int | None, ...]:
        """None stands for a dimension that is known only at run time."""
        return self._spec.shape

    @property
    def dtype(self) -> str:
        """NumPy's name of the element type."""
        return self._spec.dtype

    def __repr__(self) -> str:
        return f"Value({self._spec.dtype}, shape={self._spec.shape})"


Operand = Value | Array | float
Shape = Sequence[int | None]
#: One axis or several; None stands for all.
Axes = int | Sequence[int] | None
#: How two elements may be compared.
PREDICATES = ("eq", "ne", "lt", "le", "gt", "ge")


class GraphBuilder(Convolutions):
    """Builds a graph op by op, checking each step.

    The Python line that calls a method becomes the op's source location, which
    errors, profiles and artifacts show; ``name`` is by what quantization includes
    or excludes an op.

    Where a method takes a :class:`Value` it takes a NumPy array or a Python
    float too, which become constants. Wrong shapes and types raise
    :class:`needle.CompileError`, naming the line.

    Examples
    --------
    >>> import needle as ndl, numpy as np
    >>> builder = ndl.GraphBuilder("linear")
    >>> x = builder.input("x", (None, 2))
    >>> y = builder.matmul(x, np.ones((2, 3), np.float32))
    >>> builder.output(y, name="y")
    >>> builder.build()
    Graph('linear', (x: float32[?, 2]) -> (y: float32[?, 3]))
    """

    def __init__(self, name: str = "") -> None:
        self._native = _needle.GraphBuilder(check_text("name", name))
        self._names: set[str] = set()
        self._constants: set[str] = set()
        self._counts: dict[str, int] = {}

    # -- Inputs and outputs --------------------------------------------------

    def input(self, name: str, shape: Shape, dtype: npt.DTypeLike = "float32") -> Value:
        """Append an input.

        Parameters
        ----------
        name
            Unique and not empty.
        shape
            None stands for a dimension that is known only at run time.
        dtype
            float32, int32, uint8 or int8; or a quantized type in MLIR syntax,
            e.g. ``"!quant.uniform<u8:f32, 0.5:3>"``.
        """
        check_text("name", name)
        element, dims = _element_type(dtype), check_shape(shape)
        return self._value(self._native.input(name, element, dims, find_caller(name)))

    def constant(
        self, array: npt.ArrayLike, name: str | None = None, *, dtype: str | None = None
    ) -> Value:
        """Add a constant: a copy of a float32, int32, uint8 or int8 array.

        ``dtype`` may be a quantized type in MLIR syntax whose stored integers the
        array holds: uint8 ones for ``u8``, int8 ones for ``i8``. Nothing is
        converted.
        """
        values = np.asarray(array)
        if values.dtype.name not in ELEMENT_TYPES:
            raise TypeError(
                f"a constant is an array of {listed(ELEMENT_TYPES)}, got "
                f'{values.dtype}; convert it, e.g. with .astype("float32")'
            )
        element = ELEMENT_TYPES[values.dtype.name]
        if dtype is not None:
            element = _element_type(dtype)
            _check_storage(values.dtype.name, element)
        # Native byte order; ascontiguousarray would make a rank of 0 one of 1.
        values = np.require(values, values.dtype.newbyteorder("="), ["C"])
        place = find_caller(self._name("constant", name))
        return self._value(self._native.constant(values, element, place))

    def output(self, value: Operand, name: str | None = None) -> None:
        """Append an output; names are unique, ``output_<n>`` by default."""
        if name is None:
            count = self._counts.get("output", 0)
            self._counts["output"] = count + 1
            name = f"output_{count}"
        check_text("name", name)
        self._native.output(name, self._operand(value), find_caller(name))

    def build(self) -> Graph:
        """End the graph. The builder cannot be used afterwards."""
        return Graph(self._native.build(find_caller()))

    # -- Contractions --------------------------------------------------------

    def matmul(
        self,
        a: Operand,
        b: Operand,
        transpose_a: bool = False,
        transpose_b: bool = False,
        *,
        name: str | None = None,
    ) -> Value:
        """Matrix product of ``a`` (M×K) and ``b`` (K×N).

        ``transpose_a`` takes ``a`` as K×M, ``transpose_b`` takes ``b`` as N×K.
        Dimensions before these are a batch, which broadcasts as in :meth:`add`.
        """
        flags = []
        if check_flag("transpose_a", transpose_a):
            flags.append("transpose_lhs")
        if check_flag("transpose_b", transpose_b):
            flags.append("transpose_rhs")
        return self._apply("matmul", (a, b), "{" + ", ".join(flags) + "}", name=name)

    def matmul_blockwise(
        self,
        x: Operand,
        q: Operand,
        scales: Operand,
        zero_points: Operand | None = None,
        *,
        block_size: int,
        activations: str = "float32",
        name: str | None = None,
    ) -> Value:
        """Matrix product of ``x`` (M×K) with a 4-bit weight (K×N).

        Parameters
        ----------
        x
            Float32 activations.
        q, scales, zero_points
            The weight, see :func:`needle.quantize_blockwise`: integers in a byte
            each, int8 (-8 … 7) without zero points and uint8 (0 … 15) with them;
            scales and zero points for each block of ``block_size`` along K. To be
            compiled they must be arrays.
        block_size
            A power of two from 16 to 65536.
        activations
            ``"float32"``, or ``"int8"``: quantized by blocks when the program runs,
            which is faster and has the same bits everywhere (rule N9).
        name
            As in the other methods.
        """
        size = check_block_size(block_size)
        kind = check_activations(activations)
        weight = (q, scales) if zero_points is None else (q, scales, zero_points)
        attributes = (
            f"{{block_size = {size} : i64, "
            f"activations = #needle.blockwise_activations<{kind}>}}"
        )
        return self._apply("qmatmul_blockwise", (x, *weight), attributes, name=name)

    # -- Elementwise ---------------------------------------------------------

    def add(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """Sum ``a + b``; shapes broadcast, but dynamic dimensions never stretch."""
        return self._apply("add", (a, b), name=name)

    def sub(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """Difference ``a - b``, with broadcasting as in :meth:`add`."""
        return self._apply("sub", (a, b), name=name)

    def mul(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """Product ``a * b``, with broadcasting as in :meth:`add`."""
        return self._apply("mul", (a, b), name=name)

    def div(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """Quotient ``a / b``, with broadcasting as in :meth:`add`."""
        return self._apply("div", (a, b), name=name)

    def maximum(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """IEEE 754-2019 maximum of ``a`` and ``b``: NaN if one is, +0 above -0."""
        return self._apply("maximum", (a, b), name=name)

    def minimum(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """IEEE 754-2019 minimum of ``a`` and ``b``: NaN if one is, -0 below +0."""
        return self._apply("minimum", (a, b), name=name)

    def relu(self, x: Operand, *, name: str | None = None) -> Value:
        """``maximum(x, +0)``: NaN stays NaN, -0 becomes +0."""
        return self._apply("relu", (x,), name=name)

    def neg(self, x: Operand, *, name: str | None = None) -> Value:
        """Negation: flips the sign bit."""
        return self._apply("neg", (x,), name=name)

    def abs(self, x: Operand, *, name: str | None = None) -> Value:
        """Magnitude: clears the sign bit."""
        return self._apply("abs", (x,), name=name)

    def sqrt(self, x: Operand, *, name: str | None = None) -> Value:
        """Square root, correctly rounded; NaN below zero."""
        return self._apply("sqrt", (x,), name=name)

    def exp(self, x: Operand, *, name: str | None = None) -> Value:
        """Exponential function, within 1 ulp."""
        return self._apply("exp", (x,), name=name)

    def log(self, x: Operand, *, name: str | None = None) -> Value:
        """Natural logarithm, within 1 ulp: -inf of zero, NaN below."""
        return self._apply("log", (x,), name=name)

    def tanh(self, x: Operand, *, name: str | None = None) -> Value:
        """Hyperbolic tangent, within 2 ulp."""
        return self._apply("tanh", (x,), name=name)

    def sigmoid(self, x: Operand, *, name: str | None = None) -> Value:
        """Logistic function ``1 / (1 + exp(-x))``, within 3 ulp."""
        return self._apply("sigmoid", (x,), name=name)

    def power(self, a: Operand, b: Operand, *, name: str | None = None) -> Value:
        """``a`` to the power of ``b``, within 1 ulp, broadcasting as in :meth:`add`.

        The special cases are NumPy's: x**0 and 1**y are 1, of NaN too.
        """
        return self._apply("power", (a, b), name=name)

    def compare(
        self, a: Operand, b: Operand, predicate: str, *, name: str | None = None
    ) -> Value:
        """1 where the comparison of ``a`` with ``b`` holds, else 0.

        They broadcast as in :meth:`add`. ``predicate`` is one of eq, ne, lt, le, gt
        and ge.
        """
        if check_text("predicate", predicate) not in PREDICATES:
            raise ValueError(f"predicate {predicate!r} is none of {listed(PREDICATES)}")
        attributes = f"{{predicate = #needle.predicate<{predicate}>}}"
        return self._apply("compare", (a, b), attributes, name=name)

    def select(
        self, condition: Operand, a: Operand, b: Operand, *, name: str | None = None
    ) -> Value:
        """``a`` where ``condition`` is not zero, ``b`` where it is.

        All three broadcast as in :meth:`add`.
        """
        return self._apply("select", (condition, a, b), name=name)

    # -- Reductions ----------------------------------------------------------

    def reduce_sum(
        self,
        x: Operand,
        axes: Axes = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
    ) -> Value:
        """Sum along ``axes``: an int, several, or by default all.

        Reduced dimensions are left out, or of size 1 if ``keepdims``.
        """
        return self._reduce("reduce_sum", x, axes, keepdims, name)

    def reduce_max(
        self,
        x: Operand,
        axes: Axes = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
    ) -> Value:
        """Maximum along ``axes``; NaN if one is NaN.

        ``axes`` and ``keepdims`` as in :meth:`reduce_sum`.

        That of no elements is -inf.
        """
        return self._reduce("reduce_max", x, axes, keepdims, name)

    # -- Shape ---------------------------------------------------------------

    def transpose(
        self,
        x: Operand,
        permutation: Sequence[int] | None = None,
        *,
        name: str | None = None,
    ) -> Value:
        """Permute dimensions; by default reverse them.

        Dimension ``i`` of the result is dimension ``permutation[i]`` of ``x``.
        """
        value = self._as_value(x)
        rank = len(value.shape)
        given = range(rank)[::-1] if permutation is None else permutation
        limit = 2**63 - 1
        axes = [check_integer("an axis", axis, -limit, limit) for axis in given]
        listed = ", ".join(str(axis + rank if axis < 0 else axis) for axis in axes)
        attributes = f"{{permutation = array<i64{': ' + listed if listed else ''}>}}"
        return self._apply("transpose", (value,), attributes, name=name)

    def reshape(self, x: Operand, shape: Shape, *, name: str | None = None) -> Value:
        """Same elements in row-major order.

        One dimension may be None (or -1): it follows from the number of elements,
        at once if the shape of ``x`` is static, else when the program runs.
        """
        dims = check_shape(shape, infer=True)
        operand = self._operand(x)
        place = find_caller(self._name("reshape", name))
        return self._value(self._native.reshape(operand, dims, place))

    def broadcast_to(
        self, x: Operand, shape: Shape, *, name: str | None = None
    ) -> Value:
        """Repeat elements along new dimensions of ``shape`` and along those of size 1.

        None stands for a dynamic dimension of ``x``, which never stretches.
        """
        types = [("float32", shape)]
        return self.op("broadcast_to", x, result_types=types, name=name)[0]

    def reverse(
        self, x: Operand, axes: Axes = None, *, name: str | None = None
    ) -> Value:
        """Reverse the order of elements along ``axes``, by default all."""
        value = self._as_value(x)
        attributes = f"{{axes = {_array(_normalize(axes, len(value.shape)))}}}"
        return self._apply("reverse", (value,), attributes, name=name)

    def slice(
        self,
        x: Operand,
        starts: Sequence[int],
        limits: Sequence[int | None],
        steps: Sequence[int] | None = None,
        *,
        name: str | None = None,
    ) -> Value:
        """``x[start:limit:step]`` along each dimension.

        ``starts`` and ``limits`` are not negative, ``steps`` positive; a limit of
        None is the end. A dynamic dimension is taken whole: start 0, limit None,
        step 1.
        """
        given = [1] * len(starts) if steps is None else steps
        ends = [-1 if limit is None else limit for limit in limits]
        attributes = (
            f"{{starts = {_array(starts)}, limits = {_array(ends)}, "
            f"steps = {_array(given)}}}"
        )
        return self._apply("slice", (x,), attributes, name=name)

    def pad(
        self,
        x: Operand,
        low: Sequence[int],
        high: Sequence[int],
        interior: Sequence[int] | None = None,
        *,
        name: str | None = None,
    ) -> Value:
        """Put zeros before, after and between the elements of each dimension.

        ``low``, ``high`` and ``interior`` count them, for each dimension. A dynamic
        dimension has none between its elements.
        """
        between = [0] * len(low) if interior is None else interior
        attributes = (
            f"{{low = {_array(low)}, high = {_array(high)}, "
            f"interior = {_array(between)}}}"
        )
        return self._apply("pad", (x,), attributes, name=name)

    def concat(
        self, values: Sequence[Operand], axis: int = 0, *, name: str | None = None
    ) -> Value:
        """Put tensors one after the other along ``axis``."""
        operands = tuple(self._as_value(value) for value in values)
        if not operands:
            raise ValueError("concat takes at least one value")
        (axis,) = _normalize(axis, len(operands[0].shape))
        return self._apply("concat", operands, f"{{axis = {axis} : i64}}", name=name)

    # -- Any op --------------------------------------------------------------

    def op(
        self,
        mnemonic: str,
        *operands: Operand,
        attributes: str = "",
        result_types: Sequence[tuple[str, Shape]] = (),
        num_results: int = 1,
        name: str | None = None,
    ) -> tuple[Value, ...]:
        """Add any operation of the dialect, ``needle.<mnemonic>``.

        Parameters
        ----------
        mnemonic
            The name of the operation.
        operands
            Its operands.
        attributes
            A dictionary in MLIR syntax, e.g. ``"{transpose_rhs}"``. A name that
            the operation does not have is an error, which lists those it has.
        result_types
            (dtype, shape) of each result, for operations that do not infer them
            (``reshape``, ``broadcast_to``, ``quantize``, ``dequantize``,
            ``requantize``, ``qmatmul``, ``qconv2d``).
        num_results
            How many results it has, where ``result_types`` does not say.
        name
            As in the other methods.
        """
        check_text("mnemonic", mnemonic)
        check_text("attributes", attributes)
        check_integer("num_results", num_results, 0, _MOST_RESULTS)
        if not isinstance(result_types, (list, tuple)):
            raise TypeError(
                "result_types has pairs of dtype and shape, got "
                f"{type(result_types).__name__}"
            )
        types = [_result_type(pair) for pair in result_types]
        values = [self._operand(operand) for operand in operands]
        place = find_caller(self._name(mnemonic, name))
        count = len(types) or num_results
        results = self._native.op(mnemonic, values, attributes, types, count, place)
        return tuple(map(self._value, results))

    # -- Inside --------------------------------------------------------------

    def _apply(
        self,
        mnemonic: str,
        operands: tuple[Operand, ...],
        attributes: str = "",
        name: str | None = None,
    ) -> Value:
        return self.op(mnemonic, *operands, attributes=attributes, name=name)[0]

    def _reduce(
        self, mnemonic: str, x: Operand, axes: Axes, keepdims: bool, name: str | None
    ) -> Value:
        value = self._as_value(x)
        keep = ", keepdims" if check_flag("keepdims", keepdims) else ""
        listed = _array(_normalize(axes, len(value.shape)))
        return self._apply(mnemonic, (value,), f"{{axes = {listed}{keep}}}", name=name)

    def _value(self, value: int) -> Value:
        return Value(self, value, make_spec(self._native.describe(value)))

    def _as_value(self, operand: Operand) -> Value:
        if isinstance(operand, Value):
            if operand._builder is not self:
                raise ValueError("this value belongs to another GraphBuilder")
            return operand
        if isinstance(operand, (float, int)) and not isinstance(operand, bool):
            try:
                return self.constant(np.float32(operand))
            except OverflowError:
                raise ValueError("an operand is beyond the range of float32") from None
        if isinstance(operand, (np.ndarray, np.generic)):
            return self.constant(operand)
        raise TypeError(
            "an operand is a Value of this builder, a NumPy array or a float, got "
            f"{type(operand).__name__}"
        )

    def _operand(self, operand: Operand) -> int:
        return self._as_value(operand)._id

    def _name(self, mnemonic: str, name: str | None) -> str:
        """A unique name: the user's, or one that counts the ops of a kind."""
        taken = self._constants if mnemonic == "constant" else self._names
        if name is not None:
            check_text("name", name)
        if name == "":
            raise ValueError("a name is not empty")
        if name in taken:
            kind = "a constant" if mnemonic == "constant" else "an operation"
            raise ValueError(f"there is already {kind} named {name!r}")
        while name is None or name in taken:
            count = self._counts.get(mnemonic, 0)
            self._counts[mnemonic] = count + 1
            name = f"{mnemonic}_{count}"
        taken.add(name)
        return name


def _array(values: Sequence[int]) -> str:
    """An attribute with a value for each dimension."""
    limit = 2**63 - 1
    numbers = [check_integer("a value", value, -limit, limit) for value in values]
    return f"array<i64{': ' if numbers else ''}{', '.join(map(str, numbers))}>"


def _normalize(axes: Axes, rank: int) -> list[int]:
    """Ascending dimensions, counted from 0; None stands for all."""
    if axes is None:
        return list(range(rank))
    given = [axes] if isinstance(axes, (int, np.integer)) else axes
    limit = 2**63 - 1
    numbers = [check_integer("an axis", axis, -limit, limit) for axis in given]
    for axis in numbers:
        if not -rank <= axis < rank:
            raise ValueError(f"there is no axis {axis}: the value has rank {rank}")
    normal = sorted(axis % rank for axis in numbers)
    if len(set(normal)) != len(normal):
        raise ValueError(f"an axis is named twice in {numbers}")
    return normal


def _result_type(pair: Any) -> tuple[str, list[int | None]]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"result_types has pairs of dtype and shape, got {pair!r}")
    return _element_type(pair[0]), check_shape(pair[1])


def _element_type(dtype: npt.DTypeLike) -> str:
    if isinstance(dtype, str) and dtype.startswith("!"):
        return check_text("dtype", dtype)
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in ELEMENT_TYPES:
        raise TypeError(
            f"dtype {name!r} is none of {listed(ELEMENT_TYPES)}; quantized types "
            'are written in MLIR syntax, e.g. "!quant.uniform<u8:f32, 0.5:3>"'
        )
    return ELEMENT_TYPES[name]


def _check_storage(given: str, element: str) -> None:
    """A constant's bytes are those of its array: only equal types have equal ones."""
    wanted = next(
        (name for name, type_ in ELEMENT_TYPES.items() if type_ == element), ""
    )
    if match := _STORAGE.search(element):
        wanted = {"u": "uint8", "i": "int8"}[match[1]]
    # Other types are refused where they are parsed.
    if wanted and given != wanted:
        raise TypeError(
            f"a constant of {element} is stored as {wanted}, got an array of {given}; "
            f'convert its values, e.g. with .astype("{wanted}")'
        )
