"""scripts/new-pass lays out a pass that builds, and never overwrites anything.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NEEDLE_BUILD_DIR", ROOT / "build" / "release"))
ROOMS = ["Dialect/Needle/Transforms", "Codegen/CPU", "Conversion"]
SUMMARY = "Drop negations under abs"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the scaffold reads and writes."""
    for folder in ("include/needle", "lib"):
        shutil.copytree(
            ROOT / folder,
            tmp_path / folder,
            ignore=lambda _, names: [n for n in names if n.endswith(".cpp")],
        )
    return tmp_path


def new_pass(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "new-pass", "--root", tree, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def files(tree: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in tree.rglob("*") if path.is_file()}


def test_writes_all_parts(tree: Path) -> None:
    before = files(tree)
    done = new_pass(tree, "Dialect/Needle/Transforms", "DropNegation", SUMMARY + ".")
    assert done.returncode == 0, done.stderr
    assert "needle-opt" in done.stdout
    after = files(tree)
    changed = {
        str(path.relative_to(tree)) for path in after if after[path] != before.get(path)
    }
    assert changed == {
        "include/needle/Dialect/Needle/Transforms/Passes.td",
        "lib/Dialect/Needle/Transforms/CMakeLists.txt",
        "lib/Dialect/Needle/Transforms/DropNegation.cpp",
        "test/Dialect/Needle/Transforms/drop-negation.mlir",
    }
    room = "Dialect/Needle/Transforms"
    definitions = (tree / "include/needle" / room / "Passes.td").read_text()
    assert 'def DropNegationPass : Pass<"needle-drop-negation"> {' in definitions
    assert definitions.rstrip().endswith("#endif // " + definitions.split()[-1])
    source = (tree / "lib" / room / "DropNegation.cpp").read_text()
    assert "#define GEN_PASS_DEF_DROPNEGATIONPASS\n" in source
    assert source.splitlines()[0].startswith(f"//===- DropNegation.cpp - {SUMMARY} -")
    cmake = (tree / "lib" / room / "CMakeLists.txt").read_text()
    names = [word for word in cmake.split() if word.endswith(".cpp")]
    assert "DropNegation.cpp" in names
    assert names == sorted(names, key=str.lower)


def mlir_prefix() -> Path:
    """Where the MLIR lies that the build found."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    found = re.search(r"^MLIR_DIR:\w+=(.*)$", cache, re.MULTILINE)
    assert found is not None
    return Path(found[1]).parents[2]


@pytest.mark.parametrize("room", ROOMS)
def test_what_it_writes_compiles(tree: Path, room: str) -> None:
    done = new_pass(tree, room, "DropNegation", SUMMARY)
    assert done.returncode == 0, done.stderr
    source = tree / "lib" / room / "DropNegation.cpp"
    generated = tree / "generated" / "needle" / room
    generated.mkdir(parents=True)
    mlir = mlir_prefix()
    output = generated / "Passes.h.inc"
    subprocess.run(
        [
            mlir / "bin/mlir-tblgen",
            "-gen-pass-decls",
            "-name=Room",
            f"-I{mlir / 'include'}",
            tree / "include/needle" / room / "Passes.td",
            "-o",
            output,
        ],
        check=True,
    )
    database = json.loads((BUILD / "compile_commands.json").read_text())
    model = next(
        entry for entry in database if f"/lib/{room}/" in Path(entry["file"]).as_posix()
    )
    command = shlex.split(model["command"])
    while Path(command[0]).name == "ccache":
        command = command[1:]
    command[command.index("-o") :] = ["-fsyntax-only", str(source)]
    command[1:1] = [f"-I{tree / 'generated'}"]
    subprocess.run(command, cwd=model["directory"], check=True)
    style = f"--style=file:{ROOT}/.clang-format"
    subprocess.run(
        ["clang-format-22", "--dry-run", "-Werror", style, source], check=True
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Dialect/Nothing", "DropNegation", SUMMARY), "is no folder of passes"),
        (("Codegen/CPU", "drop_negation", SUMMARY), "is no CamelCase name"),
        (("Codegen/CPU", "DropNegation", ""), "the summary is one sentence"),
        (("Codegen/CPU", "DropNegation", 'a "b"'), "the summary is one sentence"),
    ],
)
def test_bad_arguments(tree: Path, arguments: tuple[str, ...], message: str) -> None:
    before = files(tree)
    done = new_pass(tree, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert files(tree) == before


def test_second_time_is_refused(tree: Path) -> None:
    arguments = ("Dialect/Needle/Transforms", "DropNegation", SUMMARY)
    assert new_pass(tree, *arguments).returncode == 0
    before = files(tree)
    done = new_pass(tree, *arguments)
    assert done.returncode == 1
    assert "lib/Dialect/Needle/Transforms/DropNegation.cpp exists" in done.stderr
    assert files(tree) == before


@pytest.mark.parametrize(
    ("room", "name", "argument"),
    [
        ("Dialect/Needle/Transforms", "FoldHTTPPass", "needle-fold-http"),
        ("Codegen/CPU", "TileConv2D", "needle-cpu-tile-conv2d"),
        ("Conversion", "ConvertNeedleToGPU", "convert-needle-to-gpu"),
    ],
)
def test_arguments_follow_the_room(
    tree: Path, room: str, name: str, argument: str
) -> None:
    assert new_pass(tree, room, name, SUMMARY).returncode == 0
    assert f'"{argument}"' in (tree / "include/needle" / room / "Passes.td").read_text()


def test_existing_pass_argument_is_refused(tree: Path) -> None:
    done = new_pass(tree, "Dialect/Needle/Transforms", "FuseEpilogue", SUMMARY)
    assert done.returncode == 1
    assert "has a pass needle-fuse-epilogue already" in done.stderr
