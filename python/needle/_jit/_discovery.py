# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a function can reach, and whether that is still the same.

Tensors, modules and optimizers are found through the closure of a function, the
global variables that it names, defaults, the object of a method, and arguments;
from there through attributes and containers, and through the functions named.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable, Iterable
from types import (
    BuiltinMethodType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from needle._jit._arguments import by_bits
from needle.autograd import Tensor
from needle.backend_ndarray import NDArray
from needle.nn import Module
from needle.optim import Optimizer

#: Values that are part of what was compiled where they have a name.
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
#: Values that count as long as they are the same objects.
_ARRAYS = (np.ndarray, NDArray)
#: What random numbers are drawn from.
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
_MISSING: Any = object()
#: Of objects that are no modules, only so many are looked into.
_MOST_OBJECTS = 10_000
#: Elements of containers that are compared in each call.
_MOST_ELEMENTS = 1000


class Slots:
    """Attributes of an object with ``__slots__``, as a dictionary has them."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def get(self, key: str, default: Any = None) -> Any:
        """The attribute, or the default if there is none."""
        return getattr(self.owner, key, default)

    def __setitem__(self, key: str, value: Any) -> None:
        """Assign to the attribute."""
        object.__setattr__(self.owner, key, value)

    def __delitem__(self, key: str) -> None:
        """Delete the attribute."""
        object.__delattr__(self.owner, key)


class Reach:
    """What was found.

    Attributes
    ----------
    tensors, modules, optimizers
        Each one once, in the order of discovery.
    bindings
        Dictionaries and keys (cells and None) by which something was found, with
        the value there.
    containers
        Lists, dictionaries and sets, other than the attributes of modules.
    variables
        Dictionaries with the names in them that functions can assign to (None for
        all), cells with the names of their variables, and Slots.
    generators
        What random numbers are drawn from.
    functions
        Functions of programs.
    labels
        How the functions call what was found, by its ``id()``.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.modules: list[Module] = []
        self.optimizers: list[Optimizer] = []
        self.bindings: list[tuple[Any, Any, Any]] = []
        self.containers: list[Any] = []
        self.variables: list[tuple[Any, Iterable[str] | None]] = []
        self.generators: list[Any] = []
        self.functions: list[FunctionType] = []
        self.labels: dict[int, str] = {}
        self._seen: dict[int, Any] = {}
        self._names_of_modules: set[tuple[int, str]] = set()
        for root in roots:
            self._visit(root)

    def _visit(self, value: Any) -> bool:
        """Look into a value; returns whether compiled code depends on it."""
        if isinstance(value, _PLAIN):
            return True
        if id(value) in self._seen:
            return True
        visit = self._find_visit(value)
        if visit is None or len(self._seen) > _MOST_OBJECTS:
            return False
        self._seen[id(value)] = value
        visit(value)
        return True

    def _find_visit(self, value: Any) -> Callable[[Any], None] | None:
        if isinstance(value, Tensor):
            return self._visit_tensor
        if isinstance(value, _ARRAYS):
            return lambda _: None
        if isinstance(value, _GENERATORS):
            return self.generators.append
        if isinstance(value, Module):
            return self._visit_module
        if isinstance(value, Optimizer):
            return self._visit_optimizer
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._visit_sequence
        if isinstance(value, dict):
            return self._visit_dictionary
        if isinstance(value, FunctionType):
            return None if _is_ours(value.__module__) else self._visit_function
        if isinstance(value, MethodType):
            return self._visit_method
        if type(value) is BuiltinMethodType:
            # Such as append() of a list.
            owner = value.__self__
            if isinstance(owner, (list, dict, set, *_GENERATORS)):
                return lambda _: self._visit_elements([owner])
            return None
        if isinstance(value, functools.partial):
            return self._visit_partial
        wrapped = getattr(value, "_jit_function", None)
        if wrapped is not None and not isinstance(value, type):
            return lambda _: self._bind(vars(value), "_jit_function")
        if _is_users_object(value):
            return self._visit_object
        return None

    def _bind(self, holder: Any, key: Any, label: str = "") -> None:
        """Visit what a dictionary (or a cell) holds; remember that it did."""
        if isinstance(holder, CellType):
            value = contents_of(holder)
        else:
            value = holder.get(key, _MISSING)
        if value is _MISSING:
            return
        self.labels.setdefault(id(value), label or str(key))
        if self._visit(value):
            self.bindings.append((holder, key, value))

    def _visit_tensor(self, tensor: Tensor) -> None:
        self.tensors[id(tensor)] = tensor

    def _visit_module(self, module: Module) -> None:
        self.modules.append(module)
        for value in vars(module).values():
            self._visit(value)

    def _visit_optimizer(self, optimizer: Optimizer) -> None:
        self.optimizers.append(optimizer)
        for value in vars(optimizer).values():
            self._visit(value)

    def _visit_sequence(self, values: Iterable[Any]) -> None:
        if isinstance(values, (list, set)):
            self.containers.append(values)
        self._visit_elements(values)

    def _visit_elements(self, values: Iterable[Any]) -> None:
        for value in values:
            self._visit(value)

    def _visit_dictionary(self, values: dict[Any, Any]) -> None:
        self.containers.append(values)
        self._visit_elements(values.keys())
        self._visit_elements(values.values())

    def _visit_function(self, function: FunctionType) -> None:
        code = function.__code__
        for name, cell in zip(
            code.co_freevars, function.__closure__ or (), strict=True
        ):
            self._bind(cell, None, name)
            self.variables.append((cell, (name,)))
        if not _is_library(function.__globals__.get("__name__")):
            self._visit_globals(function, _names(code))
        self._visit_elements(function.__defaults__ or ())
        self._visit_elements((function.__kwdefaults__ or {}).values())
        # What functools.wraps leaves.
        self._visit_elements(vars(function).values())

    def _visit_globals(self, function: FunctionType, names: set[str]) -> None:
        variables = function.__globals__
        self.functions.append(function)
        self.variables.append((variables, names))
        self.variables.append((vars(function), None))
        for name in names:
            if name in variables:
                self._bind(variables, name)
        modules = [variables.get(name) for name in names]
        modules += map(contents_of, function.__closure__ or ())
        for module in modules:
            if isinstance(module, ModuleType):
                self._visit_names(module, names)

    def _visit_names(self, module: ModuleType, names: set[str]) -> None:
        """Attributes of a module of a program, which a function names."""
        file = str(getattr(module, "__file__", None))
        if _is_library(module.__name__) or "site-packages" in file:
            return
        self.variables.append((vars(module), names))
        for name in names & vars(module).keys():
            if (id(module), name) in self._names_of_modules:
                continue
            self._names_of_modules.add((id(module), name))
            self._bind(vars(module), name)
            inner = vars(module)[name]
            if isinstance(inner, ModuleType):
                self._visit_names(inner, names)

    def _visit_method(self, method: MethodType) -> None:
        self._visit(method.__self__)
        self._visit(method.__func__)

    def _visit_partial(self, partial: functools.partial[Any]) -> None:
        self._visit(partial.func)
        self._visit_elements(partial.args)
        self._visit_elements(partial.keywords.values())

    def _visit_object(self, value: Any) -> None:
        attributes = getattr(value, "__dict__", None)
        if attributes is not None:
            self.variables.append((attributes, None))
            for key in list(attributes):
                self._bind(attributes, key)
        names = _slots(value)
        if names:
            slots = Slots(value)
            self.variables.append((slots, names))
            for name in names:
                self._bind(slots, name)


def contents_of(cell: CellType) -> Any:
    """What a cell holds, or something that nobody else has."""
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _is_ours(module: str | None) -> bool:
    return module is not None and (module == "needle" or module.startswith("needle."))


def _is_users_object(value: Any) -> bool:
    """An instance of a class that some program defines, not a library's."""
    if isinstance(value, (type, ModuleType)):
        return False
    if not hasattr(value, "__dict__") and not _slots(value):
        return False
    return not _is_library(type(value).__module__)


def _is_library(module: str | None) -> bool:
    """Whether a module belongs to Python, NumPy or needle."""
    top = (module or "").partition(".")[0]
    return top in sys.stdlib_module_names or top in ("needle", "numpy")


def _slots(value: Any) -> list[str]:
    """Names of attributes that are in no dictionary."""
    names: list[str] = []
    for kind in type(value).__mro__:
        found = vars(kind).get("__slots__", ())
        for name in (found,) if isinstance(found, str) else found:
            is_private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{kind.__name__.lstrip('_')}{name}" if is_private else name)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _names(code: CodeType) -> set[str]:
    """Names that a function and those defined inside look up."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def copied(value: Any, depth: int = 8) -> Any:
    """A value whose containers are copies: what it is compared with later.

    Large and very deep containers stay themselves: they count as long as they are
    the same objects.
    """
    kind = type(value)
    if (
        kind not in (list, tuple, dict, set)
        or depth == 0
        or len(value) > _MOST_ELEMENTS
    ):
        return value
    if kind is set:
        return set(value)
    if kind is dict:
        return {key: copied(part, depth - 1) for key, part in value.items()}
    return kind([copied(part, depth - 1) for part in value])


class Guard:
    """Whether what a compiled function depends on is what it was.

    Parameters
    ----------
    reach
        What the function can reach.
    counted
        Optimizers whose numbers are asked for in each run.
    """

    def __init__(self, reach: Reach, counted: Iterable[Any]) -> None:
        self._named = [
            (holder, key, *_kept(value))
            for holder, key, value in reach.bindings
            if not isinstance(holder, CellType)
        ]
        self._cells = [
            (holder, *_kept(value))
            for holder, _, value in reach.bindings
            if isinstance(holder, CellType)
        ]
        self._modules = [
            (vars(module), *_kept(vars(module))) for module in reach.modules
        ]
        self._settings = [
            (vars(optimizer), _settings(optimizer, counted))
            for optimizer in reach.optimizers
        ]
        self._tensors = list(reach.tensors.values())
        self._flags = [(t.requires_grad, t.grad is None) for t in self._tensors]

    def holds(self) -> bool:
        """Whether everything is as it was."""
        try:
            for holder, key, value, exact in self._named:
                found = holder.get(key, _MISSING)
                if found is not value and not _is_equal(found, value, exact):
                    return False
            for cell, value, exact in self._cells:
                found = cell.cell_contents
                if found is not value and not _is_equal(found, value, exact):
                    return False
            for attributes, former, exact in self._modules:
                if not _is_equal(attributes, former, exact):
                    return False
            for attributes, settings in self._settings:
                for key, value, exact in settings:
                    found = attributes.get(key, _MISSING)
                    if found is not value and not _is_equal(found, value, exact):
                        return False
        except ValueError:
            # Arrays that are compared, or a cell that is empty now.
            return False
        flags = [(t._node.requires_grad, t.grad is None) for t in self._tensors]
        return flags == self._flags


def _kept(value: Any) -> tuple[Any, bool]:
    """What a value is compared with, and whether ``==`` does not tell enough."""
    copy = copied(value)
    return copy, _has_inexact(copy)


def _has_inexact(value: Any, depth: int = 9) -> bool:
    """Whether there are floating-point numbers or arrays in a value."""
    kind = type(value)
    if kind not in (list, tuple, dict) or depth == 0 or len(value) > _MOST_ELEMENTS:
        return isinstance(value, (float, complex, np.inexact, *_ARRAYS))
    parts = value.values() if kind is dict else value
    return any(_has_inexact(part, depth - 1) for part in parts)


def _is_equal(found: Any, value: Any, exact: bool) -> bool:
    if type(found) is not type(value):
        return False
    return same_bits(found, value) if exact else bool(found == value)


def same_bits(found: Any, value: Any) -> bool:
    """Equal plain values, or containers of the same objects; arrays are objects."""
    if found is value:
        return True
    kind = type(found)
    if kind is not type(value) or isinstance(value, _ARRAYS):
        return False
    if kind in (list, tuple):
        return len(found) == len(value) and all(map(same_bits, found, value))
    if kind is dict:
        return found.keys() == value.keys() and all(
            same_bits(part, value[key]) for key, part in found.items()
        )
    return bool(by_bits(found) == by_bits(value))


def _settings(
    optimizer: Optimizer, counted: Iterable[Any]
) -> list[tuple[str, Any, bool]]:
    """Attributes that a step depends on, other than its state and numbers."""
    hidden = set(optimizer.state)
    if any(optimizer is owner for owner in counted):
        hidden.update(optimizer.numbers)
    return [
        (key, *_kept(value))
        for key, value in vars(optimizer).items()
        if key not in hidden
    ]
