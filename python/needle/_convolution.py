# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions of the graph builder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from needle._arguments import check_integer

if TYPE_CHECKING:
    from needle.builder import Operand, Value

#: For height and width, what is put before and after.
Padding = Sequence[Sequence[int]]


class Convolutions(ABC):
    """Methods of :class:`needle.GraphBuilder` on images, N×H×W×C."""

    @abstractmethod
    def _apply(
        self,
        mnemonic: str,
        operands: tuple[Operand, ...],
        attributes: str = "",
        name: str | None = None,
    ) -> Value: ...

    def conv2d(
        self,
        x: Operand,
        w: Operand,
        *,
        strides: Sequence[int] = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilations: Sequence[int] = (1, 1),
        groups: int = 1,
        name: str | None = None,
    ) -> Value:
        """Convolve images ``x`` (N×H×W×C) with ``w`` (KH×KW×C/groups×O).

        The filter is not mirrored. A bias is added by :meth:`add`, which
        compiling makes part of the convolution.

        Parameters
        ----------
        x, w
            Images and filter. ``w`` of PyTorch and ONNX is O×C/groups×KH×KW:
            ``w.transpose(2, 3, 1, 0)``.
        strides
            Rows and columns from one window to the next.
        padding
            Zeros put around an image: ((top, bottom), (left, right)).
        dilations
            Rows and columns between neighbouring elements of the kernel.
        groups
            C and O are divided into so many groups of neighbours, each
            convolved by itself; C of them make it depthwise.
        name
            As in the other methods.
        """
        attributes = (
            f"{{strides = {_pair('strides', strides)}, "
            f"padding = {_padding(padding)}, "
            f"dilations = {_pair('dilations', dilations)}, "
            f"groups = {check_integer('groups', groups, 1, _MOST)} : i64}}"
        )
        return self._apply("conv2d", (x, w), attributes, name=name)

    def conv_transpose2d(
        self,
        x: Operand,
        w: Operand,
        *,
        strides: Sequence[int] = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        output_padding: Sequence[int] = (0, 0),
        name: str | None = None,
    ) -> Value:
        """Spread each pixel of ``x`` (N×H×W×C), weighted by ``w`` (KH×KW×C×O).

        The result has (H - 1) * stride + KH rows, less the padding, plus the
        output padding. The filter is not mirrored; that of PyTorch and ONNX is
        C×O×KH×KW: ``w.transpose(2, 3, 0, 1)``.

        Parameters
        ----------
        x, w
            Images and filter.
        strides
            Rows and columns of the result from one pixel of ``x`` to the next.
        padding
            Rows and columns cut off the result: ((top, bottom), (left, right)).
        output_padding
            Rows added at the bottom and columns on the right, fewer than the
            stride.
        name
            As in the other methods.
        """
        attributes = (
            f"{{strides = {_pair('strides', strides)}, "
            f"padding = {_padding(padding)}, "
            f"output_padding = {_pair('output_padding', output_padding, 0)}}}"
        )
        return self._apply("conv_transpose2d", (x, w), attributes, name=name)


#: As large as attributes of a convolution may be.
_MOST = 2**31 - 1


def _integers(what: str, values: Any, least: int) -> list[int]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(f"{what} has two integers, got {values!r}")
    if len(values) != 2:
        raise ValueError(f"{what} has two integers, got {values!r}")
    return [
        check_integer(f"a value of {what}", value, least, _MOST) for value in values
    ]


def _pair(what: str, values: Sequence[int], least: int = 1) -> str:
    """An attribute for height and width."""
    height, width = _integers(what, values, least)
    return f"array<i64: {height}, {width}>"


def _padding(padding: Any) -> str:
    """The attribute of ((top, bottom), (left, right))."""
    if not isinstance(padding, Sequence) or len(padding) != 2:
        raise ValueError(f"padding is ((top, bottom), (left, right)), got {padding!r}")
    vertical, horizontal = (_integers("padding", side, 0) for side in padding)
    return f"array<i64: {', '.join(map(str, vertical + horizontal))}>"
