# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is not the rate of a row: calls, compilation, import, sizes, second threads.

Each group of figures is measured in a new process, several times; the best counts.
"""

from __future__ import annotations

import compileall
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import time
import timeit
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kernel_bench import problems
from kernel_bench.cases import Case
from kernel_bench.contenders import NotOfferedError, Setting, make
from kernel_bench.shapes import Shape

#: name → value, and what else there is to say.
Found = dict[str, dict[str, Any]]
_LARGE = Shape(1024, 1024, 1024)
_TINY = Shape(1, 8, 8)
_LAYER = Shape(64, 784, 512)
#: Of a first row that both threads might share, and of more than that.
_SMALL = (Shape(64, 64, 64), Shape(128, 64, 64), Shape(128, 128, 128))
_PAUSE = 2e-3
_TURN = 0.1


@dataclass(frozen=True)
class Figure:
    """One of them.

    Attributes
    ----------
    group
        Those of a group are measured in one process.
    target
        What it has to reach, if anything.
    more_is_better
        Whether the target is the least or the largest that will do.
    """

    name: str
    group: str
    unit: str
    target: float | None = None
    more_is_better: bool = False

    @property
    def target_text(self) -> str:
        """For people; empty if there is none."""
        if self.target is None:
            return ""
        return f"{'≥' if self.more_is_better else '≤'} {self.target:g} {self.unit}"

    def better(self, one: float, other: float) -> float:
        """The better of two values."""
        return max(one, other) if self.more_is_better else min(one, other)

    def is_missed(self, value: float) -> bool:
        """Whether the target is."""
        return self.target is not None and self.better(value, self.target) != value


def _waking(shape: Shape, when: str) -> str:
    return f"2 threads at {shape}, {when}"


_WHEN = ("call after call", "after a pause of 2 ms")
_SCALED = ("f32", "u8s8-i32", "static")
FIGURES = (
    Figure(f"call of a compiled layer, {_TINY}", "calls", "µs", 2.0),
    Figure("compilation, first in a process", "compilation", "ms", 50.0),
    Figure("compilation, another one", "compilation", "ms", 50.0),
    Figure("compilation, answered by the disk cache", "compilation", "ms", 5.0),
    Figure("import of needle, NumPy being there", "package", "ms"),
    Figure("extension", "package", "MB"),
    Figure("package, compressed as in a wheel", "package", "MB"),
    *(
        Figure(f"2 threads against 1, {kind} {_LARGE}", "threads", "×", 1.9, True)
        for kind in _SCALED
    ),
    *(
        Figure(_waking(shape, when), "waking", "×", more_is_better=True)
        for shape in _SMALL
        for when in _WHEN
    ),
)
GROUPS = tuple(dict.fromkeys(figure.group for figure in FIGURES))
#: Groups that need two CPUs.
PARALLEL = ("threads", "waking")


def measure(group: str, setting: Setting) -> Found:
    """The figures of a group; called in a process of its own."""
    measured: dict[str, Callable[[Setting], Found]] = {
        "calls": _calls,
        "compilation": _compilation,
        "package": _package,
        "threads": _threads,
        "waking": _wake_ups,
    }
    return measured[group](setting)


def names_of(group: str) -> list[str]:
    """The figures of a group, in order."""
    return [figure.name for figure in FIGURES if figure.group == group]


def _least(call: Callable[[], Any], seconds: float = _TURN) -> float:
    from kernel_bench.worker import least_seconds

    return least_seconds(call, seconds)


def _problem(kind: str, shape: Shape) -> problems.Problem:
    return problems.make(Case(kind, shape), {})


# -- Calls -------------------------------------------------------------------


def _calls(setting: Setting) -> Found:
    """A layer that takes no time: what is left is the call."""
    problem = _problem("f32", _TINY)
    microseconds = {}
    for library in ("needle", "onnxruntime", "torch", "numpy"):
        try:
            microseconds[library] = 1e6 * _least(make(library, problem, setting).call)
        except (ImportError, NotOfferedError):
            continue
    (name,) = names_of("calls")
    value = microseconds.pop("needle")
    return {name: {"value": value, "beside": microseconds}}


def _write_bytecode() -> None:
    """Give needle's modules the bytecode that those of an installed package have."""
    spec = importlib.util.find_spec("needle")
    assert spec is not None
    for folder in spec.submodule_search_locations or ():
        compileall.compile_dir(folder, quiet=2)


# -- Compilation -------------------------------------------------------------

_COMPILE = """
import json, sys
from kernel_bench.figures import compile_layers
print(json.dumps(compile_layers(sys.argv[1], int(sys.argv[2]))))
"""


def compile_layers(target: str, count: int) -> list[tuple[float, dict[str, float]]]:
    """Compile so many different layers with bias, relu and 8 bits.

    The seconds of each, and those of its stages.
    """
    import needle as ndl

    from kernel_bench.contenders.needle_graphs import make_graph

    found = []
    for index in range(count):
        shape = Shape(_LAYER.m, _LAYER.k, _LAYER.n + 16 * index)
        graph = make_graph(_problem("static", shape))
        started = time.perf_counter()
        executable = ndl.compile(graph, target, 1)
        taken = time.perf_counter() - started
        found.append((taken, executable.compile_times))
    return found


def _compile_elsewhere(target: str, count: int, cache: str) -> list[Any]:
    """The same in a process of its own, with this folder as disk cache, or none."""
    import json

    folder = str(Path(__file__).resolve().parents[1])
    paths = [folder, os.environ.get("PYTHONPATH", "")]
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, [*paths, *sys.path]))}
    variables |= {"NEEDLE_CACHE_DIR": cache} if cache else {"NEEDLE_CACHE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, target, str(count)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def _compilation(setting: Setting) -> Found:
    from kernel_bench.contenders.with_needle import AVX2_TARGET, BEST_TARGET

    _write_bytecode()
    target = AVX2_TARGET if setting.limited else BEST_TARGET
    first, *others = _compile_elsewhere(target, 4, cache="")
    with tempfile.TemporaryDirectory() as cache:
        _compile_elsewhere(target, 1, cache)
        ((cached, stages),) = _compile_elsewhere(target, 1, cache)
    if list(stages) != ["cache"]:
        raise RuntimeError("a compiled layer was not found in the disk cache")
    best = min(others)
    seconds: tuple[Any, ...] = (first, best, (cached, {}))
    return {
        name: {"value": 1e3 * value, "detail": _stages(stages)}
        for name, (value, stages) in zip(names_of("compilation"), seconds, strict=True)
    }


def _stages(seconds: dict[str, float]) -> str:
    """The stages of a compilation, those that take a millisecond."""
    shown = [(n, 1e3 * s) for n, s in seconds.items() if s >= 1e-3]
    return ", ".join(f"{name} {value:.0f}" for name, value in shown)


# -- The package -------------------------------------------------------------


def _package(setting: Setting) -> Found:
    del setting
    _write_bytecode()
    started = time.perf_counter()
    import needle

    imported = time.perf_counter() - started
    folder = Path(needle.__file__).parent
    extension = Path(needle._needle.__file__)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*folder.rglob("*.py"), *folder.rglob("*.pyi"), extension]:
            archive.write(path)
    values = (
        1e3 * imported,
        extension.stat().st_size / 1e6,
        len(memory.getvalue()) / 1e6,
    )
    names = names_of("package")
    return {n: {"value": value} for n, value in zip(names, values, strict=True)}


# -- Threads -----------------------------------------------------------------


def _with_threads(kind: str, shape: Shape, setting: Setting) -> list[Callable[[], Any]]:
    """The row with one thread, and with two."""
    problem = _problem(kind, shape)
    settings = (Setting(n, setting.cache, setting.limited) for n in (1, 2))
    return [make("needle", problem, each).call for each in settings]


def _threads(setting: Setting) -> Found:
    found = {}
    for kind, name in zip(_SCALED, names_of("threads"), strict=True):
        one, two = _with_threads(kind, _LARGE, setting)
        pairs = [(_least(one), _least(two)) for _ in range(3)]
        alone, shared = (min(times) for times in zip(*pairs, strict=True))
        detail = f"{1e3 * alone:.2f} ms, {1e3 * shared:.2f} ms"
        found[name] = {"value": alone / shared, "detail": detail}
    return found


def _wake_ups(setting: Setting) -> Found:
    """Small products, when the second thread still waits and when it sleeps."""
    found = {}
    for shape in _SMALL:
        one, two = _with_threads("f32", shape, setting)
        for when, least in zip(_WHEN, (_least, _least_after_pauses), strict=True):
            alone, shared = least(one), least(two)
            detail = (
                f"{1e6 * alone:.1f} µs, {1e6 * shared:.1f} µs: "
                f"{1e6 * (shared - alone / 2):.1f} µs more than half"
            )
            found[_waking(shape, when)] = {"value": alone / shared, "detail": detail}
    return found


def _least_after_pauses(call: Callable[[], Any]) -> float:
    timer = timeit.Timer(call)
    best = np.inf
    for _ in range(30):
        time.sleep(_PAUSE)
        best = min(best, timer.timeit(1))
    return float(best)
