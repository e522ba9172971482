# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is contracted: matrix products, convolutions, products with 4-bit weights.

Every shape tells the extents of its operands and its result, how many
multiply-accumulates it takes, and how many products each result adds up.
"""

from __future__ import annotations

from dataclasses import dataclass

Extents = tuple[int, ...]
#: Bytes of one element of the left operand, the right one, the result.
ElementBytes = tuple[float, float, float]


def product_of(extents: Extents) -> int:
    """The number of elements."""
    count = 1
    for extent in extents:
        count *= extent
    return count


class Contraction:
    """What the shapes have in common."""

    @property
    def lhs_shape(self) -> Extents:
        """Of the left operand: activations."""
        raise NotImplementedError

    @property
    def rhs_shape(self) -> Extents:
        """Of the right operand: weights, with the channels of the result last."""
        raise NotImplementedError

    @property
    def dest_shape(self) -> Extents:
        """Of the result."""
        raise NotImplementedError

    @property
    def depth(self) -> int:
        """Products that a result adds up, at most."""
        raise NotImplementedError

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return product_of(self.dest_shape) * self.depth

    @property
    def channels(self) -> int:
        """Columns of the result, each with its own weights."""
        return self.rhs_shape[-1]

    def footprint(self, element: ElementBytes) -> int:
        """Bytes of operands and result: what has to move at least once."""
        shapes = (self.lhs_shape, self.rhs_shape, self.dest_shape)
        sizes = zip(shapes, element, strict=True)
        return int(sum(product_of(shape) * size for shape, size in sizes))


@dataclass(frozen=True)
class Shape(Contraction):
    """``batch`` products of m×k by k×n."""

    m: int
    k: int
    n: int
    batch: int = 1

    def __str__(self) -> str:
        text = f"{self.m}×{self.k}×{self.n}"
        return text if self.batch == 1 else f"{self.batch}×[{text}]"

    @property
    def _batch(self) -> Extents:
        return (self.batch,) if self.batch > 1 else ()

    @property
    def lhs_shape(self) -> Extents:
        """See the base."""
        return (*self._batch, self.m, self.k)

    @property
    def rhs_shape(self) -> Extents:
        """See the base."""
        return (*self._batch, self.k, self.n)

    @property
    def dest_shape(self) -> Extents:
        """See the base."""
        return (*self._batch, self.m, self.n)

    @property
    def depth(self) -> int:
        """See the base."""
        return self.k

    @property
    def is_large(self) -> bool:
        """Whether every extent is at least 512."""
        return min(self.m, self.k, self.n) >= 512


@dataclass(frozen=True)
class Convolution(Contraction):
    """A square image of ``size``², ``channels_in`` → ``channels_out``.

    Padding keeps the extent where the stride is 1; a transposed one has none, and
    its stride is its extent. Images are NHWC, weights
    [height][width][channels_in / groups][channels_out].
    """

    extent: int
    stride: int
    channels_in: int
    channels_out: int
    size: int
    groups: int = 1
    transposed: bool = False

    def __str__(self) -> str:
        kind = f"{self.extent}×{self.extent}"
        if self.stride > 1:
            kind += f"/{self.stride}"
        if self.transposed:
            kind = f"transposed {kind}"
        elif self.is_depthwise:
            return f"depthwise {kind} {self.channels_in} at {self.size}²"
        elif self.groups > 1:
            kind = f"{self.groups} groups {kind}"
        return f"{kind} {self.channels_in}→{self.channels_out} at {self.size}²"

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel is convolved on its own."""
        return self.groups == self.channels_in

    @property
    def padding(self) -> int:
        """Zeros at each edge of the image."""
        return 0 if self.transposed else self.extent // 2

    @property
    def lhs_shape(self) -> Extents:
        """See the base."""
        return (1, self.size, self.size, self.channels_in)

    @property
    def rhs_shape(self) -> Extents:
        """See the base."""
        channels = self.channels_in // self.groups
        return (self.extent, self.extent, channels, self.channels_out)

    @property
    def dest_shape(self) -> Extents:
        """See the base."""
        if self.transposed:
            size = self.size * self.stride
        else:
            size = (self.size + 2 * self.padding - self.extent) // self.stride + 1
        return (1, size, size, self.channels_out)

    @property
    def depth(self) -> int:
        """See the base."""
        if self.transposed:
            return self.channels_in
        return self.extent * self.extent * self.channels_in // self.groups


@dataclass(frozen=True)
class Blockwise(Contraction):
    """A product of m×k by k×n weights of 4 bits, with a scale for each block of k.

    Weights are in ±7, or in 0…15 with a zero point for each block.
    """

    m: int
    k: int
    n: int
    block: int
    symmetric: bool

    def __str__(self) -> str:
        kind = "symmetric" if self.symmetric else "asymmetric"
        return f"{self.m}×{self.k}×{self.n} block {self.block} {kind}"

    @property
    def lhs_shape(self) -> Extents:
        """See the base."""
        return (self.m, self.k)

    @property
    def rhs_shape(self) -> Extents:
        """See the base."""
        return (self.k, self.n)

    @property
    def dest_shape(self) -> Extents:
        """See the base."""
        return (self.m, self.n)

    @property
    def depth(self) -> int:
        """See the base."""
        return self.k

    @property
    def blocks(self) -> int:
        """Along k."""
        return -(-self.k // self.block)

    def footprint(self, element: ElementBytes) -> int:
        """With a float32 scale of each block, and half a byte of zero point."""
        parameters = self.blocks * self.n * (4 if self.symmetric else 4.5)
        return super().footprint(element) + int(parameters)
