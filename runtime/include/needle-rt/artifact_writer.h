// An artifact as a plain C++ model, and its serialization.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the compiler (which fills the model) and the tests of the runtime.
// Link `needle_artifact`. No exceptions, no LLVM.

#ifndef NEEDLE_RT_ARTIFACT_WRITER_H
#define NEEDLE_RT_ARTIFACT_WRITER_H

#include "needle-rt/abi.h"
#include "needle-rt/artifact_format.h"
#include "needle-rt/atomic_file.h"
#include "needle-rt/cpu_features.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ndl {

/// Quantization of a tensor: real = (stored - zeroPoint) * scale.
struct QuantizationModel {
  NdlQuantizationKind kind = NDL_QUANTIZATION_NONE;
  int32_t axis = 0;
  /// One for each zero point: one per tensor, or one for each index on the axis
  /// (which must be static).
  std::vector<float> scales;
  std::vector<int32_t> zeroPoints;
  int32_t storageMin = 0;
  int32_t storageMax = 0;
};

/// One input or output of an entry point.
struct TensorModel {
  std::string name;
  NdlDType dtype = NDL_DTYPE_INVALID;
  std::vector<int64_t> dims; ///< NDL_DYNAMIC or >= 0
  QuantizationModel quantization;
};

/// An entry point's signature.
struct EntryModel {
  std::string name; ///< unique, not empty
  std::vector<TensorModel> inputs;
  std::vector<TensorModel> outputs;
};

/// What the user reads when a shape check in `plan` fails.
struct MessageModel {
  std::string text;
  std::string location;
};

/// One step of an entry point in one body; its index is what markStep gets.
struct StepModel {
  std::string kernel; ///< e.g. "qmatmul_u8s8_f32.avx2.4x16"
  std::string op;     ///< e.g. "needle.qmatmul"
  std::string location;
  std::string note;  ///< why this kernel was chosen, or empty
  int64_t macs = -1; ///< multiply-accumulates, -1 if unknown or dynamic
};

/// An entry point in one body: offsets into the body's code, and its steps.
struct FunctionModel {
  uint64_t planOffset = 0;
  uint64_t runOffset = 0;
  std::vector<StepModel> steps;
};

/// The code of all entry points for one target.
struct BodyModel {
  static constexpr uint32_t noWeights = NDL_NO_SECTION;

  std::string target; ///< e.g. "avx2"; unique, not empty
  NdlArchitecture architecture = NDL_ARCH_INVALID;
  uint64_t features = 0; ///< e.g. x86::AVX2 | x86::FMA
  uint32_t rank = 0;     ///< the highest that the CPU can run is chosen
  std::vector<uint8_t> code;
  uint32_t weights = noWeights;         ///< index into ArtifactModel::weights
  std::vector<FunctionModel> functions; ///< one for each entry, in order
  /// Offsets into the code, one for each of ArtifactModel::kernels, in order.
  std::vector<uint64_t> kernelOffsets;
};

/// A kernel for a CUDA device, see NdlDeviceKernelRecord.
struct DeviceKernelModel {
  std::string name;
  uint32_t blockThreads = 0;
  uint32_t tileRows = 0;
  uint32_t tileColumns = 0;
};

/// Kernels for one kind of CUDA device.
struct DeviceModel {
  std::string target;             ///< e.g. "sm_80"; unique, not empty
  uint32_t computeCapability = 0; ///< the least, e.g. 80 for 8.0
  std::string ptx;                ///< without a NUL byte
  std::vector<DeviceKernelModel> kernels;
};

/// A whole artifact.
struct ArtifactModel {
  std::string producer; ///< e.g. "needle 0.1.0"
  /// Further pairs; the key "producer" is taken.
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<EntryModel> entries;
  std::vector<MessageModel> messages;
  /// Names of the exported kernels (functions with the NdlTask signature),
  /// unique and not empty. There may be entries, kernels, or both.
  std::vector<std::string> kernels;
  std::vector<BodyModel> bodies;
  std::vector<std::vector<uint8_t>> weights;
  std::vector<DeviceModel> devices;
};

/// Writes the model in the format of artifact_format.h. Equal models give equal
/// bytes. A model that no reader would accept (a function too few, an offset
/// outside the code, a name with a NUL byte, …) gives an empty vector and, if
/// `error` is not null, says there what is wrong.
std::vector<uint8_t> serialize(const ArtifactModel &model,
                               std::string *error = nullptr);

} // namespace ndl

#endif // NEEDLE_RT_ARTIFACT_WRITER_H
