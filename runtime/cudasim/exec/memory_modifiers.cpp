// Modifiers that memory operations have in common.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/memory_modifiers.h"

namespace ndl::cudasim {

Space takeSpace(Decoder &d) {
  int space =
      d.takeOneOf({".global", ".shared", ".shared::cta", ".local", ".const",
                   ".param", ".param::entry", ".param::func"});
  constexpr Space spaces[] = {Space::Global, Space::Shared, Space::Shared,
                              Space::Local,  Space::Const,  Space::Param,
                              Space::Param,  Space::Param};
  return space < 0 ? Space::Generic : spaces[space];
}

bool takeStrength(Decoder &d) {
  d.take(".weak");
  bool isStrong = d.takeOneOf({".volatile", ".relaxed", ".acquire", ".release",
                               ".acq_rel"}) >= 0;
  d.takeOneOf({".cta", ".gpu", ".sys"});
  return isStrong;
}

/// "Cache Operators" and "Cache Eviction Priority Hints" in the PTX ISA: no
/// effect but on speed.
void takeCacheModifiers(Decoder &d, bool isLoad) {
  if (isLoad) {
    d.take(".nc");
    d.takeOneOf({".ca", ".cg", ".cs", ".lu", ".cv"});
    d.takeOneOf({".L2::64B", ".L2::128B", ".L2::256B"});
  } else {
    d.takeOneOf({".wb", ".cg", ".cs", ".wt"});
  }
  d.takeOneOf({".L1::evict_normal", ".L1::evict_unchanged", ".L1::evict_first",
               ".L1::evict_last", ".L1::no_allocate"});
  d.takeOneOf({".L2::evict_normal", ".L2::evict_first", ".L2::evict_last"});
}

} // namespace ndl::cudasim
