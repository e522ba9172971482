// Matrix products on a CUDA device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/cuda_launcher.h"

#include "eager/kernel_words.h"

namespace ndl::eager {
namespace {

/// Rows of matrices of u8 start at a multiple of it.
constexpr int64_t rowAlignment = 16;
/// Terms up to which sums of products of u8 fit i32; see IntegerMatmul.cpp.
constexpr int64_t mostTerms = 32768;

/// A matrix that a kernel reads: rows along K, aligned.
struct Rows {
  const uint8_t *data = nullptr;
  int64_t stride = 0;
};

/// Copies operands of products to rows along K, unless they are such rows.
class RowPacker {
public:
  RowPacker(const Device &device, int64_t rows, int64_t depth)
      : device(device), rows(rows), depth(depth) {}

  /// `termStride`: from term to term along K. What was given for the same
  /// matrix last time is given again.
  Status pack(const uint8_t *data, int64_t rowStride, int64_t termStride,
              Rows &packed) {
    if (termStride == 1 && rowStride % rowAlignment == 0 &&
        addressOf(data) % rowAlignment == 0) {
      packed = {data, rowStride};
      return {};
    }
    int64_t stride = (depth + rowAlignment - 1) / rowAlignment * rowAlignment;
    if (data != source) {
      Status status = copy(data, rowStride, termStride, stride);
      if (!status.ok())
        return status;
      source = data;
    }
    packed = {scratch->data(), stride};
    return {};
  }

private:
  Status copy(const uint8_t *data, int64_t rowStride, int64_t termStride,
              int64_t stride) {
    Status status =
        device.allocate(static_cast<size_t>(rows * stride), scratch);
    if (!status.ok())
      return status;
    LoopNest nest;
    nest.rank = 2;
    nest.numOperands = 2;
    nest.extents[0] = rows;
    nest.extents[1] = depth;
    auto set = [&](int32_t i, const uint8_t *start, int64_t outer,
                   int64_t inner) {
      nest.operands[i].data = const_cast<uint8_t *>(start);
      nest.operands[i].elementBytes = 1;
      nest.operands[i].strides[0] = outer;
      nest.operands[i].strides[1] = inner;
    };
    set(0, scratch->data(), stride, 1);
    set(1, data, rowStride, termStride);
    return device.map(MapKernel::CopyU8, nest, nullptr);
  }

  const Device &device;
  int64_t rows, depth;
  StoragePtr scratch;
  const uint8_t *source = nullptr;
};

} // namespace

Status CudaLauncher::multiply(const Batch &batch) const {
  return batch.kernel == ContractionKernel::MatmulF32 ? multiplyFloat(batch)
                                                      : multiplyInteger(batch);
}

Status CudaLauncher::multiplyFloat(const Batch &batch) const {
  const ContractionShape &shape = batch.shape;
  int64_t count = batch.nest.size();
  for (int64_t i = 0; i < count; ++i) {
    ProductPlace place = batch.placeOf(i);
    // In the order of FloatMatmulArg.
    int64_t words[] = {addressOf(place.lhs.data),
                       place.lhs.rowStride,
                       place.lhs.columnStride,
                       addressOf(place.rhs.data),
                       place.rhs.rowStride,
                       place.rhs.columnStride,
                       addressOf(place.result),
                       shape.columns,
                       shape.rows,
                       shape.columns,
                       shape.depth};
    Status status =
        launch(nameOf(batch.kernel), shape.rows, shape.columns, words);
    if (!status.ok())
      return status;
  }
  return {};
}

Status CudaLauncher::multiplyInteger(const Batch &batch) const {
  const ContractionShape &shape = batch.shape;
  bool wide = shape.depth > mostTerms;
  std::string name = nameOf(batch.kernel);
  if (wide)
    name += "_wide";
  RowPacker lhsPacker(*this, shape.rows, shape.depth);
  RowPacker rhsPacker(*this, shape.columns, shape.depth);
  int64_t count = batch.nest.size();
  for (int64_t i = 0; i < count; ++i) {
    ProductPlace place = batch.placeOf(i);
    Rows lhs, rhs;
    Status status = lhsPacker.pack(place.lhs.data, place.lhs.rowStride,
                                   place.lhs.columnStride, lhs);
    if (status.ok())
      status = rhsPacker.pack(place.rhs.data, place.rhs.columnStride,
                              place.rhs.rowStride, rhs);
    if (!status.ok())
      return status;
    // In the order of IntegerMatmulArg.
    int64_t words[] = {addressOf(lhs.data),
                       lhs.stride,
                       batch.params.lhsZeroPoint,
                       addressOf(rhs.data),
                       rhs.stride,
                       batch.params.rhsZeroPoint,
                       addressOf(batch.params.scales),
                       addressOf(batch.params.bias),
                       addressOf(place.result),
                       shape.columns,
                       shape.rows,
                       shape.columns,
                       shape.depth};
    status = launch(name, shape.rows, shape.columns, words);
    if (!status.ok())
      return status;
  }
  return {};
}

} // namespace ndl::eager
