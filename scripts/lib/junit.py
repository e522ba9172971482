"""Reads and writes the JUnit XML that every test runner here speaks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

# Characters that XML 1.0 cannot hold, e.g. the colours in a tool's output.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


@dataclass(frozen=True)
class Case:
    """One test: its name, and what went wrong or why it did not run."""

    name: str
    failure: str | None = None
    skipped: str | None = None


def read(path: Path) -> list[Case]:
    """The cases of a JUnit file; none if it is missing or not XML."""
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError):
        return []
    return [_case(element) for element in root.iter("testcase")]


def _case(element: ET.Element) -> Case:
    group, name = element.get("classname") or "", element.get("name") or "?"
    label = name if not group or group == name else f"{group}: {name}"
    for tag in ("failure", "error"):
        found = element.find(tag)
        if found is not None:
            return Case(label, failure=(found.text or found.get("message") or tag))
    found = element.find("skipped")
    if found is not None:
        return Case(label, skipped=found.get("message") or found.text or "")
    return Case(label)


def write(path: Path, suite: str, cases: list[Case]) -> None:
    """Write the cases as one suite."""
    root = ET.Element("testsuite", name=suite, tests=str(len(cases)))
    for case in cases:
        element = ET.SubElement(root, "testcase", name=case.name)
        if case.failure is not None:
            ET.SubElement(element, "failure").text = _NOT_XML.sub("", case.failure)
        elif case.skipped is not None:
            ET.SubElement(element, "skipped", message=_NOT_XML.sub("", case.skipped))
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
