//===- KernelBuilder.h - Shorthand for emitting kernels ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are emitted as scf loops over i64, arith on vectors and LLVM
// pointers: no memref descriptors, no aliasing to prove, one address
// computation a load.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_COMMON_KERNELBUILDER_H
#define NEEDLE_LIB_CODEGEN_COMMON_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace needle::codegen {

/// On a loop, and then on its branch back: what LLVM is to do with it.
inline constexpr llvm::StringLiteral loopAnnotationAttr =
    "llvm.loop_annotation";

class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using mlir::ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;
  using Type = mlir::Type;

  Type ptrType() { return mlir::LLVM::LLVMPointerType::get(getContext()); }
  mlir::VectorType vec(unsigned lanes, Type element) {
    return mlir::VectorType::get({int64_t(lanes)}, element);
  }
  /// `element`, or a vector of it where `like` is a vector.
  static Type shapedLike(Value like, Type element) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(like.getType()))
      return vector.clone(element);
    return element;
  }

  Value i64(int64_t value) {
    return mlir::arith::ConstantIntOp::create(*this, getI64Type(), value);
  }
  Value constant(mlir::TypedAttr value) {
    return mlir::arith::ConstantOp::create(*this, value);
  }
  /// Zero of a scalar or vector type.
  Value zero(Type type) { return constant(getZeroAttr(type)); }

  Value add(Value a, Value b) {
    return mlir::arith::AddIOp::create(*this, a, b);
  }
  Value sub(Value a, Value b) {
    return mlir::arith::SubIOp::create(*this, a, b);
  }
  Value mul(Value a, Value b) {
    return mlir::arith::MulIOp::create(*this, a, b);
  }
  Value div(Value a, Value b) {
    return mlir::arith::DivSIOp::create(*this, a, b);
  }
  Value rem(Value a, Value b) {
    return mlir::arith::RemSIOp::create(*this, a, b);
  }
  Value min(Value a, Value b) {
    return mlir::arith::MinSIOp::create(*this, a, b);
  }
  Value max(Value a, Value b) {
    return mlir::arith::MaxSIOp::create(*this, a, b);
  }
  Value ceilDiv(Value a, int64_t b) { return div(add(a, i64(b - 1)), i64(b)); }
  Value ceilDiv(Value a, Value b) { return div(sub(add(a, b), i64(1)), b); }
  Value roundUp(Value a, int64_t multiple) {
    return mul(ceilDiv(a, multiple), i64(multiple));
  }
  Value less(Value a, Value b) {
    return mlir::arith::CmpIOp::create(*this, mlir::arith::CmpIPredicate::slt,
                                       a, b);
  }
  Value equal(Value a, Value b) {
    return mlir::arith::CmpIOp::create(*this, mlir::arith::CmpIPredicate::eq, a,
                                       b);
  }
  Value select(Value condition, Value a, Value b) {
    return mlir::arith::SelectOp::create(*this, condition, a, b);
  }

  /// `pointer` advanced by `index` elements of type `element`.
  Value advance(Value pointer, Value index, Type element) {
    return mlir::LLVM::GEPOp::create(*this, pointer.getType(), element, pointer,
                                     mlir::ArrayRef<mlir::LLVM::GEPArg>{index});
  }
  Value load(Type type, Value pointer, unsigned alignment) {
    return mlir::LLVM::LoadOp::create(*this, type, pointer, alignment);
  }
  void store(Value value, Value pointer, unsigned alignment) {
    mlir::LLVM::StoreOp::create(*this, value, pointer, alignment);
  }
  /// Brings the cache line of `pointer`, which may be anywhere, into the L2
  /// cache.
  void prefetch(Value pointer) {
    mlir::LLVM::Prefetch::create(*this, pointer, /*rw=*/0, /*hint=*/2,
                                 /*cache=*/1);
  }
  /// Of a stream that is read once: prefetches as many bytes as are read at
  /// `pointer`, from where it will be some hundred cycles later.
  void prefetchStream(Value pointer, int64_t bytes) {
    constexpr int64_t distance = 2048, lineBytes = 64;
    for (int64_t at = 0; at < bytes; at += lineBytes)
      prefetch(advance(pointer, i64(distance + at), getI8Type()));
  }
  /// Brings the cache line of `pointer` into the L1 cache, to be written.
  void prefetchToWrite(Value pointer) {
    mlir::LLVM::Prefetch::create(*this, pointer, /*rw=*/1, /*hint=*/3,
                                 /*cache=*/1);
  }
  /// `count` elements on the stack; only at the start of a function.
  Value stack(Type element, int64_t count) {
    return mlir::LLVM::AllocaOp::create(*this, ptrType(), element, i64(count),
                                        /*alignment=*/64);
  }
  Value broadcast(Value scalar, mlir::VectorType type) {
    return mlir::vector::BroadcastOp::create(*this, type, scalar);
  }

  void ifThen(Value condition, llvm::function_ref<void()> then) {
    mlir::scf::IfOp::create(*this, condition,
                            [&](mlir::OpBuilder &nested, mlir::Location loc) {
                              at(nested, then);
                              mlir::scf::YieldOp::create(nested, loc);
                            });
  }
  void ifThenElse(Value condition, llvm::function_ref<void()> then,
                  llvm::function_ref<void()> otherwise) {
    auto branch = [&](llvm::function_ref<void()> body) {
      return [&, body](mlir::OpBuilder &nested, mlir::Location loc) {
        at(nested, body);
        mlir::scf::YieldOp::create(nested, loc);
      };
    };
    mlir::scf::IfOp::create(*this, condition, branch(then), branch(otherwise));
  }
  /// The values of one of two branches, all of `types`.
  llvm::SmallVector<Value>
  select(Value condition, mlir::TypeRange types,
         llvm::function_ref<llvm::SmallVector<Value>()> then,
         llvm::function_ref<llvm::SmallVector<Value>()> otherwise) {
    auto op = mlir::scf::IfOp::create(*this, types, condition,
                                      /*withElseRegion=*/true);
    auto emit = [&](mlir::Region &region,
                    llvm::function_ref<llvm::SmallVector<Value>()> body) {
      mlir::OpBuilder nested = mlir::OpBuilder::atBlockBegin(&region.front());
      llvm::SmallVector<Value> values;
      at(nested, [&] { values = body(); });
      mlir::scf::YieldOp::create(nested, getLoc(), values);
    };
    emit(op.getThenRegion(), then);
    emit(op.getElseRegion(), otherwise);
    return op.getResults();
  }
  void loop(Value begin, Value end, int64_t step,
            llvm::function_ref<void(Value)> body) {
    loop(begin, end, step, {}, [&](Value iv, mlir::ValueRange) {
      body(iv);
      return llvm::SmallVector<Value>();
    });
  }
  /// A loop that carries values; `body` returns their next ones.
  mlir::ValueRange
  loop(Value begin, Value end, int64_t step, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)>
           body) {
    auto op = mlir::scf::ForOp::create(
        *this, begin, end, i64(step), inits,
        [&](mlir::OpBuilder &nested, mlir::Location loc, Value iv,
            mlir::ValueRange carried) {
          llvm::SmallVector<Value> next;
          at(nested, [&] { next = body(iv, carried); });
          mlir::scf::YieldOp::create(nested, loc, next);
        });
    if (loopAnnotation)
      op->setAttr(loopAnnotationAttr, loopAnnotation);
    return op.getResults();
  }

  /// Keeps LLVM from vectorizing and unrolling the loops that are emitted from
  /// now on. Of a kernel that is written in vectors it would multiply what runs
  /// rarely, and compiling that takes several times as long as all the rest.
  void keepLoopsAsTheyAre() {
    auto yes = getBoolAttr(true);
    auto vectorize = mlir::LLVM::LoopVectorizeAttr::get(getContext(), yes, {},
                                                        {}, {}, {}, {}, {});
    auto unroll = mlir::LLVM::LoopUnrollAttr::get(getContext(), yes, {}, {}, {},
                                                  {}, {}, {});
    loopAnnotation = mlir::LLVM::LoopAnnotationAttr::get(
        getContext(), {}, vectorize, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {},
        {}, {}, {});
  }

private:
  mlir::Attribute loopAnnotation;

  /// Runs `emit` with this builder standing where `nested` stands, and leaves
  /// `nested` behind what was emitted.
  void at(mlir::OpBuilder &nested, llvm::function_ref<void()> emit) {
    mlir::OpBuilder::InsertionGuard guard(*this);
    restoreInsertionPoint(nested.saveInsertionPoint());
    emit();
    nested.restoreInsertionPoint(saveInsertionPoint());
  }
};

} // namespace needle::codegen

#endif // NEEDLE_LIB_CODEGEN_COMMON_KERNELBUILDER_H
