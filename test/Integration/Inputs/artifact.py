"""Runs entry points of an artifact with needle-run on NumPy arrays."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Array = np.ndarray


class Artifact:
    """An artifact on disk and a folder for its inputs and outputs."""

    def __init__(self, path: str, folder: str) -> None:
        self.path = path
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        inputs: Sequence[Array],
        outputs: int,
        *,
        entry: str = "main",
        isa: str = "avx2",
        threads: int = 1,
    ) -> list[Array]:
        """Runs `entry` on the target `isa`; returns its outputs."""
        result = self._call(inputs, outputs, entry, isa, threads)
        assert result.returncode == 0, result.stderr
        assert f"on target {isa} " in result.stdout, result.stdout
        return [np.load(self.folder / f"output{i}.npy") for i in range(outputs)]

    def fail(
        self, inputs: Sequence[Array], outputs: int, *, entry: str, isa: str
    ) -> str:
        """Runs `entry`, which must fail; returns what needle-run printed."""
        result = self._call(inputs, outputs, entry, isa, 1)
        assert result.returncode == 1, result
        return result.stderr

    def _call(
        self,
        inputs: Sequence[Array],
        outputs: int,
        entry: str,
        isa: str,
        threads: int,
    ) -> subprocess.CompletedProcess[str]:
        command = ["needle-run", self.path, "--entry", entry, "--isa", isa]
        command += ["--threads", str(threads)]
        for i, array in enumerate(inputs):
            np.save(self.folder / f"input{i}.npy", array)
            command += ["--input", f"{i}={self.folder}/input{i}.npy"]
        for i in range(outputs):
            command += ["--output", f"{i}={self.folder}/output{i}.npy"]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def check_equal(actual: Array, expected: Array) -> None:
    """Same dtype, shape and bits (NaN equals NaN)."""
    assert actual.dtype == expected.dtype, (actual.dtype, expected.dtype)
    np.testing.assert_array_equal(actual, expected, strict=True)


def matmul_with_bound(
    lhs: Array, rhs: Array, error: Array | None = None
) -> tuple[Array, Array]:
    """The product in float64 and a bound of what an f32 evaluation may differ.

    Each of the K products and K sums is off by at most 2**-24 of its value, so
    the error is at most gamma(2K) * (|lhs| @ |rhs|); `error` is that of lhs.
    """
    depth = lhs.shape[1]
    unit = 2.0**-24
    gamma = 2 * depth * unit / (1 - 2 * depth * unit)
    magnitude = np.abs(lhs.astype(np.float64))
    inherited = np.zeros_like(magnitude) if error is None else error
    product = lhs.astype(np.float64) @ rhs.astype(np.float64)
    weights = np.abs(rhs.astype(np.float64))
    bound = gamma * ((magnitude + inherited) @ weights) + inherited @ weights
    return product, bound


def check_close(actual: Array, expected: Array, bound: Array) -> None:
    """Every element within its bound, plus one rounding to f32."""
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    error = np.abs(actual.astype(np.float64) - expected)
    allowed = bound + 2.0**-24 * np.abs(expected) + 2.0**-149
    assert (error <= allowed).all(), f"error {error.max()} beyond {allowed.min()}"
