"""The generated reference describes every operation and every pass.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NEEDLE_BUILD_DIR", ROOT / "build" / "release"))
# What the generator itself writes below the heading of an entry.
GENERATED = re.compile(r"^(Syntax:|Traits:|Interfaces:|Effects:|####|_.+_$|```)")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    subprocess.run(["ninja", "-C", BUILD, "needle-doc"], check=True)
    return {path.stem: path.read_text() for path in (BUILD / "docs").glob("*.md")}


def entries(page: str) -> dict[str, str]:
    """The heading of each operation or pass → the text below it."""
    parts = re.split(r"^### `(-?needle[\w.-]*)`.*$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def has_description(text: str) -> bool:
    text = re.sub(r"^Syntax:\n\n```\n.*?\n```$", "", text, flags=re.M | re.S)
    first = next((line for line in text.splitlines()[2:] if line.strip()), "")
    while first.startswith("_"):
        text = text.split(first, 1)[1]
        first = next((line for line in text.splitlines() if line.strip()), "")
    return bool(first) and not GENERATED.match(first)


def test_every_operation_and_pass_has_summary_and_description(
    pages: dict[str, str],
) -> None:
    found = {
        name: text for page in pages.values() for name, text in entries(page).items()
    }
    assert {"needle.matmul", "needle.qmatmul", "-needle-quantize"} <= set(found)
    without = [
        name
        for name, text in found.items()
        if not re.search(r"^_.+_$", text, re.MULTILINE) or not has_description(text)
    ]
    assert not without


def test_examples_are_not_indented_into_plain_text(pages: dict[str, str]) -> None:
    indented = [
        f"{name}: {line.strip()}"
        for name, page in pages.items()
        for line in page.splitlines()
        if re.match(r" {4,}```", line)
    ]
    assert not indented


def test_a_missing_description_is_noticed() -> None:
    described = (
        "\n\n_Sum_\n\nSyntax:\n\n```\noperation ::= x\n```\n\nIEEE.\n\nTraits: `A`\n"
    )
    assert has_description(described)
    assert not has_description(described.replace("IEEE.\n\n", ""))
    assert has_description("\n\n_Marks_\n\nPuts a mark.\n\n#### Options\n")
    assert not has_description("\n\n_Marks_\n\n#### Options\n")
