# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results in Markdown: a page for each run, and a summary of those that are kept.

Runs are kept as ``benchmarks/results/NAME.json`` with a picture and a page beside it;
the summary is part of docs/Benchmarks.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kernel_bench.cases import KINDS, Case
from kernel_bench.report import (
    facts,
    figure_cells,
    figure_is_missed,
    missed_targets,
    others,
    tallies,
    text_of,
    times,
    verdict,
    why_nothing,
)
from kernel_bench.results import Results, run_name
from kernel_bench.views import RowView, views

BEGIN = "<!-- results: written by scripts/bench --page -->"
END = "<!-- end of results -->"
MISSED = "🔴"
#: In the order of the summary.
RUNS = {
    "avx2-1": "AVX2, one thread",
    "avx2-2": "AVX2, two threads",
    "all-1": "all instructions, one thread",
    "all-2": "all instructions, two threads",
}


def markdown(results: Results) -> str:
    """All rows, figures and facts of a run."""
    rows = views(results)
    lines = list(_tables(results, rows))
    if results["figures"]:
        lines += ["", *_figures(results)]
    lines += ["", "## around it", ""]
    lines += [f"- {line}" for line in facts(results)]
    return "\n".join(lines).strip()


def _tables(results: Results, rows: dict[Case, RowView]) -> Iterator[str]:
    """A table for each kind."""
    kind = ""
    for row in results["rows"]:
        if row["kind"] != kind:
            kind = row["kind"]
            yield from ("", f"## {KINDS[kind].title}", "")
            yield "| | µs | kernels | GMAC/s | of limit | peers, GMAC/s | missed |"
            yield "| --- | ---: | ---: | ---: | ---: | --- | --- |"
        name = row["key"].removeprefix(f"{kind} ")
        view = next((v for v in rows.values() if v.row is row), None)
        if view is None:
            mark = f"{MISSED} " if row["defect"] else ""
            yield f"| {name} | | | | | {mark}{why_nothing(row)} | |"
            continue
        missed = verdict(view, rows)
        call, alone = times(view)
        yield (
            f"| {name} | {call} | {alone} | {view.gmacs():.2f} | "
            f"{view.gmacs() / view.ceiling:.1%} | {others(view)} | "
            f"{f'{MISSED} {missed}' if missed else ''} |"
        )


def _figures(results: Results) -> Iterator[str]:
    """The table of figures."""
    yield from ("## Calls, compilation, threads", "")
    yield "| | is | target | also |"
    yield "| --- | ---: | --- | --- |"
    for figure, value, also in figure_cells(results):
        mark = f"{MISSED} " if figure_is_missed(results, figure) else ""
        shown = f"{value} {figure.unit}" if value else ""
        yield f"| {figure.name} | {mark}{shown} | {figure.target_text} | {also} |"


def summary(results: Results) -> str:
    """Targets by kind, and the musts that are missed."""
    lines = [
        "| | rows | musts | targets | of limit | against peers |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for tally in tallies(results):
        ratio = "" if tally.against_peers is None else f"{tally.against_peers:.2f}×"
        lines.append(
            f"| {tally.title} | {tally.rows} | {_count(tally.musts)} | "
            f"{_count(tally.targets)} | {tally.of_limit:.0%} | {ratio} |"
        )
    rows = views(results)
    defects = [
        f"- {MISSED} {row['key']}: {row['defect']}"
        for row in results["rows"]
        if row["defect"]
    ]
    defects += [
        f"- {MISSED} {view.case.key}: {text_of(view, judged)}"
        for view in rows.values()
        for judged in missed_targets(view, rows)
        if judged.must
    ]
    if defects:
        lines += ["", "Musts that are missed:", "", *defects]
    if results["figures"]:
        lines += ["", *_figures(results)]
        lines = [line.replace("## ", "#### ") for line in lines]
    return "\n".join(lines)


def _count(reached: tuple[int, int]) -> str:
    met, total = reached
    if not total:
        return ""
    return f"{MISSED if met < total else ''} {met} of {total}".strip()


def run_page(results: Results) -> str:
    """The page of one run."""
    name = run_name(results)
    title = RUNS.get(name, name)
    return (
        f"# Benchmarks of kernels: {title}\n\n"
        "Written by `scripts/bench --page`; "
        "[how to read it](../../docs/Benchmarks.md).\n\n"
        f"![rates over intensity]({name}.svg)\n\n"
        f"{markdown(results)}\n"
    )


def page_with(kept: dict[str, Results], text: str) -> str:
    """The main page with a summary of runs, by name, between its marks.

    Raises
    ------
    ValueError
        If the marks are not there.
    """
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    parts = []
    for name in [*RUNS, *sorted(kept.keys() - RUNS.keys())]:
        if name in kept:
            parts.append(
                f"### {RUNS.get(name, name)}\n\n"
                f"![rates over intensity](../benchmarks/results/{name}.svg)\n\n"
                f"[All rows](../benchmarks/results/{name}.md).\n\n{summary(kept[name])}"
            )
    return "\n\n".join([before + BEGIN, *parts, END + after])


def read_kept(root: Path) -> dict[str, Results]:
    """The runs that are kept, by name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / "benchmarks" / "results").glob("*.json"))
    }


def keep(results: Results, root: Path) -> None:
    """Keep a run in place of the last one of its name, and write all pages."""
    folder = root / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    data = json.dumps(results, indent=1, ensure_ascii=False)
    path = folder / f"{run_name(results)}.json"
    path.write_text(data + "\n", encoding="utf-8")
    write_pages(root)


def write_pages(root: Path) -> None:
    """Pictures, pages and the summary of the runs that are kept."""
    from kernel_bench.roofline import draw

    folder = root / "benchmarks" / "results"
    kept = read_kept(root)
    for name, results in kept.items():
        draw(results, folder / f"{name}.svg")
        (folder / f"{name}.md").write_text(run_page(results), encoding="utf-8")
    page = root / "docs" / "Benchmarks.md"
    text = page_with(kept, page.read_text(encoding="utf-8"))
    page.write_text(text, encoding="utf-8")
