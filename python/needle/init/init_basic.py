# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constants and random draws as Tensors.

Draws come from NumPy's legacy generator, one call for each tensor, so that
``numpy.random.seed`` decides them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from needle.autograd import Tensor
from needle.backend_ndarray._one_hot import one_hot_rows
from needle.backend_selection import (
    Device,
    array_api,
    committed_device,
    float_type,
    is_traced,
)


def _place(
    values: Any, device: Device | None, dtype: Any, requires_grad: bool
) -> Tensor:
    return Tensor(values, device=device, dtype=dtype, requires_grad=requires_grad)


def rand(
    *shape: int,
    low: float = 0.0,
    high: float = 1.0,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers from low to high.

    Parameters
    ----------
    shape : int
        The extents.
    low, high : float, optional
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    data = array_api.array(np.random.rand(*shape), dtype=dtype, device=device)  # noqa: NPY002
    return Tensor.make_const(data * (high - low) + low, requires_grad)


def randn(
    *shape: int,
    mean: float = 0.0,
    std: float = 1.0,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of a mean and a standard deviation.

    Parameters
    ----------
    shape : int
        The extents.
    mean, std : float, optional
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    data = array_api.array(np.random.randn(*shape), dtype=dtype, device=device)  # noqa: NPY002
    return Tensor.make_const(data * std + mean, requires_grad)


def constant(
    *shape: int,
    c: float = 1.0,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with all elements equal to c.

    Parameters
    ----------
    shape : int
        The extents.
    c : float, optional
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    data = array_api.full(shape, c, dtype=dtype, device=device)
    return Tensor.make_const(data, requires_grad)


def ones(
    *shape: int,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones.

    Parameters
    ----------
    shape : int
        The extents.
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    return constant(
        *shape, c=1.0, device=device, dtype=dtype, requires_grad=requires_grad
    )


def zeros(
    *shape: int,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros.

    Parameters
    ----------
    shape : int
        The extents.
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    return constant(
        *shape, c=0.0, device=device, dtype=dtype, requires_grad=requires_grad
    )


def randb(
    *shape: int,
    p: float = 0.5,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """Ones with the probability p, else zeros: ``numpy.random.rand(*shape) <= p``.

    Parameters
    ----------
    shape : int
        The extents.
    p : float, optional
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional
    """
    return _place(np.random.rand(*shape) <= p, device, dtype, requires_grad)  # noqa: NPY002


def one_hot(
    n: int,
    i: Any,
    device: Device | None = None,
    dtype: Any = "float32",
    requires_grad: bool = False,
) -> Tensor:
    """Rows of the identity matrix.

    Parameters
    ----------
    n : int
        The length of a row.
    i : Tensor, NDArray or array_like
        Integers from 0 to n - 1, of any shape. Their device is the default.
    device : Device, optional
    dtype : optional
    requires_grad : bool, optional

    Returns
    -------
    Tensor
        Of the shape (*i.shape, n).

    Raises
    ------
    ValueError
        If an index is no integer or out of range.
    """
    data = i.realize_cached_data() if isinstance(i, Tensor) else i
    if is_traced(data):
        return Tensor.make_const(data._one_hot(n), requires_grad)
    if device is None:
        device = committed_device(data)
    return _place(one_hot_rows(n, data), device, dtype, requires_grad)


def zeros_like(
    array: Tensor, *, device: Device | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape of a tensor, of its type and on its device.

    Parameters
    ----------
    array : Tensor
    device : Device, optional
        That of the tensor if not given.
    requires_grad : bool, optional
    """
    return _like(array, 0.0, device, requires_grad)


def ones_like(
    array: Tensor, *, device: Device | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape of a tensor, of its type and on its device.

    Parameters
    ----------
    array : Tensor
    device : Device, optional
        That of the tensor if not given.
    requires_grad : bool, optional
    """
    return _like(array, 1.0, device, requires_grad)


def _like(
    array: Tensor, value: float, device: Device | None, requires_grad: bool
) -> Tensor:
    data = array.realize_cached_data()
    return constant(
        *data.shape,
        c=value,
        device=committed_device(data) if device is None else device,
        dtype=float_type(data),
        requires_grad=requires_grad,
    )


__all__ = [
    "constant",
    "one_hot",
    "ones",
    "ones_like",
    "rand",
    "randb",
    "randn",
    "zeros",
    "zeros_like",
]
