# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""4-bit weights with a scale, and perhaps a zero point, for each block."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from needle import _needle
from needle._arguments import check_flag, check_integer

Array = npt.NDArray[Any]
#: What the activations of a product can be multiplied as.
ACTIVATIONS = ("float32", "int8")


def quantize_blockwise(
    weight: npt.ArrayLike, block_size: int = 32, symmetric: bool = True
) -> tuple[Array, Array, Array | None]:
    """Quantize a weight to 4 bits in blocks along its first dimension.

    Each block of ``block_size`` neighbours in a column has parameters of its own,
    chosen by rule N2; the integers follow by N1.

    Parameters
    ----------
    weight
        Float32 values of shape (K, N).
    block_size
        A power of two from 16 to 65536. The last block may be partial.
    symmetric
        Whether zero points are 0 and the integers -7 … 7; otherwise these are
        0 … 15.

    Returns
    -------
    The integers, a byte each (int8 if symmetric, else uint8) of shape (K, N); the
    scales, float32 of shape (ceil(K / block_size), N); and the zero points, uint8 of
    that shape, or None if symmetric. They are what
    :meth:`GraphBuilder.matmul_blockwise` takes.

    Raises
    ------
    ValueError
        If the weight is not a matrix, or for another block size.
    TypeError
        If the weight is not of float32.

    Examples
    --------
    >>> import needle as ndl, numpy as np
    >>> q, scales, zero_points = ndl.quantize_blockwise(
    ...     np.linspace(-7, 7, 32, dtype=np.float32).reshape(16, 2), block_size=16
    ... )
    >>> q.dtype, scales.shape, zero_points
    (dtype('int8'), (1, 2), None)
    """
    values = np.asarray(weight)
    if values.dtype != np.float32:
        raise TypeError(
            f"weight is an array of float32, got {values.dtype}; convert it, e.g. "
            'with .astype("float32")'
        )
    if values.ndim != 2:
        raise ValueError(f"weight has two dimensions (K, N), got shape {values.shape}")
    size = check_block_size(block_size)
    flag = check_flag("symmetric", symmetric)
    return _needle.quantize_blockwise(np.require(values, "=f4", ["C"]), size, flag)


def check_block_size(block_size: Any) -> int:
    """A power of two that blocks may have as their size."""
    size = check_integer("block_size", block_size, 16, 65536)
    if size & (size - 1):
        raise ValueError(f"block_size is a power of two, not {size}")
    return size


def check_activations(activations: Any) -> str:
    """The name of what activations are multiplied as."""
    if activations not in ACTIVATIONS:
        choices = " and ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"activations={activations!r} is none of {choices}")
    return str(activations)
