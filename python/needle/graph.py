# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Graphs: what they are, their text, and their evaluation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from needle import _needle
from needle._arguments import check_text
from needle.signature import Signature, TensorSpec, make_signature

Array = npt.NDArray[Any]
#: Constants that print longer than this are left out of ``str(graph)``.
_ELIDE_ABOVE = 1024


class Graph:
    """A verified program of needle operations with one entry point.

    Immutable. Made by :meth:`GraphBuilder.build`, :func:`parse` and
    :func:`needle.quantize`. Its text is MLIR: ``str(graph)`` leaves out large
    constants, :meth:`mlir` has everything.
    """

    __slots__ = ("__weakref__", "_entries", "_fingerprint", "_module")

    def __init__(self, module: _needle.Module) -> None:
        self._module = module
        self._entries = tuple(map(make_signature, module.entries()))
        self._fingerprint: bytes | None = None

    @property
    def name(self) -> str:
        """The graph's name, or an empty string."""
        return self._module.name

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Inputs of the entry point."""
        return self._entries[self.entry_index()].inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Outputs of the entry point."""
        return self._entries[self.entry_index()].outputs

    @property
    def entries(self) -> tuple[Signature, ...]:
        """Signatures of all entry points; graphs usually have one, ``main``."""
        return self._entries

    def entry_index(self, name: str | None = None) -> int:
        """Index of the entry point ``name``; by default ``main``, or the only one.

        Raises
        ------
        ValueError
            If there is no such entry point.
        """
        if name is None and len(self._entries) == 1:
            return 0
        names = [entry.name for entry in self._entries]
        wanted = "main" if name is None else name
        if wanted not in names:
            listed = ", ".join(map(repr, names)) or "none"
            raise ValueError(
                f"the graph has no entry point {wanted!r}; it has {listed}"
            )
        return names.index(wanted)

    def mlir(self, *, locations: bool = False) -> str:
        """The whole text, constants included; :func:`parse` reads it back."""
        return self._module.print(locations=locations)

    def fingerprint(self) -> bytes:
        """A cryptographic hash (BLAKE3) of text, locations and constants."""
        if self._fingerprint is None:
            self._fingerprint = self._module.fingerprint()
        return self._fingerprint

    def __str__(self) -> str:
        return self._module.print(elide_above=_ELIDE_ABOVE)

    def __repr__(self) -> str:
        if not self._entries:
            return "Graph(no entry points)"
        signature = self._entries[self.entry_index()] if self._has_main() else None
        if signature is None:
            return f"Graph({self.name!r}, {len(self._entries)} entry points)"
        inputs = ", ".join(map(str, signature.inputs))
        outputs = ", ".join(map(str, signature.outputs))
        return f"Graph({self.name!r}, ({inputs}) -> ({outputs}))"

    def _has_main(self) -> bool:
        return len(self._entries) == 1 or any(
            entry.name == "main" for entry in self._entries
        )


def parse(text: str | os.PathLike[str], *, name: str | None = None) -> Graph:
    """Parse and verify MLIR text.

    Parameters
    ----------
    text
        The text, or the path (as a :class:`pathlib.Path`) of a file with it.
    name
        What stands for the text in error messages; by default the path.

    Raises
    ------
    CompileError
        If the text does not parse or is not valid; the message says where.
    OSError
        If the file cannot be read.
    """
    if name is not None:
        check_text("name", name)
    if isinstance(text, str):
        return Graph(_needle.Module.parse(text, name or "<string>"))
    if not isinstance(text, os.PathLike):
        raise TypeError(
            "parse takes a string of MLIR text or the pathlib.Path of a file, got "
            f"{type(text).__name__}"
        )
    path = Path(text)
    return Graph(
        _needle.Module.parse(path.read_text(encoding="utf-8"), name or str(path))
    )


def reference(
    graph: Graph,
    inputs: npt.ArrayLike | Sequence[npt.ArrayLike] | Mapping[str, npt.ArrayLike],
    *,
    entry: str | None = None,
) -> Array | tuple[Array, ...]:
    """Evaluate a graph with the reference interpreter, op by op.

    This is what compiled code has to agree with, slow and plain: integers
    exactly, float reductions within the bound of docs/Spec.md.

    Parameters
    ----------
    graph
        What to evaluate.
    inputs
        An array, a tuple or list of arrays in the order of the inputs, or a
        mapping by their names.
    entry
        The entry point; by default ``main``, or the only one.

    Returns
    -------
    The output, or a tuple of several.
    """
    check_graph("reference", graph)
    index = graph.entry_index(entry)
    arrays = bind_inputs(graph.entries[index], inputs)
    results = _needle.reference(
        graph._module, index, [np.require(array, None, ["C"]) for array in arrays]
    )
    return results[0] if len(results) == 1 else tuple(results)


def check_graph(function: str, graph: Any) -> None:
    """A Graph, and nothing else, is what ``function`` takes."""
    if not isinstance(graph, Graph):
        raise TypeError(
            f"{function} takes a Graph (GraphBuilder.build(), needle.parse(), "
            f"needle.quantize()), got {type(graph).__name__}"
        )


def bind_inputs(signature: Signature, inputs: Any) -> list[Any]:
    """Order what a user gives for the inputs: an array, several, or by name."""
    specs = signature.inputs
    if isinstance(inputs, Mapping):
        names = [spec.name for spec in specs]
        if set(inputs) != set(names):
            raise TypeError(
                f"the inputs are {listed(names)}, got {listed(inputs) or 'none'}"
            )
        return [inputs[name] for name in names]
    given = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    if len(given) != len(specs):
        raise TypeError(
            f"{signature.name}() takes {len(specs)} inputs "
            f"({listed(spec.name for spec in specs)}), got {len(given)}"
        )
    return given


def listed(names: Any) -> str:
    """Names, quoted, for a message."""
    return ", ".join(map(repr, names))
