# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which code an AArch64 CPU runs, on the CPUs that QEMU knows."""

from __future__ import annotations

import json
from pathlib import Path

import emulation
import needle as ndl
import numpy as np
import pytest
from differential import Array, check_exact, kernels_of
from graphs import make_linear

pytestmark = pytest.mark.skipif(
    not emulation.RUNNER, reason="runs under an emulator: scripts/test emulated"
)

#: The best target of each CPU.
BEST = {"cortex-a53": "neon", "neoverse-n1": "neon-dotprod", "max": "neon-i8mm"}

#: How each target multiplies weights of 8 bits without a zero point.
FORMS = {"neon": "", "neon-dotprod": "_quads", "neon-i8mm": "_quads"}


@pytest.fixture
def model(tmp_path: Path) -> str:
    """An artifact for x86-64 and AArch64 alike."""
    targets = ("x86-64", *emulation.TARGETS)
    path = tmp_path / "model.ndl"
    path.write_bytes(emulation.compile_to_artifact(make_linear(), targets))
    return str(path)


@pytest.mark.parametrize("cpu", BEST)
def test_the_best_body_runs(model: str, cpu: str, tmp_path: Path) -> None:
    x = np.ones((3, 8), np.float32)
    np.save(tmp_path / "x.npy", x)
    done = emulation.run(model, "--json", "--input", f"0={tmp_path}/x.npy", cpu=cpu)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["target"] == BEST[cpu]
    (step,) = report["steps"]
    assert (step["target"], step["calls"]) == (BEST[cpu], 1)


def test_targets_of_a_better_cpu_are_refused(model: str, tmp_path: Path) -> None:
    """They are described, but not run."""
    np.save(tmp_path / "x.npy", np.ones((3, 8), np.float32))
    chosen = (model, "--isa", "neon-i8mm")
    done = emulation.run(*chosen, "--input", f"0={tmp_path}/x.npy", cpu="neoverse-n1")
    assert done.returncode == 1
    assert "i8mm" in done.stderr
    info = emulation.run(*chosen, "--info", cpu="neoverse-n1")
    assert info.returncode == 0, info.stderr
    assert "no body in use: " in info.stdout


def test_features_are_those_of_the_cpu(model: str) -> None:
    """A body says what this CPU lacks to run it."""
    for cpu, best in BEST.items():
        info = json.loads(emulation.run(model, "--info", "--json", cpu=cpu).stdout)
        missing = {body["target"]: body["missing"] for body in info["bodies"]}
        assert missing["x86-64"] == "an x86-64 CPU"
        runnable = emulation.TARGETS[: emulation.TARGETS.index(best) + 1]
        for target in emulation.TARGETS:
            assert (missing[target] == "") == (target in runnable), (cpu, missing)


def test_a_body_for_another_cpu_is_refused(model: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((3, 8), np.float32))
    done = emulation.run(model, "--isa", "x86-64", "--input", f"0={tmp_path}/x.npy")
    assert done.returncode == 1
    assert "x86-64" in done.stderr
    assert "aarch64" in done.stderr


def test_a_body_of_both_architectures_in_one_artifact() -> None:
    """The same bits from the x86-64 body here and the AArch64 body there."""
    rng = np.random.default_rng(5)
    graph = make_linear(70, 33)
    x = rng.normal(size=(19, 70)).astype(np.float32)
    quantized = ndl.quantize(graph, [x])
    targets = ("x86-64", "avx2", *emulation.TARGETS)
    artifact = emulation.compile_to_artifact(quantized, targets)
    here = ndl.Executable(artifact, "avx2", 1)
    expected = here(x)
    for target in emulation.TARGETS:
        there = emulation.EmulatedExecutable(artifact, target)
        check_exact(quantized, [here, there], [x])
        np.testing.assert_array_equal(there(x), expected)
        (kernel,) = kernels_of(there, "needle.qmatmul")
        assert kernel.name.startswith(f"qmatmul_u8s8{FORMS[target]}_f32"), kernel


def test_threads_share_the_work() -> None:
    rng = np.random.default_rng(8)
    graph = make_linear(256, 160)
    data: list[Array] = [rng.normal(size=(300, 256)).astype(np.float32)]
    artifact = emulation.compile_to_artifact(graph)
    for target in emulation.TARGETS:
        one, three = (
            emulation.EmulatedExecutable(artifact, target, threads)(*data)
            for threads in (1, 3)
        )
        np.testing.assert_array_equal(one, three)
