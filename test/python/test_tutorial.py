# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tutorial for notebooks runs from top to bottom and shows what it says."""

from __future__ import annotations

import re
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
NOTEBOOK = ROOT / "docs" / "tutorials" / "train-and-quantize.ipynb"


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def executed() -> Any:
    client = NotebookClient(
        nbformat.read(NOTEBOOK, as_version=4),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT)}},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return client.execute()


@pytest.fixture(scope="module")
def printed(executed: Any) -> str:
    return "".join(
        output.text
        for cell in code_cells(executed)
        for output in cell.outputs
        if output.output_type == "stream"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[[11. 22. 33.]\n [14. 25. 36.]]",
        "[[0. 0. 1.]\n [1. 1. 1.]]",
        "odd: shape (3, 2), strides (4, 2), offset 1",
        "turned: shape (4, 3), strides (1, 4), offset 0",
        "same memory: True",
        "[[ 0.  0.  2.  0.]\n [ 4.  0.  6.  0.]\n [ 8.  0. 10.  0.]]",
        "cpu_numpy()\nValueError: the operands are on two devices",
        "all devices: [cpu(), cuda(), cpu_numpy()]",
        "x³ at 2: first derivative 12.0 second 12.0",
        "equal, bit for bit: True",
        "CacheInfo(hits=79, misses=1",
        "steps for",
        "matmul_f32",
    ],
)
def test_prints_what_it_explains(printed: str, text: str) -> None:
    assert text in printed


def number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in\n{text}"
    return float(match[1].replace(",", ""))


def test_numbers_are_those_of_a_network_that_works(printed: str) -> None:
    assert number(r"difference to the formula: (\S+)", printed) < 1e-6
    # Half a step, and the rounding of a quotient of up to 255 and of a product.
    assert number(r"largest error (\S+) of half a step", printed) <= 1.001
    in_bits, in_float = (
        float(share)
        for share in re.findall(r"right on (\S+)%, in float (\S+)%", printed)[0]
    )
    assert min(in_bits, in_float) > 91
    assert number(r"both say the same of (\S+)%", printed) > 99
    assert number(r"after: (\S+) times less", printed) > 3.8
    assert number(r"one more epoch: (\S+)", printed) < 0.05


def test_draws_its_plots(executed: Any) -> None:
    plots = [
        output.data["image/png"]
        for cell in code_cells(executed)
        for output in cell.outputs
        if output.output_type == "display_data" and "image/png" in output.data
    ]
    assert len(plots) == 5
    assert all(len(plot) > 5000 for plot in plots)


def test_is_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_names_files_that_exist() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    text = "".join(cell.source for cell in notebook.cells)
    named = re.findall(r"`(docs/[\w./-]+)`", text)
    assert len(named) >= 3
    for name in named:
        assert (ROOT / name).is_file(), name
