# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Artifacts that cannot be used: one clear error each, never a crash."""

from __future__ import annotations

import struct
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from differential import examples
from graphs import data, make_linear
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def artifact() -> bytes:
    graph = ndl.quantize(make_linear(), [data(16, 8)])
    return ndl.compile(graph).artifact


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.ndl"


def refused(path: Path, content: bytes, message: str | None = None) -> None:
    path.write_bytes(content)
    with pytest.raises(ndl.ArtifactError, match=message) as caught:
        ndl.load(path)
    # One line that names the file.
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_truncated(artifact: bytes, path: Path) -> None:
    """After every length up to the section table, then in steps."""
    steps = [*range(600), *range(600, len(artifact), 997), len(artifact) - 1]
    for length in steps:
        refused(path, artifact[:length])


def test_longer(artifact: bytes, path: Path) -> None:
    refused(path, artifact + b"\0")


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@examples(300)
def test_any_flipped_bit_is_noticed(place: float, bit: int) -> None:
    graph = ndl.quantize(make_linear(), [data(16, 8)])
    damaged = bytearray(ndl.compile(graph).artifact)
    damaged[int(place * len(damaged))] ^= 1 << bit
    with pytest.raises(ndl.ArtifactError):
        ndl.Executable(bytes(damaged))


def test_other_files(path: Path) -> None:
    refused(path, b"", "not|empty|truncated")
    refused(path, b"\x7fELF" + bytes(1000))
    refused(path, np.random.default_rng(0).bytes(5000))


@pytest.mark.parametrize(("offset", "what"), [(8, "format"), (12, "ABI")])
def test_other_versions(artifact: bytes, path: Path, offset: int, what: str) -> None:
    """A file of the future is told from a damaged one."""
    changed = bytearray(artifact)
    struct.pack_into("<I", changed, offset, 999)
    refused(path, bytes(changed), "999")


def test_for_another_cpu(
    artifact: bytes, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that this CPU cannot run: its features are named."""
    path.write_bytes(artifact)
    with pytest.raises(ValueError, match=r"model\.ndl: .*'avx512vnni'"):
        ndl.load(path, "avx512vnni")
    monkeypatch.setenv("NEEDLE_ISA", "neon")
    with pytest.raises(ValueError, match="'neon'"):
        ndl.load(path)
