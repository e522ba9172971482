# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures needle's contraction kernels beside the machine's limits and its peers.

needle is found in this tree; NumPy is needed, and every peer that can be imported
takes part: onnxruntime (with onnx), openvino, torch, iree, ggml. Everybody is held
to AVX2 where that is possible, or uses what this CPU has. Results are compared
before they are timed. docs/Benchmarks.md says how to read the table. The
exit code says nothing about targets: it is 1 if needle fails or is wrong in a row.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent
ROOT = BENCHMARKS.parent
sys.path[:0] = [str(BENCHMARKS)]
sys.path.append(str(ROOT / "python"))

# The command line is checked without NumPy: what needs it is imported later.
from eager import THREAD_VARIABLES, numpy_beyond_avx2, say  # noqa: E402
from kernel_bench.cases import Case, all_cases  # noqa: E402


def chosen_cases(arguments: argparse.Namespace) -> list[Case]:
    """The rows that were asked for."""
    if arguments.figures:
        return []
    return [
        case
        for case in all_cases()
        if all(
            any(text in f" {case.key} " for text in texts.split(","))
            for texts in arguments.only
        )
        and (case.is_basic or not (arguments.basic or arguments.quick))
    ]


def environment_of(library: str, threads: int, limit: bool) -> dict[str, str]:
    """Variables that set the threads of a library, and hold it to AVX2."""
    from kernel_bench.contenders import AVX2_VARIABLES

    variables = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    if limit:
        variables |= AVX2_VARIABLES.get(library, {})
        if library == "numpy":
            variables["NPY_DISABLE_CPU_FEATURES"] = numpy_beyond_avx2()
    return variables


def parse_arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog=os.environ.get("NEEDLE_BENCH_NAME"),
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT[,TEXT...]",
        help="rows whose name, between spaces, contains one of these; given again, "
        "one of those as well",
    )
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    parser.add_argument(
        "--basic",
        action="store_true",
        help="rows with one weight set, and with one kind of blocks of 4 bits",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="those rows, one process, one short turn: a first look, not a result",
    )
    parser.add_argument("--threads", type=int, default=1, help="of each contender")
    parser.add_argument("--processes", type=int, default=3, help="runs of everything")
    parser.add_argument("--rounds", type=int, default=2, help="turns at each row")
    parser.add_argument("--seconds", type=float, default=0.05, help="of one turn")
    parser.add_argument(
        "--figures",
        action="store_true",
        help="calls, compilation, threads, without rows; otherwise after all rows",
    )
    parser.add_argument(
        "--all-instructions",
        action="store_true",
        help="let everybody use whatever this CPU has, not AVX2 alone",
    )
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--plot", type=Path, help="draw rooflines there (matplotlib)")
    parser.add_argument(
        "--page",
        action="store_true",
        help="keep the results: in benchmarks/results, a summary in docs/Benchmarks.md",
    )
    parser.add_argument(
        "--render",
        action="store_true",
        help="measure nothing; write the pages of the results that are kept anew",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return arguments
    if min(arguments.threads, arguments.processes, arguments.rounds) < 1:
        parser.error("--threads, --processes and --rounds are at least 1")
    if arguments.seconds <= 0:
        parser.error("--seconds is positive")
    if not chosen_cases(arguments) and not arguments.figures:
        parser.error(f"no row contains {' and '.join(map(repr, arguments.only))}")
    for path in (arguments.json, arguments.plot):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"{path}: there is no such folder")
    return arguments


def main() -> int:
    """Run."""
    arguments = parse_arguments()
    if arguments.worker:
        from kernel_bench.worker import Order, serve

        values = json.loads(arguments.worker)
        serve(Order(**(values | {"cpus": tuple(values["cpus"])})))
        return 0
    cases = chosen_cases(arguments)
    if arguments.list:
        print("\n".join(case.key for case in cases))
        return 0
    if arguments.render:
        from kernel_bench.page import write_pages

        write_pages(ROOT)
        return 0
    return measure(arguments, cases)


def measure(arguments: argparse.Namespace, cases: list[Case]) -> int:
    """Measure rows and show them; the exit code."""
    from kernel_bench import crew, figures, page, report, session
    from kernel_bench.limits import NoCompilerError
    from kernel_bench.results import results_of

    once = arguments.quick
    settings = crew.Settings(
        arguments.threads,
        1 if once else arguments.processes,
        1 if once else arguments.rounds,
        min(arguments.seconds, 0.02) if once else arguments.seconds,
        limited=not arguments.all_instructions,
        cache=ROOT / "build" / "cache",  # of the examples, too
    )
    # They are not about some rows, nor about more threads than they choose.
    whole = arguments.threads == 1 and not arguments.only
    try:
        found = session.measure(
            cases,
            crew.with_cpus(settings),
            lambda library: environment_of(
                library, arguments.threads, not arguments.all_instructions
            ),
            lambda text: say(f"\r  {text:<78}"),
            figures.GROUPS if whole or arguments.figures else (),
        )
    except (NoCompilerError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say("\r" + " " * 80 + "\r")
    results = results_of(found)
    report.print_table(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if arguments.page:
        page.keep(results, ROOT)
    if arguments.plot:
        from kernel_bench.roofline import draw

        draw(results, arguments.plot)
    for defect in found.defects:
        print(f"error: {defect}", file=sys.stderr)
    return 1 if found.defects else 0


if __name__ == "__main__":
    sys.exit(main())
