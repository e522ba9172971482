// Reductions: launching reduce kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/reduce.h"

#include "eager/copy.h"
#include "eager/device.h"
#include "eager/elementwise.h"
#include "eager/kernel_words.h"
#include "eager/loop_nest.h"
#include "eager/split.h"

#include "code_image.h"
#include "dtype.h"
#include "float_environment.h"

namespace ndl::eager {
namespace {

/// Reductions of at least so many elements to few results are cut into blocks,
/// the results of which are reduced again. Where they are cut depends on the
/// shape and strides alone, so that sums do not depend on the number of
/// threads.
constexpr int64_t largeReduction = int64_t(1) << 18;
constexpr int64_t fewResults = 256;
constexpr int64_t blockElements = int64_t(1) << 16;

/// The loops of a reduction.
struct Reduction {
  ReduceKernel kernel;
  /// The function of the kernel; null where a device runs it.
  NdlTask task;
  /// Operands: output, input.
  LoopNest kept;
  /// Operand: input, with strides alone.
  LoopNest reduced;
};

/// Runs the kernel for the simplified nest `kept` on this thread.
NEEDLE_CALLS_GENERATED_CODE
void runSerially(const Reduction &reduction, LoopNest &kept) {
  ReduceWords words(kept, reduction.reduced);
  Odometer odometer(kept, words.outerDims());
  do {
    reduction.task(words.at(kept), 0, words.iterations(), 0);
  } while (odometer.next());
}

/// Likewise, by several threads if there is much to do. Simplifies `kept`.
Status run(const KernelLibrary &library, Reduction &reduction) {
  LoopNest &kept = reduction.kept;
  kept.simplify();
  if (library.device())
    return library.device()->reduce(reduction.kernel, kept, reduction.reduced);
  int64_t threads = library.threads();
  int64_t reducedSize = reduction.reduced.size();
  if (threads == 1 || kept.size() == 1 ||
      kept.size() * reducedSize < parallelElements) {
    DefaultFloatEnvironment environment;
    runSerially(reduction, kept);
    return {};
  }
  return forEachPiece(library, kept, chooseSplit(kept, reducedSize, threads),
                      [&](LoopNest &piece) { runSerially(reduction, piece); });
}

/// Kept dimensions before all others: one step of it is one row of an output
/// with `rowSize` elements, and `steps` along the outermost reduced dimension.
void addOutermost(LoopNest &kept, int64_t extent, int64_t rowSize,
                  int64_t inputStride) {
  for (int32_t d = kept.rank; d > 0; --d) {
    kept.extents[d] = kept.extents[d - 1];
    for (int32_t i = 0; i < kept.numOperands; ++i)
      kept.operands[i].strides[d] = kept.operands[i].strides[d - 1];
  }
  ++kept.rank;
  kept.extents[0] = extent;
  kept.operands[0].strides[0] = rowSize;
  kept.operands[1].strides[0] = inputStride;
}

/// Reduces blocks of the outermost reduced dimension, each to a row of an
/// intermediate array, and then that.
Status runInBlocks(const KernelLibrary &library, Reduction &reduction,
                   int64_t block) {
  LoopNest &kept = reduction.kept;
  LoopNest &reduced = reduction.reduced;
  kept.simplify();
  int64_t results = kept.size();
  int64_t stride = reduced.operands[0].strides[0];
  int64_t blocks = reduced.extents[0] / block;
  int64_t rest = reduced.extents[0] % block;
  int64_t shape[] = {blocks + (rest > 0), results};
  View rows;
  if (Status status = allocate(library, NDL_DTYPE_F32, 2, shape, rows);
      !status.ok())
    return status;

  // Results are contiguous, so the simplified `kept` has their strides.
  Reduction whole = reduction;
  whole.kept.operands[0].data = rows.data();
  addOutermost(whole.kept, blocks, results, block * stride);
  whole.reduced.extents[0] = block;
  Status status = run(library, whole);
  if (status.ok() && rest > 0) {
    Reduction last = reduction;
    last.kept.operands[0].data = rows.data() + blocks * results * 4;
    last.kept.operands[1].data += blocks * block * stride * 4;
    last.reduced.extents[0] = rest;
    status = run(library, last);
  }
  if (!status.ok())
    return status;

  Reduction combined;
  combined.kernel = reduction.kernel;
  combined.task = reduction.task;
  View row = rows;
  row.rank = 1;
  row.shape[0] = results;
  row.strides[0] = 1;
  View column = rows;
  column.rank = 1;
  combined.kept.add(row);
  combined.kept.add(row);
  combined.kept.operands[0].data = kept.operands[0].data;
  combined.reduced.add(column);
  combined.reduced.simplify();
  return run(library, combined);
}

/// Rows of the outermost reduced dimension in a block; 0: not in blocks.
int64_t blockRows(const Reduction &reduction) {
  int64_t results = reduction.kept.size();
  int64_t elements = reduction.reduced.size();
  if (results > fewResults || results * elements < largeReduction)
    return 0;
  int64_t rows = reduction.reduced.extents[0];
  int64_t block =
      std::max<int64_t>(1, blockElements / (results * (elements / rows)));
  return block <= rows / 2 ? block : 0;
}

/// The reduced dimensions moved behind the others, contiguous.
Status gather(const KernelLibrary &library, const View &x, uint32_t axes,
              View &result) {
  int32_t order[maxRank];
  int32_t count = 0;
  for (uint32_t reduced : {0u, 1u})
    for (int32_t d = 0; d < x.rank; ++d)
      if ((axes >> d & 1) == reduced)
        order[count++] = d;
  View permuted;
  Status status = permuteView(x, order, permuted);
  return status.ok() ? compact(library, permuted, result) : status;
}

/// A view of the dimensions of `x` whose bit in `axes` is `reduced`.
View select(const View &x, uint32_t axes, uint32_t reduced) {
  View result = x;
  result.rank = 0;
  for (int32_t d = 0; d < x.rank; ++d)
    if ((axes >> d & 1) == reduced) {
      result.shape[result.rank] = x.shape[d];
      result.strides[result.rank++] = x.strides[d];
    }
  return result;
}

/// Reduces into `output`, contiguous, that has the kept dimensions alone. There
/// are elements.
Status reduceInto(const KernelLibrary &library, ReduceKernel kernel,
                  const View &x, uint32_t axes, const View &output) {
  Reduction reduction;
  reduction.kernel = kernel;
  reduction.task = library[kernel].task;
  reduction.reduced.add(select(x, axes, 1));
  reduction.reduced.simplify();
  if (reduction.reduced.rank > ReduceWords::kernelDims) {
    View gathered;
    Status status = gather(library, x, axes, gathered);
    uint32_t trailing = allAxes << output.rank;
    return status.ok() ? reduceInto(library, kernel, gathered, trailing, output)
                       : status;
  }
  reduction.kept.add(output);
  reduction.kept.add(select(x, axes, 0));
  // Where backward dimensions were turned, the first element is another.
  reduction.kept.operands[1].data = reduction.reduced.operands[0].data;
  if (int64_t block = blockRows(reduction))
    return runInBlocks(library, reduction, block);
  return run(library, reduction);
}

/// Without elements to reduce there is a result only for sums.
Status fillEmpty(const KernelLibrary &library, ReduceKernel kernel,
                 const View &result) {
  if (result.size() == 0)
    return {};
  if (kernel != ReduceKernel::ReduceSum)
    return {NDL_INVALID_ARGUMENT,
            std::string(nameOf(kernel)) +
                " of no elements has no value; the array is empty along a "
                "reduced axis"};
  return fill(library, result, Scalar::f32(0));
}

} // namespace

Status reduce(const KernelLibrary &library, ReduceKernel kernel, const View &x,
              uint32_t axes, bool keepDims, View &result) {
  const KernelSlot &slot = library[kernel];
  if (x.dtype != NDL_DTYPE_F32)
    return {NDL_INVALID_ARGUMENT, std::string(nameOf(kernel)) +
                                      " takes f32 arrays, not " +
                                      dtypeName(x.dtype)};
  if (!slot.task && !library.device())
    return missingKernel(nameOf(kernel));
  View kept = select(x, axes, 0);
  // A copy also of zeros' signs; but a range changes single elements, too.
  bool isRange =
      kernel == ReduceKernel::RangeMin || kernel == ReduceKernel::RangeMax;
  if (kept.rank == x.rank && !isRange)
    return compact(library, x, result);
  slot.launches.fetch_add(1, std::memory_order_relaxed);
  View made;
  Status status = allocate(library, NDL_DTYPE_F32, kept.rank, kept.shape, made);
  if (!status.ok())
    return status;
  status = x.size() == 0 ? fillEmpty(library, kernel, made)
                         : reduceInto(library, kernel, x, axes, made);
  if (!status.ok())
    return status;
  if (keepDims) {
    made.rank = x.rank;
    for (int32_t d = 0; d < x.rank; ++d)
      made.shape[d] = (axes >> d & 1) ? 1 : x.shape[d];
    rowMajorStrides(made.rank, made.shape, made.strides);
  }
  result = std::move(made);
  return {};
}

} // namespace ndl::eager
