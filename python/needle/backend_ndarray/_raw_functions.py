# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The course's functions of raw handles, for the backends with native memory.

They take handles of compact arrays, and work where the memory is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from needle import _needle
from needle._needle import Array, CudaArray, array_assign
from needle.backend_ndarray._kernels import define

#: Extent of the tiles of :func:`matmul_tiled`.
TILE_SIZE = 8


def view(
    handle: Array,
    shape: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    offset: int = 0,
) -> Any:
    """An array over a handle, by default all of it in one dimension."""
    from needle.backend_ndarray.device import cpu, cuda

    if not isinstance(handle, Array):
        raise TypeError(
            f"a handle is an Array of cpu() or cuda(), got {type(handle).__name__}"
        )
    device = cuda() if isinstance(handle, CudaArray) else cpu()
    dims = (handle.size,) if shape is None else tuple(shape)
    return _needle.array_make(dims, strides, device, handle, offset, True, None)


def fill(out: Array, val: float) -> None:
    """Set all elements."""
    view(out)[...] = val


def compact(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy a view of ``a`` to ``out``, in row-major order."""
    array_assign(view(out, shape), view(a, shape, strides, offset))


def ewise_setitem(
    a: Array, out: Array, shape: Sequence[int], strides: Sequence[int], offset: int
) -> None:
    """Copy compact ``a`` to a view of ``out``."""
    array_assign(view(out, shape, strides, offset), view(a, shape))


def scalar_setitem(
    size: int,
    val: float,
    out: Array,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int,
) -> None:
    """Set the ``size`` elements of a view of ``out``."""
    target = view(out, shape, strides, offset)
    if target.size != size:
        raise ValueError(f"a view of {target.size} elements, not {size}")
    target[...] = val


def matmul(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """(m, n) times (n, p), all compact."""
    array_assign(view(out, (m, p)), view(a, (m, n)) @ view(b, (n, p)))


def matmul_tiled(a: Array, b: Array, out: Array, m: int, n: int, p: int) -> None:
    """Multiply (m/t, n/t, t, t) by (n/t, p/t, t, t), t being the tile size."""
    t = TILE_SIZE
    lhs = view(a, (m // t, n // t, t, t)).permute((0, 2, 1, 3)).reshape((m, n))
    rhs = view(b, (n // t, p // t, t, t)).permute((0, 2, 1, 3)).reshape((n, p))
    tiles = view(out, (m // t, p // t, t, t)).permute((0, 2, 1, 3))
    array_assign(tiles, (lhs @ rhs).reshape((m // t, t, p // t, t)))


def reduce_max(a: Array, out: Array, reduce_size: int) -> None:
    """The maximum of every ``reduce_size`` consecutive elements."""
    array_assign(view(out), view(a, (out.size, reduce_size)).max(axis=1))


def reduce_sum(a: Array, out: Array, reduce_size: int) -> None:
    """The sum of every ``reduce_size`` consecutive elements."""
    array_assign(view(out), view(a, (out.size, reduce_size)).sum(axis=1))


def _elementwise(name: str, arity: int, with_scalar: bool) -> Callable[..., None]:
    kernel = {1: name, 2: f"ewise_{name}"}[arity]
    if with_scalar:
        kernel = f"scalar_{name}"

    def unary(a: Array, out: Array) -> None:
        _needle.array_map_into(kernel, view(out), [view(a)], [])

    def binary(a: Array, b: Array, out: Array) -> None:
        _needle.array_map_into(kernel, view(out), [view(a), view(b)], [])

    def scalar(a: Array, val: float, out: Array) -> None:
        _needle.array_map_into(kernel, view(out), [view(a)], [val])

    if with_scalar:
        return scalar
    return unary if arity == 1 else binary


define(globals(), _elementwise)


def functions() -> dict[str, Callable[..., Any]]:
    """The functions of raw handles, by name."""
    return {
        name: value
        for name, value in globals().items()
        if callable(value)
        and getattr(value, "__module__", None) == __name__
        and value is not functions
    }
