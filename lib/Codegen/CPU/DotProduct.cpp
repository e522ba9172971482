//===- DotProduct.cpp - Products added up in vectors ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

/// Every other element from `first`, widened to i32.
static Value widenEveryOther(KernelBuilder &b, Value pairs, int64_t first) {
  int64_t lanes = cast<VectorType>(pairs.getType()).getDimSize(0) / 2;
  SmallVector<int64_t> places;
  for (int64_t i = 0; i < lanes; ++i)
    places.push_back(2 * i + first);
  Value half = vector::ShuffleOp::create(b, pairs, pairs, places);
  return arith::ExtSIOp::create(b, b.vec(lanes, b.getI32Type()), half);
}

Value needle::cpu::emitPairDot(KernelBuilder &b, const CPUTarget &target,
                               Value sum, Value left, Value right) {
  if (!target.pairDotIntrinsic.empty())
    return b.add(sum,
                 LLVM::CallIntrinsicOp::create(
                     b, sum.getType(), b.getStringAttr(target.pairDotIntrinsic),
                     ValueRange{left, right})
                     .getResult(0));
  // What NEON's smlal computes, twice.
  for (int64_t first : {0, 1})
    sum = b.add(sum, b.mul(widenEveryOther(b, left, first),
                           widenEveryOther(b, right, first)));
  return sum;
}

Value needle::cpu::emitMultiplyAdd(KernelBuilder &b, const CPUTarget &target,
                                   Value left, Value right, Value sum) {
  // Not vector.fma, which leaves it to the back end whether to fuse.
  if (target.fusedMultiplyAdd)
    return LLVM::FMAOp::create(b, left, right, sum);
  return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, left, right));
}
