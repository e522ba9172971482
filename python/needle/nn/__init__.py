# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Modules: layers, what they are composed of, and losses."""

from needle.nn.module import (
    Module,
    Parameter,
)
from needle.nn.nn_basic import (
    Flatten,
    Identity,
    Linear,
    ReLU,
    Sequential,
    SoftmaxLoss,
)

__all__ = [
    "Flatten",
    "Identity",
    "Linear",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "SoftmaxLoss",
]
