// The extension module needle._needle.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"

using namespace needle::python;

NB_MODULE(_needle, m) {
  m.doc() =
      "needle's compiler and runtime; the package needle is its interface";
  // What is alive when the interpreter ends is no mistake of the user's.
  nb::set_leak_warnings(false);
  initializeArrays();
  bindModule(m);
  bindGraphBuilder(m);
  bindBlockwise(m);
  bindCalibration(m);
  bindCompiler(m);
  bindReference(m);
  bindExecutable(m);
  bindArrayType(m);
  bindArrayHandle(m);
  bindArrayMaking(m);
  bindArrayBackend(m);
}
