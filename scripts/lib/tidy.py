"""clang-tidy over the translation units of a build folder.

MLIR's headers make it slow: most checks walk through all declarations, which takes
fifteen seconds a file. So the sources of a folder are checked as one file that includes
them, and each alone only for what an inclusion would hide. What was found clean is
remembered in the user's cache folder by the content of all that went into it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

Run = Callable[..., "str | None"]

#: What is said of a file by itself: warnings, among them those of unused functions, and
#: using declarations that nothing in the file needs.
ALONE = ("clang-diagnostic-*", "misc-unused-alias-decls", "misc-unused-using-decls")
#: Checks of names and idioms; tests live without them.
STYLE = (
    "modernize-use-bool-literals",
    "modernize-use-equals-default",
    "readability-container-size-empty",
    "readability-identifier-naming",
)


def cache_folder() -> Path:
    """Where clean results are remembered, for all clones of the project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "needle-lint"


class Tidy:
    """The checks of all sources of `files` that `build` compiles.

    `run` runs a command and returns its output if it fails.
    """

    def __init__(
        self, root: Path, build: Path, files: Iterable[Path], run: Run
    ) -> None:
        self.root, self.build, self.run = root, build, run
        self.cache = cache_folder()
        self.cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run(
            ["clang-tidy-22", "--version"], check=True, stdout=subprocess.PIPE
        ).stdout
        texts = [(root / ".clang-tidy").read_bytes(), Path(__file__).read_bytes()]
        self.common = version + b"".join(texts)
        self.units = self._read_units({str(root / path) for path in files})
        self.inputs = self._read_inputs()

    def checks(self) -> list[tuple[str, Callable[[], str | None]]]:
        """All of them as names and functions that return findings."""
        result: list[tuple[str, Callable[[], str | None]]] = []
        folders: dict[tuple[Path, str], list[str]] = defaultdict(list)
        for name in self.units:
            path = Path(name)
            folders[path.parent, path.suffix + self._flags(name)].append(name)
        # Folders take longest.
        for (folder, _), names in sorted(
            folders.items(), key=lambda item: -len(item[1])
        ):
            label = f"clang-tidy {folder.relative_to(self.root)}/{Path(names[0]).name}…"
            result.append((label, partial(self._check_together, names)))
        for name in self.units:
            label = f"clang-tidy {Path(name).relative_to(self.root)}"
            result.append((label, partial(self._check_alone, name)))
        return result

    def prune(self, keep: int = 5000) -> None:
        """Forget the results used longest ago."""
        marks = sorted(self.cache.iterdir(), key=lambda mark: mark.stat().st_mtime)
        for mark in marks[:-keep]:
            mark.unlink(missing_ok=True)

    # -- What there is ---------------------------------------------------------

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
        sources = {}
        for name, entry in self.units.items():
            if match := re.search(r" -o (\S+)", entry["command"]):
                sources[match[1]] = name
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
                if path.is_relative_to(self.root) and path.suffix != ".pch":
                    current.append(path)
        unknown = self.units.keys() - result.keys()
        if unknown:
            raise SystemExit(f"error: not built yet: {', '.join(sorted(unknown))}")
        return result

    def _header_filter(self) -> str:
        """Sources are included, as headers are; what is generated is not ours."""
        root = re.sub(r"([.+*?()\[\]{}|^$\\])", r"\\\1", str(self.root))
        paths = [Path(name).relative_to(self.root) for name in self.units]
        folders = {"include"} | {path.parts[0] for path in paths}
        return rf"^{root}/({'|'.join(sorted(folders))})/[^:]*\.(h|c|cpp)$"

    def _flags(self, name: str) -> str:
        """How a source is compiled, but for what is named after it."""
        command = self.units[name]["command"].replace(name, "")
        command = re.sub(r"^(\S*ccache )?\S+", "", command)
        return re.sub(r" -(?:o|MT|MF) \S+| -MD| -c(?= |$)", "", command).strip()

    # -- What was found before -------------------------------------------------

    def _mark(self, kind: str, names: Iterable[str]) -> Path:
        """The file whose presence says that these contents were found clean."""
        names = list(names)
        # The same in every clone and preset: neither folder nor -O matters here.
        flags = self._flags(names[0]).replace(str(self.build), "")
        flags = re.sub(r"(^| )-O\w+", "", flags.replace(str(self.root), ""))
        digest = hashlib.sha256(self.common + kind.encode() + flags.encode())
        files = {Path(name) for name in names}
        for path in sorted(files.union(*(self.inputs[name] for name in names))):
            base = self.build if path.is_relative_to(self.build) else self.root
            digest.update(str(path.relative_to(base)).encode())
            digest.update(path.read_bytes() if path.exists() else b"")
        return self.cache / digest.hexdigest()

    def _remember(
        self, kind: str, names: list[str], check: Callable[[], str | None]
    ) -> str | None:
        mark = self._mark(kind, names)
        found = None if mark.exists() else check()
        if found is None:
            mark.touch()
        return found

    # -- Checking --------------------------------------------------------------

    def _check_alone(self, name: str) -> str | None:
        """Findings that depend on what else is in the translation unit."""
        command = ("clang-tidy-22", "--quiet", "-p", str(self.build))
        wanted = "--checks=-*," + ",".join(ALONE)
        return self._remember("alone", [name], lambda: self.run(*command, wanted, name))

    def _check_together(self, names: list[str]) -> str | None:
        """All other findings in sources that are compiled alike."""
        return self._remember("together", names, lambda: self._check_parts(names))

    def _check_parts(self, names: list[str]) -> str | None:
        """Sources that do not go together are checked with each other, or alone."""
        flags = shlex.split(self._flags(names[0]))
        unwanted: tuple[str, ...] = ALONE
        if Path(names[0]).is_relative_to(self.root / "test"):
            unwanted += STYLE
        folder = self.build / "tidy"
        folder.mkdir(exist_ok=True)
        key = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        found, rest = "", names
        for part in range(len(names)):
            source = folder / f"{key}-{part}{Path(names[0]).suffix}"
            rest, broken = self._write(source, rest, flags)
            found += broken or (
                self.run(
                    "clang-tidy-22",
                    "--quiet",
                    f"--config-file={self.root / '.clang-tidy'}",
                    "--checks=" + ",".join(f"-{check}" for check in unwanted),
                    f"--header-filter={self._header_filter()}",
                    str(source),
                    "--",
                    *flags,
                )
                or ""
            )
            if not rest:
                break
        return found or None

    def _write(
        self, source: Path, names: list[str], flags: list[str]
    ) -> tuple[list[str], str]:
        """Make `source` include what compiles together, the first at least.

        Returns the others, and why not even the first ones compile.
        """
        compiler = "clang-22" if source.suffix == ".c" else "clang++-22"
        command = [compiler, *flags, "-fsyntax-only", "-ferror-limit=0", str(source)]
        together, rest = list(names), list[str]()
        while True:
            source.write_text("".join(f'#include "{name}"\n' for name in together))
            done = subprocess.run(
                command, cwd=self.root, capture_output=True, text=True, errors="replace"
            )
            clashing = [
                name
                for name in together[1:]
                if re.search(rf"^{re.escape(name)}:\d+:\d+: error:", done.stderr, re.M)
            ]
            if done.returncode and not clashing and len(together) > 1:
                # What is wrong shows where nothing names the file.
                clashing = together[1:]
            if not clashing:
                return rest, done.stderr if done.returncode else ""
            together = [name for name in together if name not in clashing]
            rest += clashing
