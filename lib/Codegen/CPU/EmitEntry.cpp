//===- EmitEntry.cpp - The C functions of an entry point ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits `@F.plan` and `@F.run` of each entry point F and closes the module: all
// else becomes internal, nothing may reach outside.
//
//===----------------------------------------------------------------------===//

#include "FrameAccess.h"
#include "KernelBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUEMITENTRY
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

/// Both pointers, the offset, sizes and strides of a memref of this rank.
static unsigned getDescriptorFields(unsigned rank) { return 3 + 2 * rank; }

namespace {

/// Emits the two functions of one entry point.
class EntryEmitter {
public:
  EntryEmitter(LLVM::LLVMFuncOp entry, SymbolTable &symbols)
      : entry(entry), symbols(symbols),
        builder(entry.getLoc(), entry.getContext()),
        pointer(LLVM::LLVMPointerType::get(entry.getContext())),
        i64(builder.getI64Type()) {}

  LogicalResult emit() {
    if (failed(verifySignature(entry)))
      return failure();
    signature = getSignature(entry);
    if (!(shapes = lookup(shapesSuffix)) || !(arena = lookup(arenaSuffix)) ||
        failed(verify()))
      return failure();
    emitPlan();
    emitRun();
    return success();
  }

private:
  LogicalResult verify();
  LLVM::LLVMFuncOp lookup(StringRef suffix);
  LLVM::LLVMFuncOp declare(StringRef suffix, Type result,
                           ArrayRef<Type> inputs);
  void emitPlan();
  void emitRun();

  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, i64, value);
  }
  /// The results of a function of integers, however it returns them.
  SmallVector<Value> call(LLVM::LLVMFuncOp callee, ValueRange arguments);
  /// The dynamic ones among the inputs' dimensions in memory.
  SmallVector<Value> loadDynamicDims(Value dims);
  /// Appends the fields of a memref descriptor.
  void appendDescriptor(SmallVectorImpl<Value> &arguments, Value data,
                        ArrayRef<Value> sizes);

  LLVM::LLVMFuncOp entry, shapes, arena;
  SymbolTable &symbols;
  EntrySignature signature;
  ImplicitLocOpBuilder builder;
  Type pointer, i64;
};

LLVM::LLVMFuncOp EntryEmitter::lookup(StringRef suffix) {
  std::string name = (entry.getName() + suffix).str();
  auto function = symbols.lookup<LLVM::LLVMFuncOp>(name);
  if (!function)
    entry.emitOpError("has no function '") << name << "'";
  return function;
}

/// The functions have been lowered from what the signature says.
LogicalResult EntryEmitter::verify() {
  unsigned numArguments = 2 * getDescriptorFields(1) + 2; // runtime arguments
  unsigned numDynamic = 0, numResults = 1;
  for (const EntryTensor &input : signature.inputs) {
    numArguments += getDescriptorFields(input.type.getRank());
    numDynamic += input.type.getNumDynamicDims();
  }
  for (const EntryTensor &output : signature.outputs) {
    numArguments += getDescriptorFields(output.type.getRank());
    numResults += output.type.getRank();
  }
  auto countResults = [](LLVM::LLVMFuncOp function) -> unsigned {
    Type result = function.getFunctionType().getReturnType();
    auto structure = dyn_cast<LLVM::LLVMStructType>(result);
    return structure ? structure.getBody().size() : 1;
  };
  if (entry.getNumArguments() == numArguments &&
      shapes.getNumArguments() == numDynamic &&
      arena.getNumArguments() == numDynamic + 1 &&
      countResults(shapes) == numResults)
    return success();
  return entry.emitOpError("has not been lowered as its signature says");
}

LLVM::LLVMFuncOp EntryEmitter::declare(StringRef suffix, Type result,
                                       ArrayRef<Type> inputs) {
  builder.setInsertionPointAfter(entry);
  auto function =
      LLVM::LLVMFuncOp::create(builder, (entry.getName() + suffix).str(),
                               LLVM::LLVMFunctionType::get(result, inputs));
  symbols.insert(function);
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  return function;
}

SmallVector<Value> EntryEmitter::call(LLVM::LLVMFuncOp callee,
                                      ValueRange arguments) {
  auto result = LLVM::CallOp::create(builder, callee, arguments).getResult();
  auto structure = dyn_cast<LLVM::LLVMStructType>(result.getType());
  if (!structure)
    return {result};
  SmallVector<Value> results;
  for (unsigned i = 0, e = structure.getBody().size(); i < e; ++i)
    results.push_back(LLVM::ExtractValueOp::create(
        builder, result, ArrayRef<int64_t>{int64_t(i)}));
  return results;
}

SmallVector<Value> EntryEmitter::loadDynamicDims(Value dims) {
  SmallVector<Value> result;
  int64_t next = 0;
  for (const EntryTensor &input : signature.inputs)
    for (int64_t extent : input.type.getShape()) {
      if (ShapedType::isDynamic(extent))
        result.push_back(loadWord(builder, i64, dims, next));
      ++next;
    }
  return result;
}

/// i64 F.plan(dims, threads, out): if the shapes fit, out = arena bytes, output
/// dimensions.
void EntryEmitter::emitPlan() {
  LLVM::LLVMFuncOp plan = declare(planSuffix, i64, {pointer, i64, pointer});
  Value dims = plan.getArgument(0), threads = plan.getArgument(1);
  Value out = plan.getArgument(2);

  SmallVector<Value> arguments = loadDynamicDims(dims);
  SmallVector<Value> outputs = call(shapes, arguments);
  Value status = outputs.front();
  Value fits = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::eq, status,
                                    constant(0));
  Block *success = plan.addBlock(), *end = plan.addBlock();
  LLVM::CondBrOp::create(builder, fits, success, end);

  builder.setInsertionPointToStart(success);
  arguments.push_back(threads);
  Value bytes = call(arena, arguments).front();
  LLVM::StoreOp::create(builder, bytes, wordAddress(builder, out, 0),
                        /*alignment=*/8);
  for (auto [i, dim] : llvm::enumerate(ArrayRef(outputs).drop_front()))
    LLVM::StoreOp::create(builder, dim, wordAddress(builder, out, 1 + i),
                          /*alignment=*/8);
  LLVM::BrOp::create(builder, ValueRange(), end);

  builder.setInsertionPointToStart(end);
  LLVM::ReturnOp::create(builder, status);
}

void EntryEmitter::appendDescriptor(SmallVectorImpl<Value> &arguments,
                                    Value data, ArrayRef<Value> sizes) {
  arguments.append({data, data, constant(0)});
  arguments.append(sizes.begin(), sizes.end());
  SmallVector<Value> strides(sizes.size());
  Value stride = constant(1);
  for (unsigned i = sizes.size(); i-- > 0;) {
    strides[i] = stride;
    if (i > 0)
      stride = LLVM::MulOp::create(builder, stride, sizes[i]);
  }
  arguments.append(strides);
}

/// void F.run(frame): builds the descriptors and calls F.
void EntryEmitter::emitRun() {
  LLVM::LLVMFuncOp run = declare(
      runSuffix, LLVM::LLVMVoidType::get(entry.getContext()), {pointer});
  Value frame = run.getArgument(0);
  Value inputs = loadFramePointer(builder, frame, FrameWord::Inputs);
  Value outputs = loadFramePointer(builder, frame, FrameWord::Outputs);
  Value dims = loadFramePointer(builder, frame, FrameWord::Dims);
  SmallVector<Value> dynamicDims = loadDynamicDims(dims);

  SmallVector<Value> arguments;
  ArrayRef<Value> nextDim = dynamicDims;
  for (auto [i, input] : llvm::enumerate(signature.inputs)) {
    SmallVector<Value> sizes;
    for (int64_t extent : input.type.getShape()) {
      bool dynamic = ShapedType::isDynamic(extent);
      sizes.push_back(dynamic ? nextDim.consume_front() : constant(extent));
    }
    appendDescriptor(arguments, loadWord(builder, pointer, inputs, i), sizes);
  }
  SmallVector<Value> outputDims = call(shapes, dynamicDims);
  ArrayRef<Value> nextOutput = ArrayRef(outputDims).drop_front();
  for (auto [i, output] : llvm::enumerate(signature.outputs)) {
    unsigned rank = output.type.getRank();
    appendDescriptor(arguments, loadWord(builder, pointer, outputs, i),
                     nextOutput.take_front(rank));
    nextOutput = nextOutput.drop_front(rank);
  }
  // The sizes of arena and weights are nobody's business: views of them are
  // within bounds by construction.
  for (FrameWord bytes : {FrameWord::Arena, FrameWord::Weights})
    appendDescriptor(arguments, loadFramePointer(builder, frame, bytes),
                     {constant(0)});
  arguments.push_back(
      loadWord(builder, i64, frame, int64_t(FrameWord::Threads)));
  arguments.push_back(frame);
  LLVM::CallOp::create(builder, entry, arguments);
  LLVM::ReturnOp::create(builder, ValueRange());
}

/// The data of distinct arguments never overlap where one is written (abi.h).
void markNoAlias(LLVM::LLVMFuncOp entry) {
  auto unit = UnitAttr::get(entry.getContext());
  unsigned frame = entry.getNumArguments() - 1;
  for (unsigned i = 0; i < frame; ++i)
    if (isa<LLVM::LLVMPointerType>(entry.getArgument(i).getType()))
      entry.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), unit);
}

LogicalResult verifyClosed(ModuleOp module, SymbolTable &symbols) {
  WalkResult result = module.walk([&](Operation *op) {
    if (auto global = dyn_cast<LLVM::GlobalOp>(op);
        global && !global.getConstant()) {
      global.emitOpError("is not constant: generated code has no data of its "
                         "own");
      return WalkResult::interrupt();
    }
    std::optional<StringRef> callee;
    if (auto call = dyn_cast<LLVM::CallOp>(op))
      callee = call.getCallee();
    else if (auto address = dyn_cast<LLVM::AddressOfOp>(op))
      callee = address.getGlobalName();
    if (!callee)
      return WalkResult::advance();
    auto function = symbols.lookup<LLVM::LLVMFuncOp>(*callee);
    if (!function || !function.isExternal() || callee->starts_with("llvm."))
      return WalkResult::advance();
    op->emitError("needs the external function '")
        << *callee << "', which generated code cannot reach";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

struct EmitEntryPass : needle::cpu::impl::CPUEmitEntryBase<EmitEntryPass> {
  /// llvm.br {llvm.loop_annotation} → llvm.br {loop_annotation}, which the
  /// translation to LLVM IR reads.
  static void keepLoopAnnotations(ModuleOp module) {
    module.walk([](LLVM::BrOp branch) {
      if (auto annotation = dyn_cast_or_null<LLVM::LoopAnnotationAttr>(
              branch->removeAttr(loopAnnotationAttr)))
        branch.setLoopAnnotationAttr(annotation);
    });
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    if (failed(verifyClosed(module, symbols)))
      return signalPassFailure();
    SmallVector<LLVM::LLVMFuncOp> entries;
    for (auto function :
         llvm::make_early_inc_range(module.getOps<LLVM::LLVMFuncOp>())) {
      if (isEntryPoint(function))
        entries.push_back(function);
      if (function.isExternal() && !function.getName().starts_with("llvm."))
        symbols.erase(function);
      else if (!function.isExternal() && !function->hasAttr(exportedKernelAttr))
        function.setLinkage(LLVM::Linkage::Internal);
    }
    for (LLVM::LLVMFuncOp entry : entries) {
      if (failed(EntryEmitter(entry, symbols).emit()))
        return signalPassFailure();
      markNoAlias(entry);
    }
    keepLoopAnnotations(module);
    // No unwinding tables, and loops stay loops: no memset, no memcpy.
    Builder builder(&getContext());
    ArrayAttr attributes = builder.getStrArrayAttr({"nounwind", "no-builtins"});
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal())
        function.setPassthroughAttr(attributes);
  }
};

} // namespace
