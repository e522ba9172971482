# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures rows: starts a process for each library, lets them take turns."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kernel_bench import figures, limits, weights
from kernel_bench.cases import KINDS, REAL_LAYERS, Case
from kernel_bench.contenders import CONTENDERS, LIBRARIES, library_of
from kernel_bench.worker import Order

PROGRAM = Path(__file__).resolve().parents[1] / "kernels.py"
#: The longest that a library may take for one answer.
PATIENCE = 300.0

Say = Callable[[str], None]


class LostWorkerError(Exception):
    """A library's process has ended or does not answer."""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes
    ----------
    threads
        Of every contender, each pinned to a CPU of its own.
    processes
        How often everything is measured, in new processes.
    rounds
        How often contenders take turns at a row.
    seconds
        Of one turn.
    limited
        Whether everybody is kept to AVX2, where that is possible.
    cache
        A folder that stays: of the trained network of the weight set ``digits``, and
        of what it takes to keep libraries to AVX2.
    """

    threads: int = 1
    processes: int = 3
    rounds: int = 2
    seconds: float = 0.05
    cpus: tuple[int, ...] = ()
    limited: bool = True
    cache: Path = Path()

    def order(self, library: str, folder: Path) -> Order:
        """What the process of a library is started with."""
        place, cache = str(folder), str(self.cache)
        return Order(library, self.threads, self.cpus, place, self.limited, cache)


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


class Worker:
    """The parent's end of ``worker.py``."""

    def __init__(self, order: Order, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--worker", json.dumps(vars(order))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._pending = b""
        try:
            self.hello = self._read()
        except LostWorkerError:
            self.stop()
            raise

    def ask(self, **request: Any) -> dict[str, Any]:
        """Its answer.

        Raises
        ------
        LostWorkerError
            If there is none.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LostWorkerError(self._how_it_ended()) from None
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        end = time.monotonic() + PATIENCE
        while b"\n" not in self._pending:
            ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise LostWorkerError(f"no answer in {PATIENCE:g} s")
            data = os.read(pipe, 1 << 16)
            if not data:
                raise LostWorkerError(self._how_it_ended())
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _how_it_ended(self) -> str:
        return f"its process ended with status {self._process.wait()}"

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # What it has not read is lost with it.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Crew:
    """A process for each library, started when it is first asked."""

    def __init__(
        self, settings: Settings, folder: Path, environment: Callable[[str], Any]
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._environment = environment
        self._workers: dict[str, Worker] = {}
        self.libraries: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.held: set[str] = set()

    def prepare(
        self, case: Case, judged: Iterable[str] = ()
    ) -> dict[str, dict[str, Any]]:
        """All contenders of a row made, and judged if they are not yet; or why not."""
        replies: dict[str, dict[str, Any]] = {}
        for library in dict.fromkeys(map(library_of, CONTENDERS[case.kind])):
            replies |= self._prepare(library, case, list(judged))
        return {n: replies[n] for n in CONTENDERS[case.kind] if n in replies}

    def _prepare(self, library: str, case: Case, judged: list[str]) -> dict[str, Any]:
        names = [n for n in CONTENDERS[case.kind] if library_of(n) == library]
        try:
            worker = self._worker(library)
            return {} if worker is None else worker.ask(prepare=case.key, judged=judged)
        except LostWorkerError as error:
            self._drop(library)
            return {name: {"failed": str(error)} for name in names}

    def run(self, contender: str, seconds: float) -> dict[str, Any]:
        """The time of a contender that is prepared."""
        library = library_of(contender)
        if library not in self._workers:  # lost in an earlier round
            return {"failed": "its process has ended"}
        try:
            return self._workers[library].ask(run=contender, seconds=seconds)
        except LostWorkerError as error:
            self._drop(library)
            return {"failed": str(error)}

    def _worker(self, library: str) -> Worker | None:
        if library in self.missing:
            return None
        if library not in self._workers:
            order = self._settings.order(library, self._folder)
            worker = Worker(order, self._environment(library))
            if "missing" in worker.hello:
                worker.stop()
                self.missing[library] = worker.hello["missing"]
                return None
            self.libraries[library] = worker.hello["version"]
            if worker.hello.get("held"):
                self.held.add(library)
            self._workers[library] = worker
        return self._workers[library]

    def _drop(self, library: str) -> None:
        # A process that ended while it started was never kept.
        if library in self._workers:
            self._workers.pop(library).stop()

    def stop(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()


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
    allowed = ("exact",) if KINDS[case.kind].exact else ("exact", "rounded")
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


def usable_cpus(threads: int) -> tuple[int, ...]:
    """The CPUs that contenders are pinned to.

    Raises
    ------
    ValueError
        If there are too few.
    """
    cpus = sorted(os.sched_getaffinity(0))
    if threads > len(cpus):
        raise ValueError(
            f"{threads} threads are to be pinned, but this process may use "
            f"{len(cpus)} CPUs"
        )
    return tuple(cpus[-threads:])


def with_cpus(settings: Settings) -> Settings:
    """The settings with CPUs chosen."""
    return dataclasses.replace(settings, cpus=usable_cpus(settings.threads))
