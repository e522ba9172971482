# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tracing and compiling functions of Tensors: what :func:`needle.jit` is made of."""

from needle._jit._function import CacheInfo, Compiled, jit

__all__ = ["CacheInfo", "Compiled", "jit"]
