"""Which objects a Python package offers, and where they are documented.

Public is what ``__all__`` of the package names, and the same of the modules in it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

# Properties written in Python and in C++; slots and fields of named tuples are data.
_PROPERTIES = (property, type(type.__dict__["__abstractmethods__"]))


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
        if docstring_of(member) or not public & set(owners[1:]):
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


def is_method(value: Any) -> bool:
    """Whether a class attribute is called."""
    return inspect.isroutine(value) or isinstance(value, (staticmethod, classmethod))


def describes_itself(value: Any) -> bool:
    """Whether a docstring can belong to the value rather than to its type."""
    return inspect.isclass(value) or is_method(value) or isinstance(value, _PROPERTIES)


def docstring_of(value: Any) -> str:
    """The docstring of a value itself, dedented; empty if it has none."""
    if inspect.isclass(value):
        # A class without one has its base's, which says something else.
        text = vars(value).get("__doc__") or ""
    else:
        text = getattr(value, "__doc__", None) or ""
    return inspect.cleandoc(text)
