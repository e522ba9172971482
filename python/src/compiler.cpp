// Compiling, and looking at the stages of a compilation.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/Compiler.h"
#include "bindings.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

using namespace needle::python;

static nb::tuple compile(const Module &module,
                         const std::vector<std::string> &targets) {
  std::vector<const char *> names;
  names.reserve(targets.size());
  for (const std::string &target : targets)
    names.push_back(target.c_str());
  NeedleCompileOptions options = NEEDLE_COMPILE_OPTIONS_INIT;
  options.targets = names.data();
  options.numTargets = names.size();
  NeedleCompilation *compilation = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_compile(module.get(), &options, &compilation);
  }
  check(status);
  size_t size = 0;
  const void *data = needle_compilation_artifact(compilation, &size);
  nb::bytes artifact(data, size);
  nb::list stages;
  for (size_t i = 0; i < needle_compilation_stage_count(compilation); ++i) {
    const NeedleStageTime *time = needle_compilation_stage(compilation, i);
    stages.append(nb::make_tuple(time->stage, time->seconds));
  }
  needle_compilation_destroy(compilation);
  return nb::make_tuple(artifact, stages);
}

static nb::str printStage(const Module &module, const std::string &stage,
                          const std::string &target) {
  NeedleBuffer *text = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status =
        needle_print_stage(module.get(), stage.c_str(), target.c_str(), &text);
  }
  check(status);
  return takeText(text);
}

static nb::str getAssembly(const Module &module, const std::string &target) {
  NeedleBuffer *text = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_compile_assembly(module.get(), target.c_str(), &text);
  }
  check(status);
  return takeText(text);
}

static nb::list getTargets() {
  nb::list targets;
  for (size_t i = 0; i < needle_target_count(); ++i) {
    const NeedleTargetInfo *target = needle_target(i);
    targets.append(nb::make_tuple(target->name, target->features,
                                  target->preference,
                                  static_cast<bool>(target->isDefault)));
  }
  return targets;
}

static nb::list getStages() {
  nb::list stages;
  for (size_t i = 0; i < needle_stage_count(); ++i)
    stages.append(needle_stage_name(i));
  return stages;
}

void needle::python::bindCompiler(nb::module_ &m) {
  m.def("compile", &compile, nb::arg("module"), nb::arg("targets"),
        "The artifact, and (stage, seconds) for each part of the work.");
  m.def("print_stage", &printStage, nb::arg("module"), nb::arg("stage"),
        nb::arg("target"), "The module's text after a stage.");
  m.def("assembly", &getAssembly, nb::arg("module"), nb::arg("target"),
        "The assembly for one target.");
  m.def("targets", &getTargets,
        "(name, needed CPU features, preference, is default) of each target.");
  m.def("stages", &getStages, "Names of the stages, in order.");
}
