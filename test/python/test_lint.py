"""clang-tidy's results are remembered exactly as long as they hold.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import lint  # noqa: E402
import tidy  # noqa: E402

NINJA = """\
rule cxx
  command = clang++-22 -MD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
build a.o: cxx {root}/lib/a.cpp
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source and its header, built as CMake would."""
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copy(ROOT / ".clang-tidy", tmp_path)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.h").write_text("int twice(int value);\n")
    source = tmp_path / "lib" / "a.cpp"
    source.write_text('#include "a.h"\nint twice(int value) { return 2 * value; }\n')
    build = tmp_path / "build" / "release"
    build.mkdir(parents=True)
    (build / "build.ninja").write_text(NINJA.format(root=tmp_path))
    entry = {
        "directory": str(build),
        "command": f"clang++-22 -O2 -Wall -c {source} -o a.o",
        "file": str(source),
    }
    (build / "compile_commands.json").write_text(json.dumps([entry]))
    return tmp_path


def add_source(project: Path, text: str) -> None:
    """Another source of the folder, b.cpp."""
    (project / "lib" / "b.cpp").write_text(text)
    build = project / "build" / "release"
    ninja = build / "build.ninja"
    ninja.write_text(ninja.read_text() + f"build b.o: cxx {project}/lib/b.cpp\n")
    database = build / "compile_commands.json"
    entries = json.loads(database.read_text())
    entries.append(json.loads(database.read_text().replace("a.", "b."))[0])
    database.write_text(json.dumps(entries))


def check(project: Path) -> str:
    """All findings."""
    build = project / "build" / "release"
    subprocess.run(["ninja", "-C", build], check=True, stdout=subprocess.DEVNULL)
    files = [path.relative_to(project) for path in (project / "lib").iterdir()]
    checks = tidy.Tidy(project, build, files, lint.run).checks()
    return "".join(run() or "" for _, run in checks)


def forbid_clang_tidy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any further analysis fail; the tool's version stays known."""
    real = lint.run
    monkeypatch.setattr(
        lint, "run", lambda *c: "analyzed" if c[0] == "clang-tidy-22" else real(*c)
    )


def test_findings_are_reported_and_not_remembered(project: Path) -> None:
    header = project / "lib" / "a.h"
    header.write_text(header.read_text() + "int Bad_Name(int value);\n")
    for _ in range(2):
        found = check(project)
        assert "Bad_Name" in found
        assert "readability-identifier-naming" in found


def test_sources_are_checked_together_and_alone(project: Path) -> None:
    add_source(
        project, "static int unused() { return 1; }\nint Bad_Name() { return 2; }\n"
    )
    found = check(project)
    assert "b.cpp:1" in found
    assert "clang-diagnostic-unused-function" in found
    assert "b.cpp:2" in found
    assert "Bad_Name" in found


def test_sources_that_clash_are_checked(project: Path) -> None:
    own = "static int once() {{ return 1; }}\nint {}() {{ return once(); }}\n"
    source = project / "lib" / "a.cpp"
    source.write_text(source.read_text() + own.format("first"))
    add_source(project, own.format("Bad_Name"))
    assert "Bad_Name" in check(project)


def test_what_does_not_compile_is_not_clean(project: Path) -> None:
    check(project)
    database = project / "build" / "release" / "compile_commands.json"
    missing = f"-include {project}/missing.h"
    database.write_text(database.read_text().replace("-O2", missing))
    assert "missing.h" in check(project)


def test_clean_results_are_remembered(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(project) == ""
    forbid_clang_tidy(monkeypatch)
    assert check(project) == ""


@pytest.mark.parametrize("file", ["lib/a.cpp", "lib/a.h", ".clang-tidy"])
def test_a_change_is_analyzed_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    assert check(project) == ""
    forbid_clang_tidy(monkeypatch)
    path = project / file
    path.write_text(path.read_text() + "\n")
    assert "analyzed" in check(project)


def test_optimization_does_not_matter(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(project) == ""
    forbid_clang_tidy(monkeypatch)
    database = project / "build" / "release" / "compile_commands.json"
    database.write_text(database.read_text().replace("-O2", "-O1"))
    assert check(project) == ""
    database.write_text(database.read_text().replace("-O1", "-DOTHER"))
    assert "analyzed" in check(project)
