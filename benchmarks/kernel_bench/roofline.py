# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rates over intensity, below the limits of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernel_bench.cases import KINDS
from kernel_bench.contenders import CONTENDERS, library_of
from kernel_bench.report import size_text
from kernel_bench.views import RowView, views

#: What a panel shows: title, kinds, limits of arithmetic with their names.
PANELS = (
    ("float32", ("f32",), {"f32": "fused multiply-add"}),
    (
        "8 bits",
        tuple(kind for kind in KINDS if kind != "f32"),
        {
            "i16_pairs": "vpmaddwd, exact",
            "u8_quads": "vpmaddubsw, one step",
            "u8_octets": "vpmaddubsw, two steps",
        },
    ),
)
COLOURS = {
    "needle": "#d8463b",
    "numpy": "#8a8a8a",
    "torch": "#e08a1e",
    "onnxruntime": "#3b7dd8",
    "openvino": "#7a4fb5",
    "iree": "#2f9e6e",
}
MARKERS = dict(zip(KINDS, "ospDv", strict=True))


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw a panel for floats and one for integers; the file's name ends its format."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "needle"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(12, 5.5), sharey=True)
    rows = list(views(results).values())
    for axes, (title, kinds, ceilings) in zip(panels, PANELS, strict=True):
        shown = [view for view in rows if view.case.kind in kinds]
        axes.set_title(title)
        _draw_limits(axes, results["limits"], ceilings, shown)
        for view in shown:
            _draw_row(axes, view)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xlabel("multiply-accumulates for each byte of operands and result")
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("GMAC/s")
    for axes in panels:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.tick_params(labelleft=True)
    _add_legend(figure, plt, rows)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _draw_limits(
    axes: Any, limits: dict[str, float], ceilings: dict[str, str], rows: list[RowView]
) -> None:
    """Ceilings of arithmetic, and slopes of reading from the least and most memory."""
    intensities = [view.intensity for view in rows] or [1.0]
    low, high = min(intensities) / 4, max(intensities) * 2
    for name, label in ceilings.items():
        if name in limits:
            axes.plot([low, high], [limits[name]] * 2, color="black", lw=1)
            axes.text(high, limits[name], label, ha="right", va="bottom", fontsize=7)
    top = max((limits[name] for name in ceilings if name in limits), default=1.0)
    reading = sorted(
        (int(name.split(":")[1]), rate)
        for name, rate in limits.items()
        if name.startswith("read:")
    )
    for size, rate in dict(reading[:1] + reading[-1:]).items():
        end = top / rate
        axes.plot([low, end], [low * rate, top], color="black", lw=1, ls=":")
        text = f"reading {size_text(size)}, {rate:.0f} GB/s"
        axes.annotate(
            text,
            (low, low * rate),
            fontsize=7,
            xytext=(3, 3),
            textcoords="offset points",
        )
    axes.set_xlim(low, high)


def _draw_row(axes: Any, view: RowView) -> None:
    for name in view.seconds:
        library = library_of(name)
        ours = name == "needle"
        hollow = not ours or not view.is_exact(name)
        axes.plot(
            view.intensity,
            view.gmacs(name),
            marker=MARKERS[view.case.kind],
            ms=6 if ours else 4,
            color=COLOURS[library],
            mfc="none" if hollow else COLOURS[library],
            ls="",
            zorder=3 if ours else 2,
            alpha=1 if ours else 0.8,
        )


def _add_legend(figure: Any, plt: Any, rows: list[RowView]) -> None:
    """Colours are libraries, markers kinds."""
    libraries = {library_of(name) for view in rows for name in view.seconds}
    kinds = {view.case.kind for view in rows}
    entries = [
        plt.Line2D([], [], color=colour, marker="o", ls="", label=name)
        for name, colour in COLOURS.items()
        if name in libraries
    ]
    entries += [
        plt.Line2D(
            [],
            [],
            color="black",
            mfc="none",
            marker=MARKERS[kind],
            ls="",
            label=KINDS[kind].title,
        )
        for kind in CONTENDERS
        if kind in kinds
    ]
    figure.legend(handles=entries, loc="lower center", ncol=6, fontsize=8)
