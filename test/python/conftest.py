# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all tests of the package share: an environment of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import needle as ndl
import pytest


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The caches of the user and the variables of the shell do not matter."""
    folder = tmp_path_factory.mktemp("needle-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEEDLE_CACHE_DIR", str(folder))
        for name in ("CACHE", "CACHE_SIZE", "ISA", "NUM_THREADS"):
            patch.delenv(f"NEEDLE_{name}", raising=False)
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Both caches, empty; the folder of the one on disk."""
    monkeypatch.setenv("NEEDLE_CACHE_DIR", str(tmp_path / "cache"))
    ndl.cache.clear()
    yield tmp_path / "cache"
    ndl.cache.clear()
