# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Objects that a traced function changes: as they were, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from needle._jit._array import TracedArray
from needle._jit._discovery import Reach, copied
from needle._jit._effects import Effects
from needle._jit._sources import GradData, Item, NodeData
from needle._jit._trace import Trace
from needle.autograd import Node, Tensor
from needle.backend_ndarray.functions import zeros
from needle.optim import Optimizer


@dataclass
class Changes:
    """What a run of the compiled function leaves behind.

    Attributes
    ----------
    nodes, items, grads
        Where data, an entry of a dictionary, or a gradient is replaced, and by
        which array.
    cleared
        Tensors that have no gradient afterwards.
    """

    nodes: list[tuple[Node, Any]]
    items: list[tuple[dict[Any, Any], Any, Any]]
    grads: list[tuple[Tensor, Any]]
    cleared: list[Tensor]


class State:
    """Everything that a function can reach, as it was before it was traced.

    Parameters
    ----------
    trace
        Whose arrays stand in for the data.
    reach
        What the function can reach.
    """

    def __init__(self, trace: Trace, reach: Reach) -> None:
        self._trace = trace
        self._reach = reach
        self._grads = {id(t): (t, t.grad) for t in reach.tensors.values()}
        self._attributes = [
            (thing, dict(vars(thing)), copied(vars(thing))) for thing in self._objects()
        ]
        self._states = [
            (held, dict(held))
            for optimizer in reach.optimizers
            for held in _state_of(optimizer)
        ]
        self.effects = Effects(reach, [held for held, _ in self._states])
        self._stand_ins: list[tuple[dict[Any, Any], Any, TracedArray]] = []

    def _objects(self) -> list[Any]:
        return [*self._reach.modules, *self._reach.optimizers]

    def place(self) -> None:
        """Put arrays without values in the place of all data."""
        replaced = self._trace.replaced
        for tensor in self._reach.tensors.values():
            node, grad = tensor._node, tensor.grad
            self._replace(node, NodeData(node))
            if grad is not None and grad._node not in replaced:
                self._replace(grad._node, GradData(tensor))
        for optimizer in self._reach.optimizers:
            for held in _state_of(optimizer):
                for param in optimizer.params:
                    if param not in held:
                        shape = param._node.data._shape
                        held[param] = zeros(shape)
                for key, data in held.items():
                    stand_in = self._trace.stand_in(data, Item(held, key, data.shape))
                    self._stand_ins.append((held, key, stand_in))
        for held, key, stand_in in self._stand_ins:
            held[key] = stand_in

    def _replace(self, node: Node, source: NodeData | GradData) -> None:
        if node not in self._trace.replaced:
            self._trace.capture(node, source)

    def find_changes(self, keep_grads: bool) -> Changes:
        """What the function changed while it was traced."""
        changes = Changes([], [], [], [])
        for node, flag in self._trace.former_flags.items():
            self._trace.check_flag(flag, node.requires_grad)
        self._find_attributes(changes)
        self.effects.check(self._trace.name)
        for node, (_, stand_in) in self._trace.replaced.items():
            if node.data is not stand_in and not isinstance(node.data, tuple):
                changes.nodes.append((node, node.data))
        for held, key, stand_in in self._stand_ins:
            if held[key] is not stand_in:
                changes.items.append((held, key, held[key]))
        for held, former in self._states:
            known = {id(key) for other, key, _ in self._stand_ins if other is held}
            for key, data in held.items():
                if key not in former and id(key) not in known:
                    changes.items.append((held, key, data))
        for tensor, former in self._all_grads():
            if tensor.grad is former:
                continue
            if tensor._node in self._trace.former_links:
                self._trace.fail(
                    "backward() reaches a Tensor that operations outside of the "
                    "function made: gradients would end there. Compute it inside, "
                    "or give it as detach()"
                )
            if tensor.grad is None or not keep_grads:
                changes.cleared.append(tensor)
            else:
                changes.grads.append((tensor, tensor.grad.realize_cached_data()))
        return changes

    def _all_grads(self) -> list[tuple[Tensor, Any]]:
        """Tensors and the gradients that they had before."""
        found = list(self._grads.values())
        for node in self._trace.replaced:
            tensor = None if node.value is None else node.value()
            if isinstance(tensor, Tensor) and id(tensor) not in self._grads:
                found.append((tensor, self._trace.former_grads.get(node)))
        return found

    def _find_attributes(self, changes: Changes) -> None:
        """Tensors that were assigned to attributes; TraceError for all else."""
        replaced = self._trace.replaced
        for thing, former, contents in self._attributes:
            hidden = (
                (*thing.state, *thing.numbers) if isinstance(thing, Optimizer) else ()
            )
            attributes = vars(thing)
            for key in {**former, **attributes}:
                if key in hidden or (
                    key in attributes
                    and key in former
                    and attributes[key] is former[key]
                    and _is_same(attributes[key], contents[key])
                ):
                    continue
                old, new = former.get(key), attributes.get(key)
                if type(old) is type(new) is Tensor and old._node in replaced:
                    # Running averages: the Tensor stays, its data change.
                    changes.nodes.append((old._node, new.realize_cached_data()))
                    continue
                self._trace.fail(
                    f"the attribute {key!r} of {type(thing).__name__} was changed, "
                    "which the compiled function would not do again. Assign to .data "
                    "of a Tensor that is there already, or return the value"
                )

    def restore(self) -> None:
        """Make everything as it was."""
        for node, (data, _) in self._trace.replaced.items():
            node.data = data
        for node, links in self._trace.former_links.items():
            node.op, node.inputs = links
        for node, flag in self._trace.former_flags.items():
            node.requires_grad = flag
        for tensor, grad in self._all_grads():
            tensor.grad = grad
        for held, entries in self._states:
            held.clear()
            held.update(entries)
        for thing, attributes, contents in self._attributes:
            vars(thing).clear()
            vars(thing).update(attributes)
            for key, value in attributes.items():
                if not _is_same(value, contents[key]):
                    _refill(value, contents[key])
        self.effects.restore()


def _state_of(optimizer: Optimizer) -> list[dict[Any, Any]]:
    """The dictionaries of an optimizer that steps fill."""
    return [vars(optimizer)[name] for name in optimizer.state]


def _refill(container: Any, contents: Any) -> None:
    if isinstance(container, list):
        container[:] = contents
    elif isinstance(container, dict):
        container.clear()
        container.update(contents)


def _is_same(value: Any, contents: Any) -> bool:
    try:
        return type(value) not in (list, dict, tuple) or bool(value == contents)
    except ValueError:
        return True
