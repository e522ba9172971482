# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts instructions in the innermost loops of AArch64 assembly.

Reads assembly from standard input and prints for each block that branches to its own
beginning, and that has one of the mnemonics given as arguments, how often it has each
(``smlal2`` counts as ``smlal``), and how many instructions access the stack.
"""

import re
import sys


def main() -> None:
    mnemonics = sys.argv[1:]
    function, label, block = "", "", []
    for line in sys.stdin:
        line = line.split("//")[0].rstrip()
        if match := re.match(r'^(\.L\w+|"?[\w.\-]+"?):', line):
            label, block = match[1].strip('"'), []
            if not label.startswith(".L"):
                function = label
            continue
        block.append(line.strip())
        if not re.search(rf"\bb\.\w+\s+{re.escape(label)}$", line):
            continue
        names = [words[0].rstrip("2") for one in block if (words := one.split())]
        counts = {name: names.count(name) for name in mnemonics}
        if any(counts.values()):
            stack = sum("[sp" in one for one in block)
            found = " ".join(f"{count} {name}" for name, count in counts.items())
            print(f"{function}: {found} stack {stack}")


if __name__ == "__main__":
    main()
