# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tutorial for notebooks runs from top to bottom and shows what it says."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import notebooks
import pytest

NOTEBOOK = notebooks.TUTORIALS / "train-and-quantize.ipynb"


@pytest.fixture(scope="module")
def executed() -> Any:
    return notebooks.execute(NOTEBOOK)


@pytest.fixture(scope="module")
def printed(executed: Any) -> str:
    return "".join(map(notebooks.text_of, notebooks.code_cells(executed)))


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
    notebooks.check_plots(executed, 5)


def test_is_stored_without_outputs() -> None:
    notebooks.check_stored_without_outputs(NOTEBOOK)


def test_names_files_that_exist() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    text = "".join(cell.source for cell in notebook.cells)
    named = re.findall(r"`(docs/[\w./-]+)`", text)
    assert len(named) >= 3
    for name in named:
        assert (notebooks.ROOT / name).is_file(), name
