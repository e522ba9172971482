# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results on the terminal, and the cells that the page shows, too."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kernel_bench.cases import KINDS, Case
from kernel_bench.figures import FIGURES, Figure
from kernel_bench.results import Results
from kernel_bench.views import Judged, RowView, views

NO_AVX2 = "†"
BEYOND_AVX2 = "‡"
INEXACT = "≠"


def others(view: RowView) -> str:
    """Rates of all contenders but the judged one, the fastest first."""
    cells = []
    order = sorted(view.seconds, key=view.seconds.__getitem__)
    for name in order:
        if name == "needle":
            continue
        cells.append(f"{name} {view.gmacs(name):.1f}{_marks(view, name)}")
    return ", ".join(cells)


def _marks(view: RowView, name: str) -> str:
    marks = NO_AVX2 if view.escapes_avx2(name) else ""
    if view.is_beyond_avx2(name):
        marks = BEYOND_AVX2
    return marks if view.is_exact(name) else marks + INEXACT


def why_nothing(row: dict[str, Any]) -> str:
    """Of a row without a time of needle."""
    return row["defect"] or f"not measured: {row['not measured']}"


def missed_targets(view: RowView, rows: dict[Case, RowView]) -> list[Judged]:
    """The targets that were compared with something, and missed."""
    return [judged for judged in view.judged(rows) if judged.missed]


def text_of(view: RowView, judged: Judged) -> str:
    """A missed target; musts are said to be."""
    grade = "must" if judged.must else "target"
    if judged.target.is_share:
        return f"{grade} {judged.target}, is {judged.reached:.1%}"
    names = {"peers": view.best_peer, "any peer": view.best_of_all, "float": "float32"}
    whose = names.get(judged.target.of, judged.target.of)
    return f"{grade} {judged.target}, is {judged.reached:.3f}× {whose}"


def verdict(view: RowView, rows: dict[Case, RowView]) -> str:
    """Targets that are missed."""
    return "; ".join(text_of(view, judged) for judged in missed_targets(view, rows))


def times(view: RowView) -> tuple[str, str]:
    """µs of a call, and of the kernels alone, where that is known."""
    entry = view.row["contenders"]["needle"]
    kernels = entry.get("kernel_seconds")
    alone = "" if kernels is None else f"{kernels * 1e6:.1f}"
    return f"{entry['seconds'] * 1e6:.1f}", alone


@dataclass(frozen=True)
class Tally:
    """How rows of a kind do.

    Attributes
    ----------
    musts, targets
        Reached ones and all, of those that were compared with something.
    of_limit, against_peers
        Geometric means: of the fraction of the limit, and of the rate divided by that
        of the best exact peer, over rows that have one.
    """

    title: str
    rows: int
    musts: tuple[int, int]
    targets: tuple[int, int]
    of_limit: float
    against_peers: float | None


def tallies(results: Results) -> list[Tally]:
    """By kind, in the order of the table."""
    rows = views(results)
    found = []
    for kind, described in KINDS.items():
        chosen = [view for view in rows.values() if view.case.kind == kind]
        if not chosen:
            continue
        judged = [
            one
            for view in chosen
            for one in view.judged(rows)
            if one.reached is not None
        ]
        ratios = [r for view in chosen if (r := view.against_peers) is not None]
        found.append(
            Tally(
                described.title,
                len(chosen),
                _reached(one for one in judged if one.must),
                _reached(one for one in judged if not one.must),
                _mean([view.gmacs() / view.ceiling for view in chosen]),
                _mean(ratios) if ratios else None,
            )
        )
    return found


def _reached(judged: Iterable[Judged]) -> tuple[int, int]:
    missed = [one.missed for one in judged]
    return missed.count(False), len(missed)


def _mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


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
            text = f"  {name:<40}{why_nothing(row)}"
            print(f"{red}{text}{plain}" if row["defect"] else text)
            continue
        call, alone = times(view)
        text = (
            f"  {name:<40}{call:>10}{alone:>10}{view.gmacs():>9.2f}"
            f"{view.gmacs() / view.ceiling:>9.1%}  {others(view)}"
        )
        missed = verdict(view, rows)
        print(f"{red}{text}{plain}" if missed else text)
        if missed:
            print(f"{red}      MISSED {missed}{plain}")
    print()
    for figure, value, beside in figure_cells(results):
        text = f"{figure.name:<56}{value:>10} {figure.unit:<3} {figure.target_text:<8}"
        is_missed = figure_is_missed(results, figure)
        print(f"{red}MISSED {text}{plain}" if is_missed else f"       {text}", beside)
    for tally in tallies(results):
        print(f"{tally.title:<42}{counts(tally)}")
    print()
    for line in facts(results):
        print(line)


def counts(tally: Tally) -> str:
    """Targets of a kind in words."""
    musts = f"{tally.musts[0]} of {tally.musts[1]} musts, " if tally.musts[1] else ""
    return f"{musts}{tally.targets[0]} of {tally.targets[1]} targets"


def figure_cells(results: Results) -> Iterator[tuple[Figure, str, str]]:
    """Each figure, its value, and what else there is to say."""
    found = {entry["name"]: entry for entry in results["figures"]}
    for figure in FIGURES:
        entry = found.get(figure.name)
        if entry is None:
            continue
        if "failed" in entry:
            yield figure, "", f"not measured: {entry['failed']}"
            continue
        beside = [f"{n} {v:.3g}" for n, v in entry.get("beside", {}).items()]
        detail = entry.get("detail", "")
        yield (
            figure,
            f"{entry['value']:.4g}",
            ", ".join(filter(None, [detail, *beside])),
        )


def figure_is_missed(results: Results, figure: Figure) -> bool:
    """Whether its target is."""
    entry = next(e for e in results["figures"] if e["name"] == figure.name)
    return "value" in entry and figure.is_missed(entry["value"])


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
    yield from _limits(results["limits"])
    if settings["instructions"] == "avx2":
        yield f"{NO_AVX2} could not be kept to AVX2; compared with needle all the same"
        yield (
            f"{BEYOND_AVX2} is faster than AVX2 can be in some row of this kind, so it "
            "uses more: not compared"
        )
    else:
        yield "everybody uses whatever instructions this CPU has"
    yield f"{INEXACT} computes something else: not compared; see below"
    yield from _inexact(results)


def _limits(limits: dict[str, float]) -> Iterator[str]:
    arithmetic = [
        f"{name} {rate:.1f} GMAC/s"
        for name, rate in limits.items()
        if not name.startswith("read:")
    ]
    reading = sorted(
        (int(name.split(":")[1]), rate)
        for name, rate in limits.items()
        if name.startswith("read:")
    )
    if arithmetic:
        yield "limits of arithmetic: " + ", ".join(arithmetic)
    if reading:
        yield "limits of reading: " + ", ".join(
            f"{rate:.0f} GB/s from {size_text(size)}"
            for size, rate in _octaves(reading)
        )


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
