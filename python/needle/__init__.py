# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle compiles neural networks to fast code, float or quantized.

Eager: :class:`Tensor` with its operations (:mod:`needle.ops`, also here), modules
(:mod:`needle.nn`), optimizers (:mod:`needle.optim`) and initial values
(:mod:`needle.init`), on the arrays of :mod:`needle.backend_ndarray`.

Compiled, the way of a model: build a :class:`Graph` (:class:`GraphBuilder`,
:func:`parse`), :func:`quantize` it if it is to run in integers, :func:`compile` it,
call the :class:`Executable`, :meth:`~Executable.save` it as an artifact.
"""

from needle import _needle, autograd, backend_ndarray, cache, init, nn, ops, optim
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
from needle.builder import GraphBuilder
from needle.builder import Value as GraphValue
from needle.compiler import Target, compile, cpu_features, stages, targets  # noqa: A004
from needle.errors import ArtifactError, CompileError, NeedleError
from needle.executable import Executable, Kernel, Profile, StepProfile, load
from needle.graph import Graph, parse, reference
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
from needle.quantization import QuantizationConfig, quantize
from needle.signature import QuantizationInfo, Signature, TensorSpec

__version__ = _needle.version()

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
    "load",
    "nn",
    "one_hot",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "parse",
    "quantize",
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
