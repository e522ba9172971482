# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file at ``path`` by these bytes, or leave it untouched."""
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", dir=target.parent
    )
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # The permissions that creating the file would have given it.
            os.fchmod(descriptor, 0o666 & ~_umask())
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
