# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The caches in memory and on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from graphs import data, make_linear, make_relu


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)


def test_memory(empty_cache: Path) -> None:
    first = ndl.compile(make_linear())
    assert ndl.compile(make_linear()) is first
    assert ndl.compile(make_linear(), threads=2) is not first
    assert ndl.compile(make_linear(), target="avx2") is not first
    assert ndl.compile(make_linear(seed=1)) is not first
    info = ndl.cache.info()
    # Another number of threads is loaded from disk, not compiled again.
    assert (info.memory_hits, info.disk_hits, info.misses) == (1, 1, 3)
    assert info.memory_entries == 4
    assert info.directory == empty_cache


def test_memory_is_bounded(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndl.cache, "MEMORY_ENTRIES", 2)
    graphs = [make_relu((size,)) for size in (1, 2, 3)]
    kept = [ndl.compile(graph) for graph in graphs[:2]]
    assert ndl.compile(graphs[0]) is kept[0]  # the other is now the oldest
    ndl.compile(graphs[2])
    assert ndl.cache.info().memory_entries == 2
    assert ndl.compile(graphs[0]) is kept[0]
    assert ndl.compile(graphs[1]) is not kept[1]


def test_memory_is_bounded_in_bytes(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ndl.compile(make_linear(64, 64, seed=1))
    assert first.nbytes == len(first.artifact)
    monkeypatch.setattr(ndl.cache, "MEMORY_BYTES", first.nbytes * 3 // 2)
    second = ndl.compile(make_linear(64, 64, seed=2))
    assert ndl.cache.info().memory_entries == 1
    assert ndl.compile(make_linear(64, 64, seed=2)) is second


def test_disk(empty_cache: Path) -> None:
    first = ndl.compile(make_linear())
    (path,) = entries(empty_cache)
    assert path.read_bytes() == first.artifact
    ndl.cache.clear()
    second = ndl.compile(make_linear())
    assert second is not first
    assert list(second.compile_times) == ["cache"]
    assert ndl.cache.info().disk_hits == 1
    np.testing.assert_array_equal(second(data(3, 8)), first(data(3, 8)))
    # The source is at hand, wherever the code comes from.
    assert "needle.matmul" in second.mlir()
    ndl.cache.clear(disk=True)
    assert entries(empty_cache) == []


def test_disk_across_processes(empty_cache: Path) -> None:
    code = (
        "import needle, graphs; needle.compile(graphs.make_linear()); "
        "i = needle.cache.info(); print(i.disk_hits, i.misses)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def run() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run() == "0 1\n"
    assert run() == "1 0\n"


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "garbage"])
def test_damaged_entries_are_compiled_again(empty_cache: Path, damage: str) -> None:
    first = ndl.compile(make_linear())
    (path,) = entries(empty_cache)
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    path.write_bytes(
        {
            "truncated": good[:-1],
            "flipped": bytes(flipped),
            "empty": b"",
            "garbage": b"garbage" * 100,
        }[damage]
    )
    ndl.cache.clear()
    again = ndl.compile(make_linear())
    info = ndl.cache.info()
    assert (info.misses, info.disk_hits, info.discarded) == (1, 0, 1)
    assert len(again.compile_times) > 1
    assert again.artifact == first.artifact
    assert path.read_bytes() == good


def test_turned_off(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEEDLE_CACHE", "0")
    first = ndl.compile(make_linear())
    assert ndl.compile(make_linear()) is not first
    assert not empty_cache.exists()
    assert ndl.cache.info().memory_entries == 0
    assert not ndl.cache.enabled()


def test_size_is_bounded(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = [make_linear(64, 64, seed=seed) for seed in range(4)]
    size = len(ndl.compile(graphs[0]).artifact)
    monkeypatch.setenv("NEEDLE_CACHE_SIZE", str(2.5 * size / 2**20))
    ndl.compile(graphs[1])
    assert len(entries(empty_cache)) == 2
    # Use the older one, so that the other is evicted.
    time.sleep(0.01)
    ndl.cache.clear()
    ndl.compile(graphs[0])
    time.sleep(0.01)
    ndl.compile(graphs[2])
    assert len(entries(empty_cache)) == 2
    ndl.cache.clear()
    ndl.compile(graphs[0])
    assert ndl.cache.info().disk_hits == 1
    monkeypatch.setenv("NEEDLE_CACHE_SIZE", "much")
    with pytest.raises(ValueError, match="NEEDLE_CACHE_SIZE is a number of megabytes"):
        ndl.compile(graphs[3])


def test_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEEDLE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(ndl.cache._state, "has_warned", False)
    ndl.cache.clear()
    with pytest.warns(RuntimeWarning, match="NEEDLE_CACHE_DIR to a writable folder"):
        run = ndl.compile(make_relu((5,)))
    assert run(np.ones(5, np.float32)).tolist() == [1] * 5
    # Once is enough.
    ndl.compile(make_relu((6,)))


def test_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEEDLE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/where")
    assert ndl.cache.directory() == Path("/some/where/needle")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/user")
    assert ndl.cache.directory() == Path("/home/user/.cache/needle")
