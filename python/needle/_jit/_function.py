# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions that are traced, compiled and cached."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any, NamedTuple, overload

from needle import autograd, cache
from needle._arguments import check_flag
from needle._jit._arguments import Arguments
from needle._jit._program import Program
from needle.backend_selection import BACKEND
from needle.compiler import compile as compile_graph
from needle.executable import Executable, check_threads
from needle.graph import Graph

#: Most programs that a function keeps.
_MOST_PROGRAMS = 64
#: One function is traced at a time.
_tracing = threading.RLock()


class CacheInfo(NamedTuple):
    """How calls of a compiled function were answered.

    Attributes
    ----------
    hits
        Calls that ran a program that was there.
    misses
        How often the function was traced.
    programs
        How many programs it keeps.
    """

    hits: int
    misses: int
    programs: int


class Compiled:
    """A function that runs as compiled code; see :func:`needle.jit`."""

    def __init__(
        self,
        function: Callable[..., Any],
        target: str | Sequence[str] | None,
        threads: int | None,
        grads: bool | None,
    ) -> None:
        self._jit_function = function
        self._target = target
        self._threads = threads
        self._keep_grads = grads
        self._name = getattr(function, "__qualname__", type(function).__qualname__)
        self._programs: dict[Any, list[Program]] = {}
        self._hits = 0
        self._misses = 0
        self._lock = threading.RLock()
        functools.update_wrapper(self, function, updated=())

    def __repr__(self) -> str:
        return f"<needle.jit of {self._name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has programs of its own.
        settings = self._target, self._threads, self._keep_grads
        return Compiled, (self._jit_function, *settings)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        tracer = autograd.TRACER
        if tracer is not None and tracer.is_here:
            # Part of what is being traced.
            return self._jit_function(*args, **kwargs)
        with self._lock:
            arguments = Arguments(args, kwargs)
            same = self._programs.get(arguments.key, [])
            for index, program in enumerate(same):
                if program.executable is not None and program.guard.holds():
                    is_done, result = program.run(arguments)
                    if is_done:
                        self._hits += 1
                        if index:
                            # The next call is most likely like this one.
                            same.insert(0, same.pop(index))
                        return result
            program = self._trace(arguments, args, kwargs)
            self._compile(program)
            is_done, result = program.run(arguments)
            if not is_done:
                raise RuntimeError(
                    f"{self._name} changed what it was compiled for while it was traced"
                )
            return result

    # -- Looking inside ------------------------------------------------------

    def lower(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph for these arguments; nothing runs.

        Raises
        ------
        TraceError
            As for a call.
        """
        return self._find(args, kwargs).graph

    def executable(self, *args: Any, **kwargs: Any) -> Executable:
        """The compiled program for these arguments; nothing runs.

        Its inputs are the arrays among the arguments and what else the function
        reads, such as parameters.

        Raises
        ------
        TraceError, CompileError
            As for a call.
        """
        return self._compile(self._find(args, kwargs))

    def cache_info(self) -> CacheInfo:
        """How often the function was traced, and how often not."""
        with self._lock:
            count = sum(map(len, self._programs.values()))
            return CacheInfo(self._hits, self._misses, count)

    def cache_clear(self) -> None:
        """Forget all programs."""
        with self._lock:
            self._programs.clear()
            self._hits = self._misses = 0

    # -- Inside --------------------------------------------------------------

    def _find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Program:
        with self._lock:
            arguments = Arguments(args, kwargs)
            for program in self._programs.get(arguments.key, ()):
                if program.guard.holds():
                    return program
            return self._trace(arguments, args, kwargs)

    def _trace(
        self, arguments: Arguments, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Program:
        with _tracing:
            program = Program(
                self._jit_function, self._name, args, kwargs, self._keep_grads
            )
        self._misses += 1
        same = self._programs.setdefault(arguments.key, [])
        same.insert(0, program)
        if sum(map(len, self._programs.values())) > _MOST_PROGRAMS:
            self._evict()
        return program

    def _evict(self) -> None:
        """Drop the oldest program."""
        key = next(iter(self._programs))
        self._programs[key].pop()
        if not self._programs[key]:
            del self._programs[key]

    def _compile(self, program: Program) -> Executable:
        if program.executable is None:
            target = self._target
            if target is None:
                target = cache.isa_choice() or "host"
            program.executable = compile_graph(program.graph, target, self._threads)
        return program.executable


@overload
def jit(
    function: Callable[..., Any],
    *,
    target: str | Sequence[str] | None = None,
    threads: int | None = None,
    grads: bool | None = None,
) -> Compiled: ...
@overload
def jit(
    function: None = None,
    *,
    target: str | Sequence[str] | None = None,
    threads: int | None = None,
    grads: bool | None = None,
) -> Callable[[Callable[..., Any]], Compiled]: ...
def jit(
    function: Callable[..., Any] | None = None,
    *,
    target: str | Sequence[str] | None = None,
    threads: int | None = None,
    grads: bool | None = None,
) -> Compiled | Callable[[Callable[..., Any]], Compiled]:
    """Compile a function of Tensors when it is called; also a decorator.

    The first call traces the function: it runs once with Tensors that have no
    values, and the operations are compiled to one program, whose lines are those of
    the function. Later calls only run the program. What is computed may be a
    prediction, or a loss, its gradients and the step of an optimizer::

        @ndl.jit
        def train_step(x, y):
            optimizer.reset_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    Tensors that the function reaches, through arguments or otherwise, such as the
    parameters of modules and the state of optimizers, are read anew in each call and
    changed as the function would change them. Calls run one after the other.

    A function is traced again for arguments of another structure, shape or
    quantization, for another value of an argument that is no Tensor, when a module
    it reaches changed (``train()`` and ``eval()``, another layer), and when a
    number, text or function that it names has another value.

    Parameters
    ----------
    function
        A function, method or module. Arguments are Tensors and NDArrays, nested
        in lists, tuples and dictionaries; modules, optimizers and Parameters; and
        hashable values, for each of which it is compiled. It returns such values,
        too; Tensors that it returns require no gradient.
    target
        What to make code for, as in :func:`needle.compile`; by default the
        environment variable ``NEEDLE_ISA`` or the best for this CPU.
    threads
        As in :func:`needle.compile`.
    grads
        Whether ``backward()`` in the function leaves ``grad`` of the Tensors that
        it reaches, as it does in eager mode. By default it does, unless an
        optimizer made a step in the function: then they have none afterwards.

    Returns
    -------
    A function of the same arguments, with these methods: ``cache_info()``,
    ``cache_clear()``, and, with arguments, ``lower()`` (the :class:`Graph`) and
    ``executable()`` (the :class:`Executable`).

    Raises
    ------
    TraceError
        If the function, when it is called, needs values while it is traced
        (``numpy()``, ``float()``, ``if`` on data), draws random numbers, or changes
        variables, lists, dictionaries, sets or attributes that it reaches, which a
        program cannot do again. Everything is as it was before then.
    CompileError
        If its operations do not fit together.
    RuntimeError
        If Tensors are made of NumPy arrays (``NEEDLE_BACKEND=np``).

    Notes
    -----
    The elements of NumPy arrays are those of the time of tracing, as is what is
    computed of NDArrays that are in no Tensor: another array in the place of one is
    noticed, other elements are not. Neither are other values of attributes of
    classes, and effects on these, on NumPy arrays, on files, and on objects of
    Python's and other libraries. Of what a function reaches, the first 10,000
    objects are looked at, and containers of more than 1000 elements or in more than
    8 others count as long as they are the same objects: give large data as
    arguments. Tensors and parameters are inputs in all cases. A Tensor that was
    reached only from inside a library is not looked for again when something else
    takes its place.

    Tensors that the function reaches have no values while it is traced: another
    thread that uses them at that moment gets a TraceError. Make the first call
    before threads share a model.
    """
    if grads is not None:
        check_flag("grads", grads)
    check_threads(threads)
    if BACKEND != "nd":
        raise RuntimeError(
            f"ndl.jit compiles for needle's own arrays, but NEEDLE_BACKEND is {BACKEND}"
        )
    if function is None:
        return lambda function: Compiled(function, target, threads, grads)
    if not callable(function):
        raise TypeError(f"jit takes a function, got {type(function).__name__}")
    return Compiled(function, target, threads, grads)
