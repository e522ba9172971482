# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random weights whose spread fits the number of inputs and outputs.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
networks" (2010), for ``xavier``; He et al., "Delving deep into rectifiers" (2015),
for ``kaiming``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from needle.autograd import Tensor
from needle.init.init_basic import rand, randn


def _shape(fan_in: int, fan_out: int, shape: Sequence[int] | None) -> tuple[int, ...]:
    return (fan_in, fan_out) if shape is None else tuple(shape)


def xavier_uniform(
    fan_in: int,
    fan_out: int,
    gain: float = 1.0,
    shape: Sequence[int] | None = None,
    **kwargs: Any,
) -> Tensor:
    """Uniform within ±gain·√(6 / (fan_in + fan_out)).

    Parameters
    ----------
    fan_in, fan_out : int
        How many inputs and outputs a unit has.
    gain : float, optional
    shape : sequence of int, optional
        (fan_in, fan_out) if not given.
    **kwargs
        What :func:`rand` takes: device, dtype, requires_grad.
    """
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return rand(*_shape(fan_in, fan_out, shape), low=-bound, high=bound, **kwargs)


def xavier_normal(
    fan_in: int,
    fan_out: int,
    gain: float = 1.0,
    shape: Sequence[int] | None = None,
    **kwargs: Any,
) -> Tensor:
    """Normal with the standard deviation gain·√(2 / (fan_in + fan_out)).

    Parameters
    ----------
    fan_in, fan_out : int
        How many inputs and outputs a unit has.
    gain : float, optional
    shape : sequence of int, optional
        (fan_in, fan_out) if not given.
    **kwargs
        What :func:`randn` takes: device, dtype, requires_grad.
    """
    std = gain * math.sqrt(2.0 / (fan_in + fan_out))
    return randn(*_shape(fan_in, fan_out, shape), std=std, **kwargs)


def _gain(nonlinearity: str) -> float:
    if nonlinearity != "relu":
        raise ValueError(f"the nonlinearity can only be 'relu', not {nonlinearity!r}")
    return math.sqrt(2.0)


def kaiming_uniform(
    fan_in: int,
    fan_out: int,
    shape: Sequence[int] | None = None,
    nonlinearity: str = "relu",
    **kwargs: Any,
) -> Tensor:
    """Uniform within ±√2·√(3 / fan_in).

    Parameters
    ----------
    fan_in, fan_out : int
        How many inputs and outputs a unit has.
    shape : sequence of int, optional
        (fan_in, fan_out) if not given.
    nonlinearity : str, optional
        What follows: "relu".
    **kwargs
        What :func:`rand` takes: device, dtype, requires_grad.

    Raises
    ------
    ValueError
        For another nonlinearity.
    """
    bound = _gain(nonlinearity) * math.sqrt(3.0 / fan_in)
    return rand(*_shape(fan_in, fan_out, shape), low=-bound, high=bound, **kwargs)


def kaiming_normal(
    fan_in: int,
    fan_out: int,
    shape: Sequence[int] | None = None,
    nonlinearity: str = "relu",
    **kwargs: Any,
) -> Tensor:
    """Normal with the standard deviation √(2 / fan_in).

    Parameters
    ----------
    fan_in, fan_out : int
        How many inputs and outputs a unit has.
    shape : sequence of int, optional
        (fan_in, fan_out) if not given.
    nonlinearity : str, optional
        What follows: "relu".
    **kwargs
        What :func:`randn` takes: device, dtype, requires_grad.

    Raises
    ------
    ValueError
        For another nonlinearity.
    """
    std = _gain(nonlinearity) / math.sqrt(fan_in)
    return randn(*_shape(fan_in, fan_out, shape), std=std, **kwargs)


__all__ = ["kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform"]
