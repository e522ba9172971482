# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rates over intensity, below the limits of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_bench.cases import CONVOLUTIONS, FOUR_BITS, KINDS, PRODUCTS
from kernel_bench.contenders import library_of
from kernel_bench.report import size_text
from kernel_bench.results import Results
from kernel_bench.views import RowView, views


@dataclass(frozen=True)
class Panel:
    """A part of the picture.

    Attributes
    ----------
    markers
        Kinds that it shows, and how.
    limits
        Limits of arithmetic, as ``machine_limits.c`` calls them, with their names.
    """

    title: str
    markers: dict[str, str]
    limits: dict[str, str]


_FLOAT = {"f32": "multiply-add", "f32_512": ""}
_INTEGER = {
    "i16_pairs": "vpmaddwd, exact",
    "u8_quads": "vpmaddubsw, one step",
    "u8_octets": "two steps",
    "u8_dot_512": "vpdpbusd",
}
_NARROW = {"u4_blocks": "vpmaddubsw, eight steps", "u8_dot_512": "vpdpbusd"}
_INTEGER_KINDS = [kind for kind in PRODUCTS if kind != "f32"]
PANELS = (
    Panel("products, float32", {"f32": "o"}, _FLOAT),
    Panel("products, 8 bits", dict(zip(_INTEGER_KINDS, "spDv", strict=True)), _INTEGER),
    Panel(
        "convolutions", dict(zip(CONVOLUTIONS, "o^", strict=True)), _FLOAT | _INTEGER
    ),
    Panel(
        "weights of 4 bits", dict(zip(FOUR_BITS, "oh", strict=True)), _FLOAT | _NARROW
    ),
)
COLOURS = {
    "needle": "#d8463b",
    "numpy": "#8a8a8a",
    "torch": "#e08a1e",
    "onnxruntime": "#3b7dd8",
    "openvino": "#7a4fb5",
    "iree": "#2f9e6e",
    "ggml": "#b8860b",
}


def draw(results: Results, path: Path) -> None:
    """Draw all panels that have rows; the file's name ends in its format."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "needle"
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(2, 2, figsize=(13, 10.5))
    rows = list(views(results).values())
    for axes, panel in zip(grid.flat, PANELS, strict=True):
        _draw_panel(axes, panel, results, rows)
    _add_legend(figure, plt, rows)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _draw_panel(axes: Any, panel: Panel, results: Results, rows: list[RowView]) -> None:
    shown = [view for view in rows if view.case.kind in panel.markers]
    axes.set_title(panel.title)
    if not shown:
        axes.set_axis_off()
        return
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    for view in shown:
        _draw_row(axes, view, panel.markers[view.case.kind])
    _draw_limits(axes, results["limits"], panel.limits, shown)
    axes.set_xlabel("multiply-accumulates for each byte of operands and result")
    axes.set_ylabel("GMAC/s")
    axes.grid(alpha=0.25)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    kinds = {view.case.kind for view in shown}
    entries = [
        axes.plot([], [], "k", marker=marker, mfc="none", ls="", label=_title(kind))[0]
        for kind, marker in panel.markers.items()
        if kind in kinds
    ]
    axes.legend(handles=entries, loc="lower right", fontsize=8, framealpha=0.9)


def _title(kind: str) -> str:
    return KINDS[kind].title.removeprefix("convolution, ")


def _draw_row(axes: Any, view: RowView, marker: str) -> None:
    """Filled and on top if ours; others hollow, crosses where they are wrong."""
    for name in view.seconds:
        library = library_of(name)
        ours = name == "needle"
        if not ours and not view.case.is_basic:
            continue  # the same with other weights: the picture has them once
        axes.plot(
            view.intensity,
            view.gmacs(name),
            marker=marker if view.is_exact(name) else "x",
            ms=6 if ours else 4.5,
            color=COLOURS[library],
            mfc=COLOURS[library] if ours else "none",
            mew=0.5 if ours else 1,
            ls="",
            zorder=3 if ours else 2,
            alpha=0.9 if ours else 0.7,
        )


def _draw_limits(
    axes: Any, limits: dict[str, float], ceilings: dict[str, str], rows: list[RowView]
) -> None:
    """Ceilings of arithmetic, and slopes of reading from the least and most memory."""
    intensities = [view.intensity for view in rows]
    low, high = min(intensities) / 2, max(intensities) * 4
    known = {name: limits[name] for name in ceilings if name in limits}
    for name, rate in known.items():
        axes.plot([low, high], [rate, rate], color="black", lw=0.8, zorder=1)
        _label(axes, ceilings[name], (high, rate), side="right")
    top = max(known.values(), default=1.0)
    reading = sorted((view.row["bytes"], view.reading_rate) for view in rows)
    for size, rate in dict(reading[:1] + reading[-1:]).items():
        end = min(top / rate, high)
        if end <= low:
            continue  # the ceiling is reached to the left of the picture
        axes.plot([low, end], [low * rate, end * rate], color="black", lw=0.8, ls=":")
        _label(axes, f"reading {size_text(size)}, {rate:.0f} GB/s", (low, low * rate))
    axes.set_xlim(low, high)
    rates = [view.gmacs(name) for view in rows for name in view.seconds]
    axes.set_ylim(max(min(rates) / 1.5, top / 200), max(top, *rates) * 1.3)


def _label(
    axes: Any, text: str, place: tuple[float, float], side: str = "left"
) -> None:
    """Just above a line, at its end on that side."""
    axes.annotate(
        text,
        place,
        fontsize=7,
        ha=side,
        xytext=(3 if side == "left" else -3, 2),
        textcoords="offset points",
    )


def _add_legend(figure: Any, plt: Any, rows: list[RowView]) -> None:
    """Colours are libraries."""
    libraries = {library_of(name) for view in rows for name in view.seconds}
    entries = [
        plt.Line2D([], [], color=colour, marker="o", ls="", label=name)
        for name, colour in COLOURS.items()
        if name in libraries
    ]
    entries.append(plt.Line2D([], [], color="black", marker="x", ls="", label="wrong"))
    figure.legend(handles=entries, loc="lower center", ncol=8, fontsize=9)
