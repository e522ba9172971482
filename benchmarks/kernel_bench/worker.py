# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One library in a process of its own, asked over a pipe, a JSON line at a time.

The first line says which version it is, or that it is missing. Then ``prepare``
makes contenders for a row and judges their results, ``run`` times one of them.
While another process is asked, this one waits, so that they do not disturb each
other.
"""

from __future__ import annotations

import json
import os
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from kernel_bench import avx2_only, contenders, problems
from kernel_bench.cases import Case, all_cases
from kernel_bench.contenders import Made, Setting

Reply = dict[str, Any]
#: Runs of the profile that tells the time of kernels alone.
_PROFILE_SECONDS = 0.02
_LONGEST = 240


@dataclass(frozen=True)
class Order:
    """What the parent starts a worker with."""

    library: str
    threads: int
    cpus: tuple[int, ...]
    #: Holds weights of real layers, and compiled programs.
    folder: str
    #: Whether to keep to AVX2.
    limited: bool = True
    #: Holds what stays for the next run.
    cache: str = ""
    #: The group of figures that is wanted, instead of answers.
    figures: str = ""


class Worker:
    """Answers requests."""

    def __init__(self, order: Order) -> None:
        self._setting = setting_of(order)
        self._order = order
        self._cases = {case.key: case for case in all_cases()}
        self._made: dict[str, Made] = {}

    def hello(self) -> Reply:
        """The version of the library and how it is kept, or why there is none."""
        library = self._order.library
        held = self._order.limited and avx2_only.hold(library, Path(self._order.cache))
        try:
            return {"version": contenders.version_of(library), "held": held}
        except ImportError as error:
            return {"missing": f"{error}".splitlines()[0]}

    def answer(self, request: dict[str, Any]) -> Reply:
        """What is asked for."""
        if "prepare" in request:
            case = self._cases[request["prepare"]]
            return self._prepare(case, set(request["judged"]))
        return self._run(request["run"], request["seconds"])

    def _prepare(self, case: Case, judged: set[str]) -> Reply:
        """Make contenders; those that are judged already are not judged again."""
        self._made.clear()
        problem = problems.make(case, load_weights(self._setting.cache, case.weights))
        replies: Reply = {}
        for name in contenders.CONTENDERS[case.kind]:
            if contenders.library_of(name) == self._order.library:
                replies[name] = self._prepare_one(name, problem, name in judged)
        return replies

    def _prepare_one(
        self, name: str, problem: problems.Problem, is_judged: bool
    ) -> Reply:
        try:
            made = contenders.make(name, problem, self._setting)
            result = made.call()
            self._made[name] = made
            if is_judged:
                return {}
            result = made.to_array(result)
        except contenders.NotOfferedError as error:
            return {"failed": str(error)}
        except Exception as error:  # a peer may raise whatever it likes
            return {"failed": brief(error)}
        verdict = problems.judge(made.judged_for or problem, result)
        return {
            "verdict": verdict.status,
            "detail": verdict.detail,
            "kernels": list(made.kernels),
        }

    def _run(self, name: str, seconds: float) -> Reply:
        made = self._made[name]
        least = least_seconds(made.call, seconds)
        reply: Reply = {"seconds": least}
        if made.kernel_seconds is not None:
            runs = int(min(200, max(3, _PROFILE_SECONDS / least)))
            reply["kernel_seconds"] = made.kernel_seconds(runs)
        return reply


def brief(error: Exception) -> str:
    """What went wrong, on one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def setting_of(order: Order) -> Setting:
    """What contenders are made for."""
    return Setting(order.threads, Path(order.folder), order.limited)


def least_seconds(call: Callable[[], Any], seconds: float) -> float:
    """The least time of one call in about so many seconds, of two at least."""
    from eager_bench.measure import take_turns

    timer = timeit.Timer(call)
    first = timer.timeit(1)
    if 2 * first > seconds:
        return min(first, timer.timeit(1))
    timers: dict[str, Callable[[int], float]] = {"call": timeit.Timer(call).timeit}
    return take_turns(timers, seconds)["call"]


def load_weights(folder: Path, name: str) -> dict[str, Any]:
    """Weights of a real layer, if there is a file of that name."""
    path = folder / f"{name}.npy"
    return {name: np.load(path)} if path.exists() else {}


def serve(order: Order) -> None:
    """Answer until the pipe is closed."""
    os.sched_setaffinity(0, order.cpus)
    replies = _take_standard_output()
    if order.figures:
        from kernel_bench import figures

        found = figures.measure(order.figures, setting_of(order))
        print(json.dumps(found), file=replies, flush=True)
        return
    worker = Worker(order)
    print(json.dumps(worker.hello()), file=replies, flush=True)
    for line in sys.stdin:
        reply = worker.answer(json.loads(line))
        print(json.dumps(reply), file=replies, flush=True)


def _take_standard_output() -> TextIO:
    """The pipe to the parent; what libraries print goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies
