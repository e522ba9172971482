# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The quantization notebook runs from top to bottom and prints what it should."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest

with warnings.catch_warnings():
    # Of libraries between a notebook and its kernel.
    warnings.simplefilter("ignore")
    from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "tutorials" / "quantization_demo.ipynb"

# What the text of one cell contains, in the order of the cells.
KNOWN = [
    ["Shape: (5, 4)", "Dtype: float32"],
    [
        "[176 130 187 251]",
        "Dtype: uint8",
        "Quantization Scale: 0.013696",
        "Quantization Zero Point: 140",
    ],
    ["Max Error: 0.005282", "Mean Error: 0.002388", "RMS Error: 0.002887"],
    ["Matrix A shape: (100, 50)", "Matrix B shape: (50, 80)"],
    ["Result shape: (100, 80)"],
    ["A dtype: uint8, scale: 0.057827", "B dtype: uint8, scale: 0.060813"],
    ["Result dtype: float32", "Relative Error: 1.18%"],
    ["Dtype: float32"],
    ["Dtype: uint8", "Max error: 0.006656"],
    ["Network created with 2 linear layers"],
    ["Output shape: (8, 5)", "1.2193", "0.0614", "2.4881"],
    ["FC1 quantized: True", "FC2 quantized: True"],
    ["Max Error: 0.025245", "Mean Error: 0.008181"],
    ["UInt8:    0.95 MB", "Reduction: 4.00x"],
    ["Quantization error scales proportionally"],
]


@pytest.fixture(scope="module")
def executed() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT)}},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return client.execute()


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _text(cell: Any) -> str:
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def test_known_values(executed: Any) -> None:
    cells = iter(_code_cells(executed))
    for parts in KNOWN:
        for cell in cells:
            if all(part in _text(cell) for part in parts):
                break
        else:
            texts = "\n---\n".join(map(_text, _code_cells(executed)))
            pytest.fail(f"no cell prints {parts}:\n{texts}")


def test_plots_are_drawn(executed: Any) -> None:
    plots = [
        output.data["image/png"]
        for cell in _code_cells(executed)
        for output in cell.outputs
        if output.output_type == "display_data" and "image/png" in output.data
    ]
    assert len(plots) == 2
    assert all(len(plot) > 5000 for plot in plots)


def test_is_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in _code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
