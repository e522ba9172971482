# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A process for each library, and how it is asked: the parent's end of worker.py."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_bench.cases import Case
from kernel_bench.contenders import CONTENDERS, library_of
from kernel_bench.worker import Order

PROGRAM = Path(__file__).resolve().parents[1] / "kernels.py"
#: The longest that a library may take for one answer.
PATIENCE = 300.0


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
