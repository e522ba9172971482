# Finds MLIR 22 and sets what every compiler target of needle needs from it.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# MLIR_DIR, as CMake or environment variable, goes before Debian's packages.
find_package(MLIR 22.1 REQUIRED CONFIG
  HINTS $ENV{MLIR_DIR} /usr/lib/llvm-22/lib/cmake/mlir)
message(STATUS "Using MLIR ${LLVM_PACKAGE_VERSION} from ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
# add_mlir_doc writes below this folder.
set(MLIR_BINARY_DIR ${PROJECT_BINARY_DIR})
set(LLVM_RUNTIME_OUTPUT_INTDIR ${PROJECT_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${PROJECT_BINARY_DIR}/lib)
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(needle_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# Headers and flags of the installed MLIR; it says nothing of how to link.
add_library(needle_mlir_headers INTERFACE)
target_include_directories(needle_mlir_headers SYSTEM INTERFACE
  ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_include_directories(needle_mlir_headers INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_compile_definitions(needle_mlir_headers INTERFACE ${needle_llvm_definitions})
target_compile_options(needle_mlir_headers INTERFACE
  -fno-exceptions -Wall -Wextra -Wno-unused-parameter -Werror=switch)
if(NOT LLVM_ENABLE_RTTI)
  target_compile_options(needle_mlir_headers INTERFACE -fno-rtti)
endif()
