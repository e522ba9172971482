//===- KernelOps.cpp - The kernels of a library ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of map_kernel, reduce_kernel and contraction_kernel.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;
using namespace needle::cpu;

/// Whether memory can hold elements of this type, and vectors of it be computed
/// with.
static bool isElementType(Type type) {
  return type.isF32() || type.isF64() || type.isSignlessInteger(8) ||
         type.isSignlessInteger(16) || type.isSignlessInteger(32) ||
         type.isSignlessInteger(64);
}

/// Whether the pipeline turns an elementwise operation into instructions, and
/// not into a call of a math library, which an artifact cannot make. In a wide
/// reduction it is computed in f64, too.
static bool hasInstructions(Operation &op, bool isWide) {
  if (isa<arith::ArithDialect>(op.getDialect()))
    return !isa<arith::RemFOp>(op);
  // needle-expand-math expands these for f32.
  if (isa<math::ExpOp, math::LogOp, math::TanhOp, math::PowFOp>(op))
    return !isWide && op.getResult(0).getType().isF32();
  return isa<math::AbsFOp, math::SqrtOp>(op);
}

/// Kernels are the body's operations on vectors: each must mean the same on a
/// scalar and on each lane.
static LogicalResult verifyElementwise(Block &body, bool isWide = false) {
  for (Operation &op : body.without_terminator()) {
    if (matchPattern(&op, m_Constant()))
      continue;
    if (op.getNumRegions() != 0 || !OpTrait::hasElementwiseMappableTraits(&op))
      return op.emitOpError("is not elementwise; the body of a kernel is "
                            "computed on vectors of elements");
    if (!hasInstructions(op, isWide))
      return op.emitOpError("on ")
             << op.getOperand(0).getType() << " is not supported in "
             << (isWide ? "wide reductions" : "kernels")
             << "; supported are arith operations except remf, math.absf, "
                "math.sqrt, and "
             << (isWide ? "in other kernels " : "")
             << "on f32 math.exp, math.log, math.powf and math.tanh";
    for (Type type : op.getResultTypes())
      if (!isElementType(type) && !type.isSignlessInteger(1))
        return op.emitOpError("computes ")
               << type << ", but elements are f32, f64 or integers";
  }
  return success();
}

LogicalResult MapKernelOp::verifyRegions() {
  Block &body = getBody().front();
  if (getScalars() > body.getNumArguments())
    return emitOpError("has ")
           << getScalars() << " scalars, but its body takes "
           << body.getNumArguments() << " arguments";
  if (getYielded().empty())
    return emitOpError("computes nothing");
  for (Type type : body.getArgumentTypes())
    if (!isElementType(type))
      return emitOpError("takes ")
             << type << ", but elements are f32, f64 or integers";
  for (Type type : getYielded().getTypes())
    if (!isElementType(type))
      return emitOpError("stores ")
             << type << ", but elements are f32, f64 or integers";
  return verifyElementwise(body);
}

LogicalResult ReduceKernelOp::verifyRegions() {
  Block &body = getBody().front();
  auto isF32 = [](Type type) { return type.isF32(); };
  TypeRange yielded = body.getTerminator()->getOperandTypes();
  if (body.getNumArguments() != 2 || yielded.size() != 1 ||
      !llvm::all_of(body.getArgumentTypes(), isF32) || !isF32(yielded.front()))
    return emitOpError("combines two f32 to one");
  for (Operation &op : body.without_terminator())
    if (getWide() && matchPattern(&op, m_Constant()))
      return op.emitOpError("is f32; the body of a wide reduction is computed "
                            "in f64 as well");
  return verifyElementwise(body, getWide());
}

LogicalResult ContractionKernelOp::verify() {
  auto isByte = [](Type type) {
    return type.isUnsignedInteger(8) || type.isSignedInteger(8);
  };
  bool integer = isByte(getLhs()) && isByte(getRhs());
  bool floating = getLhs().isF32() && getRhs().isF32();
  if ((integer || floating) && getDest().isF32())
    return success();
  return emitOpError("multiplies f32, or ui8 and si8, to f32; got (")
         << getLhs() << ", " << getRhs() << ") -> " << getDest();
}
