//===- MachineCode.cpp - LLVM's optimizer and code generator --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MachineCode.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

using namespace mlir;
using namespace needle;

/// Targets are named one by one: a static build links no others.
static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

/// Turns LLVM's errors and warnings into diagnostics at a location of ours;
/// remarks are dropped.
static void forwardDiagnostics(llvm::LLVMContext &context, Location location) {
  struct Handler : llvm::DiagnosticHandler {
    Location location;
    explicit Handler(Location location) : location(location) {}

    bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
      std::string text;
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
      if (info.getSeverity() == llvm::DS_Error)
        emitError(location) << "code generation: " << text;
      else if (info.getSeverity() == llvm::DS_Warning)
        emitWarning(location) << "code generation: " << text;
      return true;
    }
  };
  context.setDiagnosticHandler(std::make_unique<Handler>(location));
}

static std::unique_ptr<llvm::TargetMachine>
createMachine(const CodeTarget &target, std::string &error) {
  initializeTargets();
  llvm::Triple triple(target.triple);
  const llvm::Target *llvmTarget =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!llvmTarget)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(llvmTarget->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

FailureOr<MachineCode> MachineCode::create(Location location,
                                           const CodeTarget &target) {
  MachineCode code(location);
  std::string error;
  code.machine = createMachine(target, error);
  if (!code.machine)
    return emitError(location) << "target '" << target.name << "': " << error;
  code.context = std::make_unique<llvm::LLVMContext>();
  forwardDiagnostics(*code.context, location);
  code.module = std::make_unique<llvm::Module>("needle", *code.context);
  code.prepare(target);
  return code;
}

FailureOr<MachineCode> MachineCode::translate(ModuleOp module,
                                              const CodeTarget &target) {
  FailureOr<MachineCode> code = create(module.getLoc(), target);
  if (failed(code))
    return failure();
  code->module = translateModuleToLLVMIR(module, *code->context, "needle");
  if (!code->module)
    return failure();
  code->prepare(target);
  return code;
}

void MachineCode::prepare(const CodeTarget &target) {
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
  }
}

std::string MachineCode::print() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, /*AAW=*/nullptr);
  return text;
}

FailureOr<std::string> MachineCode::emit(llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr, type,
                                   /*DisableVerify=*/true))
    return emitError(location)
           << "the code generator cannot write this kind of file";
  passes.run(*module);
  if (context->getDiagHandlerPtr()->HasErrors)
    return failure();
  return bytes.str().str();
}
