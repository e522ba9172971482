"""The two halves of scripts/update-lock that read and write files.

``lock.py requirements PYPROJECT`` prints what the project and all its extras
need; ``lock.py freeze REPORT`` turns pip's report into exact versions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEADER = """\
# Exact versions of everything that scripts/setup puts into the project's virtual
# environment. Resolved with the oldest supported Python (3.10), so that every
# later one finds wheels too. scripts/update-lock writes this file.
"""


def requirements(pyproject: Path) -> list[str]:
    """Requirements of the build, the package and its extras, without itself."""
    data = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = data["project"]
    wanted = [*data["build-system"]["requires"], *project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    own = re.compile(rf"^{re.escape(project['name'])}\b")
    return sorted({line for line in wanted if not own.match(line)})


def freeze(report: Path) -> str:
    """The lock file's text."""
    pins = {
        re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower(): item["metadata"][
            "version"
        ]
        for item in json.loads(report.read_text(encoding="utf-8"))["install"]
    }
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    return HEADER + "".join(lines)


if __name__ == "__main__":
    action, path = sys.argv[1], Path(sys.argv[2])
    if action == "requirements":
        print("\n".join(requirements(path)))
    else:
        sys.stdout.write(freeze(path))
