# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a function can reach, and whether that is still the same.

Tensors, modules and optimizers are found through the closure of a function, the
global variables that it names, defaults, the object of a method, and arguments;
from there through attributes and containers, and through the functions named.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from needle.autograd import Tensor
from needle.nn import Module
from needle.optim import Optimizer

#: Values that are part of what was compiled where they have a name.
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MISSING: Any = object()
#: Of objects that are no modules, only so many are looked into.
_MOST_OBJECTS = 10_000
#: Elements of containers that are compared in each call.
_MOST_ELEMENTS = 1000


class Reach:
    """What was found.

    Attributes
    ----------
    tensors, modules, optimizers
        Each one once, in the order of discovery.
    bindings
        Dictionaries and keys (cells and None) by which something was found, with
        the value there.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.modules: list[Module] = []
        self.optimizers: list[Optimizer] = []
        self.bindings: list[tuple[Any, Any, Any]] = []
        self._seen: dict[int, Any] = {}
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
        if isinstance(value, Module):
            return self._visit_module
        if isinstance(value, Optimizer):
            return self._visit_optimizer
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._visit_elements
        if isinstance(value, dict):
            return self._visit_dictionary
        if isinstance(value, FunctionType):
            return None if _is_ours(value.__module__) else self._visit_function
        if isinstance(value, MethodType):
            return self._visit_method
        if isinstance(value, functools.partial):
            return self._visit_partial
        wrapped = getattr(value, "_jit_function", None)
        if wrapped is not None and not isinstance(value, type):
            return lambda _: self._bind(vars(value), "_jit_function")
        if _is_users_object(value):
            return self._visit_object
        return None

    def _bind(self, holder: Any, key: Any) -> None:
        """Visit what a dictionary (or a cell) holds; remember that it did."""
        if isinstance(holder, CellType):
            try:
                value = holder.cell_contents
            except ValueError:
                return
        else:
            value = holder[key]
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

    def _visit_elements(self, values: Iterable[Any]) -> None:
        for value in values:
            self._visit(value)

    def _visit_dictionary(self, values: dict[Any, Any]) -> None:
        self._visit_elements(values.keys())
        self._visit_elements(values.values())

    def _visit_function(self, function: FunctionType) -> None:
        for cell in function.__closure__ or ():
            self._bind(cell, None)
        for name in _names(function.__code__):
            if name in function.__globals__:
                self._bind(function.__globals__, name)
        self._visit_elements(function.__defaults__ or ())
        self._visit_elements((function.__kwdefaults__ or {}).values())
        # What functools.wraps leaves.
        self._visit_elements(vars(function).values())

    def _visit_method(self, method: MethodType) -> None:
        self._visit(method.__self__)
        self._visit(method.__func__)

    def _visit_partial(self, partial: functools.partial[Any]) -> None:
        self._visit(partial.func)
        self._visit_elements(partial.args)
        self._visit_elements(partial.keywords.values())

    def _visit_object(self, value: Any) -> None:
        for key in vars(value):
            self._bind(vars(value), key)


def _is_ours(module: str | None) -> bool:
    return module is not None and (module == "needle" or module.startswith("needle."))


def _is_users_object(value: Any) -> bool:
    """An instance of a class that some program defines, not a library's."""
    if isinstance(value, (type, ModuleType)) or not hasattr(value, "__dict__"):
        return False
    top = type(value).__module__.partition(".")[0]
    return top not in sys.stdlib_module_names and top not in ("needle", "numpy")


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
    if kind not in (list, tuple, dict) or depth == 0 or len(value) > _MOST_ELEMENTS:
        return value
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
            (holder, key, copied(value))
            for holder, key, value in reach.bindings
            if not isinstance(holder, CellType)
        ]
        self._cells = [
            (holder, copied(value))
            for holder, _, value in reach.bindings
            if isinstance(holder, CellType)
        ]
        self._modules = [
            (vars(module), copied(vars(module))) for module in reach.modules
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
            for holder, key, value in self._named:
                found = holder.get(key, _MISSING)
                if found is not value and not _equal(found, value):
                    return False
            for cell, value in self._cells:
                found = cell.cell_contents
                if found is not value and not _equal(found, value):
                    return False
            for attributes, former in self._modules:
                if attributes != former:
                    return False
            for attributes, settings in self._settings:
                for key, value in settings:
                    if attributes.get(key, _MISSING) != value:
                        return False
        except ValueError:
            # Arrays that are compared, or a cell that is empty now.
            return False
        flags = [(t._node.requires_grad, t.grad is None) for t in self._tensors]
        return flags == self._flags


def _equal(found: Any, value: Any) -> bool:
    """Equal plain values or containers of the same objects."""
    return type(found) is type(value) and bool(found == value)


def _settings(optimizer: Optimizer, counted: Iterable[Any]) -> list[tuple[str, Any]]:
    """Attributes that a step depends on, other than its state and numbers."""
    hidden = set(optimizer.state)
    if any(optimizer is owner for owner in counted):
        hidden.update(optimizer.numbers)
    return [
        (key, copied(value))
        for key, value in vars(optimizer).items()
        if key not in hidden
    ]
