# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures rows and figures: lets contenders and limits take turns."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kernel_bench import figures, limits, weights
from kernel_bench.cases import REAL_LAYERS, Case
from kernel_bench.contenders import LIBRARIES, library_of
from kernel_bench.crew import Crew, LostWorkerError, Settings, Worker, usable_cpus

Say = Callable[[str], None]


@dataclass
class Row:
    """What was found out about a case.

    Attributes
    ----------
    contenders
        By name: ``seconds``, ``verdict``, ``detail``, ``kernels``; or ``failed``.
    not_measured
        Why there is nothing, if so.
    defect
        What is wrong with needle here, if anything: then there is nothing, either.
    """

    case: Case
    contenders: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_measured: str = ""
    defect: str = ""


@dataclass
class Session:
    """Everything that was found out."""

    settings: Settings
    libraries: dict[str, str]
    missing: dict[str, str]
    rows: list[Row]
    limits: dict[str, float]
    loads: tuple[float, float]
    #: Libraries whose CPUID is answered for them.
    held: set[str] = field(default_factory=set)
    #: By name: ``value``, ``detail``, ``beside``; or ``failed``.
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def defects(self) -> list[str]:
        """What is wrong with needle: rows that it fails at or computes wrongly."""
        return [f"{row.case.key}: {row.defect}" for row in self.rows if row.defect]


def measure(
    cases: Sequence[Case],
    settings: Settings,
    environment: Callable[[str], dict[str, str]],
    say: Say,
    groups: Sequence[str] = (),
) -> Session:
    """Measure rows, and groups of figures.

    Parameters
    ----------
    environment
        The variables of a library's process.
    say
        Told how far it is.

    Raises
    ------
    NoCompilerError
        If the limits of the machine cannot be measured.
    """
    before = os.getloadavg()[0]
    rows = [Row(case) for case in cases]
    ceilings: dict[str, float] = {}
    found: dict[str, dict[str, Any]] = {}
    libraries: dict[str, str] = {}
    missing: dict[str, str] = {}
    held: set[str] = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = limits.build(folder)
        absent = write_weights({case.weights for case in cases}, folder, settings.cache)
        for row in rows:
            row.not_measured = absent.get(row.case.weights, "")
        for index in range(settings.processes):
            where = f"process {index + 1} of {settings.processes}"
            crew = Crew(settings, folder, environment)
            try:
                for number, row in enumerate(rows, 1):
                    say(f"{where}, row {number} of {len(rows)}: {row.case.key}")
                    if not (row.not_measured or row.defect):
                        measure_row(row, crew, settings, program, ceilings)
            finally:
                crew.stop()
            libraries |= crew.libraries
            missing |= crew.missing
            held |= crew.held
            for group in groups:
                say(f"{where}, {group}")
                measure_figures(group, settings, folder, environment, found)
    return Session(
        settings,
        libraries,
        {n: missing[n] for n in LIBRARIES if n in missing},
        rows,
        ceilings,
        (before, os.getloadavg()[0]),
        held,
        found,
    )


def measure_figures(
    group: str,
    settings: Settings,
    folder: Path,
    environment: Callable[[str], dict[str, str]],
    into: dict[str, dict[str, Any]],
) -> None:
    """A group of figures in a process of its own; the best of all is kept."""
    order = settings.order("needle", folder)
    try:
        if group in figures.PARALLEL:
            order = dataclasses.replace(order, cpus=usable_cpus(2))
        order = dataclasses.replace(order, figures=group)
        worker = Worker(order, environment("needle"))
        reply = worker.hello
        worker.stop()
    except (LostWorkerError, ValueError) as error:
        reply = {name: {"failed": str(error)} for name in figures.names_of(group)}
    known = {figure.name: figure for figure in figures.FIGURES}
    for name, entry in reply.items():
        before = into.get(name, entry)
        if "failed" in before:
            into[name] = entry
        elif "failed" not in entry:
            better = known[name].better(before["value"], entry["value"])
            into[name] = entry if better == entry["value"] else before


def write_weights(names: set[str], folder: Path, cache: Path) -> dict[str, str]:
    """Put weights of real layers where workers find them; what is missing and why."""
    missing = {}
    for name in sorted(names & set(REAL_LAYERS)):
        try:
            np.save(folder / f"{name}.npy", weights.load_real(name, cache))
        except weights.MissingWeightsError as error:
            missing[name] = str(error)
    return missing


def measure_row(
    row: Row, crew: Crew, settings: Settings, program: Path, ceilings: dict[str, float]
) -> None:
    """One row in these processes; the best of all is kept."""
    # needle is judged in every process.
    peers = (name for name in row.contenders if library_of(name) != "needle")
    judged = [name for name in peers if "verdict" in row.contenders[name]]
    found = crew.prepare(row.case, judged)
    row.defect = defect_of(row.case, found)
    if row.defect:
        return
    for name, reply in found.items():
        keep_reply(row.contenders.setdefault(name, {}), reply)
    kinds = [*limits.ARITHMETIC, limits.read_kind(row.case.footprint)]
    if not settings.limited:
        kinds[:0] = limits.BEYOND_AVX2
    for _ in range(settings.rounds):
        for name in found:
            if "failed" not in found[name]:
                keep_least(row.contenders[name], crew.run(name, settings.seconds))
        # Limits are met by the same noise as everybody.
        part = settings.seconds / len(kinds)
        for kind, rate in limits.measure(program, kinds, part, settings.cpus).items():
            ceilings[kind] = max(rate, ceilings.get(kind, 0.0))


def defect_of(case: Case, found: dict[str, dict[str, Any]]) -> str:
    """What is wrong with needle; peers may be inexact and may fail."""
    allowed = ("exact",) if case.is_exact else ("exact", "rounded")
    for name, reply in found.items():
        if library_of(name) != "needle":
            continue
        if "failed" in reply:
            return f"{name} failed: {reply['failed']}"
        if reply["verdict"] not in allowed:
            detail = reply["detail"] or "the rules say otherwise, bit for bit"
            return f"{name} is {reply['verdict']}: {detail}"
    return ""


def keep_reply(into: dict[str, Any], reply: dict[str, Any]) -> None:
    """Keep a verdict; a contender that ran once has not failed."""
    if "verdict" in reply:
        into.pop("failed", None)
        into |= reply
    elif "failed" in reply and "verdict" not in into:
        into |= reply


def keep_least(into: dict[str, Any], reply: dict[str, Any]) -> None:
    """Keep the least times; a failure at last does not undo them."""
    for name in ("seconds", "kernel_seconds"):
        if name in reply:
            into[name] = min(reply[name], into.get(name, float("inf")))
    if "failed" in reply and "seconds" not in into:
        into["failed"] = reply["failed"]
