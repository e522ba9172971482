//===- Signature.h - Signatures as plain C structures -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Describes the functions and values of a module by the runtime's NdlEntryInfo
// and NdlTensorInfo.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CAPI_SIGNATURE_H
#define NEEDLE_LIB_CAPI_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle-rt/runtime.h"
#include "llvm/ADT/SmallVector.h"
#include <string>
#include <vector>

namespace needle::capi {

/// A tensor's description and the memory that it points into.
class TensorDescription {
public:
  TensorDescription(llvm::StringRef name, mlir::Type type);
  TensorDescription(TensorDescription &&) = default;

  /// Points into this object, which must not move as long as it is used.
  NdlTensorInfo info() const;

private:
  void describeElements(mlir::Type elementType);

  std::string name;
  NdlDType dtype = NDL_DTYPE_INVALID;
  std::vector<int64_t> dims;
  NdlQuantizationKind quantization = NDL_QUANTIZATION_NONE;
  int32_t axis = 0;
  std::vector<float> scales;
  std::vector<int32_t> zeroPoints;
  int32_t storageMin = 0;
  int32_t storageMax = 0;
};

/// A function's signature.
class EntryDescription {
public:
  explicit EntryDescription(mlir::func::FuncOp function);
  EntryDescription(const EntryDescription &) = delete;

  const NdlEntryInfo *info() const { return &entry; }

private:
  std::string name;
  std::vector<TensorDescription> tensors;
  std::vector<NdlTensorInfo> infos;
  NdlEntryInfo entry;
};

/// The public functions of a module that have a body, in order.
llvm::SmallVector<mlir::func::FuncOp> getEntryPoints(mlir::ModuleOp module);

} // namespace needle::capi

#endif // NEEDLE_LIB_CAPI_SIGNATURE_H
