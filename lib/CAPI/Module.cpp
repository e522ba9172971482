//===- Module.cpp - C API: parsing, printing, identity --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Module.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Frontend/ParseModule.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

NeedleModule::NeedleModule(std::shared_ptr<Session> session,
                           OwningOpRef<ModuleOp> module)
    : session(std::move(session)), module(std::move(module)) {
  name = this->module->getSymName().value_or("").str();
  for (func::FuncOp function : getEntryPoints(*this->module))
    entries.emplace_back(function);
}

NeedleModule::~NeedleModule() {
  std::lock_guard<std::mutex> lock(session->mutex);
  module = nullptr;
}

/// The resources that the module refers to, in order of appearance.
static llvm::SetVector<DenseResourceElementsAttr>
findResources(ModuleOp module) {
  llvm::SetVector<DenseResourceElementsAttr> resources;
  module->walk([&](Operation *op) {
    op->getAttrDictionary().walk([&](DenseResourceElementsAttr resource) {
      resources.insert(resource);
    });
  });
  return resources;
}

NeedleStatus needle_module_parse(const char *text, size_t size,
                                 const char *name, NeedleModule **module) {
  if (!text)
    return failNull("text");
  if (!module)
    return failNull("module");
  std::shared_ptr<Session> session = Session::create();
  OwningOpRef<ModuleOp> parsed;
  NeedleStatus status = session->run([&] {
    parsed = parseModule(StringRef(text, size), name ? name : "<string>",
                         &session->context);
    return success(static_cast<bool>(parsed));
  });
  if (status == NEEDLE_OK)
    *module = new NeedleModule(std::move(session), std::move(parsed));
  return status;
}

void needle_module_destroy(NeedleModule *module) { delete module; }

NeedleStatus needle_module_print(NeedleModule *module,
                                 const NeedlePrintOptions *options,
                                 NeedleBuffer **text) {
  if (!module)
    return failNull("module");
  if (!text)
    return failNull("text");
  const NeedlePrintOptions chosen =
      options ? *options : NeedlePrintOptions NEEDLE_PRINT_OPTIONS_INIT;
  return module->session->run([&] {
    OpPrintingFlags flags;
    if (chosen.elideAbove >= 0)
      flags.elideLargeResourceString(chosen.elideAbove);
    if (chosen.locations)
      flags.enableDebugInfo();
    std::string printed;
    llvm::raw_string_ostream stream(printed);
    module->module->print(stream, flags);
    *text = makeBuffer(std::move(printed));
    return success();
  });
}

/// The module's text with its resources numbered in order of appearance: their
/// own names depend on what else lives in the context.
static std::string printNumbered(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(
      stream, OpPrintingFlags().enableDebugInfo().elideLargeResourceString(0));
  constexpr llvm::StringLiteral opening = "dense_resource<";
  std::string numbered;
  llvm::StringMap<size_t> numbers;
  StringRef rest = text;
  while (true) {
    auto [before, after] = rest.split(opening);
    numbered += before;
    if (before.size() == rest.size())
      return numbered;
    auto [key, behind] = after.split('>');
    size_t number = numbers.try_emplace(key, numbers.size()).first->second;
    numbered += opening;
    numbered += std::to_string(number) + ">";
    rest = behind;
  }
}

NeedleStatus
needle_module_fingerprint(NeedleModule *module,
                          uint8_t fingerprint[NEEDLE_FINGERPRINT_SIZE]) {
  if (!module)
    return failNull("module");
  if (!fingerprint)
    return failNull("fingerprint");
  return module->session->run([&] {
    llvm::BLAKE3 hasher;
    // Resources are hashed as bytes, which is faster than as text.
    hasher.update(printNumbered(*module->module));
    for (DenseResourceElementsAttr resource : findResources(*module->module)) {
      ArrayRef<char> data = resource.getData();
      uint64_t size = data.size();
      hasher.update(ArrayRef(reinterpret_cast<uint8_t *>(&size), sizeof size));
      hasher.update(StringRef(data.data(), data.size()));
    }
    auto hash = hasher.final<NEEDLE_FINGERPRINT_SIZE>();
    llvm::copy(hash, fingerprint);
    return success();
  });
}

const char *needle_module_name(const NeedleModule *module) {
  return module ? module->name.c_str() : "";
}

size_t needle_module_entry_count(const NeedleModule *module) {
  return module ? module->entries.size() : 0;
}

const NdlEntryInfo *needle_module_entry(const NeedleModule *module,
                                        size_t index) {
  return module && index < module->entries.size()
             ? module->entries[index].info()
             : nullptr;
}
