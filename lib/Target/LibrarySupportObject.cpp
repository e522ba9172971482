//===- LibrarySupportObject.cpp - SharedLibrarySupport.c, compiled --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"

static const unsigned char supportObject[] = {
#include "SharedLibrarySupport.inc"
};

llvm::StringRef needle::getSupportObject() {
  return {reinterpret_cast<const char *>(supportObject), sizeof(supportObject)};
}
