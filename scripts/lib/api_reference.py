"""The reference of the Python package, made from its docstrings.

    python scripts/lib/api_reference.py FILE

Writes Markdown: every public module with its classes and functions, their
signatures and docstrings. Docstrings that lack something are errors, all of them
listed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from docstrings import Docstring, comment_of, parse, problems, signature_of
from public_api import (
    Entry,
    collect,
    describes_itself,
    docstring_of,
    fields,
    is_method,
    members,
    public_classes,
    public_modules,
    public_names,
)

ROOT = Path(__file__).resolve().parents[2]

# Sections whose entries are names or types with a description.
_LISTS = {"Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([^`]+)`")


def render(root: ModuleType) -> str:
    """The whole reference."""
    entries = collect(root)
    classes = public_classes(entries)
    home = {(entry.name, id(entry.value)): entry for entry in entries}
    lines = ["# Reference of the Python package", ""]
    modules = public_modules(root)
    lines += [f"- [`{m.__name__}`](#{m.__name__})" for m in modules]
    for module in modules:
        lines += ["", f'<a id="{module.__name__}"></a>', ""]
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
            described = describes_itself(value)
            summary = (
                docstring_of(value) if described else comment_of(entry.module, name)
            )
        first = _text(summary).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        yield f"| [`{name}`](#{path}) | {first} |"


def _entry(entry: Entry, classes: set[Any]) -> Iterator[str]:
    value = entry.value
    kind = "class" if inspect.isclass(value) else "function"
    if not describes_itself(value):
        kind = "data"
    yield from ("", f'<a id="{entry.path}"></a>', "")
    yield from (f"### {kind} `{entry.path}`", "")
    if kind == "data":
        yield _text(comment_of(entry.module, entry.name))
        return
    yield from _signature(entry.path if kind == "function" else entry.name, value)
    yield from _sections(parse(docstring_of(value)))
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
        yield f'<a id="{entry.path}.{name}"></a>'
        yield from ("", f"#### `{entry.name}.{name}`", "")
        if is_method(member):
            yield from _signature(name, member)
        yield from _sections(parse(docstring_of(member)))


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
