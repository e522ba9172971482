# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Why targets are missed: the beginning of a row's key → what is known."""

_SVML = "NumPy's is vectorized for AVX-512"
_STRIPS = (
    "needle goes down columns strip by strip, through a page for each line, and NumPy "
    "streams whole rows into the result; as many elements in one strip of 64 columns "
    "take needle half the time"
)

REASONS: dict[str, str] = {
    "elementwise: exp(a)": _SVML,
    "elementwise: log(p)": _SVML,
    "elementwise: tanh(a)": _SVML,
    "elementwise: p ** a": f"{_SVML}; powers are computed in float64, to 1 ulp",
    "elementwise: a > b": (
        "NumPy writes bytes; needle writes float32, as its comparisons give numbers"
    ),
    "reduction: sum axis 0, large": _STRIPS,
    "reduction: max axis 0, large": _STRIPS,
    "@ float32: 1×1024×1024": (
        "the right-hand side is packed, which one row cannot make up for"
    ),
}
