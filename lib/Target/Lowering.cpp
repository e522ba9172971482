//===- Lowering.cpp - Runs the stages of the CPU pipeline -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowering.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "needle/Pipelines/Pipelines.h"
#include <chrono>

using namespace mlir;
using namespace needle;
using needle::cpu::CPUTarget;

double StageClock::now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

void StageClock::record(StringRef name, const CPUTarget *target,
                        double seconds) {
  if (!times)
    return;
  std::string stage = name.str();
  if (target)
    stage += " (" + target->name.str() + ")";
  times->push_back({std::move(stage), seconds});
}

FailureOr<SmallVector<const CPUTarget *>>
needle::lookupTargets(ModuleOp module, ArrayRef<std::string> names) {
  if (std::string reason = cpu::explainCPUTargets(names); !reason.empty())
    return module.emitError(reason);
  SmallVector<const CPUTarget *> targets;
  for (const std::string &name : names)
    targets.push_back(cpu::lookupCPUTarget(name));
  return targets;
}

static LogicalResult runStage(ModuleOp module, const CPUStage &stage,
                              const CPUTarget &target) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  stage.build(pm, target);
  // Once a stage: after each pass it would take a tenth of the time.
  pm.enableVerifier(false);
  return success(succeeded(pm.run(module)) && succeeded(verify(module)));
}

FailureOr<CommonLowering> needle::lowerCommon(ModuleOp module,
                                              ArrayRef<std::string> names,
                                              StageClock &clock) {
  auto targets = lookupTargets(module, names);
  if (failed(targets) || failed(verify(module)))
    return failure();
  CommonLowering common{std::move(*targets), OwningModule(module.clone())};
  for (const CPUStage &stage : getCPUStages()) {
    if (!stage.isCommon)
      break;
    LogicalResult result = clock.measure(stage.name, nullptr, [&] {
      return runStage(*common.module, stage, cpu::getCPUTargets().front());
    });
    if (failed(result))
      return failure();
  }
  return common;
}

FailureOr<OwningModule> needle::lowerForTarget(ModuleOp common,
                                               const CPUTarget &target,
                                               StageClock &clock,
                                               StringRef last) {
  OwningModule lowered(common.clone());
  for (const CPUStage &stage : getCPUStages()) {
    if (stage.isCommon)
      continue;
    LogicalResult result = clock.measure(
        stage.name, &target, [&] { return runStage(*lowered, stage, target); });
    if (failed(result))
      return failure();
    if (stage.name == last)
      break;
  }
  return lowered;
}

FailureOr<MachineCode> needle::optimizeForTarget(ModuleOp lowered,
                                                 const CPUTarget &target,
                                                 StageClock &clock) {
  FailureOr<MachineCode> code = clock.measure("translate", &target, [&] {
    return MachineCode::translate(lowered, target);
  });
  if (succeeded(code))
    clock.measure("optimize", &target, [&] {
      code->optimize();
      return 0;
    });
  return code;
}
