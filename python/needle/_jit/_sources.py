# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where a program's inputs come from, and what it checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from needle._jit._array import Shape, TracedArray
    from needle.autograd import Node
    from needle.backend_ndarray import NDArray


@dataclass(eq=False)
class Argument:
    """An input that is the array at a place among the arguments."""

    index: int


@dataclass(eq=False)
class NodeData:
    """An input that is the data of a Tensor which the function reaches."""

    node: Node


@dataclass(eq=False)
class GradData:
    """An input that is the data of the gradient of a Tensor."""

    tensor: Any


@dataclass(eq=False)
class ArgumentGrad:
    """An input that is the data of the gradient of an argument."""

    index: int


@dataclass(eq=False)
class Item:
    """An input that is an array in a dictionary, such as an optimizer's state."""

    holder: dict[Any, Any]
    key: Any
    shape: Shape


@dataclass(eq=False)
class Constant:
    """An input that is one array which the function met."""

    array: NDArray


@dataclass(eq=False)
class Number:
    """An input that is a number which a function of the host returns.

    ``group`` counts those functions, ``index`` the numbers that one returns.
    """

    group: int
    index: int


Source = Argument | NodeData | GradData | ArgumentGrad | Item | Constant | Number


@dataclass(frozen=True)
class Check:
    """An output that is 0 unless the inputs were wrong, and what is wrong then."""

    value: TracedArray
    message: str
    place: str
