// From status codes of the C APIs to Python exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_ERRORS_H
#define NEEDLE_PYTHON_ERRORS_H

#include "needle-c/Support.h"
#include "needle-rt/types.h"

#include <nanobind/nanobind.h>
#include <string>

namespace needle::python {

namespace nb = nanobind;

/// Throws an exception of this type.
[[noreturn]] void raise(nb::handle type, const std::string &message);

/// Throws what belongs to a failed call of the compiler: needle.CompileError,
/// or ValueError for a wrong argument.
void check(NeedleStatus status);

/// Throws what belongs to a failed call of the runtime: needle.ArtifactError
/// for an artifact that cannot be used, ValueError for wrong tensors, OSError,
/// MemoryError, RuntimeError.
void check(NdlStatus status);

} // namespace needle::python

#endif // NEEDLE_PYTHON_ERRORS_H
