# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the benchmark of kernels share: its modules and small rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from kernel_bench import contenders, limits, problems, session  # noqa: E402
from kernel_bench import crew as crew_of  # noqa: E402
from kernel_bench.cases import (  # noqa: E402
    CONVOLUTION_WEIGHTS,
    CONVOLUTIONS,
    DEFAULT_WEIGHTS,
    FOUR_BIT_WEIGHTS,
    FOUR_BITS,
    PRODUCTS,
    Case,
)
from kernel_bench.contenders import Setting  # noqa: E402
from kernel_bench.problems import Problem  # noqa: E402
from kernel_bench.results import results_of  # noqa: E402
from kernel_bench.shapes import Blockwise, Contraction, Convolution, Shape  # noqa: E402

SCHEMA = json.loads((BENCHMARKS / "kernels.schema.json").read_text())
SMALL = Shape(7, 24, 19)
#: Ragged ones of each form.
CONVOLVED = (
    Convolution(3, 1, 5, 7, 9),
    Convolution(3, 2, 4, 6, 10),
    Convolution(1, 1, 9, 4, 6),
    Convolution(5, 1, 6, 6, 8, groups=6),
    Convolution(3, 1, 8, 4, 7, groups=2),
    Convolution(2, 2, 3, 5, 4, transposed=True),
)
BLOCKWISE = tuple(
    Blockwise(5, 256, 24, block, symmetric)
    for block in (32, 128)
    for symmetric in (True, False)
)
PRODUCT_CASES = [Case(kind, SMALL) for kind in PRODUCTS]
CASES = [
    *PRODUCT_CASES,
    *(Case(k, s, CONVOLUTION_WEIGHTS) for k in CONVOLUTIONS for s in CONVOLVED),
    *(Case(k, s, FOUR_BIT_WEIGHTS) for k in FOUR_BITS for s in BLOCKWISE),
]


def make_problem(
    kind: str, name: str = DEFAULT_WEIGHTS, shape: Contraction = SMALL
) -> Problem:
    """A row's operands."""
    return problems.make(Case(kind, shape, name), {})


def result_of(contender: str, problem: Problem, folder: Path) -> Any:
    """What a contender computes."""
    made = contenders.make(contender, problem, Setting(1, folder))
    return made.to_array(made.call())


def entry(seconds: float, verdict: str = "exact", **more: Any) -> dict[str, Any]:
    """A contender that ran."""
    detail = "5 of 9 elements are wrong" if verdict == "inexact" else ""
    return {
        "seconds": seconds,
        "verdict": verdict,
        "detail": detail,
        "kernels": [],
    } | more


def results_with(
    case: Case,
    settings: crew_of.Settings | None = None,
    figures: dict[str, Any] | None = None,
    held: frozenset[str] = frozenset(),
    **found: dict[str, Any],
) -> dict[str, Any]:
    """Results of one row on a machine of 100 GMAC/s; contenders by library."""
    row = session.Row(case, {name.replace("_", " "): e for name, e in found.items()})
    ceilings = dict.fromkeys(limits.ARITHMETIC, 100.0)
    ceilings[limits.read_kind(case.footprint)] = 1000.0
    names = {contenders.library_of(name) for name in row.contenders}
    done = session.Session(
        settings or crew_of.Settings(cpus=(0,)),
        dict.fromkeys(sorted(names), "1"),
        {"iree": "No module named 'iree'"},
        [row],
        ceilings,
        (0.0, 0.0),
        set(held),
        figures or {},
    )
    results = results_of(done)
    jsonschema.validate(results, SCHEMA)
    return results
