# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference of the Python package describes everything public, and wholly."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import needle as ndl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import api_reference  # noqa: E402
from docstrings import problems  # noqa: E402
from public_api import collect, public_modules, public_names  # noqa: E402


@pytest.fixture(scope="module")
def page() -> str:
    return api_reference.render(ndl)


def test_every_docstring_is_complete() -> None:
    assert problems(collect(ndl)) == []


def test_every_public_name_appears(page: str) -> None:
    modules = public_modules(ndl)
    assert {"needle.ops", "needle.nn", "needle.optim", "needle.init"} <= {
        module.__name__ for module in modules
    }
    for module in modules:
        section = page.split(f"\n## `{module.__name__}`\n")[1].split("\n## `")[0]
        for name in public_names(module):
            assert f"\n| [`{name}`](#" in section, f"{module.__name__}.{name}"


def test_every_object_is_described_once_and_links_lead_there(page: str) -> None:
    anchors = re.findall(r'<a id="([^"]+)">', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors)
    for path in (
        "needle.backend_ndarray.NDArray.reshape",
        "needle.autograd.Tensor.backward",
        "needle.nn.Linear.quantize_weights",
        "needle.ops.matmul",
        "needle.optim.Adam.step",
        "needle.Executable.save",
    ):
        assert path in anchors


def test_signatures_and_sections_are_shown(page: str) -> None:
    entry = page.split('<a id="needle.nn.Linear"></a>')[1].split("<a id=")[0]
    assert "Linear(in_features: int, out_features: int, bias: bool = True" in entry
    assert "**Parameters**" in entry
    assert re.search(r"- `in_features, out_features` \(int\): The last", entry)
    assert ":meth:" not in page
    assert ":class:" not in page


def source(text: str) -> types.ModuleType:
    """A module called needle.made with this source."""
    module = types.ModuleType("needle.made", "Made up. It says what shared is.")
    exec(text, module.__dict__)
    return module


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def f(): pass", "needle.made.f: no docstring"),
        ("def f(): 'No sentence'", "needle.made.f: its first paragraph is no sentence"),
        ("class C: pass", "needle.made.C: no docstring"),
        (
            "class C:\n  'Good.'\n  def m(self): pass",
            "needle.made.C.m: no docstring",
        ),
        ("class C:\n  'Good.'\n  size = 3", "says nothing of its attribute size"),
        (
            "def f(a, b, c): 'About a and b.'",
            "needle.made.f: says nothing of the parameters c",
        ),
        (
            'def f(a):\n  """With a.\n\n  Parameters\n  ----------\n  b : int\n  """',
            "needle.made.f: describes b, which it does not take",
        ),
        (
            'def f(a):\n  """Good.\n\n  Parameters\n  ----------\n  """',
            "needle.made.f: says nothing of the parameters a",
        ),
        (
            'def f():\n  """Good.\n\n  Result\n  ------\n  int\n  """',
            "needle.made.f: unknown sections Result",
        ),
        (
            'def f():\n  """Good.\n\n  Raises\n  ------\n  E\n\n  Returns\n  -------\n'
            '  int\n  """',
            "needle.made.f: sections in another order",
        ),
    ],
)
def test_what_a_docstring_lacks_is_noticed(text: str, problem: str) -> None:
    found = problems(collect(source(text)))
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "def f(a, b): 'The sum of both.'",
        "def f(a, b, shared): 'About a and b.'",
        "class C:\n  'A size.'\n  size = 3",
        "class C:\n  'Good.'\n  def m(self): 'Good.'\n"
        "class D(C):\n  'Good.'\n  def m(self): pass",
    ],
)
def test_what_is_complete_passes(text: str) -> None:
    assert problems(collect(source(text))) == []


def test_the_program_lists_what_lacks_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "docs" / "python.md"
    monkeypatch.setattr(sys, "argv", ["api_reference", str(target)])
    monkeypatch.setattr(
        api_reference, "problems", lambda entries: ["x.y: no docstring"]
    )
    assert api_reference.main() == 1
    assert "x.y: no docstring" in capsys.readouterr().err
    assert not target.exists()
    monkeypatch.setattr(api_reference, "problems", lambda entries: [])
    assert api_reference.main() == 0
    assert target.read_text(encoding="utf-8").startswith("# Reference")
