# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows of the results, and what follows from them: rates, limits, targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kernel_bench.cases import KINDS, NEIGHBOURS, Case, Target, all_cases
from kernel_bench.contenders import UNLIMITED_KERNELS, library_of
from kernel_bench.limits import read_kind
from kernel_bench.results import Results

#: Instructions and threads of the run that musts are about.
MUST_RUN = ("avx2", 1)


@dataclass(frozen=True)
class Judged:
    """A target and what was reached; None if there is nothing to compare with.

    ``must`` says whether missing it is a defect: in one run it may be, in the others
    every target is an aim.
    """

    target: Target
    reached: float | None
    must: bool

    @property
    def missed(self) -> bool:
        """Whether it is."""
        return self.reached is not None and self.target.is_missed(self.reached)


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
        by_reading = self.reading_rate * self.intensity
        kind = KINDS[self.case.kind]
        by_arithmetic = limits[kind.limit]
        if not self._is_avx2:
            # The CPU may lack what is beyond it.
            by_arithmetic = limits.get(kind.full_limit, by_arithmetic)
        return float(min(by_arithmetic, by_reading))

    @property
    def reading_rate(self) -> float:
        """GB/s at which as many bytes as operands and result have can be read."""
        return float(self._results["limits"][read_kind(self.row["bytes"])])

    @property
    def _is_avx2(self) -> bool:
        return bool(self._results["settings"]["instructions"] == "avx2")

    @property
    def intensity(self) -> float:
        """Multiply-accumulates for each byte of operands and result."""
        return float(self.row["macs"] / self.row["bytes"])

    def is_limited(self, contender: str) -> bool:
        """Whether it was kept from using instructions beyond AVX2."""
        limited: list[str] = self._results["settings"]["limited to AVX2"]
        kernels: list[str] = self.row["contenders"][contender].get("kernels", [])
        if any(UNLIMITED_KERNELS in kernel for kernel in kernels):
            return f"{library_of(contender)} {UNLIMITED_KERNELS}" in limited
        return library_of(contender) in limited

    def escapes_avx2(self, contender: str) -> bool:
        """Whether it was to be kept to AVX2 and could not be."""
        return self._is_avx2 and not self.is_limited(contender)

    def is_beyond_avx2(self, contender: str) -> bool:
        """Whether it is faster than AVX2 can be in some row of this kind.

        Then it surely uses more, in the others as well.
        """
        if not self._is_avx2 or self.is_limited(contender):
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
        return self._fastest(filter(self.is_exact, self.seconds))

    @property
    def best_of_all(self) -> str | None:
        """The fastest one, exact or not."""
        return self._fastest(self.seconds)

    def _fastest(self, names: Iterable[str]) -> str | None:
        peers = [
            name
            for name in names
            if library_of(name) != "needle" and not self.is_beyond_avx2(name)
        ]
        return min(peers, key=self.seconds.__getitem__, default=None)

    def judged(self, rows: dict[Case, RowView]) -> Iterator[Judged]:
        """All targets."""
        settings = self._results["settings"]
        strict = (settings["instructions"], settings["threads"]) == MUST_RUN
        for target in self.case.targets:
            yield Judged(target, self._reached(target, rows), target.must and strict)

    def _reached(self, target: Target, rows: dict[Case, RowView]) -> float | None:
        ours = self.gmacs()
        if target.of == "limit":
            return ours / self.ceiling
        if target.of == "peers":
            return self.against_peers
        if target.of in ("neighbour", "float"):
            case = self.case
            if target.of == "float":
                case = Case(KINDS[case.kind].float_kind, case.shape, case.weights)
            else:
                case = Case(case.kind, NEIGHBOURS[case.shape], case.weights)
            return ours / rows[case].gmacs() if case in rows else None
        peer = self.best_of_all if target.of == "any peer" else target.of
        if peer not in self.seconds or self.is_beyond_avx2(peer):
            return None
        return ours / self.gmacs(peer)

    @property
    def against_peers(self) -> float | None:
        """The rate divided by that of the best exact peer, if there is one."""
        peer = self.best_peer
        return None if peer is None else self.gmacs() / self.gmacs(peer)


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
