# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests of Tensors again: on NumPy arrays in float64, on other kernels."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from needle.backend_selection import BACKEND

HERE = Path(__file__).parent
FILES = [
    "test_autograd.py",
    "test_init.py",
    "test_misuse.py",
    "test_nn.py",
    "test_optim.py",
    "test_ops_gradients.py",
    "test_tensor.py",
]


OPTIONS = ("-q", "-p", "no:cacheprovider", "-rN")


def _python(
    backend: str, *arguments: str, isa: str = ""
) -> subprocess.CompletedProcess[str]:
    package = str(Path(ndl.__file__).parents[1])
    variables = {"NEEDLE_BACKEND": backend, "PYTHONPATH": package}
    if isa:
        variables["NEEDLE_ISA"] = isa
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=500,
    )


@pytest.mark.skipif(BACKEND == "np", reason="these tests run on NumPy arrays now")
def test_on_numpy_arrays() -> None:
    files = [str(HERE / name) for name in FILES]
    _check_passed(_python("np", "-m", "pytest", *OPTIONS, *files))


@pytest.mark.skipif(BACKEND == "np", reason="NumPy chooses its kernels")
@pytest.mark.parametrize("isa", ["x86-64", "avx2"])
def test_on_kernels_for(isa: str) -> None:
    if isa == "avx2" and "avx2" not in ndl.cpu_features():
        pytest.skip("this CPU has no AVX2")
    files = [str(HERE / name) for name in FILES if name != "test_autograd.py"]
    # The first array chooses the kernels, before the tests clear the variable.
    program = (
        "import sys, pytest, needle as ndl\n"
        "ndl.Tensor([1.0]) + 1.0\n"
        f"assert ndl.cpu().isa() == {isa!r}\n"
        f"code = pytest.main({[*OPTIONS, *files]!r})\n"
        f"assert ndl.cpu().isa() == {isa!r}\n"
        "sys.exit(code)\n"
    )
    _check_passed(_python("nd", "-c", program, isa=isa))


def _check_passed(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) >= 100


def test_unknown_backend() -> None:
    run = _python("cupy", "-c", "import needle")
    assert run.returncode == 1
    assert "NEEDLE_BACKEND is 'cupy'; it can be 'nd'" in run.stderr


def test_numpy_arrays_live_on_the_cpu() -> None:
    program = (
        "import needle as ndl\n"
        "print(ndl.Tensor([1.0], device=ndl.cpu_numpy()).device)\n"
        "try: ndl.Tensor([1.0], device=ndl.cuda())\n"
        "except RuntimeError as error: print(error)\n"
    )
    run = _python("np", "-c", program)
    lines = run.stdout.splitlines()
    assert lines[0] == "cpu()"
    assert "ndl.cpu()" in run.stdout


@pytest.mark.skipif(BACKEND == "np", reason="compares with NumPy arrays")
def test_both_backends_quantize_alike() -> None:
    x = ndl.Tensor(np.linspace(-2, 5, 23, dtype=np.float32))
    q = x.quantize_uint8()
    program = (
        "import needle as ndl, numpy as np\n"
        "q = ndl.Tensor(np.linspace(-2, 5, 23, dtype=np.float32)).quantize_uint8()\n"
        "p = q.quant_params\n"
        "print(p.scale.hex(), p.zero_point, q.numpy().tolist())\n"
    )
    run = _python("np", "-c", program)
    p = q.quant_params
    expected = f"{p.scale.hex()} {p.zero_point} {q.numpy().tolist()}\n"
    assert run.stdout == expected, run.stderr
