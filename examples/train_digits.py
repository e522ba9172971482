# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a network on real digits with needle alone, then quantizes its layers.

A 784-256-128-10 MLP learns 4000 MNIST digits by Adam, step by step (eagerly) or with
the whole step as one compiled program (``--jit``), and is tried on 1000 digits that
it has not seen; then the weights of its Linear layers become 8-bit integers. The
same seed gives the same network, bit for bit.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import needle as ndl
import numpy as np
from needle import nn

INSTALL = "which is not installed: run scripts/setup, or pip install 'needle[demo]'"

try:
    from digits.data import Digits, Floats, Labels, load_digits
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table
except ImportError as missing:
    sys.exit(f"error: this example needs {missing.name}, {INSTALL}")

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (784, 256, 128, 10)

Step = Callable[[ndl.Tensor, ndl.Tensor], ndl.Tensor]


@dataclass(frozen=True)
class Report:
    """What training and quantizing gave.

    Attributes
    ----------
    losses
        The mean loss of each epoch.
    top1, quantized_top1
        The share of unseen digits that are recognized, before and after.
    agreement
        The share of unseen digits of which both say the same.
    weight_bytes, quantized_weight_bytes
        Memory that holds the network, measured; 0 if arrays are NumPy's.
    train_seconds
        Without reading the digits; with compiling, where it is compiled.
    """

    mode: str
    losses: list[float]
    top1: float
    quantized_top1: float
    agreement: float
    weight_bytes: int
    quantized_weight_bytes: int
    train_seconds: float


def make_network() -> nn.Sequential:
    """Linear layers with ReLU between them; drawn from NumPy's global generator."""
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(LAYERS):
        parts += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def make_step(network: nn.Module, rate: float, jitted: bool) -> Step:
    """One step of training: it returns the loss of the batch."""
    loss_of = nn.SoftmaxLoss()
    optimizer = ndl.optim.Adam(network.parameters(), lr=rate)

    def step(images: ndl.Tensor, labels: ndl.Tensor) -> ndl.Tensor:
        optimizer.reset_grad()
        loss: ndl.Tensor = loss_of(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return ndl.jit(step) if jitted else step


def batches(
    images: Floats, labels: Labels, size: int, rng: np.random.Generator
) -> Iterator[tuple[ndl.Tensor, ndl.Tensor]]:
    """The digits in a new order; what does not fill a batch waits for another."""
    order = rng.permutation(len(images))
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        yield (
            ndl.Tensor(images[chosen], requires_grad=False),
            ndl.Tensor(labels[chosen], requires_grad=False),
        )


def classify(network: nn.Module, images: Floats) -> Labels:
    """The digit with the highest score for each image."""
    network.eval()
    scores = network(ndl.Tensor(images, requires_grad=False)).numpy()
    return np.asarray(scores.argmax(axis=1), np.int64)


def train(
    network: nn.Module,
    digits: Digits,
    arguments: argparse.Namespace,
    console: Console,
) -> list[float]:
    """Train, and show how it goes; the mean loss of each epoch."""
    step = make_step(network, arguments.lr, arguments.jit)
    rng = np.random.default_rng(arguments.seed)
    steps = len(digits.train) // arguments.batch
    losses: list[float] = []
    columns = (
        TextColumn("Training"),
        BarColumn(),
        TextColumn("epoch {task.fields[epoch]}, loss {task.fields[loss]:.4f}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(
            "", total=arguments.epochs * steps, epoch=1, loss=np.nan
        )
        for epoch in range(1, arguments.epochs + 1):
            network.train()
            total = 0.0
            parts = batches(digits.train, digits.train_labels, arguments.batch, rng)
            for images, labels in parts:
                loss = float(step(images, labels))
                if not np.isfinite(loss):
                    raise ValueError(
                        f"the loss is {loss} in epoch {epoch}: try a smaller --lr than "
                        f"{arguments.lr:g}"
                    )
                total += loss
                progress.update(task, advance=1, epoch=epoch)
            losses.append(total / steps)
            progress.update(task, loss=losses[-1])
    return losses


def quantize(network: nn.Module) -> None:
    """Replace the weights of all Linear layers by 8-bit integers."""
    for layer in getattr(network, "modules", ()):
        if isinstance(layer, nn.Linear):
            layer.quantize_weights()


def held_bytes() -> int:
    """Bytes of all arrays that live; 0 where tensors hold arrays of NumPy."""
    live, _kept_for_reuse = ndl.cpu().memory()
    return int(live)


def run(arguments: argparse.Namespace, console: Console) -> Report:
    """Do the whole work."""
    digits = load_digits(ROOT / "build" / "cache", console)
    if arguments.batch > len(digits.train):
        raise ValueError(
            f"--batch {arguments.batch} is more than the {len(digits.train)} digits "
            "to train with"
        )
    np.random.seed(arguments.seed)  # noqa: NPY002 - what layers draw from
    before = held_bytes()
    network = make_network()
    started = time.perf_counter()
    losses = train(network, digits, arguments, console)
    seconds = time.perf_counter() - started
    for parameter in network.parameters():
        parameter.grad = None

    predicted = classify(network, digits.test)
    weight_bytes = held_bytes() - before
    quantize(network)
    quantized_bytes = held_bytes() - before
    quantized = classify(network, digits.test)
    return Report(
        mode="jit" if arguments.jit else "eager",
        losses=losses,
        top1=float(np.mean(predicted == digits.test_labels)),
        quantized_top1=float(np.mean(quantized == digits.test_labels)),
        agreement=float(np.mean(predicted == quantized)),
        weight_bytes=weight_bytes,
        quantized_weight_bytes=quantized_bytes,
        train_seconds=seconds,
    )


def show(report: Report, console: Console) -> None:
    """Print the results."""
    console.print(
        f"{len(report.losses)} epochs ({report.mode}) in {report.train_seconds:.1f} s, "
        f"loss {report.losses[0]:.4f} → {report.losses[-1]:.4f}"
    )
    table = Table("", "top-1", "memory", title="1000 digits it has not seen")
    for kind, top1, size in (
        ("float32", report.top1, report.weight_bytes),
        ("uint8 weights", report.quantized_top1, report.quantized_weight_bytes),
    ):
        # With NEEDLE_BACKEND=np the arrays are NumPy's, whose memory is unknown.
        memory = f"{size:,} bytes" if size else "unknown"
        table.add_row(kind, f"{top1:.1%}", memory)
    console.print(table)
    console.print(f"Both say the same of {report.agreement:.1%}.")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=15, help="(default: 15)")
    parser.add_argument("--batch", type=int, default=50, help="(default: 50)")
    parser.add_argument("--lr", type=float, default=1e-3, help="(default: 0.001)")
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")
    parser.add_argument(
        "--jit", action="store_true", help="compile the whole step of training"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the results to standard output"
    )
    arguments = parser.parse_args()
    for name in ("epochs", "batch"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} is at least 1")
    if not 0 < arguments.lr < float("inf"):
        parser.error("--lr is a positive number")
    if not 0 <= arguments.seed < 2**32:
        parser.error("--seed is from 0 to 4294967295")
    console = Console(stderr=arguments.json)
    try:
        report = run(arguments, console)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except ImportError as error:
        print(f"error: this example needs {error.name}, {INSTALL}", file=sys.stderr)
        return 1
    except (ndl.NeedleError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        json.dump(asdict(report), sys.stdout, indent=2)
        print()
    else:
        show(report, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
