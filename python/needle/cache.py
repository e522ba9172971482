# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The caches of compiled graphs, in memory and on disk.

A graph is found again by a hash of its text, source locations and constants,
the targets, and the build of needle.

Environment variables, read at each compilation:

``NEEDLE_CACHE``
    ``0`` turns both caches off.
``NEEDLE_CACHE_DIR``
    Folder of the disk cache; by default ``needle`` below ``$XDG_CACHE_HOME`` or
    ``~/.cache``.
``NEEDLE_CACHE_SIZE``
    Most megabytes on disk, 512 by default; the entries that were not used for
    the longest time are removed first.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from needle import _needle
from needle._files import write_atomically

if TYPE_CHECKING:
    from needle.executable import Executable

#: Most executables in memory, and most bytes of their artifacts.
MEMORY_ENTRIES = 64
MEMORY_BYTES = 256 * 2**20
_SUFFIX = ".ndl"

#: How an executable is used: NEEDLE_ISA, threads, entry point.
Use = tuple[str, int, "str | None"]


@dataclass(frozen=True)
class CacheInfo:
    """How often compilations were answered, and what is held now.

    Attributes
    ----------
    memory_hits, disk_hits
        Compilations answered from memory and from disk.
    misses
        Compilations that had to be done.
    discarded
        Damaged entries that were removed from disk.
    memory_entries
        Executables in memory.
    directory
        Folder of the disk cache.
    """

    memory_hits: int
    disk_hits: int
    misses: int
    discarded: int
    memory_entries: int
    directory: Path


class _State:
    """The memory cache and the counters, guarded by a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executables: OrderedDict[tuple[str, Use], Executable] = OrderedDict()
        self.counts = dict.fromkeys(("memory", "disk", "miss", "discarded"), 0)
        self.has_warned = False

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1


_state = _State()


def info() -> CacheInfo:
    """Counters since the process started or :func:`clear`, and what is held."""
    with _state.lock:
        counts = dict(_state.counts)
        entries = len(_state.executables)
    return CacheInfo(
        memory_hits=counts["memory"],
        disk_hits=counts["disk"],
        misses=counts["miss"],
        discarded=counts["discarded"],
        memory_entries=entries,
        directory=directory(),
    )


def clear(*, disk: bool = False) -> None:
    """Empty the memory cache, reset the counters and, if asked, empty the disk."""
    with _state.lock:
        _state.executables.clear()
        _state.counts = dict.fromkeys(_state.counts, 0)
    if disk:
        for path, _, _ in _entries():
            path.unlink(missing_ok=True)


def enabled() -> bool:
    """Whether ``NEEDLE_CACHE`` leaves the caches on."""
    return os.environ.get("NEEDLE_CACHE", "1") != "0"


def directory() -> Path:
    """Folder of the disk cache; it need not exist."""
    if chosen := os.environ.get("NEEDLE_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "needle"


def size_limit() -> int:
    """Most bytes on disk, by ``NEEDLE_CACHE_SIZE``.

    Raises
    ------
    ValueError
        If that is no number, or negative or not finite.
    """
    text = os.environ.get("NEEDLE_CACHE_SIZE") or "512"
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = math.nan
    if not (math.isfinite(megabytes) and megabytes >= 0):
        raise ValueError(
            "the environment variable NEEDLE_CACHE_SIZE is a number of megabytes, "
            f"0 or more, not {text!r}"
        )
    return int(megabytes * 2**20)


def isa_choice() -> str:
    """What the environment says about the ISA to run."""
    return os.environ.get("NEEDLE_ISA", "")


def make_key(fingerprint: bytes, targets: tuple[str, ...]) -> str:
    """The name of what compiling this graph for these targets gives."""
    # What distinguishes this build of needle: compilers differ in their code.
    build = os.stat(_needle.__file__)
    version = f"{_needle.version()}.{build.st_size:x}.{build.st_mtime_ns:x}"
    return f"{fingerprint.hex()}-{'+'.join(targets)}-{version}"


def find(key: str, use: Use) -> Executable | None:
    """An executable in memory."""
    if not enabled():
        return None
    with _state.lock:
        executable = _state.executables.get((key, use))
        if executable is not None:
            _state.executables.move_to_end((key, use))
            _state.counts["memory"] += 1
    return executable


def remember(key: str, use: Use, executable: Executable) -> Executable:
    """Keep an executable in memory; returns the one that is there from now on.

    Parameters
    ----------
    key
        The fingerprint of the graph and of what it was compiled for.
    use
        Target, threads and entry point that it runs with.
    executable
        Dropped if there is one already.
    """
    if not enabled():
        return executable
    with _state.lock:
        kept = _state.executables.setdefault((key, use), executable)
        _state.executables.move_to_end((key, use))
        total = sum(entry.nbytes for entry in _state.executables.values())
        while len(_state.executables) > MEMORY_ENTRIES or total > MEMORY_BYTES:
            _, oldest = _state.executables.popitem(last=False)
            total -= oldest.nbytes
    return kept


def read(key: str) -> bytes | None:
    """An artifact on disk, not yet checked."""
    if not enabled():
        return None
    path = directory() / (key + _SUFFIX)
    try:
        artifact = path.read_bytes()
        # The time of use, by which entries are evicted.
        os.utime(path)
    except OSError:
        _state.count("miss")
        return None
    _state.count("disk")
    return artifact


def discard(key: str) -> None:
    """Remove an artifact that turned out to be damaged."""
    with contextlib.suppress(OSError):
        (directory() / (key + _SUFFIX)).unlink()
    with _state.lock:
        _state.counts["disk"] -= 1
        _state.counts["miss"] += 1
        _state.counts["discarded"] += 1


def write(key: str, artifact: bytes) -> None:
    """Keep an artifact on disk; warns once if that cannot be done."""
    if not enabled():
        return
    folder = directory()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / (key + _SUFFIX), artifact)
        _evict()
    except OSError as error:
        if not _state.has_warned:
            _state.has_warned = True
            warnings.warn(
                f"needle cannot cache compiled graphs in {folder}: {error}; set "
                "NEEDLE_CACHE_DIR to a writable folder, or NEEDLE_CACHE=0",
                RuntimeWarning,
                stacklevel=3,
            )


def _entries() -> list[tuple[Path, float, int]]:
    """(path, time of last use, size) of each entry on disk, oldest first."""
    found = []
    try:
        for entry in os.scandir(directory()):
            if entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                # Another process may remove it at any time.
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat()
                    found.append((Path(entry.path), status.st_mtime, status.st_size))
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda item: item[1])


def _evict() -> None:
    limit = size_limit()
    entries = _entries()
    total = sum(size for _, _, size in entries)
    for path, _, size in entries:
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size
