//===- GraphBuilder.h - Builds a needle module op by op ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one way in which tracing and importers make graphs. Every step is checked
// when it is made, so that an error is reported at the line that caused it.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_FRONTEND_GRAPHBUILDER_H
#define NEEDLE_FRONTEND_GRAPHBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringSet.h"
#include <string>

namespace needle {

/// Builds a module with the one function `@main`, the entry point. Inputs and
/// outputs are named by the attribute `needle.name`.
///
/// All methods report failure as an error diagnostic at the given location;
/// then nothing has been added. No method may be called after build().
class GraphBuilder {
public:
  /// Starts the module `name` (may be empty). Loads the dialects it needs into
  /// `context`.
  GraphBuilder(mlir::MLIRContext *context, llvm::StringRef name);

  /// Appends an input. Dimensions may be dynamic. Fails if the name is empty or
  /// taken, the rank exceeds NDL_MAX_RANK, or the number of bytes overflows.
  mlir::FailureOr<mlir::Value>
  input(llvm::StringRef name, mlir::RankedTensorType type, mlir::Location loc);

  /// Adds a constant of static shape. `data` holds the elements in row-major
  /// order, in the storage type of quantized elements; it is copied. Large
  /// constants become resources named after `name`. Fails if the size of `data`
  /// does not fit the type.
  mlir::FailureOr<mlir::Value> constant(llvm::StringRef name,
                                        mlir::RankedTensorType type,
                                        llvm::ArrayRef<char> data,
                                        mlir::Location loc);

  /// Adds the operation `needle.<mnemonic>` and verifies it. `resultTypes` is
  /// empty to have them inferred; operations that cannot infer them need it.
  mlir::FailureOr<mlir::Operation *> op(llvm::StringRef mnemonic,
                                        mlir::ValueRange operands,
                                        mlir::DictionaryAttr attributes,
                                        mlir::TypeRange resultTypes,
                                        mlir::Location loc);

  /// Adds `needle.reshape`. One dimension of `shape` may be dynamic; where the
  /// operand's shape is static it follows from that.
  mlir::FailureOr<mlir::Value> reshape(mlir::Value operand,
                                       llvm::ArrayRef<int64_t> shape,
                                       mlir::Location loc);

  /// Appends an output. Fails if the name is empty or taken.
  mlir::LogicalResult output(llvm::StringRef name, mlir::Value value,
                             mlir::Location loc);

  /// Ends the function and hands the verified module over. Fails if there is no
  /// output.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> build(mlir::Location loc);

  mlir::MLIRContext *getContext() const { return builder.getContext(); }

private:
  struct Output {
    std::string name;
    mlir::Value value;
  };

  mlir::Block &body();
  mlir::ElementsAttr makeElements(llvm::StringRef name,
                                  mlir::RankedTensorType type,
                                  llvm::ArrayRef<char> data);

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::Operation *function;
  mlir::OpBuilder builder;
  llvm::SmallVector<std::string> inputNames;
  llvm::SmallVector<Output> outputs;
  llvm::StringSet<> takenInputs;
  llvm::StringSet<> takenOutputs;
};

} // namespace needle

#endif // NEEDLE_FRONTEND_GRAPHBUILDER_H
