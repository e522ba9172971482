//===- Session.h - What the C API's handles share ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The context behind one or more modules, its lock, and the way in which errors
// reach the caller.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CAPI_SESSION_H
#define NEEDLE_LIB_CAPI_SESSION_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "needle-c/Support.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/Twine.h"
#include <memory>
#include <mutex>
#include <string>

namespace needle::capi {

/// A context and its lock. One for each graph that a user makes, so that its
/// memory, constants above all, is freed with the last module that uses it.
class Session {
public:
  static std::shared_ptr<Session> create();

  /// Calls `action` with the context locked. If it fails, returns
  /// NEEDLE_COMPILE_ERROR with the error diagnostics as the message.
  NeedleStatus run(llvm::function_ref<mlir::LogicalResult()> action);

  mlir::MLIRContext context;
  std::mutex mutex;

private:
  Session();
};

/// Sets the message of needle_last_error() and returns `status`.
NeedleStatus fail(NeedleStatus status, const llvm::Twine &message);

/// NEEDLE_INVALID_ARGUMENT for an argument that must not be null.
NeedleStatus failNull(const char *argument);

/// Hands text over to the caller.
NeedleBuffer *makeBuffer(std::string text);

} // namespace needle::capi

#endif // NEEDLE_LIB_CAPI_SESSION_H
