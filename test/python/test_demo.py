# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The demonstration on real digits does what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import needle as ndl
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples" / "digits_mlp.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "python")}
    return subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_demo(tmp_path: Path) -> None:
    done = run("--json", "--out", str(tmp_path), "--threads", "2")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert len(report["checks"]) == 5
    assert all(check["holds"] for check in report["checks"])
    rows = {row["model"]: row for row in report["rows"]}
    assert rows["needle float32"]["top1"] > 0.92
    assert abs(rows["needle int8"]["top1"] - rows["needle float32"]["top1"]) <= 0.005
    sizes = [rows[f"needle {kind}"]["weight_bytes"] for kind in ("float32", "int8")]
    assert 3.5 < sizes[0] / sizes[1] < 4.1
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    loaded = ndl.load(tmp_path / "digits-int8.ndl")
    assert loaded(np.zeros((3, 784), np.float32)).shape == (3, 10)
    assert set(report["compile_seconds"]) == {"float32", "int8"}


def test_a_claim_that_does_not_hold_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from digits.report import Check, Report

    good = Check("good", True, "")
    report = Report([], [good], {}, {}, 1, "avx2", [], 0)
    assert report.ok
    report.checks.append(Check("bad", False, ""))
    assert not report.ok


def test_wrong_options() -> None:
    done = run("--threads", "0")
    assert done.returncode == 2
    assert "--threads is at least 1" in done.stderr
    assert "usage" in run("--help").stdout
