//===- IntegerMatmul.cpp - Products of u8 by matrix instructions ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lies around the copies: from parts in shared memory to results.
//
//===----------------------------------------------------------------------===//

#include "IntegerMatmul.h"

#include "../Common/KernelBody.h"

using namespace mlir;
using namespace needle;
using namespace needle::cuda;

/// Terms whose products of u8 i32 holds the sum of; whole parts of K.
static constexpr int64_t mostTerms = 32768;
static_assert(mostTerms * 255 * 255 <= INT32_MAX);

IntegerMatmul::IntegerMatmul(GPUBuilder &b, ModuleOp module, StringRef name,
                             const CUDATarget &target, const IntegerTile &tile,
                             bool hasBias, Value context)
    : b(b), target(target), tile(tile), hasBias(hasBias), i8(b.getI8Type()),
      i32(b.getI32Type()), i64(b.getI64Type()), f32(b.getF32Type()) {
  codegen::ContextReader reader(b, context);
  for (unsigned i = 0; i < unsigned(IntegerMatmulArg::Count); ++i)
    args.push_back(reader.nextWord());
  memory = b.shared(module, (name + ".tiles").str(), tile.sharedBytes());
  emitPlaces();
}

void IntegerMatmul::emitPlaces() {
  Value thread = b.threadIndex();
  lane = b.remBy(thread, warpThreads);
  group = b.divBy(lane, 4);
  inGroup = b.remBy(lane, 4);
  Value warp = b.divBy(thread, warpThreads);
  int64_t warpsAcross = tile.columns / tile.warpColumns;
  warpRow = b.mul(b.divBy(warp, warpsAcross), b.i64(tile.warpRows));
  warpColumn = b.mul(b.remBy(warp, warpsAcross), b.i64(tile.warpColumns));
  firstRow = b.mul(b.blockIndex('y'), b.i64(tile.rows));
  firstColumn = b.mul(b.blockIndex('x'), b.i64(tile.columns));
  operands[0] = makeOperand(IntegerMatmulArg::Lhs, firstRow,
                            arg(IntegerMatmulArg::Rows), tile.rows, 0);
  operands[1] = makeOperand(IntegerMatmulArg::Rhs, firstColumn,
                            arg(IntegerMatmulArg::Columns), tile.columns,
                            int64_t(tile.rows) * tile.depth);
}

IntegerMatmul::Operand IntegerMatmul::makeOperand(IntegerMatmulArg pointer,
                                                  Value first, Value numRows,
                                                  unsigned rows,
                                                  int64_t sharedOffset) {
  auto field = [&](unsigned i) { return args[unsigned(pointer) + i]; };
  Value stride = field(1);
  return {b.advance(b.toGlobal(field(0)), b.mul(first, stride), i8),
          b.sub(numRows, first), stride, rows, sharedOffset};
}

//===----------------------------------------------------------------------===//
// From shared memory to sums
//===----------------------------------------------------------------------===//

/// Four matrices of 8 rows and 16 bytes, of 16 rows and 32 bytes: of each a
/// thread gets the bytes 4·(lane % 4) of row lane / 4.
IntegerMatmul::Values
IntegerMatmul::emitMatrices(Value stage, int64_t offset, Value warpFirst,
                            unsigned firstRow, unsigned slab, bool rowsFirst) {
  // Each lane has the address of a row of the matrix lane / 8.
  Value matrix = b.divBy(lane, 8);
  Value low = b.remBy(matrix, 2), high = b.divBy(matrix, 2);
  Value rowHalf = rowsFirst ? low : high, chunk = rowsFirst ? high : low;
  Value row = b.add(b.add(warpFirst, b.i64(firstRow)),
                    b.add(b.remBy(lane, 8), b.mul(rowHalf, b.i64(8))));
  Value place = swizzled(row, b.add(chunk, b.i64(2 * int64_t(slab))));
  Value address = b.advance(stage, b.add(place, b.i64(offset)), i8);
  Type words =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {i32, i32, i32, i32});
  return b.unpack(
      b.call("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16", words, address));
}

Value IntegerMatmul::emitByteSum(Value bytes, Value sum) {
  return b.call("llvm.nvvm.idp4a.u.u", i32, {bytes, b.i32(0x01010101), sum});
}

/// All sums of a slab of 32 terms. lhs: for each 16 rows (row half, chunk) with
/// the halves first; rhs: for each 16 columns with the chunks first.
void IntegerMatmul::emitDots(ArrayRef<Value> lhs, ArrayRef<Value> rhs,
                             Values &sums) {
  const MatrixInstruction &dot = target.integerDot;
  std::string intrinsic = (dot.intrinsic + ".u8").str();
  Type result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(dot.sumRegisters(), i32));
  unsigned halves = dot.rows / 8, chunks = dot.depth / 16;
  auto at = [&](unsigned rowTile, unsigned columnTile) {
    return (rowTile * columnTiles() + columnTile) * 2;
  };
  for (unsigned chunk = 0; chunk < 2; chunk += chunks)
    for (unsigned rowTile = 0; rowTile < rowTiles(); rowTile += halves)
      for (unsigned column = 0; column < columnTiles(); ++column) {
        Values operands;
        for (unsigned c = chunk; c < chunk + chunks; ++c)
          for (unsigned r = rowTile; r < rowTile + halves; ++r)
            operands.push_back(lhs[r / 2 * 4 + c * 2 + r % 2]);
        for (unsigned c = chunk; c < chunk + chunks; ++c)
          operands.push_back(rhs[column / 2 * 4 + column % 2 * 2 + c]);
        for (unsigned half = 0; half < halves; ++half)
          for (unsigned i = 0; i < 2; ++i)
            operands.push_back(sums[at(rowTile + half, column) + i]);
        Values next = b.unpack(b.call(intrinsic, result, operands));
        for (unsigned half = 0; half < halves; ++half)
          for (unsigned i = 0; i < 2; ++i)
            sums[at(rowTile + half, column) + i] = next[2 * half + i];
      }
}

/// Adds a part to what is carried: the sums of products, of rows of lhs and of
/// columns of rhs.
IntegerMatmul::Values IntegerMatmul::emitPart(Value stage, ValueRange carried) {
  Values next(carried);
  for (unsigned slab = 0; slab < tile.depth / 32; ++slab) {
    Values lhs, rhs;
    for (unsigned row = 0; row < tile.warpRows; row += 16)
      lhs.append(emitMatrices(stage, operands[0].sharedOffset, warpRow, row,
                              slab, /*rowsFirst=*/true));
    for (unsigned column = 0; column < tile.warpColumns; column += 16)
      rhs.append(emitMatrices(stage, operands[1].sharedOffset, warpColumn,
                              column, slab, /*rowsFirst=*/false));
    emitDots(lhs, rhs, next);
    for (auto [i, bytes] : llvm::enumerate(lhs)) {
      Value &sum = next[numSums() + i / 4 * 2 + i % 2];
      sum = emitByteSum(bytes, sum);
    }
    for (auto [i, bytes] : llvm::enumerate(rhs)) {
      Value &sum = next[numSums() + rowTiles() + i / 2];
      sum = emitByteSum(bytes, sum);
    }
  }
  return next;
}

/// While a part is multiplied the next ones are on their way.
IntegerMatmul::Values
IntegerMatmul::emitLoopAsynchronous(Value first, Value last, Values sums) {
  int64_t ahead = tile.stages - 1;
  for (int64_t part = 0; part < ahead; ++part)
    emitCopyAsynchronously(b.i64(part), first, last);
  Value parts = b.ceilDiv(b.sub(last, first), int64_t(tile.depth));
  ValueRange result =
      b.loop(b.i64(0), parts, 1, sums, [&](Value part, ValueRange carried) {
        b.call("llvm.nvvm.cp.async.wait.group", {}, b.i32(ahead - 1));
        // Also: nobody reads the stage any more that is overwritten now.
        b.barrier();
        emitCopyAsynchronously(b.add(part, b.i64(ahead)), first, last);
        return emitPart(stageOf(part), carried);
      });
  return Values(result);
}

/// Likewise, through registers.
IntegerMatmul::Values
IntegerMatmul::emitLoopSynchronous(Value first, Value last, Values sums) {
  emitStore(emitLoad(b.i64(0), first, last), b.i64(0));
  b.barrier();
  Value parts = b.ceilDiv(b.sub(last, first), int64_t(tile.depth));
  ValueRange result =
      b.loop(b.i64(0), parts, 1, sums, [&](Value part, ValueRange carried) {
        Value following = b.add(part, b.i64(1));
        Values chunks = emitLoad(following, first, last);
        Values next = emitPart(stageOf(part), carried);
        emitStore(chunks, following);
        b.barrier();
        return next;
      });
  return Values(result);
}

IntegerMatmul::Values IntegerMatmul::emitCorrected(ArrayRef<Value> carried,
                                                   Value terms) {
  auto overGroup = [&](Value sum) {
    for (int mask : {1, 2})
      sum = b.add(sum, b.shuffleXor(sum, mask));
    return sum;
  };
  Value lhsZero = b.toI32(arg(IntegerMatmulArg::LhsZeroPoint));
  Value rhsZero = b.toI32(arg(IntegerMatmulArg::RhsZeroPoint));
  Value constant = b.mul(b.toI32(terms), b.mul(lhsZero, rhsZero));
  Values ofRows, ofColumns, corrected(carried.take_front(numSums()));
  for (Value sum : carried.slice(numSums(), rowTiles()))
    ofRows.push_back(b.sub(constant, b.mul(overGroup(sum), rhsZero)));
  for (Value sum : carried.drop_front(numSums() + rowTiles())) {
    // A thread has the sum of column lane / 4 and needs two of 2·(lane % 4).
    Value whole = b.mul(overGroup(sum), lhsZero);
    for (int64_t i = 0; i < 2; ++i) {
      Value from = b.mul(b.add(b.mul(inGroup, b.i64(2)), b.i64(i)), b.i64(4));
      ofColumns.push_back(b.shuffleFrom(whole, b.toI32(from)));
    }
  }
  for (auto [i, sum] : llvm::enumerate(corrected)) {
    unsigned rowTile = i / (2 * columnTiles());
    unsigned column = i % (2 * columnTiles());
    sum = b.sub(b.add(sum, ofRows[rowTile]), ofColumns[column]);
  }
  return corrected;
}

IntegerMatmul::Values IntegerMatmul::emitSums(Value first, Value last) {
  Values zeros(numSums() + rowTiles() + columnTiles(), b.zero(i32));
  Values sums = target.copiesAsynchronously
                    ? emitLoopAsynchronous(first, last, zeros)
                    : emitLoopSynchronous(first, last, zeros);
  return emitCorrected(sums, b.sub(last, first));
}

IntegerMatmul::Values IntegerMatmul::emitWideSums() {
  Value depth = arg(IntegerMatmulArg::Depth);
  Values zeros(numSums(), b.zero(i64));
  ValueRange result = b.loop(
      b.i64(0), depth, mostTerms, zeros, [&](Value first, ValueRange carried) {
        Values next;
        // What the last terms left behind is done with.
        if (target.copiesAsynchronously)
          b.call("llvm.nvvm.cp.async.wait.all", {}, {});
        b.barrier();
        Value last = b.min(b.add(first, b.i64(mostTerms)), depth);
        for (auto [sum, part] : llvm::zip_equal(carried, emitSums(first, last)))
          next.push_back(b.add(sum, b.toI64(part)));
        return next;
      });
  return Values(result);
}

//===----------------------------------------------------------------------===//
// From sums to results
//===----------------------------------------------------------------------===//

void IntegerMatmul::emitResults(ArrayRef<Value> sums) {
  Value scales = b.toGlobal(arg(IntegerMatmulArg::Scales));
  Value bias = b.toGlobal(arg(IntegerMatmulArg::Bias));
  Value dest = b.toGlobal(arg(IntegerMatmulArg::Dest));
  for (unsigned column = 0; column < 2 * columnTiles(); ++column) {
    Value n = b.add(b.add(firstColumn, warpColumn),
                    b.add(b.mul(inGroup, b.i64(2)),
                          b.i64(int64_t(column) / 2 * 8 + column % 2)));
    b.ifThen(b.less(n, arg(IntegerMatmulArg::Columns)), [&] {
      Value scale = b.load(f32, b.advance(scales, n, f32), 4), shift;
      if (hasBias)
        shift = b.load(f32, b.advance(bias, n, f32), 4);
      for (unsigned rowTile = 0; rowTile < rowTiles(); ++rowTile) {
        Value m = b.add(b.add(firstRow, warpRow),
                        b.add(group, b.i64(8 * int64_t(rowTile))));
        // N5: rounded, multiplied, added.
        Value sum = sums[rowTile * 2 * columnTiles() + column];
        Value value = arith::SIToFPOp::create(b, f32, sum);
        value = arith::MulFOp::create(b, value, scale);
        if (hasBias)
          value = arith::AddFOp::create(b, value, shift);
        b.ifThen(b.less(m, arg(IntegerMatmulArg::Rows)), [&] {
          Value at = b.add(b.mul(m, arg(IntegerMatmulArg::DestRowStride)), n);
          b.store(value, b.advance(dest, at, f32), 4);
        });
      }
    });
  }
}

void IntegerMatmul::emit(bool wide) {
  if (wide)
    return emitResults(emitWideSums());
  emitResults(emitSums(b.i64(0), arg(IntegerMatmulArg::Depth)));
}

void needle::cuda::emitIntegerMatmul(ModuleOp module,
                                     cpu::ContractionKernelOp op,
                                     const CUDATarget &target) {
  for (bool wide : {false, true}) {
    std::string name = (op.getSymName() + (wide ? "_wide" : "")).str();
    const IntegerTile &tile = wide ? target.wideTile : target.integerTile;
    createKernel(module, op.getLoc(), name, unsigned(IntegerMatmulArg::Count),
                 {tile.rows, tile.columns}, [&](GPUBuilder &b, Value context) {
                   IntegerMatmul(b, module, name, target, tile, op.getBias(),
                                 context)
                       .emit(wide);
                 });
  }
}
