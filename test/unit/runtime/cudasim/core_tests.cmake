# Tests of the core of the simulated CUDA driver.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set(NEEDLE_CUDASIM_CORE_TESTS
  ExecControlTest.cpp
  ExecConvertTest.cpp
  ExecDiagnosticsTest.cpp
  ExecFloatTest.cpp
  ExecIntegerTest.cpp
  ExecMatrixTest.cpp
  ForeignPtxTest.cpp
  PtxParserTest.cpp
  Simulated.cpp)

# CUDA C that is compiled when a test runs, if there is a compiler.
set_source_files_properties(ForeignPtxTest.cpp PROPERTIES COMPILE_DEFINITIONS
  "NEEDLE_CUDASIM_TEST_INPUTS=\"${CMAKE_CURRENT_LIST_DIR}/Inputs\"")
