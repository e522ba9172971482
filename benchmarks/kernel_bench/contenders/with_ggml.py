# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ggml: activations quantized to int8 in blocks, weights of 4 bits.

``ggml`` stores the row's weights, in Q4_0 or Q4_1. ``ggml q4_K`` has weights of its
own, with scales of 6 bits in blocks of 256, for which its result is judged.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, NotOfferedError, Setting
from kernel_bench.contenders import ggml_library as ggml
from kernel_bench.contenders.ggml_blocks import pack
from kernel_bench.contraction import Array
from kernel_bench.problems import Problem
from kernel_bench.shapes import Blockwise

_SUPER_BLOCK = 256
#: Bytes that a buffer may need around a tensor.
_SLACK = 1 << 20


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """A graph of one product; weights repacked where ggml has a form for that."""
    shape = problem.case.shape
    assert isinstance(shape, Blockwise)
    if contender.endswith("q4_K"):
        if shape.k % _SUPER_BLOCK:
            raise NotOfferedError(f"Q4_K needs a multiple of {_SUPER_BLOCK} rows")
        kind, weights = ggml.Q4_K, _quantized_again(shape, setting.cache)
        problem = dataclasses.replace(problem, own_floats=_floats_of(weights, shape))
    elif problem.zero_points is None:
        kind, weights = ggml.Q4_0, pack(problem)
    else:
        kind, weights = ggml.Q4_1, pack(problem)
    name, registration = ggml.load_code(setting.limited)
    graph = _Graph(registration, setting.threads)
    graph.build(kind, weights, problem.lhs, shape)
    return Made(graph.run, graph.result, (name,), judged_for=problem)


def _quantized_again(shape: Blockwise, cache: Path) -> Array:
    """Weights in Q4_K, by ggml's own quantization; kept for other processes."""
    path = cache / f"q4_K-{shape.k}-{shape.n}.npy"
    if path.exists():
        kept: Array = np.load(path)
        return kept
    rng = np.random.default_rng(shape.k * shape.n)
    columns = rng.standard_normal((shape.n, shape.k), dtype=np.float32)
    stored = np.empty(columns.size, np.uint8)  # more than enough
    size = ggml.library.ggml_quantize_chunk(
        ggml.Q4_K, columns.ctypes.data, stored.ctypes.data, 0, *columns.shape, None
    )
    temporary = path.with_suffix(f".{os.getpid()}.npy")
    np.save(temporary, stored[:size])
    os.replace(temporary, path)
    return stored[:size]


def _floats_of(stored: Array, shape: Blockwise) -> Array:
    """What weights in Q4_K stand for, k×n."""
    traits = ctypes.cast(
        ggml.library.ggml_get_type_traits(ggml.Q4_K), ctypes.POINTER(ggml.TypeTraits)
    ).contents
    columns = np.empty((shape.n, shape.k), np.float32)
    traits.to_float(stored.ctypes.data, columns.ctypes.data, columns.size)
    return np.ascontiguousarray(columns.T)


class _Graph:
    """Tensors, buffers and threads; they live as long as the process."""

    def __init__(self, registration: int, threads: int) -> None:
        self._ggml = ggml.library
        self._registration = registration
        self._device = self._ggml.ggml_backend_reg_dev_get(registration, 0)
        self._backend = self._ggml.ggml_backend_dev_init(self._device, None)
        pointer = ctypes.c_void_p
        set_threads = self._function(
            "ggml_backend_set_n_threads", None, pointer, ctypes.c_int
        )
        set_threads(self._backend, threads)
        if threads > 1:
            # Otherwise every run starts and ends threads.
            parameters = self._ggml.ggml_threadpool_params_default(threads)
            new = self._function("ggml_threadpool_new", pointer, pointer)
            use = self._function(
                "ggml_backend_cpu_set_threadpool", None, pointer, pointer
            )
            use(self._backend, new(ctypes.byref(parameters)))

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        address = self._ggml.ggml_backend_reg_get_proc_address(
            self._registration, name.encode()
        )
        if not address:
            raise NotOfferedError(f"this build has no {name}")
        return ctypes.CFUNCTYPE(result, *arguments)(address)

    def build(self, kind: int, weights: Array, lhs: Array, shape: Blockwise) -> None:
        """Make the graph and fill in its operands."""
        lib = self._ggml
        context = lib.ggml_init(ggml.InitParams(_SLACK, None, True))
        weight = lib.ggml_new_tensor_2d(context, kind, shape.k, shape.n)
        x = lib.ggml_new_tensor_2d(context, ggml.F32, shape.k, shape.m)
        self._result = lib.ggml_mul_mat(context, weight, x)
        self._graph = lib.ggml_new_graph(context)
        lib.ggml_build_forward_expand(self._graph, self._result)
        usual = lib.ggml_backend_dev_buffer_type(self._device)
        self._place(weight, usual if kind == ggml.Q4_1 else self._repacking(usual))
        self._place(x, usual)
        self._place(self._result, usual)
        for tensor, values in ((weight, weights), (x, lhs)):
            size = lib.ggml_nbytes(tensor)
            assert values.nbytes == size, (values.nbytes, size)
            lib.ggml_backend_tensor_set(tensor, values.ctypes.data, 0, size)
        self._shape = (shape.m, shape.n)

    def _repacking(self, usual: int) -> int:
        """The kind of memory that weights are repacked in, if there is any."""
        found = self._function(
            "ggml_backend_dev_get_extra_bufts",
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.c_void_p,
        )(self._device)
        return found[0] if found and found[0] else usual

    def _place(self, tensor: int, kind: int) -> None:
        lib = self._ggml
        size = lib.ggml_nbytes(tensor) + _SLACK
        buffer = lib.ggml_backend_buft_alloc_buffer(kind, size)
        base = lib.ggml_backend_buffer_get_base(buffer)
        lib.ggml_backend_tensor_alloc(buffer, tensor, base)

    def run(self) -> None:
        """Compute; the result stays in the graph."""
        self._ggml.ggml_backend_graph_compute(self._backend, self._graph)

    def result(self, _: None) -> Array:
        """The result of the last run."""
        values = np.empty(self._shape, np.float32)
        self._ggml.ggml_backend_tensor_get(
            self._result, values.ctypes.data, 0, values.nbytes
        )
        return values
