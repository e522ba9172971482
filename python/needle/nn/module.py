# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all layers are: modules with parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from needle.autograd import Tensor

_ModuleT = TypeVar("_ModuleT", bound="Module")


class Parameter(Tensor):
    """A Tensor that a module learns; modules find it among their attributes."""

    __slots__ = ()


class Module:
    """A function with parameters; subclasses define ``forward``.

    Parameters and modules are found among the attributes, and in dictionaries,
    lists and tuples there, however deeply nested.
    """

    #: Whether the module is being trained; :meth:`train` and :meth:`eval` set it.
    training = True

    def __init__(self) -> None:
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the module computes."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply :meth:`forward`."""
        return self.forward(*args, **kwargs)

    def parameters(self) -> list[Tensor]:
        """The parameters of this module and of those inside, each one once."""
        return [part for part in _walk(self, set()) if isinstance(part, Parameter)]

    def _children(self) -> list[Module]:
        """The modules inside this one, however deep, each one once."""
        return [part for part in _modules(self) if part is not self]

    def train(self: _ModuleT) -> _ModuleT:
        """Switch this module and those inside to training; returns the module."""
        for module in _modules(self):
            module.training = True
        return self

    def eval(self: _ModuleT) -> _ModuleT:
        """Switch this module and those inside to inference; returns the module."""
        for module in _modules(self):
            module.training = False
        return self


def _modules(root: Module) -> list[Module]:
    return [part for part in _walk(root, set()) if isinstance(part, Module)]


def _walk(value: Any, seen: set[int]) -> Iterator[Any]:
    """Modules and parameters, in the order of attributes and elements."""
    if not isinstance(value, (Module, Parameter, dict, list, tuple)):
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (Module, Parameter)):
        yield value
    if isinstance(value, Parameter):
        return
    if isinstance(value, Module):
        value = value.__dict__
    for part in value.values() if isinstance(value, dict) else value:
        yield from _walk(part, seen)
