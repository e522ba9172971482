// Asynchronous copies to shared memory that have begun and not been waited for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_ASYNC_COPIES_H
#define NEEDLE_CUDASIM_EXEC_ASYNC_COPIES_H

#include <cstdint>
#include <vector>

namespace ndl::cudasim {

/// Of one warp. Groups are counted by each lane: "Asynchronous Data Movement"
/// in the PTX ISA.
struct AsyncCopies {
  struct Copy {
    uint32_t pc;
    uint32_t destination;
    /// The group of its lane that it belongs to.
    uint32_t group;
    uint8_t lane;
    uint8_t bytes;
    uint8_t data[16];
  };

  std::vector<Copy> pending;
  /// Groups that each lane has committed.
  uint32_t committed[32] = {};

  void reset() {
    pending.clear();
    for (uint32_t &count : committed)
      count = 0;
  }
};

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_ASYNC_COPIES_H
