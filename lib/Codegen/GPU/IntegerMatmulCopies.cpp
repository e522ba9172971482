//===- IntegerMatmulCopies.cpp - Operands to shared memory ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "IntegerMatmul.h"

using namespace mlir;
using namespace needle::cuda;

/// Bytes of a row that a thread copies at once.
static constexpr int64_t chunkBytes = 16;

Value IntegerMatmul::stageOf(Value part) {
  Value stage = b.rem(part, b.i64(tile.stages));
  int64_t bytes = int64_t(tile.rows + tile.columns) * tile.depth;
  return b.advance(memory, b.mul(stage, b.i64(bytes)), i8);
}

/// Where chunk `chunk` of a row lies: eight rows of one chunk are in different
/// banks, so that a warp reads a matrix at once.
Value IntegerMatmul::swizzled(Value row, Value chunk) {
  Value place = b.bitXor(chunk, b.remBy(b.divBy(row, 2), 4));
  return b.add(b.mul(row, b.i64(tile.depth)), b.mul(place, b.i64(chunkBytes)));
}

void IntegerMatmul::forEachChunk(const Operand &operand, Value first,
                                 Value last, bool guarded,
                                 function_ref<void(Value, Value, Value)> emit) {
  int64_t chunksOfRow = tile.depth / chunkBytes;
  int64_t chunks = operand.rows * chunksOfRow;
  Value zero = b.i64(0);
  for (int64_t i = 0; i < chunks; i += blockThreads) {
    Value index = b.add(b.threadIndex(), b.i64(i));
    Value row = b.divBy(index, chunksOfRow),
          chunk = b.remBy(index, chunksOfRow);
    Value term = b.add(first, b.mul(chunk, b.i64(chunkBytes)));
    Value bytes = b.min(b.max(b.sub(last, term), zero), b.i64(chunkBytes));
    Value exists = b.less(index, b.i64(chunks));
    Value isWanted = b.bitAnd(exists, b.less(row, operand.rowsLeft));
    bytes = b.select(isWanted, bytes, zero);
    // What is not read still has an address inside of the operand.
    Value isRead = b.less(zero, bytes);
    Value offset = b.add(b.mul(row, operand.stride), term);
    Value from = b.advance(operand.global, b.select(isRead, offset, zero), i8);
    auto emitChunk = [&] {
      emit(from, b.add(b.i64(operand.sharedOffset), swizzled(row, chunk)),
           bytes);
    };
    if (guarded && i + blockThreads > chunks)
      b.ifThen(exists, emitChunk);
    else
      emitChunk();
  }
}

void IntegerMatmul::emitCopyAsynchronously(Value part, Value first,
                                           Value last) {
  Value stage = stageOf(part);
  Value term = b.add(first, b.mul(part, b.i64(tile.depth)));
  b.ifThen(b.less(term, last), [&] {
    for (const Operand &operand : operands)
      forEachChunk(operand, term, last, /*guarded=*/true,
                   [&](Value from, Value offset, Value bytes) {
                     b.call(
                         "llvm.nvvm.cp.async.cg.shared.global.16.s", {},
                         {b.advance(stage, offset, i8), from, b.toI32(bytes)});
                   });
  });
  b.call("llvm.nvvm.cp.async.commit.group", {}, {});
}

/// The bytes of four words that are among the first `bytes` ones.
IntegerMatmul::Values IntegerMatmul::emitMasked(Value words, Value bytes) {
  Values masked;
  for (int64_t i = 0; i < 4; ++i) {
    Value valid = b.min(b.max(b.sub(bytes, b.i64(4 * i)), b.i64(0)), b.i64(4));
    // All ones shifted out of 64 bits, as 32 would lose none.
    Value mask = arith::ShLIOp::create(b, b.i64(-1), b.mul(valid, b.i64(8)));
    mask = b.bitXor(b.toI32(mask), b.i32(-1));
    masked.push_back(b.bitAnd(vector::ExtractOp::create(b, words, i), mask));
  }
  return masked;
}

/// The chunks of both operands that this thread copies, each a vector.
IntegerMatmul::Values IntegerMatmul::emitLoad(Value part, Value first,
                                              Value last) {
  Values chunks;
  VectorType type = b.vec(4, i32);
  Value term = b.add(first, b.mul(part, b.i64(tile.depth)));
  for (const Operand &operand : operands)
    forEachChunk(operand, term, last, /*guarded=*/false,
                 [&](Value from, Value, Value bytes) {
                   Value words = b.load(type, from, chunkBytes);
                   chunks.push_back(vector::FromElementsOp::create(
                       b, type, emitMasked(words, bytes)));
                 });
  return chunks;
}

void IntegerMatmul::emitStore(ArrayRef<Value> chunks, Value part) {
  Value stage = stageOf(part), zero = b.i64(0);
  for (const Operand &operand : operands)
    forEachChunk(
        operand, zero, zero, /*guarded=*/true, [&](Value, Value offset, Value) {
          b.store(chunks.front(), b.advance(stage, offset, i8), chunkBytes);
          chunks = chunks.drop_front();
        });
}
