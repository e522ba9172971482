"""Compares elementwise.mlir with NumPy."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sys

import numpy as np
from artifact import Array, Artifact, check_equal

SEED = 7
LARGEST, SMALLEST = 3.4e38, 1.1754944e-38
SPECIAL = np.array(
    [0.0, 1.0, np.inf, np.nan, 1e-40, 1e-45, LARGEST, SMALLEST], np.float32
)


def draw(rng: np.random.Generator, *shape: int) -> Array:
    """Normal values, a third of them replaced by special ones."""
    values = rng.standard_normal(shape).astype(np.float32)
    special = rng.choice(SPECIAL, shape) * rng.choice([np.float32(-1), 1], shape)
    return np.where(rng.random(shape) < 1 / 3, special, values).astype(np.float32)


def maximum(x: Array, y: Array) -> Array:
    """IEEE 754-2019: +0 is above -0, which NumPy leaves open."""
    zero = np.where(np.signbit(x), y, x)
    return np.where((x == 0) & (y == 0), zero, np.maximum(x, y))


def expect(x: Array, y: Array, z: Array) -> list[Array]:
    with np.errstate(all="ignore"):
        product = x * z
        return [
            x + y,
            x - y,
            x * y,
            x / y,
            maximum(x, y),
            -maximum(-x, -y),
            maximum(x, np.zeros_like(x)),
            -x,
            np.abs(x),
            np.sqrt(x),
            (product + y) - product,
        ]


def check_signs(actual: Array, expected: Array) -> None:
    """The sign of zeros, which == does not see."""
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(actual)[zero], np.signbit(expected)[zero])


def main() -> None:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    artifact = Artifact(sys.argv[1], sys.argv[2])
    for shape in [(0, 3), (1, 1), (3, 7), (5, 8), (13, 33), (64, 100)]:
        x, y, z = draw(rng, *shape), draw(rng, *shape), draw(rng, shape[1])
        expected = expect(x, y, z)
        for isa in ("x86-64", "avx2"):
            results = artifact.run([x, y, z], len(expected), isa=isa)
            for actual, wanted in zip(results, expected, strict=True):
                check_equal(actual, wanted)
                check_signs(actual, wanted)


if __name__ == "__main__":
    main()
