# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmark of kernels: keeping libraries to AVX2 that ask the CPU itself."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_benchmark import BENCHMARKS, limits

# isort: split
from kernel_bench import avx2_only

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="CPUID is of x86-64"
)

#: A library that asks for registers 1 (EBX) and 0 (EAX) of some leaf.
LIBRARY = """
#include <cpuid.h>
unsigned registers(unsigned leaf, unsigned subleaf, int which) {
  unsigned values[4];
  __cpuid_count(leaf, subleaf, values[0], values[1], values[2], values[3]);
  return values[which];
}
const unsigned char not_an_instruction[] = {0x0f, 0xa2};
"""
#: Prints the registers of a leaf before and after, as the library sees them.
ASK = """
import ctypes, sys
from pathlib import Path
from kernel_bench import avx2_only
path, cache = Path(sys.argv[1]), Path(sys.argv[2])
library = ctypes.CDLL(str(path))
library.registers.restype = ctypes.c_uint
leaves = [(0, 0), (1, 0), (7, 0), (7, 1)]
def ask():
    return [[library.registers(*leaf, i) for i in range(4)] for leaf in leaves]
before = ask()
assert avx2_only.replace_in(path, cache)
print([before, ask()])
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cpuid")
    (folder / "library.c").write_text(LIBRARY)
    path = folder / "library.so"
    command = [limits.find_compiler(), "-O2", "-fPIC", "-shared", "library.c"]
    subprocess.run([*command, "-o", path.name], cwd=folder, check=True)
    return path


def test_instructions_are_told_from_data(library: Path, tmp_path: Path) -> None:
    places = avx2_only.places_in(library, tmp_path)
    data = library.read_bytes()
    assert len(places) == 1
    assert data.count(b"\x0f\xa2") >= 2
    # The answer is kept for the next process.
    assert len(list(tmp_path.glob("cpuid-library.so-*.json"))) == 1
    assert avx2_only.places_in(library, tmp_path) == places


def test_what_goes_beyond_avx2_is_hidden_and_nothing_else(
    library: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, library, tmp_path],
        env=os.environ | {"PYTHONPATH": str(BENCHMARKS)},
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = eval(done.stdout)
    assert after[0] == before[0]
    # Which CPU answers, and its timers, may differ from call to call.
    assert after[1][2:] == before[1][2:]
    ebx, ecx, edx = after[2][1:]
    avx512 = [16, 17, 21, 26, 27, 28, 30, 31]
    assert not any(ebx >> bit & 1 for bit in avx512)
    assert ebx == before[2][1] & ~sum(1 << bit for bit in avx512)
    assert not ecx >> 11 & 1  # VNNI
    assert edx >> 26 & 1 == before[2][3] >> 26 & 1  # not a matter of vectors
    assert (after[3][0], after[3][3]) == (0, 0)


def test_what_is_not_there_cannot_be_kept(tmp_path: Path) -> None:
    assert not avx2_only.hold("numpy", tmp_path)  # by a variable
    assert not avx2_only.hold("openvino_that_is_not_there", tmp_path)
