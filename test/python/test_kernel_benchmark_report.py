# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of kernels: what is compared, and how it is shown."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from kernel_benchmark import (
    BENCHMARKS,
    ROOT,
    SCHEMA,
    entry,
    limits,
    results_with,
)

# isort: split
from kernel_bench import crew as crew_of
from kernel_bench import report, roofline
from kernel_bench.cases import CONVOLUTION_WEIGHTS, NEIGHBOURS, SEVEN_BITS, Case
from kernel_bench.figures import FIGURES
from kernel_bench.page import markdown, page_with, read_kept, run_page, summary
from kernel_bench.results import run_name
from kernel_bench.shapes import Blockwise, Convolution, Shape
from kernel_bench.views import views

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
    page = markdown(results)
    assert "🔴 must ≥ 1× the best exact peer, is 0.889× torch s8s8" in page
    assert "must ≥ 93% of the limit, is 80.0%" in page


def test_peers_beyond_avx2_are_not_compared() -> None:
    def seen(rate: float) -> tuple[str | None, str]:
        found = {"onnxruntime_u8s8": entry(LEAST / rate)}
        results = results_with(LARGE, needle=entry(LEAST / 0.95), **found)
        (view,) = views(results).values()
        return view.best_peer, markdown(results)

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


def test_a_defect_is_a_missed_must() -> None:
    results = results_with(LARGE)
    results["rows"][0]["defect"] = "needle failed: no kernel"
    assert "| 🔴 needle failed: no kernel |" in markdown(results)
    key = "u8s8-i32 1024×1024×1024 uniform"
    assert f"- 🔴 {key}: needle failed: no kernel" in summary(results)


def test_an_odd_shape_is_compared_with_the_even_one() -> None:
    odd, even = next(iter(NEIGHBOURS.items()))
    results = results_with(Case("f32", odd), needle=entry(1.0, "rounded"))
    assert "the even shape" not in markdown(results)
    other = results_with(Case("f32", even), needle=entry(0.5, "rounded"))
    results["rows"] += other["rows"]
    results["limits"] |= other["limits"]
    assert "must ≥ 85% of the even shape, is 49." in markdown(results)


def test_a_row_that_was_not_measured_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = results_with(LARGE, needle=entry(1.0))
    results["rows"][0] |= {"contenders": {}, "not measured": "a package is missing"}
    report.print_table(results)
    assert "not measured: a package is missing" in capsys.readouterr().out
    assert "not measured: a package is missing" in markdown(results)


ALL = crew_of.Settings(cpus=(0,), limited=False)


def test_with_all_instructions_nobody_is_left_out() -> None:
    results = results_with(
        LARGE,
        ALL,
        needle=entry(LEAST / 1.5),
        onnxruntime_u8s8=entry(LEAST / 2),
    )
    results["limits"]["u8_dot_512"] = 250.0
    (view,) = views(results).values()
    assert view.best_peer == "onnxruntime u8s8"
    assert view.ceiling == 250.0
    text = markdown(results)
    assert "onnxruntime u8s8 200.0," not in text
    assert "onnxruntime u8s8 200.0 |" in text  # no mark
    assert "target ≥ 1× the best exact peer, is 0.750× onnxruntime u8s8" in text
    assert "must" not in text
    del results["limits"]["u8_dot_512"]  # of a CPU without it
    assert view.ceiling == 100.0


def test_musts_are_those_of_one_thread() -> None:
    settings = crew_of.Settings(threads=2, cpus=(0, 1))
    results = results_with(LARGE, settings, needle=entry(LEAST / 0.5))
    assert run_name(results) == "avx2-2"
    assert "target ≥ 93% of the limit, is 50.0%" in markdown(results)


def test_equals_are_compared_within_noise() -> None:
    def page_of(rate: float) -> str:
        found = {"numpy": entry(LEAST, "rounded")}
        ours = entry(LEAST / rate, "rounded")
        return markdown(results_with(Case("f32", LARGE.shape), needle=ours, **found))

    assert "best exact peer" not in page_of(0.985)
    assert "must ≥ 1× the best exact peer within 2%, is 0.97" in page_of(0.975)


def test_weights_of_7_bits_are_compared_with_what_peers_reach() -> None:
    case = Case("u8s8-i32", LARGE.shape, "gaussian-7")
    assert SEVEN_BITS in case.targets
    found = results_with(
        case, needle=entry(LEAST / 0.7), onnxruntime_u8s8=entry(LEAST / 0.7)
    )
    assert "target ≥ 1.15× onnxruntime u8s8, is 1.000×" in markdown(found)
    assert "1.15×" not in markdown(results_with(case, needle=entry(LEAST)))


def test_real_weights_are_compared_with_peers_that_saturate() -> None:
    def page_of(weights: str) -> str:
        case = Case("dynamic", LARGE.shape, weights)
        ours, theirs = entry(LEAST / 0.8), entry(LEAST / 0.9, "inexact")
        return markdown(results_with(case, needle=ours, torch_fbgemm=theirs))

    assert "≥ 1× the best peer, exact or not, is 0.889× torch" in page_of("gaussian")
    assert "exact or not" not in page_of("uniform")


def test_libraries_that_are_kept_by_their_cpuid_are_compared() -> None:
    def marks(held: frozenset[str]) -> str:
        results = results_with(
            Case("f32", LARGE.shape),
            held=held,
            needle=entry(LEAST, "rounded"),
            onnxruntime=entry(2 * LEAST, "rounded"),
            openvino=entry(4 * LEAST, "rounded", kernels=["gemm_mlas_f32"]),
        )
        return markdown(results)

    assert "onnxruntime 50.0†, openvino 25.0†" in marks(frozenset())
    both = frozenset({"onnxruntime", "openvino"})
    assert "onnxruntime 50.0, openvino 25.0 |" in marks(both)


def test_convolutions_of_integers_are_compared_with_floats() -> None:
    shape = Convolution(3, 1, 64, 64, 56)
    ours, theirs = (
        results_with(Case(kind, shape, CONVOLUTION_WEIGHTS), needle=entry(seconds))
        for kind, seconds in (("conv-static", 1.0), ("conv-f32", 1.2))
    )
    assert "float32" not in markdown(ours)
    ours["rows"] += theirs["rows"]
    ours["limits"] |= theirs["limits"]
    assert "target ≥ 1.4× float32, is 1.200× float32" in markdown(ours)


def test_weights_of_4_bits_have_targets_by_rows() -> None:
    def least(kind: str, m: int) -> float:
        case = Case(kind, Blockwise(m, 1024, 1024, 32, symmetric=True), "4-bit")
        (target,) = case.targets
        return target.at_least

    assert least("w4-int8", 1) == least("w4-f32", 1) == 1.3
    assert (least("w4-int8", 64), least("w4-f32", 64)) == (2.0, 1.0)


def test_figures_are_shown_with_their_targets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call, *_, waking = FIGURES
    threads = next(figure for figure in FIGURES if figure.group == "threads")
    found = {
        call.name: {"value": 3.0, "beside": {"torch": 4.5}},
        threads.name: {"failed": "one CPU"},
        waking.name: {"value": 0.8, "detail": "5 µs, 6 µs"},
    }
    results = results_with(LARGE, figures=found, needle=entry(LEAST))
    text = markdown(results)
    assert f"| {call.name} | 🔴 3 µs | ≤ 2 µs | torch 4.5 |" in text
    assert f"| {threads.name} |  | ≥ 1.9 × | not measured: one CPU |" in text
    assert f"| {waking.name} | 0.8 × |  | 5 µs, 6 µs |" in text
    report.print_table(results)
    printed = capsys.readouterr().out
    assert f"MISSED {call.name}" in printed
    assert f"MISSED {waking.name}" not in printed


def test_the_summary_counts_targets_and_names_missed_musts() -> None:
    results = results_with(
        LARGE, needle=entry(LEAST / 0.8), torch_s8s8=entry(LEAST / 0.64)
    )
    found = summary(results)
    assert "| u8×s8 → i32 | 1 | 🔴 1 of 2 | 0 of 0 | 80% | 1.25× |" in found.replace(
        "|  |", "| 0 of 0 |"
    )
    assert "- 🔴 u8s8-i32 1024×1024×1024 uniform: must ≥ 93% of the limit" in found


def test_the_pages_show_the_figures_that_are_kept() -> None:
    kept = read_kept(ROOT)
    assert "avx2-1" in kept
    for name, results in kept.items():
        jsonschema.validate(results, SCHEMA)
        assert run_name(results) == name
        page = BENCHMARKS / "results" / f"{name}.md"
        assert run_page(results) == page.read_text(encoding="utf-8")
        assert page.with_suffix(".svg").exists()
    page_text = (ROOT / "docs" / "Benchmarks.md").read_text(encoding="utf-8")
    assert page_with(kept, page_text) == page_text


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        page_with({"avx2-1": results_with(LARGE, needle=entry(1.0))}, "nothing")


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
        assert "weights of 4 bits" in text  # a panel without rows
    else:
        assert path.read_bytes().startswith(b"\x89PNG")
