# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model that was trained elsewhere: quantized, compiled, compared, shipped.

Trains an MLP on real digits with scikit-learn, builds its weights into a needle
graph, calibrates and quantizes it (uint8 activations, int8 weights per channel),
compiles both, evaluates them on held-out digits, and runs the saved artifact in a
process of its own, without Python and LLVM. Exits with 1 if the compiled float
model sees any digit differently than scikit-learn, if the int8 model loses more
than half a point of top-1, or if the artifact's outputs differ in a bit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import needle as ndl
import numpy as np
from digits.data import Digits, Floats, Labels, load_digits, train_network
from digits.peers import load_peers
from digits.report import Check, Report, Row, draw_plot, print_report
from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
BATCHES = (1, 64)
MAX_LOSS = 0.005

Model = Callable[[Floats], Floats]


class DemoError(Exception):
    """The demonstration cannot go on; the message says what to do."""


def build_graph(weights: Iterable[Floats], biases: Iterable[Floats]) -> ndl.Graph:
    """The network as a needle graph with a dynamic batch dimension."""
    layers = list(zip(weights, biases, strict=True))
    builder = ndl.GraphBuilder("digits")
    value = builder.input("image", (None, layers[0][0].shape[0]))
    for index, (weight, bias) in enumerate(layers, 1):
        constant = builder.constant(weight, name=f"fc{index}.weight")
        value = builder.matmul(value, constant, name=f"fc{index}")
        value = builder.add(value, builder.constant(bias, name=f"fc{index}.bias"))
        if index < len(layers):
            value = builder.relu(value)
    builder.output(value, name="scores")
    return builder.build()


def classify(model: Model, images: Floats) -> Labels:
    """The digit with the highest score for each image."""
    return np.asarray(np.argmax(model(images), axis=1), np.int64)


def measure_latency(
    models: dict[str, Model], images: Floats, console: Console
) -> dict[str, dict[int, float]]:
    """Microseconds of one call, the median, by model and batch size.

    The models take turns, so that whatever else the machine does meets all of them.
    """
    times: dict[str, dict[int, list[float]]] = {
        name: {batch: [] for batch in BATCHES} for name in models
    }
    for _ in track(range(12), "Measuring latency", console=console, transient=True):
        for batch in BATCHES:
            sample = np.ascontiguousarray(images[:batch])
            for name, model in models.items():
                model(sample)
                finish = time.perf_counter() + 0.02
                while (started := time.perf_counter()) < finish:
                    model(sample)
                    times[name][batch].append(time.perf_counter() - started)
    return {
        name: {batch: float(np.median(calls)) * 1e6 for batch, calls in sizes.items()}
        for name, sizes in times.items()
    }


def find_needle_run() -> Path:
    """The tool ``needle-run`` of the build."""
    builds = [ROOT / "build" / preset for preset in ("release", "dev")]
    if chosen := os.environ.get("NEEDLE_BUILD_DIR"):
        builds = [Path(chosen)]
    for build in builds:
        if (build / "bin" / "needle-run").exists():
            return build / "bin" / "needle-run"
    if found := shutil.which("needle-run"):
        return Path(found)
    raise DemoError("needle-run is not built: run scripts/build")


def run_elsewhere(artifact: Path, images: Floats) -> Floats:
    """The scores that ``needle-run`` computes from the artifact."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder, "image.npy"), Path(folder, "scores.npy")
        np.save(inputs, images)
        command = [
            str(find_needle_run()),
            str(artifact),
            f"--input=image={inputs}",
            f"--output=scores={outputs}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoError(f"needle-run failed: {done.stderr.strip()}")
        return np.asarray(np.load(outputs), np.float32)


def check_claims(
    digits: Digits,
    expected: Labels,
    float_model: ndl.Executable,
    int8_model: ndl.Executable,
    int8_graph: ndl.Graph,
    artifact: Path,
) -> list[Check]:
    """What the demonstration claims of the compiled models."""
    everything = np.concatenate([digits.train, digits.test])
    differing = int(np.sum(classify(float_model, everything) != expected))
    float_top1 = float(
        np.mean(classify(float_model, digits.test) == digits.test_labels)
    )
    int8_scores = int8_model(digits.test)
    int8_top1 = float(np.mean(int8_scores.argmax(axis=1) == digits.test_labels))
    elsewhere = run_elsewhere(artifact, digits.test)
    sample = digits.test[:64]
    oracle = np.asarray(ndl.reference(int8_graph, sample))
    integer = [k for k in int8_model.kernels if k.op == "needle.qmatmul"]
    return [
        Check(
            "the float model sees every digit as scikit-learn does",
            differing == 0,
            f"{differing} of {len(everything)} differ",
        ),
        Check(
            "int8 loses at most half a point of top-1",
            abs(float_top1 - int8_top1) <= MAX_LOSS,
            f"{float_top1:.1%} float, {int8_top1:.1%} int8",
        ),
        Check(
            "all layers of the int8 model are integer kernels",
            len(integer) == 3,
            ", ".join(kernel.name for kernel in integer) or "none",
        ),
        Check(
            "the int8 model equals the reference interpreter bit for bit",
            oracle.tobytes() == int8_model(sample).tobytes(),
            f"{len(sample)} digits",
        ),
        Check(
            "needle-run computes the same int8 outputs bit for bit",
            elsewhere.shape == int8_scores.shape
            and elsewhere.tobytes() == int8_scores.tobytes(),
            f"{elsewhere.size} scores",
        ),
    ]


def run_demo(out: Path, threads: int, console: Console) -> Report:
    """Do the whole work and write the files."""
    cache = ROOT / "build" / "cache"
    digits = load_digits(cache, console)
    network = train_network(digits, cache, console)
    weights = [np.asarray(layer, np.float32) for layer in network.coefs_]
    biases = [np.asarray(layer, np.float32) for layer in network.intercepts_]
    batches = [digits.train[start : start + 100] for start in range(0, 2000, 100)]

    graph = build_graph(weights, biases)
    progress = track(batches, "Calibrating", console=console, transient=True)
    int8_graph = ndl.quantize(graph, progress)
    float_model = _compile(graph, threads)
    int8_model = _compile(int8_graph, threads)
    out.mkdir(parents=True, exist_ok=True)
    artifact = out / "digits-int8.ndl"
    int8_model.save(artifact)

    models: dict[str, Model] = {
        "needle float32": float_model,
        "needle int8": int8_model,
    }
    with console.status("Preparing onnxruntime"):
        models |= load_peers(weights, biases, batches, threads)
    if len(models) == 2:
        console.print("onnxruntime is not installed: its rows are left out")
    everything = np.concatenate([digits.train, digits.test])
    expected = np.asarray(network.predict(everything), np.int64)
    checks = check_claims(
        digits, expected, float_model, int8_model, int8_graph, artifact
    )
    latency = measure_latency(models, digits.test, console)
    rows = [
        _make_row(name, model, digits, latency[name]) for name, model in models.items()
    ]
    plot = out / "digits.png"
    report = Report(
        rows,
        checks,
        {"float32": float_model.compile_times, "int8": int8_model.compile_times},
        {"plot": str(plot), "artifact": str(artifact)},
        threads,
        int8_model.target,
        list(ndl.cpu_features()),
        len(digits.test),
    )
    predicted = classify(int8_model, digits.test)
    draw_plot(report, digits.test, digits.test_labels, predicted, plot)
    return report


def _compile(graph: ndl.Graph, threads: int) -> ndl.Executable:
    """Compile without the caches: the time of each stage is part of the table."""
    before = os.environ.get("NEEDLE_CACHE")
    os.environ["NEEDLE_CACHE"] = "0"
    try:
        return ndl.compile(graph, threads=threads)
    finally:
        if before is None:
            del os.environ["NEEDLE_CACHE"]
        else:
            os.environ["NEEDLE_CACHE"] = before


def _make_row(
    name: str, model: Model, digits: Digits, latency: dict[int, float]
) -> Row:
    top1 = float(np.mean(classify(model, digits.test) == digits.test_labels))
    if not isinstance(model, ndl.Executable):
        return Row(name, top1, None, latency)
    kernels = [f"{kernel.name} ({kernel.target})" for kernel in model.kernels]
    return Row(name, top1, model.weight_bytes, latency, kernels)


def main() -> int:
    """Run the demonstration; the exit code says whether all claims hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "demo",
        help="folder for the plot and the artifact (default: build/demo)",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of every model (default: 1)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the figures as JSON to standard output",
    )
    arguments = parser.parse_args()
    if arguments.threads < 1:
        parser.error("--threads is at least 1")
    console = Console(stderr=arguments.json)
    try:
        report = run_demo(arguments.out, arguments.threads, console)
    except (DemoError, ndl.NeedleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print_report(report, console)
    if arguments.json:
        json.dump(report.to_json(), sys.stdout, indent=2)
        print()
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
