//===- needle-lsp-server.cpp - Language server for MLIR text ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Serves editors: diagnostics, definitions and hover for needle's dialects.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "needle/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  needle::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
