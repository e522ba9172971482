//===- InitAll.h - Registration of everything needle uses -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only registration list, used by every tool and by the C API.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_INITALL_H
#define NEEDLE_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace needle {

/// Registers needle's dialects, the upstream dialects that they are lowered to,
/// and the external models (bufferization, LLVM translation, ...) of both.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers needle's passes and pipelines and the upstream passes that
/// needle's pipelines are made of, for command lines and textual pipelines. To
/// be called once in a process.
void registerAllPasses();

} // namespace needle

#endif // NEEDLE_INITALL_H
