# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors that stand for arguments while a function is traced."""

from __future__ import annotations

from typing import Any

from needle._jit._sources import ArgumentGrad
from needle._jit._trace import Trace
from needle.autograd import Node, Tensor


class Proxies:
    """What stands for Tensors among the arguments, with their gradients.

    Parameters
    ----------
    trace
        Whose arrays stand in for the data.
    proxies
        The Tensors that the function gets, None where an argument is an NDArray.
    tensors
        Those of the caller.
    """

    def __init__(
        self,
        trace: Trace,
        proxies: list[Tensor | None],
        tensors: list[Tensor | None],
    ) -> None:
        self._trace = trace
        self._initial: list[tuple[int, Tensor, Node, Any]] = []
        for place, (proxy, tensor) in enumerate(zip(proxies, tensors, strict=True)):
            if proxy is None or tensor is None:
                continue
            if tensor.grad is not None:
                proxy.grad = self._stand_in(place, tensor.grad)
            node = Node(None, (), proxy._node.data, proxy.requires_grad)
            self._initial.append((place, proxy, node, proxy.grad))

    def _stand_in(self, place: int, grad: Tensor) -> Tensor:
        data = grad.realize_cached_data()
        if data.quant_params is not None:
            self._trace.fail("the gradient of an argument is quantized")
        array = self._trace.stand_in(data, ArgumentGrad(place))
        return Tensor._wrap(Node(None, (), array, False))

    def find_changes(
        self, keep_grads: bool
    ) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]], list[int]]:
        """Places where data are replaced, where gradients are, and are no more."""
        data: list[tuple[int, Any]] = []
        grads: list[tuple[int, Any]] = []
        cleared: list[int] = []
        for place, proxy, node, former in self._initial:
            self._trace.check_flag(node.requires_grad, proxy.requires_grad)
            if proxy.cached_data is not node.data:
                data.append((place, proxy.cached_data))
            grad = proxy.grad
            if grad is former:
                self._check_grad(grad)
            elif grad is not None and keep_grads:
                grads.append((place, grad.realize_cached_data()))
            elif former is not None:
                cleared.append(place)
        return data, grads, cleared

    def _check_grad(self, grad: Tensor | None) -> None:
        source = None if grad is None else grad._node.data._source
        if grad is not None and not isinstance(source, ArgumentGrad):
            self._trace.fail(
                "data of the gradient of an argument were replaced: assign a new "
                "Tensor to its grad instead"
            )


def have_grads(tensors: list[Tensor | None]) -> list[bool]:
    """For each argument, whether there is a gradient."""
    return [tensor is not None and tensor.grad is not None for tensor in tensors]
