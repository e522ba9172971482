# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the benchmark needs of ggml, by ctypes; found by NEEDLE_BENCH_GGML.

The variable names a folder that holds, somewhere below, ``libggml-base.so`` and a
``libggml-cpu-*.so`` for each kind of CPU: the folder of a build with GGML_BACKEND_DL
and GGML_CPU_ALL_VARIANTS.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

VARIABLE = "NEEDLE_BENCH_GGML"
#: The code that a CPU with AVX2, and nothing beyond it, is given.
AVX2_CODE = "libggml-cpu-haswell.so"
F32, Q4_0, Q4_1, Q4_K = 0, 2, 3, 12

_POINTER = ctypes.c_void_p
_INT, _SIZE, _LONG = ctypes.c_int, ctypes.c_size_t, ctypes.c_int64
#: Function → result and arguments, as ggml's headers declare them.
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "ggml_version": (ctypes.c_char_p, []),
    "ggml_new_tensor_2d": (_POINTER, [_POINTER, _INT, _LONG, _LONG]),
    "ggml_mul_mat": (_POINTER, [_POINTER, _POINTER, _POINTER]),
    "ggml_new_graph": (_POINTER, [_POINTER]),
    "ggml_build_forward_expand": (None, [_POINTER, _POINTER]),
    "ggml_nbytes": (_SIZE, [_POINTER]),
    "ggml_quantize_chunk": (
        _SIZE,
        [_INT, _POINTER, _POINTER, _LONG, _LONG, _LONG, _POINTER],
    ),
    "ggml_get_type_traits": (_POINTER, [_INT]),
    "ggml_backend_reg_dev_get": (_POINTER, [_POINTER, _SIZE]),
    "ggml_backend_reg_get_proc_address": (_POINTER, [_POINTER, ctypes.c_char_p]),
    "ggml_backend_dev_init": (_POINTER, [_POINTER, ctypes.c_char_p]),
    "ggml_backend_dev_buffer_type": (_POINTER, [_POINTER]),
    "ggml_backend_buft_alloc_buffer": (_POINTER, [_POINTER, _SIZE]),
    "ggml_backend_buffer_get_base": (_POINTER, [_POINTER]),
    "ggml_backend_tensor_alloc": (_INT, [_POINTER, _POINTER, _POINTER]),
    "ggml_backend_tensor_set": (None, [_POINTER, _POINTER, _SIZE, _SIZE]),
    "ggml_backend_tensor_get": (None, [_POINTER, _POINTER, _SIZE, _SIZE]),
    "ggml_backend_graph_compute": (_INT, [_POINTER, _POINTER]),
}


class InitParams(ctypes.Structure):
    """``struct ggml_init_params``."""

    _fields_ = (
        ("mem_size", ctypes.c_size_t),
        ("mem_buffer", ctypes.c_void_p),
        ("no_alloc", ctypes.c_bool),
    )


class ThreadpoolParams(ctypes.Structure):
    """``struct ggml_threadpool_params``."""

    _fields_ = (
        ("cpumask", ctypes.c_bool * 512),
        ("n_threads", ctypes.c_int),
        ("prio", ctypes.c_int),
        ("poll", ctypes.c_uint32),
        ("strict_cpu", ctypes.c_bool),
        ("paused", ctypes.c_bool),
    )


_LOG = ctypes.CFUNCTYPE(None, _INT, ctypes.c_char_p, _POINTER)
#: Takes what it would print for each tensor.
_SILENT = _LOG(lambda _level, _text, _data: None)


class TypeTraits(ctypes.Structure):
    """``struct ggml_type_traits``."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _LONG)),
    )


def _find(pattern: str) -> list[Path]:
    """Libraries in the folder, at least one."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise ImportError(f"{VARIABLE} does not name the folder of its build")
    found = sorted(Path(folder).rglob(pattern))
    if not found:
        raise ImportError(f"{VARIABLE}: there is no {pattern} below {folder}")
    return found


def _open(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ImportError(f"{VARIABLE}: {error}") from None


def _load() -> Any:
    library = _open(_find("libggml-base.so")[0])
    try:
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise ImportError(f"{VARIABLE}: {error}") from None
    library.ggml_init.restype, library.ggml_init.argtypes = _POINTER, [InitParams]
    library.ggml_log_set.argtypes = [_LOG, _POINTER]
    library.ggml_log_set(_SILENT, None)
    default = library.ggml_threadpool_params_default
    default.restype, default.argtypes = ThreadpoolParams, [_INT]
    return library


def load_code(limited: bool) -> tuple[str, int]:
    """The code for this CPU, or for AVX2: its name and its registration.

    Raises
    ------
    ImportError
        If there is none.
    """
    best: tuple[int, str, Any] = (0, "", None)
    for path in _find(AVX2_CODE if limited else "libggml-cpu-*.so"):
        code = ctypes.CDLL(str(path))
        # Of what the CPU cannot run it is 0.
        best = max(best, (int(code.ggml_backend_score()), path.name, code))
    _, name, code = best
    if code is None:
        raise ImportError(f"{VARIABLE} has no code for this CPU")
    code.ggml_backend_init.restype = _POINTER
    return name, int(code.ggml_backend_init())


library = _load()
__version__ = library.ggml_version().decode()
