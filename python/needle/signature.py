# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Descriptions of the inputs and outputs of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from needle import _needle


@dataclass(frozen=True)
class QuantizationInfo:
    """How stored integers map to real numbers: ``(q - zero_point) * scale``.

    Attributes
    ----------
    scales, zero_points
        One of each, or one for each index along ``axis``.
    axis
        The dimension along which they differ; None if they do not.
    storage_min, storage_max
        Range of the stored integers.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None
    storage_min: int
    storage_max: int


@dataclass(frozen=True)
class TensorSpec:
    """An input or output.

    Attributes
    ----------
    name
        By which inputs can be given as keyword arguments.
    shape
        None stands for a dimension that is known only at run time.
    dtype
        NumPy's name of the element type, e.g. ``"float32"``; of the stored
        integers if the tensor is quantized.
    quantization
        None for a tensor that is not quantized.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    quantization: QuantizationInfo | None = None

    def __str__(self) -> str:
        dims = ", ".join("?" if dim is None else str(dim) for dim in self.shape)
        return f"{self.name}: {self.dtype}[{dims}]"


class Signature(NamedTuple):
    """An entry point: its name, inputs and outputs."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def make_spec(described: _needle.TensorTuple) -> TensorSpec:
    """Turn the extension's description of a tensor into a TensorSpec."""
    name, dtype, shape, quantization = described
    info = None
    if quantization is not None:
        axis, scales, zero_points, storage_min, storage_max = quantization
        info = QuantizationInfo(scales, zero_points, axis, storage_min, storage_max)
    return TensorSpec(name, shape, dtype, info)


def make_signature(described: _needle.EntryTuple) -> Signature:
    """Turn the extension's description of an entry point into a Signature."""
    name, inputs, outputs = described
    return Signature(
        name, tuple(map(make_spec, inputs)), tuple(map(make_spec, outputs))
    )
