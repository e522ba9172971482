# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantizing graphs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from needle import _needle
from needle._arguments import check_text
from needle._progress import track
from needle.compiler import compile as compile_graph
from needle.errors import CompileError
from needle.graph import Graph, bind_inputs, check_graph

#: One batch of calibration data.
Batch = npt.ArrayLike | Sequence[npt.ArrayLike] | Mapping[str, npt.ArrayLike]


@dataclass(frozen=True)
class QuantizationConfig:
    """How a graph is to be quantized.

    Attributes
    ----------
    activations
        ``"uint8"`` (asymmetric, per tensor) or ``"none"``: only weights.
    weights
        ``"int8"`` (symmetric, -127 … 127), ``"uint8"`` (asymmetric) or ``"none"``.
    granularity
        Of weights: ``"per-axis"``, one scale for each output channel, or
        ``"per-tensor"``.
    mode
        ``"static"``: ranges of activations are learned from calibration data.
        ``"dynamic"``: they are computed from the values when the program runs.
    include, exclude
        Glob patterns of operation names. Only operations that match ``include``
        (all, if it is empty) and not ``exclude`` are quantized.
    """

    activations: Literal["uint8", "none"] = "uint8"
    weights: Literal["int8", "uint8", "none"] = "int8"
    granularity: Literal["per-axis", "per-tensor"] = "per-axis"
    mode: Literal["static", "dynamic"] = "static"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values and make the patterns immutable."""
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in ("include", "exclude"):
                if isinstance(value, str) or not isinstance(value, Iterable):
                    raise TypeError(
                        f"{field.name} is a sequence of patterns, got {value!r}"
                    )
                value = tuple(check_text(f"{field.name}: a pattern", v) for v in value)
                object.__setattr__(self, field.name, value)
            elif value not in get_args(hints[field.name]):
                choices = ", ".join(map(repr, get_args(hints[field.name])))
                raise ValueError(f"{field.name}={value!r} is none of {choices}")

    def to_text(self) -> str:
        """The configuration as JSON text."""
        import json

        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str) -> QuantizationConfig:
        """Read what :meth:`to_text` has written; absent keys have their default.

        Raises
        ------
        ValueError
            If the text is not JSON, has an unknown key or a wrong value.
        """
        import json

        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("a quantization configuration is a JSON object")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(
                f"unknown keys in the quantization configuration: {unknown}; "
                f"known are {sorted(known)}"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write :meth:`to_text` to a file."""
        Path(path).write_text(self.to_text(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> QuantizationConfig:
        """Read a file that :meth:`save` has written."""
        try:
            return cls.from_text(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None


def quantize(
    graph: Graph,
    calibration: Iterable[Batch] | None = None,
    config: QuantizationConfig | None = None,
    *,
    progress: bool | None = None,
) -> Graph:
    """Quantize a graph and fuse it to integer operations.

    Parameters
    ----------
    graph
        A float graph; it is not changed.
    calibration
        Representative batches: for each an array (if there is one input), a tuple
        of arrays or a mapping by the names of the inputs. Needed in static mode.
        The compiled graph runs once on each batch.
    config
        By default uint8 activations and per-channel int8 weights, static.
    progress
        Whether to show a progress bar (needs ``rich``); by default when standard
        error is a terminal.

    Returns
    -------
    A graph with the inputs and outputs of ``graph``. An operation that could not
    be quantized or fused carries the reason as an attribute
    (``needle.not_quantized``, ``needle.not_fused``).

    Raises
    ------
    ValueError
        If calibration data is needed and absent or empty, or a batch has a wrong
        shape.
    TypeError
        If a batch has a wrong dtype or number of arrays.
    CompileError
        If the graph cannot be compiled, or a pattern matches no operation.
    """
    check_graph("quantize", graph)
    chosen = QuantizationConfig() if config is None else config
    if not isinstance(chosen, QuantizationConfig):
        raise TypeError(
            f"config is a QuantizationConfig, got {config!r}; e.g. "
            'QuantizationConfig(mode="dynamic")'
        )
    native = _needle.Calibration(
        graph._module,
        chosen.mode,
        chosen.activations,
        chosen.weights,
        chosen.granularity,
        list(chosen.include),
        list(chosen.exclude),
    )
    if native.module is not None:
        _calibrate(native, Graph(native.module), calibration, progress)
    return Graph(native.finish())


def _calibrate(
    native: _needle.Calibration,
    exposed: Graph,
    calibration: Iterable[Batch] | None,
    progress: bool | None,
) -> None:
    """Run the exposed graph on all batches and let the observers see."""
    if calibration is None:
        raise ValueError(
            "static quantization learns ranges from data: give calibration batches, "
            'or choose QuantizationConfig(mode="dynamic")'
        )
    if isinstance(calibration, (np.ndarray, Mapping, str)) or not isinstance(
        calibration, Iterable
    ):
        raise TypeError(
            "calibration is an iterable of batches; for one batch give [batch]"
        )
    run = compile_graph(exposed, target="host")
    signature = exposed.entries[exposed.entry_index()]
    count = 0
    for count, batch in enumerate(track(calibration, "Calibrating", progress), 1):
        try:
            outputs = run(*bind_inputs(signature, batch))
        except CompileError:
            raise
        except (TypeError, ValueError) as error:
            # The batch is the caller's; say which one.
            raise type(error)(f"calibration batch {count - 1}: {error}") from error
        native.observe(list(outputs) if isinstance(outputs, tuple) else [outputs])
    if count == 0:
        raise ValueError("the calibration data is empty: give at least one batch")
