# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The program that trains on real digits learns them, eagerly and compiled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "train_digits.py"
LAYERS = (784, 256, 128, 10)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "python")} | variables
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def report(*arguments: str, **variables: str) -> dict[str, Any]:
    done = run("--json", *arguments, **variables)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("mode", ["eager", "jit"])
def test_learns_digits_and_keeps_them_in_8_bits(mode: str) -> None:
    found = report(*(["--jit"] if mode == "jit" else []))
    assert found["mode"] == mode
    assert found["top1"] >= 0.93
    assert found["quantized_top1"] >= 0.93
    assert found["losses"][-1] < 0.05 < found["losses"][0]
    # What is measured holds the parameters and what rounding to blocks adds.
    weights = sum(a * b for a, b in pairwise(LAYERS))
    biases = sum(LAYERS[1:])
    for key, least in (
        ("weight_bytes", 4 * (weights + biases)),
        ("quantized_weight_bytes", weights + 4 * biases),
    ):
        assert least <= found[key] <= 1.25 * least
    assert 3.7 < found["weight_bytes"] / found["quantized_weight_bytes"] <= 4


def test_same_seed_gives_the_same_network() -> None:
    one, two = (
        report("--epochs", "1", "--seed", "7", NEEDLE_NUM_THREADS=threads)
        for threads in ("1", "2")
    )
    other = report("--epochs", "1", "--seed", "8")
    for found in (one, two, other):
        del found["train_seconds"]
    assert one == two
    assert one["losses"] != other["losses"]


def test_shows_a_table() -> None:
    done = run("--epochs", "1")
    assert done.returncode == 0, done.stderr
    for word in ("1 epochs (eager)", "float32", "uint8 weights", "bytes"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epochs", "0"), "--epochs is at least 1"),
        (("--batch", "-1"), "--batch is at least 1"),
        (("--lr", "nan"), "--lr is a positive number"),
        (("--seed", "-1"), "--seed is from 0"),
    ],
)
def test_wrong_options(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_batch_that_no_digits_fill() -> None:
    done = run("--batch", "5000")
    assert done.returncode == 1
    assert "error: --batch 5000 is more than the 4000 digits" in done.stderr


def test_a_loss_that_is_no_number() -> None:
    done = run("--lr", "1e30", "--json")
    assert done.returncode == 1
    assert "error: the loss is" in done.stderr
    assert "try a smaller --lr than 1e+30" in done.stderr
    assert done.stdout == ""


def test_on_arrays_of_numpy() -> None:
    done = run("--epochs", "1", NEEDLE_BACKEND="np")
    assert done.returncode == 0, done.stderr
    assert "unknown" in done.stdout


def test_names_a_package_that_is_missing() -> None:
    code = (
        "import runpy, sys; sys.modules['rich.console'] = None; "
        f"sys.path.insert(0, {str(PROGRAM.parent)!r}); "
        f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs rich.console, which is not installed" in done.stderr
    assert "Traceback" not in done.stderr
