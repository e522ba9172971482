# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""needle compiles neural networks to fast code, float or quantized.

The way of a model: build a :class:`Graph` (:class:`GraphBuilder`, :func:`parse`),
:func:`quantize` it if it is to run in integers, :func:`compile` it, call the
:class:`Executable`, :meth:`~Executable.save` it as an artifact.
"""

from needle import _needle, cache
from needle.builder import GraphBuilder, Value
from needle.compiler import Target, compile, cpu_features, stages, targets  # noqa: A004
from needle.errors import ArtifactError, CompileError, NeedleError
from needle.executable import Executable, Kernel, Profile, StepProfile, load
from needle.graph import Graph, parse, reference
from needle.quantization import QuantizationConfig, quantize
from needle.signature import QuantizationInfo, Signature, TensorSpec

__version__ = _needle.version()

__all__ = [
    "ArtifactError",
    "CompileError",
    "Executable",
    "Graph",
    "GraphBuilder",
    "Kernel",
    "NeedleError",
    "Profile",
    "QuantizationConfig",
    "QuantizationInfo",
    "Signature",
    "StepProfile",
    "Target",
    "TensorSpec",
    "Value",
    "cache",
    "compile",
    "cpu_features",
    "load",
    "parse",
    "quantize",
    "reference",
    "stages",
    "targets",
]
