# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writing files whole or not at all."""

from __future__ import annotations

import itertools
import os

_counter = itertools.count()


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file at ``path`` by these bytes, or leave it untouched."""
    folder, name = os.path.split(os.fspath(path))
    # Unique among processes by the id, among threads by the counter.
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{next(_counter)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
