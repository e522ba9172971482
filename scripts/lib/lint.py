"""Formatting and static checks of all sources, one test case a tool and file.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import junit
from tidy import Tidy

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
    tidy = Tidy(ROOT, build, files, run)
    tidy.prune()
    return tidy.checks() + result


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
