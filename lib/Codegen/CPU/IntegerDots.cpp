//===- IntegerDots.cpp - The inner loops of 8-bit contractions ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One loop over K for each way of multiplying groups of four neighbours along
// it, see DotForm. docs/Rationale/CPUKernels.md compares them.
//
//===----------------------------------------------------------------------===//

#include "DotProduct.h"
#include "IntegerKernel.h"

using namespace mlir;
using namespace needle::cpu;

/// Tiles of so few rows wait for weights rather than for multiplications.
static constexpr unsigned fewRows = 2;

Value IntegerKernel::emitCall(StringRef intrinsic, Type type,
                              ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(intrinsic),
                                       operands)
      .getResult(0);
}

Value IntegerKernel::loadQuads(Value columns, unsigned group, unsigned vector) {
  unsigned offset = group * groupBytes() + vector * 4 * lanes;
  return b.load(b.vec(4 * lanes, i8), b.advance(columns, b.i64(offset), i8),
                4 * lanes);
}

Value IntegerKernel::loadElement(Value pointer, unsigned index, Type word,
                                 VectorType type) {
  Value element = b.load(word, b.advance(pointer, b.i64(index), word), 1);
  unsigned count = target.vectorBits / word.getIntOrFloatBitWidth();
  return vector::BitCastOp::create(b, type,
                                   b.broadcast(element, b.vec(count, word)));
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

SmallVector<Value> IntegerKernel::emitPairs(unsigned rows, Rows lhs, Value rhs,
                                            Value first, Value last,
                                            SmallVector<Value> sums) {
  if (target.pairDotIntrinsic.empty())
    return emitWidening(rows, lhs, rhs, /*rhsBits=*/16, first, last, sums);
  VectorType sumType = b.vec(lanes, i32), pairType = b.vec(2 * lanes, i16);
  // One pair a step: with two, LLVM needs more registers than there are.
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange values) {
    SmallVector<Value> columns, next(values);
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(b.load(
          pairType, b.advance(base, b.i64(v * 2 * lanes), i16), 4 * lanes));
    emitPairDots(elements, 0, columns, next);
    return next;
  };
  lhs.base = b.advance(lhs.base, first, i64);
  rhs = b.advance(rhs, b.mul(first, b.i64(2 * groupBytes())), i8);
  if (sums.empty())
    sums.assign(rows * vectors(), b.zero(sumType));
  Value pairs = b.mul(b.sub(last, first), b.i64(2));
  return emitSteps(rows, lhs, 4, rhs, groupBytes(), pairs, sums, step);
}

void IntegerKernel::emitPairDots(ArrayRef<Value> elements, unsigned pair,
                                 ArrayRef<Value> columns,
                                 MutableArrayRef<Value> sums) {
  VectorType pairType = b.vec(2 * lanes, i16);
  for (auto [i, row] : llvm::enumerate(elements)) {
    Value element = loadElement(row, pair, i32, pairType);
    for (unsigned v = 0; v < vectors(); ++v) {
      Value &sum = sums[i * vectors() + v];
      sum = emitPairDot(b, target, sum, element, columns[v]);
    }
  }
}

/// Widens quads in registers.
SmallVector<Value> IntegerKernel::emitPairsOfQuads(unsigned rows, Rows lhs,
                                                   Value rhs, Value first,
                                                   Value last) {
  if (target.pairDotIntrinsic.empty())
    return emitWidening(rows, lhs, rhs, /*rhsBits=*/8, first, last, {});
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns[2], next(sums);
    if (rows <= fewRows)
      b.prefetchStream(base, groupBytes());
    for (unsigned v = 0; v < vectors(); ++v)
      for (auto [pairs, half] :
           llvm::zip_equal(columns, emitHalves(loadQuads(base, 0, v),
                                               /*multiplierIsFree=*/false)))
        pairs.push_back(half);
    for (unsigned pair = 0; pair < 2; ++pair)
      emitPairDots(elements, pair, columns[pair], next);
    return next;
  };
  lhs.base = b.advance(lhs.base, first, i64);
  rhs = b.advance(rhs, b.mul(first, b.i64(groupBytes())), i8);
  SmallVector<Value> zeros(rows * vectors(), b.zero(b.vec(lanes, i32)));
  return emitSteps(rows, lhs, 8, rhs, groupBytes(), b.sub(last, first), zeros,
                   step, /*unroll=*/rows <= fewRows ? 4 : 1);
}

std::array<Value, 2> IntegerKernel::emitHalves(Value quads,
                                               bool multiplierIsFree) {
  VectorType type = b.vec(2 * lanes, i16);
  Value pairs = vector::BitCastOp::create(b, type, quads);
  Value byte = b.constant(DenseElementsAttr::get(type, int16_t(8)));
  Value odd = arith::ShRSIOp::create(b, pairs, byte);
  if (multiplierIsFree && !target.byteDotIntrinsic.empty()) {
    // even · 1 + odd · 0, in place of two shifts.
    Value factors = vector::BitCastOp::create(
        b, quads.getType(),
        b.constant(DenseElementsAttr::get(type, int16_t(1))));
    return {emitCall(target.byteDotIntrinsic, type, {factors, quads}), odd};
  }
  Value even = arith::ShLIOp::create(b, pairs, byte);
  return {arith::ShRSIOp::create(b, even, byte), odd};
}

/// Copies quads of i8 to pairs of i16: each element is read by many tiles.
void IntegerKernel::emitWiden(Value rhs, Value scratch, Value groups) {
  b.loop(b.i64(0), groups, 1, [&](Value group) {
    Value from = b.advance(rhs, b.mul(group, b.i64(groupBytes())), i8);
    Value to = b.advance(scratch, b.mul(group, b.i64(2 * groupBytes())), i8);
    for (unsigned v = 0; v < vectors(); ++v)
      for (auto [pair, half] :
           llvm::enumerate(emitHalves(loadQuads(from, 0, v),
                                      /*multiplierIsFree=*/true))) {
        unsigned at = (pair * vectors() + v) * 2 * lanes;
        b.store(half, b.advance(to, b.i64(at), i16), 4 * lanes);
      }
  });
}

//===----------------------------------------------------------------------===//
// Bytes and quads
//===----------------------------------------------------------------------===//

SmallVector<Value> IntegerKernel::emitZeroPointTerms(Value rhs) {
  VectorType type = b.vec(lanes, i32);
  Value factor = b.broadcast(b.sub(b.zero(i32), lhsZeroPoint), type);
  Value columnSums =
      b.advance(rhs, b.mul(numGroups(), b.i64(groupBytes())), i8);
  SmallVector<Value> terms;
  for (unsigned v = 0; v < vectors(); ++v) {
    Value sums =
        b.load(type, b.advance(columnSums, b.i64(v * lanes), i32), 4 * lanes);
    terms.push_back(b.mul(sums, factor));
  }
  return terms;
}

SmallVector<Value> IntegerKernel::emitGroups(
    unsigned rows, Rows lhs, unsigned lhsBytes, Value rhs, unsigned step,
    ValueRange sums,
    llvm::function_ref<SmallVector<Value>(unsigned, Value, ArrayRef<Value>,
                                          ValueRange)>
        emitStep) {
  auto stepOf = [&](unsigned count) {
    return
        [&, count](Value columns, ArrayRef<Value> elements, ValueRange values) {
          return emitStep(count, columns, elements, values);
        };
  };
  Value whole = b.div(numGroups(), b.i64(step));
  SmallVector<Value> next =
      emitSteps(rows, lhs, lhsBytes * step, rhs, step * groupBytes(), whole,
                sums, stepOf(step));
  if (step == 1)
    return next;
  Value done = b.mul(whole, b.i64(step));
  lhs.base = b.advance(lhs.base, b.mul(done, b.i64(lhsBytes)), i8);
  rhs = b.advance(rhs, b.mul(done, b.i64(groupBytes())), i8);
  return emitSteps(rows, lhs, lhsBytes, rhs, groupBytes(),
                   b.sub(numGroups(), done), next, stepOf(1));
}

SmallVector<Value>
IntegerKernel::emitByteDots(unsigned groups, unsigned perWindow, Value columns,
                            ArrayRef<Value> elements, ValueRange sums) {
  VectorType pairType = b.vec(2 * lanes, i16), quadType = b.vec(4 * lanes, i8);
  Value ones = b.constant(DenseElementsAttr::get(pairType, int16_t(1)));
  SmallVector<Value> next(sums);
  if (elements.size() <= fewRows)
    b.prefetchStream(columns, groups * groupBytes());
  for (unsigned first = 0; first < groups; first += perWindow) {
    unsigned last = std::min(groups, first + perWindow);
    SmallVector<SmallVector<Value>> quads;
    for (unsigned group = first; group < last; ++group) {
      quads.emplace_back();
      for (unsigned v = 0; v < vectors(); ++v)
        quads.back().push_back(loadQuads(columns, group, v));
    }
    for (auto [i, row] : llvm::enumerate(elements)) {
      SmallVector<Value> products(vectors());
      for (unsigned group = first; group < last; ++group) {
        Value element = loadElement(row, group, i32, quadType);
        for (unsigned v = 0; v < vectors(); ++v) {
          Value product = emitCall(target.byteDotIntrinsic, pairType,
                                   {element, quads[group - first][v]});
          products[v] = group == first ? product : b.add(products[v], product);
        }
      }
      for (unsigned v = 0; v < vectors(); ++v) {
        Value &sum = next[i * vectors() + v];
        sum = emitPairDot(b, target, sum, products[v], ones);
      }
    }
  }
  return next;
}

SmallVector<Value> IntegerKernel::emitBytes(unsigned rows, Rows lhs,
                                            const Panel &panel) {
  SmallVector<Value> sums;
  SmallVector<Value> terms = emitZeroPointTerms(panel.rhs);
  for (unsigned i = 0; i < rows; ++i)
    sums.append(terms);
  // Few rows have too little to do in a step to hide the loop.
  unsigned step =
      rows <= fewRows ? std::max(8U, spec.byteSteps) : spec.byteSteps;
  sums = emitGroups(rows, lhs, 4, panel.rhs, step, sums,
                    [&](unsigned groups, Value columns,
                        ArrayRef<Value> elements, ValueRange values) {
                      return emitByteDots(groups, spec.byteSteps, columns,
                                          elements, values);
                    });
  return spec.hasRest ? emitRest(rows, lhs, panel, sums) : sums;
}

SmallVector<Value> IntegerKernel::emitRest(unsigned rows, Rows lhs,
                                           const Panel &panel,
                                           ValueRange sums) {
  Value count = arg(KernelArg::RestCount);
  Value first = b.mul(panel.index, count);
  Value rest =
      b.advance(arg(KernelArg::Rest), b.mul(first, b.i64(groupBytes())), i8);
  Value groups = b.advance(arg(KernelArg::RestGroups), first, i32);
  auto body = [&](Value i, ValueRange values) {
    Value group = arith::ExtSIOp::create(
        b, i64, b.load(i32, b.advance(groups, i, i32), 4));
    SmallVector<Value> elements{b.advance(lhs.base, group, i32)};
    for (unsigned row = 1; row < rows; ++row)
      elements.push_back(b.advance(elements.back(), lhs.stride, i8));
    Value columns = b.advance(rest, b.mul(i, b.i64(groupBytes())), i8);
    return emitByteDots(1, 1, columns, elements, values);
  };
  return llvm::to_vector_of<Value>(b.loop(b.i64(0), count, 1, sums, body));
}

SmallVector<Value> IntegerKernel::loadElements(Value pointer, unsigned count,
                                               VectorType type) {
  SmallVector<Value> elements;
  if (!quads.takesElements || count != lanes) {
    for (unsigned i = 0; i < count; ++i)
      elements.push_back(loadElement(pointer, i, i32, type));
    return elements;
  }
  Value all = b.load(b.vec(lanes, i32), pointer, 1);
  for (unsigned i = 0; i < count; ++i) {
    SmallVector<int64_t> place(lanes, i);
    elements.push_back(vector::BitCastOp::create(
        b, type, vector::ShuffleOp::create(b, all, all, place)));
  }
  return elements;
}

SmallVector<Value> IntegerKernel::emitQuads(unsigned rows, Rows lhs,
                                            Value rhs) {
  VectorType sumType = b.vec(lanes, i32), quadType = b.vec(4 * lanes, i8);
  // The latency of a dot product has to be hidden: tiles of few rows have
  // several sets of sums.
  unsigned sets = rows == 1 ? 4 : rows <= 3 ? 2 : 1;
  unsigned groups = quads.takesElements ? 4 : sets;
  unsigned setSize = rows * vectors();
  StringRef intrinsic =
      quads.multipliesMatrices() ? quads.rowIntrinsic : quads.intrinsic;
  auto emitStep = [&](unsigned steps, Value columns, ArrayRef<Value> elements,
                      ValueRange sums) {
    SmallVector<Value> next(sums);
    if (rows <= fewRows)
      b.prefetchStream(columns, steps * groupBytes());
    SmallVector<SmallVector<Value>> ofRows;
    for (Value row : elements)
      ofRows.push_back(loadElements(row, steps, quadType));
    for (unsigned group = 0; group < steps; ++group) {
      SmallVector<Value> ofColumns;
      for (unsigned v = 0; v < vectors(); ++v)
        ofColumns.push_back(loadQuads(columns, group, v));
      for (unsigned i = 0; i < rows; ++i) {
        for (unsigned v = 0; v < vectors(); ++v) {
          Value &sum = next[group % sets * setSize + i * vectors() + v];
          Value left = ofRows[i][group], right = ofColumns[v];
          // The second operand is the one that may be an element.
          if (quads.isSigned)
            std::swap(left, right);
          sum = emitCall(intrinsic, sumType, {sum, left, right});
        }
      }
    }
    return next;
  };
  SmallVector<Value> sums;
  SmallVector<Value> terms = emitZeroPointTerms(rhs);
  for (unsigned i = 0; i < rows; ++i)
    sums.append(terms);
  sums.append(setSize * (sets - 1), b.zero(sumType));
  sums = emitGroups(rows, lhs, 4, rhs, groups, sums, emitStep);
  for (unsigned i = setSize; i < sums.size(); ++i)
    sums[i % setSize] = b.add(sums[i % setSize], sums[i]);
  sums.truncate(setSize);
  return sums;
}
