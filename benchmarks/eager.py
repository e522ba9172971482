# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures eager needle beside NumPy and PyTorch.

    python benchmarks/eager.py [--json FILE] [--plot FILE] [--readme]

Run it with an interpreter that has NumPy, and torch and matplotlib where wanted;
needle is found in this tree. Each of several processes measures all contenders in
turns, on the same number of threads; the best process of each counts. Every other
process limits the peers to AVX2, which is what needle has kernels for. A result is
checked before it is timed. The exit code says nothing about targets.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
ROOT = BENCHMARKS.parent
sys.path[:0] = [str(BENCHMARKS)]
sys.path.append(str(ROOT / "python"))

THREAD_VARIABLES = (
    "NEEDLE_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


#: Holds peers to the instructions that needle's kernels use.
AVX2_ONLY = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message says why."""


# ---------------------------------------------------------------------------
# In a process of its own
# ---------------------------------------------------------------------------


def work(arguments: argparse.Namespace) -> dict[str, Any]:
    """What ``--worker`` does, as the parent reads it."""
    kind, *rest = arguments.worker
    if kind == "first":
        from eager_bench.cases import all_cases
        from eager_bench.measure import first_call

        name, contender = rest
        case = next(case for case in all_cases() if case.key == name)
        return {"seconds": first_call(case, contender)}
    if kind == "import":
        import numpy  # noqa: F401 - what needle imports, too, does not count

        started = time.perf_counter()
        module = __import__(rest[0])
        return {"seconds": time.perf_counter() - started, "name": module.__name__}
    return measure_all(arguments)


def measure_all(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every row once, all contenders in turns."""
    import needle as ndl
    from eager_bench.cases import PEERS, all_cases
    from eager_bench.measure import available_libraries, measure_case
    from eager_bench.training import measure_memory, measure_training

    libraries = available_libraries(("needle", *PEERS))
    if "torch" in libraries:
        import torch

        torch.set_num_threads(arguments.threads)
    chosen = [case for case in all_cases() if arguments.only in case.key]
    times: dict[str, dict[str, float]] = {}
    for index, case in enumerate(chosen, 1):
        say(f"\r  {index}/{len(chosen)} {case.key:<50}")
        times[case.key] = measure_case(case, set(libraries), arguments.seconds)
    say("\r" + " " * 70 + "\r")
    result: dict[str, Any] = {"times": times, "libraries": libraries}
    if arguments.only in "training":
        training, absent = measure_training(set(libraries), 6 * arguments.seconds)
        result |= {"training": training, "absent": absent, "memory": measure_memory()}
    extension = Path(ndl._needle.__file__)
    result["facts"] = {
        "isa": str(ndl.cpu().isa()),
        "extension bytes": extension.stat().st_size,
        "kernels launched": len(ndl.cpu().launches()),
    }
    return result


# ---------------------------------------------------------------------------
# The parent
# ---------------------------------------------------------------------------


def say(text: str, end: str = "") -> None:
    """Progress, for a person who waits."""
    if sys.stderr.isatty() or end:
        print(text, end=end, file=sys.stderr, flush=True)


def run_worker(
    arguments: argparse.Namespace, *worker: str, limit: bool = False
) -> dict[str, Any]:
    """The result of a process of its own, where peers are limited to AVX2 or not."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(arguments.threads))
    if limit:
        environment |= AVX2_ONLY | {"NPY_DISABLE_CPU_FEATURES": numpy_beyond_avx2()}
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).resolve()),
            f"--threads={arguments.threads}",
            f"--seconds={arguments.seconds}",
            f"--only={arguments.only}",
            "--worker",
            *worker,
        ],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"the process for {' '.join(worker)} failed, see above")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def numpy_beyond_avx2() -> str:
    """The instruction sets above AVX2 that NumPy would use here, as it calls them."""
    try:
        from numpy._core import _multiarray_umath as core
    except ImportError:  # NumPy before 2
        from numpy.core import _multiarray_umath as core

    return " ".join(
        name
        for name in core.__cpu_dispatch__
        if ("AVX512" in name or name == "X86_V4") and core.__cpu_features__.get(name)
    )


def least(into: dict[str, float], new: dict[str, float]) -> None:
    """Keep the least of each."""
    for name, value in new.items():
        into[name] = min(value, into.get(name, value))


def rename_peers(times: dict[str, float], limited: bool) -> dict[str, float]:
    """``numpy`` → ``numpy avx2`` where peers were limited to that."""
    if not limited:
        return times
    return {
        name if name.startswith("needle") else f"{name} avx2": value
        for name, value in times.items()
    }


def collect(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all processes and keep the best of each contender."""
    load_before = os.getloadavg()
    best: dict[str, dict[str, float]] = {}
    training: dict[str, float] = {}
    for index in range(2 * arguments.processes):
        limit = index % 2 == 1
        say(f"process {index + 1} of {2 * arguments.processes}", end="\n")
        last = run_worker(arguments, "all", limit=limit)
        for key, times in last["times"].items():
            least(best.setdefault(key, {}), rename_peers(times, limit))
        least(training, rename_peers(last.get("training", {}), limit))
    first = collect_first_calls(arguments, set(last["libraries"]))
    imports = {
        name: min(
            run_worker(arguments, "import", name)["seconds"]
            for _ in range(arguments.processes)
        )
        for name in last["libraries"]
        if name != "numpy" and not arguments.only
    }
    return {
        "seconds": best,
        "first_call_seconds": first,
        "training_seconds": training,
        "import_seconds": imports,
        "absent": last.get("absent", {}),
        "memory_bytes": last.get("memory", {}),
        "facts": last["facts"],
        "libraries": last["libraries"],
        "limits_gmacs": machine_limits(arguments),
        "machine": {
            "cpu": cpu_name(),
            "python": platform.python_version(),
            "threads": arguments.threads,
            "processes": arguments.processes,
            "load before and after": [load_before[0], os.getloadavg()[0]],
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        },
    }


def collect_first_calls(
    arguments: argparse.Namespace, libraries: set[str]
) -> dict[str, dict[str, float]]:
    """The first call of some cases, each in several fresh processes."""
    from eager_bench.cases import all_cases, library_of

    result: dict[str, dict[str, float]] = {}
    for case in all_cases():
        if not case.first_call or arguments.only not in case.key:
            continue
        for contender in case.code:
            if library_of(contender) not in libraries:
                continue
            say(f"\r  first call of {case.key}, {contender}   ")
            for _ in range(arguments.processes + 2):
                taken = run_worker(arguments, "first", case.key, contender)
                least(result.setdefault(case.key, {}), {contender: taken["seconds"]})
    say("\r" + " " * 70 + "\r")
    return result


def machine_limits(arguments: argparse.Namespace) -> dict[str, float]:
    """GMAC/s of hand-written loops on one thread, where a C compiler is found."""
    if arguments.threads != 1 or arguments.only:
        return {}
    from contractions import machine_limits as measure

    try:
        return measure(0.5)
    except SystemExit:
        return {}


def cpu_name() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--plot", type=Path, help="draw them there (needs matplotlib)")
    parser.add_argument(
        "--readme",
        action="store_true",
        help="write benchmarks/{README.md,eager.json,eager.svg} anew",
    )
    parser.add_argument("--only", default="", help="rows that contain this text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=0.15, help="for each contender of a row"
    )
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.threads < 1 or arguments.processes < 1:
        parser.error("--threads and --processes are at least 1")
    if arguments.readme and arguments.only:
        parser.error("--readme describes all rows: leave --only out")
    if arguments.worker:
        json.dump(work(arguments), sys.stdout)
        return 0
    from eager_bench.cases import all_cases

    if not any(
        arguments.only in name
        for name in ["training", *(case.key for case in all_cases())]
    ):
        parser.error(f"no row contains {arguments.only!r}")
    try:
        results = collect(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    from eager_bench.report import draw, print_table, write_readme

    print_table(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if arguments.plot:
        draw(results, arguments.plot)
    if arguments.readme:
        write_readme(results, BENCHMARKS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
