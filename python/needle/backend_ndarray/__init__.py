# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays on devices: NDArray, its functions and its devices.

``from needle import backend_ndarray as nd`` is how the deep-learning-systems
course names it.

What makes arrays takes their extents as ``shape``, a ``dtype``, which is float32 in
any spelling, and a ``device``: without one the array is uncommitted, see
:class:`NDArray`. Functions of an array ``a`` do what its method of that name does.
"""

from needle.backend_ndarray import ndarray
from needle.backend_ndarray.ndarray import *  # noqa: F403
from needle.backend_ndarray.ndarray import __all__ as _names

__all__ = ["ndarray", *_names]
