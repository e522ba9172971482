# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keeps libraries to AVX2 that choose their kernels by CPUID alone.

Their cpuid instructions are found by a disassembler and answered by
``avx2_only.c`` instead of the CPU. Whoever keeps a library so does it before the
library looks at the CPU, that is, before it computes anything.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import subprocess
from importlib import import_module, util
from pathlib import Path

from kernel_bench import limits

SOURCE = Path(__file__).resolve().parent.parent / "avx2_only.c"
DISASSEMBLERS = ("llvm-objdump-22", "llvm-objdump", "objdump")
#: The library → what looks at the CPU in it.
FILES = {
    "onnxruntime": "capi/onnxruntime_pybind11_state*.so",
    "openvino": "libs/libopenvino_intel_cpu_plugin.so",
}


def hold(library: str, cache: Path) -> bool:
    """Keep a library to AVX2 in this process; whether that was possible.

    ``cache`` holds the helper, and where the instructions are, for other processes.
    """
    if library not in FILES or platform.machine() != "x86_64":
        return False
    spec = util.find_spec(library)
    if spec is None or spec.origin is None:
        return False
    if library == "openvino":
        import_module(library)  # brings what the plugin is linked with
    found = sorted(Path(spec.origin).parent.glob(FILES[library]))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return bool(found) and replace_in(found[0], cache)
    except (limits.NoCompilerError, OSError, subprocess.CalledProcessError):
        return False


def replace_in(path: Path, cache: Path) -> bool:
    """Load a shared object and replace its cpuid instructions, if all can be."""
    places = places_in(path, cache)
    helper = ctypes.CDLL(str(_build(cache)))
    helper.avx2_only_replace.argtypes = [ctypes.c_void_p]
    ctypes.CDLL(str(path))
    base = _address_of(path)
    return bool(places) and not any(
        helper.avx2_only_replace(base + place) for place in places
    )


def places_in(path: Path, cache: Path) -> list[int]:
    """Where its cpuid instructions are, relative to its beginning."""
    stat = path.stat()
    kept = cache / f"cpuid-{path.name}-{stat.st_size}-{stat.st_mtime_ns}.json"
    if kept.exists():
        places: list[int] = json.loads(kept.read_text())
        return places
    places = _disassemble(path)
    temporary = kept.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(places))
    os.replace(temporary, kept)
    return places


def _disassemble(path: Path) -> list[int]:
    program = next(filter(None, map(shutil.which, DISASSEMBLERS)), None)
    if program is None:
        raise limits.NoCompilerError(f"none of {', '.join(DISASSEMBLERS)} is there")
    command = [program, "-d", "--no-show-raw-insn", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        places = [
            int(line.partition(":")[0], 16)
            for line in process.stdout
            if line.rstrip().endswith("\tcpuid")
        ]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return places


def _build(cache: Path) -> Path:
    """The helper, newer than its source."""
    helper = cache / "avx2_only.so"
    if helper.exists() and helper.stat().st_mtime > SOURCE.stat().st_mtime:
        return helper
    temporary = helper.with_suffix(f".{os.getpid()}")
    command = [limits.find_compiler(), "-O2", "-fPIC", "-shared", str(SOURCE), "-o"]
    subprocess.run([*command, str(temporary)], check=True)
    os.replace(temporary, helper)
    return helper


def _address_of(path: Path) -> int:
    """Where a shared object that is loaded begins."""
    name = os.path.realpath(path)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        addresses = [
            line.split("-")[0] for line in maps if line.rstrip().endswith(name)
        ]
    return min(int(address, 16) for address in addresses)
