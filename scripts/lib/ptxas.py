"""Assembles the PTX of needle's kernels and says what they take.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

As a program: writes the table of docs/Rationale/CUDAKernels.md anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "Rationale" / "CUDAKernels.md"
KERNELS = sorted((ROOT / "kernels").glob("*.mlir"))
BEGIN, END = "<!-- table: written by scripts/lib/ptxas.py -->", "<!-- end of table -->"

#: Of each PTX that needle makes, the devices it is assembled for: the oldest, and one
#: that came later.
DEVICES = {
    "sm_75": ("sm_75",),
    "sm_80": ("sm_80", "sm_86"),
    "sm_90": ("sm_90", "sm_120"),
}

#: Of a multiprocessor: registers, bytes of shared memory, threads (CUDA C++ Programming
#: Guide, "Compute Capabilities"). A block has 1 KiB of shared memory for itself.
MULTIPROCESSORS = {
    "sm_75": (65536, 64 << 10, 1024),
    "sm_80": (65536, 164 << 10, 2048),
    "sm_86": (65536, 100 << 10, 1536),
    "sm_90": (65536, 228 << 10, 2048),
    "sm_120": (65536, 100 << 10, 1536),
}
BLOCK_THREADS = 256


@dataclass(frozen=True)
class Usage:
    """What one kernel takes on one device."""

    kernel: str
    device: str
    registers: int
    shared: int
    spilled: int
    stack: int

    @property
    def occupancy(self) -> float:
        """Threads that a multiprocessor runs at once, of those that it could."""
        registers, shared, threads = MULTIPROCESSORS[self.device]
        # Registers are given to warps in units of 256.
        by_warp = -(-self.registers * 32 // 256) * 256
        blocks = min(
            registers // (by_warp * BLOCK_THREADS // 32),
            shared // (self.shared + 1024),
            threads // BLOCK_THREADS,
        )
        return blocks * BLOCK_THREADS / threads


def find() -> Path | None:
    """The assembler: on PATH, of a toolkit, or of the package nvidia-cuda-nvcc."""
    on_path = shutil.which("ptxas")
    candidates = [Path(on_path)] if on_path else []
    candidates.append(Path("/usr/local/cuda/bin/ptxas"))
    site = Path(sysconfig.get_paths()["purelib"])
    candidates += sorted(site.glob("nvidia/*/bin/ptxas"), reverse=True)
    return next((path for path in candidates if path.is_file()), None)


def compile_kernels(target: str, compiler: str = "needle-compile") -> str:
    """The PTX of the kernel library."""
    command = [compiler, "--emit=ptx", f"--target={target}", *map(str, KERNELS)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def assemble(ptxas: Path, ptx: str, device: str) -> list[Usage]:
    """What each kernel takes; CalledProcessError if the PTX is refused."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernels.ptx"
        source.write_text(ptx)
        command = [str(ptxas), "-v", "--gpu-name", device, str(source)]
        command += ["-o", str(Path(folder) / "kernels.cubin")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(_read(done.stderr + done.stdout, device))


def _read(text: str, device: str) -> Iterator[Usage]:
    for part in text.split("Compiling entry function '")[1:]:
        stack, stores, loads = (
            int(n)
            for n in re.search(  # type: ignore[union-attr]
                r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                r"(\d+) bytes spill loads",
                part,
            ).groups()
        )
        registers = re.search(r"Used (\d+) registers", part)
        shared = re.search(r"(\d+) bytes smem", part)
        yield Usage(
            part[: part.index("'")],
            device,
            int(registers[1]) if registers else 0,
            int(shared[1]) if shared else 0,
            stores + loads,
            stack,
        )


def table(ptxas: Path) -> str:
    """Registers, shared memory and occupancy of what is not elementwise."""
    devices = [device for group in DEVICES.values() for device in group]
    lines = [f"| kernel | {' | '.join(devices)} |"]
    lines.append("| --- |" + " ---: |" * len(devices))
    cells: dict[str, list[str]] = {}
    simple = []
    for target, group in DEVICES.items():
        ptx = compile_kernels(target)
        for device in group:
            for usage in assemble(ptxas, ptx, device):
                if not usage.shared and "_columns" not in usage.kernel:
                    simple.append(usage.registers)
                    continue
                cells.setdefault(usage.kernel, []).append(
                    f"{usage.registers}, {usage.shared / 1024:g} KiB, "
                    f"{usage.occupancy:.0%}"
                )
    lines += [f"| `{name}` | {' | '.join(cells[name])} |" for name in sorted(cells)]
    lines.append("")
    lines.append(f"Elementwise kernels take {min(simple)} to {max(simple)} registers.")
    return "\n".join(lines)


def main() -> None:
    """Write the table."""
    ptxas = find()
    if ptxas is None:
        raise SystemExit("no ptxas found: pip install nvidia-cuda-nvcc")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(ptxas)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
