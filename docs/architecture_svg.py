"""Draws docs/architecture.svg: run it after changing the picture.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from html import escape
from pathlib import Path

WIDTH, HEIGHT = 980, 760
FILL = {"input": "#eef2f7", "ir": "#e3f0e3", "code": "#fdf0d8", "run": "#e6e2f3"}
FILL["check"] = "#fbe4e4"
LINE = "#404850"

parts: list[str] = []


def box(x: int, y: int, w: int, h: int, kind: str, title: str, *lines: str) -> None:
    """A box with a bold title and lines of explanation, all centred."""
    parts.append(
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="8"'
        f' fill="{FILL[kind]}" stroke="{LINE}"/>'
    )
    middle = x + w / 2
    first = y + h / 2 + 5 - 9 * len(lines)
    parts.append(
        f'<text x="{middle}" y="{first}" font-weight="bold">{escape(title)}</text>'
    )
    for number, line in enumerate(lines, 1):
        parts.append(
            f'<text x="{middle}" y="{first + 18 * number}" font-size="13">'
            f"{escape(line)}</text>"
        )


def arrow(x1: int, y1: int, x2: int, y2: int, label: str = "") -> None:
    """An arrow; its label stands left of the middle."""
    parts.append(
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}"'
        ' stroke-width="1.5" marker-end="url(#head)"/>'
    )
    if label:
        parts.append(
            f'<text x="{(x1 + x2) / 2 - 10}" y="{(y1 + y2) / 2 + 4}" font-size="13"'
            f' font-style="italic" text-anchor="end">{escape(label)}</text>'
        )


def dashed(x1: int, y1: int, x2: int, y2: int) -> None:
    """A dashed line without a head: "is compared with"."""
    parts.append(
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#b04040"'
        ' stroke-width="1.5" stroke-dasharray="6 4"/>'
    )


def band(y: int, h: int, name: str) -> None:
    """A light band across the picture with its name at the left."""
    parts.append(
        f'<rect x="8" y="{y}" width="{WIDTH - 16}" height="{h}" rx="10"'
        ' fill="#fafafa" stroke="#d8dce0"/>'
    )
    parts.append(
        f'<text x="22" y="{y + 22}" font-size="13" fill="#606870"'
        f' text-anchor="start">{escape(name)}</text>'
    )


def draw() -> str:
    """The whole picture."""
    band(8, 92, "Python, tools")
    band(112, 424, "Compiler: C++, MLIR")
    band(548, 204, "Runtime: C ABI, no LLVM")

    box(190, 24, 220, 60, "input", "ndl.GraphBuilder", "weights as NumPy arrays")
    box(430, 24, 220, 60, "input", "MLIR text", "needle-opt, needle-compile")
    box(22, 44, 150, 40, "input", "ndl.jit", "traces Tensors")
    box(690, 24, 260, 60, "input", "NDArray, Tensor, nn, optim", "eager: a + b, a @ b")
    arrow(172, 62, 188, 56)
    arrow(300, 84, 390, 140)
    arrow(540, 84, 470, 140)

    box(280, 142, 300, 56, "ir", "needle dialect", "float graph on tensors")
    arrow(430, 198, 430, 230, "quantize (calibrated ranges → parameters)")
    box(280, 232, 300, 56, "ir", "needle + quant types", "float ops between q / dq")
    arrow(430, 288, 430, 320, "fuse (or record the reason why not)")
    box(280, 322, 300, 56, "ir", "integer ops", "qmatmul: bias, rescale, activation")
    arrow(430, 378, 430, 410, "pack weights, lower, bufferize, plan one arena")
    box(190, 412, 480, 56, "ir", "linalg · needle_cpu · vector", "one kernel per shape "
        "class and target description")  # fmt: skip
    arrow(300, 468, 300, 492)
    arrow(430, 468, 430, 492)
    arrow(560, 468, 560, 492)
    box(190, 494, 480, 32, "code", "LLVM: x86-64 body, AVX2 body, …")

    box(730, 250, 220, 92, "check", "Reference interpreter", "the oracle: plain loops",
        "by the rules N1–N8", "at every stage")  # fmt: skip
    dashed(580, 170, 728, 270)
    dashed(580, 260, 728, 290)
    dashed(580, 350, 728, 310)
    dashed(840, 342, 840, 620)

    box(22, 412, 150, 114, "ir", "kernels/*.mlir", "for all shapes and",
        "strides; compiled", "when needle is built")  # fmt: skip
    arrow(172, 510, 188, 510)

    arrow(430, 526, 430, 574)
    box(190, 576, 480, 52, "code", "artifact", "code for each ISA, weights, signature, "
        "checksum")  # fmt: skip
    arrow(430, 628, 430, 654)
    box(190, 656, 480, 82, "run", "runtime", "load and verify, choose the body for "
        "this CPU,", "thread pool, arena: a run allocates nothing")  # fmt: skip
    box(22, 576, 150, 162, "run", "runtime/eager", "arrays, views,",
        "launching kernels", "on any strides:", "nothing compiled",
        "at call time")  # fmt: skip
    arrow(190, 602, 174, 620)
    box(730, 622, 220, 116, "run", "callers", "ndl.Executable, ndl.jit", "needle-run",
        "C programs", "integer results: ==")  # fmt: skip
    arrow(670, 697, 728, 697)

    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="15"'
            ' text-anchor="middle" fill="#202428">',
            "<title>From a graph to code that runs</title>",
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5"'
            ' markerWidth="8" markerHeight="8" orient="auto">'
            f'<path d="M0 0L10 5L0 10z" fill="{LINE}"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    Path(__file__).with_name("architecture.svg").write_text(draw(), encoding="utf-8")
