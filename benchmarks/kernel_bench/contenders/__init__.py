# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who takes part: needle and other libraries, and which of them in which row."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kernel_bench.problems import Problem

#: By kind, in the order of the table; a name begins with the library.
CONTENDERS = {
    "f32": (
        "needle",
        "needle eager",
        "numpy",
        "torch",
        "onnxruntime",
        "openvino",
        "iree",
    ),
    "u8s8-i32": (
        "needle",
        "onnxruntime u8s8",
        "onnxruntime u8u8",
        "torch s8s8",
        "iree s8s8",
    ),
    "u8u8-f32": ("needle", "onnxruntime"),
    "dynamic": ("needle", "onnxruntime", "torch fbgemm"),
    "static": ("needle", "onnxruntime", "openvino", "torch fbgemm"),
    "conv-f32": ("needle", "onnxruntime", "openvino", "torch"),
    "conv-static": ("needle", "onnxruntime", "openvino", "torch fbgemm"),
    "w4-f32": ("needle", "onnxruntime", "openvino"),
    "w4-int8": ("needle", "onnxruntime", "openvino", "ggml", "ggml q4_K"),
}

#: The library → the modules that it comes in.
LIBRARIES = {
    "needle": ("needle",),
    "numpy": ("numpy",),
    "torch": ("torch",),
    "onnxruntime": ("onnxruntime", "onnx"),
    "openvino": ("openvino", "onnx"),
    "iree": ("iree.runtime", "iree.compiler"),
    "ggml": ("kernel_bench.contenders.ggml_library",),
}

#: Makes these libraries keep to AVX2, by variables of their environment.
AVX2_VARIABLES = {
    "needle": {"NEEDLE_ISA": "avx2"},
    "numpy": {"OPENBLAS_CORETYPE": "Haswell"},
    "torch": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "openvino": {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"},
}
#: needle and IREE compile for AVX2, ggml's code for it is chosen.
LIMITED_TO_AVX2 = {"iree", "ggml", *AVX2_VARIABLES}
#: onnxruntime's kernels, which OpenVINO uses for floats: no variable limits them.
UNLIMITED_KERNELS = "mlas"
#: Libraries whose CPUID is answered for them (``avx2_only.py``): what that limits.
HELD_NAMES = {"onnxruntime": "onnxruntime", "openvino": "openvino mlas"}


class NotOfferedError(Exception):
    """The library cannot compute this row; the message says why."""


@dataclass(frozen=True)
class Made:
    """A contender that is ready to run.

    Attributes
    ----------
    call
        What is timed.
    to_array
        Its result as an array, untimed.
    kernels
        Names of what runs, where the library tells.
    kernel_seconds
        The least time of the kernels alone over so many runs, where it tells.
    judged_for
        What it computes, where that is not the row's problem to the letter.
    """

    call: Callable[[], Any]
    to_array: Callable[[Any], npt.NDArray[Any]] = np.asarray
    kernels: tuple[str, ...] = ()
    kernel_seconds: Callable[[int], float] | None = None
    judged_for: Problem | None = None


@dataclass(frozen=True)
class Setting:
    """What a contender is made for."""

    threads: int
    #: Where compiled programs are kept for the next process.
    cache: Path
    #: Whether to keep to AVX2.
    limited: bool = True


def library_of(contender: str) -> str:
    """The library of a contender such as ``torch fbgemm``."""
    return contender.split()[0]


def version_of(library: str) -> str:
    """Import a library; its version.

    Raises
    ------
    ImportError
        If it, or what it needs, is not installed.
    """
    modules = [importlib.import_module(name) for name in LIBRARIES[library]]
    version = getattr(modules[0], "__version__", "")
    if not version:
        version = str(getattr(modules[-1], "version", None) or _distribution(library))
    return str(version)


def _distribution(library: str) -> str:
    from importlib import metadata

    names = {"iree": "iree-base-runtime"}
    try:
        return metadata.version(names.get(library, library))
    except metadata.PackageNotFoundError:
        return ""


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """Make a contender ready.

    Raises
    ------
    NotOfferedError
        If the library does not compute this.
    """
    module = importlib.import_module(
        f"kernel_bench.contenders.with_{library_of(contender)}"
    )
    made: Made = module.make(contender, problem, setting)
    return made
