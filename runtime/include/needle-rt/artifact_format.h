// The artifact file format, version 1: records as they lie in the file.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain C. Little-endian. A file is
//
//   NdlFileHeader | NdlSectionRecord[sectionCount] | sections
//
// Each section starts at a multiple of NDL_SECTION_ALIGNMENT; gaps are zero.
// Names are byte offsets into the strings section (NUL-terminated UTF-8; offset
// 0 is the empty string). docs/Artifact.md describes the whole.

#ifndef NEEDLE_RT_ARTIFACT_FORMAT_H
#define NEEDLE_RT_ARTIFACT_FORMAT_H

#include "needle-rt/types.h"

#include <stdint.h>

/// First bytes of a file. The line ending and ^Z reveal text-mode transfers.
#define NDL_ARTIFACT_MAGIC "\x89NDL\r\n\x1a\n"
#define NDL_ARTIFACT_MAGIC_SIZE 8
/// Changes whenever an older reader would misread a newer file.
#define NDL_ARTIFACT_VERSION 1
#define NDL_SECTION_ALIGNMENT 64
/// NdlBodyRecord.weightsSection of a body without weights.
#define NDL_NO_SECTION 0xffffffffu

/// Machine language of a body.
typedef enum NdlArchitecture NDL_ENUM_BASE {
  NDL_ARCH_INVALID = 0,
  NDL_ARCH_X86_64 = 1,
  NDL_ARCH_AARCH64 = 2,
  NDL_ARCH_RISCV64 = 3,
} NdlArchitecture;

typedef enum NdlSectionKind NDL_ENUM_BASE {
  NDL_SECTION_STRINGS = 1,         ///< char[]
  NDL_SECTION_ENTRIES = 2,         ///< NdlEntryRecord[]
  NDL_SECTION_TENSORS = 3,         ///< NdlTensorRecord[]
  NDL_SECTION_DIMS = 4,            ///< int64_t[]
  NDL_SECTION_PARAMS = 5,          ///< NdlParamRecord[]
  NDL_SECTION_MESSAGES = 6,        ///< NdlMessageRecord[]
  NDL_SECTION_BODIES = 7,          ///< NdlBodyRecord[]
  NDL_SECTION_FUNCTIONS = 8,       ///< NdlFunctionRecord[bodies * entries]
  NDL_SECTION_STEPS = 9,           ///< NdlStepRecord[]
  NDL_SECTION_METADATA = 10,       ///< NdlMetadataRecord[]
  NDL_SECTION_CODE = 11,           ///< flat image; one for each body
  NDL_SECTION_WEIGHTS = 12,        ///< bytes; any number
  NDL_SECTION_KERNELS = 13,        ///< NdlKernelRecord[]
  NDL_SECTION_KERNEL_OFFSETS = 14, ///< uint64_t[bodies * kernels]
  NDL_SECTION_DEVICES = 15,        ///< NdlDeviceRecord[]
  NDL_SECTION_PTX = 16,            ///< text; one for each device
  NDL_SECTION_DEVICE_KERNELS = 17, ///< NdlDeviceKernelRecord[]
} NdlSectionKind;

/// NdlSectionRecord.flags: a reader that does not know the kind must refuse the
/// file. Sections of unknown kind without this flag are skipped.
#define NDL_SECTION_REQUIRED 1u

typedef struct NdlFileHeader {
  uint8_t magic[8];
  uint32_t formatVersion;
  uint32_t abiVersion;
  uint64_t fileSize;
  /// XXH3-64 (seed 0) of the whole file with this field taken as 0.
  uint64_t checksum;
  uint32_t sectionCount;
  uint32_t reserved[7]; ///< 0
} NdlFileHeader;

typedef struct NdlSectionRecord {
  uint32_t kind;
  uint32_t flags;
  uint64_t offset;   ///< from the start of the file
  uint64_t size;     ///< in bytes
  uint64_t reserved; ///< 0
} NdlSectionRecord;

/// An entry point. The tensors section holds the inputs, then the outputs of
/// the first entry, then those of the second, and so on; likewise tensors own
/// consecutive dims and params, and functions consecutive steps.
typedef struct NdlEntryRecord {
  uint32_t name;
  uint32_t firstInput;
  uint32_t numInputs;
  uint32_t firstOutput;
  uint32_t numOutputs;
  uint32_t reserved; ///< 0
} NdlEntryRecord;

/// One input or output of an entry point.
typedef struct NdlTensorRecord {
  uint32_t name;
  uint32_t dtype; ///< NdlDType
  uint32_t rank;
  uint32_t firstDim;     ///< into dims; NDL_DYNAMIC or >= 0
  uint32_t quantization; ///< NdlQuantizationKind
  int32_t axis;          ///< in [0, rank) if per axis, else 0
  uint32_t firstParam;
  uint32_t numParams; ///< 0, 1, or one for each index along a static axis
  int32_t storageMin; ///< range of the stored integers, e.g. -127 … 127
  int32_t storageMax;
} NdlTensorRecord;

/// real = (stored - zeroPoint) * scale
typedef struct NdlParamRecord {
  float scale;
  int32_t zeroPoint;
} NdlParamRecord;

/// Text for a shape check that failed; `plan` returns 1 + its index.
typedef struct NdlMessageRecord {
  uint32_t text;
  uint32_t location; ///< where in the source, or empty
} NdlMessageRecord;

/// Code of all entry points for one target.
typedef struct NdlBodyRecord {
  uint32_t target;       ///< e.g. "avx2"; unique in the file
  uint32_t architecture; ///< NdlArchitecture
  uint64_t features;     ///< what the CPU must have; bits of cpu_features.def
  uint32_t rank; ///< of the bodies a CPU can run, the highest rank is chosen
  uint32_t codeSection;    ///< index into the section table
  uint32_t weightsSection; ///< index into the section table or NDL_NO_SECTION
  uint32_t reserved;       ///< 0
} NdlBodyRecord;

/// Entry point `e` in body `b` is record b * (number of entries) + e.
typedef struct NdlFunctionRecord {
  uint64_t planOffset; ///< of an NdlPlanFn, into the body's code section
  uint64_t runOffset;  ///< of an NdlRunFn, likewise
  uint32_t firstStep;
  uint32_t numSteps;
} NdlFunctionRecord;

/// What runs between two marks (see NdlFrame.markStep).
typedef struct NdlStepRecord {
  uint32_t kernel;   ///< e.g. "qmatmul_u8s8_f32.avx2.4x16"
  uint32_t op;       ///< e.g. "needle.qmatmul"
  uint32_t location; ///< where in the source, or empty
  uint32_t note;     ///< why this kernel was chosen, or empty
  int64_t macs;      ///< multiply-accumulates, or -1 if unknown or dynamic
} NdlStepRecord;

/// A function with the NdlTask signature that callers run directly. In body `b`
/// kernel `k` lies at kernel offset b * (number of kernels) + k, counted from
/// the start of the body's code section.
typedef struct NdlKernelRecord {
  uint32_t name;     ///< e.g. "ewise_add"; unique in the file
  uint32_t reserved; ///< 0
} NdlKernelRecord;

/// Kernels for one kind of CUDA device, as PTX text without a NUL byte. Of
/// those that a device can run, the one of the highest compute capability is
/// chosen.
typedef struct NdlDeviceRecord {
  uint32_t target;            ///< e.g. "sm_80"; unique in the file
  uint32_t computeCapability; ///< the least, e.g. 80 for 8.0
  uint32_t ptxSection;        ///< index into the section table
  uint32_t reserved;          ///< 0
} NdlDeviceRecord;

/// A kernel of a device's PTX and how it is launched: with blocks of
/// `blockThreads` threads in the x direction, each of which computes a tile of
/// the result; the grid has columns in the x direction and rows in y.
typedef struct NdlDeviceKernelRecord {
  uint32_t device; ///< index of the device record
  uint32_t name;   ///< as in the PTX; unique for the device
  uint32_t blockThreads;
  uint32_t tileRows;
  uint32_t tileColumns;
  uint32_t reserved; ///< 0
} NdlDeviceKernelRecord;

/// Key "producer" names the compiler and its version.
typedef struct NdlMetadataRecord {
  uint32_t key;
  uint32_t value;
} NdlMetadataRecord;

#ifdef __cplusplus
#define NDL_STATIC_ASSERT(COND) static_assert(COND, #COND)
#else
#define NDL_STATIC_ASSERT(COND) _Static_assert(COND, #COND)
#endif
NDL_STATIC_ASSERT(sizeof(NdlFileHeader) == 64);
NDL_STATIC_ASSERT(sizeof(NdlSectionRecord) == 32);
NDL_STATIC_ASSERT(sizeof(NdlEntryRecord) == 24);
NDL_STATIC_ASSERT(sizeof(NdlTensorRecord) == 40);
NDL_STATIC_ASSERT(sizeof(NdlParamRecord) == 8);
NDL_STATIC_ASSERT(sizeof(NdlMessageRecord) == 8);
NDL_STATIC_ASSERT(sizeof(NdlBodyRecord) == 32);
NDL_STATIC_ASSERT(sizeof(NdlFunctionRecord) == 24);
NDL_STATIC_ASSERT(sizeof(NdlStepRecord) == 24);
NDL_STATIC_ASSERT(sizeof(NdlMetadataRecord) == 8);
NDL_STATIC_ASSERT(sizeof(NdlKernelRecord) == 8);
NDL_STATIC_ASSERT(sizeof(NdlDeviceRecord) == 16);
NDL_STATIC_ASSERT(sizeof(NdlDeviceKernelRecord) == 24);

#endif // NEEDLE_RT_ARTIFACT_FORMAT_H
