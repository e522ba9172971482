//===- DirectKernel.cpp - Few rows times a matrix as it lies --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions that read a right-hand side where it lies instead of packing it.
// One of its strides is 1, and there are two ways of reading:
//
//   rows      neighbours along N are contiguous: a few rows of rhs at a time,
//             while the sums of all columns wait in dest
//   columns   neighbours along K are contiguous: a few columns at a time, whose
//             sums stay in registers
//
// Integers: the zero point of rhs is not subtracted from its elements,
// Σ (a − za)(b − zb) = Σ (a − za)·b − zb·Σ (a − za), exact modulo 2³².
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"
#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

namespace {

class DirectKernel {
public:
  DirectKernel(KernelBuilder &b, const KernelSpec &spec,
               const CPUTarget &target);
  void emit(TaskArguments task);

private:
  // Elements.
  Value emitBroadcast(Value pointer);
  SmallVector<Value> emitLoadColumns(Value row, Value next);
  Value emitLoadTerms(Value pointer, Value like);
  Value emitTerm(Value left, Value right, Value sum);
  Value emitScalarTerm(Value row, Value k, Value column, Value sum);
  Value emitFinish(Value sum, Value row, Value column);

  void emitPackRows();
  void emitByRows(unsigned rows, Value row);
  void emitSweep(unsigned rows, unsigned groups, bool half, Value row, Value k);
  void emitFinishRow(Value row);
  void emitByColumns(unsigned rows, Value row);
  void emitColumns(unsigned rows, unsigned columns, Value row, Value column);

  Value arg(DirectArg which) { return args[unsigned(which)]; }
  Value lhsAt(Value row, Value k);
  Value rhsAt(Value k, Value column);
  Value destAt(Value row, Value column);
  Value sumOfRow(Value row) { return b.advance(workspace, row, i32); }
  VectorType sums() { return b.vec(lanes, sum); }
  /// Columns whose terms are loaded at once.
  unsigned columnsAtOnce() { return group * lanes; }

  KernelBuilder &b;
  const KernelSpec &spec;
  const CPUTarget &target;
  unsigned lanes;
  unsigned group; ///< neighbours along K that are multiplied at once
  Type i8, i16, i32, i64, f32;
  Type element, packed, sum; ///< of rhs, of packed lhs, of sums
  SmallVector<Value> args;
  Value workspace, packedStride;
  Value first, last; ///< columns [first, last)
};

} // namespace

DirectKernel::DirectKernel(KernelBuilder &b, const KernelSpec &spec,
                           const CPUTarget &target)
    : b(b), spec(spec), target(target), lanes(target.lanes()),
      group(spec.integer ? 2 : 1), i8(b.getI8Type()), i16(b.getI16Type()),
      i32(b.getI32Type()), i64(b.getI64Type()), f32(b.getF32Type()),
      element(spec.integer ? i8 : f32), packed(spec.integer ? i16 : f32),
      sum(spec.integer ? i32 : f32) {}

void DirectKernel::emit(TaskArguments task) {
  ContextReader reader(b, task.context);
  for (unsigned i = 0; i < unsigned(DirectArg::Count); ++i) {
    auto which = DirectArg(i);
    bool pointer = which == DirectArg::Lhs || which == DirectArg::Rhs ||
                   which == DirectArg::Scales || which == DirectArg::Bias ||
                   which == DirectArg::Dest || which == DirectArg::Workspace;
    args.push_back(pointer ? reader.nextPointer() : reader.nextWord());
  }
  workspace = b.advance(arg(DirectArg::Workspace),
                        b.mul(task.worker, arg(DirectArg::WorkspaceBytes)), i8);
  packedStride =
      emitPackedRowStride(b, b.getLoc(), spec, arg(DirectArg::Depth));
  emitPackRows();
  Value rows = arg(DirectArg::Rows), even = b.sub(rows, b.rem(rows, b.i64(2)));
  b.loop(task.begin, task.end, 1, [&](Value index) {
    first = b.mul(index, arg(DirectArg::BlockColumns));
    last = b.min(b.add(first, arg(DirectArg::BlockColumns)),
                 arg(DirectArg::Columns));
    b.ifThenElse(
        b.equal(arg(DirectArg::RhsColStride), b.i64(1)),
        [&] {
          b.loop(b.i64(0), even, 2, [&](Value row) { emitByRows(2, row); });
          b.loop(even, rows, 1, [&](Value row) { emitByRows(1, row); });
        },
        [&] {
          b.loop(b.i64(0), even, 2, [&](Value row) { emitByColumns(2, row); });
          b.loop(even, rows, 1, [&](Value row) { emitByColumns(1, row); });
        });
  });
}

Value DirectKernel::lhsAt(Value row, Value k) {
  Value rows = b.advance(workspace, b.i64(directRowSums), i32);
  return b.advance(rows, b.add(b.mul(row, packedStride), k), packed);
}

Value DirectKernel::rhsAt(Value k, Value column) {
  Value offset = b.add(b.mul(k, arg(DirectArg::RhsRowStride)),
                       b.mul(column, arg(DirectArg::RhsColStride)));
  return b.advance(arg(DirectArg::Rhs), offset, element);
}

Value DirectKernel::destAt(Value row, Value column) {
  Value offset = b.add(b.mul(row, arg(DirectArg::DestRowStride)), column);
  return b.advance(arg(DirectArg::Dest), offset, f32);
}

/// Rows of lhs become contiguous; those of integers lose their zero point, get
/// a zero behind an odd K, and their sums are kept.
void DirectKernel::emitPackRows() {
  Value depth = arg(DirectArg::Depth);
  Value zeroPoint;
  if (spec.integer)
    zeroPoint = arith::TruncIOp::create(b, i16, arg(DirectArg::LhsZeroPoint));
  b.loop(b.i64(0), arg(DirectArg::Rows), 1, [&](Value row) {
    Value from = b.advance(arg(DirectArg::Lhs),
                           b.mul(row, arg(DirectArg::LhsRowStride)), element);
    auto pack = [&](Value k, ValueRange carried) -> SmallVector<Value> {
      Value at = b.mul(k, arg(DirectArg::LhsColStride));
      Value value =
          b.load(element, b.advance(from, at, element), spec.integer ? 1 : 4);
      if (spec.integer)
        value = b.sub(spec.lhsUnsigned
                          ? Value(arith::ExtUIOp::create(b, i16, value))
                          : Value(arith::ExtSIOp::create(b, i16, value)),
                      zeroPoint);
      b.store(value, lhsAt(row, k), spec.integer ? 2 : 4);
      if (!spec.integer)
        return {};
      return {b.add(carried[0], arith::ExtSIOp::create(b, i32, value))};
    };
    SmallVector<Value> inits;
    if (spec.integer)
      inits.push_back(b.zero(i32));
    ValueRange total = b.loop(b.i64(0), depth, 1, inits, pack);
    if (!spec.integer)
      return;
    b.store(b.zero(i16), lhsAt(row, depth), 2);
    b.store(total[0], sumOfRow(row), 4);
  });
}

Value DirectKernel::emitBroadcast(Value pointer) {
  if (!spec.integer)
    return b.broadcast(b.load(f32, pointer, 4), sums());
  Value pair = b.broadcast(b.load(i32, pointer, 4), b.vec(lanes, i32));
  return vector::BitCastOp::create(b, b.vec(2 * lanes, i16), pair);
}

/// The groups of columnsAtOnce() columns. Those of integers are interleaved in
/// blocks of 128 bits, which costs an instruction a vector: column 8·i + 4·v +
/// j is lane 4·i + j of vector v. `next` is null behind an odd K.
SmallVector<Value> DirectKernel::emitLoadColumns(Value row, Value next) {
  if (!spec.integer)
    return {b.load(sums(), row, 4)};
  VectorType wide = b.vec(2 * lanes, i16);
  auto load = [&](Value pointer) -> Value {
    return arith::ExtUIOp::create(b, wide,
                                  b.load(b.vec(2 * lanes, i8), pointer, 1));
  };
  Value even = load(row), odd = next ? load(next) : b.zero(wide);
  SmallVector<Value> result;
  for (int64_t v : {0, 1}) {
    SmallVector<int64_t> places;
    for (int64_t block = 0; block < 2 * lanes; block += 8)
      for (int64_t i = 4 * v; i < 4 * v + 4; ++i)
        llvm::append_values(places, block + i, 2 * lanes + block + i);
    result.push_back(vector::ShuffleOp::create(b, even, odd, places));
  }
  return result;
}

/// As many neighbours along K of rhs as `like`, packed lhs, has.
Value DirectKernel::emitLoadTerms(Value pointer, Value like) {
  auto type = cast<VectorType>(like.getType());
  Value loaded = b.load(type.clone(element), pointer, spec.integer ? 1 : 4);
  return spec.integer ? Value(arith::ExtUIOp::create(b, type, loaded)) : loaded;
}

Value DirectKernel::emitTerm(Value left, Value right, Value sum) {
  if (spec.integer)
    return emitPairDot(b, target, sum, left, right);
  return emitMultiplyAdd(b, target, left, right, sum);
}

Value DirectKernel::emitScalarTerm(Value row, Value k, Value column,
                                   Value sum) {
  Value left = b.load(packed, lhsAt(row, k), spec.integer ? 2 : 4);
  Value right = b.load(element, rhsAt(k, column), spec.integer ? 1 : 4);
  if (!spec.integer)
    return emitMultiplyAdd(b, target, left, right, sum);
  return b.add(sum, b.mul(arith::ExtSIOp::create(b, i32, left),
                          arith::ExtUIOp::create(b, i32, right)));
}

/// What is stored for complete sums from `column` on (N5).
Value DirectKernel::emitFinish(Value sum, Value row, Value column) {
  Type type = b.shapedLike(sum, f32);
  auto perColumn = [&](DirectArg which) {
    return b.load(type, b.advance(arg(which), column, f32), 4);
  };
  if (spec.integer) {
    Value zeroPoint =
        arith::TruncIOp::create(b, i32, arg(DirectArg::RhsZeroPoint));
    Value excess = b.mul(zeroPoint, b.load(i32, sumOfRow(row), 4));
    if (auto vector = dyn_cast<VectorType>(sum.getType()))
      excess = b.broadcast(excess, vector);
    sum = arith::SIToFPOp::create(b, type, b.sub(sum, excess));
    sum = arith::MulFOp::create(b, sum, perColumn(DirectArg::Scales));
  }
  if (spec.hasBias)
    sum = arith::AddFOp::create(b, sum, perColumn(DirectArg::Bias));
  return sum;
}

void DirectKernel::emitByRows(unsigned rows, Value row) {
  Value depth = arg(DirectArg::Depth);
  for (unsigned i = 0; i < rows; ++i)
    b.loop(first, last, 1, [&](Value column) {
      b.store(b.zero(sum), destAt(b.add(row, b.i64(i)), column), 4);
    });
  // As many groups as fit into half of 16 registers.
  unsigned groups = 8 / (rows * group), step = groups * group;
  Value steps = b.sub(depth, b.rem(depth, b.i64(step)));
  Value whole = b.sub(depth, b.rem(depth, b.i64(group)));
  b.loop(b.i64(0), steps, step,
         [&](Value k) { emitSweep(rows, groups, /*half=*/false, row, k); });
  b.loop(steps, whole, group,
         [&](Value k) { emitSweep(rows, 1, /*half=*/false, row, k); });
  if (spec.integer)
    b.loop(whole, depth, 1,
           [&](Value k) { emitSweep(rows, 1, /*half=*/true, row, k); });
  if (spec.integer || spec.hasBias)
    for (unsigned i = 0; i < rows; ++i)
      emitFinishRow(b.add(row, b.i64(i)));
}

/// Adds the terms of `groups` groups from `k` on to the sums of all columns.
/// With `half`, the only group is the one that K ends in the middle of.
void DirectKernel::emitSweep(unsigned rows, unsigned groups, bool half,
                             Value row, Value k) {
  SmallVector<Value> elements;
  auto rowAt = [&](unsigned i) { return b.add(row, b.i64(i)); };
  auto term = [&](unsigned i) { return b.add(k, b.i64(i)); };
  for (unsigned i = 0; i < rows; ++i)
    for (unsigned j = 0; j < groups; ++j)
      elements.push_back(emitBroadcast(lhsAt(rowAt(i), term(j * group))));

  unsigned step = columnsAtOnce();
  Value whole = b.sub(last, b.rem(b.sub(last, first), b.i64(step)));
  b.loop(first, whole, step, [&](Value column) {
    SmallVector<SmallVector<Value>> columns;
    for (unsigned j = 0; j < groups; ++j)
      columns.push_back(
          emitLoadColumns(rhsAt(term(j * group), column),
                          half ? Value() : rhsAt(term(j * group + 1), column)));
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned v = 0; v < group; ++v) {
        Value at = destAt(rowAt(i), b.add(column, b.i64(v * lanes)));
        Value value = b.load(sums(), at, 4);
        for (unsigned j = 0; j < groups; ++j)
          value = emitTerm(elements[i * groups + j], columns[j][v], value);
        b.store(value, at, 4);
      }
  });
  b.loop(whole, last, 1, [&](Value column) {
    for (unsigned i = 0; i < rows; ++i) {
      Value at = destAt(rowAt(i), column);
      Value value = b.load(sum, at, 4);
      for (unsigned j = 0; j < (half ? 1 : groups * group); ++j)
        value = emitScalarTerm(rowAt(i), term(j), column, value);
      b.store(value, at, 4);
    }
  });
}

/// Sums of integers that wait in dest, in the order of emitLoadColumns, become
/// results in the order of columns.
void DirectKernel::emitFinishRow(Value row) {
  unsigned step = columnsAtOnce();
  Value whole = b.sub(last, b.rem(b.sub(last, first), b.i64(step)));
  b.loop(first, whole, step, [&](Value column) {
    SmallVector<Value> values, at;
    for (unsigned v = 0; v < group; ++v) {
      at.push_back(destAt(row, b.add(column, b.i64(v * lanes))));
      values.push_back(b.load(sums(), at.back(), 4));
    }
    for (unsigned v = 0; v < group; ++v) {
      Value ordered = values[v];
      if (spec.integer) {
        SmallVector<int64_t> places;
        for (int64_t c = v * lanes; c < (v + 1) * lanes; ++c)
          places.push_back(c % 8 / 4 * lanes + c / 8 * 4 + c % 4);
        ordered = vector::ShuffleOp::create(b, values[0], values[1], places);
      }
      b.store(emitFinish(ordered, row, b.add(column, b.i64(v * lanes))), at[v],
              4);
    }
  });
  b.loop(whole, last, 1, [&](Value column) {
    Value at = destAt(row, column);
    b.store(emitFinish(b.load(sum, at, 4), row, column), at, 4);
  });
}

void DirectKernel::emitByColumns(unsigned rows, Value row) {
  constexpr unsigned step = 4;
  Value whole = b.sub(last, b.rem(b.sub(last, first), b.i64(step)));
  b.loop(first, whole, step,
         [&](Value column) { emitColumns(rows, step, row, column); });
  b.loop(whole, last, 1,
         [&](Value column) { emitColumns(rows, 1, row, column); });
}

void DirectKernel::emitColumns(unsigned rows, unsigned columns, Value row,
                               Value column) {
  unsigned step = group * lanes;
  Value depth = arg(DirectArg::Depth);
  Value whole = b.sub(depth, b.rem(depth, b.i64(step)));
  auto rowAt = [&](unsigned i) { return b.add(row, b.i64(i)); };
  auto columnAt = [&](unsigned j) { return b.add(column, b.i64(j)); };
  SmallVector<Value> zeros(rows * columns, b.zero(sums()));
  ValueRange partial =
      b.loop(b.i64(0), whole, step, zeros, [&](Value k, ValueRange carried) {
        SmallVector<Value> left, next;
        for (unsigned i = 0; i < rows; ++i)
          left.push_back(b.load(b.vec(step, packed), lhsAt(rowAt(i), k),
                                spec.integer ? 2 : 4));
        for (unsigned j = 0; j < columns; ++j) {
          Value right = emitLoadTerms(rhsAt(k, columnAt(j)), left[0]);
          for (unsigned i = 0; i < rows; ++i)
            next.push_back(emitTerm(left[i], right, carried[next.size()]));
        }
        return next;
      });
  SmallVector<Value> totals;
  for (Value each : partial)
    totals.push_back(
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, each));
  ValueRange complete =
      b.loop(whole, depth, 1, totals, [&](Value k, ValueRange carried) {
        SmallVector<Value> next;
        for (unsigned j = 0; j < columns; ++j)
          for (unsigned i = 0; i < rows; ++i)
            next.push_back(
                emitScalarTerm(rowAt(i), k, columnAt(j), carried[next.size()]));
        return next;
      });
  for (unsigned j = 0; j < columns; ++j)
    for (unsigned i = 0; i < rows; ++i)
      b.store(emitFinish(complete[j * rows + i], rowAt(i), columnAt(j)),
              destAt(rowAt(i), columnAt(j)), 4);
}

void needle::cpu::emitDirectKernel(KernelBuilder &b, const KernelSpec &spec,
                                   const CPUTarget &target,
                                   TaskArguments task) {
  DirectKernel(b, spec, target).emit(task);
}
