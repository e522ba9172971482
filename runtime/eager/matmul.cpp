// Matrix products of any rank: broadcasting, batches, scratch memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/matmul.h"

#include "eager/batch.h"
#include "eager/copy.h"
#include "eager/device.h"
#include "eager/elementwise.h"
#include "eager/loop_nest.h"

#include "aligned_memory.h"
#include "dtype.h"
#include "float_environment.h"

#include <algorithm>

namespace ndl::eager {
namespace {

/// Multiply-accumulates below which a product stays on the calling thread.
constexpr double parallelMacs = 1 << 20;
/// Scratch memory that a thread keeps for its next product.
constexpr size_t keptScratch = size_t(8) << 20;

/// Memory for packed operands that the next product of this thread uses again.
class Scratch {
public:
  explicit Scratch(size_t bytes) : large(bytes > keptScratch) {
    static thread_local GrowingMemory kept;
    memory = (large ? own : kept).reserve(bytes);
  }
  /// Null if there is none.
  uint8_t *get() const { return memory; }

private:
  bool large;
  GrowingMemory own;
  uint8_t *memory;
};

Status shapeError(const View &a, const View &b, const char *what) {
  return {NDL_INVALID_ARGUMENT, "cannot multiply arrays of shapes " +
                                    formatShape(a.rank, a.shape) + " and " +
                                    formatShape(b.rank, b.shape) + ": " + what};
}

/// Checks the operands and sets the shape of the result.
Status checkOperands(const View &a, const View &b, NdlDType dtype,
                     int32_t &rank, int64_t *shape) {
  for (const View *x : {&a, &b})
    if (x->dtype != dtype)
      return {NDL_INVALID_ARGUMENT, std::string("this product takes ") +
                                        dtypeName(dtype) + " arrays, not " +
                                        dtypeName(x->dtype)};
  if (a.rank < 2 || b.rank < 2)
    return shapeError(a, b, "both need at least two dimensions");
  if (a.shape[a.rank - 1] != b.shape[b.rank - 2])
    return shapeError(a, b,
                      "the last dimension of the first must be the last but "
                      "one of the second");
  if (!broadcastShapes(a.rank - 2, a.shape, b.rank - 2, b.shape, rank, shape)
           .ok())
    return shapeError(a, b, "the leading dimensions do not broadcast");
  shape[rank++] = a.shape[a.rank - 2];
  shape[rank++] = b.shape[b.rank - 1];
  return {};
}

/// The matrix that the last two dimensions are, without the others.
MatrixRef matrixOf(const View &x) {
  return {x.data(), x.strides[x.rank - 2], x.strides[x.rank - 1]};
}

View leadingDims(const View &x) {
  View leading = x;
  leading.rank -= 2;
  return leading;
}

Batch makeBatch(const View &a, const View &b, const View &result) {
  Batch batch;
  int64_t columns = b.shape[b.rank - 1];
  batch.shape = {a.shape[a.rank - 2], a.shape[a.rank - 1], columns};
  batch.lhs = matrixOf(a);
  batch.rhs = matrixOf(b);
  batch.nest.add(leadingDims(result));
  batch.nest.addBroadcast(leadingDims(a));
  batch.nest.addBroadcast(leadingDims(b));
  batch.nest.simplify();
  return batch;
}

/// Products with one right-hand side are a single one with more rows, where
/// these follow each other at equal distances.
void fold(Batch &batch) {
  LoopNest &nest = batch.nest;
  int64_t &rows = batch.shape.rows;
  while (nest.rank > 0) {
    int32_t d = nest.rank - 1;
    int64_t stride = nest.operands[1].strides[d];
    if (nest.extents[d] > 1) {
      if (nest.operands[2].strides[d] != 0 ||
          (rows > 1 && stride != rows * batch.lhs.rowStride))
        return;
      if (rows == 1)
        batch.lhs.rowStride = stride;
      rows *= nest.extents[d];
    }
    --nest.rank;
  }
}

bool isDirect(const Batch &batch, const Contraction &contraction) {
  int64_t products = 1; // with the same right-hand side
  for (int32_t d = 0; d < batch.nest.rank; ++d)
    if (batch.nest.operands[2].strides[d] == 0)
      products *= batch.nest.extents[d];
  return contraction.isDirect(batch.rhs, products);
}

/// The products [begin, end), one after the other.
Status runProducts(const Batch &batch, const Contraction &contraction,
                   uint8_t *scratch, int64_t begin, int64_t end) {
  bool direct = isDirect(batch, contraction);
  uint8_t *workspace = scratch + contraction.packedBytes();
  const uint8_t *packed = nullptr;
  for (int64_t i = begin; i < end; ++i) {
    ProductPlace place = batch.placeOf(i);
    Status status;
    if (!direct && place.rhs.data != packed)
      status = contraction.pack(place.rhs, scratch);
    packed = place.rhs.data;
    if (direct)
      status =
          contraction.runDirect(place.lhs, place.rhs, scratch, place.result);
    else if (status.ok())
      status = contraction.run(place.lhs, scratch, workspace, place.result);
    if (!status.ok())
      return status;
  }
  return {};
}

/// What threads share that run products of a batch.
struct SharedBatch {
  const Batch &batch;
  const Contraction &contraction;
  uint8_t *scratch;
  int64_t scratchBytes;
};

void runShare(void *context, int64_t begin, int64_t end, int64_t worker) {
  const auto &shared = *static_cast<const SharedBatch *>(context);
  // Cannot fail: each product runs on one thread.
  (void)runProducts(shared.batch, shared.contraction,
                    shared.scratch + worker * shared.scratchBytes, begin, end);
}

/// Threads take whole products where there are enough of them, and share each
/// one otherwise.
Status run(const KernelLibrary &library, Batch &batch) {
  fold(batch);
  if (library.device()) {
    library[batch.kernel].run.launches.fetch_add(1, std::memory_order_relaxed);
    return library.device()->multiply(batch);
  }
  int64_t count = batch.nest.size();
  const ContractionShape &shape = batch.shape;
  double macs = static_cast<double>(shape.rows) *
                static_cast<double>(shape.depth) *
                static_cast<double>(shape.columns);
  int64_t threads = library.threads();
  bool parallel =
      threads > 1 && macs * static_cast<double>(count) >= parallelMacs;
  bool shareBatch =
      parallel && count > 1 && (count >= threads || macs < parallelMacs);
  Contraction contraction;
  Status status = Contraction::plan(library, batch.kernel, shape,
                                    parallel && !shareBatch ? threads : 1,
                                    batch.params, contraction);
  if (!status.ok())
    return status;
  int64_t bytes =
      isDirect(batch, contraction)
          ? contraction.directBytes()
          : contraction.packedBytes() + contraction.workspaceBytes();
  int64_t shares = shareBatch ? threads : 1;
  Scratch scratch(static_cast<size_t>(bytes) * static_cast<size_t>(shares));
  if (!scratch.get())
    return {NDL_OUT_OF_MEMORY, "no memory for " +
                                   std::to_string(bytes * shares) +
                                   " bytes of packed matrices"};
  if (shareBatch) {
    SharedBatch shared{batch, contraction, scratch.get(), bytes};
    return library.parallelFor(runShare, &shared, count);
  }
  DefaultFloatEnvironment environment;
  return runProducts(batch, contraction, scratch.get(), 0, count);
}

Status checkBias(const View &b, const View *bias) {
  if (bias && (bias->dtype != NDL_DTYPE_F32 || bias->rank != 1 ||
               bias->shape[0] != b.shape[b.rank - 1]))
    return {NDL_INVALID_ARGUMENT, "the bias of a product with " +
                                      std::to_string(b.shape[b.rank - 1]) +
                                      " columns must be as many f32, not " +
                                      dtypeName(bias->dtype) + " of shape " +
                                      formatShape(bias->rank, bias->shape)};
  return {};
}

Status checkQuantized(const View &b, QuantParams paramsA, QuantParams paramsB,
                      const View *bias) {
  for (QuantParams params : {paramsA, paramsB})
    if (Status status = checkParams(params); !status.ok())
      return status;
  return checkBias(b, bias);
}

/// Adds one number for each column, in place.
Status addBias(const KernelLibrary &library, const View &bias,
               const View &result) {
  View rows;
  Status status = broadcastView(bias, result.rank, result.shape, rows);
  const View *operands[] = {&result, &rows};
  return status.ok()
             ? mapInto(library, MapKernel::EwiseAdd, result, operands, nullptr)
             : status;
}

} // namespace

ProductPlace Batch::placeOf(int64_t index) const {
  int64_t offsets[3] = {};
  for (int32_t d = nest.rank - 1; d >= 0; --d) {
    int64_t i = index % nest.extents[d];
    index /= nest.extents[d];
    for (int32_t operand = 0; operand < 3; ++operand)
      offsets[operand] += i * nest.operands[operand].strides[d] *
                          nest.operands[operand].elementBytes;
  }
  ProductPlace place{nest.operands[0].data + offsets[0], lhs, rhs};
  place.lhs.data = nest.operands[1].data + offsets[1];
  place.rhs.data = nest.operands[2].data + offsets[2];
  return place;
}

Status matmul(const KernelLibrary &library, const View &a, const View &b,
              View &result, const View *bias) {
  int32_t rank;
  int64_t shape[maxRank];
  View made;
  Status status = checkOperands(a, b, NDL_DTYPE_F32, rank, shape);
  if (status.ok())
    status = checkBias(b, bias);
  if (status.ok())
    status = allocate(library, NDL_DTYPE_F32, rank, shape, made);
  if (!status.ok())
    return status;
  if (made.size() > 0) {
    Batch batch = makeBatch(a, b, made);
    batch.kernel = ContractionKernel::MatmulF32;
    status = run(library, batch);
    if (status.ok() && bias)
      status = addBias(library, *bias, made);
  }
  if (status.ok())
    result = std::move(made);
  return status;
}

Status quantizedMatmul(const KernelLibrary &library, const View &a,
                       QuantParams paramsA, const View &b, QuantParams paramsB,
                       const View *bias, View &result) {
  int32_t rank;
  int64_t shape[maxRank];
  View made, vectors;
  Status status = checkOperands(a, b, NDL_DTYPE_U8, rank, shape);
  if (status.ok())
    status = checkQuantized(b, paramsA, paramsB, bias);
  if (status.ok())
    status = allocate(library, NDL_DTYPE_F32, rank, shape, made);
  // One scale for each column, then the bias.
  int64_t columns = status.ok() ? shape[rank - 1] : 0;
  int64_t numVectors = bias ? 2 : 1;
  int64_t vectorShape[] = {numVectors, columns};
  if (status.ok())
    status = allocate(library, NDL_DTYPE_F32, 2, vectorShape, vectors);
  if (!status.ok())
    return status;
  if (made.size() > 0) {
    Batch batch = makeBatch(a, b, made);
    auto *scales = reinterpret_cast<float *>(vectors.data());
    View row = vectors;
    row.rank = 1;
    row.shape[0] = columns;
    row.strides[0] = 1;
    // N5: of the f32 scales, rounded to f32.
    status = fill(library, row, Scalar::f32(paramsA.scale * paramsB.scale));
    batch.params = {paramsA.zeroPoint, paramsB.zeroPoint, scales, nullptr};
    batch.kernel = ContractionKernel::MatmulU8U8F32;
    if (status.ok() && bias) {
      row.offset = columns;
      status = copyInto(library, row, *bias);
      batch.params.bias = scales + columns;
      batch.kernel = ContractionKernel::MatmulU8U8F32Bias;
    }
    if (status.ok())
      status = run(library, batch);
  }
  if (status.ok())
    result = std::move(made);
  return status;
}

} // namespace ndl::eager
