//===- QuadInstruction.h - What multiplies quads of bytes -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_QUADINSTRUCTION_H
#define NEEDLE_LIB_CODEGEN_CPU_QUADINSTRUCTION_H

#include "llvm/ADT/StringRef.h"

namespace needle::cpu {

/// An instruction that CPUTarget::quadDotIntrinsic may name: it adds the
/// products of quads of lhs and of rhs to i32.
struct QuadInstruction {
  llvm::StringLiteral intrinsic;
  /// Whether it takes lhs as i8: then u8 is read as x − 128. Else it takes u8,
  /// and i8 is read as x + 128.
  bool isSigned = false;
  /// Whether one quad of a vector can be an operand for all lanes. Lhs is then
  /// loaded by vectors of 128 bits instead of being broadcast.
  bool takesElements = false;
  /// For one that multiplies two quads of two rows with two of two columns: the
  /// intrinsic for a single row.
  llvm::StringLiteral rowIntrinsic{""};

  bool multipliesMatrices() const { return !rowIntrinsic.empty(); }
};

/// What is known of an intrinsic; the defaults where there is nothing special.
inline QuadInstruction getQuadInstruction(llvm::StringLiteral intrinsic) {
  static constexpr QuadInstruction instructions[] = {
      {{"llvm.aarch64.neon.sdot"}, /*isSigned=*/true, /*takesElements=*/true},
      {{"llvm.aarch64.neon.usmmla"},
       /*isSigned=*/false,
       /*takesElements=*/true,
       /*rowIntrinsic=*/{"llvm.aarch64.neon.usdot"}},
  };
  for (const QuadInstruction &instruction : instructions)
    if (instruction.intrinsic == intrinsic)
      return instruction;
  return {intrinsic};
}

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_QUADINSTRUCTION_H
