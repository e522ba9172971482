# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small graphs that several tests use."""

from __future__ import annotations

import needle as ndl
import numpy as np


def make_relu(shape: tuple[int | None, ...] = (None,)) -> ndl.Graph:
    """One elementwise operation."""
    builder = ndl.GraphBuilder("relu")
    builder.output(builder.relu(builder.input("x", shape)), name="y")
    return builder.build()


def make_linear(inputs: int = 8, outputs: int = 5, seed: int = 0) -> ndl.Graph:
    """One dense layer named "fc" with bias and relu."""
    rng = np.random.default_rng(seed)
    builder = ndl.GraphBuilder("linear")
    x = builder.input("x", (None, inputs))
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    product = builder.matmul(x, builder.constant(weight, name="weight"), name="fc")
    bias = rng.normal(size=outputs).astype(np.float32)
    builder.output(builder.relu(builder.add(product, bias)), name="y")
    return builder.build()


def make_two_inputs() -> ndl.Graph:
    """a @ b and a + 1, every dimension dynamic."""
    builder = ndl.GraphBuilder("two")
    a = builder.input("a", (None, None))
    b = builder.input("b", (None, None))
    builder.output(builder.matmul(a, b, name="product"), name="ab")
    builder.output(builder.add(a, 1.0), name="more")
    return builder.build()


def data(
    *shape: int, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Normal values."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
