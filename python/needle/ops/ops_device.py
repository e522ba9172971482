# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Moving tensors between devices."""

# compute and gradient are described in Op.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from needle._tensor import Tensor
from needle.autograd import TensorOp
from needle.backend_selection import Device
from needle.backend_selection import to_device as move


class ToDevice(TensorOp):
    """The same values on a device."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def compute(self, a: Any) -> Any:
        return move(a, self.device)

    def gradient(self, out_grad: Tensor, node: Tensor) -> Tensor:
        return to_device(out_grad, node.inputs[0].device)


def to_device(a: Tensor, device: Device) -> Tensor:
    """The same values on a device, to which the result is committed.

    Raises
    ------
    RuntimeError
        If the device cannot be used.
    """
    return ToDevice(device)(a)


__all__ = ["ToDevice", "to_device"]
