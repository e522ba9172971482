# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors to begin with: constants and random draws.

Extents are given one by one (``shape``). ``device`` is where the tensor is placed,
by default nowhere in particular; ``dtype`` is float32, or on NumPy arrays
(``NEEDLE_BACKEND=np``) any floating type. ``requires_grad`` says whether
``backward()`` computes a gradient for it, by default it does not. An ``array`` gives
shape, type and device.
"""

from needle.init.init_basic import (
    constant,
    one_hot,
    ones,
    ones_like,
    rand,
    randb,
    randn,
    zeros,
    zeros_like,
)
from needle.init.init_initializers import (
    kaiming_normal,
    kaiming_uniform,
    xavier_normal,
    xavier_uniform,
)

__all__ = [
    "constant",
    "kaiming_normal",
    "kaiming_uniform",
    "one_hot",
    "ones",
    "ones_like",
    "rand",
    "randb",
    "randn",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
    "zeros_like",
]
