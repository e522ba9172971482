# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling graphs, with caches in memory and on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from needle import _needle, cache
from needle.errors import ArtifactError
from needle.executable import Executable, check_threads
from needle.graph import Graph, check_graph


class Target(NamedTuple):
    """A kind of CPU that code can be made for.

    Attributes
    ----------
    name
        What options call it.
    features
        What a CPU must have to run it, e.g. ``("avx2", "fma")``.
    preference
        Of several that a CPU can run, the highest is best.
    is_default
        Whether a compilation that names no target makes code for it.
    """

    name: str
    features: tuple[str, ...]
    preference: int
    is_default: bool


def targets() -> tuple[Target, ...]:
    """All targets, the most general first."""
    return tuple(
        Target(name, tuple(filter(None, features.split(","))), preference, default)
        for name, features, preference, default in _needle.targets()
    )


def cpu_features() -> tuple[str, ...]:
    """The features of this CPU that needle knows, e.g. ``("avx2", "fma")``."""
    return tuple(name.strip() for name in _needle.cpu_features().split(","))


def stages() -> tuple[str, ...]:
    """Names of the stages that :meth:`Executable.mlir` shows, in order."""
    return tuple(_needle.stages())


def compile(  # noqa: A001 (the name users know)
    graph: Graph,
    target: str | Sequence[str] | None = None,
    threads: int | None = None,
    *,
    entry: str | None = None,
) -> Executable:
    """Compile a graph to code.

    Compiled graphs are cached, see :mod:`needle.cache`; an equal graph compiled
    for the same targets is loaded from there.

    Parameters
    ----------
    target
        Names of targets (comma-separated or a sequence; see :func:`targets`) to
        make code for. The best that this CPU can run is run. None stands for all of
        this machine's architecture, so that an artifact runs on every such machine;
        ``"host"`` for the best one for this CPU alone.
    threads
        Threads that work on one call; by default the environment variable
        ``NEEDLE_NUM_THREADS`` or the number of CPUs that this process may use.
    entry
        The entry point; by default ``main``, or the only one.

    Raises
    ------
    CompileError
        If the graph cannot be compiled; the message names the operation and its
        source location.
    ArtifactError
        If this CPU runs none of the targets.
    ValueError
        If a target or an entry point is unknown, or NEEDLE_CACHE_SIZE is wrong.
    """
    check_graph("compile", graph)
    graph.entry_index(entry)
    count = check_threads(threads)
    names = _resolve_targets(target)
    if cache.enabled():
        cache.size_limit()  # wrong settings fail now, not after the compilation
    started = time.perf_counter()
    key = cache.make_key(graph.fingerprint(), names)
    use = (cache.isa_choice(), count, entry)
    if (found := cache.find(key, use)) is not None:
        return found
    if (artifact := cache.read(key)) is not None:
        try:
            loaded = Executable(artifact, None, count, entry, graph=graph)
        except ArtifactError:
            cache.discard(key)
        else:
            loaded._times = {"cache": time.perf_counter() - started}
            return cache.remember(key, use, loaded)
    artifact, times = _needle.compile(graph._module, list(names))
    made = Executable(
        artifact, None, count, entry, graph=graph, compile_times=dict(times)
    )
    cache.write(key, artifact)
    return cache.remember(key, use, made)


def _resolve_targets(target: str | Sequence[str] | None) -> tuple[str, ...]:
    known = targets()
    if target is None:
        return tuple(row.name for row in known if row.is_default)
    if isinstance(target, str):
        target = [name.strip() for name in target.split(",")]
    if not isinstance(target, Sequence):
        raise TypeError(f"target is a name or several, got {type(target).__name__}")
    if list(target) == ["host"]:
        return (_find_host(known),)
    names = [row.name for row in known]
    if not target:
        raise ValueError(f"no target is given; the targets are {_listed(names)}")
    for name in target:
        if name == "host":
            raise ValueError(
                "target 'host' stands alone; beside others, name what it stands for "
                f"here: {_find_host(known)!r}"
            )
        if name not in names:
            raise ValueError(
                f"unknown target {name!r}; the targets are {_listed(names)} and 'host'"
            )
    # In one order and once, so that equal sets of targets share a cache entry.
    return tuple(name for name in names if name in target)


def _find_host(known: Sequence[Target]) -> str:
    has = set(cpu_features())
    usable = [row for row in known if has.issuperset(row.features)]
    if not usable:
        raise ArtifactError("this CPU runs none of needle's targets")
    return max(usable, key=lambda row: row.preference).name


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
