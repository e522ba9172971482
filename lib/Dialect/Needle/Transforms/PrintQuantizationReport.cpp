//===- PrintQuantizationReport.cpp - Print the quantization report --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints what collectQuantizationReport finds as a table.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/QuantizationReport.h"
#include "llvm/Support/Format.h"

namespace needle {
#define GEN_PASS_DEF_PRINTQUANTIZATIONREPORTPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

namespace {

struct PrintQuantizationReportPass
    : needle::impl::PrintQuantizationReportPassBase<
          PrintQuantizationReportPass> {
  void runOnOperation() override {
    std::vector<OpQuantizationReport> report =
        collectQuantizationReport(getOperation());
    size_t nameWidth = 0, opWidth = 0, precisionWidth = 0;
    for (const OpQuantizationReport &op : report) {
      nameWidth = std::max(nameWidth, op.name.size());
      opWidth = std::max(opWidth, op.op.size());
      precisionWidth = std::max(precisionWidth, op.precision.size());
    }
    std::string text;
    llvm::raw_string_ostream os(text);
    for (const OpQuantizationReport &op : report) {
      std::string line;
      llvm::raw_string_ostream(line)
          << llvm::left_justify(op.name, nameWidth) << "  "
          << llvm::left_justify(op.op, opWidth) << "  "
          << llvm::left_justify(op.precision, precisionWidth) << "  "
          << op.reason;
      os << llvm::StringRef(line).rtrim() << '\n';
    }
    // In one piece: passes on other modules may print as well.
    llvm::errs() << text;
    markAllAnalysesPreserved();
  }
};

} // namespace
