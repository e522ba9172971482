# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One training step of an MLP: forward, backward, Adam.

All contenders start from the same weights and see the same batch; their losses
over the first steps must agree before their times count.
"""

from __future__ import annotations

import gc
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from eager_bench.measure import WrongResultError, take_turns

LAYERS = (784, 256, 128, 10)
BATCH = 64
RATE = 1e-3
STEPS = 5
#: Losses are means of 64 terms that went through three layers of float32; what
#: Adam amplifies of their rounding stays far below this in so few steps.
TOLERANCE = 1e-4

Step = Callable[[], float]


@dataclass(frozen=True)
class Problem:
    """Initial weights and biases, and a batch with its classes."""

    weights: list[npt.NDArray[np.float32]]
    biases: list[npt.NDArray[np.float32]]
    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


def make_problem() -> Problem:
    """The same for everybody."""
    rng = np.random.default_rng(0)
    weights = [
        (rng.standard_normal((rows, columns)) * np.sqrt(2 / rows)).astype(np.float32)
        for rows, columns in pairwise(LAYERS)
    ]
    biases = [np.zeros((1, columns), np.float32) for columns in LAYERS[1:]]
    images = rng.random((BATCH, LAYERS[0]), dtype=np.float32)
    return Problem(weights, biases, images, rng.integers(0, LAYERS[-1], BATCH))


def needle_step(problem: Problem, jitted: bool) -> tuple[Callable[[], Any], Step]:
    """A step, and the same with the loss as a number."""
    import needle as ndl

    parts: list[Any] = []
    for weight, bias in zip(problem.weights, problem.biases, strict=True):
        layer = ndl.nn.Linear(*weight.shape)
        layer.weight.data = ndl.Tensor(weight)
        layer.bias.data = ndl.Tensor(bias)
        parts += [layer, ndl.nn.ReLU()]
    model = ndl.nn.Sequential(*parts[:-1])
    loss_of = ndl.nn.SoftmaxLoss()
    optimizer = ndl.optim.Adam(model.parameters(), lr=RATE)
    images = ndl.Tensor(problem.images, requires_grad=False)
    labels = ndl.Tensor(problem.labels, requires_grad=False)

    def update(x: Any, y: Any) -> Any:
        optimizer.reset_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    if jitted:
        update = ndl.jit(update)

    def step() -> Any:
        return update(images, labels)

    return step, lambda: float(step().numpy().reshape(()))


def torch_step(problem: Problem, fused: bool) -> tuple[Callable[[], Any], Step]:
    """A step, and the same with the loss as a number."""
    import torch

    parts: list[Any] = []
    for weight, bias in zip(problem.weights, problem.biases, strict=True):
        layer = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias[0]))
        parts += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts[:-1])
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=fused)
    images = torch.from_numpy(problem.images)
    labels = torch.from_numpy(problem.labels)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step, lambda: float(step().detach())


CONTENDERS: dict[str, Callable[[Problem], tuple[Callable[[], Any], Step]]] = {
    "needle": lambda problem: needle_step(problem, False),
    "needle jit": lambda problem: needle_step(problem, True),
    "torch": lambda problem: torch_step(problem, False),
    "torch fused Adam": lambda problem: torch_step(problem, True),
}


def measure_training(
    libraries: set[str], seconds: float
) -> tuple[dict[str, float], dict[str, str]]:
    """Least seconds of a step by contender, and why some did not run."""
    problem = make_problem()
    steps: dict[str, Callable[[], Any]] = {}
    losses: dict[str, list[float]] = {}
    absent: dict[str, str] = {}
    for name, make in CONTENDERS.items():
        if name.split()[0] not in libraries:
            continue
        if name == "needle jit" and not _has_jit():
            absent[name] = "this needle has no jit"
            continue
        steps[name], with_loss = make(problem)
        losses[name] = [with_loss() for _ in range(STEPS)]
    expected = losses["needle"]
    if not expected[-1] < expected[0]:
        raise WrongResultError(f"training does not lower the loss: {expected}")
    for name, values in losses.items():
        if not np.allclose(values, expected, rtol=TOLERANCE, atol=0):
            raise WrongResultError(f"training: losses of {name}: {values}, {expected}")
    timers = {
        name: timeit.Timer("step()", "gc.enable()", globals={"step": step, "gc": gc})
        for name, step in steps.items()
    }
    times = take_turns({k: timer.timeit for k, timer in timers.items()}, seconds)
    return times, absent


def measure_memory(steps: int = 20) -> dict[str, int]:
    """Bytes of arrays that live: before, during and after eager training.

    The garbage collector rests: nothing may wait for it.
    """
    import needle as ndl

    memory = ndl.cpu().memory
    gc.collect()
    gc.disable()
    before = memory()[0]
    step, with_loss = needle_step(make_problem(), False)
    for _ in range(steps):
        step()
    early = memory()[0]
    for _ in range(steps):
        step()
    late = memory()[0]
    del step, with_loss
    after, cached = memory()
    gc.enable()
    parameters = sum((rows + 1) * columns for rows, columns in pairwise(LAYERS))
    return {
        "before": before,
        f"after {steps} steps": early,
        f"after {2 * steps} steps": late,
        "after all is dropped": after,
        "kept for reuse": cached,
        "of parameters": 4 * parameters,
    }


def _has_jit() -> bool:
    import needle as ndl

    return callable(getattr(ndl, "jit", None))
