# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The order in which nodes of a graph depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from needle.autograd import Node


def sort_nodes(roots: Sequence[Node], enter: Callable[[Node], bool]) -> list[Node]:
    """Post-order over the nodes; the inputs of nodes that are not entered stay out."""
    order: list[Node] = []
    visited: set[Node] = set()
    for root in roots:
        if root in visited:
            continue
        visited.add(root)
        stack = [(root, iter(root.inputs if enter(root) else ()))]
        while stack:
            node, inputs = stack[-1]
            for value in inputs:
                if value not in visited:
                    visited.add(value)
                    stack.append((value, iter(value.inputs if enter(value) else ())))
                    break
            else:
                order.append(node)
                stack.pop()
    return order
