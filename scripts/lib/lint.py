"""Formatting and static checks of all sources, one test case a tool and file.

clang-tidy takes seconds a file, so a clean result is remembered under
build/.lint-cache by the content of everything that went into it.

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


class Tidy:
    """clang-tidy on the translation units of one build folder."""

    def __init__(self, build: Path) -> None:
        self.build = build
        self.cache = ROOT / "build" / ".lint-cache"
        self.cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run(
            ["clang-tidy-22", "--version"], check=True, stdout=subprocess.PIPE
        ).stdout
        common = hashlib.sha256(version)
        for name in (".clang-tidy", "cmake/precompiled.h"):
            common.update((ROOT / name).read_bytes())
        self.common = common.digest()
        self.dependencies = self._read_dependencies()

    def _read_dependencies(self) -> dict[str, list[str]]:
        """Object file → the files it was compiled from, as Ninja recorded them."""
        listed = subprocess.run(
            ["ninja", "-C", str(self.build), "-t", "deps"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        result: dict[str, list[str]] = {}
        current: list[str] = []
        for line in listed.splitlines():
            if line.startswith("    "):
                current.append(line.strip())
            elif match := re.match(r"(\S+): #deps", line):
                current = result.setdefault(match[1], [])
        return result

    def units(self) -> list[dict[str, str]]:
        """The entries of the compile database that are our own sources."""
        text = (self.build / "compile_commands.json").read_text()
        units: dict[str, dict[str, str]] = {}
        for entry in json.loads(text):
            path = Path(entry["file"])
            if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
                units.setdefault(entry["file"], entry)
        return [units[name] for name in sorted(units)]

    def key(self, unit: dict[str, str]) -> str:
        """Hash of all that decides clang-tidy's verdict on one unit."""
        digest = hashlib.sha256(self.common)
        digest.update(unit["command"].replace(str(ROOT), "").encode())
        inputs = {Path(unit["file"])}
        for name in self.dependencies.get(unit.get("output", ""), []):
            inputs.add((self.build / name).resolve())
        for path in sorted(inputs):
            # What lies outside is a package and comes with the tool's version.
            if path.is_relative_to(ROOT) and path.suffix != ".pch" and path.exists():
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def check(self, unit: dict[str, str]) -> str | None:
        """Findings in one unit, from the cache where nothing changed."""
        mark = self.cache / self.key(unit)
        if mark.exists():
            mark.touch()
            return None
        found = run("clang-tidy-22", "--quiet", "-p", self.build, unit["file"])
        if found is None:
            mark.touch()
        return found

    def prune(self, keep: int = 5000) -> None:
        """Forget the results used longest ago."""
        marks = sorted(self.cache.iterdir(), key=lambda m: m.stat().st_mtime)
        for mark in marks[:-keep]:
            mark.unlink()


Check = tuple[str, Callable[[], "str | None"]]


def checks(files: Iterable[Path], build: Path) -> list[Check]:
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
    tidy = Tidy(build)
    tidy.prune()
    for unit in tidy.units():
        name = Path(unit["file"]).relative_to(ROOT)
        result.append((f"clang-tidy {name}", partial(tidy.check, unit)))
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
