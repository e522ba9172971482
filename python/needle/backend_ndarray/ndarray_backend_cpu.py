# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU backend: needle's own kernels, compiled when needle is built.

Most functions take raw handles of compact arrays, as the backends of the
deep-learning-systems course do. Those called ``array_*`` take arrays with any
strides; `NDArray` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle._needle import (
    Array,
    array_assign,
    array_binary,
    array_copy,
    array_dequantize,
    array_from_numpy,
    array_matmul,
    array_new,
    array_quantize,
    array_range,
    array_reduce,
    array_unary,
)
from needle._needle import array_to_numpy as to_numpy
from needle.backend_ndarray._kernels import define

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Array",
    "array_assign",
    "array_binary",
    "array_copy",
    "array_dequantize",
    "array_from_numpy",
    "array_matmul",
    "array_new",
    "array_quantize",
    "array_range",
    "array_reduce",
    "array_unary",
    "to_numpy",
]

__device_name__ = "cpu"
__tile_size__ = 8


def isa() -> str:
    """The instruction set that the kernels in use are compiled for."""
    return _needle.array_target()


def launches() -> dict[str, int]:
    """How often each kernel was launched in this process."""
    return _needle.array_launches()


def memory() -> tuple[int, int]:
    """Bytes that arrays hold, and bytes that are kept for arrays to come."""
    return _needle.array_memory()


def _view(
    handle: Array,
    shape: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    offset: int = 0,
) -> Any:
    """An array over a handle, by default all of it in one dimension."""
    from needle.backend_ndarray.device import cpu

    if not isinstance(handle, Array):
        raise TypeError(f"a handle is an Array of cpu(), got {type(handle).__name__}")
    dims = (handle.size,) if shape is None else tuple(shape)
    return _needle.array_make(dims, strides, cpu(), handle, offset, True, None)


def from_numpy(a: npt.NDArray[Any], out: Array) -> None:
    """Copy the elements of an array, in row-major order, to a handle."""
    to_numpy(out, (out.size,), (1,), 0)[:] = np.asarray(a).reshape(-1)


def fill(out: Array, val: float) -> None:
    """Set all elements."""
    _view(out)[...] = val


def compact(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy a view of ``a`` to ``out``, in row-major order."""
    array_assign(_view(out, shape), _view(a, shape, strides, offset))


def ewise_setitem(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy compact ``a`` to a view of ``out``."""
    array_assign(_view(out, shape, strides, offset), _view(a, shape))


def scalar_setitem(
    size: int,
    val: float,
    out: Array,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int,
) -> None:
    """Set the ``size`` elements of a view of ``out``."""
    view = _view(out, shape, strides, offset)
    if view.size != size:
        raise ValueError(f"a view of {view.size} elements, not {size}")
    view[...] = val


def matmul(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """(m, n) times (n, p), all compact."""
    array_assign(_view(out, (m, p)), _view(a, (m, n)) @ _view(b, (n, p)))


def matmul_tiled(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """Multiply (m/t, n/t, t, t) by (n/t, p/t, t, t), t being the tile size."""
    t = __tile_size__
    lhs = _view(a, (m // t, n // t, t, t)).permute((0, 2, 1, 3)).reshape((m, n))
    rhs = _view(b, (n // t, p // t, t, t)).permute((0, 2, 1, 3)).reshape((n, p))
    tiles = _view(out, (m // t, p // t, t, t)).permute((0, 2, 1, 3))
    array_assign(tiles, (lhs @ rhs).reshape((m // t, t, p // t, t)))


def reduce_max(a: Array, out: Array, reduce_size: int) -> None:
    """The maximum of every ``reduce_size`` consecutive elements."""
    array_assign(_view(out), _view(a, (out.size, reduce_size)).max(axis=1))


def reduce_sum(a: Array, out: Array, reduce_size: int) -> None:
    """The sum of every ``reduce_size`` consecutive elements."""
    array_assign(_view(out), _view(a, (out.size, reduce_size)).sum(axis=1))


def _raw(name: str, arity: int, with_scalar: bool) -> Callable[..., None]:
    kernel = {1: name, 2: f"ewise_{name}"}[arity]
    if with_scalar:
        kernel = f"scalar_{name}"

    def unary(a: Array, out: Array) -> None:
        _needle.array_map_into(kernel, _view(out), [_view(a)], [])

    def binary(a: Array, b: Array, out: Array) -> None:
        _needle.array_map_into(kernel, _view(out), [_view(a), _view(b)], [])

    def scalar(a: Array, val: float, out: Array) -> None:
        _needle.array_map_into(kernel, _view(out), [_view(a)], [val])

    if with_scalar:
        return scalar
    return unary if arity == 1 else binary


define(globals(), _raw)
