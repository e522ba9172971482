# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling, calling, saving, loading, and looking inside."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import needle as ndl
import numpy as np
import pytest
from graphs import data, make_linear, make_relu, make_two_inputs


def test_call_by_place_and_by_name() -> None:
    run = ndl.compile(make_two_inputs())
    a, b = data(3, 4), data(4, 2, seed=1)
    expected = ndl.reference(make_two_inputs(), (a, b))
    for product, more in (run(a, b), run(a, b=b), run(b=b, a=a)):
        np.testing.assert_allclose(product, expected[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(more, expected[1])
    assert isinstance(ndl.compile(make_relu())(data(3)), np.ndarray)


def test_wrong_arguments() -> None:
    run = ndl.compile(make_two_inputs())
    a, b = data(3, 4), data(4, 2)
    inputs = re.escape("main() takes 2 inputs ('a', 'b'), got ")
    with pytest.raises(TypeError, match=inputs + "1"):
        run(a)
    with pytest.raises(TypeError, match=inputs + "3"):
        run(a, b, b)
    with pytest.raises(TypeError, match=inputs + "0"):
        run()
    with pytest.raises(TypeError, match="no input 'c'; the inputs are 'a', 'b'"):
        run(a, c=b)
    with pytest.raises(TypeError, match="input 'a' twice"):
        run(a, a=a)


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int32", "uint8", ">f4", "bool"]
)
def test_wrong_dtype_names_input_expected_and_got(dtype: str) -> None:
    run = ndl.compile(make_two_inputs())
    expected = f"input 'b': expected float32, got {np.dtype(dtype)}"
    with pytest.raises(TypeError, match=re.escape(expected)):
        run(data(3, 4), data(4, 2).astype(dtype))


@pytest.mark.parametrize("value", [[[1.0, 2.0]], 1.0, None, "x"])
def test_what_is_no_array(value: object) -> None:
    run = ndl.compile(make_relu())
    with pytest.raises(TypeError, match="input 'x': expected a NumPy array of float32"):
        run(value)  # type: ignore[arg-type]


def test_quantized_input_is_its_stored_integers() -> None:
    builder = ndl.GraphBuilder()
    q = builder.input("q", (None,), "!quant.uniform<u8:f32, 0.5:3>")
    (real,) = builder.op(
        "dequantize",
        q,
        attributes="{operandSegmentSizes = array<i32: 1, 0, 0>}",
        result_types=[("float32", (None,))],
    )
    builder.output(real)
    run = ndl.compile(builder.build())
    with pytest.raises(
        TypeError, match=r"input 'q': expected uint8 \(quantized\), got float32"
    ):
        run(data(3))


def test_wrong_shapes() -> None:
    run = ndl.compile(make_linear())
    with pytest.raises(ValueError, match=r"'x'.*9"):
        run(data(3, 9))
    with pytest.raises(ValueError, match="'x'"):
        run(data(8))
    # Known only at run time: the operation and its line are named.
    run = ndl.compile(make_two_inputs())
    with pytest.raises(ValueError, match=r"needle\.matmul.*graphs\.py:\d+"):
        run(data(3, 4), data(5, 2))


def test_dynamic_batch() -> None:
    graph = make_linear()
    run = ndl.compile(graph)
    for rows in (1, 64, 3, 0, 200, 1):
        x = data(rows, 8, seed=rows)
        result = run(x)
        assert result.shape == (rows, 5)
        np.testing.assert_allclose(
            result, ndl.reference(graph, x), rtol=1e-4, atol=1e-5
        )


def test_layouts() -> None:
    """Strided, transposed, reversed, broadcast, misaligned and read-only arrays."""
    run = ndl.compile(make_relu((None, None)))
    base = data(12, 10)
    raw = np.zeros(4 * 6 + 1, np.uint8)
    misaligned = raw[1:].view(np.float32).reshape(2, 3)
    misaligned[:] = data(2, 3)
    records = np.zeros((3, 4), [("a", np.uint8), ("b", np.float32)])
    records["b"] = data(3, 4)
    fixed = data(3, 3)
    fixed.flags.writeable = False
    for array in (
        base[::2, ::3],
        base.T,
        base[::-1, ::-1],
        np.broadcast_to(base[:1], (5, 10)),
        misaligned,
        records["b"],
        np.asfortranarray(base),
        base[3:3],
        fixed,
    ):
        kept = array.copy()
        np.testing.assert_array_equal(run(array), np.maximum(array, 0))
        np.testing.assert_array_equal(array, kept)


def test_what_looks_like_an_array() -> None:
    class Wrapped:
        def __init__(self, array: np.ndarray) -> None:
            self._array = array

        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return self._array

    run = ndl.compile(make_relu())
    x = data(5)
    np.testing.assert_array_equal(run(Wrapped(x)), np.maximum(x, 0))
    np.testing.assert_array_equal(run(memoryview(x)), np.maximum(x, 0))


def test_outputs_are_new_each_time() -> None:
    run = ndl.compile(make_relu())
    first = run(np.ones(4, np.float32))
    second = run(np.full(4, 2, np.float32))
    assert first.tolist() == [1, 1, 1, 1]
    assert not np.shares_memory(first, second)
    assert first.flags.owndata
    assert first.flags.writeable


def test_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [target.name for target in ndl.targets()]
    assert names[:2] == ["x86-64", "avx2"]
    assert {"sse2", "avx2", "fma"} <= set(ndl.cpu_features())
    graph = make_relu()
    best = ndl.compile(graph)
    assert set(best.targets) == {row.name for row in ndl.targets() if row.is_default}
    assert best.target == "avx2"
    present = set(ndl.cpu_features())
    fitting = [row for row in ndl.targets() if present.issuperset(row.features)]
    host = max(fitting, key=lambda row: row.preference).name
    here = ndl.compile(graph, target="host")
    assert here.targets == (host,)
    assert here.asm("host") == here.asm(host)
    assert ndl.compile(graph, target="x86-64").target == "x86-64"
    assert ndl.compile(graph, target=["avx2", "x86-64"]).targets == best.targets
    assert ndl.compile(graph, target=" avx2 , x86-64 ").targets == best.targets
    monkeypatch.setenv("NEEDLE_ISA", "x86-64")
    slow = ndl.compile(graph)
    assert slow.target == "x86-64"
    slow(data(4))
    (kernel,) = slow.kernels
    assert (kernel.target, kernel.calls) == ("x86-64", 1)
    monkeypatch.setenv("NEEDLE_ISA", "avx1024")
    with pytest.raises(ValueError, match="avx1024"):
        ndl.compile(graph)


def test_wrong_options() -> None:
    graph = make_relu()
    with pytest.raises(ValueError, match="unknown target 'sse9'; the targets are"):
        ndl.compile(graph, target="sse9")
    with pytest.raises(ValueError, match=r"'host' stands alone; .* name .*: 'avx"):
        ndl.compile(graph, target="host,neon")
    with pytest.raises(ValueError, match="unknown target ''"):
        ndl.compile(graph, target="")
    with pytest.raises(ValueError, match="no target"):
        ndl.compile(graph, target=[])
    with pytest.raises(ValueError, match="threads is at least 1, not 0"):
        ndl.compile(graph, threads=0)
    with pytest.raises(TypeError, match="float"):
        ndl.compile(graph, threads=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="5000"):
        ndl.compile(graph, threads=5000)
    with pytest.raises(TypeError, match="target is a name or several, got int"):
        ndl.compile(graph, target=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no entry point 'other'; it has 'main'"):
        ndl.compile(graph, entry="other")
    with pytest.raises(TypeError, match=r"compile takes a Graph .*, got str"):
        ndl.compile("func.func @main()")  # type: ignore[arg-type]


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = make_relu()
    assert ndl.compile(graph, threads=3).threads == 3
    assert ndl.compile(graph, threads=1).threads == 1
    # Read once, by the runtime that the whole process shares: ask a new process.
    code = "import needle, graphs; print(needle.compile(graphs.make_relu()).threads)"
    environment = os.environ | {
        "NEEDLE_NUM_THREADS": "2",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2\n"


def test_stages_and_assembly() -> None:
    run = ndl.compile(make_linear())
    marks = {"needle": "needle.matmul", "linalg": "needle_cpu.matmul"}
    marks |= {"llvm": "llvm.func", "llvmir": "define"}
    assert set(marks) < set(ndl.stages())
    for stage in ndl.stages():
        text = run.mlir(stage)
        assert marks.get(stage, "func") in text
    assert run.mlir() == run.mlir("needle")
    assert "vfmadd" in run.asm()
    assert "vfmadd" not in run.asm("x86-64")
    assert "ymm" not in run.asm("x86-64")
    with pytest.raises(ValueError, match="unknown stage 'none'; the stages are"):
        run.mlir("none")
    with pytest.raises(ValueError, match="unknown CPU target 'none'; there are"):
        run.asm("none")


def test_profile() -> None:
    graph = ndl.quantize(make_linear(64, 48), [data(16, 64)])
    run = ndl.compile(graph)
    x = data(32, 64)
    profile = run.profile(x, runs=7)
    assert [step.kernel.op for step in profile] == ["needle.quantize", "needle.qmatmul"]
    for step in profile:
        assert step.runs == 7
        assert 0 < step.min_ns <= step.mean_ns
        assert step.kernel.target == run.target
    assert profile.total_ns == sum(step.mean_ns for step in profile)
    lines = str(profile).splitlines()
    assert len(lines) == 3
    assert "qmatmul_u8s8" in lines[2]
    assert "graphs.py" in lines[2]
    # Profiling is a run of its own: it does not count among the calls.
    assert {kernel.calls for kernel in run.kernels} == {0}
    assert len(run.profile(x=x)) == 2
    with pytest.raises(ValueError, match="runs is at least 1"):
        run.profile(x, runs=0)
    with pytest.raises(ValueError, match="'x' has dynamic dimensions: give inputs"):
        run.profile()
    assert len(ndl.compile(make_relu((4,))).profile()) == 1


def test_kernels_say_what_ran(empty_cache: Path) -> None:
    run = ndl.compile(make_linear())
    for count in range(3):
        (kernel,) = run.kernels
        assert kernel.calls == count
        run(data(2, 8))
    assert re.fullmatch(r"matmul_f32_bias_relu\.avx2\.\d+x\d+", kernel.name)
    assert kernel.op == "needle.matmul"
    assert re.search(r"fc \(.*graphs\.py:\d+", kernel.location)


def test_compile_times() -> None:
    run = ndl.compile(make_linear(seed=77))
    assert len(run.compile_times) > 3
    assert all(seconds >= 0 for seconds in run.compile_times.values())
    assert any("avx2" in stage for stage in run.compile_times)


def test_repr_and_signature() -> None:
    run = ndl.compile(make_linear(), threads=1)
    assert repr(run) == (
        "Executable('main', (x: float32[?, 8]) -> (y: float32[?, 5]), "
        "target='avx2', threads=1)"
    )
    graph = make_linear()
    assert (run.inputs, run.outputs) == (graph.inputs, graph.outputs)


def test_several_entry_points() -> None:
    text = """
      func.func @double(%x: tensor<?xf32>) -> tensor<?xf32> {
        %y = needle.add %x, %x : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
        return %y : tensor<?xf32>
      }
      func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
        %y = needle.neg %x : tensor<?xf32> -> tensor<?xf32>
        return %y : tensor<?xf32>
      }
    """
    graph = ndl.parse(text)
    assert [entry.name for entry in graph.entries] == ["double", "main"]
    x = data(3)
    np.testing.assert_array_equal(ndl.compile(graph)(x), -x)
    np.testing.assert_array_equal(ndl.compile(graph, entry="double")(x), 2 * x)
    np.testing.assert_array_equal(ndl.reference(graph, x, entry="double"), 2 * x)
    two = ndl.parse(text.replace("@double", "@a").replace("@main", "@b"))
    with pytest.raises(ValueError, match="no entry point 'main'; it has 'a', 'b'"):
        ndl.compile(two)


def test_save_and_load(tmp_path: Path) -> None:
    graph = ndl.quantize(make_linear(), [data(16, 8)])
    made = ndl.compile(graph)
    path = tmp_path / "linear.ndl"
    made.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["linear.ndl"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    x = data(9, 8, seed=3)
    for target in (None, "x86-64", "avx2"):
        loaded = ndl.load(path, target, threads=2)
        assert loaded.target == (target or "avx2")
        assert loaded.threads == 2
        assert (loaded.inputs, loaded.outputs) == (made.inputs, made.outputs)
        np.testing.assert_array_equal(loaded(x), made(x))
        assert loaded.artifact == path.read_bytes() == made.artifact
    for look in (loaded.mlir, loaded.asm):
        with pytest.raises(
            ValueError, match=r"loaded from an artifact.*not the source"
        ):
            look()
    with pytest.raises(ValueError, match=r"linear\.ndl: .*'sse9'"):
        ndl.load(path, "sse9")
    with pytest.raises(ValueError, match=r"linear\.ndl: .*'other'.*'main'"):
        ndl.load(path, entry="other")


def test_save_leaves_nothing_half_written(tmp_path: Path) -> None:
    run = ndl.compile(make_relu())
    with pytest.raises(FileNotFoundError):
        run.save(tmp_path / "none" / "x.ndl")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        run.save(tmp_path / "folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_load_of_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ndl.load(tmp_path / "none.ndl")
    with pytest.raises(IsADirectoryError):
        ndl.load(tmp_path)


def _bytes_advised_to_be_huge_pages() -> int:
    """What the kernel was asked to make of huge pages, whether it did or not."""
    total = size = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Size":
            size = 1024 * int(value.split()[0])
        elif name == "VmFlags" and "hg" in value.split():
            total += size
    return total


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists()
    or not Path("/proc/self/smaps").exists(),
    reason="no huge pages to ask for",
)
def test_weights_lie_on_huge_pages() -> None:
    """Pages of 4 KiB halve the speed at which few rows read their weights."""
    builder = ndl.GraphBuilder("layer")
    weight = np.ones((2048, 2048), np.float32)
    x = builder.input("x", (1, 2048))
    builder.output(builder.matmul(x, builder.constant(weight, name="w")), name="y")
    graph = builder.build()
    before = _bytes_advised_to_be_huge_pages()
    executable = ndl.compile(graph)
    assert _bytes_advised_to_be_huge_pages() - before >= weight.nbytes
    assert executable(np.ones((1, 2048), np.float32))[0, 0] == 2048


def test_memory_of_a_result_is_used_again() -> None:
    run = ndl.compile(make_relu())
    x = data(6)
    result = run(x)
    address = result.ctypes.data
    del result
    assert run(x).ctypes.data == address
    # One element more is another array.
    assert run(data(7)).shape == (7,)


@pytest.mark.parametrize("refer", [np.asarray, lambda y: y[1:], memoryview])
def test_memory_that_somebody_refers_to_is_left_alone(
    refer: Callable[[np.ndarray], object],
) -> None:
    run = ndl.compile(make_relu())
    x = data(6)
    reference = refer(run(x))
    expected = np.array(reference)
    run(-x)
    np.testing.assert_array_equal(np.asarray(reference), expected)


@pytest.mark.parametrize("change", ["dtype", "read-only"])
def test_changed_results_are_not_used_again(change: str) -> None:
    run = ndl.compile(make_relu())
    x = data(6)
    result = run(x)
    if change == "dtype":
        result.dtype = np.int32
    else:
        result.setflags(write=False)
    del result
    again = run(x)
    assert again.dtype == np.float32
    assert again.flags.writeable
    np.testing.assert_array_equal(again, np.maximum(x, 0))
