"""The runner of documentation examples fails where an example is wrong.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_blocks import Page, mismatch, parse


def run(tmp_path: Path, text: str) -> int:
    root, folder = tmp_path / "root", tmp_path / "work"
    (root / "sources").mkdir(parents=True)
    (root / "sources" / "seen.txt").write_text("seen\n")
    folder.mkdir()
    (root / "page.md").write_text(text)
    return Page(root / "page.md", root, folder).run()


def test_parse_finds_blocks_and_their_lines() -> None:
    page = "text\n```python\nx = 1\n```\n- item\n  ~~~console\n  $ true\n  ~~~\n"
    first, second = parse(page)
    assert (first.info, first.text, first.line) == ("python", "x = 1\n", 3)
    assert (second.info, second.text, second.line) == ("console", "$ true\n", 7)


def test_parse_rejects_an_open_block() -> None:
    with pytest.raises(ValueError, match="line 2: the code block is never closed"):
        list(parse("text\n```python\nx = 1\n"))


def test_blocks_share_namespace_and_folder(tmp_path: Path) -> None:
    page = """
```text file=words.txt
alpha
beta
```
```python
from pathlib import Path
words = Path("words.txt").read_text().split()
```
```python
print(len(words), "words")
```
```output
2 words
```
```console
$ cat words.txt
alpha
$ false
[exit status 1]
$ printf '%s\\n' \\
  a b c
a
...
c
```
"""
    assert run(tmp_path, page) == 4


def test_sources_are_seen_and_kept_clean(tmp_path: Path) -> None:
    assert run(tmp_path, "```console\n$ cat sources/seen.txt | tee out\nseen\n```") == 1
    assert sorted(p.name for p in (tmp_path / "root").iterdir()) == [
        "page.md",
        "sources",
    ]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("```console\n$ echo a\nb\n```", r"page.md:2: not in the output: b"),
        ("```console\n$ printf 'a\\nb\\n'\nb\na\n```", r"not in the output: a"),
        ("```console\n$ exit 3\n```", r"page.md:2: exit status 3, not 0"),
        ("```console\n$ true\n[exit status 1]\n```", r"exit status 0, not 1"),
        ("```console\necho a\n```", r"begins with '\$ COMMAND'"),
        ("```python\nprint(1)\n```\n```output\n2\n```", r"page.md:5: not printed: 2"),
        ("```sh\nscripts/no-such-script --now\n```", r"no program scripts/no-such"),
    ],
)
def test_wrong_examples_fail(tmp_path: Path, page: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run(tmp_path, page)


def test_python_errors_name_the_page_and_line(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(tmp_path, "one\n\n```python\nx = 0\n1 / x\n```\n")
    last = caught.traceback[-1]
    assert str(last.path).endswith("page.md")
    assert last.lineno + 1 == 5


def test_mismatch_compares_blanks_loosely_and_lines_in_order() -> None:
    output = "module {\n  func.func   @main(%a: i32)\n}\n"
    assert mismatch(["func.func @main(...)", "}"], output) is None
    assert mismatch(["}", "module {"], output) == "module {"
    assert mismatch([], output) is None
