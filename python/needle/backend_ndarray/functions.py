# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions of arrays, under the names of the course and of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle.backend_ndarray import _array, _checks
from needle.backend_ndarray.device import Device, default_device
from needle.backend_ndarray.quantized import QuantParams

if TYPE_CHECKING:
    import numpy.typing as npt

    Operand = _array.NDArray | float | npt.NDArray[Any]

__all__ = [
    "abs",
    "add",
    "array",
    "broadcast_to",
    "concatenate",
    "divide",
    "empty",
    "exp",
    "flip",
    "from_dlpack",
    "full",
    "log",
    "matmul",
    "max",
    "maximum",
    "min",
    "minimum",
    "multiply",
    "negative",
    "one_hot",
    "ones",
    "pad",
    "permute",
    "power",
    "rand",
    "randb",
    "randn",
    "relu",
    "relu_grad",
    "reshape",
    "sigmoid",
    "split",
    "sqrt",
    "stack",
    "subtract",
    "sum",
    "summation",
    "tanh",
    "transpose",
    "zeros",
]

NDArray = _array.NDArray


def array(
    a: Any,
    dtype: npt.DTypeLike = None,
    device: Device | None = None,
    quant_params: QuantParams | None = None,
) -> NDArray:
    """An array of a copy of ``a``.

    Parameters
    ----------
    a, dtype, device, quant_params
        As for :class:`NDArray`.
    """
    return NDArray(a, device=device, dtype=dtype, quant_params=quant_params)


def from_dlpack(x: Any) -> NDArray:
    """The memory of another library's array, not copied if it is float32 on the CPU.

    Raises
    ------
    TypeError
        If ``x`` does not support DLPack.
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"{type(x).__name__} does not support DLPack")
    shared = _needle.array_adopt(x, default_device())
    return NDArray(np.from_dlpack(x)) if shared is None else shared


def _chosen(device: Device | None) -> Device:
    return default_device() if device is None else device


def empty(
    shape: Any, dtype: npt.DTypeLike = "float32", device: Device | None = None
) -> NDArray:
    """An array that is not initialized."""
    _checks.check_float(dtype)
    return NDArray.make(shape, device=device)


def full(
    shape: Any,
    fill_value: float,
    dtype: npt.DTypeLike = "float32",
    device: Device | None = None,
) -> NDArray:
    """An array with all elements equal to ``fill_value``."""
    result = empty(shape, dtype, device)
    result.fill(fill_value)
    return result


def zeros(
    shape: Any, dtype: npt.DTypeLike = "float32", device: Device | None = None
) -> NDArray:
    """An array of zeros."""
    return full(shape, 0.0, dtype, device)


def ones(
    shape: Any, dtype: npt.DTypeLike = "float32", device: Device | None = None
) -> NDArray:
    """An array of ones."""
    return full(shape, 1.0, dtype, device)


def rand(*shape: int, device: Device | None = None) -> NDArray:
    """Numbers from [0, 1); see :meth:`Device.rand`."""
    return _chosen(device).rand(*shape)


def randn(*shape: int, device: Device | None = None) -> NDArray:
    """Normal numbers; see :meth:`Device.randn`."""
    return _chosen(device).randn(*shape)


def randb(*shape: int, p: float = 0.5, device: Device | None = None) -> NDArray:
    """Ones with probability ``p`` and zeros; see :meth:`Device.randb`."""
    return _chosen(device).randb(*shape, p=p)


def one_hot(n: int, i: Any, device: Device | None = None) -> NDArray:
    """Rows ``i`` of the identity matrix of ``n`` rows; see :meth:`Device.one_hot`."""
    return _chosen(device).one_hot(n, i)


def broadcast_to(a: NDArray, new_shape: Any) -> NDArray:
    """:meth:`NDArray.broadcast_to`."""
    return a.broadcast_to(new_shape)


def reshape(a: NDArray, new_shape: Any) -> NDArray:
    """:meth:`NDArray.reshape`."""
    return a.reshape(new_shape)


def permute(a: NDArray, new_axes: Any) -> NDArray:
    """:meth:`NDArray.permute`."""
    return a.permute(new_axes)


def transpose(a: NDArray, axes: Any = None) -> NDArray:
    """Permuted axes, by default reversed."""
    return a.transpose(axes)


def add(a: NDArray, b: Operand) -> NDArray:
    """``a + b``."""
    return a + b


def subtract(a: NDArray, b: Operand) -> NDArray:
    """``a - b``."""
    return a - b


def multiply(a: NDArray, b: Operand) -> NDArray:
    """``a * b``."""
    return a * b


def divide(a: NDArray, b: Operand) -> NDArray:
    """``a / b``."""
    return a / b


def power(a: NDArray, b: Operand) -> NDArray:
    """``a ** b``."""
    return a**b


def matmul(
    a: NDArray, b: NDArray | npt.NDArray[Any], bias: NDArray | None = None
) -> NDArray:
    """``a @ b``, plus a bias for each column.

    Parameters
    ----------
    a, b
        Arrays of shapes (…, m, k) and (…, k, n); their leading dimensions
        broadcast. A 1-D array is a row on the left, a column on the right. Two
        quantized arrays are multiplied in integers.
    bias
        An array of n elements, float32.

    Returns
    -------
    Array of shape (…, m, n), float32.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    if bias is None:
        return a @ b
    rhs = b if isinstance(b, NDArray) else NDArray(b)
    columns = rhs.shape[-1] if rhs.ndim > 1 else 1
    if bias.size != columns:
        raise ValueError(f"a bias of shape {bias.shape} for {columns} columns")
    if None in (a.quant_params, rhs.quant_params) or a.ndim != 2 or rhs.ndim != 2:
        return a @ rhs + bias.reshape((columns,) if rhs.ndim > 1 else ())
    lhs, rhs, added = _array.place_all([a, rhs, bias._dequantized()])
    result: NDArray = lhs._matmul(rhs, False, added.reshape((columns,)))
    return result


def relu_grad(x: NDArray, gradient: NDArray) -> NDArray:
    """``gradient`` where ``x > 0``, elsewhere 0."""
    result: NDArray = x._binary("relu_grad", gradient, False)
    return result


def negative(a: NDArray) -> NDArray:
    """``-a``."""
    return -a


def maximum(a: NDArray, b: Operand) -> NDArray:
    """The larger of two elements; NaN if one is."""
    return a.maximum(b)


def minimum(a: NDArray, b: Operand) -> NDArray:
    """The smaller of two elements; NaN if one is."""
    return a.minimum(b)


def abs(a: NDArray) -> NDArray:  # noqa: A001
    """Absolute values."""
    return a.abs()


def log(a: NDArray) -> NDArray:
    """Natural logarithms."""
    return a.log()


def exp(a: NDArray) -> NDArray:
    """Exponentials."""
    return a.exp()


def tanh(a: NDArray) -> NDArray:
    """Hyperbolic tangents."""
    return a.tanh()


def sqrt(a: NDArray) -> NDArray:
    """Square roots."""
    return a.sqrt()


def relu(a: NDArray) -> NDArray:
    """``maximum(a, 0)``."""
    return a.relu()


def sigmoid(a: NDArray) -> NDArray:
    """``1 / (1 + exp(-a))``, which does not overflow."""
    return a.sigmoid()


def sum(  # noqa: A001
    a: NDArray, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> NDArray:
    """Sums; ``axis`` and ``keepdims`` as for :meth:`NDArray.sum`."""
    return a.sum(axis=axis, keepdims=keepdims)


def max(  # noqa: A001
    a: NDArray, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> NDArray:
    """Maxima; ``axis`` and ``keepdims`` as for :meth:`NDArray.max`."""
    return a.max(axis=axis, keepdims=keepdims)


def min(  # noqa: A001
    a: NDArray, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> NDArray:
    """Minima; ``axis`` and ``keepdims`` as for :meth:`NDArray.min`."""
    return a.min(axis=axis, keepdims=keepdims)


#: The course's name.
summation = sum


def flip(a: NDArray, axes: Any = None) -> NDArray:
    """:meth:`NDArray.flip`."""
    return a.flip(axes)


def pad(a: NDArray, axes: Any) -> NDArray:
    """:meth:`NDArray.pad`."""
    return a.pad(axes)


def _as_array(name: str, a: Any) -> Any:
    """An array as it is; NumPy's becomes an NDArray."""
    if isinstance(a, np.ndarray):
        return NDArray(a)
    # Arrays without values, of needle.jit, are none either.
    if not isinstance(a, NDArray) and not hasattr(a, "_dequantized"):
        raise TypeError(f"{name} takes arrays, not {type(a).__name__}")
    return a


def stack(arrays: Sequence[NDArray], axis: int = 0) -> NDArray:
    """Arrays of one shape along a new axis.

    Raises
    ------
    ValueError
        If there are none, or their shapes differ.
    """
    given = [_as_array("stack", a) for a in arrays]
    shapes = {a.shape for a in given}
    if len(shapes) != 1:
        raise ValueError(f"stack takes arrays of one shape, got {sorted(shapes)}")
    rank = given[0].ndim + 1
    (at,) = _checks.check_axes(axis, rank)
    index: list[Any] = [slice(None)] * rank
    index[at] = None
    return concatenate([a[tuple(index)] for a in given], at)


def concatenate(arrays: Sequence[NDArray], axis: int = 0) -> NDArray:
    """Arrays one behind the other along an axis.

    Raises
    ------
    ValueError
        If there are none, or their shapes differ in another axis.
    """
    arrays = [_as_array("concatenate", a) for a in arrays]
    if not arrays:
        raise ValueError("concatenate takes at least one array")
    given: list[Any] = _array.place_all([a._dequantized() for a in arrays])
    first = given[0]
    (at,) = _checks.check_axes(axis, first.ndim)
    for a in given:
        if a.shape[:at] + a.shape[at + 1 :] != first.shape[:at] + first.shape[at + 1 :]:
            raise ValueError(
                f"concatenate along axis {at}: shapes {first.shape} and {a.shape}"
            )
    # Arrays without values, of needle.jit.
    traced = next((a for a in given if not isinstance(a, NDArray)), None)
    if traced is not None:
        return traced._concatenate(given, at)  # type: ignore[no-any-return]
    extents = [a.shape[at] for a in given]
    shape = list(first.shape)
    shape[at] = int(np.sum(extents))
    committed = any(a.committed for a in given)
    out: NDArray = first.device.array_new(shape, first.device, committed, None)
    index: list[Any] = [slice(None)] * first.ndim
    start = 0
    for a, extent in zip(given, extents, strict=True):
        index[at] = slice(start, start + extent)
        out[tuple(index)] = a
        start += extent
    return out


def split(a: NDArray, sections: int | Sequence[int], axis: int = 0) -> list[NDArray]:
    """Views of parts along an axis, as ``numpy.split`` makes them.

    Raises
    ------
    ValueError
        If a number of sections does not divide the extent.
    """
    (at,) = _checks.check_axes(axis, a.ndim)
    extent = a.shape[at]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or extent % sections:
            raise ValueError(f"{sections} sections do not divide {extent} elements")
        step = extent // sections
        bounds = [step * i for i in range(1, int(sections))]
    else:
        bounds = list(sections)
    index: list[Any] = [slice(None)] * a.ndim
    parts = []
    for start, stop in zip([None, *bounds], [*bounds, None], strict=True):
        index[at] = slice(start, stop)
        parts.append(a[tuple(index)])
    return parts
