# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The extension as a file: what it exports, needs and costs to import."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from needle import _needle

EXTENSION = Path(str(_needle.__file__))
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def symbols(kind: str) -> list[str]:
    nm = shutil.which("nm") or shutil.which("llvm-nm-22")
    assert nm, "the binutils of the build are there"
    command = [nm, "-D", kind, str(EXTENSION)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split()[-1] for line in lines.splitlines()]


def test_exports_its_initialization_alone() -> None:
    assert symbols("--defined-only") == ["PyInit__needle"]


def test_needs_no_llvm_and_no_cxx_library() -> None:
    foreign = [
        name
        for name in symbols("--undefined-only")
        if not name.startswith(("Py", "_Py", "ZSTD_"))
        and "@GLIBC" not in name
        and name.split("@")[0]
        not in {
            "_ITM_deregisterTMCloneTable",
            "_ITM_registerTMCloneTable",
            "__gmon_start__",
            "compress2",
            "compressBound",
            "crc32",
            "uncompress",
        }
    ]
    assert foreign == []


def test_lies_in_the_package() -> None:
    import needle

    assert EXTENSION.parent == Path(str(needle.__file__)).parent


def run_python(code: str, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT | (variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


COMPILE = (
    "import graphs; "
    "assert needle.compile(graphs.make_relu())(graphs.data(3)).shape == (3,); "
)


@pytest.mark.parametrize("first", ["needle", "onnxruntime"])
def test_beside_onnxruntime(first: str) -> None:
    """Both bring their own runtime; either order of import works."""
    pytest.importorskip("onnxruntime")
    second = "onnxruntime" if first == "needle" else "needle"
    run_python(f"import {first}, {second}; {COMPILE}")


def test_import_is_light(tmp_path: Path) -> None:
    """Nothing that a program might not need; its time is printed, not judged."""
    heavy = ["rich", "hypothesis", "matplotlib", "sklearn", "onnx", "torch", "pandas"]
    heavy += ["dataclasses", "numpy.typing"]
    heavy += [f"needle.{name}" for name in ("_jit", "builder", "compiler", "graph")]
    code = (
        "import numpy, sys, time; before = set(sys.modules); t = time.perf_counter(); "
        "import needle; t = time.perf_counter() - t; "
        f"assert not set({heavy}) & (set(sys.modules) - before); print(1e3 * t)"
    )
    # Bytecode is there, as it is where a package was installed.
    bytecode = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    times = [float(run_python(code, bytecode)) for _ in range(4)]
    assert list(tmp_path.rglob("autograd.*.pyc"))
    size = EXTENSION.stat().st_size / 2**20
    print(f"import: {min(times):.0f} ms beyond NumPy; extension {size:.0f} MiB")


#: Methods with underscores that a stub has to name where a class defines them.
OPERATORS = {
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul")
    for prefix in ("", "r")
}
OPERATORS |= {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "neg")}
OPERATORS |= {"__abs__", "__call__", "__getitem__", "__len__", "__setitem__"}


def test_stub_names_what_is_there() -> None:
    """The types that mypy sees are those of the built extension."""
    tree = ast.parse(EXTENSION.with_name("_needle.pyi").read_text())

    def names(body: list[ast.stmt]) -> set[str]:
        kinds = (ast.FunctionDef, ast.ClassDef)
        named = {node.name for node in body if isinstance(node, kinds)}
        return named - {"__init__"}

    def public(value: object) -> set[str]:
        members = {name for name in vars(value) if not name.startswith("__")}
        return members | (OPERATORS & set(vars(value)))

    assert names(tree.body) == public(_needle)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert names(node.body) == public(getattr(_needle, node.name)), node.name


def test_versions_agree() -> None:
    import needle

    assert needle.__version__ == _needle.version() == _needle.runtime_version()


def test_docstrings_are_true() -> None:
    """The examples in docstrings give what they say."""
    import doctest

    import needle.builder

    failed, tried = doctest.testmod(needle.builder)
    assert tried > 0
    assert failed == 0


def test_everything_public_is_documented() -> None:
    import inspect

    import needle

    missing = []
    for name in needle.__all__:
        value = getattr(needle, name)
        if not inspect.getdoc(value):
            missing.append(name)
        if inspect.isclass(value):
            missing += [
                f"{name}.{member}"
                for member, attribute in vars(value).items()
                if not member.startswith("_")
                and (callable(attribute) or isinstance(attribute, property))
                and not inspect.getdoc(attribute)
            ]
    assert missing == []
