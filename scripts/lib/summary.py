"""Sums up the results of scripts/test: a table, the failures, the closing line.

Reads for each kind `RESULTS/KIND/steps.tsv`, one line a step: its name, exit
status and seconds, and each step's JUnit file `RESULTS/KIND/STEP.xml`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import junit


@dataclass
class Kind:
    """The counts of one kind of tests."""

    name: str
    passed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add_step(self, step: str, status: int, seconds: float, results: Path) -> None:
        """Count a step; one that ran no test, or broke outside of one, failed."""
        cases = junit.read(results)
        failures = [case.name for case in cases if case.failure is not None]
        if status != 0 and not failures:
            failures = [f"{step}: exited with status {status}"]
        elif not cases:
            failures = [f"{step}: ran no test"]
        skipped = sum(case.skipped is not None for case in cases)
        self.passed += sum(
            case.failure is None and case.skipped is None for case in cases
        )
        self.skipped += skipped
        self.seconds += seconds
        self.failures += failures


def read_kind(folder: Path) -> Kind:
    """The kind whose steps are listed in folder/steps.tsv."""
    kind = Kind(folder.name)
    steps = folder / "steps.tsv"
    lines = steps.read_text().splitlines() if steps.exists() else []
    for line in lines:
        step, status, seconds = line.split("\t")
        kind.add_step(step, int(status), float(seconds), folder / f"{step}.xml")
    if not lines:
        kind.failures.append(f"{kind.name}: did not run")
    return kind


def main(arguments: list[str]) -> int:
    """Print the summary of the named kinds; the exit status of scripts/test."""
    results, names = Path(arguments[0]), arguments[1:]
    kinds = [read_kind(results / name) for name in names]
    for kind in kinds:
        for failure in kind.failures:
            print(f"FAILED {kind.name}: {failure}")
    print(f"\n{'kind':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for kind in kinds:
        print(
            f"{kind.name:<10}{kind.passed:>8}{len(kind.failures):>8}"
            f"{kind.skipped:>9}{kind.seconds:>9.1f}"
        )
    passed = sum(kind.passed for kind in kinds)
    failed = sum(len(kind.failures) for kind in kinds)
    skipped = sum(kind.skipped for kind in kinds)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
