# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writing files whole or not at all."""

from __future__ import annotations

import itertools
import os
import stat

_counter = itertools.count()


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file at ``path`` by these bytes, or leave it untouched.

    A symbolic link is followed; a file that exists keeps its permissions.

    Raises
    ------
    OSError
        If the file cannot be written, or is a device, pipe, socket or folder.
    """
    # A rename would put a file in the place of the link.
    target = os.path.realpath(path)
    mode = _regular_mode(target, os.fspath(path))
    folder, name = os.path.split(target)
    # Unique among processes by the id, among threads by the counter.
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{next(_counter)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _regular_mode(target: str, shown: str) -> int | None:
    """Permissions of the file at ``target``, None if there is none."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{shown} exists and is not a regular file")
    if not stat.S_ISREG(mode):
        raise OSError(f"{shown} exists and is not a regular file")
    return stat.S_IMODE(mode)
