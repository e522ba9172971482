//===- Observe.h - Removing observes ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes that consume needle.observe share.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_OBSERVE_H
#define NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_OBSERVE_H

#include "needle/Dialect/Needle/IR/Needle.h"

namespace needle {

/// The value that an observe, or a chain of them, passes on; any other value is
/// returned as it is.
mlir::Value lookThroughObserves(mlir::Value value);

/// Gives an observe's users its operand and erases it.
void removeObserve(ObserveOp observe);

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_OBSERVE_H
