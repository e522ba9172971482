# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions in NumPy, written from docs/Spec.md, and random ones to compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Window:
    """How a kernel moves over images."""

    strides: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilations: tuple[int, int] = (1, 1)
    groups: int = 1

    def attributes(self) -> str:
        """In MLIR syntax."""
        top_bottom, left_right = self.padding
        return (
            f"strides = array<i64: {self.strides[0]}, {self.strides[1]}>, "
            f"padding = array<i64: {top_bottom[0]}, {top_bottom[1]}, "
            f"{left_right[0]}, {left_right[1]}>, "
            f"dilations = array<i64: {self.dilations[0]}, {self.dilations[1]}>, "
            f"groups = {self.groups} : i64"
        )

    def extent(self, size: int, kernel: int, axis: int) -> int:
        """How many windows there are along height (0) or width (1)."""
        padded = size + sum(self.padding[axis])
        return (padded - (kernel - 1) * self.dilations[axis] - 1) // self.strides[
            axis
        ] + 1


def conv2d(x: Array, w: Array, window: Window) -> Array:
    """Sums of products in the type of ``x``: one einsum for each element of the
    kernel and group."""
    kernel_height, kernel_width, depth, columns = w.shape
    height = window.extent(x.shape[1], kernel_height, 0)
    width = window.extent(x.shape[2], kernel_width, 1)
    padded = np.pad(x, ((0, 0), *window.padding, (0, 0)))
    result = np.zeros((x.shape[0], height, width, columns), x.dtype)
    share = columns // window.groups
    for group in range(window.groups):
        mine = slice(group * share, (group + 1) * share)
        channels = slice(group * depth, (group + 1) * depth)
        for i in range(kernel_height):
            for j in range(kernel_width):
                top, left = i * window.dilations[0], j * window.dilations[1]
                rows = slice(top, top + (height - 1) * window.strides[0] + 1)
                places = slice(left, left + (width - 1) * window.strides[1] + 1)
                part = padded[:, rows, places, channels]
                part = part[:, :: window.strides[0], :: window.strides[1]]
                result[..., mine] += part @ w[i, j, :, mine]
    return result


def conv_transpose2d(
    x: Array, w: Array, window: Window, output_padding: tuple[int, int] = (0, 0)
) -> Array:
    """Adds each pixel, times the kernel, to a large image, and cuts that."""
    batch, height, width, _ = x.shape
    kernel_height, kernel_width, _, columns = w.shape
    down, right = window.strides
    whole = np.zeros(
        (
            batch,
            (height - 1) * down + kernel_height + output_padding[0],
            (width - 1) * right + kernel_width + output_padding[1],
            columns,
        ),
        x.dtype,
    )
    for i in range(kernel_height):
        for j in range(kernel_width):
            rows = slice(i, i + (height - 1) * down + 1, down)
            places = slice(j, j + (width - 1) * right + 1, right)
            whole[:, rows, places] += x @ w[i, j]
    (top, bottom), (left, side) = window.padding
    return whole[:, top : whole.shape[1] - bottom, left : whole.shape[2] - side]


@dataclass(frozen=True)
class Shape:
    """A random convolution that fits."""

    x: tuple[int, int, int, int]
    w: tuple[int, int, int, int]
    window: Window


def draw_shape(rng: np.random.Generator, kinds: tuple[str, ...]) -> Shape:
    """Dense, grouped or depthwise, with a window that fits into its image."""
    kind = rng.choice(kinds)
    groups = {"dense": 1, "grouped": int(rng.integers(2, 5))}.get(kind, 0)
    depth = int(rng.choice([1, 2, 3, 4, 5, 8, 16, 17, 33]))
    share = int(rng.choice([1, 2, 3, 8, 16, 17, 24]))
    if kind == "small groups":
        depth = share = int(rng.choice([2, 4]))
        groups = int(rng.integers(4, 20))
    if kind == "depthwise":
        groups = int(rng.choice([1, 2, 7, 8, 9, 16, 31, 32, 40, 65]))
        depth, share = 1, int(rng.choice([1, 1, 1, 2]))
    kernel = [int(size) for size in rng.choice([1, 2, 3, 3, 5, 7], 2)]
    strides = tuple(int(s) for s in rng.choice([1, 1, 2, 3], 2))
    dilations = tuple(int(d) for d in rng.choice([1, 1, 1, 2, 3], 2))
    sides = [int(p) for p in rng.choice([0, 0, 1, 1, 2, 3, 8], 4)]
    padding = ((sides[0], sides[1]), (sides[2], sides[3]))
    sizes = []
    for axis in range(2):
        span = (kernel[axis] - 1) * dilations[axis] + 1
        least = max(span - sum(padding[axis]), 0)
        sizes.append(least + int(rng.choice([0, 1, 2, 3, 5, 9, 16])))
    window = Window(strides, padding, dilations, groups)  # type: ignore[arg-type]
    batch = int(rng.choice([0, 1, 1, 2, 3]))
    return Shape(
        (batch, sizes[0], sizes[1], groups * depth),
        (kernel[0], kernel[1], depth, groups * share),
        window,
    )
