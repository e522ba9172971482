// The values of special registers when a warp starts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/block.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

/// "Special Registers" in the PTX ISA.
uint64_t valueOf(const Warp &warp, SpecialRegister which, unsigned lane) {
  const Block &block = warp.block;
  const Dim3 &grid = block.config.grid, &size = block.config.block;
  Dim3 thread = block.thread(warp, lane);
  uint32_t self = uint32_t(1) << lane;
  switch (which) {
  case SpecialRegister::TidX:
    return thread.x;
  case SpecialRegister::TidY:
    return thread.y;
  case SpecialRegister::TidZ:
    return thread.z;
  case SpecialRegister::NtidX:
    return size.x;
  case SpecialRegister::NtidY:
    return size.y;
  case SpecialRegister::NtidZ:
    return size.z;
  case SpecialRegister::CtaidX:
    return block.place.x;
  case SpecialRegister::CtaidY:
    return block.place.y;
  case SpecialRegister::CtaidZ:
    return block.place.z;
  case SpecialRegister::NctaidX:
    return grid.x;
  case SpecialRegister::NctaidY:
    return grid.y;
  case SpecialRegister::NctaidZ:
    return grid.z;
  case SpecialRegister::LaneId:
    return lane;
  case SpecialRegister::WarpId:
    return warp.index;
  case SpecialRegister::NwarpId:
    return block.warps.size();
  case SpecialRegister::NsmId:
    return 1;
  case SpecialRegister::LanemaskEq:
    return self;
  case SpecialRegister::LanemaskLt:
    return self - 1;
  case SpecialRegister::LanemaskLe:
    return (self - 1) | self;
  case SpecialRegister::LanemaskGt:
    return ~((self - 1) | self);
  case SpecialRegister::LanemaskGe:
    return ~(self - 1);
  case SpecialRegister::DynamicSmemSize:
    return block.config.dynamicSharedBytes;
  case SpecialRegister::TotalSmemSize:
    return block.shared.size();
  default:
    // %smid, %gridid; clocks are read when they are moved.
    return 0;
  }
}

} // namespace

void setSpecialRegisters(Warp &warp, uint8_t *registers) {
  for (const Program::Special &special : warp.program.specials) {
    bool isWide = special.which == SpecialRegister::Clock64 ||
                  special.which == SpecialRegister::Globaltimer ||
                  special.which == SpecialRegister::GridId;
    for (unsigned i = 0; i < warpSize; ++i)
      setWideLane(registers + special.offset, isWide ? 8 : 4, i,
                  valueOf(warp, special.which, i));
  }
}

} // namespace ndl::cudasim
