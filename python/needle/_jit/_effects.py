# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Changes that a program would not make again: found, named and undone."""

from __future__ import annotations

import dis
import random
from collections.abc import Iterable, Iterator
from types import CellType, CodeType
from typing import Any, NamedTuple

import numpy as np

from needle._jit._discovery import Reach, Slots, contents_of, same_bits
from needle.errors import TraceError

_MISSING: Any = object()
#: What changes a variable, an attribute or an element.
_STORES = ("STORE_", "DELETE_", "IMPORT_", "INPLACE_")
#: Methods that change lists, dictionaries and sets.
_METHODS = (
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
    *("update", "setdefault", "popitem", "add", "discard", "__setitem__"),
)


class Change(NamedTuple):
    """A change: of what, and by what name functions refer to that."""

    what: str
    name: str


class Effects:
    """What a function can reach besides Tensors, as it was before the trace.

    Parameters
    ----------
    reach
        What the function can reach.
    hidden
        Containers that a program does change, such as an optimizer's state.
    """

    def __init__(self, reach: Reach, hidden: Iterable[Any]) -> None:
        known = {id(container) for container in hidden}
        self._labels = reach.labels
        self._functions = reach.functions
        self._containers = [
            (container, container.copy())
            for container in reach.containers
            if id(container) not in known
        ]
        self._variables = [
            (holder, names, _read_all(holder, names))
            for holder, names in reach.variables
        ]
        self._generators = [(g, _state(g)) for g in (*reach.generators, random, np)]

    def check(self, name: str) -> None:
        """Raise TraceError if something was changed; ``name`` is the function's."""
        for change in self._find():
            raise TraceError(
                f"{self._place(change.name)}: in {name}, compiled by ndl.jit: "
                f"{change.what} was changed while tracing, which the compiled "
                "function would not do again. Do it outside, with what the function "
                "returns"
            )

    def is_random(self) -> bool:
        """Whether random numbers were drawn since the beginning."""
        return any(_state(g) != former for g, former in self._generators)

    def restore(self) -> None:
        """Make everything as it was."""
        for container, former in self._containers:
            if not _is_same(container, former):
                _refill(container, former)
        for holder, names, former in self._variables:
            for key in _keys(holder, names, former):
                value = former.get(key, _MISSING)
                if _read(holder, key) is not value:
                    _write(holder, key, value)
        for generator, state in self._generators:
            if _state(generator) != state:
                _set_state(generator, state)

    # -- Inside ----------------------------------------------------------------

    def _find(self) -> Iterator[Change]:
        for container, former in self._containers:
            if not _is_same(container, former):
                label = self._labels.get(id(container), "")
                kind = type(container).__name__
                yield Change(f"the {kind} {label!r}" if label else f"a {kind}", label)
        for holder, names, former in self._variables:
            for key in _keys(holder, names, former):
                now, before = _read(holder, key), former.get(key, _MISSING)
                if now is not before and not same_bits(now, before):
                    is_attribute = names is None or isinstance(holder, Slots)
                    kind = "attribute" if is_attribute else "variable"
                    yield Change(f"the {kind} {key!r}", str(key))

    def _place(self, name: str) -> str:
        """Where a function changes what has a name, or names it, or begins."""
        found: list[tuple[bool, str]] = []
        for function in self._functions:
            for code in _codes(function.__code__):
                found += _lines(code, name)
        found.sort(key=lambda entry: not entry[0])
        if not found:
            codes = [function.__code__ for function in self._functions]
            found = [(False, f"{c.co_filename}:{c.co_firstlineno}") for c in codes]
        return found[0][1] if found else "in Python"


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of functions inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _lines(code: CodeType, name: str) -> list[tuple[bool, str]]:
    """Lines with a name, and whether something is changed there."""
    named: set[int] = set()
    changing: set[int] = set()
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = instruction.starts_line or line
        stores = instruction.opname.startswith(_STORES) and instruction.opname not in (
            "STORE_FAST",
            "STORE_NAME",
        )
        if stores or instruction.argval in _METHODS:
            changing.add(line)
        if instruction.argval == name:
            named.add(line)
    return [(n in changing, f"{code.co_filename}:{n}") for n in sorted(named)]


def _keys(holder: Any, names: Any, former: dict[Any, Any]) -> Iterable[Any]:
    """What is compared: some names, or all, also new ones."""
    return {**former, **holder} if names is None else former


def _read_all(holder: Any, names: Any) -> dict[Any, Any]:
    return {key: _read(holder, key) for key in (holder if names is None else names)}


def _read(holder: Any, key: Any) -> Any:
    if isinstance(holder, CellType):
        return contents_of(holder)
    return holder.get(key, _MISSING)


def _write(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, CellType):
        holder.cell_contents = value
    elif value is not _MISSING:
        holder[key] = value
    elif key in holder:
        del holder[key]


def _is_same(container: Any, former: Any) -> bool:
    """Whether the same objects, or equal plain values, are in two containers."""
    if len(container) != len(former):
        return False
    if isinstance(container, set):
        return set(map(id, container)) == set(map(id, former)) or container == former
    if isinstance(container, dict):
        return all(map(_is_one, container, former)) and all(
            map(_is_one, container.values(), former.values())
        )
    return all(map(_is_one, container, former))


def _is_one(value: Any, former: Any) -> bool:
    return value is former or (
        isinstance(former, (int, float, str, bytes)) and same_bits(value, former)
    )


def _refill(container: Any, former: Any) -> None:
    if isinstance(container, list):
        container[:] = former
    else:
        container.clear()
        container.update(former)


def _state(generator: Any) -> Any:
    """What tells whether a generator has drawn, and can be given back."""
    if generator is np or isinstance(generator, np.random.RandomState):
        source: Any = np.random if generator is np else generator
        return _frozen(source.get_state(legacy=False))
    if isinstance(generator, np.random.Generator):
        return _frozen(generator.bit_generator.state)
    return generator.getstate()


def _set_state(generator: Any, state: Any) -> None:
    if generator is np or isinstance(generator, np.random.RandomState):
        source: Any = np.random if generator is np else generator
        source.set_state(_thawed(state))
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = _thawed(state)
    else:
        generator.setstate(state)


def _frozen(state: Any) -> Any:
    """A state whose parts can be compared."""
    if isinstance(state, dict):
        return {key: _frozen(part) for key, part in state.items()}
    if isinstance(state, np.ndarray):
        return state.dtype.str, state.tobytes()
    return state


def _thawed(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _thawed(part) for key, part in state.items()}
    if isinstance(state, tuple):
        return np.frombuffer(state[1], state[0]).copy()
    return state
