# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows of identity matrices."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def one_hot_rows(n: int, indices: Any) -> npt.NDArray[np.float32]:
    """Rows of the identity matrix of ``n`` rows, which is never made.

    Parameters
    ----------
    n
        Length of a row.
    indices
        Integers 0 … n-1, of any shape and type of number.

    Returns
    -------
    Array of shape ``(*indices.shape, n)``.

    Raises
    ------
    ValueError
        If an index is no integer or out of range.
    """
    given = np.asarray(indices)
    n = operator.index(n)
    with np.errstate(invalid="ignore"):
        whole = given.astype(np.int64)
    if not np.array_equal(whole, given):
        raise ValueError("one_hot takes integers")
    if whole.size and not (whole.min() >= 0 and whole.max() < n):
        raise ValueError(
            f"one_hot with rows of {n} takes integers from 0 to {n - 1}, got "
            f"{whole.min()} to {whole.max()}"
        )
    rows = np.zeros((whole.size, n), np.float32)
    rows[np.arange(whole.size), whole.reshape(-1)] = 1.0
    return rows.reshape(*whole.shape, n)
