# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""IREE, compiled for AVX2 or this CPU; both operands are values of the run."""

from __future__ import annotations

import importlib
import os
import zlib
from typing import Any

import numpy as np

from kernel_bench.contenders import Made, Setting
from kernel_bench.contraction import Array
from kernel_bench.problems import ZERO_POINT, Problem

_OPTIONS = ("--iree-opt-data-tiling",)


def make(contender: str, problem: Problem, setting: Setting) -> Made:
    """Products of floats, or of s8×s8 whose zero point is taken off beforehand."""
    del contender
    runtime: Any = importlib.import_module("iree.runtime")
    lhs, element, sums = problem.lhs, "f32", "f32"
    if problem.case.kind == "u8s8-i32":
        lhs = (problem.lhs.astype(np.int16) - ZERO_POINT).astype(np.int8)
        element, sums = "i8", "i32"
    program = _compile(_text(problem, element, sums), setting)
    driver = "local-sync"
    if setting.threads > 1:
        driver = "local-task"
        runtime.flags.parse_flags(f"--task_topology_group_count={setting.threads}")
    config = runtime.Config(driver)
    module = runtime.load_vm_module(
        runtime.VmModule.copy_buffer(config.vm_instance, program), config
    )
    operands = [runtime.asdevicearray(config.device, a) for a in (lhs, problem.rhs)]
    function = module["row"]
    return Made(lambda: function(*operands), _to_array)


def _to_array(result: Any) -> Array:
    return np.asarray(result.to_host())


def _text(problem: Problem, element: str, sums: str) -> str:
    batch = len(problem.lhs.shape) == 3
    op = "batch_matmul" if batch else "matmul"

    def tensor(shape: tuple[int, ...], kind: str) -> str:
        return f"tensor<{'x'.join(map(str, shape))}x{kind}>"

    lhs, rhs = tensor(problem.lhs.shape, element), tensor(problem.rhs.shape, element)
    dest = tensor((*problem.lhs.shape[:-1], problem.case.shape.channels), sums)
    zero = "0.0" if sums == "f32" else "0"
    return f"""func.func @row(%a: {lhs}, %b: {rhs}) -> {dest} {{
      %zero = arith.constant {zero} : {sums}
      %empty = tensor.empty() : {dest}
      %init = linalg.fill ins(%zero : {sums}) outs(%empty : {dest}) -> {dest}
      %product = linalg.{op} ins(%a, %b : {lhs}, {rhs}) outs(%init : {dest}) -> {dest}
      return %product : {dest}
    }}"""


def _compile(text: str, setting: Setting) -> bytes:
    """The program; kept for other processes."""
    compiler: Any = importlib.import_module("iree.compiler")
    cpu = "haswell" if setting.limited else "host"
    path = setting.cache / f"iree-{cpu}-{zlib.crc32(text.encode()):08x}.vmfb"
    if path.exists():
        return path.read_bytes()
    options = [f"--iree-llvmcpu-target-cpu={cpu}", *_OPTIONS]
    program: bytes = compiler.compile_str(
        text, target_backends=["llvm-cpu"], extra_args=options
    )
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(program)
    os.replace(temporary, path)
    return program
