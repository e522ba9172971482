# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs for another architecture, run by needle-run under an emulator.

``scripts/test emulated`` sets ``NEEDLE_TEST_RUNNER`` to a needle-run for AArch64 that
starts under QEMU, and runs the differential tests a second time: what they compile and
call is then the code for AArch64.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import needle as ndl
import numpy as np
import numpy.typing as npt
from needle import _needle
from needle.signature import QuantizationInfo, TensorSpec

Array = npt.NDArray[Any]

#: A needle-run for AArch64; None: tests run on this machine's own CPU.
RUNNER = os.environ.get("NEEDLE_TEST_RUNNER")

#: The targets of AArch64, the most general first.
TARGETS = tuple(row.name for row in ndl.targets() if "neon" in row.features)


def targets_for(graph: ndl.Graph) -> tuple[str, ...]:
    """The targets whose code for this graph differs: all where integers are summed."""
    return TARGETS if "needle.q" in graph.mlir() else TARGETS[:1]


def compile_to_artifact(graph: ndl.Graph, targets: tuple[str, ...] = TARGETS) -> bytes:
    """An artifact with one body for each target, whichever CPU this is."""
    artifact, _ = _needle.compile(graph._module, list(targets))
    return bytes(artifact)


def run(
    *arguments: str, cpu: str = "max", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One call of the emulated needle-run, on a CPU that QEMU knows."""
    assert RUNNER is not None
    return subprocess.run(
        [RUNNER, *arguments],
        env=os.environ | {"QEMU_CPU": cpu} | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@functools.cache
def _make_folder() -> str:
    """A folder for all that is written here; it goes when the tests end."""
    folder = tempfile.mkdtemp(prefix="needle-emulated-")
    atexit.register(shutil.rmtree, folder)
    return folder


def _make_spec(tensor: dict[str, Any]) -> TensorSpec:
    quantization = tensor.get("quantization")
    info = quantization and QuantizationInfo(
        tuple(quantization["scales"]),
        tuple(quantization["zero_points"]),
        quantization.get("axis"),
        *quantization["storage_range"],
    )
    return TensorSpec(tensor["name"], tuple(tensor["shape"]), tensor["dtype"], info)


class EmulatedExecutable:
    """What differential tests use of an Executable."""

    def __init__(self, artifact: bytes, target: str, threads: int = 1) -> None:
        self.artifact = artifact
        self.target = target
        self.threads = threads
        self.kernels: tuple[ndl.Kernel, ...] = ()
        self._path = Path(tempfile.mkdtemp(dir=_make_folder()))
        (self._path / "model.ndl").write_bytes(artifact)
        info = run(str(self._path / "model.ndl"), "--info", "--json")
        assert info.returncode == 0, info.stderr
        (entry,) = json.loads(info.stdout)["entries"]
        self.outputs = tuple(map(_make_spec, entry["outputs"]))

    def __call__(self, *inputs: Array) -> Any:
        arguments = [str(self._path / "model.ndl"), "--json", "--isa", self.target]
        arguments += ["--threads", str(self.threads)]
        for index, array in enumerate(inputs):
            path = self._path / f"x{index}.npy"
            np.save(path, array)
            arguments += ["--input", f"{index}={path}"]
        paths = [self._path / f"y{index}.npy" for index in range(len(self.outputs))]
        for index, path in enumerate(paths):
            arguments += ["--output", f"{index}={path}"]
        done = run(*arguments)
        if done.returncode != 0:
            raise ValueError(done.stderr or f"exit status {done.returncode}")
        report = json.loads(done.stdout)
        assert report["target"] == self.target
        assert report["threads"] == self.threads
        self.kernels = tuple(
            ndl.Kernel(
                step["kernel"],
                step["op"],
                step["location"],
                step["note"],
                step["target"],
                step["macs"],
                step["calls"],
            )
            for step in report["steps"]
        )
        results = tuple(np.load(path) for path in paths)
        return results[0] if len(results) == 1 else results
