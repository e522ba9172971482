//===- MapKernel.cpp - Elementwise kernels of a library -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A nest of four loops around rows of elements. Rows whose elements lie side by
// side are computed in vectors; one of two inputs may be a single element
// instead. Copies between rows and columns transpose squares in registers. Any
// other row is computed element by element.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"
#include "TransposeLanes.h"

using namespace mlir;
using namespace needle::cpu;

namespace {

class MapKernel {
public:
  MapKernel(KernelBuilder &b, MapKernelOp op, const CPUTarget &target,
            Value context);

  void emit(Value begin, Value end);

private:
  static constexpr unsigned rank = 4, inner = rank - 1;

  struct Operand {
    Type element;
    Value pointer;
    SmallVector<Value, rank> strides;
  };

  unsigned bytes(const Operand &operand) const {
    return operand.element.getIntOrFloatBitWidth() / 8;
  }
  /// i1: all operands but input `except` advance by one element along a row.
  Value isContiguous(std::optional<unsigned> except = {});
  /// Loops around planes; `emitPlane` gets a pointer for each operand.
  void emitPlanes(Value begin, Value end,
                  function_ref<void(ArrayRef<Value>)> emitPlane);
  /// Loops around rows; `emitRow` gets a pointer for each operand.
  void emitNest(Value begin, Value end,
                function_ref<void(ArrayRef<Value>)> emitRow);
  /// `splat`: the input of which a row has a single element.
  void emitVectorRow(ArrayRef<Value> row, std::optional<unsigned> splat);
  void emitStridedRow(ArrayRef<Value> row);
  /// Whether the kernel copies elements that fill a lane of f32.
  bool isCopy() const;
  /// i1: rows of the output are contiguous, and columns of the input.
  Value isTransposition();
  void emitTransposition(Value begin, Value end);
  void emitSquare(Value output, Value input, Value row, Value column);
  /// Elements [at, at + lanes) of a row; single elements for 0 lanes.
  void emitAt(ArrayRef<Value> row, Value at, unsigned lanes,
              ArrayRef<Value> splats);

  KernelBuilder &b;
  Block &body;
  unsigned numOutputs, narrowLanes, wideLanes;
  SmallVector<Value> extents;
  SmallVector<Operand> operands; ///< outputs, then inputs
  SmallVector<Value> scalars;
};

} // namespace

MapKernel::MapKernel(KernelBuilder &b, MapKernelOp op, const CPUTarget &target,
                     Value context)
    : b(b), body(op.getBody().front()), numOutputs(op.getYielded().size()),
      narrowLanes(target.lanes()) {
  ContextReader reader(b, context);
  for (unsigned i = 0; i < rank; ++i)
    extents.push_back(reader.nextWord());
  SmallVector<Type> elements(op.getYielded().getTypes());
  for (BlockArgument argument :
       op.getBodyArguments().take_front(op.getNumInputs()))
    elements.push_back(argument.getType());
  unsigned fewestBits = 32;
  for (Type element : elements) {
    fewestBits = std::min(fewestBits, element.getIntOrFloatBitWidth());
    Operand &operand = operands.emplace_back();
    operand.element = element;
    operand.pointer = reader.nextPointer();
    for (unsigned i = 0; i < rank; ++i)
      operand.strides.push_back(reader.nextWord());
  }
  for (BlockArgument argument :
       op.getBodyArguments().drop_front(op.getNumInputs()))
    scalars.push_back(reader.next(argument.getType()));
  // Two registers of f32 hide latencies; bytes fill a whole register.
  wideLanes = std::max(2 * narrowLanes, target.vectorBits / fewestBits);
}

Value MapKernel::isContiguous(std::optional<unsigned> except) {
  Value result = b.constant(b.getBoolAttr(true));
  for (auto [i, operand] : llvm::enumerate(operands)) {
    bool single = except && i == numOutputs + *except;
    Value fits = b.equal(operand.strides[inner], b.i64(single ? 0 : 1));
    result = arith::AndIOp::create(b, result, fits);
  }
  return result;
}

void MapKernel::emit(Value begin, Value end) {
  auto vectors = [&](std::optional<unsigned> splat) {
    emitNest(begin, end,
             [&](ArrayRef<Value> row) { emitVectorRow(row, splat); });
  };
  auto strided = [&] {
    emitNest(begin, end, [&](ArrayRef<Value> row) { emitStridedRow(row); });
  };
  b.ifThenElse(
      isContiguous(), [&] { vectors({}); },
      [&] {
        if (isCopy())
          return b.ifThenElse(
              isTransposition(), [&] { emitTransposition(begin, end); },
              strided);
        if (operands.size() - numOutputs != 2)
          return strided();
        b.ifThenElse(
            isContiguous(0), [&] { vectors(0); },
            [&] {
              b.ifThenElse(isContiguous(1), [&] { vectors(1); }, strided);
            });
      });
}

void MapKernel::emitPlanes(Value begin, Value end,
                           function_ref<void(ArrayRef<Value>)> emitPlane) {
  b.loop(begin, end, 1, [&](Value index) {
    Value outer[] = {b.div(index, extents[1]), b.rem(index, extents[1])};
    SmallVector<Value> planes;
    for (Operand &operand : operands) {
      Value offset = b.add(b.mul(outer[0], operand.strides[0]),
                           b.mul(outer[1], operand.strides[1]));
      planes.push_back(b.advance(operand.pointer, offset, operand.element));
    }
    emitPlane(planes);
  });
}

void MapKernel::emitNest(Value begin, Value end,
                         function_ref<void(ArrayRef<Value>)> emitRow) {
  emitPlanes(begin, end, [&](ArrayRef<Value> planes) {
    b.loop(b.i64(0), extents[2], 1, [&](Value i) {
      SmallVector<Value> row;
      for (auto [plane, operand] : llvm::zip_equal(planes, operands))
        row.push_back(
            b.advance(plane, b.mul(i, operand.strides[2]), operand.element));
      emitRow(row);
    });
  });
}

void MapKernel::emitVectorRow(ArrayRef<Value> row,
                              std::optional<unsigned> splat) {
  SmallVector<Value> splats(operands.size() - numOutputs);
  if (splat) {
    unsigned at = numOutputs + *splat;
    splats[*splat] = b.load(operands[at].element, row[at], bytes(operands[at]));
  }
  // Remainders bounded by a constant are not vectorized once more.
  Value size = extents[inner];
  Value rest = b.rem(size, b.i64(wideLanes));
  Value whole = b.sub(size, rest);
  Value last = b.rem(rest, b.i64(narrowLanes));
  Value narrow = b.sub(size, last);
  b.loop(b.i64(0), whole, wideLanes,
         [&](Value at) { emitAt(row, at, wideLanes, splats); });
  b.loop(whole, narrow, narrowLanes,
         [&](Value at) { emitAt(row, at, narrowLanes, splats); });
  b.loop(b.i64(0), last, 1,
         [&](Value at) { emitAt(row, b.add(narrow, at), 0, splats); });
}

void MapKernel::emitAt(ArrayRef<Value> row, Value at, unsigned lanes,
                       ArrayRef<Value> splats) {
  auto place = [&](unsigned i) {
    return b.advance(row[i], at, operands[i].element);
  };
  SmallVector<Value> arguments;
  for (unsigned i = numOutputs; i < operands.size(); ++i) {
    Type type = operands[i].element;
    if (lanes)
      type = b.vec(lanes, type);
    Value single = splats[i - numOutputs];
    arguments.push_back(single ? single
                               : b.load(type, place(i), bytes(operands[i])));
  }
  arguments.append(scalars);
  for (auto [i, value] : llvm::enumerate(emitElements(b, body, arguments))) {
    if (lanes && !isa<VectorType>(value.getType()))
      value = b.broadcast(value, b.vec(lanes, value.getType()));
    b.store(value, place(i), bytes(operands[i]));
  }
}

void MapKernel::emitStridedRow(ArrayRef<Value> row) {
  b.loop(b.i64(0), extents[inner], 1, [&](Value at) {
    SmallVector<Value> places, arguments;
    for (auto [start, operand] : llvm::zip_equal(row, operands))
      places.push_back(
          b.advance(start, b.mul(at, operand.strides[inner]), operand.element));
    for (unsigned i = numOutputs; i < operands.size(); ++i)
      arguments.push_back(
          b.load(operands[i].element, places[i], bytes(operands[i])));
    arguments.append(scalars);
    for (auto [i, value] : llvm::enumerate(emitElements(b, body, arguments)))
      b.store(value, places[i], bytes(operands[i]));
  });
}

//===----------------------------------------------------------------------===//
// Transposition
//===----------------------------------------------------------------------===//

bool MapKernel::isCopy() const {
  Operation *yield = body.getTerminator();
  return operands.size() == 2 && numOutputs == 1 &&
         body.getNumArguments() == 1 &&
         yield->getOperand(0) == body.getArgument(0) &&
         operands[0].element.getIntOrFloatBitWidth() == 32;
}

Value MapKernel::isTransposition() {
  return arith::AndIOp::create(
      b, b.equal(operands[0].strides[inner], b.i64(1)),
      b.equal(operands[1].strides[inner - 1], b.i64(1)));
}

void MapKernel::emitTransposition(Value begin, Value end) {
  int64_t lanes = narrowLanes;
  Value rows = extents[inner - 1], columns = extents[inner];
  Value squareRows = b.sub(rows, b.rem(rows, b.i64(lanes)));
  Value squareColumns = b.sub(columns, b.rem(columns, b.i64(lanes)));
  emitPlanes(begin, end, [&](ArrayRef<Value> planes) {
    auto copy = [&](Value row, Value firstColumn) {
      b.loop(firstColumn, columns, 1, [&](Value column) {
        Value places[2];
        for (unsigned i = 0; i < 2; ++i) {
          Value offset = b.add(b.mul(row, operands[i].strides[inner - 1]),
                               b.mul(column, operands[i].strides[inner]));
          places[i] = b.advance(planes[i], offset, operands[i].element);
        }
        b.store(b.load(operands[1].element, places[1], 4), places[0], 4);
      });
    };
    b.loop(b.i64(0), squareRows, lanes, [&](Value row) {
      b.loop(b.i64(0), squareColumns, lanes, [&](Value column) {
        emitSquare(planes[0], planes[1], row, column);
      });
    });
    b.loop(b.i64(0), squareRows, 1,
           [&](Value row) { copy(row, squareColumns); });
    b.loop(squareRows, rows, 1, [&](Value row) { copy(row, b.i64(0)); });
  });
}

void MapKernel::emitSquare(Value output, Value input, Value row, Value column) {
  Type element = operands[1].element;
  SmallVector<Value> columns;
  for (unsigned i = 0; i < narrowLanes; ++i) {
    Value at = b.mul(b.add(column, b.i64(i)), operands[1].strides[inner]);
    columns.push_back(b.load(b.vec(narrowLanes, element),
                             b.advance(input, b.add(at, row), element), 4));
  }
  for (auto [i, vector] : llvm::enumerate(transposeLanes(b, columns))) {
    Value at =
        b.mul(b.add(row, b.i64(int64_t(i))), operands[0].strides[inner - 1]);
    b.store(vector, b.advance(output, b.add(at, column), element), 4);
  }
}

void needle::cpu::emitMapKernel(KernelBuilder &b, MapKernelOp kernel,
                                const CPUTarget &target, TaskArguments task) {
  MapKernel(b, kernel, target, task.context).emit(task.begin, task.end);
}
