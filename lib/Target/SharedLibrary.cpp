//===- SharedLibrary.cpp - From a module to a shared library --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"
#include "Artifact.h"
#include "Lowering.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Target/Compiler.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace needle;
using needle::cpu::CPUTarget;

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

/// Gives the functions of a body names that differ between bodies. The
/// interface declares them hidden, so that the library does not export them.
static void renameFunctions(llvm::Module &module, const ndl::BodyModel &body) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration() && !function.hasLocalLinkage())
      function.setName(getBodySymbol(body, function.getName()));
}

/// The least demanding target of the same architecture: the interface runs
/// before the CPU is known.
static const CPUTarget &getBaseline(const CPUTarget &target) {
  return *llvm::find_if(cpu::getCPUTargets(), [&](const CPUTarget &other) {
    return other.triple == target.triple;
  });
}

/// A library is linked with code that was compiled when needle was.
static LogicalResult checkArchitectures(ModuleOp module,
                                        ArrayRef<const CPUTarget *> targets) {
  llvm::Triple::ArchType host = cpu::getHostArchitecture();
  for (const CPUTarget *target : targets)
    if (target->architecture() != host)
      return module.emitError("a shared library cannot have code for '")
             << target->name << "': this needle links libraries for "
             << llvm::Triple::getArchTypeName(host)
             << " alone; write an artifact or an object";
  return success();
}

/// Adds a body to the model and returns its object.
static FailureOr<std::string> compileBody(ndl::ArtifactModel &model,
                                          ModuleOp common,
                                          const CPUTarget &target) {
  StageClock clock(nullptr);
  FailureOr<OwningModule> lowered = lowerForTarget(common, target, clock);
  if (failed(lowered) ||
      failed(addBody(model, **lowered, target, /*image=*/std::nullopt)))
    return failure();
  FailureOr<MachineCode> code = optimizeForTarget(**lowered, target, clock);
  if (failed(code))
    return failure();
  renameFunctions(code->getModule(), model.bodies.back());
  return code->emit(llvm::CodeGenFileType::ObjectFile);
}

FailureOr<SharedLibrary>
needle::compileToSharedLibrary(ModuleOp module, const CompileOptions &options,
                               StringRef name) {
  if (!isIdentifier(name))
    return module.emitError("'")
           << name << "' cannot prefix C functions: it is no C identifier";
  StageClock clock(nullptr);
  FailureOr<CommonLowering> common =
      lowerCommon(module, options.targets, clock);
  if (failed(common) || failed(checkArchitectures(module, common->targets)))
    return failure();
  ndl::ArtifactModel model;
  if (failed(setInterface(model, *common->module)))
    return failure();

  // The library takes the first body that a CPU can run.
  llvm::sort(common->targets, [](const CPUTarget *a, const CPUTarget *b) {
    return a->preference > b->preference;
  });
  std::vector<std::string> objects = {getSupportObject().str()};
  for (const CPUTarget *target : common->targets) {
    FailureOr<std::string> object =
        compileBody(model, *common->module, *target);
    if (failed(object))
      return failure();
    objects.push_back(std::move(*object));
  }
  std::vector<LibraryFunction> functions = nameFunctions(model, name);
  FailureOr<MachineCode> interface = MachineCode::create(
      module.getLoc(), getBaseline(*common->targets.front()));
  if (failed(interface))
    return failure();
  emitLibrary(interface->getModule(), model, functions, name);
  FailureOr<std::string> object =
      interface->emit(llvm::CodeGenFileType::ObjectFile);
  if (failed(object))
    return failure();
  objects.push_back(std::move(*object));

  llvm::Expected<std::string> library = linkSharedLibrary(objects);
  if (!library)
    return module.emitError("cannot be linked: ")
           << llvm::toString(library.takeError());
  return SharedLibrary{std::move(*library), writeHeader(functions, name)};
}
