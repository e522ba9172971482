# MLIR and LLVM as static archives, for what must not share them with others.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# The imported targets of MLIR's package lead to LLVM's shared library; the
# archives are found by their place instead.
file(GLOB mlir_archives ${LLVM_LIBRARY_DIR}/libMLIR*.a)
list(FILTER mlir_archives EXCLUDE REGEX "libMLIR(CAPI|.*Test)[^/]*\\.a$")
if(NOT mlir_archives)
  message(FATAL_ERROR "${LLVM_LIBRARY_DIR} has no static libMLIR*.a, which the "
    "Python extension links: install them (Debian: libmlir-22-dev), or configure "
    "with -DNEEDLE_ENABLE_PYTHON=OFF")
endif()
execute_process(
  COMMAND ${LLVM_TOOLS_BINARY_DIR}/llvm-config --link-static --libfiles
    x86 aarch64 nvptx passes target bitwriter linker ipo object
  OUTPUT_VARIABLE llvm_archives OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(llvm_archives)

find_package(Threads REQUIRED)
# LLVM reads and writes compressed sections.
find_library(NEEDLE_ZLIB_LIBRARY z REQUIRED)
find_library(NEEDLE_ZSTD_LIBRARY zstd REQUIRED)

add_library(needle_static_mlir INTERFACE)
target_link_libraries(needle_static_mlir INTERFACE
  -Wl,--start-group ${mlir_archives} ${llvm_archives} -Wl,--end-group
  ${NEEDLE_ZLIB_LIBRARY} ${NEEDLE_ZSTD_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS})
