//===- ArenaFunction.cpp - Size and offsets of an arena -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ArenaFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Codegen/CPU/ArenaLayout.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "llvm/Support/CheckedArithmetic.h"
#include <limits>

using namespace mlir;
using namespace needle::cpu;

/// More than any machine has, and so little that a sum of slots cannot
/// overflow.
static constexpr int64_t largestBuffer = int64_t(1) << 48;

std::optional<int64_t> needle::cpu::getStaticBytes(MemRefType type) {
  Type element = type.getElementType();
  int64_t bytes = element.isIndex()
                      ? 8
                      : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  for (int64_t extent : type.getShape()) {
    if (ShapedType::isDynamic(extent))
      continue;
    std::optional<int64_t> next = llvm::checkedMul(bytes, extent);
    if (!next || *next > largestBuffer)
      return std::nullopt;
    bytes = *next;
  }
  return bytes;
}

/// The entry's dynamic input dimensions, in order.
static SmallVector<std::pair<BlockArgument, int64_t>>
getDynamicInputDims(func::FuncOp entry) {
  SmallVector<std::pair<BlockArgument, int64_t>> result;
  for (unsigned i = 0, e = getSignature(entry).inputs.size(); i < e; ++i) {
    auto type = cast<MemRefType>(entry.getArgument(i).getType());
    for (auto [dim, extent] : llvm::enumerate(type.getShape()))
      if (ShapedType::isDynamic(extent))
        result.push_back({entry.getArgument(i), dim});
  }
  return result;
}

ArenaFunction::ArenaFunction(func::FuncOp entry, int64_t staticBytes,
                             unsigned numSlots)
    : entry(entry), builder(entry.getLoc(), entry), staticBytes(staticBytes),
      slotBytes(numSlots) {
  Type index = builder.getIndexType();
  SmallVector<Type> inputs(getDynamicInputDims(entry).size() + 1, index);
  SmallVector<Type> outputs(numSlots + 1, index);
  function =
      func::FuncOp::create(builder, (entry.getName() + arenaSuffix).str(),
                           builder.getFunctionType(inputs, outputs));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
  mapping.map(getRuntimeArgument(entry, RuntimeArg::Threads),
              function.getArguments().back());
}

Value ArenaFunction::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, value);
}

void ArenaFunction::require(Value isTooLarge) {
  tooLarge =
      tooLarge ? arith::OrIOp::create(builder, tooLarge, isTooLarge).getResult()
               : isTooLarge;
}

Value ArenaFunction::multiply(Value a, Value b) {
  auto product = arith::MulUIExtendedOp::create(builder, a, b);
  require(arith::CmpIOp::create(builder, arith::CmpIPredicate::ne,
                                product.getHigh(), constant(0)));
  return product.getLow();
}

Value ArenaFunction::remapDim(memref::DimOp dim) {
  auto argument = dyn_cast<BlockArgument>(dim.getSource());
  std::optional<int64_t> index = dim.getConstantIndex();
  if (!argument || argument.getOwner() != &entry.front() || !index)
    return {};
  for (auto [i, input] : llvm::enumerate(getDynamicInputDims(entry)))
    if (input.first == argument && input.second == *index)
      return function.getArgument(i);

  EntrySignature signature = getSignature(entry);
  unsigned output = argument.getArgNumber() - signature.inputs.size();
  if (argument.getArgNumber() < signature.inputs.size() ||
      output >= signature.outputs.size())
    return {};
  unsigned result = 1 + *index; // after the status
  for (unsigned i = 0; i < output; ++i)
    result += signature.outputs[i].type.getRank();
  if (!outputDims) {
    auto shapes = entry->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(
        (entry.getName() + shapesSuffix).str());
    if (!shapes)
      return {};
    outputDims = func::CallOp::create(builder, shapes,
                                      function.getArguments().drop_back());
  }
  return outputDims.getResult(result);
}

Value ArenaFunction::remap(Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    Value known = remapDim(dim);
    if (known)
      mapping.map(value, known);
    return known;
  }
  // Executed on the same dimensions as in the entry point, where it is executed
  // always.
  if (!isMemoryEffectFree(op) || op->getNumRegions() != 0 ||
      op->getBlock() != &entry.front())
    return {};
  for (Value operand : op->getOperands())
    if (!remap(operand))
      return {};
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

LogicalResult ArenaFunction::addToSlot(unsigned slot, memref::AllocOp alloc) {
  builder.setLoc(alloc.getLoc());
  Value bytes = constant(*getStaticBytes(alloc.getType()));
  for (Value size : alloc.getDynamicSizes()) {
    Value factor = remap(size);
    if (!factor)
      return alloc.emitOpError("cannot be planned: its size does not follow "
                               "from the dimensions of the inputs");
    bytes = multiply(bytes, factor);
  }
  Value &largest = slotBytes[slot];
  largest = largest
                ? arith::MaxUIOp::create(builder, largest, bytes).getResult()
                : bytes;
  return success();
}

SmallVector<Value> ArenaFunction::finish() {
  builder.setLoc(entry.getLoc());
  Value end = constant(staticBytes);
  SmallVector<Value> results = {Value()};
  for (Value bytes : slotBytes) {
    results.push_back(end);
    require(arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, bytes,
                                  constant(largestBuffer)));
    Value padded =
        arith::AddIOp::create(builder, bytes, constant(arenaAlignment - 1));
    Value aligned =
        arith::AndIOp::create(builder, padded, constant(-arenaAlignment));
    end = arith::AddIOp::create(builder, end, aligned);
  }
  if (tooLarge)
    end = arith::SelectOp::create(
        builder, tooLarge, constant(std::numeric_limits<int64_t>::max()), end);
  results.front() = end;
  func::ReturnOp::create(builder, results);
  if (slotBytes.empty())
    return {};

  builder.setInsertionPointToStart(&entry.front());
  SmallVector<Value> arguments;
  for (auto [input, dim] : getDynamicInputDims(entry))
    arguments.push_back(memref::DimOp::create(builder, input, dim));
  arguments.push_back(getRuntimeArgument(entry, RuntimeArg::Threads));
  auto call = func::CallOp::create(builder, function, arguments);
  return SmallVector<Value>(call.getResults().drop_front());
}
