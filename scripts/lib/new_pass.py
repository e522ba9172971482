"""Lays out a new pass: its source, Passes.td entry, CMake line and test.

What it writes builds and passes its test; the pattern in it is an example to be
replaced. Nothing is written if any part of it would be overwritten.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EPILOG = """\
example:
  scripts/new-pass Dialect/Needle/Transforms DropNegation "Drop negations under abs"
"""

SOURCE = """\
{headline}
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// {summary}.
//
//===----------------------------------------------------------------------===//

#include "needle/{room}/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "needle/Dialect/Needle/IR/Needle.h"

namespace {namespace} {{
#define GEN_PASS_DEF_{macro}
#include "needle/{room}/Passes.h.inc"
}} // namespace {namespace}

using namespace mlir;
using namespace needle;

namespace {{

/// %n = needle.neg %x
/// %y = needle.abs %n
///   →
/// %y = needle.abs %x
struct AbsOfNeg : OpRewritePattern<AbsOp> {{
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AbsOp op,
                                PatternRewriter &rewriter) const override {{
    auto neg = op.getOperand().getDefiningOp<NegOp>();
    if (!neg)
      return rewriter.notifyMatchFailure(op, "operand is not a negation");
    rewriter.modifyOpInPlace(op, [&] {{ op->setOperand(0, neg.getOperand()); }});
    return success();
  }}
}};

struct {name} : {namespace}::impl::{name}Base<{name}> {{
  void runOnOperation() override {{
    RewritePatternSet patterns(&getContext());
    patterns.add<AbsOfNeg>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }}
}};

}} // namespace
"""

ENTRY = """\
def {name} : Pass<"{argument}"> {{
  let summary = "{summary}";
  let description = [{{
    {summary}.

    ```mlir
    // before
    %n = needle.neg %x : tensor<?xf32> -> tensor<?xf32>
    %y = needle.abs %n : tensor<?xf32> -> tensor<?xf32>
    // after
    %y = needle.abs %x : tensor<?xf32> -> tensor<?xf32>
    ```
  }}];
}}

"""

TEST = """\
// {summary}.
// RUN: needle-opt %s --{argument} --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @applies
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>
// CHECK-NEXT: %[[Y:.*]] = needle.abs %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @applies(%x: tensor<?xf32>) -> tensor<?xf32> {{
  %n = needle.neg %x : tensor<?xf32> -> tensor<?xf32>
  %y = needle.abs %n : tensor<?xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}}

// -----

// CHECK-LABEL: func.func @does_not_apply
// CHECK: %[[S:.*]] = needle.sqrt
// CHECK: needle.abs %[[S]]
func.func @does_not_apply(%x: tensor<?xf32>) -> tensor<?xf32> {{
  %s = needle.sqrt %x : tensor<?xf32> -> tensor<?xf32>
  %y = needle.abs %s : tensor<?xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}}
"""

NEXT = """\
Next:
  1. Describe the pass in include/needle/{room}/Passes.td: what it does, the
     IR before and after, its options.
  2. Write its patterns in {source}.
  3. Build and test it:
       scripts/build needle-opt
       build/release/bin/needle-opt {test} --{argument}
       .venv/bin/lit -v build/release/test --filter {test_name}
  4. If it belongs to a pipeline, add it in lib/Pipelines and say why there."""


class UsageError(Exception):
    """What the caller asked for can't be done."""


@dataclass(frozen=True)
class Room:
    """A folder of passes, and how things are named in it."""

    root: Path
    path: str

    @property
    def definitions(self) -> Path:
        """Passes.td."""
        return self.root / "include" / "needle" / self.path / "Passes.td"

    @property
    def header(self) -> Path:
        """Passes.h."""
        return self.definitions.with_name("Passes.h")

    @property
    def cmake(self) -> Path:
        """The file that lists the room's sources."""
        return self.root / "lib" / self.path / "CMakeLists.txt"

    def source(self, name: str) -> Path:
        """The source file of a pass."""
        return self.root / "lib" / self.path / f"{name}.cpp"

    def check(self) -> None:
        """Raise UsageError where this is no folder of passes."""
        for file in (self.definitions, self.header, self.cmake):
            if not file.is_file():
                found = sorted(
                    str(other.parent.relative_to(self.root / "include" / "needle"))
                    for other in (self.root / "include" / "needle").rglob("Passes.td")
                )
                raise UsageError(
                    f"'{self.path}' is no folder of passes: there is no "
                    f"{file.relative_to(self.root)}\n  Folders of passes: "
                    + ", ".join(found)
                )

    def namespace(self) -> str:
        """The C++ namespace of the room's passes."""
        found = re.search(r"^namespace ([\w:]+)", self.header.read_text(), re.MULTILINE)
        if found is None:
            raise UsageError(f"{self.header} declares no namespace")
        return found[1]

    def pass_name(self, name: str) -> str:
        """The definition's name, with the prefix and suffix that all here have."""
        others = re.findall(r"^def (\w+)\s*:", self.definitions.read_text(), re.M)
        if others and all(other.endswith("Pass") for other in others):
            name += "Pass"
        if others and all(other.startswith("CPU") for other in others):
            name = "CPU" + name
        return name


def kebab(name: str) -> str:
    """HTTPFooBar → http-foo-bar, TileConv2D → tile-conv2d."""
    boundary = (
        r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    )
    return re.sub(boundary, "-", name).lower()


def headline(file: str, summary: str) -> str:
    """The first line of a source file, 80 columns wide where that is possible."""
    text = f"//===- {file} - {summary} "
    return text + "-" * max(80 - len(text) - len("===//"), 1) + "===//"


def with_entry(definitions: Path, entry: str) -> str:
    """Passes.td with an entry added at its end."""
    text = definitions.read_text()
    guard = text.rfind("#endif")
    if guard < 0:
        raise UsageError(f"{definitions} has no closing #endif")
    return text[:guard] + entry + text[guard:]


def with_source(cmake: Path, source: str) -> str:
    """CMakeLists.txt with a source added, in order, to the room's library."""
    text = cmake.read_text()
    call = re.search(r"needle_add_library\(\w+((?:\s+[\w/]+\.cpp)+)", text)
    if call is None:
        raise UsageError(f"{cmake} has no needle_add_library with sources")
    sources = sorted([*call[1].split(), source], key=str.lower)
    return text[: call.start(1)] + "\n  " + "\n  ".join(sources) + text[call.end(1) :]


def plan(room: Room, name: str, summary: str) -> tuple[dict[Path, str], str]:
    """Every file to write with its text, and what to tell the caller."""
    room.check()
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        raise UsageError(f"'{name}' is no CamelCase name, such as DropNegation")
    summary = summary.strip().removesuffix(".")
    if not summary or re.search(r'["\\\n]', summary):
        raise UsageError("the summary is one sentence without quotes or backslashes")
    name = name.removesuffix("Pass")
    namespace = room.namespace()
    # MLIR's custom: a conversion is named by what it converts alone.
    prefix = "" if name.startswith("Convert") else namespace.replace("::", "-") + "-"
    argument = prefix + kebab(name)
    definition = room.pass_name(name)
    source = room.source(name)
    test = room.root / "test" / room.path / f"{kebab(name)}.mlir"
    for file in (source, test):
        if file.exists():
            raise UsageError(f"{file.relative_to(room.root)} exists already")
    if f'"{argument}"' in room.definitions.read_text():
        raise UsageError(f"{room.definitions} has a pass {argument} already")
    words = {
        "headline": headline(source.name, summary),
        "summary": summary,
        "room": room.path,
        "namespace": namespace,
        "name": definition,
        "macro": definition.upper(),
        "argument": argument,
        "source": str(source.relative_to(room.root)),
        "test": str(test.relative_to(room.root)),
        "test_name": test.name,
    }
    files = {
        source: format_source(SOURCE.format(**words)),
        test: TEST.format(**words),
        room.definitions: with_entry(room.definitions, ENTRY.format(**words)),
        room.cmake: with_source(room.cmake, source.name),
    }
    return files, NEXT.format(**words)


def format_source(text: str) -> str:
    """The text as clang-format leaves it, where that is installed."""
    tool = shutil.which("clang-format-22")
    if tool is None:
        return text
    style = Path(__file__).resolve().parents[2] / ".clang-format"
    done = subprocess.run(
        [tool, f"--style=file:{style}", "--assume-filename=Pass.cpp"],
        input=text,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout


def main() -> int:
    """Lay out the pass that the command line names."""
    parser = argparse.ArgumentParser(
        prog="scripts/new-pass",
        description=__doc__.split("\n\n")[0] if __doc__ else None,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("room", help="folder of passes below include/needle and lib")
    parser.add_argument("name", help="CamelCase name of the pass")
    parser.add_argument("summary", help="what it does, in one sentence")
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).resolve().parents[2],
        help="the source tree (default: the one with this script)",
    )
    arguments = parser.parse_args()
    room = Room(arguments.root.resolve(), arguments.room.strip("/"))
    try:
        files, following = plan(room, arguments.name, arguments.summary)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, text in files.items():
        existed = path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print("changed" if existed else "created", path.relative_to(room.root))
    print(following)
    return 0


if __name__ == "__main__":
    sys.exit(main())
