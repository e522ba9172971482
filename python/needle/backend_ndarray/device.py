# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where arrays live and who computes on them."""

from __future__ import annotations

import atexit
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from needle import _needle
from needle.backend_ndarray import ndarray_backend_cpu, ndarray_backend_numpy
from needle.backend_ndarray._one_hot import one_hot_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from needle.backend_ndarray._array import NDArray


#: Kinds of devices, as DLPack numbers them.
KDL_CPU, KDL_CUDA = 1, 2


class Device:
    """A device: makes arrays, and has the functions of its backend as attributes.

    Two devices of one name are equal. :func:`cpu`, :func:`cuda` and
    :func:`cpu_numpy` return them.

    Parameters
    ----------
    name
        Such as ``"cpu"``.
    mod
        The module of the backend, None if the device cannot be used.
    """

    def __init__(self, name: str, mod: ModuleType | None) -> None:
        self.name = name
        self._use(mod)

    def _use(self, mod: ModuleType | None) -> None:
        self.mod = mod
        # What NDArray calls is found without __getattr__: that takes a while.
        functions = {} if mod is None else vars(mod)
        self.__dict__.update(
            {key: f for key, f in functions.items() if key.startswith("array_")}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"{self.name}()"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_find, (self.name,))

    def __getattr__(self, name: str) -> Any:
        if "mod" not in self.__dict__:  # __init__ has not run.
            raise AttributeError(name)
        if self.mod is not None:
            try:
                return getattr(self.mod, name)
            except AttributeError:
                raise AttributeError(
                    f"device {self!r} has no function {name!r}"
                ) from None
        if name.startswith("__"):
            raise AttributeError(name)
        self.check_enabled()
        raise AssertionError("unreachable")

    def enabled(self) -> bool:
        """Whether arrays can be made on this device."""
        return self.mod is not None

    def dlpack_device(self) -> tuple[int, int]:
        """Kind and number of the device, as DLPack counts them."""
        return (KDL_CPU, 0)

    def check_enabled(self) -> None:
        """Raise RuntimeError if this device cannot be used; say what can be."""
        if self.mod is None:
            raise RuntimeError(
                f"{self!r} cannot be used: this build of needle has no backend for "
                "it. Use ndl.cpu(), or leave the device out: arrays then are on "
                "default_device()"
            )

    def empty(self, shape: Any, dtype: npt.DTypeLike = "float32") -> NDArray:
        """An array that is not initialized."""
        from needle.backend_ndarray._array import NDArray
        from needle.backend_ndarray._checks import check_float

        check_float(dtype)
        return NDArray.make(shape, device=self)

    def full(
        self, shape: Any, fill_value: float, dtype: npt.DTypeLike = "float32"
    ) -> NDArray:
        """An array with all elements equal to ``fill_value``."""
        result = self.empty(shape, dtype)
        result.fill(fill_value)
        return result

    def zeros(self, shape: Any, dtype: npt.DTypeLike = "float32") -> NDArray:
        """An array of zeros."""
        return self.full(shape, 0.0, dtype)

    def ones(self, shape: Any, dtype: npt.DTypeLike = "float32") -> NDArray:
        """An array of ones."""
        return self.full(shape, 1.0, dtype)

    def rand(self, *shape: int, dtype: npt.DTypeLike = "float32") -> NDArray:
        """Numbers from [0, 1), drawn by ``numpy.random.rand``: its global seed."""
        return self._draw(np.random.rand(*shape), dtype)  # noqa: NPY002

    def randn(self, *shape: int, dtype: npt.DTypeLike = "float32") -> NDArray:
        """Normal numbers, drawn by ``numpy.random.randn``: its global seed."""
        return self._draw(np.random.randn(*shape), dtype)  # noqa: NPY002

    def randb(
        self, *shape: int, p: float = 0.5, dtype: npt.DTypeLike = "float32"
    ) -> NDArray:
        """Ones with probability ``p`` and zeros, by ``numpy.random.rand <= p``."""
        return self._draw(np.random.rand(*shape) <= p, dtype)  # noqa: NPY002

    def one_hot(self, n: int, i: Any, dtype: npt.DTypeLike = "float32") -> NDArray:
        """Rows of the identity matrix.

        Parameters
        ----------
        n
            Length of a row.
        i
            Integers 0 … n-1, of any shape: a number, a NumPy array, an NDArray.

        Returns
        -------
        Array of shape ``(*i.shape, n)``.

        Raises
        ------
        ValueError
            If an index is no integer or out of range.
        """
        return self._draw(one_hot_rows(n, i), dtype)

    def _draw(self, values: Any, dtype: npt.DTypeLike) -> NDArray:
        from needle.backend_ndarray._array import NDArray

        return NDArray(np.asarray(values), device=self, dtype=dtype)


class CudaDevice(Device):
    """An NVIDIA GPU, or its simulation; the driver is opened when it is first used."""

    def __init__(self) -> None:
        super().__init__("cuda", None)

    def enabled(self) -> bool:
        """Whether arrays can be made on this device."""
        try:
            self.check_enabled()
        except RuntimeError:
            return False
        return True

    def dlpack_device(self) -> tuple[int, int]:
        """Kind and number of the device, as DLPack counts them."""
        self.check_enabled()
        return (KDL_CUDA, _needle.cuda_ordinal())

    def check_enabled(self) -> None:
        """Raise RuntimeError if this device cannot be used; say what can be."""
        if self.mod is not None:
            return
        from needle.backend_ndarray import ndarray_backend_cuda

        try:
            ndarray_backend_cuda.isa()
        except RuntimeError as error:
            raise RuntimeError(
                f"{str(error).rstrip()}\nUse ndl.cpu(), or leave the device out: "
                "arrays then are on default_device()"
            ) from None
        # What the driver runs must end before the driver does.
        atexit.register(_needle.cuda_shutdown)
        self._use(ndarray_backend_cuda)

    def __getattr__(self, name: str) -> Any:
        # Tools that look for protocols do not want a device.
        if "mod" in self.__dict__ and not name.startswith("__"):
            self.check_enabled()
        return super().__getattr__(name)


#: The course's name.
BackendDevice = Device

_CPU = Device("cpu", ndarray_backend_cpu)
_CUDA = CudaDevice()
_CPU_NUMPY = Device("cpu_numpy", ndarray_backend_numpy)


def _find(name: str) -> Device:
    return {"cpu": cpu, "cuda": cuda, "cpu_numpy": cpu_numpy}[name]()


def cpu() -> Device:
    """The CPU, with needle's own compiled kernels."""
    return _CPU


def cuda() -> Device:
    """An NVIDIA GPU. Can be named anywhere; see :meth:`Device.enabled`."""
    return _CUDA


def cpu_numpy() -> Device:
    """The CPU, every operation computed by NumPy."""
    return _CPU_NUMPY


def default_device() -> Device:
    """Where arrays are placed that are made without a device."""
    return _CPU


def all_devices() -> list[Device]:
    """All devices, also those that are not enabled."""
    return [cpu(), cuda(), cpu_numpy()]
