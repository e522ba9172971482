# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled code beside the reference interpreter: what the random tests share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import emulation
import needle as ndl
import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st

Array = npt.NDArray[Any]
Runnable = ndl.Executable | emulation.EmulatedExecutable

#: Each example draws shapes and one seed; hypothesis prints both when one fails.
SEEDS = st.integers(0, 2**32 - 1)
#: Empty, 1, primes, and the register tiles (6×16, pairs along K) ± 1.
SIZES = st.sampled_from(
    [0, 1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 97]
)
#: Also rows of more than one block.
ROWS = st.one_of(SIZES, st.sampled_from([127, 192, 193, 301]))
#: Also lines of the packed lhs (32 bytes) and long sums.
DEPTHS = st.one_of(SIZES, st.sampled_from([63, 64, 65, 127, 255, 256, 257, 1031]))

# fmt: off
SPECIAL = np.array(
    [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-45, 1.1754944e-38, 3e9, -3e9,
     3.4028235e38, -3.4028235e38, 0.5, 1.5, 2.5, -0.5, 127.5, 254.5, 255.5],
    np.float32,
)
# fmt: on


def examples(count: int) -> Any:
    """Settings of a random test: so many examples, printed when one fails.

    Starting an emulator for each takes a while, so there are fewer of them.
    """
    if emulation.RUNNER:
        count = (count + 3) // 4
    return settings(max_examples=count, deadline=None, print_blob=True)


def values(rng: np.random.Generator, shape: Sequence[int], scale: float = 1) -> Array:
    """Usual values, ties for a scale, special values and random bits, mixed."""
    kinds = rng.integers(0, 4, shape)
    bits = rng.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        ties = ((rng.integers(-300, 300, shape) + 0.5) * scale).astype(np.float32)
        usual = (rng.normal(size=shape) * 100 * scale).astype(np.float32)
    special = rng.choice(SPECIAL, shape)
    # Selecting bits, not numbers, leaves signaling NaN as they are.
    chosen = np.select(
        [kinds == 0, kinds == 1, kinds == 2],
        [bits.view(np.uint32), ties.view(np.uint32), special.view(np.uint32)],
        usual.view(np.uint32),
    )
    return chosen.astype(np.uint32).view(np.float32).reshape(shape)


def same_bits(actual: Array, expected: Array, context: object = "") -> None:
    """Equal shapes, types and bits; all NaN counted as one."""
    assert actual.dtype == expected.dtype, context
    assert actual.shape == expected.shape, context
    if actual.dtype != np.float32:
        np.testing.assert_array_equal(actual, expected, err_msg=str(context))
        return
    same = (actual.view(np.uint32) == expected.view(np.uint32)) | (
        np.isnan(actual) & np.isnan(expected)
    )
    assert same.all(), (context, actual[~same], expected[~same])


def compile_everywhere(graph: ndl.Graph, threads: int = 1) -> list[Runnable]:
    """One executable for each body that can run; they share an artifact.

    On this CPU, or under the emulator where tests are for that.
    """
    if emulation.RUNNER:
        targets = emulation.targets_for(graph)
        artifact = emulation.compile_to_artifact(graph, targets)
        return [
            emulation.EmulatedExecutable(artifact, target, threads)
            for target in targets
        ]
    present = set(ndl.cpu_features())
    runnable = [t.name for t in ndl.targets() if present.issuperset(t.features)]
    # Elsewhere than on x86-64 with AVX2 these tests would say less than they seem.
    assert runnable[:2] == ["x86-64", "avx2"]
    compiled = ndl.compile(graph, runnable, threads)
    assert [body[0] for body in compiled._bodies() if not body[3]] == runnable
    return [ndl.Executable(compiled.artifact, name, threads) for name in runnable]


def as_tuple(result: Any) -> tuple[Array, ...]:
    """The outputs of a call, one or several."""
    return result if isinstance(result, tuple) else (result,)


def check_exact(
    graph: ndl.Graph, executables: Sequence[Runnable], inputs: Sequence[Array]
) -> tuple[Array, ...]:
    """Every body gives the bits of the reference interpreter; returns them."""
    expected = as_tuple(ndl.reference(graph, tuple(inputs)))
    for executable in executables:
        actual = as_tuple(executable(*inputs))
        assert len(actual) == len(expected)
        for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
            same_bits(one, other, (executable.target, index))
    return expected


def kernels_of(executable: Runnable, op: str) -> list[ndl.Kernel]:
    """The contraction kernels of an operation; checks that they ran on this ISA.

    Packing an operand, or combining scales, that are known only at run time are
    steps of their own, and left out.
    """
    found = [kernel for kernel in executable.kernels if kernel.op == op]
    assert found, [kernel.op for kernel in executable.kernels]
    assert {kernel.target for kernel in found} == {executable.target}
    assert all(kernel.calls > 0 for kernel in found)
    prefix = op.removeprefix("needle.") + "_"
    contractions = [kernel for kernel in found if kernel.name.startswith(prefix)]
    assert all(f".{executable.target}." in kernel.name for kernel in contractions)
    return contractions
