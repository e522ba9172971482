// A batch of matrix products of one shape.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_BATCH_H
#define NEEDLE_RUNTIME_EAGER_BATCH_H

#include "eager/contraction.h"
#include "eager/kernel_library.h"
#include "eager/loop_nest.h"

namespace ndl::eager {

/// The matrices of one product.
struct ProductPlace {
  uint8_t *result;
  MatrixRef lhs, rhs;
};

/// Products of one shape by one kernel. Rows of results follow each other.
struct Batch {
  ContractionKernel kernel;
  ContractionShape shape;
  ContractionParams params;
  /// Of the first product.
  MatrixRef lhs, rhs;
  /// The leading dimensions; operands: result, lhs, rhs.
  LoopNest nest;

  /// Where the matrices of product `index` lie.
  ProductPlace placeOf(int64_t index) const;
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_BATCH_H
