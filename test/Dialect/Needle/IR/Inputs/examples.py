"""Make functions of the examples in a generated operation reference.

Reads the reference (Markdown) and prints MLIR: for each operation in an example a
function whose arguments are its operands. Fails if an operation has no example.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SECTION = re.compile(r"^### `(needle\.\w+)`.*?(?=^### |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^```mlir\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Operands with their types beside them: `bias(%b : tensor<4xf32>)`.
GROUP = re.compile(r"\w+\((%\w+(?:, %\w+)*) : ([^()]*)\)")


def split_types(text: str) -> list[str]:
    """Split at commas outside of brackets."""
    types, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<{") - (character in ">}")
        if character == "," and depth == 0:
            types.append(text[start:position].strip())
            start = position + 1
    return [*types, text[start:].strip()] if text.strip() else []


def arguments(operation: str) -> dict[str, str]:
    """Return the operands of an operation in text, with their types."""
    found: dict[str, str] = {}
    for names, types in GROUP.findall(operation):
        found |= zip(names.split(", "), split_types(types), strict=True)
    body = GROUP.sub("", operation.split("=", 1)[1])
    head, _, tail = body.partition(" : ")
    operands = re.findall(r"%\w+", head.split("{")[0])
    if operands:
        # An attribute may hold " : " as well; the types follow the last of them.
        types = body.rsplit(" : ", 1)[1] if " : " in tail else tail
        found |= zip(operands, split_types(types.split(" -> ")[0]), strict=True)
    return found


def main() -> None:
    """Print the functions of the reference named on the command line."""
    reference = Path(sys.argv[1]).read_text(encoding="utf-8")
    count = 0
    for section in SECTION.finditer(reference):
        text = "\n".join(EXAMPLE.findall(section[0]))
        if f"{section[1]} " not in text:
            sys.exit(f"{section[1]} has no example")
        for statement in re.split(r"^(?=%)", text, flags=re.MULTILINE)[1:]:
            operation = " ".join(statement.split())
            inputs = ", ".join(f"{n}: {t}" for n, t in arguments(operation).items())
            print(f"func.func @example{count}({inputs}) {{\n  {operation}")
            print("  return\n}")
            count += 1
    if count == 0:
        sys.exit("no examples found")


if __name__ == "__main__":
    main()
