# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the demonstration shows: tables and a plot."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from rich.console import Console
from rich.table import Table

from digits.data import Floats, Labels

mpl.use("Agg")


@dataclass
class Row:
    """One model in one precision."""

    model: str
    top1: float
    weight_bytes: int | None
    latency_us: dict[int, float]
    kernels: list[str] = field(default_factory=list)


@dataclass
class Check:
    """A claim, whether it holds, and the figure behind it."""

    claim: str
    holds: bool
    detail: str


@dataclass
class Report:
    """All figures of one run."""

    rows: list[Row]
    checks: list[Check]
    compile_seconds: dict[str, dict[str, float]]
    files: dict[str, str]
    threads: int
    isa: str
    cpu_features: list[str]
    held_out: int

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self) | {"ok": self.ok}

    @property
    def ok(self) -> bool:
        """Whether every claim holds."""
        return all(check.holds for check in self.checks)


def print_report(report: Report, console: Console) -> None:
    """Print the tables and the checks."""
    threads = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    table = Table(
        title=f"{report.held_out} held-out digits, {threads}, {report.isa} code"
    )
    table.add_column("model")
    for heading in ("top-1", "weights", "batch 1", "batch 64"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        size = "" if row.weight_bytes is None else f"{row.weight_bytes / 1024:.0f} KiB"
        times = (f"{row.latency_us[batch]:.1f} µs" for batch in (1, 64))
        table.add_row(row.model, f"{row.top1:.1%}", size, *times)
    console.print(table)
    features = ", ".join(report.cpu_features)
    console.print(f"This CPU has {features}; each library chooses what it uses.")
    console.print(_make_stage_table(report.compile_seconds))
    for check in report.checks:
        mark = "[green]yes[/]" if check.holds else "[bold red]NO[/]"
        console.print(f"{mark}  {check.claim} ({check.detail})", highlight=False)
    for what, path in report.files.items():
        console.print(f"{what}: {path}", highlight=False, soft_wrap=True)


def _make_stage_table(compile_seconds: dict[str, dict[str, float]]) -> Table:
    table = Table(title="Compile time by stage, ms")
    table.add_column("stage")
    for model in compile_seconds:
        table.add_column(model, justify="right")
    stages = dict.fromkeys(
        stage for times in compile_seconds.values() for stage in times
    )
    for stage in stages:
        cells = [
            f"{times[stage] * 1e3:.1f}" if stage in times else ""
            for times in compile_seconds.values()
        ]
        table.add_row(stage, *cells)
    table.add_section()
    totals = [f"{sum(times.values()) * 1e3:.1f}" for times in compile_seconds.values()]
    table.add_row("total", *totals)
    return table


def draw_plot(
    report: Report, images: Floats, labels: Labels, predicted: Labels, path: Path
) -> None:
    """Draw latencies, and digits with what the int8 model sees in them."""
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(11, 6), layout="constrained")
    charts, gallery = figure.subfigures(2, 1, height_ratios=[3, 2])
    names = [row.model for row in report.rows]
    colors = [f"C{index}" for index in range(len(names))]
    for axes, batch in zip(charts.subplots(1, 2), (1, 64), strict=True):
        times = [row.latency_us[batch] for row in report.rows]
        bars = axes.barh(names, times, color=colors)
        axes.bar_label(bars, [f"{time:.1f} µs" for time in times], padding=3)
        axes.set_title(f"latency, batch {batch}")
        axes.margins(x=0.2)
        axes.invert_yaxis()
        if batch != 1:
            axes.set_yticklabels([])
    # What it gets wrong is what is interesting; fill up with what it gets right.
    order = np.argsort(predicted == labels, kind="stable")[:20]
    gallery.suptitle("held-out digits: what the int8 model sees (red: wrong)")
    for axes, index in zip(gallery.subplots(2, 10).flat, order, strict=True):
        axes.imshow(images[index].reshape(28, 28), cmap="gray_r")
        is_right = predicted[index] == labels[index]
        axes.set_title(
            str(predicted[index]), color="black" if is_right else "red", fontsize=9
        )
        axes.axis("off")
    figure.savefig(path, dpi=120)
    plt.close(figure)
