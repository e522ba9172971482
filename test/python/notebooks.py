# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running the notebooks of the documentation, and looking at what they show."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat

with warnings.catch_warnings():
    # Of libraries between a notebook and its kernel.
    warnings.simplefilter("ignore")
    from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"


def execute(path: Path) -> Any:
    """The notebook after a run from top to bottom, from the repository's root."""
    client = NotebookClient(
        nbformat.read(path, as_version=4),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT)}},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return client.execute()


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell: Any) -> str:
    """What a cell printed."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def check_plots(notebook: Any, count: int) -> None:
    """So many plots were drawn, and none is an empty picture."""
    plots = [
        output.data["image/png"]
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "display_data" and "image/png" in output.data
    ]
    assert len(plots) == count
    assert all(len(plot) > 5000 for plot in plots)


def check_stored_without_outputs(path: Path) -> None:
    for cell in code_cells(nbformat.read(path, as_version=4)):
        assert cell.outputs == []
        assert cell.execution_count is None
