# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled programs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from needle import _needle
from needle._arguments import check_integer, check_text
from needle._files import write_atomically
from needle.errors import ArtifactError
from needle.graph import Graph
from needle.signature import Signature, TensorSpec, make_signature


@dataclass(frozen=True)
class Kernel:
    """One step of a program: what runs, and for which operation.

    Attributes
    ----------
    name
        The kernel, e.g. ``"qmatmul_u8s8_f32_bias_relu.avx2.4x16"``.
    op
        The operation, e.g. ``"needle.qmatmul"``.
    location
        Where it stands in the source, or empty.
    note
        Why this kernel was chosen, or empty.
    target
        The ISA it was compiled for, e.g. ``"avx2"``.
    macs
        Multiply-accumulates of one call, None if unknown.
    calls
        How often it has run so far.
    """

    name: str
    op: str
    location: str
    note: str
    target: str
    macs: int | None
    calls: int


@dataclass(frozen=True)
class StepProfile:
    """Times of one step, in nanoseconds, and what it is.

    Attributes
    ----------
    kernel
        What ran.
    runs
        How often it ran.
    mean_ns, min_ns
        The mean and the least time of a run.
    """

    kernel: Kernel
    runs: int
    mean_ns: float
    min_ns: int

    @property
    def gmacs(self) -> float | None:
        """Billions of multiply-accumulates in a second, at best; None if unknown."""
        if self.kernel.macs is None or self.min_ns == 0:
            return None
        return self.kernel.macs / self.min_ns


class Profile(tuple[StepProfile, ...]):
    """The steps of a program with their times; ``str()`` is a table."""

    __slots__ = ()

    @property
    def total_ns(self) -> float:
        """Mean time of all steps together."""
        return sum(step.mean_ns for step in self)

    def __str__(self) -> str:
        rows = [("kernel", "ISA", "op", "mean µs", "min µs", "GMAC/s", "location")]
        for step in self:
            gmacs = f"{step.gmacs:.1f}" if step.gmacs else ""
            rows.append(
                (
                    step.kernel.name,
                    step.kernel.target,
                    step.kernel.op,
                    f"{step.mean_ns / 1e3:.2f}",
                    f"{step.min_ns / 1e3:.2f}",
                    gmacs,
                    step.kernel.location,
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for row in rows:
            cells = [
                cell.rjust(width) if 3 <= index <= 5 else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


class Executable(_needle.Executable):
    """A compiled program, called with NumPy arrays.

    Made by :func:`needle.compile` and :func:`needle.load`. A call takes one array
    for each input, by place or by name, and returns the output or a tuple of
    several. Arrays may be strided; dtypes have to be exact. Calls may run at the
    same time in several threads, and release the GIL.

    Attributes
    ----------
    target
        The ISA that runs here, e.g. ``"avx2"``.
    threads
        Number of threads that work on one call.
    nbytes
        Size of the artifact in bytes.
    artifact
        The bytes of the artifact file; a copy each time.

    Raises
    ------
    TypeError
        If inputs are missing, unknown or of another dtype.
    ValueError
        If shapes do not fit the signature or each other; the message names the
        input, or the operation and its source line.
    """

    def __init__(
        self,
        artifact: bytes,
        target: str | None = None,
        threads: int = 0,
        entry: str | None = None,
        *,
        graph: Graph | None = None,
        compile_times: dict[str, float] | None = None,
    ) -> None:
        for argument, value in (("target", target), ("entry", entry)):
            if value is not None:
                check_text(argument, value)
        super().__init__(artifact, target, threads, entry)
        self._graph = graph
        self._described: Signature = make_signature(self._signature())
        self._times = compile_times or {}

    # -- What it is ----------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the entry point."""
        return self._described.name

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs, in order."""
        return self._described.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs, in order."""
        return self._described.outputs

    @property
    def targets(self) -> tuple[str, ...]:
        """The ISAs that the artifact carries code for."""
        return tuple(body[0] for body in self._bodies())

    @property
    def weight_bytes(self) -> int:
        """Size of the constants that the running code uses."""
        return next(body[5] for body in self._bodies() if body[0] == self.target)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The steps of the program on this CPU, and how often each has run."""
        return tuple(
            Kernel(name, op, location, note, target, None if macs < 0 else macs, calls)
            for name, op, location, note, target, macs, calls in self._steps()
        )

    @property
    def compile_times(self) -> dict[str, float]:
        """Seconds by stage of the compilation; ``{"cache": s}`` if it was cached."""
        return dict(self._times)

    def __repr__(self) -> str:
        inputs = ", ".join(map(str, self.inputs))
        outputs = ", ".join(map(str, self.outputs))
        return (
            f"Executable({self.name!r}, ({inputs}) -> ({outputs}), "
            f"target={self.target!r}, threads={self.threads})"
        )

    # -- Looking inside ------------------------------------------------------

    def mlir(self, stage: str = "needle", target: str | None = None) -> str:
        """The program's text after a stage of the compilation.

        Parameters
        ----------
        stage
            One of :func:`needle.stages`, e.g. ``"linalg"`` or ``"llvm"``.
        target
            By default the one that runs here.

        Raises
        ------
        ValueError
            If there is no such stage or target, or the program was loaded from an
            artifact, which does not hold its source.
        """
        check_text("stage", stage)
        target = self.target if target is None else check_text("target", target)
        return _needle.print_stage(self._source()._module, stage, target)

    def asm(self, target: str | None = None) -> str:
        """The assembly for a target, by default the one that runs here.

        Raises
        ------
        ValueError
            As for :meth:`mlir`.
        """
        target = self.target if target is None else check_text("target", target)
        return _needle.assembly(self._source()._module, target)

    def profile(
        self, *inputs: npt.ArrayLike, runs: int = 10, **named_inputs: npt.ArrayLike
    ) -> Profile:
        """Run with timing and return the time of each step.

        Without inputs, zeros are used; that needs static shapes.

        Parameters
        ----------
        inputs, named_inputs
            As for a call.
        runs
            How often to run it, 1 or more.

        Raises
        ------
        TypeError, ValueError
            As for a call.
        """
        runs = check_integer("runs", runs, 1, 2**31 - 1)
        given: tuple[Any, ...] = inputs
        if not inputs and not named_inputs:
            given = tuple(map(self._zeros, self.inputs))
        times = self._profile(runs, *given, **named_inputs)
        return Profile(
            StepProfile(kernel, calls, total / calls if calls else 0.0, least)
            for kernel, (calls, total, least) in zip(self.kernels, times, strict=True)
        )

    def _zeros(self, spec: TensorSpec) -> npt.NDArray[Any]:
        shape = [dim for dim in spec.shape if dim is not None]
        if len(shape) != len(spec.shape):
            raise ValueError(
                f"input {spec.name!r} has dynamic dimensions: give inputs to profile()"
            )
        return np.zeros(shape, spec.dtype)

    def _source(self) -> Graph:
        if self._graph is None:
            raise ValueError(
                "this program was loaded from an artifact, which holds code and "
                "weights but not the source; use the Executable that needle.compile "
                "returned, or compile the graph again"
            )
        return self._graph

    # -- Files ---------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the artifact, whole or not at all.

        It can be run by :func:`needle.load`, by the tool ``needle-run`` and through
        the runtime's C interface, without Python or LLVM.

        Raises
        ------
        OSError
            If the file cannot be written; what was there before is untouched.
        """
        write_atomically(path, self.artifact)


def load(
    path: str | os.PathLike[str],
    target: str | None = None,
    threads: int | None = None,
    *,
    entry: str | None = None,
) -> Executable:
    """Load an artifact that :meth:`Executable.save` or ``needle-compile`` wrote.

    Parameters
    ----------
    path
        The artifact.
    target
        Which of the artifact's bodies to run; by default the environment variable
        ``NEEDLE_ISA`` or the best that this CPU can run.
    threads
        By default the environment variable ``NEEDLE_NUM_THREADS`` or the number of
        CPUs that this process may use.
    entry
        The entry point; by default ``main``, or the only one.

    Raises
    ------
    ArtifactError
        If the file is no artifact, truncated, damaged, of another version, or has
        no code for this CPU.
    OSError
        If it cannot be read.
    ValueError
        If there is no such target or entry point.
    """
    with open(path, "rb") as file:
        artifact = file.read()
    count = check_threads(threads)
    try:
        return Executable(artifact, target, count, entry)
    except (ArtifactError, ValueError) as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from None


def check_threads(threads: int | None) -> int:
    """The number of threads as the runtime wants it: 0 for None."""
    if threads is None:
        return 0
    return check_integer("threads", threads, 1, 2**31 - 1)
