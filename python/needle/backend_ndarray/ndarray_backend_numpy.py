# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The NumPy backend: every operation of an array, computed by NumPy.

Most functions take raw handles of compact arrays, as the backends of the
deep-learning-systems course do. Those called ``array_*`` take arrays with any
strides; `NDArray` uses them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle.backend_ndarray import quantized
from needle.backend_ndarray._checks import check_broadcast
from needle.backend_ndarray._kernels import define

if TYPE_CHECKING:
    import numpy.typing as npt

    from needle.backend_ndarray._array import NDArray
    from needle.backend_ndarray.device import Device
    from needle.backend_ndarray.quantized import QuantParams

__device_name__ = "numpy"
__tile_size__ = 8

_FLOAT = np.dtype(np.float32)


class Array:
    """The memory of an array: a handle.

    Parameters
    ----------
    size
        Number of elements; they are not initialized.
    dtype
        ``"float32"`` or ``"uint8"``.
    """

    __slots__ = ("__weakref__", "array")

    def __init__(self, size: int, dtype: npt.DTypeLike = _FLOAT) -> None:
        self.array: npt.NDArray[Any] = np.empty(size, dtype)

    @classmethod
    def wrap(cls, array: npt.NDArray[Any]) -> Array:
        """A handle for memory that NumPy already has: a 1-D contiguous array."""
        self = cls.__new__(cls)
        self.array = array
        return self

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.array.dtype

    def ptr(self) -> int:
        """Address of the first element."""
        return int(self.array.ctypes.data)


def to_numpy(
    a: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> npt.NDArray[Any]:
    """A view of a handle as a NumPy array; strides and offset count elements."""
    itemsize = a.array.itemsize
    return np.ndarray(
        tuple(shape),
        a.array.dtype,
        a.array,
        offset * itemsize if 0 not in shape else 0,
        tuple(stride * itemsize for stride in strides),
    )


# ---------------------------------------------------------------------------
# Raw handles
# ---------------------------------------------------------------------------


def from_numpy(a: npt.NDArray[Any], out: Array) -> None:
    """Copy the elements of an array, in row-major order, to a handle."""
    out.array[:] = np.asarray(a).reshape(-1)


def fill(out: Array, val: float) -> None:
    """Set all elements."""
    out.array.fill(val)


def compact(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy a view of ``a`` to ``out``, in row-major order."""
    out.array[:] = to_numpy(a, shape, strides, offset).reshape(-1)


def ewise_setitem(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy compact ``a`` to a view of ``out``."""
    to_numpy(out, shape, strides, offset)[...] = a.array.reshape(tuple(shape))


def scalar_setitem(
    size: int,
    val: float,
    out: Array,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int,
) -> None:
    """Set the ``size`` elements of a view of ``out``."""
    view = to_numpy(out, shape, strides, offset)
    if view.size != size:
        raise ValueError(f"a view of {view.size} elements, not {size}")
    view[...] = val


def matmul(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """(m, n) times (n, p), all compact."""
    out.array[:] = (a.array.reshape(m, n) @ b.array.reshape(n, p)).reshape(-1)


def matmul_tiled(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """Multiply (m/t, n/t, t, t) by (n/t, p/t, t, t), t being the tile size."""
    t = __tile_size__
    lhs = a.array.reshape(m // t, n // t, t, t)
    rhs = b.array.reshape(n // t, p // t, t, t)
    out.array[:] = np.einsum("ikab,kjbc->ijac", lhs, rhs).reshape(-1)


def reduce_max(a: Array, out: Array, reduce_size: int) -> None:
    """The maximum of every ``reduce_size`` consecutive elements."""
    out.array[:] = a.array.reshape(-1, reduce_size).max(axis=1)


def reduce_sum(a: Array, out: Array, reduce_size: int) -> None:
    """The sum of every ``reduce_size`` consecutive elements."""
    out.array[:] = a.array.reshape(-1, reduce_size).sum(axis=1)


# ---------------------------------------------------------------------------
# Arrays with strides
# ---------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    # exp of a number that is not positive cannot overflow.
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, np.float32(1), e) / (1 + e)


def _relu(x: Any) -> Any:
    return np.maximum(x, np.float32(0))


def _relu_grad(x: Any, gradient: Any) -> Any:
    return np.where(x > 0, gradient, np.float32(0))


_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "add": np.add,
    "div": np.divide,
    "eq": np.equal,
    "exp": np.exp,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "log": np.log,
    "lt": np.less,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mul": np.multiply,
    "ne": np.not_equal,
    "negate": np.negative,
    "power": np.power,
    "relu": _relu,
    "relu_grad": _relu_grad,
    "sigmoid": _sigmoid,
    "sqrt": np.sqrt,
    "sub": np.subtract,
    "tanh": np.tanh,
}

_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "max": np.max,
    "min": np.min,
    "sum": np.sum,
}


def _view(a: NDArray) -> npt.NDArray[Any]:
    return to_numpy(a._handle, a.shape, a.strides, a.offset)


def _read(operand: NDArray | float) -> Any:
    return np.float32(operand) if isinstance(operand, float) else _view(operand)


def _wrap(values: Any, like: NDArray, committed: bool) -> NDArray:
    """An array of this backend with the values that NumPy computed."""
    array = np.ascontiguousarray(values, dtype=_FLOAT)
    handle = Array.wrap(array.reshape(-1))
    return _needle.array_make(
        np.shape(values), None, like.device, handle, 0, committed, None
    )


def array_new(
    shape: Sequence[int], device: Device, committed: bool, params: QuantParams | None
) -> NDArray:
    """An array that is not initialized."""
    handle = Array(math.prod(shape), _FLOAT if params is None else np.uint8)
    return _needle.array_make(shape, None, device, handle, 0, committed, params)


def array_from_numpy(
    values: npt.NDArray[Any],
    device: Device,
    committed: bool,
    params: QuantParams | None,
) -> NDArray:
    """An array with the values of a NumPy array of its type."""
    out = array_new(values.shape, device, committed, params)
    from_numpy(values, out._handle)
    return out


def array_numpy(x: NDArray) -> npt.NDArray[Any]:
    """A copy as a NumPy array."""
    return _view(x).copy(order="C")


def array_copy(x: NDArray) -> NDArray:
    """A compact copy."""
    return array_from_numpy(_view(x), x.device, x.committed, x.quant_params)


def array_unary(name: str, x: NDArray) -> NDArray:
    """An elementwise function."""
    with np.errstate(all="ignore"):
        return _wrap(_ELEMENTWISE[name](_view(x)), x, x.committed)


def array_binary(name: str, left: NDArray | float, right: NDArray | float) -> NDArray:
    """An elementwise function of two arrays that broadcast, or one and a number."""
    arrays = [a for a in (left, right) if not isinstance(a, float)]
    check_broadcast(name, *(a.shape for a in arrays))
    committed = any(a.committed for a in arrays)
    with np.errstate(all="ignore"):
        values = _ELEMENTWISE[name](_read(left), _read(right))
    return _wrap(values, arrays[0], committed)


def array_reduce(name: str, x: NDArray, axis: Any, keepdims: bool) -> NDArray:
    """A reduction over some axes."""
    axes = tuple(axis) if isinstance(axis, list) else axis
    with np.errstate(all="ignore"):
        values = _REDUCTIONS[name](_view(x), axis=axes, keepdims=keepdims)
    return _wrap(values, x, x.committed)


def array_assign(target: NDArray, source: NDArray) -> None:
    """Write an array of the same type to a view that it fits."""
    values = _view(source)
    if [n for n in source.shape if n != 1] == [n for n in target.shape if n != 1]:
        values = values.reshape(target.shape)
    written = _view(target)
    # NumPy itself reads the source first only in more than one dimension.
    overlaps = np.may_share_memory(written, values)
    written[...] = values.copy() if overlaps else values


def array_matmul(a: NDArray, b: NDArray, bias: NDArray | None = None) -> NDArray:
    """Multiply matrices, (…, m, k) by (…, k, n), both float or both quantized."""
    added = None if bias is None else _view(bias)
    if a.quant_params is None or b.quant_params is None:
        with np.errstate(all="ignore"):
            values = np.matmul(_view(a), _view(b))
            values = values if added is None else values + added
    else:
        values = quantized.matmul(
            _view(a), a.quant_params, _view(b), b.quant_params, added
        )
    return _wrap(values, a, a.committed or b.committed)


def array_range(x: NDArray) -> tuple[float, float]:
    """The least and the largest value, widened to contain 0; NaN is ignored."""
    return quantized.value_range(_view(x))


def array_quantize(x: NDArray, params: QuantParams) -> NDArray:
    """Rule N1."""
    stored = quantized.quantize(_view(x), params)
    return array_from_numpy(stored, x.device, x.committed, params)


def array_dequantize(x: NDArray) -> NDArray:
    """Rule N3."""
    if x.quant_params is None:
        raise TypeError("the array is not quantized")
    values = quantized.dequantize(_view(x), x.quant_params)
    return _wrap(values, x, x.committed)


# ---------------------------------------------------------------------------
# The course's names of elementwise operations
# ---------------------------------------------------------------------------


def _raw(name: str, arity: int, with_scalar: bool) -> Callable[..., None]:
    compute = _ELEMENTWISE[name]

    def unary(a: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            out.array[:] = compute(a.array)

    def binary(a: Array, b: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            out.array[:] = compute(a.array, b.array)

    def scalar(a: Array, val: float, out: Array) -> None:
        with np.errstate(all="ignore"):
            out.array[:] = compute(a.array, np.float32(val))

    if with_scalar:
        return scalar
    return unary if arity == 1 else binary


define(globals(), _raw)
