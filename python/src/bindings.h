// The parts of the extension, each in a file of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_BINDINGS_H
#define NEEDLE_PYTHON_BINDINGS_H

#include "errors.h"
#include "needle-c/Module.h"

#include <memory>
#include <nanobind/nanobind.h>

namespace needle::python {

/// A module, owned by itself or by what it came from.
struct Module {
  explicit Module(NeedleModule *owned)
      : handle(owned, [](NeedleModule *module) {
          // Freeing a large module takes a while and may wait for a lock.
          nb::gil_scoped_release release;
          needle_module_destroy(module);
        }) {}
  Module(NeedleModule *module, const std::shared_ptr<void> &owner)
      : handle(owner, module) {}

  NeedleModule *get() const { return handle.get(); }

  std::shared_ptr<NeedleModule> handle;
};

/// A string for Python from a buffer, which is freed.
nb::str takeText(NeedleBuffer *buffer);

void bindModule(nb::module_ &m);
void bindGraphBuilder(nb::module_ &m);
void bindBlockwise(nb::module_ &m);
void bindCalibration(nb::module_ &m);
void bindCompiler(nb::module_ &m);
void bindReference(nb::module_ &m);
void bindExecutable(nb::module_ &m);
/// Arrays: these four in this order, after initializeArrays().
void bindArrayType(nb::module_ &m);
void bindArrayHandle(nb::module_ &m);
void bindArrayMaking(nb::module_ &m);
void bindArrayBackend(nb::module_ &m);

} // namespace needle::python

#endif // NEEDLE_PYTHON_BINDINGS_H
