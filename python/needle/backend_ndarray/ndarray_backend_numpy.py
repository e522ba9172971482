# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The NumPy backend: every operation of an array, computed by NumPy.

The first half takes raw handles of compact arrays, as the backends of the
deep-learning-systems course do. The second half takes arrays with any strides;
`NDArray` uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from needle.backend_ndarray._array import NDArray

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


def _sigmoid(x: Any, out: Any) -> None:
    # exp of a number that is not positive cannot overflow.
    e = np.exp(-np.abs(x))
    np.divide(np.where(x >= 0, np.float32(1), e), 1 + e, out=out)


def _relu(x: Any, out: Any) -> None:
    np.maximum(x, 0, out=out)


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


def view(a: NDArray) -> npt.NDArray[Any]:
    """The elements of an array of this backend, not copied."""
    return to_numpy(a._handle, a.shape, a.strides, a.offset)


def _read(operand: NDArray | float) -> Any:
    return np.float32(operand) if isinstance(operand, float) else view(operand)


def elementwise(name: str, operands: Sequence[NDArray | float], out: NDArray) -> None:
    """Compute ``out`` from arrays and numbers that broadcast to its shape."""
    with np.errstate(all="ignore"):
        _ELEMENTWISE[name](*map(_read, operands), out=view(out))


def reduce(name: str, a: NDArray, axes: tuple[int, ...], out: NDArray) -> None:
    """Reduce over some axes, which stay as extents of 1."""
    with np.errstate(all="ignore"):
        _REDUCTIONS[name](view(a), axis=axes, keepdims=True, out=view(out))


def assign(out: NDArray, value: NDArray | float) -> None:
    """Set ``out`` to an array that broadcasts to its shape, or to a number."""
    with np.errstate(all="ignore"):
        view(out)[...] = _read(value)


def contract(a: NDArray, b: NDArray, out: NDArray) -> None:
    """Multiply matrices, (…, m, k) by (…, k, n), both float or both quantized."""
    if a.quant_params is None or b.quant_params is None:
        with np.errstate(all="ignore"):
            np.matmul(view(a), view(b), out=view(out))
        return
    # N4: sums of products of 9-bit integers are exact in float64 to 2**53, which
    # is a depth of 10**11. N5: rounded to float32 once, then one product.
    lhs = view(a).astype(np.float64) - a.quant_params.zero_point
    rhs = view(b).astype(np.float64) - b.quant_params.zero_point
    scale = np.float32(a.quant_params.scale) * np.float32(b.quant_params.scale)
    np.multiply((lhs @ rhs).astype(np.float32), scale, out=view(out))


def value_range(a: NDArray) -> tuple[float, float]:
    """The least and the largest value, widened to contain 0; NaN is ignored."""
    values = view(a)
    return (
        float(np.fmin.reduce(values, axis=None, initial=0.0)),
        float(np.fmax.reduce(values, axis=None, initial=0.0)),
    )


def quantize(a: NDArray, out: NDArray) -> None:
    """Rule N1 with the parameters of ``out``."""
    scale = np.float32(out.quant_params.scale)
    zero_point = out.quant_params.zero_point
    with np.errstate(all="ignore"):
        scaled = np.rint(view(a) / scale)
    scaled = np.clip(scaled, np.float32(-zero_point), np.float32(255 - zero_point))
    scaled = np.where(np.isnan(scaled), np.float32(0), scaled)
    view(out)[...] = (scaled.astype(np.int32) + zero_point).astype(np.uint8)


def dequantize(a: NDArray, out: NDArray) -> None:
    """Rule N3: the difference in integers, one product in float32."""
    centered = view(a).astype(np.int32) - a.quant_params.zero_point
    np.multiply(
        centered.astype(np.float32),
        np.float32(a.quant_params.scale),
        out=view(out),
    )


# ---------------------------------------------------------------------------
# The course's names of elementwise operations
# ---------------------------------------------------------------------------


def _raw(name: str, with_scalar: bool) -> Callable[..., None]:
    def unary(a: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            _ELEMENTWISE[name](a.array, out=out.array)

    def binary(a: Array, b: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            _ELEMENTWISE[name](a.array, b.array, out=out.array)

    def scalar(a: Array, val: float, out: Array) -> None:
        with np.errstate(all="ignore"):
            _ELEMENTWISE[name](a.array, np.float32(val), out=out.array)

    if with_scalar:
        function: Callable[..., None] = scalar
    else:
        function = unary if name in UNARY else binary
    function.__name__ = f"{'scalar' if with_scalar else 'ewise'}_{name}"
    function.__doc__ = f"{name} of compact arrays of one size, to ``out``."
    return function


UNARY = ("abs", "exp", "log", "negate", "relu", "sigmoid", "sqrt", "tanh")
BINARY = tuple(sorted(set(_ELEMENTWISE) - set(UNARY)))

for _name in UNARY:
    globals()[f"ewise_{_name}"] = _raw(_name, False)
for _name in BINARY:
    globals()[f"ewise_{_name}"] = _raw(_name, False)
    globals()[f"scalar_{_name}"] = _raw(_name, True)
del _name
