# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results as rows: a table on the terminal, in Markdown, a plot."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from eager_bench.cases import Case, Target, all_cases, library_of
from eager_bench.reasons import REASONS

BEGIN, END = "<!-- results: written by eager.py --readme -->", "<!-- end of results -->"

TRAINING = "784-256-128-10, batch 64, Adam"
#: Contenders of the training step that are judged.
TRAINING_TARGETS = {
    "needle": Target("torch", 0.8),
    "needle jit": Target("torch", 1.2),
}


@dataclass(frozen=True)
class Row:
    """Seconds by contender; the first one is judged."""

    group: str
    name: str
    seconds: dict[str, float]
    target: Target | None
    macs: int = 0

    @property
    def ours(self) -> float:
        """Seconds of the contender that is judged."""
        return next(iter(self.seconds.values()))

    @property
    def ratio(self) -> float | None:
        """How many times faster we are than whom the target names."""
        if self.target is None or self.target.against not in self.seconds:
            return None
        return self.seconds[self.target.against] / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or without the peer."""
        if self.target is None:
            return None
        if self.target.against is None:
            return self.ours <= self.target.seconds
        return None if self.ratio is None else self.ratio >= self.target.ratio

    @property
    def ratio_at_avx2(self) -> float | None:
        """The same where the peer uses no instructions that we do not have."""
        against = "" if self.target is None else f"{self.target.against} avx2"
        return self.seconds[against] / self.ours if against in self.seconds else None

    @property
    def at_avx2(self) -> str:
        """The ratio where the peer has no other instructions, if that explains it."""
        ratio, limited = self.ratio, self.ratio_at_avx2
        if ratio and limited and limited > 1.1 * ratio:
            return f"{limited:.2f}× at AVX2"
        return ""

    @property
    def reason(self) -> str:
        """Why the target is missed, as far as anybody knows."""
        key = f"{self.group}: {self.name}"
        known = [reason for prefix, reason in REASONS.items() if key.startswith(prefix)]
        return "; ".join(known) or "not explained yet"


def rows_of(results: dict[str, Any]) -> list[Row]:
    """All rows, in the order of the table."""
    cases = [case for case in all_cases() if case.key in results["seconds"]]
    rows = [
        Row(case.group, case.name, results["seconds"][case.key], case.target, case.macs)
        for case in cases
    ]
    rows += list(_first_calls(cases, results["first_call_seconds"]))
    training = results["training_seconds"]
    for name, target in TRAINING_TARGETS.items():
        if name in training:
            peers = {key: value for key, value in training.items() if _is_peer(key)}
            seconds = {name: training[name]} | peers
            rows.append(Row("training step", f"{name}, {TRAINING}", seconds, target))
    return rows


def _is_peer(contender: str) -> bool:
    return library_of(contender) != "needle"


def _first_calls(
    cases: Iterable[Case], first: dict[str, dict[str, float]]
) -> Iterable[Row]:
    for case in cases:
        seconds = dict(first.get(case.key, {}))
        if not seconds:
            continue
        yield Row(
            "first call", f"{case.group} {case.name}", seconds, case.target, case.macs
        )


def format_time(seconds: float | None) -> str:
    """A time in µs."""
    if seconds is None:
        return ""
    micro = seconds * 1e6
    return f"{micro:.2f}" if micro < 100 else f"{micro:,.0f}"


def judgement(row: Row, missed: str) -> str:
    """The ratio and the target, with a mark if the target is missed."""
    if row.target is None:
        return ""
    if row.met is None:
        return f"({row.target}: not measured)"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}× "
    if row.met:
        return f"{ratio}({row.target})"
    limited = f", {row.at_avx2}" if row.at_avx2 else ""
    return f"{missed}{ratio}({row.target}){limited}"


def _cells(row: Row) -> tuple[str, str, str, str]:
    """Ours, NumPy's, torch's time, and what else is in the row."""
    names = list(row.seconds)
    others = [
        f"{name} {format_time(row.seconds[name])}"
        for name in names[1:]
        if name not in ("numpy", "torch") and not name.endswith(" avx2")
    ]
    if row.macs:
        others.append(f"{row.macs / row.ours / 1e9:.1f} GMAC/s")
    return (
        format_time(row.ours),
        format_time(row.seconds.get("numpy")),
        format_time(row.seconds.get("torch")),
        ", ".join(others),
    )


def print_table(results: dict[str, Any]) -> None:
    """The rows on the terminal; missed targets are red where there are colours."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    red, plain = ("\x1b[31m", "\x1b[0m") if coloured else ("", "")
    group = ""
    for row in rows_of(results):
        if row.group != group:
            group = row.group
            print(f"\n{group:<34}{'needle':>11}{'numpy':>11}{'torch':>11}  µs")
        ours, numpys, torchs, others = _cells(row)
        text = f"  {row.name:<32}{ours:>11}{numpys:>11}{torchs:>11}"
        text += f"  {judgement(row, 'MISSED ')}"
        if others:
            text += f"  {others}"
        print(f"{red}{text}{plain}" if row.met is False else text)
        if row.met is False:
            print(f"{red}      {row.reason}{plain}")
    print()
    for line in facts(results):
        print(line)


def facts(results: dict[str, Any]) -> Iterable[str]:
    """What is not a row, a line each."""
    machine = results["machine"]
    libraries = ", ".join(f"{k} {v}" for k, v in results["libraries"].items())
    load = machine["load before and after"]
    yield (
        f"{machine['cpu']}, {results['facts']['isa']} kernels, "
        f"{machine['threads']} thread(s), best of {machine['processes']} processes, "
        f"load {load[0]:.1f} before and {load[1]:.1f} after, {machine['date']}"
    )
    yield f"Python {machine['python']}; {libraries}"
    absent = {"numpy", "torch"} - set(results["libraries"])
    for name in sorted(absent):
        yield f"{name} is not installed: its times are missing"
    yield (
        "needle's kernels are for AVX2; peers use whatever they have for this machine, "
        "and where that explains a missed target, the ratio is also that against the "
        "peer limited to AVX2"
    )
    for name, why in results["absent"].items():
        yield f"{name} was not measured: {why}"
    limits = results["limits_gmacs"]
    if limits:
        yield "limits of this machine: " + ", ".join(
            f"{name} {value:.1f} GMAC/s" for name, value in limits.items()
        )
    if results["import_seconds"]:
        yield "import (NumPy being there): " + ", ".join(
            f"{name} {value * 1e3:.0f} ms"
            for name, value in results["import_seconds"].items()
        )
    yield f"extension: {results['facts']['extension bytes'] / 1e6:.1f} MB"
    if results["memory_bytes"]:
        yield "bytes of arrays around eager training: " + ", ".join(
            f"{value:,} {name}" for name, value in results["memory_bytes"].items()
        )


def markdown(results: dict[str, Any]) -> str:
    """The rows and facts as Markdown."""
    rows = rows_of(results)
    lines: list[str] = []
    for group, members in groupby(rows, lambda row: row.group):
        lines += list(_table(group, list(members)))
    judged = [row for row in rows if row.met is not None]
    missed = sum(row.met is False for row in judged)
    head = [
        f"{len(judged) - missed} of {len(judged)} targets are met"
        + (f"; the {missed} missed ones are marked 🔴." if missed else "."),
        "",
        "![how many times faster than whom the target names](eager.svg)",
    ]
    tail = ["", "### around it", ""]
    tail += [f"- {line}" for line in facts(results)]
    return "\n".join([*head, *lines, *tail])


def _table(group: str, rows: list[Row]) -> Iterable[str]:
    """A group, and why its missed targets are missed."""
    yield from ("", f"### {group}", "")
    yield "| µs | needle | NumPy | torch | target | also |"
    yield "| --- | ---: | ---: | ---: | --- | --- |"
    reasons: dict[str, list[str]] = {}
    for row in rows:
        ours, numpys, torchs, others = _cells(row)
        cells = (row.name, ours, numpys, torchs, judgement(row, "🔴 "), others)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        if row.met is False:
            reasons.setdefault(row.reason, []).append(f"`{row.name}`")
    if reasons:
        yield ""
    for reason, names in reasons.items():
        yield f"- 🔴 {', '.join(names)}: {reason}."


def readme_with(results: dict[str, Any], text: str) -> str:
    """The page with these results between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}"


def write_readme(results: dict[str, Any], folder: Path) -> None:
    """Write README.md's table, the figures behind it and the picture."""
    page = folder / "README.md"
    text = readme_with(results, page.read_text(encoding="utf-8"))
    draw(results, folder / "eager.svg")
    (folder / "eager.json").write_text(json.dumps(results, indent=2) + "\n")
    page.write_text(text, encoding="utf-8")


def draw(results: dict[str, Any], path: Path) -> None:
    """Bars of the ratios that targets speak of; missed ones are red."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "needle"
    from matplotlib import pyplot as plt

    rows = [row for row in rows_of(results) if row.ratio is not None][::-1]
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.16 * len(rows)))
    colours = ["#3b7dd8" if row.met else "#d83b3b" for row in rows]
    axes.barh(range(len(rows)), [row.ratio or 0 for row in rows], color=colours)
    for index, row in enumerate(rows):
        assert row.target is not None
        axes.plot([row.target.ratio] * 2, [index - 0.4, index + 0.4], color="black")
    names = [f"{row.group}: {row.name}" for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=6)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xscale("log")
    ticks = [0.5, 1, 2, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("times faster than whom the target names; black: the target")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
