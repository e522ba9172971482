//===- BlockwiseFloat.cpp - Float products of 4-bit weights ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For few rows, a group of 8 integers of each column is taken apart in
// registers and the scale multiplies the sum of a block; for many, a panel is
// dequantized once (N3) into memory that stays in the cache.
//
//===----------------------------------------------------------------------===//

#include "BlockwiseKernel.h"
#include "DotProduct.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace needle::cpu;

/// Integers at bit 0 or 4 of a word become floats by two bit operations: under
/// the exponent of 2^(23 − bit) that bit has the value 1. With more such places
/// there would be fewer shifts, and more constants than registers.
static constexpr unsigned numPlaces = 2;
static unsigned bitOf(unsigned place) { return 4 * place; }
static float biasOf(unsigned place) {
  return static_cast<float>(1U << (23 - bitOf(place)));
}

/// What has to be subtracted at each place, for each vector of columns: the
/// bias and the zero point, a sum that is exact.
BlockwiseKernel::Values BlockwiseKernel::emitBiases(Value header) {
  auto splat = [&](float value) {
    return b.constant(SplatElementsAttr::get(f32s(), b.getF32FloatAttr(value)));
  };
  Values biases;
  for (unsigned place = 0; place < numPlaces; ++place)
    for (unsigned v = 0; v < vectors(); ++v) {
      if (!spec.asymmetric) {
        biases.push_back(splat(biasOf(place) + 8.0F));
        continue;
      }
      Value zeroPoint =
          arith::SIToFPOp::create(b, f32s(), loadZeroPoints(header, v));
      biases.push_back(
          arith::AddFOp::create(b, splat(biasOf(place)), zeroPoint));
    }
  return biases;
}

void BlockwiseKernel::forEachWeight(
    Value group, ValueRange biases,
    llvm::function_ref<void(unsigned, ValueRange)> use) {
  auto splat = [&](uint32_t value) {
    return b.constant(SplatElementsAttr::get(
        i32s(), b.getI32IntegerAttr(static_cast<int32_t>(value))));
  };
  Values words;
  for (unsigned v = 0; v < vectors(); ++v)
    words.push_back(b.load(i32s(),
                           b.advance(group, b.i64(int64_t(v) * lanes), i32),
                           /*alignment=*/16));
  // Byte i holds the integers of k + i and, in its high half, of k + 4 + i.
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned place = 0; place < numPlaces; ++place) {
      Values weights;
      for (unsigned v = 0; v < vectors(); ++v) {
        Value bits = words[v];
        if (i > 0)
          bits = arith::ShRUIOp::create(b, bits, splat(8 * i));
        bits = arith::AndIOp::create(b, bits, splat(15U << bitOf(place)));
        bits = arith::OrIOp::create(
            b, bits, splat(llvm::bit_cast<uint32_t>(biasOf(place))));
        weights.push_back(
            arith::SubFOp::create(b, arith::BitcastOp::create(b, f32s(), bits),
                                  biases[place * vectors() + v]));
      }
      use(place * 4 + i, weights);
    }
}

BlockwiseKernel::Values BlockwiseKernel::emitFloatTile(unsigned rows, Rows lhs,
                                                       const Panel &panel) {
  return panel.unpacked ? emitUnpackedFloatTile(rows, lhs, panel.weights)
                        : emitPackedFloatTile(rows, lhs, panel);
}

BlockwiseKernel::Values
BlockwiseKernel::emitPackedFloatTile(unsigned rows, Rows lhs,
                                     const Panel &panel) {
  unsigned numSums = rows * vectors();
  // A multiply-add takes four cycles, and two begin in each: of few rows, each
  // sum of a block is formed in several parts.
  unsigned parts = std::max(1U, 8 / numSums), numParts = numSums * parts;
  int64_t groupBytes = int64_t(tile.columns) * 4;
  Values carried(numSums, b.zero(f32s()));
  carried.push_back(panel.headers);
  llvm::append_range(carried, rowPointers(rows, lhs));

  auto emitChunk = [&](ValueRange values, ValueRange biases) {
    Values next(values);
    ValueRange pointers = values.drop_front(numParts + 1);
    for (unsigned group = 0; group < layout.chunk() / 8; ++group) {
      Value words = b.advance(values[numParts], b.i64(group * groupBytes), i8);
      forEachWeight(words, biases, [&](unsigned k, ValueRange weights) {
        for (unsigned row = 0; row < rows; ++row) {
          int64_t offset = (int64_t(group) * 8 + k) * 4;
          Value element = b.broadcast(
              b.load(f32, rowElement(pointers, lhs, row, offset), 4), f32s());
          for (unsigned v = 0; v < vectors(); ++v) {
            Value &sum = next[(row * vectors() + v) * parts + k % parts];
            sum = emitMultiplyAdd(b, target, element, weights[v], sum);
          }
        }
      });
    }
    next[numParts] =
        b.advance(values[numParts], b.i64(layout.chunkBytes()), i8);
    for (auto [i, pointer] : llvm::enumerate(pointers))
      next[numParts + 1 + i] =
          b.advance(pointer, b.i64(layout.chunk() * 4), i8);
    return next;
  };
  auto emitBlock = [&](Value block, ValueRange values) {
    Value header = values[numSums];
    Values biases = emitBiases(header);
    Values inner(numParts, b.zero(f32s()));
    inner.push_back(b.advance(header, b.i64(layout.headerBytes()), i8));
    llvm::append_range(inner, values.drop_front(numSums + 1));
    Values end = forEachChunk(
        block, inner, [&](ValueRange at) { return emitChunk(at, biases); });
    Values next;
    for (unsigned i = 0; i < numSums; ++i) {
      Value sum = end[i * parts];
      for (unsigned part = 1; part < parts; ++part)
        sum = arith::AddFOp::create(b, sum, end[i * parts + part]);
      next.push_back(emitMultiplyAdd(
          b, target, sum, loadScales(header, i % vectors()), values[i]));
    }
    next.append(end.begin() + numParts, end.end());
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), blocks, 1, carried, emitBlock).take_front(numSums));
}

/// The product with a panel of f32, `[K][NR]`.
BlockwiseKernel::Values
BlockwiseKernel::emitUnpackedFloatTile(unsigned rows, Rows lhs, Value weights) {
  unsigned numSums = rows * vectors();
  Values carried(numSums, b.zero(f32s()));
  carried.push_back(weights);
  llvm::append_range(carried, rowPointers(rows, lhs));
  auto step = [&](Value, ValueRange values) {
    Values columns, next;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(b.load(
          f32s(), b.advance(values[numSums], b.i64(int64_t(v) * lanes), f32),
          16));
    ValueRange pointers = values.drop_front(numSums + 1);
    for (unsigned row = 0; row < rows; ++row) {
      Value element = b.broadcast(
          b.load(f32, rowElement(pointers, lhs, row, 0), 4), f32s());
      for (unsigned v = 0; v < vectors(); ++v)
        next.push_back(emitMultiplyAdd(b, target, element, columns[v],
                                       values[row * vectors() + v]));
    }
    next.push_back(b.advance(values[numSums], b.i64(tile.columns), f32));
    for (Value pointer : pointers)
      next.push_back(b.advance(pointer, b.i64(1), f32));
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), arg(BlockwiseArg::Depth), 1, carried, step)
          .take_front(numSums));
}

/// N3 for a whole panel.
void BlockwiseKernel::emitUnpackFloats(Value packed, Value dest) {
  int64_t rowBytes = int64_t(tile.columns) * 4;
  int64_t chunkFloatBytes = layout.chunk() * rowBytes;
  auto emitBlock = [&](Value block, ValueRange at) -> Values {
    Value header = at[0];
    Values biases = emitBiases(header), scales;
    for (unsigned v = 0; v < vectors(); ++v)
      scales.push_back(loadScales(header, v));
    Values places = {b.advance(header, b.i64(layout.headerBytes()), i8), at[1]};
    Values end = forEachChunk(block, places, [&](ValueRange chunk) -> Values {
      for (unsigned group = 0; group < layout.chunk() / 8; ++group) {
        Value words = b.advance(chunk[0], b.i64(group * rowBytes), i8);
        forEachWeight(words, biases, [&](unsigned k, ValueRange weights) {
          Value row = b.advance(chunk[1],
                                b.i64((int64_t(group) * 8 + k) * rowBytes), i8);
          for (unsigned v = 0; v < vectors(); ++v)
            b.store(arith::MulFOp::create(b, weights[v], scales[v]),
                    b.advance(row, b.i64(int64_t(v) * lanes), f32), 16);
        });
      }
      return {b.advance(chunk[0], b.i64(layout.chunkBytes()), i8),
              b.advance(chunk[1], b.i64(chunkFloatBytes), i8)};
    });
    return {b.advance(header, b.i64(layout.blockBytes()), i8), end[1]};
  };
  b.loop(b.i64(0), blocks, 1, ValueRange{packed, dest}, emitBlock);
}
