//===- ParseModule.cpp - Reading MLIR text from users ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/ParseModule.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace needle;

/// The offset behind the string literal that starts at `start`.
static size_t skipString(StringRef text, size_t start) {
  size_t at = start + 1;
  while (at < text.size() && text[at] != '"' && text[at] != '\n')
    at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

std::optional<size_t> needle::findExcessiveNesting(StringRef text) {
  unsigned depth = 0;
  size_t at = 0;
  while (at < text.size()) {
    char c = text[at];
    StringRef rest = text.drop_front(at);
    if (c == '"') {
      at = skipString(text, at);
      continue;
    }
    if (rest.starts_with("//") || rest.starts_with("->")) {
      at = c == '/' ? text.find('\n', at) : at + 2;
      continue;
    }
    if (StringRef("([{<").contains(c) && ++depth > kMaxNesting)
      return at;
    if (StringRef(")]}>").contains(c) && depth > 0)
      --depth;
    ++at;
  }
  return std::nullopt;
}

OwningOpRef<ModuleOp> needle::parseModule(StringRef text, StringRef name,
                                          MLIRContext *context) {
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(text, name);
  if (!isBytecode(*buffer)) {
    if (std::optional<size_t> at = findExcessiveNesting(text)) {
      StringRef before = text.take_front(*at);
      unsigned line = before.count('\n') + 1;
      unsigned column = *at - (before.rfind('\n') + 1) + 1;
      emitError(FileLineColLoc::get(context, name, line, column))
          << "brackets are nested more than " << kMaxNesting << " deep";
      return nullptr;
    }
  }
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, context);
}
