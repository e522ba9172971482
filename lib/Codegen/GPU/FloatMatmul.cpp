//===- FloatMatmul.cpp - Products of f32 ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block computes 64×64 elements, each thread 4×4 of them. Parts of K wait in
// shared memory, two at a time: while one is multiplied, the next is on its way
// through registers. The products of an element are added up in the order of K
// by fused multiply-adds, as on CPUs that have them: the bits are the same.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"

#include "../Common/KernelBody.h"

using namespace mlir;
using namespace needle;
using namespace needle::cuda;

namespace {

class FloatMatmul {
public:
  FloatMatmul(GPUBuilder &b, ModuleOp module, StringRef name, Value context);

  void emit();

private:
  using Values = SmallVector<Value>;

  static constexpr int64_t partDepth = 16, threadTile = 4;
  static constexpr int64_t threadsAcross = floatTileColumns / threadTile;
  static_assert(floatTileRows == floatTileColumns,
                "both operands are copied alike");
  static_assert(floatTileRows / threadTile * threadsAcross == blockThreads);
  /// Elements of a line of shared memory, which are along M or N; more than the
  /// tile, so that writing a column of them meets few banks twice.
  static constexpr int64_t lineElements = floatTileRows + 4;
  static constexpr int64_t elementsOfThread =
      floatTileRows * partDepth / blockThreads;

  /// A matrix of lines along K.
  struct Operand {
    Value global;     ///< of the first line of the block
    Value linesLeft;  ///< from there on
    Value lineStride; ///< from line to line
    Value termStride; ///< along K
    Value first;      ///< of what this thread copies: line and term
    Value firstTerm;
    Value stepLines, stepTerms; ///< to the next element that it copies
    int64_t sharedOffset;
  };

  Value arg(FloatMatmulArg which) { return args[unsigned(which)]; }
  Operand makeOperand(FloatMatmulArg pointer, unsigned lineStride,
                      unsigned termStride, Value firstLine, Value numLines,
                      int64_t sharedOffset);
  Value place(Value stage, int64_t offset, Value term, Value line);
  Values emitLoad(Value firstTerm);
  void emitStore(ArrayRef<Value> elements, Value stage);
  Values emitPart(Value stage, ValueRange carried);
  void emitResults(ArrayRef<Value> sums);

  GPUBuilder &b;
  Values args;
  Type f32;
  Value memory, thread;
  Value threadRow, threadColumn, firstRow, firstColumn;
  Operand operands[2];
};

} // namespace

FloatMatmul::FloatMatmul(GPUBuilder &b, ModuleOp module, StringRef name,
                         Value context)
    : b(b), f32(b.getF32Type()) {
  codegen::ContextReader reader(b, context);
  for (unsigned i = 0; i < unsigned(FloatMatmulArg::Count); ++i)
    args.push_back(reader.nextWord());
  constexpr int64_t partBytes = lineElements * partDepth * 4;
  memory = b.shared(module, (name + ".tiles").str(), 4 * partBytes);
  thread = b.threadIndex();
  threadRow = b.mul(b.divBy(thread, threadsAcross), b.i64(threadTile));
  threadColumn = b.mul(b.remBy(thread, threadsAcross), b.i64(threadTile));
  firstRow = b.mul(b.blockIndex('y'), b.i64(floatTileRows));
  firstColumn = b.mul(b.blockIndex('x'), b.i64(floatTileColumns));
  operands[0] =
      makeOperand(FloatMatmulArg::Lhs, /*lineStride=*/1,
                  /*termStride=*/2, firstRow, arg(FloatMatmulArg::Rows), 0);
  operands[1] = makeOperand(FloatMatmulArg::Rhs, /*lineStride=*/2,
                            /*termStride=*/1, firstColumn,
                            arg(FloatMatmulArg::Columns), partBytes);
}

/// Threads side by side copy elements that lie side by side, if any do.
FloatMatmul::Operand FloatMatmul::makeOperand(FloatMatmulArg pointer,
                                              unsigned lineStride,
                                              unsigned termStride,
                                              Value firstLine, Value numLines,
                                              int64_t sharedOffset) {
  auto field = [&](unsigned i) { return args[unsigned(pointer) + i]; };
  Operand operand;
  operand.lineStride = field(lineStride);
  operand.termStride = field(termStride);
  Value offset = b.mul(firstLine, operand.lineStride);
  operand.global = b.advance(b.toGlobal(field(0)), offset, f32);
  operand.linesLeft = b.sub(numLines, firstLine);
  Value alongTerms = b.equal(operand.termStride, b.i64(1));
  auto choose = [&](Value a, Value c) { return b.select(alongTerms, a, c); };
  operand.first =
      choose(b.divBy(thread, partDepth), b.remBy(thread, floatTileRows));
  operand.firstTerm =
      choose(b.remBy(thread, partDepth), b.divBy(thread, floatTileRows));
  operand.stepLines = choose(b.i64(blockThreads / partDepth), b.i64(0));
  operand.stepTerms = choose(b.i64(0), b.i64(blockThreads / floatTileRows));
  operand.sharedOffset = sharedOffset;
  return operand;
}

Value FloatMatmul::place(Value stage, int64_t offset, Value term, Value line) {
  Value start = b.advance(stage, b.i64(offset), b.getI8Type());
  return b.advance(start, b.add(b.mul(term, b.i64(lineElements)), line), f32);
}

/// This thread's elements of both operands from term `firstTerm` on; zeros
/// outside of them.
FloatMatmul::Values FloatMatmul::emitLoad(Value firstTerm) {
  Values elements;
  Value termsLeft = b.sub(arg(FloatMatmulArg::Depth), firstTerm);
  for (const Operand &operand : operands)
    for (int64_t i = 0; i < elementsOfThread; ++i) {
      Value line = b.add(operand.first, b.mul(operand.stepLines, b.i64(i)));
      Value term = b.add(operand.firstTerm, b.mul(operand.stepTerms, b.i64(i)));
      Value exists =
          b.bitAnd(b.less(line, operand.linesLeft), b.less(term, termsLeft));
      elements.push_back(
          b.select(
               exists, f32,
               [&]() -> Values {
                 Value at =
                     b.add(b.mul(line, operand.lineStride),
                           b.mul(b.add(firstTerm, term), operand.termStride));
                 return {b.load(f32, b.advance(operand.global, at, f32), 4)};
               },
               [&]() -> Values { return {b.zero(f32)}; })
              .front());
    }
  return elements;
}

void FloatMatmul::emitStore(ArrayRef<Value> elements, Value stage) {
  for (const Operand &operand : operands)
    for (int64_t i = 0; i < elementsOfThread; ++i) {
      Value line = b.add(operand.first, b.mul(operand.stepLines, b.i64(i)));
      Value term = b.add(operand.firstTerm, b.mul(operand.stepTerms, b.i64(i)));
      b.store(elements.front(), place(stage, operand.sharedOffset, term, line),
              4);
      elements = elements.drop_front();
    }
}

FloatMatmul::Values FloatMatmul::emitPart(Value stage, ValueRange carried) {
  Values sums(carried);
  VectorType type = b.vec(threadTile, f32);
  for (int64_t term = 0; term < partDepth; ++term) {
    auto read = [&](const Operand &operand, Value line) {
      return b.load(type, place(stage, operand.sharedOffset, b.i64(term), line),
                    16);
    };
    Value lhs = read(operands[0], threadRow);
    Value rhs = read(operands[1], threadColumn);
    for (int64_t i = 0; i < threadTile; ++i)
      for (int64_t j = 0; j < threadTile; ++j) {
        Value &sum = sums[i * threadTile + j];
        sum = LLVM::FMAOp::create(b, vector::ExtractOp::create(b, lhs, i),
                                  vector::ExtractOp::create(b, rhs, j), sum);
      }
  }
  return sums;
}

void FloatMatmul::emitResults(ArrayRef<Value> sums) {
  Value dest = b.toGlobal(arg(FloatMatmulArg::Dest));
  for (int64_t i = 0; i < threadTile; ++i) {
    Value row = b.add(b.add(firstRow, threadRow), b.i64(i));
    b.ifThen(b.less(row, arg(FloatMatmulArg::Rows)), [&] {
      Value line =
          b.advance(dest, b.mul(row, arg(FloatMatmulArg::DestRowStride)), f32);
      for (int64_t j = 0; j < threadTile; ++j) {
        Value column = b.add(b.add(firstColumn, threadColumn), b.i64(j));
        b.ifThen(b.less(column, arg(FloatMatmulArg::Columns)), [&] {
          b.store(sums[i * threadTile + j], b.advance(line, column, f32), 4);
        });
      }
    });
  }
}

void FloatMatmul::emit() {
  constexpr int64_t stageBytes = 2 * lineElements * partDepth * 4;
  auto stageOf = [&](Value part) {
    return b.advance(memory, b.mul(b.remBy(part, 2), b.i64(stageBytes)),
                     b.getI8Type());
  };
  emitStore(emitLoad(b.i64(0)), memory);
  b.barrier();
  Values zeros(threadTile * threadTile, b.zero(f32));
  Value parts = b.ceilDiv(arg(FloatMatmulArg::Depth), partDepth);
  ValueRange sums =
      b.loop(b.i64(0), parts, 1, zeros, [&](Value part, ValueRange carried) {
        Value following = b.add(part, b.i64(1));
        Values elements = emitLoad(b.mul(following, b.i64(partDepth)));
        Values next = emitPart(stageOf(part), carried);
        emitStore(elements, stageOf(following));
        b.barrier();
        return next;
      });
  emitResults(Values(sums));
}

void needle::cuda::emitFloatMatmul(ModuleOp module,
                                   cpu::ContractionKernelOp op) {
  StringRef name = op.getSymName();
  createKernel(module, op.getLoc(), name, unsigned(FloatMatmulArg::Count),
               {floatTileRows, floatTileColumns},
               [&](GPUBuilder &b, Value context) {
                 FloatMatmul(b, module, name, context).emit();
               });
}
