# Builds the runtime for AArch64 on another machine, with Debian's cross compiler:
#   cmake -S runtime -B build/runtime-aarch64 -G Ninja
#     --toolchain ../cmake/toolchains/aarch64-linux-gnu.cmake
# Tests run under QEMU's user-mode emulation, on the CPU that QEMU_CPU names.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
