// A validated view of an artifact in memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RT_ARTIFACT_READER_H
#define NEEDLE_RT_ARTIFACT_READER_H

#include "needle-rt/artifact_format.h"
#include "needle-rt/artifact_writer.h"
#include "needle-rt/status.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ndl {

/// A run of records that someone else owns.
template <typename T>
struct ArrayView {
  const T *data = nullptr;
  size_t size = 0;

  const T *begin() const { return data; }
  const T *end() const { return data + size; }
  const T &operator[](size_t i) const { return data[i]; }
  /// The `count` records from `first` on; the caller knows they exist.
  ArrayView slice(size_t first, size_t count) const {
    return {data + first, count};
  }
};

/// An artifact whose every offset, count, name and cross reference has been
/// checked, so that it is used without further checks. Points into the memory
/// given to `parse`, which must outlive it.
class ArtifactView {
public:
  /// Checks the artifact in [data, data + size), aligned to 8 bytes, in this
  /// order: magic, versions, size, checksum, sections, records. `view` is set
  /// on success only.
  /// Errors: NDL_CORRUPT_ARTIFACT, NDL_UNSUPPORTED_VERSION,
  /// NDL_INVALID_ARGUMENT (alignment).
  static Status parse(const void *data, size_t size, ArtifactView &view);

  const char *string(uint32_t offset) const { return strings.data + offset; }
  ArrayView<uint8_t> section(uint32_t index) const;
  ArrayView<uint8_t> code(const NdlBodyRecord &body) const;
  /// Empty if the body has no weights.
  ArrayView<uint8_t> weights(const NdlBodyRecord &body) const;
  const NdlFunctionRecord &function(size_t body, size_t entry) const {
    return functions[body * entries.size + entry];
  }
  /// Offset of a kernel in the code of a body.
  uint64_t kernelOffset(size_t body, size_t kernel) const {
    return kernelOffsets[body * kernels.size + kernel];
  }
  /// The text, without a NUL byte behind it.
  std::string_view ptx(const NdlDeviceRecord &device) const;
  /// The value of a metadata key, or null.
  const char *metadataValue(std::string_view key) const;

  ArrayView<NdlSectionRecord> sections;
  ArrayView<char> strings;
  ArrayView<NdlEntryRecord> entries;
  ArrayView<NdlTensorRecord> tensors;
  ArrayView<int64_t> dims;
  ArrayView<NdlParamRecord> params;
  ArrayView<NdlMessageRecord> messages;
  ArrayView<NdlBodyRecord> bodies;
  ArrayView<NdlFunctionRecord> functions;
  ArrayView<NdlStepRecord> steps;
  ArrayView<NdlMetadataRecord> metadata;
  ArrayView<NdlKernelRecord> kernels;
  ArrayView<uint64_t> kernelOffsets;
  ArrayView<NdlDeviceRecord> devices;
  ArrayView<NdlDeviceKernelRecord> deviceKernels;

private:
  const uint8_t *base = nullptr;
};

/// The model that `serialize` would turn into an artifact equal to this one.
ArtifactModel toModel(const ArtifactView &view);

/// The checksum that the header of this artifact should have. `size` must be at
/// least sizeof(NdlFileHeader).
uint64_t artifactChecksum(const void *data, size_t size);

} // namespace ndl

#endif // NEEDLE_RT_ARTIFACT_READER_H
