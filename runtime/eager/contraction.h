// One matrix product by a contraction kernel.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_CONTRACTION_H
#define NEEDLE_RUNTIME_EAGER_CONTRACTION_H

#include "eager/kernel_library.h"

#include "needle-rt/status.h"

namespace ndl::eager {

/// Extents of the product: result [rows, columns], summed over depth.
struct ContractionShape {
  int64_t rows, depth, columns;
};

/// An operand: the first element, and distances in elements.
struct MatrixRef {
  const uint8_t *data;
  int64_t rowStride, columnStride;
};

/// What integer kernels take besides (N4, N5).
struct ContractionParams {
  int32_t lhsZeroPoint = 0;
  int32_t rhsZeroPoint = 0;
  /// One for each column; null for f32 kernels.
  const float *scales = nullptr;
  /// One for each column; null for kernels without.
  const float *bias = nullptr;
};

/// The plan of one product, used for any number of products of that shape.
/// `threads` is the number of workers that share one product.
class Contraction {
public:
  /// Errors: NDL_NOT_FOUND (the library lacks the kernel), NDL_OUT_OF_MEMORY
  /// (the shape is beyond all memory).
  static Status plan(const KernelLibrary &library, ContractionKernel kernel,
                     ContractionShape shape, int64_t threads,
                     const ContractionParams &params, Contraction &result);

  /// Whether a right-hand side with these strides, by which `products`
  /// left-hand sides are multiplied, should be read where it lies, by
  /// runDirect, instead of being packed.
  bool isDirect(const MatrixRef &rhs, int64_t products) const {
    return (rhs.rowStride == 1 || rhs.columnStride == 1) &&
           products <= direct.mostRows / shape.rows;
  }
  /// Bytes of workspace of runDirect for all workers.
  int64_t directBytes() const { return threads * direct.workspace; }
  /// result = lhs · rhs. Errors: those of KernelLibrary::parallelFor; none with
  /// one thread.
  Status runDirect(const MatrixRef &lhs, const MatrixRef &rhs, uint8_t *memory,
                   uint8_t *result) const;

  /// Bytes for the packed right-hand side; a multiple of the alignment.
  int64_t packedBytes() const { return packed; }
  /// Bytes of workspace for all workers; a multiple of the alignment.
  int64_t workspaceBytes() const { return threads * workspace; }

  /// Packs a right-hand side [depth, columns]. Errors: those of
  /// KernelLibrary::parallelFor; none with one thread.
  Status pack(const MatrixRef &rhs, uint8_t *memory) const;
  /// result = lhs · rhs. Rows of the result follow each other. Errors:
  /// likewise.
  Status run(const MatrixRef &lhs, const uint8_t *packedRhs, uint8_t *memory,
             uint8_t *result) const;

private:
  Status launch(const KernelSlot &kernel, void *context, int64_t count) const;

  const KernelLibrary *library = nullptr;
  const ContractionSlot *slot = nullptr;
  ContractionShape shape = {};
  ContractionParams params;
  int64_t threads = 1;
  int64_t panelColumns = 1, packed = 0, blockRows = 1, workspace = 0,
          columnSplits = 1, tasks = 0, blockDepth = 1;
  struct {
    int64_t mostRows = 0, workspace = 0, blockColumns = 1, tasks = 0;
  } direct;
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_CONTRACTION_H
