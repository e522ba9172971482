# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of kernels: its rows, its limits, and how it is run.

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
import pytest
from kernel_benchmark import (
    BENCHMARKS,
    ROOT,
    SCHEMA,
    SMALL,
    contenders,
    limits,
    session,
)

# isort: split
from kernel_bench import crew as crew_of
from kernel_bench import figures
from kernel_bench.cases import (
    BLOCKWISE,
    CONVOLUTIONS,
    CONVOLVED,
    FOUR_BIT_WEIGHTS,
    FOUR_BITS,
    KINDS,
    NEIGHBOURS,
    PRODUCTS,
    REAL_LAYERS,
    SHAPES,
    WEIGHTS,
    Case,
    all_cases,
)
from kernel_bench.contenders import CONTENDERS, LIBRARIES, Setting
from kernel_bench.worker import brief

# -- The rows ----------------------------------------------------------------


def test_rows_are_there_once_kind_by_kind() -> None:
    cases = all_cases()
    keys = [case.key for case in cases]
    assert len(keys) == len(set(keys))
    assert list(dict.fromkeys(case.kind for case in cases)) == list(KINDS)
    for case in cases:
        made_up = case.weights in (*WEIGHTS, FOUR_BIT_WEIGHTS)
        assert made_up or case.shape == REAL_LAYERS[case.weights]
        assert case.targets
    assert set(NEIGHBOURS) | set(NEIGHBOURS.values()) <= set(SHAPES)


@pytest.mark.parametrize("kind", PRODUCTS)
def test_every_kind_has_every_shape_that_it_can_have(kind: str) -> None:
    made_up = {c.shape for c in all_cases() if c.kind == kind and c.weights in WEIGHTS}
    # A batch has no constant weights.
    batches = kind in ("f32", "u8u8-f32")
    assert made_up == {shape for shape in SHAPES if batches or shape.batch == 1}


def test_every_weight_set_is_a_row_of_each_kind_with_weights() -> None:
    for name in [*WEIGHTS, *REAL_LAYERS]:
        kinds = {case.kind for case in all_cases() if case.weights == name}
        assert kinds >= {"u8s8-i32", "dynamic", "static"}


@pytest.mark.parametrize("kind", [*CONVOLUTIONS, *FOUR_BITS])
def test_convolutions_and_4_bits_have_every_shape(kind: str) -> None:
    shapes = [case.shape for case in all_cases() if case.kind == kind]
    assert shapes == list(CONVOLVED if kind in CONVOLUTIONS else BLOCKWISE)


def test_shapes_know_their_size() -> None:
    by_name = {str(shape): shape for shape in (*CONVOLVED, *BLOCKWISE)}
    strided = by_name["7×7/2 3→64 at 224²"]
    assert strided.dest_shape == (1, 112, 112, 64)
    assert strided.macs == 112 * 112 * 64 * 7 * 7 * 3
    depthwise = by_name["depthwise 5×5 512 at 14²"]
    assert depthwise.rhs_shape == (5, 5, 1, 512)
    assert depthwise.macs == 14 * 14 * 512 * 25
    transposed = by_name["transposed 2×2/2 64→64 at 28²"]
    assert transposed.dest_shape == (1, 56, 56, 64)
    # Each pixel of the image meets each weight once.
    assert transposed.macs == 28 * 28 * 64 * 64 * 4
    blocks = by_name["1×1024×1024 block 32 asymmetric"]
    parameters = 32 * 1024 * 4.5
    assert blocks.footprint((4, 0.5, 4)) == 8 * 1024 + 1024 * 512 + parameters


def test_a_first_look_has_every_shape_once() -> None:
    basic = [case for case in all_cases() if case.is_basic]
    names = [(case.kind, str(case.shape).partition(" block")[0]) for case in basic]
    assert len(names) == len(set(names))
    assert set(names) == {
        (case.kind, str(case.shape).partition(" block")[0])
        for case in all_cases()
        if case.weights not in REAL_LAYERS
    }


def test_contenders_are_of_known_libraries() -> None:
    assert set(CONTENDERS) == set(KINDS)
    for names in CONTENDERS.values():
        assert names[0] == "needle"
        assert {contenders.library_of(name) for name in names} <= set(LIBRARIES)


# -- The limits --------------------------------------------------------------


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return limits.build(tmp_path_factory.mktemp("limits"))


def test_limits_are_measured(program: Path) -> None:
    kinds = [*limits.ARITHMETIC, *limits.BEYOND_AVX2, limits.read_kind(5000)]
    assert kinds[-1] == "read:8192"
    found = limits.measure(program, kinds, 0.001, crew_of.usable_cpus(1))
    # A CPU may lack instructions beyond AVX2.
    assert [kind for kind in kinds if kind in found] == list(found)
    assert {*limits.ARITHMETIC, kinds[-1]} <= set(found)
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
        crew_of.usable_cpus(10**6)


# -- Sessions ----------------------------------------------------------------


def test_wrong_results_of_needle_are_defects() -> None:
    case = Case("u8s8-i32", SMALL)
    right = {"verdict": "exact", "detail": ""}
    wrong = {"verdict": "inexact", "detail": "3 elements"}
    rounded = right | {"verdict": "rounded"}
    assert not session.defect_of(case, {"needle": right, "torch s8s8": wrong})
    assert "needle is inexact: 3 elem" in session.defect_of(case, {"needle": wrong})
    assert "needle is rounded" in session.defect_of(case, {"needle": rounded})
    failed = session.defect_of(case, {"needle": {"failed": "no kernel"}})
    assert failed == "needle failed: no kernel"
    assert not session.defect_of(Case("f32", SMALL), {"needle": rounded})
    for shape in CONVOLVED:
        found = session.defect_of(Case("conv-static", shape), {"needle": rounded})
        assert bool(found) != shape.transposed


def test_a_defect_ends_with_status_1_after_all_other_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import kernels

    def prepare(crew: Any, case: Case, judged: Any) -> dict[str, dict[str, Any]]:
        del crew, judged
        fails = case.kind == "static"
        return {"needle": {"failed": "no kernel"} if fails else done}

    done = {"verdict": "exact", "detail": "", "kernels": []}
    monkeypatch.setattr(crew_of.Crew, "prepare", prepare)
    monkeypatch.setattr(crew_of.Crew, "run", lambda *_: {"seconds": 1.0})
    options = ["--quick", "--only=100×50×80 uniform ", "--only=static,u8s8-i32"]
    monkeypatch.setattr(sys, "argv", ["kernels.py", *options])
    assert kernels.main() == 1
    shown = capsys.readouterr()
    key = "static 100×50×80 uniform"
    assert f"error: {key}: needle failed: no kernel" in shown.err
    assert "needle failed: no kernel" in shown.out
    assert "\nu8×s8 → i32" in shown.out


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[crew_of.Crew]:
    settings = crew_of.Settings(cpus=crew_of.usable_cpus(1))
    made = crew_of.Crew(settings, tmp_path, lambda library: {"PATH": ""})
    yield made
    made.stop()


def fake_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    script = folder / "worker.py"
    script.write_text(f"import os, sys, time\n{body}\n")
    monkeypatch.setattr(crew_of, "PROGRAM", script)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os._exit(3)", "ended with status 3"),
        ('print(\'{"version": "1"}\', flush=True); os.abort()', "status -6"),
        ('print(\'{"version": "1"}\', flush=True); time.sleep(60)', "no answer in 0.5"),
    ],
)
def test_a_peer_that_crashes_or_hangs_is_reported(
    crew: crew_of.Crew,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    body: str,
    message: str,
) -> None:
    fake_worker(monkeypatch, tmp_path, body)
    monkeypatch.setattr(crew_of, "PATIENCE", 0.5)
    case = Case("u8u8-f32", SHAPES[0])
    found = crew.prepare(case)
    assert set(found) == set(CONTENDERS["u8u8-f32"])
    assert message in found["onnxruntime"]["failed"]
    # A timing that comes too late is a failure, too.
    assert "failed" in crew.run("onnxruntime", 0.01)


def test_a_missing_peer_is_remembered(
    crew: crew_of.Crew, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_worker(monkeypatch, tmp_path, 'print(\'{"missing": "not there"}\')')
    assert crew.prepare(Case("f32", SHAPES[0])) == {}
    assert crew.missing["torch"] == "not there"


def test_a_verdict_is_kept_from_the_process_that_gave_it() -> None:
    entry: dict[str, Any] = {}
    for reply in (
        {"failed": "at first"},
        {"verdict": "exact", "detail": ""},
        {},  # judged already
        {"failed": "at last"},
    ):
        session.keep_reply(entry, reply)
    assert entry == {"verdict": "exact", "detail": ""}


def test_a_failure_at_last_keeps_earlier_times() -> None:
    entry: dict[str, Any] = {}
    for reply in ({"seconds": 1.0}, {"seconds": 2.0}, {"failed": "late"}):
        session.keep_least(entry, reply)
    assert entry == {"seconds": 1.0}
    first: dict[str, Any] = {}
    session.keep_least(first, {"failed": "at once"})
    assert first == {"failed": "at once"}


def test_what_went_wrong_is_one_line() -> None:
    text = brief(RuntimeError("first\n  second"))
    assert text == "RuntimeError: first second"
    assert len(brief(RuntimeError("long " * 200))) < 300


# -- Figures -----------------------------------------------------------------


def test_figures_are_there_once() -> None:
    names = [figure.name for figure in figures.FIGURES]
    assert len(names) == len(set(names))
    assert set(figures.PARALLEL) <= set(figures.GROUPS)


def test_the_better_of_two_values_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    least, most = (
        next(f for f in figures.FIGURES if f.more_is_better == more)
        for more in (False, True)
    )
    into: dict[str, Any] = {}
    for value in (2, 1, 3):
        found = {name: {"value": value} for name in (least.name, most.name)}
        body = f"print({json.dumps(json.dumps(found))})"
        fake_worker(monkeypatch, tmp_path, body)
        settings = crew_of.Settings(cpus=crew_of.usable_cpus(1))
        session.measure_figures("calls", settings, tmp_path, lambda _: {}, into)
    assert into == {least.name: {"value": 1}, most.name: {"value": 3}}


def test_a_figure_that_cannot_be_measured_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_worker(monkeypatch, tmp_path, "sys.exit(3)")
    into: dict[str, Any] = {}
    settings = crew_of.Settings(cpus=crew_of.usable_cpus(1))
    session.measure_figures("compilation", settings, tmp_path, lambda _: {}, into)
    assert list(into) == figures.names_of("compilation")
    assert all("status 3" in found["failed"] for found in into.values())


def test_layers_are_compiled_and_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # It fails where the second process does not find what the first one compiled.
    found = figures.measure("compilation", Setting(1, tmp_path))
    assert list(found) == figures.names_of("compilation")
    monkeypatch.setenv("NEEDLE_CACHE", "0")
    ((_, stages),) = figures.compile_layers("avx2", 1)
    assert any(stage.startswith("optimize") for stage in stages)


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
    assert "call of a compiled layer" not in done.stdout
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


def test_a_first_look_is_at_basic_rows() -> None:
    basic = [case.key for case in all_cases() if case.is_basic]
    for option in ("--quick", "--basic"):
        listed = run("--list", option).stdout.splitlines()
        assert listed == basic


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
