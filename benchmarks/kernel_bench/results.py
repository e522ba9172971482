# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results as plain data, the form that ``kernels.schema.json`` describes."""

from __future__ import annotations

import platform
import time
from typing import Any

from kernel_bench.contenders import HELD_NAMES, LIMITED_TO_AVX2
from kernel_bench.session import Session

Results = dict[str, Any]
#: Changes whenever the form does.
VERSION = 2


def results_of(session: Session) -> Results:
    """Everything as plain data; seconds, MACs, bytes, GMAC/s, GB/s."""
    from eager import cpu_name

    limited: list[str] = []
    if session.settings.limited:
        limited = sorted(LIMITED_TO_AVX2 | {HELD_NAMES[n] for n in session.held})
    return {
        "version": VERSION,
        "machine": {
            "cpu": cpu_name(),
            "python": platform.python_version(),
            "load before and after": list(session.loads),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        },
        "settings": {
            "threads": session.settings.threads,
            "processes": session.settings.processes,
            "rounds": session.settings.rounds,
            "seconds": session.settings.seconds,
            "cpus": list(session.settings.cpus),
            "instructions": "avx2" if session.settings.limited else "all",
            "limited to AVX2": limited,
        },
        "libraries": session.libraries,
        "missing": session.missing,
        "limits": session.limits,
        "rows": [
            {
                "key": row.case.key,
                "kind": row.case.kind,
                "shape": vars(row.case.shape),
                "weights": row.case.weights,
                "macs": row.case.shape.macs,
                "bytes": row.case.footprint,
                "not measured": row.not_measured,
                "defect": row.defect,
                "contenders": row.contenders,
            }
            for row in session.rows
        ],
        "figures": [{"name": name, **entry} for name, entry in session.figures.items()],
    }


def run_name(results: Results) -> str:
    """Instructions and threads, for instance ``avx2-1``: runs that are kept apart."""
    settings = results["settings"]
    return f"{settings['instructions']}-{settings['threads']}"
