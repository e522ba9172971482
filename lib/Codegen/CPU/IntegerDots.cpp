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
  // Both pairs of a group: a loop over single ones is slower by its overhead.
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange values) {
    SmallVector<Value> next(values);
    for (unsigned pair = 0; pair < 2; ++pair) {
      SmallVector<Value> columns;
      for (unsigned v = 0; v < vectors(); ++v) {
        unsigned at = (pair * vectors() + v) * 2 * lanes;
        columns.push_back(
            b.load(pairType, b.advance(base, b.i64(at), i16), 4 * lanes));
      }
      for (unsigned i = 0; i < rows; ++i) {
        Value element = loadElement(elements[i], pair, i32, pairType);
        for (unsigned v = 0; v < vectors(); ++v) {
          Value &sum = next[i * vectors() + v];
          sum = emitPairDot(b, target, sum, element, columns[v]);
        }
      }
    }
    return next;
  };
  lhs.base = b.advance(lhs.base, first, i64);
  rhs = b.advance(rhs, b.mul(first, b.i64(2 * groupBytes())), i8);
  if (sums.empty())
    sums.assign(rows * vectors(), b.zero(sumType));
  return emitSteps(rows, lhs, 8, rhs, 2 * groupBytes(), b.sub(last, first),
                   sums, step);
}

/// Widens quads in registers. Each sum is of one of the pairs of a column; only
/// the two sums of a column, at the end, need to change places.
SmallVector<Value> IntegerKernel::emitPairsOfQuads(unsigned rows, Rows lhs,
                                                   Value rhs, Value first,
                                                   Value last) {
  if (target.pairDotIntrinsic.empty())
    return emitWidening(rows, lhs, rhs, /*rhsBits=*/8, first, last, {});
  VectorType sumType = b.vec(lanes, i32), pairType = b.vec(2 * lanes, i16);
  unsigned halves = 2 * vectors();
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns, next;
    for (unsigned h = 0; h < halves; ++h) {
      Value narrow =
          b.load(b.vec(2 * lanes, i8),
                 b.advance(base, b.i64(2 * h * lanes), i8), 2 * lanes);
      columns.push_back(arith::ExtSIOp::create(b, pairType, narrow));
    }
    for (unsigned i = 0; i < rows; ++i) {
      Value element = loadElement(elements[i], 0, i64, pairType);
      for (unsigned h = 0; h < halves; ++h)
        next.push_back(
            emitPairDot(b, target, sums[i * halves + h], element, columns[h]));
    }
    return next;
  };
  lhs.base = b.advance(lhs.base, first, i64);
  rhs = b.advance(rhs, b.mul(first, b.i64(groupBytes())), i8);
  SmallVector<Value> zeros(rows * halves, b.zero(sumType));
  SmallVector<Value> sums = emitSteps(rows, lhs, 8, rhs, groupBytes(),
                                      b.sub(last, first), zeros, step);
  SmallVector<int64_t> even, odd;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    even.push_back(2 * lane);
    odd.push_back(2 * lane + 1);
  }
  SmallVector<Value> result;
  for (unsigned i = 0; i < sums.size(); i += 2)
    result.push_back(
        b.add(vector::ShuffleOp::create(b, sums[i], sums[i + 1], even),
              vector::ShuffleOp::create(b, sums[i], sums[i + 1], odd)));
  return result;
}

/// Copies quads of i8 to pairs of i16: each element is read by many tiles.
void IntegerKernel::emitWiden(Value rhs, Value scratch, Value groups) {
  SmallVector<int64_t> even, odd;
  for (unsigned column = 0; column < lanes; ++column) {
    even.push_back(2 * column);
    odd.push_back(2 * column + 1);
  }
  b.loop(b.i64(0), groups, 1, [&](Value group) {
    Value from = b.advance(rhs, b.mul(group, b.i64(groupBytes())), i8);
    Value to = b.advance(scratch, b.mul(group, b.i64(2 * groupBytes())), i8);
    for (unsigned v = 0; v < vectors(); ++v) {
      Value pairs = vector::BitCastOp::create(b, b.vec(2 * lanes, i16),
                                              loadQuads(from, 0, v));
      for (unsigned pair = 0; pair < 2; ++pair) {
        Value half =
            vector::ShuffleOp::create(b, pairs, pairs, pair == 0 ? even : odd);
        half = vector::BitCastOp::create(b, b.vec(2 * lanes, i8), half);
        Value wide = arith::ExtSIOp::create(b, b.vec(2 * lanes, i16), half);
        unsigned at = (pair * vectors() + v) * 2 * lanes;
        b.store(wide, b.advance(to, b.i64(at), i16), 4 * lanes);
      }
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
    unsigned rows, Rows lhs, Value rhs, unsigned step, ValueRange sums,
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
  SmallVector<Value> next = emitSteps(
      rows, lhs, 4 * step, rhs, step * groupBytes(), whole, sums, stepOf(step));
  if (step == 1)
    return next;
  Value done = b.mul(whole, b.i64(step));
  lhs.base = b.advance(lhs.base, done, i32);
  rhs = b.advance(rhs, b.mul(done, b.i64(groupBytes())), i8);
  return emitSteps(rows, lhs, 4, rhs, groupBytes(), b.sub(numGroups(), done),
                   next, stepOf(1));
}

SmallVector<Value>
IntegerKernel::emitByteDots(unsigned groups, unsigned perWindow, Value columns,
                            ArrayRef<Value> elements, ValueRange sums) {
  VectorType pairType = b.vec(2 * lanes, i16), quadType = b.vec(4 * lanes, i8);
  Value ones = b.constant(DenseElementsAttr::get(pairType, int16_t(1)));
  SmallVector<Value> next(sums);
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
  unsigned step = rows <= 2 ? std::max(4U, spec.byteSteps) : spec.byteSteps;
  sums = emitGroups(rows, lhs, panel.rhs, step, sums,
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
  sums = emitGroups(rows, lhs, rhs, groups, sums, emitStep);
  for (unsigned i = setSize; i < sums.size(); ++i)
    sums[i % setSize] = b.add(sums[i % setSize], sums[i]);
  sums.truncate(setSize);
  return sums;
}
