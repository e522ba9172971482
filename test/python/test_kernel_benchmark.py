# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of kernels: rows are valid, wrong results are noticed and shown.

No time is judged here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import needle as ndl
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from kernel_bench import (  # noqa: E402
    contenders,
    limits,
    problems,
    report,
    roofline,
    session,
    weights,
)
from kernel_bench.cases import (  # noqa: E402
    KINDS,
    NEIGHBOURS,
    REAL_LAYERS,
    SHAPES,
    WEIGHTS,
    Case,
    Shape,
    all_cases,
    not_yet,
)
from kernel_bench.contenders import CONTENDERS, LIBRARIES, Setting  # noqa: E402
from kernel_bench.contenders.with_needle import inputs_of, make_graph  # noqa: E402
from kernel_bench.problems import Problem, Verdict, judge  # noqa: E402
from kernel_bench.views import views  # noqa: E402

SMALL = Shape(7, 24, 19)
INTEGER_KINDS = [kind for kind in KINDS if kind != "f32"]
SCHEMA = json.loads((BENCHMARKS / "kernels.schema.json").read_text())


# -- The rows ----------------------------------------------------------------


def test_rows_are_there_once() -> None:
    keys = [case.key for case in all_cases()]
    assert len(keys) == len(set(keys))
    for case in all_cases():
        assert case.kind in KINDS
        assert case.weights in WEIGHTS or case.shape == REAL_LAYERS[case.weights]
        assert case.targets
    assert set(NEIGHBOURS) | set(NEIGHBOURS.values()) <= set(SHAPES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_every_shape_that_it_can_have(kind: str) -> None:
    made_up = {c.shape for c in all_cases() if c.kind == kind and c.weights in WEIGHTS}
    # A batch has no constant weights.
    batches = kind in ("f32", "u8u8-f32")
    assert made_up == {shape for shape in SHAPES if batches or shape.batch == 1}


def test_every_weight_set_is_a_row_of_each_kind_with_weights() -> None:
    for name in [*WEIGHTS, *REAL_LAYERS]:
        kinds = {case.kind for case in all_cases() if case.weights == name}
        assert kinds >= {"u8s8-i32", "dynamic", "static"}


def test_what_is_missing_is_listed() -> None:
    text = "\n".join(not_yet())
    for word in ("3×3 stride 1", "7×7", "depthwise 5×5", "grouped", "transposed"):
        assert word in text
    assert "4-bit weights, blocks of 32 and 128" in text


def test_contenders_are_of_known_libraries() -> None:
    assert set(CONTENDERS) == set(KINDS)
    for names in CONTENDERS.values():
        assert names[0] == "needle"
        assert {contenders.library_of(name) for name in names} <= set(LIBRARIES)


# -- Results -----------------------------------------------------------------


def make_problem(kind: str, name: str = "uniform", shape: Shape = SMALL) -> Problem:
    return problems.make(Case(kind, shape, name), {})


def result_of(contender: str, problem: Problem, folder: Path) -> Any:
    made = contenders.make(contender, problem, Setting(1, folder))
    return made.to_array(made.call())


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_needle_computes_what_the_rules_say(
    kind: str, name: str, tmp_path: Path
) -> None:
    problem = make_problem(kind, name)
    verdict = judge(problem, result_of("needle", problem, tmp_path))
    assert verdict == Verdict("exact" if KINDS[kind].exact else "rounded")


@pytest.mark.parametrize("kind", ["f32", "u8u8-f32"])
def test_needle_computes_batches(kind: str, tmp_path: Path) -> None:
    problem = make_problem(kind, shape=Shape(5, 6, 7, batch=3))
    assert problem.lhs.shape == (3, 5, 6)
    verdict = judge(problem, result_of("needle", problem, tmp_path))
    assert verdict.status != "inexact"


@pytest.mark.parametrize("kind", ["u8s8-i32", "dynamic", "static"])
def test_the_rules_are_those_of_the_reference_interpreter(kind: str) -> None:
    problem = make_problem(kind, "gaussian")
    reference = ndl.reference(make_graph(problem), inputs_of(problem))
    np.testing.assert_array_equal(problems.expected(problem), reference)


@pytest.mark.parametrize("kind", INTEGER_KINDS)
def test_activations_quantize_exactly(kind: str) -> None:
    problem = make_problem(kind)
    assert (problem.lhs.min(), problem.lhs.max()) == (0, 255)
    low, high = float(problem.floats.min()), float(problem.floats.max())
    scale = (np.float32(high) - np.float32(low)) / np.float32(255)
    assert scale == problems.SCALE
    assert np.rint(-low / scale) == problems.ZERO_POINT
    np.testing.assert_array_equal(
        problem.floats / scale, problem.lhs.astype(np.float32) - problems.ZERO_POINT
    )


def saturating(problem: Problem) -> Any:
    """What vpmaddubsw computes: sums of two products stop at the ends of 16 bits."""
    a, b = problem.lhs.astype(np.int64), problem.rhs.astype(np.int64)
    pairs = a[:, 0::2, None] * b[None, 0::2] + a[:, 1::2, None] * b[None, 1::2]
    sums = np.clip(pairs, -(2**15), 2**15 - 1).sum(axis=1)
    return sums - problems.ZERO_POINT * b.sum(axis=0)


def test_saturation_is_noticed_and_only_where_it_happens() -> None:
    wide, narrow = make_problem("u8s8-i32"), make_problem("u8s8-i32", "uniform-7")
    assert judge(wide, saturating(wide).astype(np.int32)).status == "inexact"
    assert judge(narrow, saturating(narrow).astype(np.int32)) == Verdict("exact")


@pytest.mark.parametrize("kind", ["dynamic", "u8u8-f32", "static"])
def test_one_step_of_one_sum_is_noticed(kind: str) -> None:
    problem = make_problem(kind)
    right = problems.expected(problem)
    assert judge(problem, right) == Verdict("exact")
    wrong = right.copy()
    if kind == "static":
        # One that rounding does not decide.
        wrong.flat[int(np.argmax((right > 10) & (right < 240)))] += 2
    else:
        unit = problems.SCALE * np.float32(problem.scales.flat[-1])
        wrong.flat[-1] += unit
    assert judge(problem, wrong).status == "inexact"


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_shapes_and_nan_are_noticed(kind: str) -> None:
    problem = make_problem(kind)
    right = problems.expected(problem)
    assert "shape" in judge(problem, right[..., None]).detail
    wrong = right.astype(np.float64)
    wrong.flat[0] = np.nan
    assert judge(problem, wrong).status == "inexact"


def test_other_roundings_are_told_apart_from_equal_bits() -> None:
    problem = make_problem("dynamic")
    right = problems.expected(problem)
    rounded = np.nextafter(right, np.float32(np.inf), dtype=np.float32)
    assert judge(problem, rounded) == Verdict("rounded")


# Weights of 7 bits do not saturate, whatever instructions there are.
@pytest.mark.parametrize(
    ("contender", "kind"),
    [
        ("numpy", "f32"),
        ("onnxruntime", "f32"),
        ("onnxruntime u8s8", "u8s8-i32"),
        ("onnxruntime u8u8", "u8s8-i32"),
        ("onnxruntime", "u8u8-f32"),
        ("onnxruntime", "dynamic"),
        ("onnxruntime", "static"),
    ],
)
def test_peers_compute_the_same(contender: str, kind: str, tmp_path: Path) -> None:
    problem = make_problem(kind, "uniform-7")
    verdict = judge(problem, result_of(contender, problem, tmp_path))
    assert verdict.status != "inexact", verdict


# -- Weights -----------------------------------------------------------------


@pytest.mark.parametrize("name", WEIGHTS)
def test_weight_sets_use_the_bits_they_are_named_for(name: str) -> None:
    stored, scales = weights.draw(name, Shape(1, 300, 40), np.random.default_rng(1))
    most = 63 if name.endswith("-7") else 127
    assert np.abs(stored.astype(int)).max() == most
    assert stored.shape == (300, 40)
    assert scales.shape == (40,)
    if name.startswith("gaussian"):
        # Each channel reaches the end.
        assert (np.abs(stored.astype(int)).max(axis=0) == most).all()


def test_a_column_of_zeros_stays_one() -> None:
    stored, scales = weights.quantize_symmetric(np.zeros((3, 2), np.float32), 127)
    assert not stored.any()
    assert (scales == 1).all()


def test_safetensors_are_read(tmp_path: Path) -> None:
    values = np.arange(6, dtype="<f4").reshape(2, 3)
    header = json.dumps(
        {
            "first": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "second": {"dtype": "F32", "shape": [2, 3], "data_offsets": [4, 28]},
            "half": {"dtype": "F16", "shape": [2], "data_offsets": [28, 32]},
        }
    ).encode()
    path = tmp_path / "model.safetensors"
    data = bytes(4) + values.tobytes() + bytes(4)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    np.testing.assert_array_equal(weights.read_safetensor(path, "second"), values)
    with pytest.raises(ValueError, match="half is F16, not F32"):
        weights.read_safetensor(path, "half")


def test_a_network_that_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "MINILM_PACKAGE", "no_such_package")
    missing = session.write_weights({"uniform", "minilm-query"}, tmp_path, tmp_path)
    assert missing == {"minilm-query": "no-such-package is not installed"}


# -- The limits --------------------------------------------------------------


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return limits.build(tmp_path_factory.mktemp("limits"))


def test_limits_are_measured(program: Path) -> None:
    kinds = [*limits.ARITHMETIC, limits.read_kind(5000)]
    assert kinds[-1] == "read:8192"
    found = limits.measure(program, kinds, 0.001, session.usable_cpus(1))
    assert list(found) == kinds
    assert min(found.values()) > 0


@pytest.mark.parametrize("what", ["u8", "read:", "read:0", "read:-1", "read:1x"])
def test_unknown_limits_are_refused(program: Path, what: str) -> None:
    done = subprocess.run(
        [program, "0.001", what], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"cannot measure '{what}'" in done.stderr


def test_more_threads_than_cpus_are_refused() -> None:
    with pytest.raises(ValueError, match="threads are to be pinned"):
        session.usable_cpus(10**6)


# -- Sessions ----------------------------------------------------------------


def test_a_wrong_result_of_needle_ends_the_run() -> None:
    case = Case("u8s8-i32", SMALL)
    right = {"verdict": "exact", "detail": ""}
    wrong = {"verdict": "inexact", "detail": "3 elements"}
    session.refuse_wrong_results(case, {"needle": right, "torch s8s8": wrong})
    with pytest.raises(session.WrongResultError, match="needle is inexact: 3 elem"):
        session.refuse_wrong_results(case, {"needle": wrong})
    with pytest.raises(session.WrongResultError, match="needle is rounded"):
        session.refuse_wrong_results(case, {"needle": right | {"verdict": "rounded"}})
    with pytest.raises(session.WrongResultError, match="no kernel"):
        session.refuse_wrong_results(case, {"needle": {"failed": "no kernel"}})


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[session.Crew]:
    settings = session.Settings(cpus=session.usable_cpus(1))
    made = session.Crew(settings, tmp_path, lambda library: {"PATH": ""})
    yield made
    made.stop()


def fake_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    script = folder / "worker.py"
    script.write_text(f"import os, sys, time\n{body}\n")
    monkeypatch.setattr(session, "PROGRAM", script)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os._exit(3)", "ended with status 3"),
        ('print(\'{"version": "1"}\', flush=True); os.abort()', "status -6"),
        ('print(\'{"version": "1"}\', flush=True); time.sleep(60)', "no answer in 0.5"),
    ],
)
def test_a_peer_that_crashes_or_hangs_is_reported(
    crew: session.Crew,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    body: str,
    message: str,
) -> None:
    fake_worker(monkeypatch, tmp_path, body)
    monkeypatch.setattr(session, "PATIENCE", 0.5)
    case = Case("u8u8-f32", SHAPES[0])
    found = crew.prepare(case)
    assert set(found) == set(CONTENDERS["u8u8-f32"])
    assert message in found["onnxruntime"]["failed"]
    # A timing that comes too late is a failure, too.
    assert "failed" in crew.run("onnxruntime", 0.01)


def test_a_missing_peer_is_remembered(
    crew: session.Crew, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_worker(monkeypatch, tmp_path, 'print(\'{"missing": "not there"}\')')
    assert crew.prepare(Case("f32", SHAPES[0])) == {}
    assert crew.missing["torch"] == "not there"


def test_a_failure_at_last_keeps_earlier_times() -> None:
    entry: dict[str, Any] = {}
    for reply in ({"seconds": 1.0}, {"seconds": 2.0}, {"failed": "late"}):
        session.keep_least(entry, reply)
    assert entry == {"seconds": 1.0}
    first: dict[str, Any] = {}
    session.keep_least(first, {"failed": "at once"})
    assert first == {"failed": "at once"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCHMARKS / "kernels.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_run(tmp_path: Path) -> None:
    done = run(
        "--quick",
        "--seconds=0.001",
        "--only=u8s8-i32 100×50×80 uniform ,static 100×50×80 uniform ",
        f"--json={tmp_path / 'out.json'}",
        f"--plot={tmp_path / 'out.png'}",
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out.json").read_text())
    jsonschema.validate(results, SCHEMA)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert [row["kind"] for row in results["rows"]] == ["u8s8-i32", "static"]
    for row in results["rows"]:
        ours = row["contenders"]["needle"]
        assert ours["verdict"] == "exact"
        assert any("qmatmul_u8s8" in name for name in ours["kernels"])
        assert all("avx2" in name for name in ours["kernels"])
    assert "u8×s8 + bias, relu → u8" in done.stdout
    assert "not yet in needle:\n  conv 3×3" in done.stdout
    for library in results["missing"]:
        assert f"{library} is missing" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "at least 1"),
        (["--seconds", "0"], "positive"),
        (["--only", "no such row"], "no row contains 'no such row'"),
        (["--json", "/no/such/folder/x.json"], "no such folder"),
    ],
)
def test_wrong_options(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_script_explains_itself_without_a_build() -> None:
    script = ROOT / "scripts" / "bench"
    shown = subprocess.run([script, "--help"], capture_output=True, text=True)
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: scripts/bench")
    listed = subprocess.run([script, "--list"], capture_output=True, text=True)
    assert listed.stdout.splitlines() == [case.key for case in all_cases()]
    wrong = subprocess.run([script, "--nothing"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "usage: scripts/bench" in wrong.stderr


# -- Reports -----------------------------------------------------------------


def entry(seconds: float, verdict: str = "exact", **more: Any) -> dict[str, Any]:
    detail = "5 of 9 elements are wrong" if verdict == "inexact" else ""
    return {
        "seconds": seconds,
        "verdict": verdict,
        "detail": detail,
        "kernels": [],
    } | more


def results_with(case: Case, **found: dict[str, Any]) -> dict[str, Any]:
    """Results of one row on a machine of 100 GMAC/s; contenders by library."""
    row = session.Row(case, {name.replace("_", " "): e for name, e in found.items()})
    ceilings = dict.fromkeys(limits.ARITHMETIC, 100.0)
    ceilings[limits.read_kind(case.footprint)] = 1000.0
    names = {contenders.library_of(name) for name in row.contenders}
    done = session.Session(
        session.Settings(cpus=(0,)),
        dict.fromkeys(sorted(names), "1"),
        {"iree": "No module named 'iree'"},
        [row],
        ceilings,
        (0.0, 0.0),
    )
    results = report.results_of(done, limited=True)
    jsonschema.validate(results, SCHEMA)
    return results


LARGE = Case("u8s8-i32", Shape(1024, 1024, 1024))
#: At 100 GMAC/s.
LEAST = LARGE.shape.macs / 100e9


def test_a_wrong_peer_is_marked_and_not_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = results_with(
        LARGE,
        needle=entry(LEAST / 0.95),
        torch_s8s8=entry(LEAST / 0.99, "inexact"),
        iree_s8s8=entry(LEAST / 0.5),
    )
    (view,) = views(results).values()
    assert view.best_peer == "iree s8s8"
    report.print_table(results)
    printed = capsys.readouterr().out
    assert "torch s8s8 99.0≠" in printed
    assert "≠ torch s8s8: u8s8-i32 1024×1024×1024 uniform: 5 of 9 elements" in printed
    assert "iree is missing: No module named 'iree'" in printed
    assert "MISSED" not in printed


def test_missed_targets_are_shown() -> None:
    results = results_with(
        LARGE, needle=entry(LEAST / 0.8), torch_s8s8=entry(LEAST / 0.9)
    )
    page = report.markdown(results)
    assert "🔴 must ≥ 1× the best exact peer, is 0.889× torch s8s8" in page
    assert "must ≥ 93% of the limit, is 80.0%" in page


def test_peers_beyond_avx2_are_not_compared() -> None:
    def seen(rate: float) -> tuple[str | None, str]:
        found = {"onnxruntime_u8s8": entry(LEAST / rate)}
        results = results_with(LARGE, needle=entry(LEAST / 0.95), **found)
        (view,) = views(results).values()
        return view.best_peer, report.markdown(results)

    best, page = seen(2.0)
    assert best is None
    assert "onnxruntime u8s8 200.0‡" in page
    best, page = seen(0.9)
    assert best == "onnxruntime u8s8"
    assert "onnxruntime u8s8 90.0†" in page
    # What it shows in one row holds for the others of the kind.
    slow, fast = (
        results_with(LARGE, needle=entry(1.0), onnxruntime_u8s8=entry(LEAST / rate))
        for rate in (0.9, 2.0)
    )
    slow["rows"] += fast["rows"]
    assert all(view.best_peer is None for view in views(slow).values())


def test_openvino_is_not_limited_where_it_runs_unlimited_kernels() -> None:
    case = Case("f32", LARGE.shape)
    results = results_with(
        case,
        needle=entry(LEAST, "rounded"),
        openvino=entry(LEAST, "rounded", kernels=["gemm_mlas_f32"]),
        torch=entry(LEAST, "rounded"),
    )
    (view,) = views(results).values()
    assert not view.is_limited("openvino")
    assert view.is_limited("torch")


def test_the_limit_of_little_work_is_reading() -> None:
    case = Case("f32", Shape(1, 1024, 1024))
    results = results_with(case, needle=entry(1e-4, "rounded"))
    (view,) = views(results).values()
    assert view.ceiling == pytest.approx(100.0)
    results["limits"][limits.read_kind(case.footprint)] = 40.0
    assert view.ceiling == pytest.approx(40 * view.intensity)
    assert view.intensity == pytest.approx(0.25, rel=0.01)


def test_an_odd_shape_is_compared_with_the_even_one() -> None:
    odd, even = next(iter(NEIGHBOURS.items()))
    results = results_with(Case("f32", odd), needle=entry(1.0, "rounded"))
    assert "the even shape" not in report.markdown(results)
    other = results_with(Case("f32", even), needle=entry(0.5, "rounded"))
    results["rows"] += other["rows"]
    results["limits"] |= other["limits"]
    assert "must ≥ 85% of the even shape, is 49." in report.markdown(results)


def test_a_row_that_was_not_measured_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = results_with(LARGE, needle=entry(1.0))
    results["rows"][0] |= {"contenders": {}, "not measured": "a package is missing"}
    report.print_table(results)
    assert "not measured: a package is missing" in capsys.readouterr().out
    assert "not measured: a package is missing" in report.markdown(results)


def test_the_page_shows_the_figures_that_are_kept() -> None:
    kept = json.loads((BENCHMARKS / "kernels.json").read_text(encoding="utf-8"))
    jsonschema.validate(kept, SCHEMA)
    page = (ROOT / "docs" / "Benchmarks.md").read_text(encoding="utf-8")
    assert report.page_with(kept, page) == page


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.page_with(results_with(LARGE, needle=entry(1.0)), "nothing")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_rooflines_are_drawn(tmp_path: Path, suffix: str) -> None:
    results = results_with(
        LARGE, needle=entry(LEAST / 0.9), onnxruntime_u8u8=entry(LEAST / 0.7)
    )
    path = tmp_path / f"roofline.{suffix}"
    roofline.draw(results, path)
    if suffix == "svg":
        text = path.read_text(encoding="utf-8")
        assert "vpmaddwd, exact" in text
        assert "onnxruntime" in text
    else:
        assert path.read_bytes().startswith(b"\x89PNG")
