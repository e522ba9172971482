# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle compiles neural networks to fast code, float or quantized.

Eager: :class:`Tensor` with its operations (:mod:`needle.ops`, also here), modules
(:mod:`needle.nn`), optimizers (:mod:`needle.optim`) and initial values
(:mod:`needle.init`), on the arrays of :mod:`needle.backend_ndarray`.

Compiled, the way of a model: build a :class:`Graph` (:class:`GraphBuilder`,
:func:`parse`), :func:`quantize` it if it is to run in integers, :func:`compile` it,
call the :class:`Executable`, :meth:`~Executable.save` it as an artifact.
"""

import importlib
from typing import TYPE_CHECKING, Any

from needle import _needle, autograd, backend_ndarray, init, nn, ops, optim
from needle.autograd import Op, Tensor, TensorOp, TensorTuple, TensorTupleOp, Value
from needle.backend_ndarray import NDArray
from needle.backend_selection import (
    Device,
    all_devices,
    cpu,
    cpu_numpy,
    cuda,
    default_device,
)
from needle.errors import ArtifactError, CompileError, NeedleError, TraceError
from needle.init import (
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
from needle.ops import *  # noqa: F403

if TYPE_CHECKING:
    from needle import cache
    from needle._jit import jit
    from needle.blockwise import quantize_blockwise
    from needle.builder import GraphBuilder
    from needle.builder import Value as GraphValue
    from needle.compiler import (
        Target,
        compile,  # noqa: A004
        cpu_features,
        stages,
        targets,
    )
    from needle.executable import Executable, Kernel, Profile, StepProfile, load
    from needle.graph import Graph, parse, reference
    from needle.quantization import QuantizationConfig, quantize
    from needle.signature import QuantizationInfo, Signature, TensorSpec

__version__ = _needle.version()

# Imported when they are used first: eager programs need none of them, and importing
# needle stays cheap.
_MODULES = (
    "blockwise",
    "builder",
    "cache",
    "compiler",
    "executable",
    "graph",
    "quantization",
    "signature",
)
_HOMES = {
    "Executable": "executable",
    "Graph": "graph",
    "GraphBuilder": "builder",
    "Kernel": "executable",
    "Profile": "executable",
    "QuantizationConfig": "quantization",
    "QuantizationInfo": "signature",
    "Signature": "signature",
    "StepProfile": "executable",
    "Target": "compiler",
    "TensorSpec": "signature",
    "compile": "compiler",
    "cpu_features": "compiler",
    "jit": "_jit",
    "load": "executable",
    "parse": "graph",
    "quantize": "quantization",
    "quantize_blockwise": "blockwise",
    "reference": "graph",
    "stages": "compiler",
    "targets": "compiler",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"needle.{name}")
    if name == "GraphValue":
        value = importlib.import_module("needle.builder").Value
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"needle.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'needle' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_HOMES, "GraphValue"})


__all__ = [
    "ArtifactError",
    "CompileError",
    "Device",
    "Executable",
    "Graph",
    "GraphBuilder",
    "GraphValue",
    "Kernel",
    "NDArray",
    "NeedleError",
    "Op",
    "Profile",
    "QuantizationConfig",
    "QuantizationInfo",
    "Signature",
    "StepProfile",
    "Target",
    "Tensor",
    "TensorOp",
    "TensorSpec",
    "TensorTuple",
    "TensorTupleOp",
    "TraceError",
    "Value",
    "all_devices",
    "autograd",
    "backend_ndarray",
    "cache",
    "compile",
    "constant",
    "cpu",
    "cpu_features",
    "cpu_numpy",
    "cuda",
    "default_device",
    "init",
    "jit",
    "load",
    "nn",
    "one_hot",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "parse",
    "quantize",
    "quantize_blockwise",
    "rand",
    "randb",
    "randn",
    "reference",
    "stages",
    "targets",
    "zeros",
    "zeros_like",
]
__all__ += ops.__all__
