# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What asks for values while there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from needle.backend_ndarray import NDArray
from needle.backend_ndarray.quantized import FLOAT32

if TYPE_CHECKING:
    from needle._jit._recorder import Recorder
    from needle.builder import Value as GraphValue


class DynamicParams:
    """Parameters of a quantized array that are computed when the program runs."""

    __slots__ = ("_trace", "scale_value", "zero_point_value")

    original_dtype = FLOAT32

    def __init__(
        self, trace: Recorder, scale: GraphValue, zero_point: GraphValue
    ) -> None:
        self._trace = trace
        self.scale_value = scale
        self.zero_point_value = zero_point

    @property
    def scale(self) -> float:
        """Not known while tracing."""
        self._trace.fail_reading("quant_params.scale")

    @property
    def zero_point(self) -> int:
        """Not known while tracing."""
        self._trace.fail_reading("quant_params.zero_point")


class Valueless:
    """The methods of NDArray that a graph cannot have: each is a TraceError."""

    __slots__ = ()

    _trace: Recorder

    def _fail(self, what: str) -> NoReturn:
        self._trace.fail_reading(what)

    def numpy(self) -> NoReturn:
        """Values are not known while tracing."""
        self._fail("numpy()")

    def item(self) -> NoReturn:
        """Values are not known while tracing."""
        self._fail("item()")

    def tolist(self) -> NoReturn:
        """Values are not known while tracing."""
        self._fail("tolist()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self._fail("NumPy")

    def __float__(self) -> float:
        self._fail("float()")

    def __int__(self) -> int:
        self._fail("int()")

    def __index__(self) -> int:
        self._fail("an index")

    def __bool__(self) -> bool:
        self._fail("bool() (data-dependent control flow: if, while, and, or)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in type(self).__slots__:
            raise AttributeError(name)
        if hasattr(NDArray, name):
            self._trace.fail(
                f"{name} of an array is not supported in compiled functions"
            )
        raise AttributeError(f"'NDArray' object has no attribute {name!r}")

    def __reduce__(self) -> NoReturn:
        self._fail("pickle or copy")
