# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of arrays share: devices, random views, all operations."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from needle import backend_ndarray as nd

Array = npt.NDArray[Any]

#: Devices whose arrays can be computed with here.
DEVICES = [device for device in nd.all_devices() if device.enabled()]

#: Units in the last place of results; 0 stands for equal bits. The expansions of
#: needle (lib/Conversion/ExpandMath.h) state 1, 1, 2 and 1; sigmoid adds two
#: roundings to exp. NumPy states 4 for its own float32 functions.
ULPS = {"exp": 1, "log": 1, "tanh": 2, "power": 1, "sigmoid": 3}
NUMPY_ULPS = 4


def strides_of(array: Array) -> tuple[int, ...]:
    """In elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def random_array(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.normal(size=shape).astype(np.float32)


def random_views(
    rng: np.random.Generator, array: nd.NDArray, count: int
) -> tuple[nd.NDArray, Array]:
    """Some views one after the other, of an array and of NumPy's view of it."""
    mirror = array.device.to_numpy(
        array._handle, array.shape, array.strides, array.offset
    )
    for _ in range(count):
        step = rng.choice(["slice", "permute", "reshape", "broadcast", "new axis"])
        if step == "slice":
            array, mirror = _slice(rng, array, mirror)
        elif step == "permute":
            axes = tuple(int(a) for a in rng.permutation(array.ndim))
            array, mirror = array.permute(axes), mirror.transpose(axes)
        elif step == "reshape" and mirror.flags.c_contiguous:
            split = _factor(rng, array.shape)
            array, mirror = array.reshape(split), mirror.reshape(split)
        elif step == "broadcast" and array.size <= 4096 and array.ndim < 6:
            shape = (int(rng.integers(1, 4)), *array.shape)
            array, mirror = array.broadcast_to(shape), np.broadcast_to(mirror, shape)
        elif step == "new axis" and array.ndim < 8:
            index: list[Any] = [slice(None)] * array.ndim
            index.insert(int(rng.integers(0, array.ndim + 1)), None)
            array, mirror = array[tuple(index)], mirror[(*index, ...)]
    return array, mirror


def _slice(
    rng: np.random.Generator, array: nd.NDArray, mirror: Array
) -> tuple[nd.NDArray, Array]:
    index: list[Any] = []
    same: list[slice] = []
    for extent in array.shape:
        kind = rng.integers(0, 4)
        start, stop = sorted(int(v) for v in rng.integers(-extent - 1, extent + 2, 2))
        if kind == 0 and extent > 0:
            at = int(rng.integers(-extent, extent))
            index.append(at)
            # Integers keep their dimension.
            same.append(slice(at, at + 1 or None))
        elif kind == 1:
            index.append(slice(start, stop, int(rng.integers(1, 4))))
            same.append(index[-1])
        else:
            index.append(slice(None))
            same.append(slice(None))
    # The ellipsis keeps a view of what has no dimensions.
    return array[tuple(index)], mirror[(*same, ...)]


def _factor(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same number of elements in other extents."""
    size = int(np.prod(shape))
    if size == 0:
        return tuple(int(n) for n in rng.permutation(shape))
    extents = []
    while size > 1:
        divisors = [n for n in range(2, size + 1) if size % n == 0]
        extents.append(int(rng.choice(divisors[:4])))
        size //= extents[-1]
    return tuple(int(n) for n in rng.permutation([*extents, 1]))


def products(device: nd.Device, name: str) -> int:
    """How many products a contraction kernel has computed, packed or direct."""
    launches = device.launches() if device == nd.cpu() else {}
    return launches.get(name, 0) + launches.get(f"{name}.direct", 0)


def view_of(
    rng: np.random.Generator, shape: tuple[int, ...], device: nd.Device
) -> tuple[nd.NDArray, Array]:
    """An array of a shape, a view of another half of the time, and its values."""
    if rng.integers(0, 2):
        values = random_array(rng, shape)
        return nd.array(values, device=device), values
    axes = tuple(int(a) for a in rng.permutation(len(shape)))
    larger = [0] * len(shape)
    for place, axis in enumerate(axes):
        larger[place] = shape[axis] * 2 + 1
    values = random_array(rng, tuple(larger))
    index = tuple(slice(1, 2 * shape[axis], 2) for axis in axes)
    back = tuple(int(a) for a in np.argsort(axes))
    array = nd.array(values, device=device)[index].permute(back)
    return array, values[index].transpose(back)


# ---------------------------------------------------------------------------
# All operations
# ---------------------------------------------------------------------------

UNARY: dict[str, Callable[[Any], Any]] = {
    "negate": lambda x: -x,
    "abs": lambda x: abs(x),
    "sqrt": lambda x: nd.sqrt(x) if isinstance(x, nd.NDArray) else np.sqrt(x),
    "exp": lambda x: nd.exp(x) if isinstance(x, nd.NDArray) else np.exp(x),
    "log": lambda x: nd.log(x) if isinstance(x, nd.NDArray) else np.log(x),
    "tanh": lambda x: nd.tanh(x) if isinstance(x, nd.NDArray) else np.tanh(x),
    "relu": lambda x: nd.relu(x) if isinstance(x, nd.NDArray) else np.maximum(x, 0),
    "sigmoid": lambda x: (
        nd.sigmoid(x) if isinstance(x, nd.NDArray) else 1 / (1 + np.exp(-x))
    ),
}

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "power": lambda a, b: abs(a) ** b,
    "maximum": lambda a, b: _either(nd.maximum, np.maximum, a, b),
    "minimum": lambda a, b: _either(nd.minimum, np.minimum, a, b),
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def _either(ours: Any, numpys: Any, a: Any, b: Any) -> Any:
    if isinstance(a, nd.NDArray):
        return ours(a, b)
    if isinstance(b, nd.NDArray):
        return ours(b, a)
    return numpys(a, b)


REDUCTIONS = ("sum", "max", "min")

#: Shapes of both operands.
SHAPES = [
    ((), ()),
    ((7,), (7,)),
    ((5, 1), (1, 33)),
    ((2, 3, 17), (3, 17)),
    ((4, 1, 3, 1, 5), (2, 1, 7, 1)),
    ((0, 3), (1, 3)),
    ((2, 2, 2, 2, 2, 2), (2, 1, 2, 1, 2, 1)),
    ((300, 301), (300, 301)),
]
NUMBERS = (2.0, -0.75, 3)


def compute_all(device: nd.Device, seed: int) -> dict[str, Array]:
    """Every operation on random views of every shape, by its name."""
    results: dict[str, Array] = {}
    for number, (left, right) in enumerate(SHAPES):
        rng = np.random.default_rng([seed, number])
        a, _ = view_of(rng, left, device)
        b, _ = view_of(rng, right, device)
        for name, operation in UNARY.items():
            results[f"{name}/{number}"] = operation(a).numpy()
        for name, function in BINARY.items():
            results[f"{name}/{number}"] = function(a, b).numpy()
            for at, value in enumerate(NUMBERS):
                results[f"{name}/{number}/right {at}"] = function(a, value).numpy()
                results[f"{name}/{number}/left {at}"] = function(value, a).numpy()
        for name in REDUCTIONS:
            for axis in (None, *range(a.ndim)):
                extents = a.shape if axis is None else (a.shape[axis],)
                if name == "sum" or 0 not in extents:
                    reduced = getattr(a, name)(axis=axis)
                    results[f"{name}/{number}/{axis}"] = reduced.numpy()
        results[f"quantize/{number}"] = a.quantize_uint8().numpy()
        results[f"dequantize/{number}"] = a.quantize_uint8().dequantize().numpy()
        results[f"compact/{number}"] = a.compact().numpy()
    for number, (left, right) in enumerate(
        [((3, 5), (5, 7)), ((64, 70), (70, 33)), ((2, 1, 4, 9), (3, 9, 6))]
    ):
        rng = np.random.default_rng([seed, 1000 + number])
        a, _ = view_of(rng, left, device)
        b, _ = view_of(rng, right, device)
        results[f"matmul/{number}"] = (a @ b).numpy()
        quantized = a.quantize_uint8() @ b.quantize_uint8()
        results[f"quantized matmul/{number}"] = quantized.numpy()
    return results


if __name__ == "__main__":
    # python arrays.py SEED FILE: what another instruction set computes.
    np.savez(sys.argv[2], **compute_all(nd.cpu(), int(sys.argv[1])))
    print(nd.cpu().isa(), *sorted(nd.cpu().launches()))
