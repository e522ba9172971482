# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every target that this CPU has the instructions for runs here, with its kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import emulation
import needle as ndl
import pytest
from differential import check_exact, compile_everywhere, kernels_of
from graphs import data

#: Linux's names of features, where they are not LLVM's.
LINUX_NAMES = {"avxvnni": "avx_vnni", "avx512vnni": "avx512_vnni"}


def targets_of_this_cpu() -> list[str]:
    """By what the kernel of the operating system says, not needle's own detection."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    lines = (line.partition(":") for line in text.splitlines())
    flags = next(set(v.split()) for k, _, v in lines if k.strip() == "flags")
    return [
        row.name
        for row in ndl.targets()
        if flags.issuperset(LINUX_NAMES.get(name, name) for name in row.features)
    ]


def build_matmul() -> ndl.Graph:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (13, 70))
    builder.output(builder.matmul(x, data(70, 37)))
    return ndl.quantize(builder.build(), None, ndl.QuantizationConfig(mode="dynamic"))


def build_convolution() -> ndl.Graph:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (2, 9, 8, 7))
    builder.output(builder.conv2d(x, data(3, 3, 7, 19)))
    return ndl.quantize(builder.build(), None, ndl.QuantizationConfig(mode="dynamic"))


def build_blockwise() -> ndl.Graph:
    builder = ndl.GraphBuilder()
    x = builder.input("x", (13, 70))
    weight = ndl.quantize_blockwise(data(70, 37))
    y = builder.matmul_blockwise(x, *weight, block_size=32, activations="int8")
    builder.output(y)
    return builder.build()


@pytest.mark.skipif(bool(emulation.RUNNER), reason="tests run on another CPU now")
@pytest.mark.parametrize(
    ("op", "build"),
    [
        ("needle.qmatmul", build_matmul),
        ("needle.qconv2d", build_convolution),
        ("needle.qmatmul_blockwise", build_blockwise),
    ],
)
def test_all_that_can_run_do(op: str, build: Callable[[], ndl.Graph]) -> None:
    graph = build()
    executables = compile_everywhere(graph)
    check_exact(graph, executables, [data(*graph.inputs[0].shape, seed=3)])
    ran = []
    for executable in executables:
        assert isinstance(executable, ndl.Executable)
        assert kernels_of(executable, op)
        ran.append(executable.target)
    assert ran == targets_of_this_cpu()


def test_instructions_of_avx_vnni() -> None:
    """Those of AVX, which CPUs without AVX-512 have; blocks of 4 bits need none."""
    for build in (build_matmul, build_convolution):
        code = ndl.compile(build(), ["x86-64", "avx-vnni"]).asm("avx-vnni")
        assert "{vex}\tvpdpbusd" in code
        assert "zmm" not in code
        assert code.count("vpdpbusd") == code.count("{vex}\tvpdpbusd")
