//===- BlockwiseInteger.cpp - Integer products of 4-bit weights -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// N9: the sum of each block is formed exactly in integers, rescaled in f32 and
// added to those of the blocks before it.
//
//===----------------------------------------------------------------------===//

#include "BlockwiseKernel.h"

using namespace mlir;
using namespace needle::cpu;

llvm::StringRef needle::cpu::getByteDotIntrinsic(const CPUTarget &target) {
  // Vectors as wide as these are those of AVX2 and of AVX-512.
  return target.vectorBits == 256   ? "llvm.x86.avx2.pmadd.ub.sw"
         : target.vectorBits == 512 ? "llvm.x86.avx512.pmaddubs.w.512"
                                    : "";
}

int64_t needle::cpu::getActivationBytes(const CPUTarget &target) {
  return getByteDotIntrinsic(target).empty() ? 2 : 1;
}

/// A vector of i32 all of whose elements are `value`.
static Value splat(KernelBuilder &b, VectorType type, int32_t value) {
  return b.constant(SplatElementsAttr::get(type, b.getI32IntegerAttr(value)));
}

/// The four integers of one step of each column as bytes: two steps have their
/// halves of the same bytes until these are unpacked.
BlockwiseKernel::Values
BlockwiseKernel::emitNibbles(Value weights, bool unpacked, unsigned step) {
  Values result;
  int64_t row = unpacked ? step : step / 2;
  for (unsigned v = 0; v < vectors(); ++v) {
    int64_t at = row * tile.columns + int64_t(v) * lanes;
    Value bytes =
        b.load(i32s(), b.advance(weights, b.i64(at), i32), /*alignment=*/16);
    if (!unpacked && step % 2 == 1)
      bytes = arith::ShRUIOp::create(b, bytes, splat(b, i32s(), 4));
    if (!unpacked)
      bytes = arith::AndIOp::create(b, bytes, splat(b, i32s(), 0x0f0f0f0f));
    result.push_back(bytes);
  }
  return result;
}

/// Two sums in 16 bits, for each column, of two products each: of its four
/// integers with the four at `element`.
Value BlockwiseKernel::emitProducts(Value weights, Value element) {
  VectorType pairs = b.vec(2 * lanes, i16);
  auto broadcast = [&](int64_t offset, VectorType type) -> Value {
    Value word = b.load(i32, b.advance(element, b.i64(offset), i8), 4);
    return vector::BitCastOp::create(b, type, b.broadcast(word, i32s()));
  };
  if (!byteDot.empty()) {
    VectorType bytes = b.vec(4 * lanes, i8);
    return LLVM::CallIntrinsicOp::create(
               b, pairs, b.getStringAttr(byteDot),
               ValueRange{vector::BitCastOp::create(b, bytes, weights),
                          broadcast(0, bytes)})
        .getResult(0);
  }
  auto widened = [&](Value words) -> Value {
    words = arith::AndIOp::create(b, words, splat(b, i32s(), 0x00ff00ff));
    return vector::BitCastOp::create(b, pairs, words);
  };
  Value odd = arith::ShRUIOp::create(b, weights, splat(b, i32s(), 8));
  return b.add(b.mul(widened(weights), broadcast(0, pairs)),
               b.mul(widened(odd), broadcast(4, pairs)));
}

/// Adds the two sums in 16 bits of each column, in i32.
Value BlockwiseKernel::emitWiden(Value sums) {
  if (!target.pairDotIntrinsic.empty()) {
    Value ones = b.constant(SplatElementsAttr::get(
        cast<VectorType>(sums.getType()), b.getI16IntegerAttr(1)));
    return LLVM::CallIntrinsicOp::create(
               b, i32s(), b.getStringAttr(target.pairDotIntrinsic),
               ValueRange{sums, ones})
        .getResult(0);
  }
  Value words = vector::BitCastOp::create(b, i32s(), sums);
  Value half = splat(b, i32s(), 16);
  Value low =
      arith::ShRSIOp::create(b, arith::ShLIOp::create(b, words, half), half);
  return b.add(low, arith::ShRSIOp::create(b, words, half));
}

/// `sum` as it is, by an empty piece of x86 assembly: the back end would add
/// the products of a chunk as a tree, for which there are too few registers.
static Value keepOrder(KernelBuilder &b, Value sum) {
  return LLVM::InlineAsmOp::create(
             b, sum.getType(), sum, /*asm_string=*/"", /*constraints=*/"=x,0",
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::tailcallkind::TailCallKind::None,
             /*asm_dialect=*/LLVM::AsmDialectAttr(),
             /*operand_attrs=*/ArrayAttr())
      .getResult(0);
}

BlockwiseKernel::Values BlockwiseKernel::emitChunk(unsigned rows, Rows lhs,
                                                   ValueRange pointers,
                                                   int64_t offset,
                                                   Value weights, bool unpacked,
                                                   ValueRange sums) {
  Values result, products(sums.size());
  if (!unpacked)
    b.prefetchStream(weights, layout.chunkBytes());
  for (unsigned step = 0; step < layout.chunk() / 4; ++step) {
    Values columns = emitNibbles(weights, unpacked, step);
    for (unsigned row = 0; row < rows; ++row) {
      Value element =
          rowElement(pointers, lhs, row, offset + step * 4 * elementBytes());
      for (unsigned v = 0; v < vectors(); ++v) {
        unsigned i = row * vectors() + v;
        Value product = emitProducts(columns[v], element);
        if (step > 0)
          product = b.add(products[i], product);
        products[i] =
            step > 0 && !byteDot.empty() ? keepOrder(b, product) : product;
      }
    }
  }
  for (auto [sum, product] : llvm::zip_equal(sums, products))
    result.push_back(b.add(sum, emitWiden(product)));
  return result;
}

/// What each sum of a block starts with: minus the zero point times the sum of
/// the activations.
BlockwiseKernel::Values BlockwiseKernel::emitCorrections(unsigned rows,
                                                         Rows lhs,
                                                         ValueRange pointers,
                                                         Value header) {
  // A sum of up to 256 activations fits one half of a pair.
  bool inPairs = layout.blockSize <= 256 && !target.pairDotIntrinsic.empty();
  Values zeroPoints, result;
  VectorType pairs = b.vec(2 * lanes, i16);
  if (spec.asymmetric)
    for (unsigned v = 0; v < vectors(); ++v)
      zeroPoints.push_back(loadZeroPoints(header, v));
  for (unsigned row = 0; row < rows; ++row) {
    Value element = rowElement(pointers, lhs, row, 4);
    Value correction = b.broadcast(b.load(i32, element, 4), i32s());
    for (unsigned v = 0; v < vectors(); ++v) {
      if (!spec.asymmetric)
        result.push_back(correction);
      else if (!inPairs)
        result.push_back(b.mul(zeroPoints[v], correction));
      else
        result.push_back(
            LLVM::CallIntrinsicOp::create(
                b, i32s(), b.getStringAttr(target.pairDotIntrinsic),
                ValueRange{vector::BitCastOp::create(b, pairs, zeroPoints[v]),
                           vector::BitCastOp::create(b, pairs, correction)})
                .getResult(0));
    }
  }
  return result;
}

BlockwiseKernel::Values
BlockwiseKernel::emitIntegerTile(unsigned rows, Rows lhs, const Panel &panel) {
  unsigned numSums = rows * vectors();
  int64_t chunkElements = layout.chunk() * elementBytes();
  int64_t blockElements =
      activationHeaderBytes + layout.blockSize * elementBytes();
  int64_t chunkWeights = layout.chunkBytes() * (panel.unpacked ? 2 : 1);
  int64_t blockWeights = panel.unpacked ? chunkWeights * layout.chunksPerBlock()
                                        : layout.blockBytes();
  Values carried(numSums, b.zero(f32s()));
  carried.append({panel.headers, panel.weights});
  llvm::append_range(carried, rowPointers(rows, lhs));

  auto emitBlock = [&](Value block, ValueRange values) {
    Value header = values[numSums];
    ValueRange places = values.drop_front(numSums + 1);
    Values inner = emitCorrections(rows, lhs, places.drop_front(), header);
    llvm::append_range(inner, places);
    inner = forEachChunk(block, inner, [&](ValueRange at) {
      ValueRange pointers = at.drop_front(numSums + 1);
      Values next =
          emitChunk(rows, lhs, pointers, activationHeaderBytes, at[numSums],
                    panel.unpacked, at.take_front(numSums));
      next.push_back(b.advance(at[numSums], b.i64(chunkWeights), i8));
      for (Value pointer : pointers)
        next.push_back(b.advance(pointer, b.i64(chunkElements), i8));
      return next;
    });
    Values next;
    for (unsigned i = 0; i < numSums; ++i) {
      unsigned row = i / vectors(), v = i % vectors();
      Value element = rowElement(places.drop_front(), lhs, row, 0);
      Value scale =
          arith::MulFOp::create(b, b.broadcast(b.load(f32, element, 4), f32s()),
                                loadScales(header, v));
      Value sum = arith::SIToFPOp::create(b, f32s(), inner[i]);
      next.push_back(arith::AddFOp::create(
          b, values[i], arith::MulFOp::create(b, sum, scale)));
    }
    next.push_back(b.advance(header, b.i64(layout.blockBytes()), i8));
    next.push_back(b.advance(places.front(), b.i64(blockWeights), i8));
    for (Value pointer : places.drop_front())
      next.push_back(b.advance(pointer, b.i64(blockElements), i8));
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), blocks, 1, carried, emitBlock).take_front(numSums));
}

/// Halves of bytes become bytes: each of them is read by many tiles.
void BlockwiseKernel::emitUnpackIntegers(Value packed, Value dest) {
  int64_t stepBytes = int64_t(tile.columns) * 4;
  Values places = {b.advance(packed, b.i64(layout.headerBytes()), i8), dest};
  b.loop(
      b.i64(0), blocks, 1, places, [&](Value block, ValueRange at) -> Values {
        Values end = forEachChunk(block, at, [&](ValueRange chunk) -> Values {
          for (unsigned step = 0; step < layout.chunk() / 4; ++step) {
            Values bytes = emitNibbles(chunk[0], /*unpacked=*/false, step);
            for (unsigned v = 0; v < vectors(); ++v) {
              int64_t offset = step * stepBytes + int64_t(v) * lanes * 4;
              b.store(bytes[v], b.advance(chunk[1], b.i64(offset), i8), 16);
            }
          }
          return {b.advance(chunk[0], b.i64(layout.chunkBytes()), i8),
                  b.advance(chunk[1], b.i64(2 * layout.chunkBytes()), i8)};
        });
        return {b.advance(at[0], b.i64(layout.blockBytes()), i8), end[1]};
      });
}
