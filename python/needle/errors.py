# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can go wrong, as exceptions."""


class NeedleError(Exception):
    """Base of the errors that needle defines."""


class CompileError(NeedleError, ValueError):
    """A program is wrong or cannot be compiled.

    The message has one line for each error, preceded by its source location.
    """


class ArtifactError(NeedleError, RuntimeError):
    """An artifact is truncated, damaged, of another version or for another CPU."""


class TraceError(NeedleError, RuntimeError):
    """A function does what :func:`needle.jit` cannot compile.

    The message names the line of the function.
    """
