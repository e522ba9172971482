# What every script here starts from: paths, messages, the environment of builds.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash

ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
readonly ROOT

# The preset that the scripts build; CMakePresets.json lists them.
PRESET="${NEEDLE_PRESET:-release}"
BUILD="$ROOT/build/$PRESET"
LLVM_PREFIX=/usr/lib/llvm-22

# An active virtual environment is the user's choice; otherwise the project's own.
VENV="${VIRTUAL_ENV:-$ROOT/.venv}"
PYTHON="$VENV/bin/python"

say() { printf '==> %s\n' "$*" >&2; }

# die MESSAGE...: one message, each argument a line of it; ends the script.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  if (($#)); then printf '  %s\n' "$@" >&2; fi
  exit 1
}

# The folder with MLIRConfig.cmake: the caller's, or Debian's.
mlir_dir() { printf '%s' "${MLIR_DIR:-$LLVM_PREFIX/lib/cmake/mlir}"; }

# run_setup: makes sure that all is in place, and exports what builds need.
run_setup() {
  "$ROOT/scripts/setup" --quiet
  export PATH="$VENV/bin:$PATH"
  # Precompiled headers and clones in other folders share one cache.
  export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"
  export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$ROOT}"
  export CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
}

# configure PRESET: runs CMake where this preset is not yet configured for the
# present Python, MLIR and presets file; Ninja sees to later changes of ours.
configure() {
  local preset="$1" build="$ROOT/build/$1" key
  local -a options=(
    "-DMLIR_DIR=$(mlir_dir)"
    "-DPython_EXECUTABLE=$PYTHON"
    "-DPython3_EXECUTABLE=$PYTHON"
  )
  if ! command -v ccache >/dev/null; then
    options+=(-DCMAKE_C_COMPILER_LAUNCHER= -DCMAKE_CXX_COMPILER_LAUNCHER=)
  fi
  key="$(sha256sum "$ROOT/CMakePresets.json") ${options[*]}"
  if [[ -f "$build/build.ninja" && -f "$build/.configured" &&
    "$(<"$build/.configured")" == "$key" ]]; then
    return
  fi
  say "Configuring build/$preset"
  mkdir -p "$build"
  (cd "$ROOT" && cmake --preset "$preset" "${options[@]}") >"$build/configure.log" 2>&1 || {
    tail -n 25 "$build/configure.log" >&2
    die "CMake could not configure the preset '$preset' (see above)" \
      "The whole output is in build/$preset/configure.log"
  }
  printf '%s\n' "$key" >"$build/.configured"
}
