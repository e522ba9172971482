# Configuration of the lit suites: test formats, substitutions and tools.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `config` and `lit_config` are defined by lit.
# mypy: ignore-errors
# ruff: noqa: F821

import os

import lit.formats

config.name = "needle"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs", "python", "unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.needle_test_exec_root

# Tests see needle's tools and LLVM's test tools, nothing of the user's set-up.
tool_dirs = [config.needle_tools_dir, config.llvm_tools_dir]
path = os.pathsep.join([*tool_dirs, config.environment.get("PATH", "")])
config.environment["PATH"] = path
config.substitutions.append(("%python", f'"{config.python_executable}"'))
config.substitutions.append(("%needle_src_root", config.needle_src_root))
config.substitutions.append(("%needle_build_dir", config.needle_build_dir))
config.substitutions.append(("%mlir_include", config.mlir_include_dir))
config.substitutions.append(("%clang", config.c_compiler))

# A tool that was not built must fail its tests with a clear message, not with
# "command not found" somewhere in a pipe.
for tool in ("needle-opt", "FileCheck", "not", "count", "split-file"):
    if lit.util.which(tool, path) is None:
        lit_config.fatal(f"'{tool}' is in none of {tool_dirs}: build it first")
