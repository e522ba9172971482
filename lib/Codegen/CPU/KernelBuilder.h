//===- KernelBuilder.h - Shorthand for emitting CPU kernels -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_KERNELBUILDER_H
#define NEEDLE_LIB_CODEGEN_CPU_KERNELBUILDER_H

#include "../Common/KernelBuilder.h"

namespace needle::cpu {
using codegen::KernelBuilder;
using codegen::loopAnnotationAttr;
} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_KERNELBUILDER_H
