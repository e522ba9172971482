# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Tensor, which :mod:`needle.autograd` exports."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from needle.autograd import Node, Value, ValueT
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
    is_traced,
    quantize_uint8,
)

if TYPE_CHECKING:
    import numpy.typing as npt

#: What counts as a number beside a Tensor.
_NUMBERS: Any = (int, float, np.number, np.bool_)


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
        Whether ``backward()`` computes a gradient for it; never for quantized data.

    Notes
    -----
    ``+ - * / **`` with numbers, Tensors and NumPy arrays broadcast as in NumPy.
    ``< <= > >=`` do, too: they give 0 and 1 and end gradients. ``==`` and ``!=`` say
    whether two Tensors are the same object, as dictionaries need it. Results that
    need no gradients are not recorded.
    """

    __slots__ = ()
    __module__ = "needle.autograd"

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
                if is_traced(array):
                    array = array.astype(dtype or array.dtype)
                    array = array.to(device or array.device)
                else:
                    array = array_api.array(array, dtype=dtype, device=device)
        else:
            array = array_api.array(array, dtype=dtype, device=device)
        self.grad = None
        # Rounding to integers has no gradient that would be useful.
        requires_grad = bool(requires_grad) and not is_quantized(array)
        self._node = Node(None, (), array, requires_grad)

    @property
    def data(self) -> Tensor:
        """The same data without the graph; assigning replaces them in place."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"data of a Tensor are a Tensor, not {type(value).__name__}"
            )
        if value.dtype != self.dtype:
            raise TypeError(f"cannot replace {self.dtype} data by {value.dtype}")
        self._node.data = value.realize_cached_data()

    def detach(self) -> Tensor:
        """The same data without the graph behind them; gets no gradient."""
        return Tensor._wrap(Node(None, (), self.realize_cached_data(), False))

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
        if BACKEND == "np":
            return default_device()
        device: Device = self.realize_cached_data().device
        return device

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
        TypeError
            If ``out_grad`` is no Tensor.

        Notes
        -----
        An existing ``grad`` is replaced, not added to. Gradients are recorded, so
        that they can be differentiated again.
        """
        if not self._node.requires_grad:
            raise RuntimeError(
                "backward() of a tensor that requires no gradient: nothing it was "
                "computed from has requires_grad=True, or it was detached, quantized "
                "or returned by a compiled function"
            )
        if out_grad is None:
            out_grad = Tensor.make_const(full_like(self.realize_cached_data(), 1.0))
        elif not isinstance(out_grad, Tensor):
            raise TypeError(
                f"out_grad is a Tensor, not {type(out_grad).__name__}; "
                "ndl.Tensor(...) makes one"
            )
        elif out_grad.shape != self.shape:
            raise ValueError(
                f"out_grad has the shape {out_grad.shape}, the tensor {self.shape}"
            )
        compute_gradient_of_variables(self, out_grad)

    def to(self, device: Device) -> Tensor:
        """The same values on a device, see :func:`needle.ops.to_device`."""
        return _ops.to_device(self, device)

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

    def __bool__(self) -> bool:
        data = self.realize_cached_data()
        if data.size != 1:
            raise ValueError(
                f"whether a tensor of the shape {self.shape} is true is ambiguous: "
                "compare its sum() or numpy().all()"
            )
        return bool(data != 0)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self.size != 1:
            raise TypeError(
                f"the format {spec!r} is one of numbers: a tensor of the shape "
                f"{self.shape} has {self.size}; format the elements of numpy()"
            )
        return format(self.item(), spec)

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
        return rebuild, (type(self), self.realize_cached_data(), self.requires_grad)

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

    def __lt__(self, other: Any) -> Tensor:
        return _compare("lt", self, other)

    def __le__(self, other: Any) -> Tensor:
        return _compare("le", self, other)

    def __gt__(self, other: Any) -> Tensor:
        return _compare("gt", self, other)

    def __ge__(self, other: Any) -> Tensor:
        return _compare("ge", self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def matmul(self, other: Any) -> Tensor:
        """The matrix product, see :func:`needle.ops.matmul`."""
        return cast("Tensor", self @ other)

    def sum(
        self, axes: Any = None, *, axis: Any = None, keepdims: bool = False, **rest: Any
    ) -> Tensor:
        """The sum over axes, see :func:`needle.ops.summation`.

        Parameters
        ----------
        axes, axis : int or tuple of int, optional
            All axes if not given; ``axis`` is NumPy's name, for ``np.sum(tensor)``.
        keepdims : bool, optional
            Whether the axes stay, with the extent 1.
        **rest
            What else NumPy passes: an error, except ``out=None``.
        """
        axes = _one_of_axes("sum", axes, axis, rest)
        return _ops.summation(self, axes, keepdims)

    def max(
        self, axes: Any = None, *, axis: Any = None, keepdims: bool = False, **rest: Any
    ) -> Tensor:
        """The largest element over axes, see :func:`needle.ops.max`.

        Parameters
        ----------
        axes, axis : int or tuple of int, optional
            All axes if not given; ``axis`` is NumPy's name, for ``np.max(tensor)``.
        keepdims : bool, optional
            Whether the axes stay, with the extent 1.
        **rest
            What else NumPy passes: an error, except ``out=None``.
        """
        axes = _one_of_axes("max", axes, axis, rest)
        return _ops.max(self, axes, keepdims)

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


def rebuild(cls: type[ValueT], data: Any, requires_grad: bool) -> ValueT:
    """A leaf of a class: what copies and pickles are made of."""
    return cls._wrap(Node(None, (), data, requires_grad))


def _one_of_axes(name: str, axes: Any, axis: Any, rest: dict[str, Any]) -> Any:
    """The axes of a reduction, by either name; ``rest`` is what else was given."""
    # NumPy passes out=None even if nobody asked for it.
    for other, value in rest.items():
        if other != "out" or value is not None:
            raise TypeError(
                f"{name}() of a Tensor takes axes and keepdims, not {other}"
            )
    if axes is not None and axis is not None:
        raise TypeError(f"{name}() takes axes or axis, which mean the same, not both")
    return axes if axis is None else axis


def _compare(name: str, tensor: Tensor, other: Any) -> Tensor:
    """1 where a comparison holds, else 0; without a graph."""
    if isinstance(other, Tensor):
        return _ops.Compare(name)(tensor, other).detach()
    if isinstance(other, _NUMBERS):
        return _ops.Compare(name, float(other))(tensor).detach()
    return _with_array(lambda a, b: _compare(name, a, b), tensor, other)


def _with_array(
    function: Any, tensor: Tensor, other: Any, swap: bool = False
) -> Tensor:
    """An operation of a Tensor with an array, which becomes a constant."""
    if not isinstance(other, (np.ndarray, NDArray)):
        return cast("Tensor", NotImplemented)
    constant = Tensor(
        other,
        dtype=float_type(tensor.realize_cached_data()) if BACKEND == "np" else None,
        requires_grad=False,
    )
    return cast(
        "Tensor", function(constant, tensor) if swap else function(tensor, constant)
    )


# At the end: operations are built on the class above.
from needle import ops as _ops  # noqa: E402
from needle._gradient import compute_gradient_of_variables  # noqa: E402
