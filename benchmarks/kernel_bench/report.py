# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results: as JSON, as a table on the terminal and in Markdown."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kernel_bench.cases import KINDS, Case, not_yet
from kernel_bench.contenders import LIMITED_TO_AVX2
from kernel_bench.session import Session
from kernel_bench.views import Results, RowView, views

#: Of the JSON; changes whenever its form does.
VERSION = 1
NOT_YET = "not yet in needle"
NO_AVX2 = "†"
BEYOND_AVX2 = "‡"
INEXACT = "≠"
BEGIN = "<!-- results: written by scripts/bench --page -->"
END = "<!-- end of results -->"


def results_of(session: Session, limited: bool) -> Results:
    """Everything as plain data; seconds, MACs, bytes, GMAC/s, GB/s."""
    from eager import cpu_name

    return {
        "version": VERSION,
        "machine": {
            "cpu": cpu_name(),
            "python": platform.python_version(),
            "load before and after": list(session.loads),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        },
        "settings": {
            "threads": session.settings.threads,
            "processes": session.settings.processes,
            "rounds": session.settings.rounds,
            "seconds": session.settings.seconds,
            "cpus": list(session.settings.cpus),
            "limited to AVX2": sorted(LIMITED_TO_AVX2) if limited else ["needle"],
        },
        "libraries": session.libraries,
        "missing": session.missing,
        "limits": session.limits,
        "rows": [
            {
                "key": row.case.key,
                "kind": row.case.kind,
                "shape": vars(row.case.shape),
                "weights": row.case.weights,
                "macs": row.case.shape.macs,
                "bytes": row.case.footprint,
                "not measured": row.not_measured,
                "contenders": row.contenders,
            }
            for row in session.rows
        ],
        "not yet": [{"key": name, "not measured": NOT_YET} for name in not_yet()],
    }


def _others(view: RowView) -> str:
    """Rates of all contenders but the judged one, the fastest first."""
    cells = []
    order = sorted(view.seconds, key=view.seconds.__getitem__)
    for name in order:
        if name == "needle":
            continue
        cells.append(f"{name} {view.gmacs(name):.1f}{_marks(view, name)}")
    return ", ".join(cells)


def _marks(view: RowView, name: str) -> str:
    marks = "" if view.is_limited(name) else NO_AVX2
    if view.is_beyond_avx2(name):
        marks = BEYOND_AVX2
    return marks if view.is_exact(name) else marks + INEXACT


def _verdict(view: RowView, rows: dict[Case, RowView]) -> str:
    """Targets that are missed; musts are said to be."""
    missed = []
    for judged in view.judged(rows):
        if judged.missed:
            grade = "must" if judged.target.must else "target"
            reached = f"{judged.reached:.1%}"
            if judged.target.of == "peers":
                reached = f"{judged.reached:.3f}× {view.best_peer}"
            missed.append(f"{grade} {judged.target}, is {reached}")
    return "; ".join(missed)


def _times(view: RowView) -> tuple[str, str]:
    """µs of a call, and of the kernels alone, where that is known."""
    entry = view.row["contenders"]["needle"]
    kernels = entry.get("kernel_seconds")
    alone = "" if kernels is None else f"{kernels * 1e6:.1f}"
    return f"{entry['seconds'] * 1e6:.1f}", alone


def print_table(results: Results) -> None:
    """On the terminal; what misses a target is red where there are colours."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    red, plain = ("\x1b[31m", "\x1b[0m") if coloured else ("", "")
    rows = views(results)
    heading = f"{'µs':>10}{'kernels':>10}{'GMAC/s':>9}{'of limit':>9}  peers, GMAC/s"
    kind = ""
    for row in results["rows"]:
        if row["kind"] != kind:
            kind = row["kind"]
            print(f"\n{KINDS[kind].title:<42}{heading}")
        name = row["key"].removeprefix(f"{kind} ")
        view = next((v for v in rows.values() if v.row is row), None)
        if view is None:
            print(f"  {name:<40}not measured: {row['not measured']}")
            continue
        call, alone = _times(view)
        text = (
            f"  {name:<40}{call:>10}{alone:>10}{view.gmacs():>9.2f}"
            f"{view.gmacs() / view.ceiling:>9.1%}  {_others(view)}"
        )
        missed = _verdict(view, rows)
        print(f"{red}{text}{plain}" if missed else text)
        if missed:
            print(f"{red}      MISSED {missed}{plain}")
    print(f"\n{NOT_YET}:")
    for entry in results["not yet"]:
        print(f"  {entry['key']}")
    print()
    for line in facts(results):
        print(line)


def facts(results: Results) -> Iterator[str]:
    """What is not a row, a line each."""
    machine, settings = results["machine"], results["settings"]
    load = machine["load before and after"]
    yield (
        f"{machine['cpu']}, {settings['threads']} thread(s) of each, best of "
        f"{settings['processes']} processes with {settings['rounds']} turns, load "
        f"{load[0]:.1f} before and {load[1]:.1f} after, {machine['date']}"
    )
    libraries = ", ".join(f"{n} {v}" for n, v in sorted(results["libraries"].items()))
    yield f"Python {machine['python']}; {libraries}"
    for name, why in results["missing"].items():
        yield f"{name} is missing: {why}"
    arithmetic = [n for n in results["limits"] if not n.startswith("read:")]
    reading = sorted(
        (int(n.split(":")[1]), rate)
        for n, rate in results["limits"].items()
        if n.startswith("read:")
    )
    yield "limits of arithmetic: " + ", ".join(
        f"{name} {results['limits'][name]:.1f} GMAC/s" for name in arithmetic
    )
    yield "limits of reading: " + ", ".join(
        f"{rate:.0f} GB/s from {size_text(size)}" for size, rate in _octaves(reading)
    )
    yield f"{NO_AVX2} could not be kept to AVX2; compared with needle all the same"
    yield (
        f"{BEYOND_AVX2} is faster than AVX2 can be in some row of this kind, so it "
        "uses more: not compared"
    )
    yield f"{INEXACT} computes something else: not compared; see below"
    yield from _inexact(results)


def _octaves(reading: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The smallest of each power of two: rows have many sizes."""
    found: dict[int, tuple[int, float]] = {}
    for size, rate in reading:
        found.setdefault(size.bit_length(), (size, rate))
    return list(found.values())


def size_text(size: int) -> str:
    """A number of bytes for people."""
    for unit, scale in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= scale:
            return f"{size // scale} {unit}"
    return f"{size} B"


def _inexact(results: Results) -> Iterator[str]:
    """Peers whose results are wrong, and those that could not run: one row of each."""
    for state, text in (("detail", INEXACT), ("failed", "did not run")):
        first: dict[tuple[str, str], tuple[str, int]] = {}
        for row in results["rows"]:
            for name, entry in row["contenders"].items():
                if entry.get(state):
                    key = (name, row["kind"])
                    example = f"{row['key']}: {entry[state]}"
                    example, count = first.get(key, (example, 0))
                    first[key] = (example, count + 1)
        for (name, _), (example, count) in first.items():
            more = f" (and {count - 1} more rows)" if count > 1 else ""
            yield f"{text} {name}: {example}{more}"


def markdown(results: Results) -> str:
    """The same in Markdown."""
    lines: list[str] = []
    kind = ""
    rows = views(results)
    for row in results["rows"]:
        if row["kind"] != kind:
            kind = row["kind"]
            lines += ["", f"### {KINDS[kind].title}", ""]
            lines.append(
                "| | µs | kernels | GMAC/s | of limit | peers, GMAC/s | missed |"
            )
            lines.append("| --- | ---: | ---: | ---: | ---: | --- | --- |")
        name = row["key"].removeprefix(f"{kind} ")
        view = next((v for v in rows.values() if v.row is row), None)
        if view is None:
            lines.append(f"| {name} | | | | | not measured: {row['not measured']} | |")
            continue
        missed = _verdict(view, rows)
        call, alone = _times(view)
        lines.append(
            f"| {name} | {call} | {alone} | {view.gmacs():.2f} | "
            f"{view.gmacs() / view.ceiling:.1%} | {_others(view)} | "
            f"{'🔴 ' + missed if missed else ''} |"
        )
    lines += ["", f"### {NOT_YET}", ""]
    lines += [f"- {entry['key']}" for entry in results["not yet"]]
    lines += ["", "### around it", ""]
    lines += [f"- {line}" for line in facts(results)]
    return "\n".join(lines).strip()


def page_with(results: Results, text: str) -> str:
    """The page with these results between its marks.

    Raises
    ------
    ValueError
        If the marks are not there.
    """
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    picture = "![rates over intensity, below the limits](../benchmarks/kernels.svg)"
    return f"{before}{BEGIN}\n\n{picture}\n\n{markdown(results)}\n\n{END}{after}"


def write_page(results: Results, root: Path) -> None:
    """Write docs/Benchmarks.md's results, the figures behind it and the picture."""
    from kernel_bench.roofline import draw

    page, folder = root / "docs" / "Benchmarks.md", root / "benchmarks"
    text = page_with(results, page.read_text(encoding="utf-8"))
    draw(results, folder / "kernels.svg")
    (folder / "kernels.json").write_text(json.dumps(results, indent=1) + "\n")
    page.write_text(text, encoding="utf-8")
