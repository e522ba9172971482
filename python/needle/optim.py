# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Optimizers: what changes parameters by their gradients.

They replace the data of parameters and keep their own state as plain arrays:
neither is recorded. Gradients are never modified. A parameter without a gradient
stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

from needle.autograd import Tensor, per_step
from needle.backend_selection import array_api


class Optimizer:
    """What optimizers have in common.

    Parameters
    ----------
    params : iterable of Tensor
        What to optimize.
    """

    #: Attributes that hold arrays by parameter: what steps leave for later ones.
    state: ClassVar[tuple[str, ...]] = ()
    #: Attributes that only :meth:`_next_numbers` looks at.
    numbers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Iterable[Tensor]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("an optimizer takes a list of Tensors: write [tensor]")
        self.params = list(params)
        for param in self.params:
            if not isinstance(param, Tensor):
                raise TypeError(
                    f"an optimizer takes Tensors, got {type(param).__name__}"
                )

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        raise NotImplementedError(f"{type(self).__name__} defines no step")

    def _next_numbers(self) -> tuple[float, ...]:
        """Count a step and return the numbers that depend on how many there were.

        Called by :func:`needle.autograd.per_step`.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no _next_numbers")

    def reset_grad(self) -> None:
        """Forget the gradients."""
        for param in self.params:
            param.grad = None

    def _check_gradients(self) -> None:
        """Raise an error before anything is changed if a gradient does not fit."""
        for number, param in enumerate(self.params):
            grad = param.grad
            if grad is None:
                continue
            if not isinstance(grad, Tensor):
                raise TypeError(
                    f"the gradient of parameter {number} is a Tensor, not "
                    f"{type(grad).__name__}"
                )
            if grad.shape != param.shape:
                raise ValueError(
                    f"the gradient of parameter {number} has the shape {grad.shape}, "
                    f"the parameter {param.shape}"
                )

    def _gradients(self, weight_decay: float) -> Iterable[tuple[Tensor, Any, Any]]:
        """Parameters with a gradient, their data, and gradients plus decay."""
        for param in self.params:
            if param.grad is None:
                continue
            data = param.realize_cached_data()
            grad = param.grad.realize_cached_data()
            if weight_decay:
                grad = grad + data * weight_decay
            yield param, data, grad


class SGD(Optimizer):
    """Stochastic gradient descent.

    u ← momentum · u + (1 − momentum) · (grad + weight_decay · param);
    param ← param − lr · u.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float, optional
        The learning rate.
    momentum : float, optional
        How much of the former direction stays, from 0 to 1.
    weight_decay : float, optional
        The factor of the L2 penalty.
    """

    #: See :class:`Optimizer`.
    state = ("u",)
    #: See :class:`Optimizer`.
    numbers = ("lr",)

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.01,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params)
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.u: dict[Tensor, Any] = {}

    def _next_numbers(self) -> tuple[float, ...]:
        return (self.lr,)

    def step(self) -> None:
        """Change every parameter that has a gradient.

        Raises
        ------
        ValueError
            If a gradient has another shape than its parameter; nothing is changed.
        """
        self._check_gradients()
        (rate,) = per_step(self._next_numbers)
        for param, data, grad in self._gradients(self.weight_decay):
            if self.momentum:
                grad = grad * (1.0 - self.momentum)
                former = self.u.get(param)
                if former is not None:
                    grad = former * self.momentum + grad
                self.u[param] = grad
            param.cached_data = data - grad * rate


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015), with an L2 penalty in the gradient.

    m ← β₁·m + (1 − β₁)·grad; v ← β₂·v + (1 − β₂)·grad²;
    param ← param − lr · m̂ / (√v̂ + eps), where m̂ = m / (1 − β₁ᵗ) and
    v̂ = v / (1 − β₂ᵗ) at the step t.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float, optional
        The learning rate.
    beta1, beta2 : float, optional
        How much of the former averages of the gradient and of its square stays.
    eps : float, optional
    weight_decay : float, optional
        The factor of the L2 penalty.
    """

    #: See :class:`Optimizer`.
    state = ("m", "v")
    #: See :class:`Optimizer`.
    numbers = ("lr", "t")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params)
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weight_decay = weight_decay
        self.t = 0
        self.m: dict[Tensor, Any] = {}
        self.v: dict[Tensor, Any] = {}

    def _next_numbers(self) -> tuple[float, ...]:
        self.t += 1
        # The corrections are taken to the numbers: each array is passed over less.
        root = math.sqrt(1.0 - self.beta2**self.t)
        return self.lr * root / (1.0 - self.beta1**self.t), self.eps * root

    def step(self) -> None:
        """Change every parameter that has a gradient.

        Raises
        ------
        ValueError
            If a gradient has another shape than its parameter; nothing is changed.
        """
        self._check_gradients()
        rate, eps = per_step(self._next_numbers)
        for param, data, grad in self._gradients(self.weight_decay):
            first = grad * (1.0 - self.beta1)
            second = (grad * grad) * (1.0 - self.beta2)
            if param in self.m:
                first = self.m[param] * self.beta1 + first
                second = self.v[param] * self.beta2 + second
            self.m[param] = first
            self.v[param] = second
            param.cached_data = data - first / (array_api.sqrt(second) + eps) * rate


__all__ = ["SGD", "Adam", "Optimizer"]
