# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arguments and results of traced functions: arrays in nested containers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from needle.autograd import Node, Tensor, TensorTuple
from needle.backend_ndarray import NDArray
from needle.nn import Module, Parameter
from needle.optim import Optimizer

#: What takes the place of an array: called with its index and the array.
StandIn = Callable[[int, Any], Any]


class Arguments:
    """The arrays among arguments, and all else about them as a key.

    Attributes
    ----------
    arrays
        The data of Tensors, and NDArrays, in order.
    tensors
        The Tensors that they belong to, or None.
    key
        Equal for calls that one graph can serve: the structure, static values,
        and for arrays shape, quantization and whether gradients are asked for.
    """

    __slots__ = ("arrays", "key", "tensors")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.arrays: list[Any] = []
        self.tensors: list[Tensor | None] = []
        parts: list[Any] = []
        for value in args:
            self._add(value, parts)
        for name in sorted(kwargs) if kwargs else ():
            parts.append(name)
            self._add(kwargs[name], parts)
        self.key = tuple(parts)

    def _add(self, value: Any, parts: list[Any]) -> None:
        kind = type(value)
        if kind is Tensor:
            node = value._node
            data = node.data
            if data is None:
                data = value.realize_cached_data()
            if type(data) is NDArray or isinstance(data, NDArray):
                parts.append(
                    (node.requires_grad, node.op is None, data.shape, data.quant_params)
                )
                if value in self.tensors:
                    # The same Tensor twice is one input.
                    parts.append(self.tensors.index(value))
                else:
                    self.arrays.append(data)
                    self.tensors.append(value)
                return
            raise TypeError(
                f"a Tensor of {type(data).__name__} cannot be compiled for: ndl.jit "
                "takes Tensors of needle's own arrays (NEEDLE_BACKEND=nd)"
            )
        if kind is NDArray or isinstance(value, NDArray):
            parts.append((None, value.shape, value.quant_params))
            self.arrays.append(value)
            self.tensors.append(None)
        elif isinstance(value, (Module, Optimizer, Parameter)):
            parts.append(value)
        elif isinstance(value, (TensorTuple, list, tuple)):
            parts.append((kind, len(value)))
            for part in value:
                self._add(part, parts)
        elif isinstance(value, dict):
            parts.append((kind, tuple(map(_static, value))))
            for part in value.values():
                self._add(part, parts)
        else:
            parts.append(_static(value))


def _static(value: Any) -> tuple[type, Any]:
    """An argument whose value the compiled code is for."""
    try:
        hash(value)
    except TypeError:
        kind = type(value)
        raise TypeError(
            f"an argument of type {kind.__module__}.{kind.__qualname__} is neither a "
            "Tensor nor hashable: ndl.jit compiles for the value of every argument "
            "that is no Tensor. Give an array as ndl.Tensor(...)"
        ) from None
    return type(value), by_bits(value)


def by_bits(value: Any) -> Any:
    """What equals that of another value if programs for them are the same.

    The zeros equal each other, but have other quotients; NaN does not equal itself.
    """
    if isinstance(value, (float, complex)):
        return struct.pack("dd", value.real, value.imag)
    if isinstance(value, np.inexact):
        return value.tobytes()
    if isinstance(value, (tuple, frozenset)):
        kind = tuple if isinstance(value, tuple) else frozenset
        return kind(map(_static, value))
    return value


class Replaced:
    """Arguments with stand-ins for the arrays.

    Attributes
    ----------
    args, kwargs
        As the function gets them.
    tensors
        The Tensors that were made, None where an NDArray was.
    """

    def __init__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], stand_in: StandIn
    ) -> None:
        self.tensors: list[Tensor | None] = []
        self._seen: dict[int, Tensor] = {}
        self._stand_in = stand_in
        self.args = tuple(self._walk(value) for value in args)
        self.kwargs = {name: self._walk(kwargs[name]) for name in sorted(kwargs)}

    def _walk(self, value: Any) -> Any:
        kind = type(value)
        if kind is Tensor:
            if id(value) not in self._seen:
                array = self._stand_in(len(self.tensors), value.realize_cached_data())
                node = Node(None, (), array, value.requires_grad)
                self._seen[id(value)] = Tensor._wrap(node)
                self.tensors.append(self._seen[id(value)])
            return self._seen[id(value)]
        if isinstance(value, NDArray):
            array = self._stand_in(len(self.tensors), value)
            self.tensors.append(None)
            return array
        if isinstance(value, (Module, Optimizer, Parameter)):
            return value
        if isinstance(value, (list, tuple)):
            return _rebuild(value, [self._walk(part) for part in value])
        if isinstance(value, TensorTuple):
            return tuple(self._walk(part) for part in value)
        if isinstance(value, dict):
            return {key: self._walk(part) for key, part in value.items()}
        return value


def others(value: Any) -> Any:
    """What arguments hold besides Tensors and NDArrays."""
    if type(value) is Tensor or isinstance(value, (NDArray, TensorTuple)):
        return None
    if isinstance(value, (list, tuple)):
        return [others(part) for part in value]
    if isinstance(value, dict):
        return [others(part) for part in value.values()]
    return value


def _rebuild(value: Any, parts: list[Any]) -> Any:
    """A list or tuple, also a named one, of other parts."""
    if hasattr(value, "_fields"):
        return type(value)(*parts)
    return parts if isinstance(value, list) else tuple(parts)


class Results:
    """How what a function returned is made of outputs of a run.

    Parameters
    ----------
    value
        What it returned while it was traced.
    output
        Called with each array; returns the index of the output that it is.
    known
        Returns the caller's own Tensor for one that stands for it, else None.
    """

    def __init__(
        self,
        value: Any,
        output: Callable[[Any], int],
        known: Callable[[Tensor], Tensor | int | None],
    ) -> None:
        self._output = output
        self._known = known
        self.indices: set[int] = set()
        self.make: Callable[[list[Any], list[Any]], Any] = self._maker(value)
        # They lead back to what owns this object.
        del self._output, self._known

    def _maker(self, value: Any) -> Callable[[list[Any], list[Any]], Any]:
        if isinstance(value, Tensor):
            same = self._known(value)
            if isinstance(same, int):
                return lambda outputs, tensors: tensors[same]
            if same is not None:
                return lambda outputs, tensors: same
            index = self._index(value.realize_cached_data())
            return lambda outputs, tensors: Tensor._wrap(
                Node(None, (), outputs[index], False)
            )
        if hasattr(value, "_trace"):
            index = self._index(value)
            return lambda outputs, tensors: outputs[index]
        if isinstance(value, TensorTuple):
            value = value.tuple()
        if isinstance(value, (list, tuple)):
            makers = [self._maker(part) for part in value]
            like = _rebuild(value, [None] * len(makers))
            return lambda outputs, tensors: _rebuild(
                like, [maker(outputs, tensors) for maker in makers]
            )
        if isinstance(value, dict):
            items = {key: self._maker(part) for key, part in value.items()}
            return lambda outputs, tensors: {
                key: maker(outputs, tensors) for key, maker in items.items()
            }
        return lambda outputs, tensors: value

    def _index(self, array: Any) -> int:
        index = self._output(array)
        self.indices.add(index)
        return index
