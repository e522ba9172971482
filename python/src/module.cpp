// Modules of the compiler.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"

#include <nanobind/stl/string.h>

using namespace needle::python;

nb::str needle::python::takeText(NeedleBuffer *buffer) {
  nb::str text(static_cast<const char *>(needle_buffer_data(buffer)),
               needle_buffer_size(buffer));
  needle_buffer_destroy(buffer);
  return text;
}

static Module parse(const std::string &text, const std::string &name) {
  NeedleModule *module = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status =
        needle_module_parse(text.data(), text.size(), name.c_str(), &module);
  }
  check(status);
  return Module(module);
}

static nb::str print(const Module &module, int64_t elideAbove, bool locations) {
  NeedlePrintOptions options = NEEDLE_PRINT_OPTIONS_INIT;
  options.elideAbove = elideAbove;
  options.locations = locations;
  NeedleBuffer *text = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_module_print(module.get(), &options, &text);
  }
  check(status);
  return takeText(text);
}

static nb::bytes getFingerprint(const Module &module) {
  uint8_t fingerprint[NEEDLE_FINGERPRINT_SIZE];
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_module_fingerprint(module.get(), fingerprint);
  }
  check(status);
  return nb::bytes(fingerprint, sizeof fingerprint);
}

static nb::list getEntries(const Module &module) {
  nb::list entries;
  for (size_t i = 0; i < needle_module_entry_count(module.get()); ++i)
    entries.append(describeEntry(*needle_module_entry(module.get(), i)));
  return entries;
}

void needle::python::bindModule(nb::module_ &m) {
  nb::class_<Module>(m, "Module", "A verified module of needle operations.")
      .def_static("parse", &parse, nb::arg("text"), nb::arg("name"),
                  "Parse MLIR text; `name` stands for it in locations.")
      .def("print", &print, nb::arg("elide_above") = -1,
           nb::arg("locations") = false,
           "The module's text; constants longer than elide_above are left out.")
      .def("fingerprint", &getFingerprint,
           "A hash of the text, the locations and the constants.")
      .def_prop_ro(
          "name",
          [](const Module &module) { return needle_module_name(module.get()); },
          "The module's name, or an empty string.")
      .def("entries", &getEntries, "Signatures of the entry points.");
  m.def("version", &needle_version, "Version of the compiler.");
}
