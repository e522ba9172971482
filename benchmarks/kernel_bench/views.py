# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows of the results, and what follows from them: rates, limits, targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kernel_bench.cases import KINDS, NEIGHBOURS, Case, Target, all_cases
from kernel_bench.contenders import UNLIMITED_KERNELS, library_of
from kernel_bench.limits import read_kind

Results = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """A target and what was reached; None if there is nothing to compare with."""

    target: Target
    reached: float | None

    @property
    def missed(self) -> bool:
        """Whether it is."""
        return self.reached is not None and self.reached < self.target.at_least


class RowView:
    """A row of the results with what follows from it."""

    def __init__(self, results: Results, row: dict[str, Any], case: Case) -> None:
        self._results = results
        self.row = row
        self.case = case

    @property
    def seconds(self) -> dict[str, float]:
        """Least seconds by contender, of those that ran."""
        return {
            name: entry["seconds"]
            for name, entry in self.row["contenders"].items()
            if "seconds" in entry
        }

    def gmacs(self, contender: str = "needle") -> float:
        """Rate of a contender."""
        rate: float = self.row["macs"] / self.seconds[contender] / 1e9
        return rate

    @property
    def ceiling(self) -> float:
        """GMAC/s that the machine allows: by arithmetic or by reading operands."""
        limits = self._results["limits"]
        by_reading = limits[read_kind(self.row["bytes"])] * self.intensity
        return float(min(limits[KINDS[self.case.kind].limit], by_reading))

    @property
    def intensity(self) -> float:
        """Multiply-accumulates for each byte of operands and result."""
        return float(self.row["macs"] / self.row["bytes"])

    def is_limited(self, contender: str) -> bool:
        """Whether it was kept from using instructions beyond AVX2."""
        limited: list[str] = self._results["settings"]["limited to AVX2"]
        kernels: list[str] = self.row["contenders"][contender].get("kernels", [])
        return library_of(contender) in limited and not any(
            UNLIMITED_KERNELS in kernel for kernel in kernels
        )

    def is_beyond_avx2(self, contender: str) -> bool:
        """Whether it is faster than AVX2 can be in some row of this kind.

        Then it surely uses more, in the others as well.
        """
        if self.is_limited(contender):
            return False
        limit = self._results["limits"][KINDS[self.case.kind].avx2_limit] * 1e9
        return any(
            row["macs"] / row["contenders"][contender]["seconds"] > limit
            for row in self._results["rows"]
            if row["kind"] == self.case.kind
            and "seconds" in row["contenders"].get(contender, {})
        )

    def is_exact(self, contender: str) -> bool:
        """Whether its result is right, up to roundings to float32."""
        return bool(self.row["contenders"][contender]["verdict"] != "inexact")

    @property
    def best_peer(self) -> str | None:
        """The fastest exact peer, but for those that are beyond AVX2."""
        peers = [
            name
            for name in self.seconds
            if library_of(name) != "needle"
            and self.is_exact(name)
            and not self.is_beyond_avx2(name)
        ]
        return min(peers, key=self.seconds.__getitem__, default=None)

    def judged(self, rows: dict[Case, RowView]) -> Iterator[Judged]:
        """All targets; of several at the peers the highest counts."""
        for target in self.case.targets:
            yield Judged(target, self._reached(target, rows))

    def _reached(self, target: Target, rows: dict[Case, RowView]) -> float | None:
        ours = self.gmacs()
        if target.of == "limit":
            return ours / self.ceiling
        if target.of == "peers":
            peer = self.best_peer
            return None if peer is None else ours / self.gmacs(peer)
        even = Case(self.case.kind, NEIGHBOURS[self.case.shape], self.case.weights)
        neighbour = rows.get(even)
        return None if neighbour is None else ours / neighbour.gmacs()


def views(results: Results) -> dict[Case, RowView]:
    """The rows that were measured."""
    cases = {case.key: case for case in all_cases()}
    found = {}
    for row in results["rows"]:
        case = cases[row["key"]]
        view = RowView(results, row, case)
        if "needle" in view.seconds:
            found[case] = view
    return found
