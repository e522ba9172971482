# Functions that declare needle's compiler libraries, tools and TableGen outputs.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# One precompiled header serves every compiler library: a pass file that
# includes eight dialects takes 12 s without it and half a second with it.
add_library(NeedlePrecompiled STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
target_link_libraries(NeedlePrecompiled PUBLIC needle_mlir_headers)
target_precompile_headers(NeedlePrecompiled PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/cmake/precompiled.h>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(needle_pch_flags -fpch-instantiate-templates)
  target_compile_options(NeedlePrecompiled PRIVATE ${needle_pch_flags})
endif()

# needle_add_library(NAME sources... [LINK needle libraries...])
# A static, position-independent library. It links no MLIR: tools add the MLIR
# shared library, the Python extension adds the static archives.
function(needle_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC needle_mlir_headers ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM NeedlePrecompiled)
  target_compile_options(${name} PRIVATE ${needle_pch_flags})
  # Generated headers are few and quick to make; every library waits for them.
  add_dependencies(${name} needle-headers)
endfunction()

# needle_add_tool(NAME sources... [LINK needle libraries...])
# An executable on top of the MLIR and LLVM shared libraries.
function(needle_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} REUSE_FROM NeedlePrecompiled)
  # The precompiled header is compiled with -fPIC, which -fPIE differs from.
  target_compile_options(${name} PRIVATE ${needle_pch_flags} -fPIC)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  target_link_options(${name} PRIVATE -fuse-ld=lld -Wl,--gc-sections)
  add_dependencies(${name} needle-headers)
endfunction()

# needle_tablegen(TD output generator-arguments...)
# Runs mlir-tblgen on TD (in the current source folder) and adds the result to
# needle-headers.
function(needle_tablegen td output)
  set(LLVM_TARGET_DEFINITIONS ${td})
  mlir_tablegen(${output} ${ARGN} EXTRA_INCLUDES
    ${PROJECT_SOURCE_DIR}/include ${MLIR_INCLUDE_DIRS})
  string(MAKE_C_IDENTIFIER "${CMAKE_CURRENT_BINARY_DIR}/${output}" id)
  add_custom_target(${id} DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${output})
  add_dependencies(needle-headers ${id})
endfunction()

add_custom_target(needle-headers)
# needle_add_doc(TD output-name generator-arguments...): Markdown reference
# below docs/ in the build folder, made by the target needle-doc.
add_custom_target(needle-doc)
function(needle_add_doc td name)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(out ${PROJECT_BINARY_DIR}/docs/${name}.md)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/docs
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} ${CMAKE_CURRENT_SOURCE_DIR}/${td}
      -I ${PROJECT_SOURCE_DIR}/include -I ${MLIR_INCLUDE_DIRS} -o ${out}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${td} VERBATIM)
  string(MAKE_C_IDENTIFIER "needle-doc-${name}" id)
  add_custom_target(${id} DEPENDS ${out})
  add_dependencies(needle-doc ${id})
endfunction()
