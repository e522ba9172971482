# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values, the operations between them, and the gradients of both.

A :class:`Tensor` is what a program holds; the graph behind it is made of nodes
that know no Tensor. A gradient can therefore be differentiated again (its graph
leads back to the variable) without the variable and its ``grad`` keeping each
other alive: memory is freed as soon as the last name of it goes.
"""

from __future__ import annotations

import builtins
import functools
import operator
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar, cast
from weakref import ref

import numpy as np
import numpy.typing as npt

from needle.backend_selection import (
    BACKEND,
    Device,
    NDArray,
    array_api,
    committed_device,
    default_device,
    dequantize,
    float_type,
    full_like,
    is_quantized,
    quantize_uint8,
)

#: Whether operations wait until somebody asks for their data.
LAZY_MODE = False
#: How many values there are at the moment.
TENSOR_COUNTER = 0

_ValueT = TypeVar("_ValueT", bound="Value")
_new = object.__new__


class _Node:
    """A value as the graph sees it."""

    __slots__ = ("data", "inputs", "op", "requires_grad", "value")

    op: Op | None
    inputs: tuple[_Node, ...]
    #: An array, a tuple of them, or None before it is computed.
    data: Any
    requires_grad: bool
    #: The Value that a program holds of this node, if it may still hold one.
    value: ref[Value] | None

    def __init__(
        self, op: Op | None, inputs: tuple[_Node, ...], data: Any, requires_grad: bool
    ) -> None:
        global TENSOR_COUNTER
        TENSOR_COUNTER += 1
        self.op = op
        self.inputs = inputs
        self.data = data
        self.requires_grad = requires_grad
        self.value = None

    def __del__(self) -> None:
        global TENSOR_COUNTER
        TENSOR_COUNTER -= 1


class Op:
    """An operation on values; call it to apply it."""

    #: Which element of a tuple the operation takes out, if that is what it does.
    element: int | None = None

    def __call__(self, *args: Any) -> Any:
        """Apply the operation to values."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def compute(self, *args: Any) -> Any:
        """The result, from the arrays of the inputs.

        Parameters
        ----------
        args : NDArray
            One array for each input; a tuple of arrays for a TensorTuple.

        Returns
        -------
        NDArray or tuple of NDArray
        """
        raise NotImplementedError(f"{type(self).__name__} defines no compute")

    def gradient(self, out_grad: Any, node: Any) -> Any:
        """What the inputs contribute to the gradient of the result.

        Parameters
        ----------
        out_grad : Value
            The gradient with respect to the result.
        node : Value
            The result; ``node.inputs`` are what it was computed from.

        Returns
        -------
        Value or tuple of Value
            One for each input, built of operations on values, so that it can be
            differentiated again. None stands for an input that needs none.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no gradient")

    def gradient_as_tuple(self, out_grad: Value, node: Value) -> tuple[Any, ...]:
        """What :meth:`gradient` returns, always as a tuple."""
        output = self.gradient(out_grad, node)
        if isinstance(output, tuple):
            return output
        return tuple(output) if isinstance(output, list) else (output,)


class TensorOp(Op):
    """An operation that results in a :class:`Tensor`."""

    def __call__(self, *args: Value) -> Tensor:
        """Apply the operation to values."""
        return Tensor.make_from_op(self, args)


class TensorTupleOp(Op):
    """An operation that results in a :class:`TensorTuple`."""

    def __call__(self, *args: Value) -> TensorTuple:
        """Apply the operation to values."""
        return TensorTuple.make_from_op(self, args)


class Value:
    """A value in the graph of computations."""

    __slots__ = ("__weakref__", "_node", "grad")

    _node: _Node
    #: The gradient that the latest backward() left here, None before.
    grad: Any

    @property
    def op(self) -> Op | None:
        """The operation that made this value, None for a leaf."""
        return self._node.op

    @property
    def inputs(self) -> list[Any]:
        """The values that the operation was applied to."""
        return [_value_of(node) for node in self._node.inputs]

    @property
    def cached_data(self) -> Any:
        """The array behind this value; None in lazy mode before it is computed."""
        return self._node.data

    @cached_data.setter
    def cached_data(self, data: Any) -> None:
        self._node.data = data

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this value."""
        return self._node.requires_grad

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self._node.requires_grad = bool(requires_grad)

    def realize_cached_data(self) -> Any:
        """The array behind this value, computed now if it has not been before."""
        data = self._node.data
        return _realize(self._node) if data is None else data

    def is_leaf(self) -> bool:
        """Whether no operation made this value."""
        return self._node.op is None

    @classmethod
    def make_const(
        cls: type[_ValueT], data: Any, requires_grad: bool = False
    ) -> _ValueT:
        """A leaf around an array (a tuple of arrays for a TensorTuple)."""
        if isinstance(data, Value):
            data = data.realize_cached_data()
        return cls._wrap(_Node(None, (), data, requires_grad))

    @classmethod
    def make_from_op(cls: type[_ValueT], op: Op, inputs: Sequence[Value]) -> _ValueT:
        """The result of an operation; recorded if an input requires gradients."""
        try:
            nodes = tuple([value._node for value in inputs])
        except AttributeError:
            raise _wrong_operand(op, inputs) from None
        requires_grad = False
        for node in nodes:
            if node.requires_grad:
                requires_grad = True
                break
        data = None
        if not LAZY_MODE:
            data = op.compute(
                *[_realize(n) if n.data is None else n.data for n in nodes]
            )
            if _IS_NUMPY:
                data = _as_array(data)
        result = _new(cls)
        result.grad = None
        if requires_grad or data is None:
            for value, node in zip(inputs, nodes):  # noqa: B905 (speed: equal lengths)
                if node.value is None:
                    node.value = ref(value)
            result._node = _Node(op, nodes, data, requires_grad)
        else:
            result._node = _Node(None, (), data, False)
        return result

    @classmethod
    def _wrap(cls: type[_ValueT], node: _Node) -> _ValueT:
        value = _new(cls)
        value._node = node
        value.grad = None
        return value

    def numpy(self) -> Any:
        """A NumPy array (a list of them for a TensorTuple) with the data."""
        data = self.realize_cached_data()
        if isinstance(data, tuple):
            return [_to_numpy(part) for part in data]
        return _to_numpy(data)


class TensorTuple(Value):
    """Several tensors as one value, the result of an operation such as split."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.realize_cached_data())

    def __getitem__(self, index: int) -> Tensor:
        count = len(self)
        number = operator.index(index)
        if not -count <= number < count:
            raise IndexError(f"a tuple of {count} tensors has no element {number}")
        return _ops.tuple_get_item(self, number % count)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[index] for index in range(len(self)))

    def tuple(self) -> builtins.tuple[Tensor, ...]:
        """The tensors as a Python tuple."""
        return tuple(self)

    def __repr__(self) -> str:
        return f"needle.TensorTuple{self.tuple()}"

    def __add__(self, other: TensorTuple) -> TensorTuple:
        if not isinstance(other, TensorTuple):
            return NotImplemented
        if len(self) != len(other):
            raise ValueError(
                f"cannot add tuples of {len(self)} and {len(other)} tensors"
            )
        return _ops.make_tuple(*map(operator.add, self, other))

    def detach(self) -> TensorTuple:
        """The same data without the graph behind it."""
        return TensorTuple.make_const(self.realize_cached_data())


class Tensor(Value):
    """An array that remembers what it was computed from.

    Parameters
    ----------
    array : array_like, NDArray or Tensor
        The data. Another Tensor's data are shared where device and type allow.
    device : Device, optional
        Where the data live. Without one they go to the default device and follow
        the device of what they are used with.
    dtype : optional
        ``"float32"``; on NumPy arrays (``NEEDLE_BACKEND=np``) any type, and
        floating types stay what they are by default.
    requires_grad : bool, optional
        Whether ``backward()`` computes a gradient for it.

    Notes
    -----
    ``+ - * / **`` with numbers, Tensors and NumPy arrays broadcast as in NumPy.
    Results that need no gradients are not recorded.
    """

    __slots__ = ()

    #: NumPy leaves operators with Tensors on the right to them.
    __array_ufunc__: ClassVar[None] = None

    def __init__(
        self,
        array: Any,
        *,
        device: Device | None = None,
        dtype: Any = None,
        requires_grad: bool = True,
    ) -> None:
        if isinstance(array, Tensor):
            array = array.realize_cached_data()
            same_device = device is None or device == committed_device(array)
            if not same_device or not (dtype is None or array.dtype == dtype):
                array = array_api.array(array, dtype=dtype, device=device)
        else:
            array = array_api.array(array, dtype=dtype, device=device)
        self.grad = None
        self._node = _Node(None, (), array, bool(requires_grad))

    @property
    def data(self) -> Tensor:
        """The same data without the graph; assigning replaces them in place."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data of a Tensor are a Tensor, not {_type_name(value)}")
        if value.dtype != self.dtype:
            raise TypeError(f"cannot replace {self.dtype} data by {value.dtype}")
        self._node.data = value.realize_cached_data()

    def detach(self) -> Tensor:
        """The same data without the graph behind them; gets no gradient."""
        return Tensor._wrap(_Node(None, (), self.realize_cached_data(), False))

    @property
    def shape(self) -> tuple[int, ...]:
        """The extent of each dimension."""
        return cast("tuple[int, ...]", self.realize_cached_data().shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.realize_cached_data().size)

    @property
    def dtype(self) -> Any:
        """The type of the elements; ``uint8`` if quantized."""
        return self.realize_cached_data().dtype

    @property
    def device(self) -> Device:
        """Where the data live."""
        data = self.realize_cached_data()
        return data.device if hasattr(data, "device") else default_device()

    def backward(self, out_grad: Tensor | None = None) -> None:
        """Leave the gradient of this tensor in ``grad`` of all that it depends on.

        Parameters
        ----------
        out_grad : Tensor, optional
            The gradient with respect to this tensor, of its shape; ones if not
            given, which yields the gradient of the sum of its elements.

        Raises
        ------
        RuntimeError
            If nothing that this tensor was computed from requires gradients.
        ValueError
            If ``out_grad`` has another shape.

        Notes
        -----
        An existing ``grad`` is replaced, not added to. Gradients are recorded, so
        that they can be differentiated again.
        """
        if not self._node.requires_grad:
            raise RuntimeError(
                "backward() of a tensor that requires no gradient: nothing it was "
                "computed from has requires_grad=True, or it was detached or "
                "quantized"
            )
        if out_grad is None:
            out_grad = Tensor.make_const(full_like(self.realize_cached_data(), 1.0))
        elif out_grad.shape != self.shape:
            raise ValueError(
                f"out_grad has the shape {out_grad.shape}, the tensor {self.shape}"
            )
        compute_gradient_of_variables(self, out_grad)

    # Quantization.

    @property
    def quant_params(self) -> Any:
        """Scale, zero point and original type of a quantized tensor, else None."""
        return getattr(self.realize_cached_data(), "quant_params", None)

    def quantize_uint8(
        self, scale: float | None = None, zero_point: int | None = None
    ) -> Tensor:
        """Round to 8 bits, per tensor and asymmetric (rules N1 and N2).

        Parameters
        ----------
        scale : float, optional
            The step between two values; from the range of the data if not given.
        zero_point : int, optional
            The integer, 0 to 255, that stands for 0.

        Returns
        -------
        Tensor
            Of type uint8. It requires no gradient: rounding has none that is
            useful, so gradients stop here.

        Raises
        ------
        TypeError
            If the tensor is quantized already.
        """
        data = self.realize_cached_data()
        return Tensor.make_const(quantize_uint8(data, scale, zero_point))

    def dequantize(self) -> Tensor:
        """The float32 values that a quantized tensor stands for (rule N3).

        Raises
        ------
        TypeError
            If the tensor is not quantized.
        """
        return Tensor.make_const(dequantize(self.realize_cached_data()))

    def astype(self, dtype: Any) -> Tensor:
        """Convert to another type; a quantized tensor can become float32.

        Gradients flow only if the type stays the same.

        Raises
        ------
        TypeError
            For a type that the backend does not hold, and for float32 to uint8:
            use :meth:`quantize_uint8`, which knows a scale.
        """
        data = self.realize_cached_data()
        result = data.astype(dtype)
        if result.dtype == data.dtype:
            return self
        if np.dtype(dtype) == np.uint8:
            raise TypeError(
                f"cannot convert {data.dtype} to uint8, which needs a scale: use "
                "quantize_uint8()"
            )
        return Tensor.make_const(result)

    # What Python and NumPy ask for.

    def __repr__(self) -> str:
        return f"needle.Tensor({self.realize_cached_data()})"

    def __str__(self) -> str:
        return str(self.realize_cached_data())

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("the data of a Tensor are always copied to NumPy")
        return np.asarray(self.numpy(), dtype=dtype)

    def __float__(self) -> float:
        return float(self.item())

    def item(self) -> float:
        """The only element as a Python number.

        Raises
        ------
        ValueError
            If there is not exactly one element.
        """
        if self.size != 1:
            raise ValueError(
                f"a tensor of the shape {self.shape} has {self.size} elements, not one"
            )
        return cast("float", self.numpy().reshape(()).item())

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles are leaves: a graph belongs to the program that ran.
        return _rebuild, (type(self), self.realize_cached_data(), self.requires_grad)

    # Arithmetic.

    def __add__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.add(self, other)
        if isinstance(other, _NUMBERS):
            return _ops.add_scalar(self, other)
        return _with_array(_ops.add, self, other)

    def __sub__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.add(self, _ops.negate(other))
        if isinstance(other, _NUMBERS):
            return _ops.add_scalar(self, -other)
        return _with_array(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        if isinstance(other, _NUMBERS):
            return _ops.add_scalar(_ops.negate(self), other)
        return _with_array(operator.sub, self, other, swap=True)

    def __mul__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.multiply(self, other)
        if isinstance(other, _NUMBERS):
            return _ops.mul_scalar(self, other)
        return _with_array(_ops.multiply, self, other)

    def __truediv__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.divide(self, other)
        if isinstance(other, _NUMBERS):
            return _ops.divide_scalar(self, other)
        return _with_array(_ops.divide, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        if isinstance(other, _NUMBERS):
            return _ops.rdivide_scalar(self, other)
        return _with_array(_ops.divide, self, other, swap=True)

    def __pow__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.power(self, other)
        if isinstance(other, _NUMBERS):
            return _ops.power_scalar(self, other)
        return _with_array(_ops.power, self, other)

    def __rpow__(self, other: Any) -> Tensor:
        if isinstance(other, _NUMBERS):
            return _ops.rpower_scalar(self, other)
        return _with_array(_ops.power, self, other, swap=True)

    def __matmul__(self, other: Any) -> Tensor:
        if isinstance(other, Tensor):
            return _ops.matmul(self, other)
        return _with_array(_ops.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return _with_array(_ops.matmul, self, other, swap=True)

    def __neg__(self) -> Tensor:
        return _ops.negate(self)

    __radd__ = __add__
    __rmul__ = __mul__

    def matmul(self, other: Any) -> Tensor:
        """The matrix product, see :func:`needle.ops.matmul`."""
        return cast("Tensor", self @ other)

    def sum(self, axes: Any = None) -> Tensor:
        """The sum over axes, see :func:`needle.ops.summation`."""
        return _ops.summation(self, axes)

    def max(self, axes: Any = None) -> Tensor:
        """The largest element over axes, see :func:`needle.ops.max`."""
        return _ops.max(self, axes)

    def broadcast_to(self, shape: Any) -> Tensor:
        """Repeat along dimensions, see :func:`needle.ops.broadcast_to`."""
        return _ops.broadcast_to(self, shape)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape, see :func:`needle.ops.reshape`."""
        one = len(shape) == 1 and not isinstance(shape[0], (int, np.integer))
        return _ops.reshape(self, shape[0] if one else shape)

    def transpose(self, axes: Any = None) -> Tensor:
        """Swap two axes, see :func:`needle.ops.transpose`."""
        return _ops.transpose(self, axes)


#: What counts as a number beside a Tensor.
_NUMBERS: Any = (int, float, np.number, np.bool_)


def _value_of(node: _Node) -> Value:
    """The Value of a node: the one that somebody holds, or a new one."""
    value = None if node.value is None else node.value()
    if value is None:
        several = isinstance(node.op, TensorTupleOp) or type(node.data) is tuple
        value = (TensorTuple if several else Tensor)._wrap(node)
        node.value = ref(value)
    return value


def _realize(node: _Node) -> Any:
    """Compute what is missing, without recursion: graphs can be deep."""
    if node.data is None:
        for one in _sort_nodes([node], lambda one: one.data is None):
            if one.data is not None:
                continue
            if one.op is None:
                raise RuntimeError("a leaf without data: cached_data was set to None")
            data = one.op.compute(*[value.data for value in one.inputs])
            one.data = _as_array(data) if _IS_NUMPY else data
            if not one.requires_grad:
                one.op, one.inputs = None, ()
    return node.data


def _sort_nodes(roots: Sequence[_Node], enter: Any) -> list[_Node]:
    """Post-order over the nodes; the inputs of nodes that are not entered stay out."""
    order: list[_Node] = []
    visited: set[_Node] = set()
    for root in roots:
        if root in visited:
            continue
        visited.add(root)
        stack = [(root, iter(root.inputs if enter(root) else ()))]
        while stack:
            node, inputs = stack[-1]
            for value in inputs:
                if value not in visited:
                    visited.add(value)
                    stack.append((value, iter(value.inputs if enter(value) else ())))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def find_topo_sort(node_list: Sequence[Value]) -> list[Any]:
    """All values that the given ones depend on, inputs before what uses them.

    Parameters
    ----------
    node_list : list of Value

    Returns
    -------
    list of Value
        In the order of a depth-first search (post-order), ending in the given ones.
    """
    order: list[Value] = []
    topo_sort_dfs(node_list, set(), order)
    return order


def topo_sort_dfs(
    node: Value | Sequence[Value], visited: set[Any], topo_order: list[Any]
) -> None:
    """Append what a value depends on, and itself, to ``topo_order``.

    Parameters
    ----------
    node : Value or sequence of Value
        Where to begin.
    visited : set
        Values that are in the order already; updated.
    topo_order : list of Value
        Where values are appended, inputs before what uses them.
    """
    values = [node] if isinstance(node, Value) else list(node)
    for value in values:
        value._node.value = ref(value)
    for one in _sort_nodes([value._node for value in values], lambda one: True):
        value = _value_of(one)
        if value not in visited:
            visited.add(value)
            topo_order.append(value)


def compute_gradient_of_variables(output_tensor: Tensor, out_grad: Tensor) -> None:
    """Leave gradients in ``grad`` of every value that the output depends on.

    Parameters
    ----------
    output_tensor : Tensor
        What is differentiated.
    out_grad : Tensor
        The gradient with respect to it, of its shape.
    """
    root = output_tensor._node
    root.value = ref(output_tensor)
    pending: dict[_Node, list[Any]] = {root: [out_grad]}
    elements: dict[_Node, dict[int, list[Any]]] = {}
    order = _sort_nodes([root], lambda node: node.requires_grad)
    while order:
        node = order.pop()
        adjoints = pending.pop(node, [])
        if node in elements:
            adjoints.append(_join_elements(node, elements.pop(node)))
        if not adjoints:
            continue
        value = _value_of(node)
        adjoint = adjoints[0] if len(adjoints) == 1 else sum_node_list(adjoints)
        value.grad = adjoint
        op = node.op
        if op is None:
            continue
        if op.element is not None and node.inputs[0].requires_grad:
            parts = elements.setdefault(node.inputs[0], {})
            parts.setdefault(op.element, []).append(adjoint)
            continue
        gradients = op.gradient_as_tuple(adjoint, value)
        for one, gradient in zip(node.inputs, gradients, strict=True):
            if one.requires_grad and gradient is not None:
                pending.setdefault(one, []).append(gradient)


def _join_elements(node: _Node, parts: dict[int, list[Any]]) -> TensorTuple:
    """The gradient of a tuple from those of its elements; zero where there is none."""
    return _ops.make_tuple(
        *[
            sum_node_list(parts[index])
            if index in parts
            else Tensor.make_const(full_like(data, 0.0))
            for index, data in enumerate(node.data)
        ]
    )


def sum_node_list(node_list: Sequence[Any]) -> Any:
    """The sum of values, without a node for a zero to begin with."""
    return functools.reduce(operator.add, node_list)


def _to_numpy(data: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any]
    if not _IS_NUMPY:
        array = data.numpy()
    elif is_quantized(data):
        # Quantized NumPy arrays are a class of their own.
        array = data.view(np.ndarray)
    else:
        array = data
    return array


_IS_NUMPY = BACKEND == "np"


def _as_array(data: Any) -> Any:
    """NumPy makes numbers of arrays without dimensions; Tensors hold arrays."""
    return data if isinstance(data, tuple) else np.asanyarray(data)


def _rebuild(cls: type[_ValueT], data: Any, requires_grad: bool) -> _ValueT:
    return cls._wrap(_Node(None, (), data, requires_grad))


def _with_array(
    function: Any, tensor: Tensor, other: Any, swap: bool = False
) -> Tensor:
    """An operation of a Tensor with an array, which becomes a constant."""
    if not isinstance(other, (np.ndarray, NDArray)):
        return NotImplemented
    constant = Tensor(
        other,
        dtype=float_type(tensor.realize_cached_data()) if _IS_NUMPY else None,
        requires_grad=False,
    )
    return cast(
        "Tensor", function(constant, tensor) if swap else function(tensor, constant)
    )


def _type_name(value: object) -> str:
    return type(value).__name__


def _wrong_operand(op: Op, inputs: Sequence[Any]) -> TypeError:
    wrong = next(value for value in inputs if not isinstance(value, Value))
    return TypeError(
        f"{type(op).__name__} takes Tensors, not {_type_name(wrong)}; "
        "ndl.Tensor(...) makes one"
    )


# At the end: operations are built on the classes above.
from needle import ops as _ops  # noqa: E402
