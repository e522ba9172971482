//===- ReduceKernel.cpp - Reductions of a library -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements side by side along the reduced dimension are combined in lanes,
// elements side by side along the kept one each in a lane of its own, all
// others one by one. Partial results of a block are combined in f64 where the
// kernel is wide.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"

using namespace mlir;
using namespace needle::cpu;

/// Elements that are combined in f32 before the result is carried on in f64:
/// along a row, where they are spread over `rowVectors` vectors, and along a
/// column.
static constexpr int64_t rowBlock = 4096, columnBlock = 512;
/// Independent accumulators, which hide the latency of an addition.
static constexpr unsigned rowVectors = 8, columnVectors = 8;

/// How many lines of columns ahead memory is fetched.
static constexpr int64_t prefetchedLines = 12;

namespace {

class ReduceKernel {
public:
  ReduceKernel(KernelBuilder &b, ReduceKernelOp op, const CPUTarget &target,
               Value context);

  void emit(Value begin, Value end);

private:
  using Values = SmallVector<Value>;

  /// A neutral f32, or vector of them for lanes > 0.
  Value identity(unsigned lanes = 0);
  Value combine(Value a, Value x, Type element = {}) {
    return emitElements(b, body, {a, x}, element).front();
  }
  /// Carried results: of f64 where the kernel is wide.
  Value carry(Value narrow);
  Value finish(Value carried);
  Value combineCarried(Value carried, Value narrow);

  void emitRow(Value output, Value input);
  Value emitRowBlock(Value input, Value size);
  Value emitLanes(Value vector);

  void emitColumns(Value output, Value input);
  void emitPrefetch(Value line, unsigned bytes);
  void emitColumnsAt(Value output, Value input, Value first, unsigned vectors,
                     unsigned lanes);

  void emitElement(Value output, Value input);

  /// Visits (r0, blocks of r1); `emitBlock` gets a pointer to the block's first
  /// element, its size, and the carried values.
  Values
  emitBlocks(Value input, int64_t blockSize, Values carried,
             function_ref<Values(Value input, Value size, ValueRange carried)>
                 emitBlock);

  KernelBuilder &b;
  Block &body;
  bool wide;
  APFloat neutral;
  unsigned lanes;
  Type f32;
  Value kept[2], reduced[2];
  Value output, input, outputStrides[2], keptStrides[2], reducedStrides[2];
};

} // namespace

ReduceKernel::ReduceKernel(KernelBuilder &b, ReduceKernelOp op,
                           const CPUTarget &target, Value context)
    : b(b), body(op.getBody().front()), wide(op.getWide()),
      neutral(op.getIdentity()), lanes(target.lanes()), f32(b.getF32Type()) {
  ContextReader reader(b, context);
  auto words = [&](Value(&values)[2]) {
    for (Value &value : values)
      value = reader.nextWord();
  };
  words(kept);
  words(reduced);
  output = reader.nextPointer();
  words(outputStrides);
  input = reader.nextPointer();
  words(keptStrides);
  words(reducedStrides);
}

Value ReduceKernel::identity(unsigned lanes) {
  Value scalar = b.constant(b.getF32FloatAttr(neutral.convertToFloat()));
  return lanes ? b.broadcast(scalar, b.vec(lanes, f32)) : scalar;
}

Value ReduceKernel::carry(Value narrow) {
  if (!wide)
    return narrow;
  Type type = b.getF64Type();
  if (auto vector = dyn_cast<VectorType>(narrow.getType()))
    type = vector.clone(type);
  return arith::ExtFOp::create(b, type, narrow);
}

Value ReduceKernel::finish(Value carried) {
  if (!wide)
    return carried;
  Type type = f32;
  if (auto vector = dyn_cast<VectorType>(carried.getType()))
    type = vector.clone(type);
  return arith::TruncFOp::create(b, type, carried);
}

Value ReduceKernel::combineCarried(Value carried, Value narrow) {
  return combine(carried, carry(narrow), wide ? b.getF64Type() : f32);
}

void ReduceKernel::emit(Value begin, Value end) {
  auto nest = [&](bool eachColumn, function_ref<void(Value, Value)> emitInner) {
    b.loop(begin, end, 1, [&](Value i0) {
      Value to = b.advance(output, b.mul(i0, outputStrides[0]), f32);
      Value from = b.advance(input, b.mul(i0, keptStrides[0]), f32);
      if (!eachColumn)
        return emitInner(to, from);
      b.loop(b.i64(0), kept[1], 1, [&](Value i1) {
        emitInner(b.advance(to, b.mul(i1, outputStrides[1]), f32),
                  b.advance(from, b.mul(i1, keptStrides[1]), f32));
      });
    });
  };
  Value one = b.i64(1);
  Value isColumn = arith::AndIOp::create(b, b.equal(keptStrides[1], one),
                                         b.equal(outputStrides[1], one));
  b.ifThenElse(
      b.equal(reducedStrides[1], one),
      [&] { nest(true, [&](Value to, Value from) { emitRow(to, from); }); },
      [&] {
        b.ifThenElse(
            isColumn,
            [&] {
              nest(false, [&](Value to, Value from) { emitColumns(to, from); });
            },
            [&] {
              nest(true, [&](Value to, Value from) { emitElement(to, from); });
            });
      });
}

ReduceKernel::Values ReduceKernel::emitBlocks(
    Value input, int64_t blockSize, Values carried,
    function_ref<Values(Value, Value, ValueRange)> emitBlock) {
  ValueRange results =
      b.loop(b.i64(0), reduced[0], 1, carried, [&](Value r0, ValueRange outer) {
        Value line = b.advance(input, b.mul(r0, reducedStrides[0]), f32);
        ValueRange inner = b.loop(
            b.i64(0), reduced[1], blockSize, outer,
            [&](Value r1, ValueRange values) {
              Value size = b.min(b.sub(reduced[1], r1), b.i64(blockSize));
              Value at = b.advance(line, b.mul(r1, reducedStrides[1]), f32);
              return emitBlock(at, size, values);
            });
        return Values(inner);
      });
  return Values(results);
}

//===----------------------------------------------------------------------===//
// Neighbours along the reduced dimension
//===----------------------------------------------------------------------===//

void ReduceKernel::emitRow(Value output, Value input) {
  Values result = emitBlocks(
      input, rowBlock, {carry(identity())},
      [&](Value at, Value size, ValueRange carried) -> Values {
        return {combineCarried(carried.front(), emitRowBlock(at, size))};
      });
  b.store(finish(result.front()), output, 4);
}

/// The lanes of a vector combined, in pairs.
Value ReduceKernel::emitLanes(Value vector) {
  Values values;
  for (unsigned i = 0; i < lanes; ++i)
    values.push_back(vector::ExtractOp::create(b, vector, int64_t(i)));
  for (unsigned count = lanes / 2; count > 0; count /= 2)
    for (unsigned i = 0; i < count; ++i)
      values[i] = combine(values[i], values[i + count]);
  return values.front();
}

Value ReduceKernel::emitRowBlock(Value input, Value size) {
  VectorType vector = b.vec(lanes, f32);
  int64_t step = rowVectors * lanes;
  Value rest = b.rem(size, b.i64(step));
  Value last = b.rem(size, b.i64(lanes));
  Value whole = b.sub(size, rest), vectors = b.sub(size, last);
  Values sums(rowVectors, identity(lanes));
  ValueRange unrolled =
      b.loop(b.i64(0), whole, step, sums, [&](Value at, ValueRange carried) {
        Values next;
        for (auto [i, sum] : llvm::enumerate(carried)) {
          Value place = b.add(at, b.i64(int64_t(i) * lanes));
          next.push_back(
              combine(sum, b.load(vector, b.advance(input, place, f32), 4)));
        }
        return next;
      });
  Values left(unrolled);
  for (unsigned count = rowVectors / 2; count > 0; count /= 2)
    for (unsigned i = 0; i < count; ++i)
      left[i] = combine(left[i], left[i + count]);
  ValueRange single =
      b.loop(whole, vectors, lanes, left.front(),
             [&](Value at, ValueRange carried) -> Values {
               return {combine(carried.front(),
                               b.load(vector, b.advance(input, at, f32), 4))};
             });
  ValueRange result =
      b.loop(b.i64(0), last, 1, emitLanes(single.front()),
             [&](Value at, ValueRange carried) -> Values {
               Value place = b.advance(input, b.add(vectors, at), f32);
               return {combine(carried.front(), b.load(f32, place, 4))};
             });
  return result.front();
}

//===----------------------------------------------------------------------===//
// Neighbours along the kept dimension
//===----------------------------------------------------------------------===//

void ReduceKernel::emitColumns(Value output, Value input) {
  int64_t step = columnVectors * lanes;
  Value size = kept[1];
  Value rest = b.rem(size, b.i64(step)), last = b.rem(size, b.i64(lanes));
  Value whole = b.sub(size, rest), vectors = b.sub(size, last);
  b.loop(b.i64(0), whole, step, [&](Value first) {
    emitColumnsAt(output, input, first, columnVectors, lanes);
  });
  b.loop(whole, vectors, lanes,
         [&](Value first) { emitColumnsAt(output, input, first, 1, lanes); });
  b.loop(b.i64(0), last, 1, [&](Value i) {
    emitColumnsAt(output, input, b.add(vectors, i), 1, 0);
  });
}

/// Fetches `bytes` of a line further down: lines lie in different pages, which
/// the hardware does not look ahead across.
void ReduceKernel::emitPrefetch(Value line, unsigned bytes) {
  Value ahead = b.mul(reducedStrides[1], b.i64(prefetchedLines));
  Value start = b.advance(line, ahead, f32);
  for (unsigned offset = 0; offset < bytes; offset += 64)
    LLVM::Prefetch::create(b, b.advance(start, b.i64(offset), b.getI8Type()),
                           /*rw=*/0, /*hint=*/3, /*cache=*/1);
}

/// The columns [first, first + vectors · lanes), or one for 0 lanes.
void ReduceKernel::emitColumnsAt(Value output, Value input, Value first,
                                 unsigned vectors, unsigned lanes) {
  Type type = lanes ? Type(b.vec(lanes, f32)) : f32;
  auto place = [&](Value start, unsigned i) {
    return b.advance(start, b.i64(int64_t(i) * lanes), f32);
  };
  Values neutral(vectors, identity(lanes));
  Values results = emitBlocks(
      b.advance(input, first, f32), columnBlock,
      Values(vectors, carry(neutral.front())),
      [&](Value at, Value size, ValueRange carried) {
        ValueRange sums =
            b.loop(b.i64(0), size, 1, neutral, [&](Value r, ValueRange narrow) {
              Value line = b.advance(at, b.mul(r, reducedStrides[1]), f32);
              emitPrefetch(line, vectors * lanes * 4);
              Values next;
              for (auto [i, sum] : llvm::enumerate(narrow))
                next.push_back(combine(sum, b.load(type, place(line, i), 4)));
              return next;
            });
        Values next;
        for (auto [sum, narrow] : llvm::zip_equal(carried, sums))
          next.push_back(combineCarried(sum, narrow));
        return next;
      });
  Value to = b.advance(output, first, f32);
  for (auto [i, result] : llvm::enumerate(results))
    b.store(finish(result), place(to, i), 4);
}

//===----------------------------------------------------------------------===//
// No neighbours
//===----------------------------------------------------------------------===//

void ReduceKernel::emitElement(Value output, Value input) {
  Values result = emitBlocks(
      input, columnBlock, {carry(identity())},
      [&](Value at, Value size, ValueRange carried) -> Values {
        ValueRange sum =
            b.loop(b.i64(0), size, 1, identity(),
                   [&](Value r, ValueRange narrow) -> Values {
                     Value place =
                         b.advance(at, b.mul(r, reducedStrides[1]), f32);
                     return {combine(narrow.front(), b.load(f32, place, 4))};
                   });
        return {combineCarried(carried.front(), sum.front())};
      });
  b.store(finish(result.front()), output, 4);
}

void needle::cpu::emitReduceKernel(KernelBuilder &b, ReduceKernelOp kernel,
                                   const CPUTarget &target,
                                   TaskArguments task) {
  ReduceKernel(b, kernel, target, task.context).emit(task.begin, task.end);
}
