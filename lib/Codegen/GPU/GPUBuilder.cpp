//===- GPUBuilder.cpp - Shorthand for emitting CUDA kernels ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GPUBuilder.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle::cuda;

Value GPUBuilder::divBy(Value a, int64_t power) {
  assert(llvm::isPowerOf2_64(power));
  Value bits =
      arith::ConstantIntOp::create(*this, a.getType(), llvm::Log2_64(power));
  return arith::ShRUIOp::create(*this, a, bits);
}

Value GPUBuilder::remBy(Value a, int64_t power) {
  assert(llvm::isPowerOf2_64(power));
  return bitAnd(a, arith::ConstantIntOp::create(*this, a.getType(), power - 1));
}

Value GPUBuilder::call(StringRef intrinsic, Type result, ValueRange arguments) {
  StringAttr name = getStringAttr(intrinsic);
  if (!result) {
    LLVM::CallIntrinsicOp::create(*this, name, arguments);
    return {};
  }
  return LLVM::CallIntrinsicOp::create(*this, result, name, arguments)
      .getResult(0);
}

SmallVector<Value> GPUBuilder::unpack(Value structure) {
  SmallVector<Value> parts;
  auto type = cast<LLVM::LLVMStructType>(structure.getType());
  for (int64_t i = 0; i < int64_t(type.getBody().size()); ++i)
    parts.push_back(LLVM::ExtractValueOp::create(*this, structure, i));
  return parts;
}

Value GPUBuilder::readSpecial(StringRef name) {
  return toI64(
      call(("llvm.nvvm.read.ptx.sreg." + name).str(), getI32Type(), {}));
}

void GPUBuilder::barrier() {
  call("llvm.nvvm.barrier.cta.sync.aligned.all", {}, i32(0));
}

Value GPUBuilder::shuffleXor(Value value, int mask) {
  return call("llvm.nvvm.shfl.sync.bfly.i32", getI32Type(),
              {i32(-1), value, i32(mask), i32(warpThreads - 1)});
}

Value GPUBuilder::shuffleFrom(Value value, Value lane) {
  return call("llvm.nvvm.shfl.sync.idx.i32", getI32Type(),
              {i32(-1), value, lane, i32(warpThreads - 1)});
}

Value GPUBuilder::shared(ModuleOp module, StringRef name, int64_t bytes) {
  auto type = LLVM::LLVMArrayType::get(getI8Type(), bytes);
  LLVM::GlobalOp global;
  {
    InsertionGuard guard(*this);
    setInsertionPointToStart(module.getBody());
    global = LLVM::GlobalOp::create(*this, type, /*isConstant=*/false,
                                    LLVM::Linkage::Internal, name, Attribute(),
                                    /*alignment=*/16, sharedSpace);
  }
  return LLVM::AddressOfOp::create(*this, global);
}

void needle::cuda::createKernel(ModuleOp module, Location location,
                                StringRef name, unsigned numWords,
                                BlockTile tile, KernelEmitter emitBody) {
  GPUBuilder b(location, module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), b.ptrType());
  auto function = LLVM::LLVMFuncOp::create(b, name, type);
  auto words = LLVM::LLVMArrayType::get(b.getI64Type(), numWords);
  function.setArgAttr(0, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(words));
  function.setArgAttr(0, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(8));
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                    b.getDenseI32ArrayAttr({int32_t(blockThreads)}));
  function->setAttr(
      blockTileAttr,
      b.getDenseI32ArrayAttr({int32_t(tile.rows), int32_t(tile.columns)}));
  b.setInsertionPointToStart(function.addEntryBlock(b));
  emitBody(b, function.getArgument(0));
  LLVM::ReturnOp::create(b, ValueRange());
}
