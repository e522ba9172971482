//===- ArenaFunction.cpp - Size and offsets of an arena -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ArenaFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Codegen/CPU/ArenaLayout.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "llvm/ADT/TypeSwitch.h"
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
  // Without elements there are no bytes, however large the other dimensions.
  if (llvm::is_contained(type.getShape(), 0))
    return 0;
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

Value ArenaFunction::getArgumentDim(BlockArgument argument, int64_t dim) {
  if (argument.getOwner() != &entry.front())
    return {};
  for (auto [i, input] : llvm::enumerate(getDynamicInputDims(entry)))
    if (input.first == argument && input.second == dim)
      return function.getArgument(i);

  EntrySignature signature = getSignature(entry);
  unsigned output = argument.getArgNumber() - signature.inputs.size();
  if (argument.getArgNumber() < signature.inputs.size() ||
      output >= signature.outputs.size())
    return {};
  unsigned result = 1 + dim; // after the status
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

Value ArenaFunction::getProduct(Value buffer, ArrayRef<int64_t> dims) {
  Value product;
  for (int64_t dim : dims) {
    Value extent = getDim(buffer, dim);
    if (!extent)
      return {};
    product = product ? multiply(product, extent) : extent;
  }
  return product;
}

Value ArenaFunction::getDim(Value buffer, int64_t dim) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || dim < 0 || dim >= type.getRank())
    return {};
  if (!type.isDynamicDim(dim))
    return constant(type.getDimSize(dim));
  if (auto argument = dyn_cast<BlockArgument>(buffer))
    return getArgumentDim(argument, dim);
  auto remapSize = [&](ValueRange dynamicSizes) {
    return remap(dynamicSizes[type.getDynamicDimIndex(dim)]);
  };
  return TypeSwitch<Operation *, Value>(buffer.getDefiningOp())
      .Case([&](memref::CastOp cast) { return getDim(cast.getSource(), dim); })
      .Case([&](memref::CollapseShapeOp collapse) {
        return getProduct(collapse.getSrc(),
                          collapse.getReassociationIndices()[dim]);
      })
      .Case([&](memref::ExpandShapeOp expand) {
        return remapSize(expand.getOutputShape());
      })
      .Case([&](memref::AllocOp alloc) {
        return remapSize(alloc.getDynamicSizes());
      })
      .Case([&](memref::ViewOp view) { return remapSize(view.getSizes()); })
      .Default([](Operation *) { return Value(); });
}

Value ArenaFunction::remap(Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    Value known = index ? getDim(dim.getSource(), *index) : Value();
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
