// One matrix product by a contraction kernel.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/contraction.h"

#include "code_image.h"

#include "needle-rt/abi.h"

namespace ndl::eager {
namespace {

int64_t word(const void *pointer) {
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(pointer));
}

int64_t alignUp(int64_t bytes) {
  return (bytes + NDL_ABI_ALIGNMENT - 1) / NDL_ABI_ALIGNMENT *
         NDL_ABI_ALIGNMENT;
}

/// Whether the sizes of packed operands of all threads fit into 64 bits: at
/// most 8 bytes an element, panels of at most 256 columns.
bool isPlannable(const ContractionShape &shape) {
  int64_t bytes;
  return shape.depth < int64_t(1) << 40 && shape.columns < INT64_MAX / 2 &&
         !__builtin_mul_overflow(shape.columns + 256, shape.depth + 1,
                                 &bytes) &&
         bytes < INT64_MAX >> 17;
}

} // namespace

NEEDLE_CALLS_GENERATED_CODE
Status Contraction::plan(const KernelLibrary &library, ContractionKernel kernel,
                         ContractionShape shape, int64_t threads,
                         const ContractionParams &params, Contraction &result) {
  const ContractionSlot &slot = library[kernel];
  if (!slot.run.task || !slot.plan.task || !slot.pack.task)
    return missingKernel(nameOf(kernel));
  if (!isPlannable(shape))
    return {NDL_OUT_OF_MEMORY, "no memory to multiply matrices of " +
                                   std::to_string(shape.rows) + "x" +
                                   std::to_string(shape.depth) + " and " +
                                   std::to_string(shape.depth) + "x" +
                                   std::to_string(shape.columns)};
  int64_t words[15] = {shape.rows, shape.depth, shape.columns, threads};
  slot.plan.task(words, 0, 0, 0);
  result.library = &library;
  result.slot = &slot;
  result.shape = shape;
  result.params = params;
  result.threads = threads;
  result.panelColumns = words[4];
  result.packed = alignUp(words[5]);
  result.blockRows = words[6];
  result.workspace = alignUp(words[7]);
  result.columnSplits = words[8];
  result.tasks = words[9];
  result.blockDepth = words[10];
  result.direct.mostRows = slot.direct.task ? words[11] : 0;
  result.direct.workspace = alignUp(words[12]);
  result.direct.blockColumns = words[13];
  result.direct.tasks = words[14];
  return {};
}

NEEDLE_CALLS_GENERATED_CODE
Status Contraction::launch(const KernelSlot &kernel, void *context,
                           int64_t count) const {
  kernel.launches.fetch_add(1, std::memory_order_relaxed);
  if (threads > 1)
    return library->parallelFor(kernel.task, context, count);
  kernel.task(context, 0, count, 0);
  return {};
}

Status Contraction::pack(const MatrixRef &rhs, uint8_t *memory) const {
  // In the order of cpu::PackArg.
  int64_t words[] = {
      word(rhs.data), rhs.rowStride, rhs.columnStride,           word(memory),
      shape.depth,    shape.columns, word(&params.rhsZeroPoint), 0};
  return launch(slot->pack, words,
                (shape.columns + panelColumns - 1) / panelColumns);
}

Status Contraction::run(const MatrixRef &lhs, const uint8_t *packedRhs,
                        uint8_t *memory, uint8_t *result) const {
  // In the order of cpu::KernelArg up to Patches, which kernels read whatever
  // their kind; the last scale and zero point are those of kernels with
  // quantized results.
  int64_t words[] = {word(lhs.data),
                     lhs.rowStride,
                     lhs.columnStride,
                     word(packedRhs),
                     word(params.scales),
                     word(params.bias),
                     word(result),
                     shape.columns,
                     shape.rows,
                     shape.depth,
                     shape.columns,
                     params.lhsZeroPoint,
                     0,
                     0,
                     word(memory),
                     workspace,
                     blockRows,
                     columnSplits,
                     blockDepth,
                     0}; // no patches: the rows of lhs are those of a matrix
  static_assert(sizeof(words) == 20 * sizeof(int64_t));
  return launch(slot->run, words, tasks);
}

Status Contraction::runDirect(const MatrixRef &lhs, const MatrixRef &rhs,
                              uint8_t *memory, uint8_t *result) const {
  // In the order of cpu::DirectArg.
  int64_t words[] = {
      word(lhs.data),      lhs.rowStride,       lhs.columnStride,
      word(rhs.data),      rhs.rowStride,       rhs.columnStride,
      word(params.scales), word(params.bias),   word(result),
      shape.columns,       shape.rows,          shape.depth,
      shape.columns,       params.lhsZeroPoint, params.rhsZeroPoint,
      word(memory),        direct.workspace,    direct.blockColumns};
  return launch(slot->direct, words, direct.tasks);
}

} // namespace ndl::eager
