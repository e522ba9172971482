"""Compares the entry points of entry-points.mlir with NumPy."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sys

import numpy as np
from artifact import Array, Artifact, check_close, check_equal, matmul_with_bound

SEED = 20240611
rng = np.random.default_rng(SEED)


def draw(*shape: int) -> Array:
    return rng.standard_normal(shape).astype(np.float32)


def check_rows(artifact: Artifact, rows: int, isa: str, threads: int) -> None:
    """Entry points with a dynamic dimension."""

    def run(entry: str, inputs: list[Array], outputs: int = 1) -> list[Array]:
        return artifact.run(inputs, outputs, entry=entry, isa=isa, threads=threads)

    x = draw(rows)
    relu = np.maximum(x, np.float32(0))
    check_equal(run("identity", [x])[0], x)
    for actual, expected in zip(run("twice", [x], 3), [relu, relu, x], strict=True):
        check_equal(actual, expected)
    check_equal(run("call", [x])[0], -x)

    y, scalar = draw(rows, 3), np.array(2.5, np.float32)
    check_equal(run("scalar", [scalar, y])[0], scalar + y)

    image = draw(rows, 28, 28)
    check_equal(run("reshape", [image])[0], image.reshape(rows, 784))

    z = draw(rows, 3, 4)
    check_equal(
        run("transpose", [z])[0], np.maximum(z.transpose(2, 0, 1), np.float32(0))
    )

    a, w = draw(rows, 4), draw(4, 4)
    first, error = matmul_with_bound(a, w)
    second, second_error = matmul_with_bound(first, w, error)
    actual = run("both", [a, w], 2)
    check_close(actual[0], first, error)
    check_close(actual[1], second, second_error)

    check_equal(run("zero", [draw(rows, 0)])[0], np.zeros((rows, 3), np.float32))

    # Square, so that the dimensions agree; integers, so that f32 is exact.
    s = rng.integers(-2, 3, (rows, rows)).astype(np.float32)
    t = rng.integers(-1, 2, (rows, rows)).astype(np.float32)
    exact = (s.astype(np.float64) @ t @ t).T @ t + t
    if np.abs(exact).max(initial=0) < 2**24:
        check_equal(run("chain", [s, t])[0], exact.astype(np.float32))


def check_static(artifact: Artifact, isa: str) -> None:
    def run(entry: str, inputs: list[Array], outputs: int = 1) -> list[Array]:
        return artifact.run(inputs, outputs, entry=entry, isa=isa)

    check_equal(run("noinput", [])[0], np.array([1, 2], np.float32))
    check_equal(run("splat", [])[0], np.full((2, 3), 1.5, np.float32))
    check_equal(run("rank0", [np.array(4, np.float32)])[0], np.array(2, np.float32))
    x = draw(3, 2)
    rows, square = run("reshape2", [x], 2)
    check_equal(rows, x.reshape(1, 6))
    check_equal(square, x.reshape(2, 3))
    four = draw(4)
    check_equal(run("claim", [four])[0], np.maximum(four, np.float32(0)))


def check_errors(artifact: Artifact, isa: str) -> None:
    """A shape that does not fit is an error that says where."""
    cases = [
        ("reshape2", [draw(4, 3)], 2, "does not fit the shape [2x3] of the result"),
        ("reshape2", [draw(5, 1)], 2, "does not fit the shape [?x6] of the result"),
        ("claim", [draw(5)], 1, "must equal dimension 0 of result, which is 4"),
        ("chain", [draw(3, 4), draw(4, 5)], 1, "dimension 0 of rhs (input 1)"),
    ]
    for entry, inputs, outputs, message in cases:
        error = artifact.fail(inputs, outputs, entry=entry, isa=isa)
        assert message in error, error
        assert "entry-points.mlir:" in error, error


def main() -> None:
    print(f"seed {SEED}")
    artifact = Artifact(sys.argv[1], sys.argv[2])
    for isa in ("x86-64", "avx2"):
        for rows in (0, 1, 7, 17, 64):
            for threads in (1, 3):
                check_rows(artifact, rows, isa, threads)
        check_static(artifact, isa)
        check_errors(artifact, isa)


if __name__ == "__main__":
    main()
