"""What a docstring says, and what it lacks; in numpydoc's format.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from public_api import (
    Entry,
    describes_itself,
    docstring_of,
    fields,
    members,
    public_classes,
)

# As numpydoc orders them.
SECTIONS = (
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
)


@dataclass(frozen=True)
class Docstring:
    """Text, and the sections below it in their order."""

    text: str
    sections: dict[str, str]

    def items(self, section: str) -> list[tuple[str, str, str]]:
        """Names, type and description of each entry of a section."""
        found: list[tuple[str, str, list[str]]] = []
        for line in self.sections.get(section, "").splitlines():
            if line and not line[0].isspace():
                names, _, kind = line.partition(" : ")
                found.append((names.strip(), kind.strip(), []))
            elif found:
                found[-1][2].append(line)
        return [
            (names, kind, inspect.cleandoc("\n" + "\n".join(lines)))
            for names, kind, lines in found
        ]


def parse(docstring: str) -> Docstring:
    """A docstring in numpydoc's format."""
    parts = re.split(r"^(\S.*)\n-{3,}\s*$", docstring, flags=re.MULTILINE)
    titles = [title.strip() for title in parts[1::2]]
    texts = [text.strip("\n") for text in parts[2::2]]
    return Docstring(parts[0].strip(), dict(zip(titles, texts, strict=True)))


def comment_of(place: ModuleType | type, name: str) -> str:
    """The ``#:`` lines above a name that is assigned in a module or class."""
    try:
        source = inspect.getsource(place)
    except (OSError, TypeError):
        return ""
    above = rf"((?:^[ ]*#: .*\n)+)^[ ]*{re.escape(name)}\b.*="
    match = re.search(above, source, re.MULTILINE)
    return re.sub(r"^ *#: ?", "", match[1], flags=re.M).strip() if match else ""


def signature_of(value: Any) -> inspect.Signature | None:
    """The signature without ``self``; None where there is none to be had.

    A class that says what it is made by is not called by users.
    """
    if inspect.isclass(value) and "Made by" in docstring_of(value):
        return None
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
        bound = not isinstance(value, staticmethod)
    else:
        bound = False
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    parameters = list(signature.parameters.values())
    first = parameters[0].name if parameters else ""
    if bound or first in ("self", "cls"):
        parameters = parameters[1:]
    kept = [p for p in parameters if not p.name.startswith("_")]
    return signature.replace(parameters=kept)


def problems(entries: list[Entry]) -> list[str]:
    """What docstrings lack, with the name of the object that each belongs to.

    A parameter is described in the section Parameters, or named in prose: that of
    the function, of its class, or of its module for what many functions share.
    """
    found: list[str] = []
    classes = public_classes(entries)
    for entry in entries:
        around = entry.module.__doc__ or ""
        if inspect.isclass(entry.value) and "__init__" not in vars(entry.value):
            # Whose constructor it has.
            around += " ".join(map(docstring_of, entry.value.__mro__))
        found += _problems(entry, entry.path, entry.value, around)
        if inspect.isclass(entry.value):
            text = docstring_of(entry.value)
            for name, member in members(entry.value, classes):
                path = f"{entry.path}.{name}"
                found += _problems(entry, path, member, f"{around} {text}")
            found += [
                f"{entry.path}: says nothing of its attribute {name}"
                for name in fields(entry.value, classes)
                if not any(
                    _names(docstring_of(base), name) or comment_of(base, name)
                    for base in entry.value.__mro__
                )
            ]
    return found


def _problems(entry: Entry, path: str, value: Any, around: str) -> Iterator[str]:
    if not describes_itself(value):
        if not comment_of(entry.module, entry.name):
            yield f"{path}: no '#:' comment above it says what it is"
        return
    text = docstring_of(value)
    if not text:
        yield f"{path}: no docstring"
        return
    doc = parse(text)
    summary = doc.text.split("\n\n")[0]
    if not summary.rstrip().endswith((".", ":", "?")):
        yield f"{path}: its first paragraph is no sentence: {summary!r}"
    unknown = [title for title in doc.sections if title not in SECTIONS]
    if unknown:
        yield f"{path}: unknown sections {', '.join(unknown)}"
    known = [SECTIONS.index(title) for title in doc.sections if title in SECTIONS]
    if known != sorted(known):
        yield f"{path}: sections in another order than numpydoc's"
    yield from _wrong_parameters(path, value, doc, f"{text} {around}")


def _wrong_parameters(
    path: str, value: Any, doc: Docstring, text: str
) -> Iterator[str]:
    signature = signature_of(value)
    if signature is None:
        return
    actual = list(signature.parameters)
    stale = [
        name
        for names, _, _ in doc.items("Parameters")
        for name in re.split(r",\s*", names.replace("*", ""))
        if name not in actual
    ]
    if stale:
        yield f"{path}: describes {', '.join(stale)}, which it does not take"
    # A sentence can do for one or two operands without naming them.
    missing = [name for name in actual if not _names(text, name)]
    if missing and ("Parameters" in doc.sections or len(actual) > 2):
        yield f"{path}: says nothing of the parameters {', '.join(missing)}"


def _names(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
