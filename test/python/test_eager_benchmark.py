# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of eager needle: results are right, missed targets stay visible.

No time is measured here.
"""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import eager  # noqa: E402
from eager_bench import checks, report, training  # noqa: E402
from eager_bench.cases import Case, Target, all_cases  # noqa: E402
from eager_bench.measure import (  # noqa: E402
    WrongResultError,
    measure_case,
    namespace,
    operands_of,
    result_of,
    take_turns,
)

CASES = all_cases()
IMPORTANT = {
    "call: a + b, 1 element",
    "elementwise: exp(a), large",
    "strided copy: transpose, medium",
    "reduction: sum axis 0, large",
    "@ float32: 100×50×80",
    "@ uint8: 512×512×512",
    "@ float32: 1×1024×1024",
    "@ float32: batched 12×128×64×128",
}


def test_rows_are_there_once() -> None:
    keys = [case.key for case in CASES]
    assert len(keys) == len(set(keys))
    assert set(keys) >= IMPORTANT
    first = [case.key for case in CASES if case.first_call]
    assert len(first) == 4


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_needle_computes_what_the_row_says(case: Case) -> None:
    values = operands_of(case)
    result = result_of(case, "needle", namespace(case, "needle", values))
    assert case.check(values, result) is None


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.key in IMPORTANT], ids=lambda case: case.key
)
def test_a_wrong_result_is_noticed(case: Case) -> None:
    values = operands_of(case)
    result = result_of(case, "needle", namespace(case, "needle", values)).copy()
    wrong = result.copy()
    wrong.flat[-1] += 0.01 * max(1, np.abs(result).max())
    assert case.check(values, wrong)
    wrong.flat[-1] = np.nan
    assert case.check(values, wrong)
    assert "shape" in str(case.check(values, result[..., None]))


def test_a_wrong_result_ends_the_measurement() -> None:
    code = {"needle": "a + b + 1.0"}
    case = Case("made", "up", code, CASES[0].operands, checks.Exact("a + b"))
    with pytest.raises(WrongResultError, match="made: up: needle: 1 of 1 elements"):
        measure_case(case, {"needle"}, 0.0)


def test_contenders_take_turns_and_the_least_time_counts() -> None:
    calls: list[str] = []
    times = {"one": iter([1.0, 3.0, 2.0, 9, 9, 9, 9]), "two": iter([4.0] * 7)}

    def timer(name: str) -> Any:
        def run(number: int) -> float:
            assert number == 1
            calls.append(name)
            return next(times[name])

        return run

    best = take_turns({name: timer(name) for name in times}, 0.0)
    # The first call of each only finds how many make a batch.
    assert best == {"one": 2.0, "two": 4.0}
    assert calls[2:] == ["one", "two"] * 5


def test_all_contenders_train_alike() -> None:
    problem = training.make_problem()
    losses = {}
    for jitted in (False, True):
        _, with_loss = training.needle_step(problem, jitted)
        losses[jitted] = [with_loss() for _ in range(training.STEPS)]
    assert losses[False][-1] < losses[False][0]
    np.testing.assert_allclose(
        losses[True], losses[False], rtol=training.TOLERANCE, atol=0
    )


def test_training_keeps_no_memory() -> None:
    held = training.measure_memory(steps=3)
    assert held["after 3 steps"] == held["after 6 steps"] > held["of parameters"]
    assert held["after all is dropped"] == held["before"]


def results(**seconds: float) -> dict[str, Any]:
    """Results with one judged row."""
    return {
        "seconds": {"elementwise: a + b, medium": seconds},
        "first_call_seconds": {},
        "training_seconds": {},
        "import_seconds": {},
        "absent": {},
        "memory_bytes": {},
        "facts": {"isa": "avx2", "extension bytes": 1},
        "libraries": {"needle": "0", "numpy": "2"},
        "limits_gmacs": {},
        "machine": {
            "cpu": "a CPU",
            "python": "3",
            "threads": 1,
            "processes": 1,
            "load before and after": [0.0, 0.0],
            "date": "today",
        },
    }


def test_a_missed_target_is_marked_and_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = results(needle=2e-6, numpy=1e-6, **{"numpy avx2": 3e-6})
    monkeypatch.setattr(report, "REASONS", {"elementwise: a + b": "known"})
    page = report.markdown(found)
    assert "0 of 1 targets are met; the 1 missed ones are marked 🔴" in page
    assert "🔴 0.50× (≥ 1× numpy), 1.50× at AVX2" in page
    assert "- 🔴 `a + b, medium`: known." in page
    report.print_table(found)
    printed = capsys.readouterr().out
    assert "MISSED 0.50× (≥ 1× numpy)" in printed
    assert "torch is not installed: its times are missing" in printed

    monkeypatch.setattr(report, "REASONS", {})
    assert "not explained yet" in report.markdown(results(needle=2e-6, numpy=1e-6))


def test_a_met_target_and_one_without_its_peer() -> None:
    met = report.markdown(results(needle=1e-6, numpy=2e-6))
    assert "1 of 1 targets are met." in met
    assert "🔴" not in met
    assert "(≥ 1× numpy: not measured)" in report.markdown(results(needle=1e-6))


def test_a_limit_of_time() -> None:
    row = report.Row("call", "f", {"needle": 6e-6}, Target(seconds=5e-6))
    assert row.met is False
    assert report.Row("call", "f", {"needle": 4e-6}, row.target).met


def test_the_page_shows_the_figures_that_are_kept() -> None:
    kept = json.loads((BENCHMARKS / "eager.json").read_text(encoding="utf-8"))
    page = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert report.readme_with(kept, page) == page
    picture = (BENCHMARKS / "eager.svg").read_text(encoding="utf-8")
    for row in report.rows_of(kept):
        if row.ratio is not None:
            assert html.escape(f"{row.group}: {row.name}") in picture


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.readme_with(results(needle=1e-6), "nothing")


def test_plot_is_drawn(tmp_path: Path) -> None:
    report.draw(results(needle=1e-6, numpy=2e-6), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_limit_to_avx2_names_what_numpy_has() -> None:
    assert all(
        "AVX512" in name or name == "X86_V4"
        for name in eager.numpy_beyond_avx2().split()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "at least 1"),
        (["--readme", "--only", "x"], "leave --only out"),
        (["--only", "no such row"], "no row contains 'no such row'"),
    ],
)
def test_wrong_options(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "eager.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr
