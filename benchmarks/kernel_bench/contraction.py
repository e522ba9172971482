# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions in float64 by NumPy, independent of everything that is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kernel_bench.shapes import Contraction, Convolution

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]


def contract(shape: Contraction, lhs: Array, rhs: Array) -> Doubles:
    """The sums of products; exact for integers up to 2**53."""
    lhs, rhs = lhs.astype(np.float64), rhs.astype(np.float64)
    if not isinstance(shape, Convolution):
        product: Doubles = lhs @ rhs
        return product
    return (
        _transposed(shape, lhs, rhs) if shape.transposed else _direct(shape, lhs, rhs)
    )


def _direct(shape: Convolution, image: Doubles, weights: Doubles) -> Doubles:
    """Every window of the padded image times the weights, group by group."""
    edge = (shape.padding, shape.padding)
    padded = np.pad(image, ((0, 0), edge, edge, (0, 0)))
    extents = (shape.extent, shape.extent)
    view: Any = np.lib.stride_tricks.sliding_window_view
    windows: Doubles = view(padded, extents, axis=(1, 2))
    # n, y, x, channel, dy, dx → n, y, x, dy, dx, channel, as weights have it.
    windows = windows[:, :: shape.stride, :: shape.stride].transpose(0, 1, 2, 4, 5, 3)
    results = []
    for group in range(shape.groups):
        channels = _part(shape.channels_in, shape.groups, group)
        filters = _part(shape.channels_out, shape.groups, group)
        rows = windows[..., channels].reshape(*windows.shape[:3], -1)
        columns = weights[..., filters]
        results.append(rows @ columns.reshape(-1, columns.shape[-1]))
    return np.concatenate(results, axis=-1)


def _part(channels: int, groups: int, group: int) -> slice:
    each = channels // groups
    return slice(group * each, (group + 1) * each)


def _transposed(shape: Convolution, image: Doubles, weights: Doubles) -> Doubles:
    """Every pixel becomes a square of its own, as wide as the stride."""
    spread: Doubles = np.einsum("nyxc,abco->nyaxbo", image, weights, optimize=True)
    return spread.reshape(shape.dest_shape)
