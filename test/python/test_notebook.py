# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The quantization notebook runs from top to bottom and prints what it should.

It asks for a CUDA device; here it gets the simulated one.
"""

from __future__ import annotations

from typing import Any

import notebooks
import pytest

NOTEBOOK = notebooks.TUTORIALS / "quantization_demo.ipynb"

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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEEDLE_CUDA_DRIVER", "sim")
        return notebooks.execute(NOTEBOOK)


def test_known_values(executed: Any) -> None:
    cells = iter(notebooks.code_cells(executed))
    for parts in KNOWN:
        for cell in cells:
            if all(part in notebooks.text_of(cell) for part in parts):
                break
        else:
            printed = map(notebooks.text_of, notebooks.code_cells(executed))
            texts = "\n---\n".join(printed)
            pytest.fail(f"no cell prints {parts}:\n{texts}")


def test_plots_are_drawn(executed: Any) -> None:
    notebooks.check_plots(executed, 2)


def test_is_stored_without_outputs() -> None:
    notebooks.check_stored_without_outputs(NOTEBOOK)
