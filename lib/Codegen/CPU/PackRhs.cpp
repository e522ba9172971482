//===- PackRhs.cpp - Packs the right-hand side at run time ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layout is that of needle_cpu.pack_rhs; Packing.cpp makes the same one of
// constants at compile time.
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"

using namespace mlir;
using namespace needle::cpu;

namespace {

class PackRhsKernel {
public:
  PackRhsKernel(KernelBuilder &builder, const PackSpec &spec,
                const CPUTarget &target, Value context)
      : b(builder), spec(spec), columns(target.panel()),
        terms(!spec.integer        ? 1
              : spec.destBits == 8 ? 4
                                   : 2),
        i8(builder.getI8Type()),
        source(!spec.integer ? Type(b.getF32Type()) : Type(b.getI8Type())),
        packed(!spec.integer ? Type(b.getF32Type())
                             : Type(b.getIntegerType(spec.destBits))) {
    for (unsigned i = 0; i < unsigned(PackArg::Count); ++i) {
      auto which = PackArg(i);
      bool pointer = which == PackArg::Source || which == PackArg::Dest ||
                     which == PackArg::ZeroPoints;
      args.push_back(b.load(pointer ? b.ptrType() : b.getI64Type(),
                            b.advance(context, b.i64(i), b.getI64Type()), 8));
    }
    zeroPoints = b.stack(b.getI16Type(), columns);
  }

  void emitPanel(Value index) {
    Value perGroup = b.ceilDiv(arg(PackArg::Columns), columns);
    Value group = b.div(index, perGroup);
    Value within = b.mul(b.rem(index, perGroup), b.i64(columns));
    Value first = b.add(b.mul(group, arg(PackArg::Columns)), within);
    Value valid = b.min(b.sub(arg(PackArg::Columns), within), b.i64(columns));
    if (spec.integer && spec.destBits == 16)
      emitZeroPoints(first, valid);
    Value depth = arg(PackArg::Depth);
    Value groups =
        spec.integer ? b.div(b.roundUp(depth, 4), b.i64(terms)) : depth;
    KernelSpec kernel;
    kernel.integer = spec.integer;
    kernel.rhsBits = spec.destBits;
    Value dest =
        b.advance(arg(PackArg::Dest),
                  emitPackedRhsBytes(b, b.getLoc(), kernel,
                                     b.mul(index, b.i64(columns)), depth),
                  i8);
    Value from = b.advance(arg(PackArg::Source),
                           b.mul(first, arg(PackArg::ColumnStride)), source);

    // Whole panels of contiguous columns are copied in vectors.
    Value fast =
        arith::AndIOp::create(b, b.equal(valid, b.i64(columns)),
                              b.equal(arg(PackArg::ColumnStride), b.i64(1)));
    Value fastGroups = b.select(fast, b.div(depth, b.i64(terms)), b.i64(0));
    b.loop(b.i64(0), fastGroups, 1,
           [&](Value i) { emitVectors(i, from, dest); });
    b.loop(fastGroups, groups, 1,
           [&](Value i) { emitScalars(i, from, dest, valid); });
    if (spec.integer && spec.destBits == 8)
      emitColumnSums(dest, groups);
  }

private:
  Value arg(PackArg which) { return args[unsigned(which)]; }

  void emitZeroPoints(Value first, Value valid) {
    Type i16 = b.getI16Type(), i32 = b.getI32Type();
    b.loop(b.i64(0), valid, 1, [&](Value column) {
      Value at = b.mul(b.add(first, column), arg(PackArg::ZeroPointStride));
      Value value =
          b.load(i32, b.advance(arg(PackArg::ZeroPoints), at, i32), 4);
      b.store(arith::TruncIOp::create(b, i16, value),
              b.advance(zeroPoints, column, i16), 2);
    });
  }

  /// The packed form of a loaded element or vector.
  Value convert(Value value, Value zeroPoint) {
    if (!spec.integer || spec.destBits == 8)
      return value;
    Type type = b.getI16Type();
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      type = vector.clone(type);
    Value wide = spec.sourceUnsigned
                     ? Value(arith::ExtUIOp::create(b, type, value))
                     : Value(arith::ExtSIOp::create(b, type, value));
    return b.sub(wide, zeroPoint);
  }

  /// The sum of each column, behind its quads.
  void emitColumnSums(Value dest, Value groups) {
    VectorType sumType = b.vec(columns, b.getI32Type());
    auto addQuads = [&](Value i, ValueRange sums) {
      Value quads =
          b.load(b.vec(4 * columns, i8),
                 b.advance(dest, b.mul(i, b.i64(4 * columns)), i8), 16);
      Value sum = sums.front();
      for (int64_t offset = 0; offset < 4; ++offset) {
        SmallVector<int64_t> lanes;
        for (int64_t column = 0; column < columns; ++column)
          lanes.push_back(4 * column + offset);
        Value values = vector::ShuffleOp::create(b, quads, quads, lanes);
        sum = b.add(sum, arith::ExtSIOp::create(b, sumType, values));
      }
      return SmallVector<Value>{sum};
    };
    Value sum = b.loop(b.i64(0), groups, 1, b.zero(sumType), addQuads).front();
    b.store(sum, b.advance(dest, b.mul(groups, b.i64(4 * columns)), i8), 16);
  }

  void emitVectors(Value index, Value from, Value dest) {
    unsigned alignment = spec.integer ? 1 : 4;
    Value k = b.mul(index, b.i64(terms));
    auto row = [&](int64_t offset) {
      Value at = b.mul(b.add(k, b.i64(offset)), arg(PackArg::DepthStride));
      Value value = b.load(b.vec(columns, source), b.advance(from, at, source),
                           alignment);
      Value zeroPoint;
      if (spec.destBits == 16)
        zeroPoint = b.load(b.vec(columns, b.getI16Type()), zeroPoints, 16);
      return convert(value, zeroPoint);
    };
    Value result = row(0);
    if (terms == 2)
      result = vector::InterleaveOp::create(b, result, row(1));
    if (terms == 4) {
      Value even = vector::InterleaveOp::create(b, result, row(2));
      Value odd = vector::InterleaveOp::create(b, row(1), row(3));
      result = vector::InterleaveOp::create(b, even, odd);
    }
    b.store(result,
            b.advance(dest, b.mul(index, b.i64(terms * columns)), packed), 16);
  }

  void emitScalars(Value index, Value from, Value dest, Value valid) {
    Value base = b.mul(index, b.i64(terms * columns));
    for (int64_t offset = 0; offset < terms; ++offset) {
      Value k = b.add(b.mul(index, b.i64(terms)), b.i64(offset));
      // Nothing lies beyond K in the last group.
      Value present = b.select(b.less(k, arg(PackArg::Depth)), valid, b.i64(0));
      auto destAt = [&](Value column) {
        Value at =
            b.add(base, b.add(b.mul(column, b.i64(terms)), b.i64(offset)));
        return b.advance(dest, at, packed);
      };
      unsigned bytes = packed.getIntOrFloatBitWidth() / 8;
      b.loop(b.i64(0), present, 1, [&](Value column) {
        Value at = b.add(b.mul(k, arg(PackArg::DepthStride)),
                         b.mul(column, arg(PackArg::ColumnStride)));
        Value value =
            b.load(source, b.advance(from, at, source), spec.integer ? 1 : 4);
        Value zeroPoint;
        if (spec.destBits == 16)
          zeroPoint = b.load(b.getI16Type(),
                             b.advance(zeroPoints, column, b.getI16Type()), 2);
        b.store(convert(value, zeroPoint), destAt(column), bytes);
      });
      b.loop(present, b.i64(columns), 1, [&](Value column) {
        b.store(b.zero(packed), destAt(column), bytes);
      });
    }
  }

  KernelBuilder &b;
  const PackSpec &spec;
  int64_t columns;
  int64_t terms; ///< neighbours along K that lie side by side
  Type i8, source, packed;
  SmallVector<Value> args;
  Value zeroPoints; ///< of the panel, i16, on the stack
};

} // namespace

void needle::cpu::emitPackRhs(KernelBuilder &builder, const PackSpec &spec,
                              const CPUTarget &target, Value context,
                              Value begin, Value end) {
  PackRhsKernel kernel(builder, spec, target, context);
  builder.loop(begin, end, 1, [&](Value panel) { kernel.emitPanel(panel); });
}
