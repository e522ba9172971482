// Executables in Python.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "bindings.h"
#include "executable.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

using namespace needle::python;

void needle::python::bindExecutable(nb::module_ &m) {
  nb::class_<Executable>(m, "Executable", nb::is_weak_referenceable(),
                         "One entry point of a loaded artifact.")
      .def(nb::init<const nb::bytes &, const std::optional<std::string> &,
                    int32_t, const std::optional<std::string> &>(),
           nb::arg("artifact"), nb::arg("target").none(), nb::arg("threads"),
           nb::arg("entry").none())
      .def("__call__", &Executable::call)
      .def("_run_arrays", &Executable::runArrays, nb::arg("inputs"),
           nb::arg("outputs"), nb::arg("like"))
      .def("_profile", &Executable::profile)
      .def("_steps", &Executable::getSteps)
      .def("_bodies", &Executable::getBodies)
      .def("_signature", &Executable::describe)
      .def("_metadata", &Executable::getMetadata, nb::arg("key"))
      .def_prop_ro("target", &Executable::getTarget,
                   "Target of the code that runs, e.g. \"avx2\".")
      .def_prop_ro("threads", &Executable::getThreads,
                   "Number of threads that work on a call.")
      .def_prop_ro("nbytes", &Executable::getSize,
                   "Size of the artifact in bytes.")
      .def_prop_ro("artifact", &Executable::getArtifact,
                   "The bytes of the artifact.");
  m.def("runtime_version", &ndl_version, "Version of the runtime.");
  m.def("cpu_features", &ndl_cpu_features,
        "The features of this CPU that needle knows, comma-separated.");
}
