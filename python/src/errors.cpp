// From status codes of the C APIs to Python exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "errors.h"

#include "needle-rt/runtime.h"

using namespace needle::python;

/// An exception type of the package.
static nb::object getErrorType(const char *name) {
  return nb::module_::import_("needle.errors").attr(name);
}

void needle::python::raise(nb::handle type, const std::string &message) {
  PyErr_SetString(type.ptr(), message.c_str());
  throw nb::python_error();
}

void needle::python::check(NeedleStatus status) {
  switch (status) {
  case NEEDLE_OK:
    return;
  case NEEDLE_INVALID_ARGUMENT:
    raise(PyExc_ValueError, needle_last_error());
  case NEEDLE_COMPILE_ERROR:
    raise(getErrorType("CompileError"), needle_last_error());
  }
}

void needle::python::check(NdlStatus status) {
  switch (status) {
  case NDL_OK:
    return;
  case NDL_INVALID_ARGUMENT:
  case NDL_NOT_FOUND:
  case NDL_SIGNATURE_MISMATCH:
    raise(PyExc_ValueError, ndl_last_error());
  case NDL_IO_ERROR:
    raise(PyExc_OSError, ndl_last_error());
  case NDL_CORRUPT_ARTIFACT:
  case NDL_UNSUPPORTED_VERSION:
  case NDL_UNSUPPORTED_CPU:
    raise(getErrorType("ArtifactError"), ndl_last_error());
  case NDL_OUT_OF_MEMORY:
    raise(PyExc_MemoryError, ndl_last_error());
  case NDL_INTERNAL_ERROR:
    raise(PyExc_RuntimeError, ndl_last_error());
  }
}
