//===- MapKernel.cpp - Elementwise kernels of a library -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thread for each element. Nests that the caller has merged to one loop, as
// those of contiguous arrays are, need no division.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"

#include "../Common/KernelBody.h"

using namespace mlir;
using namespace needle;
using namespace needle::cuda;

namespace {

class MapKernel {
public:
  MapKernel(GPUBuilder &b, cpu::MapKernelOp op, Value context);

  void emit();

private:
  static constexpr unsigned rank = 4;

  struct Operand {
    Type element;
    Value pointer;
    SmallVector<Value, rank> strides;
  };

  /// The result of the element that lies `offsets` from each operand's start.
  void emitElement(ArrayRef<Value> offsets);
  SmallVector<Value> emitOffsets(ArrayRef<Value> index);

  GPUBuilder &b;
  Block &body;
  unsigned numOutputs;
  SmallVector<Value> extents;
  SmallVector<Operand> operands; ///< outputs, then inputs
  SmallVector<Value> scalars;
};

} // namespace

/// The words of the context.
static unsigned countWords(cpu::MapKernelOp op) {
  unsigned operands = op.getYielded().size() + op.getNumInputs();
  return 4 + 5 * operands + op.getScalars();
}

MapKernel::MapKernel(GPUBuilder &b, cpu::MapKernelOp op, Value context)
    : b(b), body(op.getBody().front()), numOutputs(op.getYielded().size()) {
  codegen::ContextReader reader(b, context);
  for (unsigned i = 0; i < rank; ++i)
    extents.push_back(reader.nextWord());
  SmallVector<Type> elements(op.getYielded().getTypes());
  for (BlockArgument argument :
       op.getBodyArguments().take_front(op.getNumInputs()))
    elements.push_back(argument.getType());
  for (Type element : elements) {
    Operand &operand = operands.emplace_back();
    operand.element = element;
    operand.pointer = b.toGlobal(reader.nextWord());
    for (unsigned i = 0; i < rank; ++i)
      operand.strides.push_back(reader.nextWord());
  }
  for (BlockArgument argument :
       op.getBodyArguments().drop_front(op.getNumInputs()))
    scalars.push_back(reader.next(argument.getType()));
}

SmallVector<Value> MapKernel::emitOffsets(ArrayRef<Value> index) {
  SmallVector<Value> offsets;
  for (const Operand &operand : operands) {
    Value offset = b.i64(0);
    ArrayRef<Value> strides = ArrayRef(operand.strides).take_back(index.size());
    for (auto [i, stride] : llvm::zip_equal(index, strides))
      offset = b.add(offset, b.mul(i, stride));
    offsets.push_back(offset);
  }
  return offsets;
}

void MapKernel::emitElement(ArrayRef<Value> offsets) {
  SmallVector<Value> places, arguments;
  for (auto [operand, offset] : llvm::zip_equal(operands, offsets))
    places.push_back(b.advance(operand.pointer, offset, operand.element));
  auto bytes = [&](unsigned i) {
    return operands[i].element.getIntOrFloatBitWidth() / 8;
  };
  for (unsigned i = numOutputs; i < operands.size(); ++i)
    arguments.push_back(b.load(operands[i].element, places[i], bytes(i)));
  arguments.append(scalars);
  for (auto [i, value] :
       llvm::enumerate(codegen::emitElements(b, body, arguments)))
    b.store(value, places[i], bytes(i));
}

void MapKernel::emit() {
  Value index =
      b.add(b.mul(b.blockIndex('x'), b.i64(blockThreads)), b.threadIndex());
  Value outer = b.mul(b.mul(extents[0], extents[1]), extents[2]);
  b.ifThen(b.less(index, b.mul(outer, extents[3])), [&] {
    SmallVector<Type> types(operands.size(), b.getI64Type());
    SmallVector<Value> offsets = b.select(
        b.equal(outer, b.i64(1)), types, [&] { return emitOffsets(index); },
        [&] {
          SmallVector<Value> indices(rank);
          Value rest = index;
          for (unsigned d = rank; d-- > 1;) {
            indices[d] = arith::RemUIOp::create(b, rest, extents[d]);
            rest = arith::DivUIOp::create(b, rest, extents[d]);
          }
          indices[0] = rest;
          return emitOffsets(indices);
        });
    emitElement(offsets);
  });
}

void needle::cuda::emitMapKernel(ModuleOp module, cpu::MapKernelOp op) {
  createKernel(
      module, op.getLoc(), op.getSymName(), countWords(op), {1, blockThreads},
      [&](GPUBuilder &b, Value context) { MapKernel(b, op, context).emit(); });
}
