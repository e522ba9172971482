# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Progress bars for long work."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], description: str, show: bool | None) -> Iterator[T]:
    """Iterate with a progress bar on standard error.

    ``show`` None stands for: if it is a terminal and ``rich`` is installed.
    """
    if show is None:
        show = sys.stderr.isatty() and _has_rich()
    if not show:
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as rich_track

    yield from rich_track(
        items, description, console=Console(stderr=True), transient=True
    )


def _has_rich() -> bool:
    from importlib.util import find_spec

    return find_spec("rich") is not None
