# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times of contenders that take turns in one process."""

from __future__ import annotations

import gc
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from eager_bench.cases import Case, library_of
from eager_bench.checks import NUMPY_NAMES

#: The least duration that is read off the clock at once.
BATCH_SECONDS = 300e-6
MIN_ROUNDS = 5


class WrongResultError(Exception):
    """A result that is not what it must be: its time means nothing."""


def available_libraries(names: tuple[str, ...]) -> dict[str, str]:
    """Library → version, for those that can be imported; imports them."""
    found = {}
    for name in names:
        try:
            module = __import__(name)
        except ImportError:
            continue
        found[name] = str(getattr(module, "__version__", ""))
    return found


def operands_of(case: Case) -> dict[str, npt.NDArray[np.float32]]:
    """The values that every contender computes with."""
    rng = np.random.default_rng(0)
    return {name: draw(rng) for name, draw in case.operands.items()}


def namespace(
    case: Case, contender: str, values: dict[str, npt.NDArray[np.float32]]
) -> dict[str, Any]:
    """What a contender's expression sees; the operands are its own copies."""
    library = library_of(contender)
    names: dict[str, Any]
    if library == "needle":
        import needle as ndl
        from needle import backend_ndarray as nd

        names = {"ndl": ndl, "nd": nd, "device": nd.cpu()}
        names |= {name: nd.NDArray(value) for name, value in values.items()}
    elif library == "torch":
        import torch

        names = {"torch": torch}
        names |= {name: torch.tensor(value) for name, value in values.items()}
    else:
        names = NUMPY_NAMES | {name: value.copy() for name, value in values.items()}
    exec(case.setup.get(contender, ""), names)
    return names


def result_of(case: Case, contender: str, names: dict[str, Any]) -> npt.NDArray[Any]:
    """What a contender computes, as a NumPy array."""
    part = getattr(case.check, "of", "")
    if part:
        exec(case.code[contender], names)
        result = eval(part, names)
    else:
        result = eval(case.code[contender], names)
    if hasattr(result, "detach"):
        result = result.detach()
    if hasattr(result, "numpy"):
        result = result.numpy()
    return np.asarray(result)


def measure_case(case: Case, libraries: set[str], seconds: float) -> dict[str, float]:
    """The least seconds of one call, by contender; each gets ``seconds``."""
    values = operands_of(case)
    contenders = {
        name: namespace(case, name, values)
        for name in case.code
        if library_of(name) in libraries
    }
    for name, names in contenders.items():
        result = result_of(case, name, names)
        wrong = case.check(values, result)
        # Peers keep other promises; ours are those that count.
        if wrong and name == next(iter(case.code)):
            raise WrongResultError(f"{case.key}: {name}: {wrong}")
    timers = {
        name: timeit.Timer(case.code[name], globals=names).timeit
        for name, names in contenders.items()
    }
    return take_turns(timers, seconds)


def take_turns(
    timers: dict[str, Callable[[int], float]], seconds: float
) -> dict[str, float]:
    """The least seconds of one call of each; a timer runs so many calls.

    Whatever else the machine does meets all contenders alike.
    """
    batches = {name: _calls_of_a_batch(timer) for name, timer in timers.items()}
    best = dict.fromkeys(timers, float("inf"))
    spent = 0.0
    rounds = 0
    gc.collect()
    while rounds < MIN_ROUNDS or spent < seconds * len(timers):
        for name, timer in timers.items():
            started = time.perf_counter()
            best[name] = min(best[name], timer(batches[name]) / batches[name])
            spent += time.perf_counter() - started
        rounds += 1
    return best


def _calls_of_a_batch(timer: Callable[[int], float]) -> int:
    """How many calls take long enough to be timed; calling them warms up, too."""
    calls = 1
    while calls < 1 << 20:
        taken = timer(calls)
        if taken >= BATCH_SECONDS:
            break
        calls = max(2 * calls, int(calls * BATCH_SECONDS / max(taken, 1e-7)))
    return calls


def first_call(case: Case, contender: str) -> float:
    """The seconds of the first call in this process, which has made none."""
    names = namespace(case, contender, operands_of(case))
    code = compile(case.code[contender], "<first call>", "eval")
    started = time.perf_counter()
    result = eval(code, names)
    taken = time.perf_counter() - started
    del result
    return taken
