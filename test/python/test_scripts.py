"""The scripts count what failed, forget nothing, and say what is wrong.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import junit  # noqa: E402
import lint  # noqa: E402
import lock  # noqa: E402
import summary  # noqa: E402

Steps = list[tuple[str, int, list[junit.Case] | None]]


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        cwd="/",
    )


def write_kind(results: Path, name: str, steps: Steps) -> None:
    folder = results / name
    folder.mkdir()
    lines = [f"{step}\t{status}\t1.5\n" for step, status, _ in steps]
    (folder / "steps.tsv").write_text("".join(lines))
    for step, _, cases in steps:
        if cases is not None:
            junit.write(folder / f"{step}.xml", step, cases)


GOOD = junit.Case("good")
BAD = junit.Case("bad", failure="\x1b[31mwrong\x1b[0m")
SKIPPED = junit.Case("skipped", skipped="no such device")


@pytest.mark.parametrize(
    ("steps", "closing", "failures"),
    [
        ([("a", 0, [GOOD, SKIPPED])], "1 passed, 0 failed, 1 skipped", []),
        ([("a", 1, [GOOD, BAD])], "1 passed, 1 failed, 0 skipped", ["bad"]),
        # A runner that breaks down has failed, whatever its results say.
        ([("a", 139, [GOOD])], "1 passed, 1 failed", ["a: exited with status 139"]),
        ([("a", 2, None)], "0 passed, 1 failed", ["a: exited with status 2"]),
        ([("a", 0, None)], "0 passed, 1 failed", ["a: ran no test"]),
        ([("a", 0, [])], "0 passed, 1 failed", ["a: ran no test"]),
        ([], "0 passed, 1 failed", ["kind: did not run"]),
        ([("a", 0, [GOOD]), ("b", 1, [BAD])], "1 passed, 1 failed", ["bad"]),
    ],
)
def test_summary_counts(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    steps: Steps,
    closing: str,
    failures: list[str],
) -> None:
    write_kind(tmp_path, "kind", steps)
    status = summary.main([str(tmp_path), "kind"])
    printed = capsys.readouterr().out
    assert status == int(bool(failures))
    assert printed.splitlines()[-1].startswith(closing)
    for failure in failures:
        assert f"FAILED kind: {failure}" in printed


def test_junit_reads_what_runners_write(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="A" name="b"/>'
        '<testcase name="c"><error message="boom"/></testcase>'
        '<testcase name="d"><skipped message="not here"/></testcase>'
        "</testsuite></testsuites>"
    )
    assert junit.read(path) == [
        junit.Case("A: b"),
        junit.Case("c", failure="boom"),
        junit.Case("d", skipped="not here"),
    ]
    path.write_text("<testsuites><testsuite>")
    assert junit.read(path) == []


def test_license_line_is_asked_for(tmp_path: Path) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text('"""Nothing."""\n')
    found = lint.check_license(bare)
    assert found is not None
    assert "SPDX-License-Identifier" in found
    assert lint.check_license(Path(__file__)) is None


def test_lint_reports_the_output_of_a_failing_tool() -> None:
    assert lint.run("true") is None
    assert lint.run("bash", "-c", "echo found; exit 1") == "found\n"


def test_every_requirement_is_locked() -> None:
    locked = {
        line.split("==")[0]
        for line in (ROOT / "requirements-ci.lock").read_text().splitlines()
        if not line.startswith("#")
    }
    wanted = {
        line.split(">=")[0].lower()
        for line in lock.requirements(ROOT / "pyproject.toml")
    }
    assert wanted <= locked


def test_setup_finds_all_in_place() -> None:
    done = run(ROOT / "scripts" / "setup", "--check", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("MLIR_DIR", "which holds no MLIRConfig.cmake"),
        ("VIRTUAL_ENV", "which has no bin/python"),
    ],
)
def test_setup_names_a_wrong_variable(
    tmp_path: Path, variable: str, message: str
) -> None:
    done = run(ROOT / "scripts" / "setup", **{variable: str(tmp_path)})
    assert done.returncode == 1
    assert f"error: {variable} is set to '{tmp_path}', {message}" in done.stderr


def test_setup_without_root_names_packages_and_command() -> None:
    # A machine on which dpkg knows no package, and a user who is not root.
    command = """
      source scripts/lib/common.sh
      source scripts/lib/packages.sh
      dpkg-query() { return 1; }
      sudo() { return 1; }
      is_root() { return 1; }
      missing_packages
      install_packages /dev/null
    """
    done = run("bash", "-c", f"cd {ROOT}; {command}", MLIR_DIR="")
    assert done.returncode == 1
    assert "installing them takes root" in done.stderr
    assert "apt-get update && apt-get install" in done.stderr
    assert "libmlir-22-dev" in done.stderr


def test_own_mlir_replaces_debians() -> None:
    command = """
      source scripts/lib/common.sh
      source scripts/lib/packages.sh
      dpkg-query() { return 1; }
      missing_packages
      echo "${missing[*]}"
    """
    done = run("bash", "-c", f"cd {ROOT}; {command}", MLIR_DIR="/opt/mlir")
    assert "clang-22" in done.stdout
    assert "mlir-22" not in done.stdout


@pytest.mark.parametrize("script", ["setup", "build", "test", "new-pass"])
def test_scripts_explain_themselves(script: str) -> None:
    shown = run(ROOT / "scripts" / script, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"usage: scripts/{script}")
    wrong = run(ROOT / "scripts" / script, "--no-such-option")
    assert wrong.returncode != 0
    assert f"usage: scripts/{script}" in wrong.stderr


def test_test_command_rejects_an_unknown_kind() -> None:
    done = run(ROOT / "scripts" / "test", "everything")
    assert done.returncode == 1
    assert "unknown kind 'everything'" in done.stderr
