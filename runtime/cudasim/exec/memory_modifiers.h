// Modifiers that memory operations have in common.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_MEMORY_MODIFIERS_H
#define NEEDLE_CUDASIM_EXEC_MEMORY_MODIFIERS_H

#include "exec/decoder.h"

namespace ndl::cudasim {

/// Generic if no state space is named.
Space takeSpace(Decoder &d);
/// Takes .volatile, .relaxed and the like with their scopes: true if the access
/// is strong.
bool takeStrength(Decoder &d);
/// Takes hints to caches.
void takeCacheModifiers(Decoder &d, bool isLoad);
/// Types that loads and stores don't have.
inline bool isPacked(Type type) {
  return type == Type::F16x2 || type == Type::BF16x2 || type == Type::F16 ||
         type == Type::BF16 || type == Type::TF32;
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_MEMORY_MODIFIERS_H
