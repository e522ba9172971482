//===- Compiler.cpp - C API: from a module to code ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/Compiler.h"

#include "Module.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Target/Compiler.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

struct NeedleCompilation {
  CompileResult result;
  std::vector<NeedleStageTime> stages;
};

/// The table of targets in the form of the C API; made once.
static ArrayRef<NeedleTargetInfo> getTargetInfos() {
  static const auto *infos = [] {
    auto *all = new std::vector<NeedleTargetInfo>;
    const CompileOptions defaults;
    for (const cpu::CPUTarget &target : cpu::getCPUTargets())
      all->push_back({target.name.data(), target.requiredFeatures.data(),
                      target.preference,
                      llvm::is_contained(defaults.targets, target.name)});
    return all;
  }();
  return *infos;
}

/// NEEDLE_OK if these are the targets of one compilation.
static NeedleStatus checkTargets(ArrayRef<std::string> targets) {
  std::string reason = cpu::explainCPUTargets(targets);
  return reason.empty() ? NEEDLE_OK : fail(NEEDLE_INVALID_ARGUMENT, reason);
}

size_t needle_target_count(void) { return getTargetInfos().size(); }

const NeedleTargetInfo *needle_target(size_t index) {
  ArrayRef<NeedleTargetInfo> infos = getTargetInfos();
  return index < infos.size() ? &infos[index] : nullptr;
}

NeedleStatus needle_compile(NeedleModule *module,
                            const NeedleCompileOptions *options,
                            NeedleCompilation **compilation) {
  if (!module)
    return failNull("module");
  if (!compilation)
    return failNull("compilation");
  CompileOptions chosen;
  if (options && options->numTargets > 0) {
    chosen.targets.clear();
    for (const char *target : ArrayRef(options->targets, options->numTargets)) {
      if (!target)
        return failNull("target");
      chosen.targets.push_back(target);
    }
    if (NeedleStatus status = checkTargets(chosen.targets))
      return status;
  }
  auto made = std::make_unique<NeedleCompilation>();
  NeedleStatus status = module->session->run([&]() -> LogicalResult {
    FailureOr<CompileResult> result =
        compileToArtifact(*module->module, chosen);
    if (succeeded(result))
      made->result = std::move(*result);
    return result;
  });
  if (status != NEEDLE_OK)
    return status;
  for (const StageTime &time : made->result.times)
    made->stages.push_back({time.stage.c_str(), time.seconds});
  *compilation = made.release();
  return NEEDLE_OK;
}

void needle_compilation_destroy(NeedleCompilation *compilation) {
  delete compilation;
}

const void *needle_compilation_artifact(const NeedleCompilation *compilation,
                                        size_t *size) {
  if (!compilation)
    return nullptr;
  if (size)
    *size = compilation->result.artifact.size();
  return compilation->result.artifact.data();
}

size_t needle_compilation_stage_count(const NeedleCompilation *compilation) {
  return compilation ? compilation->stages.size() : 0;
}

const NeedleStageTime *
needle_compilation_stage(const NeedleCompilation *compilation, size_t index) {
  return compilation && index < compilation->stages.size()
             ? &compilation->stages[index]
             : nullptr;
}

size_t needle_stage_count(void) { return getStageNames().size(); }

const char *needle_stage_name(size_t index) {
  return index < getStageNames().size() ? getStageNames()[index].data()
                                        : nullptr;
}

/// Hands over the text that `print` makes of the module for a target.
static NeedleStatus
printModule(NeedleModule *module, const char *target, NeedleBuffer **text,
            llvm::function_ref<FailureOr<std::string>(ModuleOp)> print) {
  if (!module)
    return failNull("module");
  if (!text)
    return failNull("text");
  if (!target)
    return failNull("target");
  if (NeedleStatus status = checkTargets(std::string(target)))
    return status;
  return module->session->run([&]() -> LogicalResult {
    FailureOr<std::string> printed = print(*module->module);
    if (succeeded(printed))
      *text = makeBuffer(std::move(*printed));
    return printed;
  });
}

NeedleStatus needle_print_stage(NeedleModule *module, const char *stage,
                                const char *target, NeedleBuffer **text) {
  if (!stage)
    return failNull("stage");
  if (!llvm::is_contained(getStageNames(), StringRef(stage)))
    return fail(NEEDLE_INVALID_ARGUMENT,
                llvm::Twine("unknown stage '") + stage +
                    "'; the stages are: " + llvm::join(getStageNames(), ", "));
  return printModule(module, target, text, [&](ModuleOp op) {
    return printStage(op, stage, target);
  });
}

NeedleStatus needle_compile_assembly(NeedleModule *module, const char *target,
                                     NeedleBuffer **text) {
  return printModule(module, target, text, [&](ModuleOp op) {
    return compileToAssembly(op, target);
  });
}
