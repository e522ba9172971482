# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every kernel for GPUs is taken by NVIDIA's assembler, and spills nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import ptxas  # noqa: E402

PAIRS = [(t, device) for t, devices in ptxas.DEVICES.items() for device in devices]


@pytest.fixture(scope="module")
def assembler() -> Path:
    found = ptxas.find()
    if found is None:
        pytest.skip(
            "no ptxas: neither a CUDA toolkit nor nvidia-cuda-nvcc is installed"
        )
    return found


@pytest.mark.parametrize(("target", "device"), PAIRS)
def test_kernels_spill_nothing(assembler: Path, target: str, device: str) -> None:
    used = ptxas.assemble(assembler, ptxas.compile_kernels(target), device)
    names = {usage.kernel for usage in used}
    assert len(names) == len(used) > 50
    assert {"matmul_f32", "matmul_u8u8_f32", "matmul_u8u8_f32_bias_wide"} <= names
    for usage in used:
        assert (usage.spilled, usage.stack) == (0, 0), usage
        assert 0 < usage.registers <= 255
        assert usage.shared <= 48 << 10
        assert usage.occupancy > 0, f"{usage} cannot be launched"


def test_what_the_assembler_says_is_read(assembler: Path) -> None:
    """A kernel with too many values for 16 registers spills, and that is found."""
    names = [f"%f{i}" for i in range(64)]
    loads = "\n".join(
        f"ld.volatile.global.f32 {name}, [%rd1+{4 * i}];"
        for i, name in enumerate(names)
    )
    stores = "\n".join(
        f"st.volatile.global.f32 [%rd1+{4 * i}], {name};"
        for i, name in enumerate(names)
    )
    ptx = f""".version 7.0
.target sm_80
.address_size 64
.visible .entry spills(.param .u64 p)
.maxntid 1024
.maxnreg 24
{{
.reg .f32 %f<64>;
.reg .b64 %rd<2>;
ld.param.u64 %rd1, [p];
{loads}
{stores}
ret;
}}
"""
    (usage,) = ptxas.assemble(assembler, ptx, "sm_80")
    assert usage.kernel == "spills"
    assert usage.spilled > 0
    with pytest.raises(subprocess.CalledProcessError):
        ptxas.assemble(assembler, ptx.replace("ld.param", "ld.nothing"), "sm_80")
