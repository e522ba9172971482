# The virtual environment: which Python makes it, whether it is current.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash

readonly LOCK="$ROOT/requirements-ci.lock"

# Is $1 a Python of at least 3.10 with the headers that an extension needs?
python_has_headers() {
  "$1" - 2>/dev/null <<'PY'
import os, sys, sysconfig
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not (sys.version_info >= (3, 10) and os.path.exists(header)))
PY
}

# choose_base_python: sets BASE_PYTHON, and PYTHON_PACKAGES where Debian's
# Python has to be completed first.
choose_base_python() {
  BASE_PYTHON=""
  if [[ -n "${VIRTUAL_ENV:-}" ]]; then
    if [[ ! -x "$PYTHON" ]]; then
      die "VIRTUAL_ENV is set to '$VIRTUAL_ENV', which has no bin/python" \
        "Activate another virtual environment, or unset VIRTUAL_ENV to use the project's own."
    fi
    if ! python_has_headers "$PYTHON"; then
      die "the active virtual environment '$VIRTUAL_ENV' can't build needle's extension" \
        "It has $("$PYTHON" --version 2>&1); needed is Python 3.10 or later with its headers" \
        "(Debian's python3-dev for Debian's Python). Deactivate it to use the project's own."
    fi
    return
  fi
  if venv_is_current; then return; fi
  local candidate
  candidate="$(command -v python3 || true)"
  if [[ -n "$candidate" ]] && python_has_headers "$candidate" &&
    "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
    BASE_PYTHON="$candidate"
  else
    BASE_PYTHON=/usr/bin/python3
    PYTHON_PACKAGES=(python3 python3-dev python3-venv)
  fi
}

# What the environment was made from: a change of either makes it anew.
venv_stamp() {
  sha256sum <"$LOCK"
  "$PYTHON" -c 'import sys; print(sys.version)'
}

venv_is_current() {
  [[ -x "$PYTHON" && -f "$VENV/.needle-lock" ]] &&
    [[ "$(<"$VENV/.needle-lock")" == "$(venv_stamp 2>/dev/null)" ]]
}

# make_venv LOG: makes $VENV where it is missing and installs the lock there.
make_venv() {
  local log="$1"
  if [[ -z "${VIRTUAL_ENV:-}" ]] && ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
    if ! python_has_headers "$BASE_PYTHON"; then
      die "no Python 3.10 or later with its headers was found" \
        "$BASE_PYTHON is $("$BASE_PYTHON" --version 2>&1). Put a newer python3 first on PATH."
    fi
    say "Making the virtual environment .venv with $("$BASE_PYTHON" --version)"
    rm -rf -- "$VENV"
    "$BASE_PYTHON" -m venv "$VENV" >>"$log" 2>&1 || {
      tail -n 5 "$log" >&2
      die "$BASE_PYTHON could not make the virtual environment $VENV (its words above)" \
        "Command: $BASE_PYTHON -m venv $VENV"
    }
  fi
  if ! "$PYTHON" -m pip --version >/dev/null 2>&1 &&
    ! "$PYTHON" -m ensurepip >>"$log" 2>&1; then
    die "the virtual environment $VENV has no pip, and it can't be added" \
      "Command: $PYTHON -m ensurepip"
  fi
  say "Installing the Python packages of requirements-ci.lock into $VENV"
  local -a install=("$PYTHON" -m pip install --disable-pip-version-check --no-input -r "$LOCK")
  if ! "${install[@]}" >>"$log" 2>&1; then
    grep -E '^ERROR' "$log" | tail -n 5 >&2 || true
    die "pip could not install the Python packages (its words above, all in build/setup.log)" \
      "Check the network, then run:" "  ${install[*]}"
  fi
  venv_stamp >"$VENV/.needle-lock"
}
