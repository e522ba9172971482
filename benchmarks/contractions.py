# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures contraction kernels beside the limits of the machine, in one run.

    python benchmarks/contractions.py [--json FILE] [--sizes 512x512x512 ...]

For each size m×k×n: the f32 and the fused u8×s8 kernel on one thread, the best of
many runs, in GMAC/s and as a fraction of the limit that ``machine_limits.c``
reaches at the same time. The integer result is compared with the reference
interpreter's first, bit for bit, on the sizes it can evaluate in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "python"))
sys.path.append(str(ROOT / "benchmarks"))

import needle as ndl  # noqa: E402
from kernel_bench import limits  # noqa: E402

ORACLE_MACS = 1 << 28


def machine_limits(seconds: float) -> dict[str, float]:
    """GMAC/s of hand-written AVX2 loops, by kind."""
    cpu = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = limits.build(Path(folder))
        except limits.NoCompilerError as error:
            sys.exit(f"contractions: {error}")
        return limits.measure(program, ("f32", "i16_pairs"), seconds, [cpu])


def build(m: int, k: int, n: int) -> tuple[ndl.Graph, ndl.Graph, np.ndarray]:
    """A float layer of this size, its integer form, and an input."""
    rng = np.random.default_rng(0)
    builder = ndl.GraphBuilder("layer")
    x = builder.input("x", (None, k))
    weight = builder.constant(
        rng.standard_normal((k, n)).astype(np.float32), name="weight"
    )
    bias = builder.constant(rng.standard_normal(n).astype(np.float32), name="bias")
    y = builder.relu(builder.add(builder.matmul(x, weight), bias))
    builder.output(y, name="y")
    graph = builder.build()
    data = rng.standard_normal((m, k)).astype(np.float32)
    return graph, ndl.quantize(graph, [data]), data


def best_rate(
    executable: ndl.Executable, data: np.ndarray, macs: int
) -> tuple[str, float]:
    """Name and GMAC/s of the contraction kernel, at best."""
    runs = int(min(2000, max(20, 4e10 / macs)))
    profile = executable.profile(data, runs=runs)
    step = next(s for s in profile if "matmul" in s.kernel.name)
    return step.kernel.name, macs / step.min_ns


def measure(size: str) -> list[dict[str, object]]:
    """Rows of the table for one size."""
    m, k, n = map(int, size.split("x"))
    graph, quantized, data = build(m, k, n)
    macs = m * k * n
    rows: list[dict[str, object]] = []
    for kind, limit, source in (
        ("f32", "f32", graph),
        ("u8×s8", "i16_pairs", quantized),
    ):
        executable = ndl.compile(source, target="avx2", threads=1)
        checked = kind == "u8×s8" and macs <= ORACLE_MACS
        if checked and not np.array_equal(
            executable(data), ndl.reference(source, data)
        ):
            sys.exit(
                f"contractions: {kind} {size} differs from the reference interpreter"
            )
        name, rate = best_rate(executable, data, macs)
        rows.append(
            {
                "size": size,
                "kind": kind,
                "kernel": name,
                "gmacs": round(rate, 2),
                "limit": limit,
                "equals_reference": checked or None,
            }
        )
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["64x784x512", "512x512x512"])
    parser.add_argument("--json", type=Path, help="write the results there")
    arguments = parser.parse_args()
    before = machine_limits(0.5)
    rows = [row for size in arguments.sizes for row in measure(size)]
    after = machine_limits(0.5)
    best = {kind: max(before[kind], after[kind]) for kind in before}
    for row in rows:
        limit = best[str(row["limit"])]
        row["fraction"] = round(float(str(row["gmacs"])) / limit, 3)
        print(
            f"{row['size']:>14}  {row['kind']:6} {row['gmacs']:7.2f} of {limit:6.2f}"
            f" GMAC/s  {row['fraction']:6.1%}  {row['kernel']}"
        )
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"limits": best, "rows": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
