# What the whole project and the runtime built on its own set up alike.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
option(NEEDLE_ENABLE_TESTS "Build the unit tests and register all suites" ON)
set(NEEDLE_SANITIZE "" CACHE STRING
    "Sanitizers to build with, e.g. 'address,undefined' or 'thread'")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

if(NEEDLE_SANITIZE)
  add_compile_options(-fsanitize=${NEEDLE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${NEEDLE_SANITIZE})
endif()
if(NEEDLE_ENABLE_TESTS)
  enable_testing()
endif()
