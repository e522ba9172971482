//===- needle-opt.cpp - Runs passes on MLIR text ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses MLIR, runs the passes and pipelines named on the command line and
// prints the result.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "needle/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  needle::registerAllDialects(registry);
  needle::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "needle optimizer driver\n", registry));
}
