"""Formatting and static checks of all sources, one test case a tool and file.

clang-tidy takes seconds a file, so a clean result is remembered in the user's
cache folder by the content of everything that went into it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import junit

ROOT = Path(__file__).resolve().parents[2]
CPP = {".c", ".cpp", ".h"}
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
SPDX_NAMES = {"CMakeLists.txt"}
SPDX_SUFFIXES = CPP | {".py", ".td", ".cmake", ".sh"}
# Checks that make clang-tidy walk through all of MLIR's headers: ten seconds a
# file with them, one without. What they find is in a file's own text, so a change
# of a header elsewhere is no reason to run them again.
SLOW_CHECKS = (
    "bugprone-infinite-loop",
    "bugprone-swapped-arguments",
    "bugprone-unused-raii",
    "misc-redundant-expression",
    "misc-static-assert",
    "modernize-make-unique",
    "modernize-use-bool-literals",
    "modernize-use-equals-default",
    "readability-container-size-empty",
    "readability-identifier-naming",
)


def run(*command: str | Path) -> str | None:
    """Run a command at the root; None, or its output if it failed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return None
    return done.stdout or f"exited with status {done.returncode}"


def source_files() -> list[Path]:
    """All files that git tracks or would track, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    names = sorted({Path(os.fsdecode(name)) for name in listed.split(b"\0") if name})
    return [name for name in names if (ROOT / name).is_file()]


def is_shell_script(path: Path) -> bool:
    """Whether the first line asks for bash."""
    with (ROOT / path).open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and b"bash" in first


def check_license(path: Path) -> str | None:
    """The SPDX line is among the first lines of every source file."""
    with (ROOT / path).open(encoding="utf-8") as file:
        head = "".join(line for _, line in zip(range(20), file, strict=False))
    return None if SPDX in head else f"{path}: no line '{SPDX}' near the top"


def cache_folder() -> Path:
    """Where clean results are remembered, for all clones of the project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "needle-lint"


class Tidy:
    """clang-tidy on the translation units of one build folder."""

    def __init__(self, build: Path, files: Iterable[Path]) -> None:
        self.build = build
        self.cache = cache_folder()
        self.cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run(
            ["clang-tidy-22", "--version"], check=True, stdout=subprocess.PIPE
        ).stdout
        self.common = version + (ROOT / ".clang-tidy").read_bytes()
        self.units = self._read_units({str(ROOT / path) for path in files})
        inputs = self._read_inputs()
        self.inputs = {name: inputs.get(name, []) for name in self.units}
        self.own = self._share_headers()

    def _read_units(self, ours: set[str]) -> dict[str, dict[str, str]]:
        """Our own sources in the compile database, each once, with its entry."""
        text = (self.build / "compile_commands.json").read_text()
        units: dict[str, dict[str, str]] = {}
        for entry in json.loads(text):
            if entry["file"] in ours:
                units.setdefault(entry["file"], entry)
        return dict(sorted(units.items()))

    def _read_inputs(self) -> dict[str, list[Path]]:
        """Source → our files that it includes, as Ninja recorded them."""
        listed = subprocess.run(
            ["ninja", "-C", str(self.build), "-t", "deps"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        sources = {entry.get("output"): name for name, entry in self.units.items()}
        result: dict[str, list[Path]] = {}
        current: list[Path] = []
        for line in listed.splitlines():
            if match := re.match(r"(\S+): #deps", line):
                current = []
                if match[1] in sources:
                    result[sources[match[1]]] = current
            elif line.startswith("    "):
                path = (self.build / line.strip()).resolve()
                # What lies outside is a package and comes with the tool's version.
                if path.is_relative_to(ROOT) and path.suffix != ".pch":
                    current.append(path)
        return result

    def _share_headers(self) -> dict[str, list[Path]]:
        """Source → itself and the headers whose text is checked through it."""
        taken: set[Path] = set()
        own: dict[str, list[Path]] = {}
        for name, inputs in self.inputs.items():
            headers = {path for path in inputs if path.suffix == ".h"} - taken
            taken |= headers
            own[name] = [Path(name), *sorted(headers - {Path(name)})]
        return own

    def _mark(self, kind: str, name: str, files: Iterable[Path]) -> Path:
        """The file whose presence says that these contents were found clean."""
        # The same in every clone and preset: neither folder nor -O matters here.
        command = self.units[name]["command"].replace(str(self.build), "")
        command = re.sub(r" -O\w+", "", command.replace(str(ROOT), ""))
        digest = hashlib.sha256(self.common + kind.encode() + command.encode())
        for path in sorted({Path(name), *files}):
            base = self.build if path.is_relative_to(self.build) else ROOT
            digest.update(str(path.relative_to(base)).encode())
            digest.update(path.read_bytes() if path.exists() else b"")
        return self.cache / digest.hexdigest()

    def check(self, name: str) -> str | None:
        """Findings in one source, from the cache where nothing changed."""
        fast = self._mark("fast", name, self.inputs[name])
        slow = self._mark("slow", name, self.own[name])
        # Slow checks are about names and idioms; tests live without them.
        wanted = [fast] if Path(name).is_relative_to(ROOT / "test") else [fast, slow]
        todo = [mark for mark in wanted if not mark.exists()]
        command = ["clang-tidy-22", "--quiet", "-p", str(self.build), name]
        if todo == [fast]:
            command.append("--checks=" + ",".join(f"-{check}" for check in SLOW_CHECKS))
        elif todo == [slow]:
            command.append("--checks=-*," + ",".join(SLOW_CHECKS))
        found = run(*command) if todo else None
        if found is None:
            for mark in wanted:
                mark.touch()
        return found

    def prune(self, keep: int = 5000) -> None:
        """Forget the results used longest ago."""
        marks = sorted(self.cache.iterdir(), key=lambda mark: mark.stat().st_mtime)
        for mark in marks[:-keep]:
            mark.unlink(missing_ok=True)


Check = tuple[str, Callable[[], "str | None"]]


def checks(files: list[Path], build: Path) -> list[Check]:
    """Every check as a name and a function that returns what is wrong."""
    result: list[Check] = []
    for path in files:
        if path.suffix in CPP:
            command = ("clang-format-22", "--dry-run", "-Werror", str(path))
            result.append((f"clang-format {path}", partial(run, *command)))
        if path.suffix in SPDX_SUFFIXES or path.name in SPDX_NAMES:
            result.append((f"license {path}", partial(check_license, path)))
        if not path.suffix and is_shell_script(path):
            result.append(
                (f"shellcheck {path}", partial(run, "shellcheck", "-x", path))
            )
    result.append(("ruff check", partial(run, "ruff", "check", ".")))
    result.append(("ruff format", partial(run, "ruff", "format", "--check", ".")))
    result.append(("mypy", partial(run, sys.executable, "-m", "mypy")))
    tidy = Tidy(build, files)
    tidy.prune()
    for name in tidy.units:
        label = f"clang-tidy {Path(name).relative_to(ROOT)}"
        result.append((label, partial(tidy.check, name)))
    return result


def main() -> int:
    """Run all checks on as many threads as there are processors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="a built folder")
    parser.add_argument("--junit", type=Path, required=True, help="results file")
    arguments = parser.parse_args()

    todo = checks(source_files(), arguments.build.resolve())
    cases: list[junit.Case] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for (name, _), failure in zip(
            todo, pool.map(lambda check: check[1](), todo), strict=True
        ):
            cases.append(junit.Case(name, failure=failure))
            if failure is not None:
                print(f"FAIL: {name}\n{failure.rstrip()}\n", flush=True)
    junit.write(arguments.junit, "lint", cases)
    failed = sum(case.failure is not None for case in cases)
    print(f"{len(cases) - failed} of {len(cases)} checks passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
