# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where in the user's program a call comes from."""

from __future__ import annotations

import sys


def find_caller(name: str = "") -> tuple[str, int, str]:
    """File and line of the innermost frame outside this package, and a name."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module != "needle" and not module.startswith("needle."):
            return frame.f_code.co_filename, frame.f_lineno, name
        back = frame.f_back
        if back is None:
            break
        frame = back
    return "", 0, name
