"""The reference of the Python package, made from its docstrings.

    python scripts/lib/api_reference.py FILE

Writes Markdown: every public module with its classes and functions, their
signatures and docstrings. Public is what ``needle.__all__`` names, and the same of
the modules in it. Docstrings that lack something are errors, all of them listed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

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
# Sections whose entries are names or types with a description.
_LISTS = {"Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
# Fields of extension types look like the properties of those written in C++, but
# slots and fields of named tuples are data.
_PROPERTIES = (property, type(type.__dict__["__abstractmethods__"]))
_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([^`]+)`")


@dataclass(frozen=True)
class Entry:
    """A public object: where it is documented, and what it is."""

    module: ModuleType
    name: str
    value: Any

    @property
    def path(self) -> str:
        """The name to import it by."""
        return f"{self.module.__name__}.{self.name}"


# ---------------------------------------------------------------------------
# What is public
# ---------------------------------------------------------------------------


def public_names(module: ModuleType) -> list[str]:
    """``__all__``, or what a module without one defines itself."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return list(dict.fromkeys(names))
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    ]


def public_modules(root: ModuleType) -> list[ModuleType]:
    """The module and those that it and they name, breadth first."""
    found = [root]
    for module in found:
        for name in public_names(module):
            value = getattr(module, name)
            if inspect.ismodule(value) and value not in found:
                found.append(value)
    return found


def collect(root: ModuleType) -> list[Entry]:
    """Every public object once, in the module that it is documented in."""
    modules = public_modules(root)
    entries: list[Entry] = []
    for module in [*modules[1:], root]:
        for name in public_names(module):
            value = getattr(module, name)
            if not inspect.ismodule(value) and _home(value, name, modules) is module:
                entries.append(Entry(module, name, value))
    return entries


def _home(value: Any, name: str, modules: list[ModuleType]) -> ModuleType:
    """The module that defines a value or its parts; the root where none does."""
    naming = [
        module
        for module in modules[1:]
        if name in public_names(module) and getattr(module, name) is value
    ]
    defined = getattr(value, "__module__", "") or ""
    for module in naming:
        if f"{defined}.".startswith(f"{module.__name__}."):
            return module
    return naming[0] if naming else modules[0]


def members(value: type, public: set[Any]) -> Iterator[tuple[str, Any]]:
    """Methods and properties of a class that no public base describes.

    An override without a docstring does what the base says.
    """
    own = [base for base in value.__mro__ if base is value or base not in public]
    for name in dir(value):
        if name.startswith("_"):
            continue
        owners = [base for base in value.__mro__ if name in vars(base)]
        member = vars(owners[0])[name]
        if owners[0] not in own or not owners[0].__module__.startswith("needle"):
            continue
        if not is_method(member) and not isinstance(member, _PROPERTIES):
            continue
        if _docstring(member) or not public & set(owners[1:]):
            yield name, member


def fields(value: type, public: set[Any]) -> list[str]:
    """Public attributes of a class that are data, but for those of public bases."""
    return [
        name
        for base in value.__mro__
        if base.__module__.startswith("needle") and base not in public - {value}
        for name, member in vars(base).items()
        if not name.startswith("_")
        and not is_method(member)
        and not isinstance(member, _PROPERTIES)
    ]


def public_classes(entries: list[Entry]) -> set[Any]:
    """The classes among the entries."""
    return {entry.value for entry in entries if inspect.isclass(entry.value)}


# ---------------------------------------------------------------------------
# Docstrings
# ---------------------------------------------------------------------------


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
    if inspect.isclass(value) and "Made by" in _docstring(value):
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
            around += " ".join(map(_docstring, entry.value.__mro__))
        found += _problems(entry, entry.path, entry.value, around)
        if inspect.isclass(entry.value):
            text = _docstring(entry.value)
            for name, member in members(entry.value, classes):
                path = f"{entry.path}.{name}"
                found += _problems(entry, path, member, f"{around} {text}")
            found += [
                f"{entry.path}: says nothing of its attribute {name}"
                for name in fields(entry.value, classes)
                if not any(
                    _names(_docstring(base), name) or comment_of(base, name)
                    for base in entry.value.__mro__
                )
            ]
    return found


def _problems(entry: Entry, path: str, value: Any, around: str) -> Iterator[str]:
    if not _describes_itself(value):
        if not comment_of(entry.module, entry.name):
            yield f"{path}: no '#:' comment above it says what it is"
        return
    text = _docstring(value)
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


def is_method(value: Any) -> bool:
    """Whether a class attribute is called."""
    return inspect.isroutine(value) or isinstance(value, (staticmethod, classmethod))


def _describes_itself(value: Any) -> bool:
    """Whether a docstring can belong to the value rather than to its type."""
    return inspect.isclass(value) or is_method(value) or isinstance(value, _PROPERTIES)


def _docstring(value: Any) -> str:
    if inspect.isclass(value):
        # A class without one has its base's, which says something else.
        text = vars(value).get("__doc__") or ""
    else:
        text = getattr(value, "__doc__", None) or ""
    return inspect.cleandoc(text)


# ---------------------------------------------------------------------------
# Markdown
# ---------------------------------------------------------------------------


def render(root: ModuleType) -> str:
    """The whole reference."""
    entries = collect(root)
    classes = public_classes(entries)
    home = {(entry.name, id(entry.value)): entry for entry in entries}
    lines = ["# Reference of the Python package", ""]
    modules = public_modules(root)
    lines += [f"- [`{m.__name__}`](#{_anchor(m.__name__)})" for m in modules]
    for module in modules:
        lines += ["", f'<a id="{_anchor(module.__name__)}"></a>', ""]
        lines += [f"## `{module.__name__}`", "", _text(module.__doc__ or ""), ""]
        lines += _contents(module, home)
        for entry in entries:
            if entry.module is module:
                lines += _entry(entry, classes)
    return "\n".join(lines) + "\n"


def _contents(module: ModuleType, home: dict[tuple[str, int], Entry]) -> Iterator[str]:
    """A table of all names of a module, wherever they are documented."""
    yield "| name | |"
    yield "| --- | --- |"
    for name in public_names(module):
        value = getattr(module, name)
        if inspect.ismodule(value):
            path, summary = value.__name__, _text(value.__doc__ or "")
        else:
            entry = home[name, id(value)]
            path = entry.path
            described = _describes_itself(value)
            summary = _docstring(value) if described else comment_of(entry.module, name)
        first = _text(summary).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        yield f"| [`{name}`](#{_anchor(path)}) | {first} |"


def _entry(entry: Entry, classes: set[Any]) -> Iterator[str]:
    value = entry.value
    kind = "class" if inspect.isclass(value) else "function"
    if not _describes_itself(value):
        kind = "data"
    yield from ("", f'<a id="{_anchor(entry.path)}"></a>', "")
    yield from (f"### {kind} `{entry.path}`", "")
    if kind == "data":
        yield _text(comment_of(entry.module, entry.name))
        return
    yield from _signature(entry.path if kind == "function" else entry.name, value)
    yield from _sections(parse(_docstring(value)))
    if kind == "function":
        return
    for name in fields(value, classes):
        if comment := comment_of(value, name):
            yield from (f"- `{name}`: {_text(comment)}", "")
    for base in value.__mro__[1:]:
        inherited = [name for name, _ in members(base, classes)]
        if base in classes and inherited:
            yield f"From `{base.__name__}`: " + ", ".join(f"`{n}`" for n in inherited)
            yield ""
    for name, member in members(value, classes):
        yield f'<a id="{_anchor(f"{entry.path}.{name}")}"></a>'
        yield from ("", f"#### `{entry.name}.{name}`", "")
        if is_method(member):
            yield from _signature(name, member)
        yield from _sections(parse(_docstring(member)))


def _signature(name: str, value: Any) -> Iterator[str]:
    signature = signature_of(value)
    if signature is not None:
        # Annotations are strings already; quotes around them say nothing.
        yield from ("```python", f"{name}{signature}".replace("'", ""), "```", "")


def _sections(doc: Docstring) -> Iterator[str]:
    yield from (_text(doc.text), "")
    for title, text in doc.sections.items():
        yield from (f"**{title}**", "")
        # What is returned may be said in a sentence, without a name or type.
        is_prose = title in ("Returns", "Yields") and "\n " not in text
        if title not in _LISTS or is_prose:
            yield from (_text(text), "")
            continue
        for names, kind, description in doc.items(title):
            typed = f" ({kind})" if kind else ""
            said = f": {_text(description)}".replace("\n", "\n  ")
            yield f"- `{names}`{typed}{said if description else ''}"
        yield ""


def _text(text: str) -> str:
    """Prose of a docstring as Markdown: code and references in backticks."""
    text = _ROLE.sub(r"`\1`", inspect.cleandoc(text))
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"::\n\n((?: {4}.*\n?|\n)+)", _code, text)


def _code(match: re.Match[str]) -> str:
    return f":\n\n```python\n{inspect.cleandoc(match[1])}\n```\n"


def _anchor(path: str) -> str:
    return path


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the reference of the package.")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    sys.path.append(str(ROOT / "python"))
    import needle

    lacking = problems(collect(needle))
    if lacking:
        print(
            "error: docstrings lack something:", *lacking, sep="\n  ", file=sys.stderr
        )
        return 1
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    arguments.file.write_text(render(needle), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
