# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NEEDLE_BACKEND: the tests of Tensors again on NumPy arrays, in float64."""

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
    "test_nn.py",
    "test_optim.py",
    "test_ops_gradients.py",
    "test_tensor.py",
]


def _python(backend: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    package = str(Path(ndl.__file__).parents[1])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "NEEDLE_BACKEND": backend, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        timeout=500,
    )


@pytest.mark.skipif(BACKEND == "np", reason="these tests run on NumPy arrays now")
@pytest.mark.parametrize("name", FILES)
def test_on_numpy_arrays(name: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-rN")
    run = _python("np", "-m", "pytest", *options, str(HERE / name))
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) >= 5


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
    assert "ndl.cpu()" in lines[1]


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
