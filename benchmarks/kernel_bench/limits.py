# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the machine can do at best: ``machine_limits.c``, built and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "machine_limits.c"
#: GCC keeps the sums in memory, which is no limit of the machine.
COMPILERS = ("clang-22", "clang")
ARITHMETIC = ("f32", "i16_pairs", "u8_quads", "u8_octets", "u4_blocks")
#: Those of instructions beyond AVX2, which a CPU may lack.
BEYOND_AVX2 = ("f32_512", "u8_dot_512")
_PAGE = 1 << 12


class NoCompilerError(Exception):
    """No compiler for the limits was found."""


def find_compiler() -> str:
    """A C compiler, or :class:`NoCompilerError`."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise NoCompilerError(
            f"no clang found (looked for {', '.join(COMPILERS)}), which the "
            "limits of the machine need"
        )
    return compiler


def build(folder: Path) -> Path:
    """Compile the program into ``folder``."""
    program = folder / "machine_limits"
    options = ["-O3", "-mavx2", "-mfma", str(SOURCE), "-o", str(program)]
    subprocess.run([find_compiler(), *options], check=True)
    return program


def read_kind(footprint: int) -> str:
    """The limit of reading so many bytes, in whole pages."""
    return f"read:{-(-footprint // _PAGE) * _PAGE}"


def measure(
    program: Path, kinds: Sequence[str], seconds: float, cpus: Iterable[int]
) -> dict[str, float]:
    """GMAC/s (GB/s for reading) by kind, of all these CPUs at work together.

    Each CPU runs a process of its own; a footprint is divided among them. Kinds that
    the CPU lacks instructions for are left out.
    """
    chosen = list(cpus)
    parts = [_share(kind, len(chosen)) for kind in kinds]
    running = []
    for cpu in chosen:
        with pinned({cpu}):
            command = [str(program), str(seconds), *parts]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    totals: dict[str, float] = {}
    for process in running:
        output, _ = process.communicate()
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        rates = json.loads(output)
        for kind, part in zip(kinds, parts, strict=True):
            if part in rates:
                totals[kind] = totals.get(kind, 0.0) + rates[part]
    return totals


def _share(kind: str, count: int) -> str:
    name, _, size = kind.partition(":")
    return f"{name}:{int(size) // count}" if size else kind


@contextmanager
def pinned(cpus: set[int]) -> Iterator[None]:
    """Processes that start meanwhile stay on these CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
