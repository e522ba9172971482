"""Runs the code blocks of a Markdown page, so that documentation can't rot.

What a fenced block's info string says decides what happens to it:

- ``python``: executed; all of a page share one namespace and one folder, in
  which the source tree's folders appear.
- ``console``: a line ``$ COMMAND`` is run by bash; the lines up to the next
  one must occur in its output in this order, each within a line, with ``...``
  for anything and blanks compared loosely. Its exit status must be 0, or N
  where the last of these lines is ``[exit status N]``.
- ``output``: what the Python block before it printed, compared in that way.
- ``LANGUAGE file=NAME``: written to NAME in the page's folder.
- ``sh``: commands that are too long to run here; each must name a program
  that exists.
- anything else is for reading.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$")
_EXIT = re.compile(r"^\[exit status (\d+)\]$")
_COMMAND_SECONDS = 300


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string, text, and first line's number."""

    info: str
    text: str
    line: int


def parse(markdown: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    fence: re.Match[str] | None = None
    lines: list[str] = []
    start = 0
    for number, line in enumerate(markdown.splitlines(), 1):
        match = _FENCE.match(line)
        if fence is None:
            if match:
                fence, lines, start = match, [], number + 1
        elif match and match[2].startswith(fence[2]) and not match[3]:
            yield Block(fence[3], "".join(lines), start)
            fence = None
        else:
            lines.append(line.removeprefix(fence[1]) + "\n")
    if fence is not None:
        raise ValueError(f"line {start - 1}: the code block is never closed")


def mismatch(expected: list[str], output: str) -> str | None:
    """The first expected line that the output lacks, if one does."""
    rest = iter(output.splitlines())
    for line in expected:
        wanted = ".*".join(
            r"\s+".join(re.escape(word) for word in part.split())
            for part in line.strip().split("...")
        )
        if wanted and not any(re.search(wanted, candidate) for candidate in rest):
            return line.strip()
    return None


class Page:
    """Executes the blocks of one page in a folder of its own."""

    def __init__(self, path: Path, root: Path, folder: Path) -> None:
        self.path, self.root, self.folder = path, root, folder
        self.namespace: dict[str, object] = {"__name__": "__main__"}
        self.printed = ""
        # A page speaks of the sources as seen from the root; what it writes
        # stays out of them.
        for entry in root.iterdir():
            if entry.is_dir() and entry.name[0] != "." and entry.name != "build":
                (folder / entry.name).symlink_to(entry)

    def run(self) -> int:
        """Run all blocks; the number of those that were checked."""
        return sum(map(self._run_block, parse(self.path.read_text(encoding="utf-8"))))

    def _run_block(self, block: Block) -> bool:
        language, _, attributes = block.info.partition(" ")
        if attributes.startswith("file="):
            (self.folder / attributes.removeprefix("file=")).write_text(block.text)
            return False
        action = {
            "python": self._python,
            "output": self._output,
            "console": self._console,
            "sh": self._names_programs,
        }.get(language)
        if action is None:
            return False
        action(block)
        return True

    def _fail(self, line: int, message: str) -> None:
        raise AssertionError(f"{self.path.relative_to(self.root)}:{line}: {message}")

    def _python(self, block: Block) -> None:
        # Blank lines in front make a traceback name the page's own lines.
        source = "\n" * (block.line - 1) + block.text
        printed = io.StringIO()
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(source, str(self.path), "exec"), self.namespace)
        finally:
            os.chdir(before)
        self.printed = printed.getvalue()

    def _output(self, block: Block) -> None:
        missing = mismatch(block.text.splitlines(), self.printed)
        if missing is not None:
            self._fail(block.line, f"not printed: {missing}\nprinted:\n{self.printed}")

    def _console(self, block: Block) -> None:
        if not block.text.startswith("$ "):
            self._fail(block.line, "a console block begins with '$ COMMAND'")
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            while command.endswith("\\"):
                more, _, expected = expected.partition("\n")
                command = command.removesuffix("\\") + more
            self._command(block.line, command, expected.splitlines())

    def _command(self, line: int, command: str, expected: list[str]) -> None:
        status = 0
        if expected and (match := _EXIT.match(expected[-1])):
            status, expected = int(match[1]), expected[:-1]
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        said = f"$ {command}\n{done.stdout}"
        if done.returncode != status:
            self._fail(line, f"exit status {done.returncode}, not {status}\n{said}")
        missing = mismatch(expected, done.stdout)
        if missing is not None:
            self._fail(line, f"not in the output: {missing}\n{said}")

    def _names_programs(self, block: Block) -> None:
        for command in block.text.splitlines():
            words = shlex.split(command, comments=True)
            while words and re.match(r"\w+=", words[0]):
                words = words[1:]
            if not words:
                continue
            path = self.root / words[0]
            if not os.access(path, os.X_OK) and shutil.which(words[0]) is None:
                self._fail(block.line, f"there is no program {words[0]}")
