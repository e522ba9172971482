// Validation of an artifact in memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/artifact_reader.h"
#include "artifact_records.h"

#include "needle-rt/abi.h"

#include <cstring>

namespace ndl {
namespace {

Status corrupt(const std::string &what) { return {NDL_CORRUPT_ARTIFACT, what}; }

/// Whether the file is an artifact, of a version this reader knows, complete,
/// and undamaged.
Status checkHeader(const uint8_t *data, size_t size) {
  size_t magicBytes =
      size < NDL_ARTIFACT_MAGIC_SIZE ? size : NDL_ARTIFACT_MAGIC_SIZE;
  if (size == 0 || std::memcmp(data, NDL_ARTIFACT_MAGIC, magicBytes) != 0)
    return corrupt("not a needle artifact");
  if (size < sizeof(NdlFileHeader))
    return corrupt("truncated artifact: " + std::to_string(size) +
                   " bytes are less than its header");
  NdlFileHeader header;
  std::memcpy(&header, data, sizeof header);
  if (header.formatVersion != NDL_ARTIFACT_VERSION)
    return {NDL_UNSUPPORTED_VERSION,
            "artifact of format version " +
                std::to_string(header.formatVersion) +
                ", but this runtime reads version " +
                std::to_string(NDL_ARTIFACT_VERSION) +
                "; compile the model again or use the matching runtime"};
  if (header.abiVersion != NDL_ABI_VERSION)
    return {NDL_UNSUPPORTED_VERSION,
            "artifact with code for ABI version " +
                std::to_string(header.abiVersion) +
                ", but this runtime has version " +
                std::to_string(NDL_ABI_VERSION) +
                "; compile the model again or use the matching runtime"};
  if (header.fileSize > size)
    return corrupt("truncated artifact: " + std::to_string(size) + " of " +
                   std::to_string(header.fileSize) + " bytes");
  if (header.fileSize < size)
    return corrupt("artifact of " + std::to_string(header.fileSize) +
                   " bytes is followed by " +
                   std::to_string(size - header.fileSize) + " more");
  if (header.checksum != artifactChecksum(data, size))
    return corrupt("damaged artifact: the checksum does not match");
  return {};
}

/// Whether the sections are aligned, in order, apart, and inside the file.
Status checkSections(const uint8_t *data, size_t size,
                     ArrayView<NdlSectionRecord> &sections) {
  NdlFileHeader header;
  std::memcpy(&header, data, sizeof header);
  size_t room = (size - sizeof header) / sizeof(NdlSectionRecord);
  if (header.sectionCount > room)
    return corrupt(
        "malformed artifact: " + std::to_string(header.sectionCount) +
        " sections do not fit into it");
  sections = {reinterpret_cast<const NdlSectionRecord *>(data + sizeof header),
              header.sectionCount};
  uint64_t end = sizeof header + sections.size * sizeof(NdlSectionRecord);
  for (const NdlSectionRecord &section : sections) {
    if (section.offset % NDL_SECTION_ALIGNMENT != 0 || section.offset < end ||
        section.offset > size || section.size > size - section.offset)
      return corrupt("malformed artifact: section of kind " +
                     std::to_string(section.kind) + " is misplaced");
    end = section.offset + section.size;
  }
  return {};
}

/// Points `records` to the only section of this kind, or leaves it empty.
template <typename T>
Status findTable(const uint8_t *data, ArrayView<NdlSectionRecord> sections,
                 NdlSectionKind kind, ArrayView<T> &records) {
  bool found = false;
  for (const NdlSectionRecord &section : sections) {
    if (section.kind != kind)
      continue;
    if (found)
      return corrupt("malformed artifact: two sections of kind " +
                     std::to_string(kind));
    if (section.size % sizeof(T) != 0 || section.size / sizeof(T) > UINT32_MAX)
      return corrupt("malformed artifact: section of kind " +
                     std::to_string(kind) + " has a wrong size");
    found = true;
    records = {reinterpret_cast<const T *>(data + section.offset),
               section.size / sizeof(T)};
  }
  return {};
}

/// Whether every section that must be understood is.
Status checkKinds(ArrayView<NdlSectionRecord> sections) {
  for (const NdlSectionRecord &section : sections) {
    bool known = section.kind >= NDL_SECTION_STRINGS &&
                 section.kind <= NDL_SECTION_DEVICE_KERNELS;
    if (!known && (section.flags & NDL_SECTION_REQUIRED))
      return {NDL_UNSUPPORTED_VERSION,
              "artifact needs section kind " + std::to_string(section.kind) +
                  ", which this runtime does not know; use a newer runtime"};
  }
  return {};
}

} // namespace

Status ArtifactView::parse(const void *data, size_t size, ArtifactView &view) {
  if (reinterpret_cast<uintptr_t>(data) % alignof(uint64_t) != 0)
    return {NDL_INVALID_ARGUMENT,
            "artifact in memory is not aligned to 8 bytes"};
  ArtifactView parsed;
  parsed.base = static_cast<const uint8_t *>(data);
  Status status = checkHeader(parsed.base, size);
  if (status.ok())
    status = checkSections(parsed.base, size, parsed.sections);
  if (status.ok())
    status = checkKinds(parsed.sections);
  auto find = [&](NdlSectionKind kind, auto &records) {
    if (status.ok())
      status = findTable(parsed.base, parsed.sections, kind, records);
  };
  find(NDL_SECTION_STRINGS, parsed.strings);
  find(NDL_SECTION_ENTRIES, parsed.entries);
  find(NDL_SECTION_TENSORS, parsed.tensors);
  find(NDL_SECTION_DIMS, parsed.dims);
  find(NDL_SECTION_PARAMS, parsed.params);
  find(NDL_SECTION_MESSAGES, parsed.messages);
  find(NDL_SECTION_BODIES, parsed.bodies);
  find(NDL_SECTION_FUNCTIONS, parsed.functions);
  find(NDL_SECTION_STEPS, parsed.steps);
  find(NDL_SECTION_METADATA, parsed.metadata);
  find(NDL_SECTION_KERNELS, parsed.kernels);
  find(NDL_SECTION_KERNEL_OFFSETS, parsed.kernelOffsets);
  find(NDL_SECTION_DEVICES, parsed.devices);
  find(NDL_SECTION_DEVICE_KERNELS, parsed.deviceKernels);
  if (status.ok())
    status = checkRecords(parsed);
  if (status.ok())
    view = parsed;
  return status;
}

ArrayView<uint8_t> ArtifactView::section(uint32_t index) const {
  const NdlSectionRecord &record = sections[index];
  return {base + record.offset, record.size};
}

ArrayView<uint8_t> ArtifactView::code(const NdlBodyRecord &body) const {
  return section(body.codeSection);
}

ArrayView<uint8_t> ArtifactView::weights(const NdlBodyRecord &body) const {
  if (body.weightsSection == NDL_NO_SECTION)
    return {};
  return section(body.weightsSection);
}

std::string_view ArtifactView::ptx(const NdlDeviceRecord &device) const {
  ArrayView<uint8_t> text = section(device.ptxSection);
  return {reinterpret_cast<const char *>(text.data), text.size};
}

const char *ArtifactView::metadataValue(std::string_view key) const {
  for (const NdlMetadataRecord &record : metadata)
    if (key == string(record.key))
      return string(record.value);
  return nullptr;
}

} // namespace ndl
