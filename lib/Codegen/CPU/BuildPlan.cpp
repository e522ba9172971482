//===- BuildPlan.cpp - Signatures, output shapes, shape checks ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Records the signature of each entry point and derives, from the dimensions of
// its inputs, the dimensions of its outputs and the shape equalities that only
// a run can decide.
//
//===----------------------------------------------------------------------===//

#include "ArenaFunction.h"
#include "ShapesFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CheckedArithmetic.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUBUILDPLAN
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

/// A ranked tensor of an element type that a runtime can describe, of a size
/// that can be computed.
LogicalResult verifyTensorType(RankedTensorType type,
                               function_ref<InFlightDiagnostic()> emitError) {
  Type element = type.getElementType();
  if (auto quantized = dyn_cast<quant::QuantizedType>(element)) {
    if (failed(
            needle::verifyQuantizedType(quantized, type.getShape(), emitError)))
      return failure();
    element = quantized.getStorageType();
  } else if (!element.isF32() && !element.isSignlessInteger(32) &&
             !element.isSignedInteger(8) && !element.isUnsignedInteger(8)) {
    return emitError() << "the element type must be f32, i32, si8, ui8 or a "
                          "uniform quantized type, but is "
                       << element;
  }
  if (!getStaticBytes(MemRefType::get(type.getShape(), element)))
    return emitError() << type << " is larger than any memory";
  return success();
}

/// What crosses the border of an entry point.
LogicalResult verifyTensorTypes(func::FuncOp entry, StringRef kind,
                                TypeRange types) {
  for (auto [i, type] : llvm::enumerate(types)) {
    auto emitError = [&, i = i] {
      return entry.emitOpError()
             << "is not supported as an entry point: " << kind << " " << i
             << ": ";
    };
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return entry.emitOpError()
             << "is not supported as an entry point: " << kind << " " << i
             << " must be a ranked tensor, but is " << type;
    if (failed(verifyTensorType(tensor, emitError)))
      return failure();
  }
  return success();
}

/// What an entry point has to be, besides made of operations that are known.
LogicalResult verifyEntryPoint(func::FuncOp entry) {
  if (entry.getName().empty())
    return entry.emitOpError(
        "is not supported as an entry point: its name is empty");
  // LLVM gives both a meaning, and the object no symbol of that name.
  auto isControl = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (llvm::any_of(entry.getName(), isControl) ||
      entry.getName().starts_with("llvm."))
    return entry.emitOpError("is not supported as an entry point: its name has "
                             "a control character or starts with 'llvm.'");
  for (StringRef suffix : {shapesSuffix, arenaSuffix, planSuffix, runSuffix}) {
    std::string name = (entry.getName() + suffix).str();
    if (SymbolTable::lookupNearestSymbolFrom(
            entry, StringAttr::get(entry.getContext(), name)))
      return entry.emitOpError("is not supported as an entry point: the name '")
             << name << "' that belongs to it is taken";
  }
  if (!entry.getBody().hasOneBlock())
    return entry.emitOpError(
        "is not supported as an entry point: control flow");
  if (Operation *end = entry.front().getTerminator(); !isa<func::ReturnOp>(end))
    return end->emitOpError("is not supported in an entry point, which must "
                            "end with func.return");
  if (failed(verifyTensorTypes(entry, "argument", entry.getArgumentTypes())) ||
      failed(verifyTensorTypes(entry, "result", entry.getResultTypes())))
    return failure();
  return success();
}

/// Names and types of inputs or outputs. Those without a name are numbered.
FailureOr<SmallVector<EntryTensor>>
nameTensors(func::FuncOp entry, StringRef kind, StringRef defaultName,
            TypeRange types, function_ref<StringAttr(unsigned)> getName) {
  llvm::StringSet<> taken;
  for (unsigned i = 0, e = types.size(); i < e; ++i)
    if (StringAttr name = getName(i);
        name && !name.empty() && !taken.insert(name).second)
      return entry.emitOpError("has two ")
             << kind << "s that are named '" << name.getValue() << "'";
  SmallVector<EntryTensor> tensors;
  for (auto [i, type] : llvm::enumerate(types)) {
    StringAttr given = getName(i);
    std::string name = given ? given.str() : "";
    if (name.empty()) {
      name = (defaultName + Twine(i)).str();
      while (!taken.insert(name).second)
        name += "_";
    }
    tensors.push_back({std::move(name), cast<RankedTensorType>(type)});
  }
  return tensors;
}

LogicalResult recordSignature(func::FuncOp entry) {
  auto inputs = nameTensors(
      entry, "input", "arg", entry.getArgumentTypes(), [&](unsigned i) {
        return entry.getArgAttrOfType<StringAttr>(i, nameAttr);
      });
  auto outputs = nameTensors(
      entry, "output", "result", entry.getResultTypes(), [&](unsigned i) {
        return entry.getResultAttrOfType<StringAttr>(i, nameAttr);
      });
  if (failed(inputs) || failed(outputs))
    return failure();
  setSignature(entry, {std::move(*inputs), std::move(*outputs)});
  return success();
}

/// Sums up the constants of all entry points, equal ones once, before anything
/// writes out their elements: a splat of any size is a few bytes of text.
class ConstantBudget {
public:
  LogicalResult add(func::FuncOp entry) {
    WalkResult result = entry.walk([&](Operation *op) {
      ElementsAttr value;
      if (auto constant = dyn_cast<needle::ConstantOp>(op))
        value = constant.getValue();
      else if (auto constant = dyn_cast<arith::ConstantOp>(op))
        value = dyn_cast<ElementsAttr>(constant.getValue());
      if (!value || !counted.insert(value).second || take(value))
        return WalkResult::advance();
      op->emitOpError("makes the constants of the module larger than ")
          << (largest >> 30) << " GiB";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

private:
  /// Whether there was room.
  bool take(ElementsAttr value) {
    ShapedType type = value.getShapedType();
    if (!type.getElementType().isIntOrFloat())
      return true;
    std::optional<uint64_t> bits = llvm::checkedMulUnsigned<uint64_t>(
        type.getNumElements(), type.getElementTypeBitWidth());
    if (!bits || *bits / 8 > left)
      return false;
    left -= *bits / 8;
    return true;
  }

  static constexpr uint64_t largest = uint64_t(16) << 30;
  uint64_t left = largest;
  llvm::DenseSet<Attribute> counted;
};

struct BuildPlanPass : needle::cpu::impl::CPUBuildPlanBase<BuildPlanPass> {
  void runOnOperation() override {
    SmallVector<Attribute> messages;
    ConstantBudget constants;
    for (auto entry :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!entry.isPublic() || entry.isExternal())
        continue;
      if (failed(verifyEntryPoint(entry)) || failed(constants.add(entry)) ||
          failed(recordSignature(entry)) ||
          failed(emitShapesFunction(entry, messages)))
        return signalPassFailure();
    }
    getOperation()->setAttr(messagesAttr,
                            ArrayAttr::get(&getContext(), messages));
  }
};

} // namespace
