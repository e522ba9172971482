//===- ReduceKernel.cpp - Reductions of a library -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block for each result where there is much to reduce: its threads take
// elements in turns, then lanes and warps are combined in an order of their
// own. A thread for each result where there is little, or where the elements of
// neighbouring results lie side by side. Results depend on extents alone. Where
// a kernel is wide, all partial results are f64.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"

#include "../Common/KernelBody.h"

using namespace mlir;
using namespace needle;
using namespace needle::cuda;

namespace {

class ReduceKernel {
public:
  ReduceKernel(GPUBuilder &b, ModuleOp module, cpu::ReduceKernelOp op,
               Value context);

  void emitBlockForEach(StringRef name);
  void emitThreadForEach();

private:
  static constexpr unsigned numWarps = blockThreads / warpThreads;

  /// The pointers of result `index` of all kept ones.
  struct Place {
    Value output, input;
  };
  Place placeOf(Value index);
  /// The elements `begin`, `begin` + step, … of what is reduced, combined.
  Value emitElements(Value input, Value begin, int64_t step);
  Value combine(Value a, Value x) {
    return codegen::emitElements(b, body, {a, x}, carried).front();
  }
  Value emitShuffle(Value value, int mask);
  void emitStore(Value result, Value output);

  GPUBuilder &b;
  ModuleOp module;
  Block &body;
  Type f32, carried; ///< f64 where the kernel is wide
  APFloat neutral;
  Value kept[2], reduced[2];
  Value output, input, outputStrides[2], keptStrides[2], reducedStrides[2];
};

} // namespace

ReduceKernel::ReduceKernel(GPUBuilder &b, ModuleOp module,
                           cpu::ReduceKernelOp op, Value context)
    : b(b), module(module), body(op.getBody().front()), f32(b.getF32Type()),
      carried(op.getWide() ? Type(b.getF64Type()) : f32),
      neutral(op.getIdentity()) {
  codegen::ContextReader reader(b, context);
  auto words = [&](Value(&values)[2]) {
    for (Value &value : values)
      value = reader.nextWord();
  };
  words(kept);
  words(reduced);
  output = b.toGlobal(reader.nextWord());
  words(outputStrides);
  input = b.toGlobal(reader.nextWord());
  words(keptStrides);
  words(reducedStrides);
}

ReduceKernel::Place ReduceKernel::placeOf(Value index) {
  Value outer = arith::DivUIOp::create(b, index, kept[1]);
  Value inner = arith::RemUIOp::create(b, index, kept[1]);
  auto advance = [&](Value pointer, Value(&strides)[2]) {
    Value offset = b.add(b.mul(outer, strides[0]), b.mul(inner, strides[1]));
    return b.advance(pointer, offset, f32);
  };
  return {advance(output, outputStrides), advance(input, keptStrides)};
}

Value ReduceKernel::emitElements(Value input, Value begin, int64_t step) {
  Value identity = b.constant(
      carried.isF32() ? b.getF32FloatAttr(neutral.convertToFloat())
                      : TypedAttr(b.getF64FloatAttr(neutral.convertToFloat())));
  ValueRange outer = b.loop(
      b.i64(0), reduced[0], 1, identity, [&](Value r0, ValueRange soFar) {
        Value line = b.advance(input, b.mul(r0, reducedStrides[0]), f32);
        ValueRange inner =
            b.loop(begin, reduced[1], step, soFar,
                   [&](Value r1, ValueRange values) -> SmallVector<Value> {
                     Value at =
                         b.advance(line, b.mul(r1, reducedStrides[1]), f32);
                     Value element = b.load(f32, at, 4);
                     if (carried != f32)
                       element = arith::ExtFOp::create(b, carried, element);
                     return {combine(values.front(), element)};
                   });
        return SmallVector<Value>(inner);
      });
  return outer.front();
}

void ReduceKernel::emitStore(Value result, Value output) {
  if (carried != f32)
    result = arith::TruncFOp::create(b, f32, result);
  b.store(result, output, 4);
}

/// The value of the lane whose index differs in the bits of `mask`.
Value ReduceKernel::emitShuffle(Value value, int mask) {
  unsigned words = carried.getIntOrFloatBitWidth() / 32;
  VectorType type = b.vec(words, b.getI32Type());
  Value parts = LLVM::BitcastOp::create(b, type, value);
  SmallVector<Value> moved;
  for (int64_t i = 0; i < words; ++i)
    moved.push_back(b.shuffleXor(vector::ExtractOp::create(b, parts, i), mask));
  return LLVM::BitcastOp::create(
      b, carried, vector::FromElementsOp::create(b, type, moved));
}

void ReduceKernel::emitBlockForEach(StringRef name) {
  unsigned bytes = carried.getIntOrFloatBitWidth() / 8;
  Value memory = b.shared(module, (name + ".partial").str(), numWarps * bytes);
  Place place = placeOf(b.blockIndex('x'));
  Value thread = b.threadIndex();
  auto overLanes = [&](Value result, int lanes) {
    for (int mask = lanes / 2; mask > 0; mask /= 2)
      result = combine(result, emitShuffle(result, mask));
    return result;
  };
  Value result =
      overLanes(emitElements(place.input, thread, blockThreads), warpThreads);
  Value lane = b.remBy(thread, warpThreads);
  b.ifThen(b.equal(lane, b.i64(0)), [&] {
    b.store(result, b.advance(memory, b.divBy(thread, warpThreads), carried),
            bytes);
  });
  b.barrier();
  b.ifThen(b.less(thread, b.i64(warpThreads)), [&] {
    Value at = b.advance(memory, b.remBy(lane, numWarps), carried);
    Value combined = overLanes(b.load(carried, at, bytes), numWarps);
    b.ifThen(b.equal(lane, b.i64(0)),
             [&] { emitStore(combined, place.output); });
  });
}

void ReduceKernel::emitThreadForEach() {
  Value index =
      b.add(b.mul(b.blockIndex('x'), b.i64(blockThreads)), b.threadIndex());
  b.ifThen(b.less(index, b.mul(kept[0], kept[1])), [&] {
    Place place = placeOf(index);
    emitStore(emitElements(place.input, b.i64(0), 1), place.output);
  });
}

void needle::cuda::emitReduceKernels(ModuleOp module, cpu::ReduceKernelOp op) {
  constexpr unsigned numWords = 12;
  std::string name = op.getSymName().str(), columns = name + "_columns";
  createKernel(module, op.getLoc(), name, numWords, {1, 1},
               [&](GPUBuilder &b, Value context) {
                 ReduceKernel(b, module, op, context).emitBlockForEach(name);
               });
  createKernel(module, op.getLoc(), columns, numWords, {1, blockThreads},
               [&](GPUBuilder &b, Value context) {
                 ReduceKernel(b, module, op, context).emitThreadForEach();
               });
}
