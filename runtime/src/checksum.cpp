// The checksum of an artifact.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/artifact_reader.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ndl {

uint64_t artifactChecksum(const void *data, size_t size) {
  NdlFileHeader header;
  std::memcpy(&header, data, sizeof header);
  header.checksum = 0;
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, &header, sizeof header);
  XXH3_64bits_update(&state, static_cast<const uint8_t *>(data) + sizeof header,
                     size - sizeof header);
  return XXH3_64bits_digest(&state);
}

} // namespace ndl
