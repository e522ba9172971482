# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What no caller should give: one clear error, nothing written, no crash."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import needle as ndl
import pytest
from graphs import make_relu


@pytest.fixture(scope="module")
def relu() -> ndl.Executable:
    return ndl.compile(make_relu((2,)))


def test_save_refuses_a_fifo(relu: ndl.Executable, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    link = tmp_path / "link"
    link.symlink_to(fifo)
    for path in (fifo, link):
        with pytest.raises(OSError, match=f"{path} exists and is not a regular"):
            relu.save(path)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [fifo, link]


def test_save_refuses_a_folder(relu: ndl.Executable, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is not a regular file"):
        relu.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_save_follows_links_and_keeps_the_mode(
    relu: ndl.Executable, tmp_path: Path
) -> None:
    file = tmp_path / "folder" / "file.ndl"
    file.parent.mkdir()
    file.write_bytes(b"old")
    file.chmod(0o640)
    link = tmp_path / "link.ndl"
    link.symlink_to(file)
    relu.save(link)
    assert link.is_symlink()
    assert file.read_bytes() == relu.artifact
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    new = tmp_path / "folder" / "new.ndl"
    dangling = tmp_path / "dangling.ndl"
    dangling.symlink_to(new)
    relu.save(dangling)
    assert new.read_bytes() == relu.artifact
