//===- WeightSection.h - The constants of an artifact -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_WEIGHTSECTION_H
#define NEEDLE_LIB_CODEGEN_CPU_WEIGHTSECTION_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace needle::cpu {

/// The bytes of all weights of a module, equal values stored once, each at an
/// aligned offset.
class WeightSection {
public:
  /// The offset of a value's bytes, appended unless they are there already.
  /// Fails with a reason if the value has no bytes to take.
  mlir::FailureOr<int64_t> place(mlir::ElementsAttr value, std::string &reason);

  /// The section as an attribute, or null if it is empty.
  mlir::Attribute build(mlir::MLIRContext *context) const;

  unsigned getNumWeights() const { return numWeights; }

private:
  std::vector<char> bytes;
  unsigned numWeights = 0;
  llvm::DenseMap<mlir::Attribute, int64_t> offsets;
  /// Hash of bytes → (offset, size) of those that have it.
  llvm::DenseMap<uint64_t, llvm::SmallVector<std::pair<int64_t, size_t>, 1>>
      contents;
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_WEIGHTSECTION_H
