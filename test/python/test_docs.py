"""Every example in the pages of the project works as it is written.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path

import needle as ndl
import pytest
from doc_blocks import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(autouse=True)
def _tools_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the built tools where a user who installed needle has them."""
    build = Path(os.environ.get("NEEDLE_BUILD_DIR", ROOT / "build" / "release"))
    monkeypatch.setenv("PATH", f"{build / 'bin'}{os.pathsep}{os.environ['PATH']}")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_examples_run(page: Path, tmp_path: Path) -> None:
    Page(page, ROOT, tmp_path).run()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        target
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target
        and not target.startswith("#")
        and not (page.parent / target.split("#")[0]).exists()
    ]
    assert not broken


def test_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    targets = _LINK.findall(index.read_text(encoding="utf-8"))
    linked = {(index.parent / target).resolve() for target in targets}
    missing = {
        relative(page)
        for page in PAGES
        if page not in linked and page not in (index, ROOT / "README.md")
    }
    assert not missing


def test_readme_shows_how_to_start_and_runs_its_examples(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = readme.split("```")[1]
    assert "scripts/demo" in first
    assert "scripts/test" in first
    assert Page(ROOT / "README.md", ROOT, tmp_path).run() >= 3


def test_picture_is_what_its_script_draws() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "architecture_svg.py"))["draw"]()
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == drawn


def test_every_target_is_described() -> None:
    """The table names each target, and the features that it requires."""
    text = (ROOT / "docs" / "Targets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE)
    described = {name: tuple(re.findall(r"`([^`]+)`", what)) for name, what in rows}
    assert described == {row.name: row.features for row in ndl.targets()}
