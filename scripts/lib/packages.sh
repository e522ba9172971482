# Debian packages: which are needed, which are missing, how they are installed.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash

# Compilers, build tools and the libraries that needle links.
readonly BUILD_PACKAGES=(
  ccache clang-22 clang-format-22 clang-tidy-22 cmake g++ git libclang-rt-22-dev
  libcli11-dev libgtest-dev libxxhash-dev libzstd-dev lld-22
  ninja-build nlohmann-json3-dev zlib1g-dev
)
# To build the runtime for AArch64 and run its tests on another machine.
readonly EMULATION_PACKAGES=(g++-aarch64-linux-gnu googletest qemu-user)
# Debian's MLIR and LLVM; not needed where MLIR_DIR names another.
readonly MLIR_PACKAGES=(libmlir-22-dev llvm-22-dev llvm-22-tools mlir-22-tools)
# Set by choose_base_python when the machine's Python lacks venv or headers.
PYTHON_PACKAGES=()

# The commands behind the packages above, to look for where there is no dpkg.
readonly BUILD_COMMANDS=(clang-22 clang++-22 clang-format-22 clang-tidy-22 cmake git ld.lld-22 ninja)

# missing_packages: sets the array `missing`.
missing_packages() {
  local -a wanted=("${BUILD_PACKAGES[@]}" "${PYTHON_PACKAGES[@]}")
  if [[ "$(uname -m)" != aarch64 ]]; then wanted+=("${EMULATION_PACKAGES[@]}"); fi
  if [[ -z "${MLIR_DIR:-}" ]]; then wanted+=("${MLIR_PACKAGES[@]}"); fi
  missing=()
  if ! command -v dpkg-query >/dev/null; then
    missing_commands
    return
  fi
  local package status
  local -A installed=()
  # dpkg-query fails as soon as one package is unknown; what it prints counts.
  while read -r package status; do
    if [[ "$status" == "install ok installed" ]]; then installed[$package]=1; fi
  done < <(dpkg-query -W -f '${Package} ${Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    if [[ -z "${installed[$package]:-}" ]]; then missing+=("$package"); fi
  done
}

# Elsewhere than on Debian nothing can be installed, only looked for.
missing_commands() {
  local -a absent=()
  local name
  for name in "${BUILD_COMMANDS[@]}"; do
    if ! command -v "$name" >/dev/null; then absent+=("$name"); fi
  done
  if [[ ! -f "$(mlir_dir)/MLIRConfig.cmake" ]]; then absent+=("MLIR 22 (set MLIR_DIR)"); fi
  if ((${#absent[@]})); then
    die "this is not a Debian system, and these are missing: $(join_by ', ' "${absent[@]}")" \
      "Install them by this system's own means, then run the command again."
  fi
}

join_by() {
  local separator="$1" result="${2:-}"
  shift 2
  local item
  for item in "$@"; do result+="$separator$item"; done
  printf '%s' "$result"
}

is_root() { ((EUID == 0)); }

# install_packages LOG: installs `missing`, or says what to run and ends.
install_packages() {
  local log="$1"
  local command="apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  local -a as_root=()
  if ! is_root; then
    if ! sudo -n true 2>/dev/null; then
      die "needle needs Debian packages that are missing, and installing them takes root:" \
        "${missing[*]}" "Run as root:" "  $command" "then run this script again."
    fi
    as_root=(sudo -n)
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
  # An unreachable third-party source fails the update and need not matter;
  # whether the packages can be had is asked next.
  "${apt[@]}" update >"$log" 2>&1 || true
  local -a unknown=()
  local package
  for package in "${missing[@]}"; do
    if [[ -z "$(apt-cache madison "$package" 2>/dev/null)" ]]; then unknown+=("$package"); fi
  done
  if ((${#unknown[@]})); then
    grep -E '^(E|W|Err)' "$log" | head -n 3 >&2 || true
    die "the package sources of this machine do not have: ${unknown[*]}" \
      "needle is built on Debian 12 with its suites bookworm and bookworm-security" \
      "(MLIR, LLVM and clang 22 come from the latter). Check the network and the" \
      "sources in /etc/apt, then run:" "  $command" \
      "apt's output is in build/setup.log"
  fi
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    grep -E '^(E|W):' "$log" | tail -n 8 >&2 || true
    die "apt-get could not install (its words above, all of them in build/setup.log):" \
      "${missing[*]}" "Check the network, then run as root:" "  $command"
  fi
}
