# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products of a few rows, whose right-hand side is read where it lies.

Packing a matrix for a single row takes longer than the product. Up to 12 rows
multiply a matrix that has contiguous rows or columns without packing it; the
launches say which kernel ran.
"""

from __future__ import annotations

import numpy as np
import pytest
from differential import SEEDS, examples, same_bits
from hypothesis import given
from hypothesis import strategies as st
from needle import backend_ndarray as nd
from numeric_model import float_sum_bound

FEW = 12
ROWS = st.sampled_from([1, 2, 3, 4, 7, FEW])
#: Vectors, blocks of columns (64, 2048), groups along K: each ± 1.
DEPTHS = st.sampled_from([1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257])
COLUMNS = st.sampled_from([1, 3, 4, 5, 8, 15, 16, 17, 31, 63, 64, 65, 130, 2051])
LAYOUTS = st.sampled_from(["rows", "columns", "neither"])


def laid_out(matrix: nd.NDArray, layout: str) -> nd.NDArray:
    """The same matrix with contiguous rows, contiguous columns, or neither."""
    k, n = matrix.shape
    if layout == "rows":
        return matrix
    if layout == "columns":
        return matrix.permute((1, 0)).compact().permute((1, 0))
    wide = nd.full((k, 2 * n), 0.0, device=nd.cpu())
    wide[:, ::2] = matrix
    return wide[:, ::2]


def launches(name: str) -> tuple[int, int]:
    """Products by the kernel for packed matrices, and by the direct one."""
    counts = nd.cpu().launches()
    return counts.get(name, 0), counts.get(f"{name}.direct", 0)


def added(name: str, before: tuple[int, int]) -> tuple[int, int]:
    packed, direct = launches(name)
    return packed - before[0], direct - before[1]


@given(m=ROWS, k=DEPTHS, n=COLUMNS, layout=LAYOUTS, seed=SEEDS)
@examples(150)
def test_float(m: int, k: int, n: int, layout: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, k)).astype(np.float32)
    w = rng.normal(size=(k, n)).astype(np.float32)
    rhs = laid_out(nd.array(w, device=nd.cpu()), layout)
    lhs = nd.array(x, device=nd.cpu())
    if seed % 2:
        lhs = laid_out(lhs, "columns")
    before = launches("matmul_f32")
    actual = (lhs @ rhs).numpy()
    exact = x.astype(np.float64) @ w.astype(np.float64)
    assert np.all(np.abs(actual - exact) <= float_sum_bound(x, w)), (m, k, n, layout)
    if layout != "neither":
        assert added("matmul_f32", before) == (0, 1)
    elif k > 1 and n > 1:
        assert added("matmul_f32", before) == (1, 0)


@given(
    m=ROWS, k=DEPTHS, n=COLUMNS, layout=st.sampled_from(["rows", "columns"]), seed=SEEDS
)
@examples(150)
def test_quantized(m: int, k: int, n: int, layout: str, seed: int) -> None:
    """N4 in Python's integers, N5 in float32: equal bits."""
    rng = np.random.default_rng(seed)
    sides = []
    for shape in ((m, k), (n, k) if layout == "columns" else (k, n)):
        stored = rng.integers(0, 256, shape).astype(np.uint8)
        if seed % 3 == 0:
            stored[...] = rng.choice([0, 255])
        zero_point = int(rng.choice([0, 1, 127, 255]))
        params = nd.QuantParams(float(rng.uniform(1e-3, 2)), zero_point)
        array = nd.array(stored, dtype="uint8", quant_params=params, device=nd.cpu())
        sides.append((array, stored.astype(np.int64) - zero_point, params.scale))
    (a, left, scale_a), (b, right, scale_b) = sides
    if layout == "columns":
        b, right = b.T, right.T
    before = launches("matmul_u8u8_f32")
    expected = (left @ right).astype(np.float32) * (
        np.float32(scale_a) * np.float32(scale_b)
    )
    same_bits((a @ b).numpy(), expected, (m, k, n, layout))
    assert added("matmul_u8u8_f32", before) == (0, 1)


@pytest.mark.parametrize("k", [33024, 33025, 33026])
@pytest.mark.parametrize("columns", [False, True])
def test_largest_depth(k: int, columns: bool) -> None:
    """The direct kernel sums in 32 bits, as far as these hold every sum."""
    params = nd.QuantParams(1.0, 0)

    def full(shape: tuple[int, int]) -> nd.NDArray:
        return nd.array(
            np.full(shape, 255, np.uint8), dtype="uint8", quant_params=params
        )

    before = launches("matmul_u8u8_f32")
    rhs = full((20, k)).T if columns else full((k, 20))
    expected = np.full((1, 20), np.float32(255 * 255 * k), np.float32)
    same_bits((full((1, k)) @ rhs).numpy(), expected)
    assert added("matmul_u8u8_f32", before) == ((0, 1) if k <= 33024 else (1, 0))


def test_more_rows_are_packed() -> None:
    before = launches("matmul_f32")
    _ = nd.full((FEW + 1, 40), 1.0, device=nd.cpu()) @ nd.full(
        (40, 50), 1.0, device=nd.cpu()
    )
    assert added("matmul_f32", before) == (1, 0)


def test_a_batch_shares_its_scratch() -> None:
    """Products of a batch run one after the other, or each on a thread."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(30, 3, 70)).astype(np.float32)
    w = rng.normal(size=(30, 70, 90)).astype(np.float32)
    whole = (nd.array(x, device=nd.cpu()) @ nd.array(w, device=nd.cpu())).numpy()
    for i in range(30):
        one = nd.array(x[i], device=nd.cpu()) @ nd.array(w[i], device=nd.cpu())
        same_bits(whole[i], one.numpy(), i)
