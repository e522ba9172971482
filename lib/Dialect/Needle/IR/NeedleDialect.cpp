//===- NeedleDialect.cpp - The needle dialect -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the dialect's attributes and operations; materializes constants.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace needle;

#include "needle/Dialect/Needle/IR/NeedleDialect.cpp.inc"
#include "needle/Dialect/Needle/IR/NeedleEnums.cpp.inc"
#include "needle/Dialect/Needle/IR/NeedleInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "needle/Dialect/Needle/IR/NeedleAttributes.cpp.inc"

namespace {

/// Every operation is pure and may move into a caller.
struct NeedleInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};

} // namespace

void NeedleDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "needle/Dialect/Needle/IR/NeedleAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "needle/Dialect/Needle/IR/NeedleOps.cpp.inc"
      >();
  addInterfaces<NeedleInlinerInterface>();
}

Operation *NeedleDialect::materializeConstant(OpBuilder &builder,
                                              Attribute value, Type type,
                                              Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!elements || !tensor || !tensor.hasStaticShape())
    return nullptr;
  return ConstantOp::create(builder, loc, tensor, elements);
}
