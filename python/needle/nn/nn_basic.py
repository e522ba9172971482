# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Basic layers and the classification loss."""

from __future__ import annotations

import math
import operator
from typing import Any

from needle import init, ops
from needle.autograd import Tensor
from needle.backend_selection import Device, is_quantized, quantize_uint8
from needle.nn.module import Module, Parameter


class Identity(Module):
    """Returns its input."""

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x


class Linear(Module):
    """x @ weight + bias.

    Parameters
    ----------
    in_features, out_features : int
        The last extent of the input and of the result.
    bias : bool, optional
    device : Device, optional
    dtype : optional

    Attributes
    ----------
    weight : Parameter
        Of the shape (in_features, out_features); drawn by ``kaiming_uniform``.
    bias : Parameter or None
        Of the shape (1, out_features); drawn after the weight, as (out_features, 1)
        with out_features as fan-in.

    Notes
    -----
    :meth:`quantize_weights` replaces the data of ``weight`` by 8-bit integers. It
    stays one of the :meth:`parameters`, but requires no gradient meanwhile, so that
    optimizers leave it alone. Then the layer computes

    - in eval mode: the input is quantized at every call, per tensor; the product is
      one of integers (rules N4 and N5); the bias is float32. The result requires no
      gradient.
    - in train mode: with the float values that the quantized weight stands for;
      gradients flow to the input and to the bias.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Device | None = None,
        dtype: Any = "float32",
    ) -> None:
        super().__init__()
        for name, extent in (
            ("in_features", in_features),
            ("out_features", out_features),
        ):
            if operator.index(extent) < 1:
                raise ValueError(f"{name} must be positive, got {extent}")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(
            init.kaiming_uniform(in_features, out_features, device=device, dtype=dtype)
        )
        self.bias: Parameter | None = None
        if bias:
            column = init.kaiming_uniform(out_features, 1, device=device, dtype=dtype)
            self.bias = Parameter(column.reshape((1, out_features)))

    @property
    def quantized(self) -> bool:
        """Whether the weight is quantized."""
        return is_quantized(self.weight.realize_cached_data())

    def quantize_weights(self) -> None:
        """Replace the weight by 8-bit integers (rules N1 and N2), per tensor.

        The float weight is freed. A weight that is quantized stays as it is.
        """
        if self.quantized:
            return
        weight = self.weight
        weight.cached_data = quantize_uint8(weight.realize_cached_data(), None, None)
        weight.requires_grad = False
        weight.grad = None

    def dequantize_weights(self) -> None:
        """Replace the quantized weight by the float values it stands for (rule N3).

        What rounding lost does not come back. A float weight stays as it is.
        """
        if self.quantized:
            self.weight.cached_data = self.weight.dequantize().cached_data
            self.weight.requires_grad = True

    def forward(self, x: Tensor) -> Tensor:
        """The product with the weight, plus the bias.

        Parameters
        ----------
        x : Tensor
            Of the shape (..., in_features), with two dimensions or more.

        Returns
        -------
        Tensor
            Of the shape (..., out_features).

        Raises
        ------
        ValueError
            If the last extent of x is not in_features.
        """
        if not isinstance(x, Tensor):
            raise TypeError(
                f"Linear takes a Tensor, not {type(x).__name__}; ndl.Tensor(...) "
                "makes one"
            )
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(
                f"Linear takes (..., {self.in_features}), got the shape {x.shape}"
            )
        if self.quantized:
            if not self.training:
                return self._forward_quantized(x)
            y = ops.matmul(x, self.weight.dequantize())
        else:
            y = ops.matmul(x, self.weight)
        if self.bias is None:
            return y
        return y + ops.broadcast_to(self.bias, y.shape)

    def _forward_quantized(self, x: Tensor) -> Tensor:
        data = x.realize_cached_data()
        if not is_quantized(data):
            data = quantize_uint8(data, None, None)
        y = data @ self.weight.realize_cached_data()
        if self.bias is not None:
            y = y + self.bias.realize_cached_data()
        return Tensor.make_const(y)


class Flatten(Module):
    """All extents but the first as one."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, ...) → (n, product of the others)."""
        shape = x.shape
        return ops.reshape(x, (shape[0], math.prod(shape[1:])))


class ReLU(Module):
    """The larger one of x and 0."""

    def forward(self, x: Tensor) -> Tensor:
        """:func:`needle.ops.relu`."""
        return ops.relu(x)


class Sequential(Module):
    """Modules one after the other."""

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for module in modules:
            if not callable(module):
                raise TypeError(
                    "Sequential takes modules one by one, Sequential(a, b), not "
                    f"{type(module).__name__}"
                )
        self.modules = modules

    def forward(self, x: Any) -> Any:
        """The result of the last module."""
        for module in self.modules:
            x = module(x)
        return x


class SoftmaxLoss(Module):
    """The mean cross-entropy of logits and classes."""

    def forward(self, logits: Tensor, y: Tensor) -> Tensor:
        """The loss.

        Parameters
        ----------
        logits : Tensor
            Of the shape (n, classes).
        y : Tensor
            The right classes, integers, of the shape (n,).

        Returns
        -------
        Tensor
            Without dimensions.

        Raises
        ------
        ValueError
            If the shapes do not fit or a class does not exist.
        """
        if len(logits.shape) != 2 or y.shape != logits.shape[:1]:
            raise ValueError(
                "SoftmaxLoss takes logits of the shape (n, classes) and classes of "
                f"the shape (n,), got {logits.shape} and {y.shape}"
            )
        count, classes = logits.shape
        right = init.one_hot(classes, y, dtype=logits.dtype)
        # Chosen, not multiplied by 0: logits can be infinite.
        chosen = ops.Select()(right, logits)
        losses = ops.logsumexp(logits, (1,)) - ops.summation(chosen, (1,))
        return ops.summation(losses) / count


__all__ = ["Flatten", "Identity", "Linear", "ReLU", "Sequential", "SoftmaxLoss"]
