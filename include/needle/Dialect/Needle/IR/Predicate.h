//===- Predicate.h - What comparisons mean ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The predicates of needle.compare on numbers, for folding and interpreting.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_PREDICATE_H
#define NEEDLE_DIALECT_NEEDLE_IR_PREDICATE_H

#include "needle/Dialect/Needle/IR/Needle.h"

namespace needle {

/// Whether x is to y what the predicate says. NaN is not equal to, less or
/// greater than anything; zeros of both signs are equal.
bool holds(Predicate predicate, float x, float y);

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_IR_PREDICATE_H
