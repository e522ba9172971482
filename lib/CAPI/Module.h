//===- Module.h - The handle of a module ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CAPI_MODULE_H
#define NEEDLE_LIB_CAPI_MODULE_H

#include "Session.h"
#include "Signature.h"
#include "needle-c/Module.h"
#include <deque>

/// Holds a verified module. To be made with the session's lock held.
struct NeedleModule {
  NeedleModule(std::shared_ptr<needle::capi::Session> session,
               mlir::OwningOpRef<mlir::ModuleOp> module);
  ~NeedleModule();

  std::shared_ptr<needle::capi::Session> session;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string name;
  /// Entries point into themselves and must not move.
  std::deque<needle::capi::EntryDescription> entries;
};

#endif // NEEDLE_LIB_CAPI_MODULE_H
