# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gradients by reverse accumulation over the graph."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any
from weakref import ref

from needle import ops as _ops
from needle._tensor import Tensor
from needle._topology import sort_nodes
from needle.autograd import Node, Op, TensorTuple, Value, value_of
from needle.backend_selection import full_like


def find_topo_sort(node_list: Sequence[Value]) -> list[Any]:
    """All values that the given ones depend on, inputs before what uses them.

    Parameters
    ----------
    node_list : list of Value

    Returns
    -------
    list of Value
        In the order of a depth-first search (post-order), ending in the given ones.
    """
    order: list[Value] = []
    topo_sort_dfs(node_list, set(), order)
    return order


def topo_sort_dfs(
    node: Value | Sequence[Value], visited: set[Any], topo_order: list[Any]
) -> None:
    """Append what a value depends on, and itself, to ``topo_order``.

    Parameters
    ----------
    node : Value or sequence of Value
        Where to begin.
    visited : set
        Values that are in the order already; updated.
    topo_order : list of Value
        Where values are appended, inputs before what uses them.
    """
    values = [node] if isinstance(node, Value) else list(node)
    for value in values:
        value._node.value = ref(value)
    for one in sort_nodes([value._node for value in values], lambda one: True):
        value = value_of(one)
        if value not in visited:
            visited.add(value)
            topo_order.append(value)


def compute_gradient_of_variables(output_tensor: Tensor, out_grad: Tensor) -> None:
    """Leave gradients in ``grad`` of every value that the output depends on.

    Parameters
    ----------
    output_tensor : Tensor
        What is differentiated.
    out_grad : Tensor
        The gradient with respect to it, of its shape.
    """
    root = output_tensor._node
    root.value = ref(output_tensor)
    pending: dict[Node, list[Any]] = {root: [out_grad]}
    elements: dict[Node, dict[int, list[Any]]] = {}
    given = {id(out_grad)}
    order = sort_nodes([root], lambda node: node.requires_grad)
    while order:
        node = order.pop()
        adjoints = pending.pop(node, [])
        if node in elements:
            adjoints.append(_join_elements(node, elements.pop(node)))
        if not adjoints:
            continue
        value = value_of(node)
        adjoint = adjoints[0] if len(adjoints) == 1 else sum_node_list(adjoints)
        op = node.op
        if op is None:
            # Whoever changes the gradient of one leaf in place means that one.
            value.grad = _twin(adjoint) if id(adjoint) in given else adjoint
            given.add(id(adjoint))
            continue
        value.grad = adjoint
        if op.element is not None and node.inputs[0].requires_grad:
            parts = elements.setdefault(node.inputs[0], {})
            parts.setdefault(op.element, []).append(adjoint)
            continue
        gradients = op.gradient_as_tuple(adjoint, value)
        if len(gradients) != len(node.inputs):
            raise ValueError(
                f"{type(op).__name__}.gradient returned {len(gradients)} gradients "
                f"for {len(node.inputs)} inputs"
            )
        for one, gradient in zip(node.inputs, gradients, strict=True):
            if one.requires_grad and gradient is not None:
                _check_gradient(op, gradient, one)
                pending.setdefault(one, []).append(gradient)


def _check_gradient(op: Op, gradient: Any, node: Node) -> None:
    """Raise an error if what an operation returned cannot be a gradient of a node."""
    if not isinstance(gradient, Value):
        raise TypeError(
            f"{type(op).__name__}.gradient returns Tensors, not "
            f"{type(gradient).__name__}; ndl.Tensor(...) makes one"
        )
    given, data = gradient._node.data, node.data
    # In lazy mode there may be nothing to look at yet.
    if given is None or data is None or tuple in (type(given), type(data)):
        return
    if given.shape != data.shape:
        raise ValueError(
            f"{type(op).__name__}.gradient returned the shape {given.shape} for an "
            f"input of the shape {data.shape}"
        )


def _twin(value: Any) -> Any:
    """Another Value with the same data and graph."""
    node = value._node
    if node.op is None and node.requires_grad:
        # A variable: its twin would be another one.
        return value
    return type(value)._wrap(Node(node.op, node.inputs, node.data, node.requires_grad))


def _join_elements(node: Node, parts: dict[int, list[Any]]) -> TensorTuple:
    """The gradient of a tuple from those of its elements; zero where there is none."""
    return _ops.make_tuple(
        *[
            sum_node_list(parts[index])
            if index in parts
            else Tensor.make_const(full_like(data, 0.0))
            for index, data in enumerate(node.data)
        ]
    )


def sum_node_list(node_list: Sequence[Any]) -> Any:
    """The sum of values, without a node for a zero to begin with."""
    return functools.reduce(operator.add, node_list)
