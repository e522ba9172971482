# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays on the CUDA device, here the simulated one: exactness, errors, launches.

What holds on every device is tested there as well, by the other tests of arrays.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from differential import SEEDS, examples
from hypothesis import given
from needle import backend_ndarray as nd

CUDA = nd.cuda()
pytestmark = pytest.mark.skipif(
    not CUDA.enabled(), reason="no CUDA device; NEEDLE_CUDA_DRIVER=sim simulates one"
)

#: As the tests start others: with a device of this kind.
ARCHITECTURES = (75, 80, 90)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own with more environment variables."""
    import os

    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def quantized(
    rng: np.random.Generator, shape: tuple[int, int], transposed: bool
) -> tuple[nd.NDArray, Any]:
    """Random integers on the device, and with the zero point subtracted on the host."""
    stored = rng.integers(0, 256, shape).astype(np.uint8)
    params = nd.QuantParams(float(rng.uniform(0.001, 2)), int(rng.integers(0, 256)))
    given = np.ascontiguousarray(stored.T) if transposed else stored
    array = nd.NDArray(given, device=CUDA, dtype="uint8", quant_params=params)
    exact = stored.astype(np.int64) - params.zero_point
    return (array.T if transposed else array), exact


def check_product(
    rng: np.random.Generator, m: int, k: int, n: int, transposed: tuple[bool, bool]
) -> None:
    """Against NumPy's int64, rounded once and multiplied once (N4, N5)."""
    a, exact_a = quantized(rng, (m, k), transposed[0])
    b, exact_b = quantized(rng, (k, n), transposed[1])
    scale = np.float32(a.quant_params.scale) * np.float32(b.quant_params.scale)
    expected = (exact_a @ exact_b).astype(np.float32) * scale
    np.testing.assert_array_equal((a @ b).numpy(), expected)


@given(seed=SEEDS)
@examples(60)
def test_cuda_products_of_integers_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = (int(extent) for extent in rng.integers(1, 150, 3))
    before = CUDA.launches().get("matmul_u8u8_f32", 0)
    check_product(rng, m, k, n, (bool(seed % 2), bool(seed // 2 % 2)))
    assert CUDA.launches()["matmul_u8u8_f32"] == before + 1


@pytest.mark.parametrize("k", [32768, 32769, 70001])
def test_cuda_sums_beyond_i32_are_exact(k: int) -> None:
    """All 255, without zero points: of 33026 terms i32 cannot hold the sum."""
    params = nd.QuantParams(0.5, 0)
    a, b = (
        nd.NDArray(
            np.full(shape, 255, np.uint8), CUDA, dtype="uint8", quant_params=params
        )
        for shape in ((3, k), (k, 5))
    )
    expected = np.float32(k * 255 * 255) * np.float32(0.25)
    assert ((a @ b).numpy() == expected).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_cuda_architectures(architecture: int) -> None:
    """Each device runs the newest kernels that it can, with equal results."""
    code = """
import sys; sys.path.insert(0, "test/python")
import numpy as np, test_cuda
rng = np.random.default_rng(7)
for m, k, n in [(1, 1, 1), (33, 65, 70), (130, 40, 129), (3, 33000, 2)]:
    test_cuda.check_product(rng, m, k, n, (m % 2 == 0, k % 2 == 0))
print(test_cuda.CUDA.isa(), test_cuda.CUDA.mod.name())
"""
    done = run_python(code, NEEDLE_CUDASIM_ARCH=str(architecture))
    assert done.returncode == 0, done.stderr
    name = f"sm_{architecture}"
    assert done.stdout.split("\n")[0] == f"{name} needle simulated CUDA device ({name})"


@given(seed=SEEDS)
@examples(40)
def test_cuda_products_of_floats_have_the_bits_of_the_cpu(seed: int) -> None:
    """Both add up products in the order of K, by fused multiply-adds."""
    if nd.cpu().isa() == "x86-64":
        pytest.skip("this CPU has no fused multiply-add")
    rng = np.random.default_rng(seed)
    m, k, n = (int(extent) for extent in rng.integers(1, 130, 3))
    x, y = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    products = [nd.array(x, device=d) @ nd.array(y, device=d) for d in (CUDA, nd.cpu())]
    np.testing.assert_array_equal(products[0].numpy(), products[1].numpy())


def test_cuda_warps_in_any_order() -> None:
    """Results do not depend on the order in which warps and blocks run."""
    code = """
import numpy as np
from needle import backend_ndarray as nd
x = np.random.default_rng(3).normal(size=(70, 300)).astype(np.float32)
a = nd.array(x, device=nd.cuda())
q = a.quantize_uint8()
for y in (a @ a.T, q @ q.T, a.sum(), a.sum(axis=0), a.max(axis=1), a.exp()):
    print(y.numpy().tobytes().hex()[:4000])
"""
    runs = {run_python(code, NEEDLE_CUDASIM_SEED=seed).stdout for seed in "0123"}
    assert len(runs) == 1
    assert len(runs.pop()) > 1000


def test_cuda_out_of_memory() -> None:
    code = """
from needle import backend_ndarray as nd
a = nd.empty((1024, 1024), device=nd.cuda())
try:
    nd.empty((4096, 4096), device=nd.cuda())
except MemoryError as error:
    print(error)
a.fill(1.0)
print(a.sum().item())
"""
    done = run_python(code, NEEDLE_CUDASIM_MEMORY="16M")
    assert done.returncode == 0, done.stderr
    message, total = done.stdout.split("\n")[:2]
    assert "67108864 bytes" in message
    assert total == "1048576.0"


@pytest.mark.parametrize(
    ("driver", "says"),
    [
        ("", "libcuda.so.1"),
        ("/nowhere/libcuda.so", "/nowhere/libcuda.so"),
    ],
)
def test_cuda_without_a_driver(driver: str, says: str) -> None:
    code = """
import needle as ndl
from needle import backend_ndarray as nd
print(ndl.cuda().enabled())
try:
    nd.array([1.0], device=ndl.cuda())
except RuntimeError as error:
    print(error)
"""
    done = run_python(code, NEEDLE_CUDA_DRIVER=driver)
    assert done.returncode == 0, done.stderr
    enabled, _, message = done.stdout.partition("\n")
    if enabled == "True":
        pytest.skip("there is a real device")
    assert "cuda() cannot be used" in message
    assert says in message
    assert "NEEDLE_CUDA_DRIVER=sim" in message
    assert "use the CPU" in message


def test_cuda_leaves_nothing_behind() -> None:
    """At the end of the process the simulator would report what was not freed."""
    code = """
from needle import backend_ndarray as nd
kept = nd.array([1.0, 2.0], device=nd.cuda()) * 2.0
print(kept.numpy().tolist())
"""
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[2.0, 4.0]\n", "")
