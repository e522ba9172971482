//===- Artifact.h - From modules to the model of an artifact ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_ARTIFACT_H
#define NEEDLE_LIB_TARGET_ARTIFACT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "needle-rt/artifact_writer.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Target/FlatImage.h"
#include <optional>

namespace needle {

/// The names of the entry points, in order.
std::vector<std::string> getEntryNames(mlir::ModuleOp module);

/// Takes signatures and messages from a module after the stage "fused".
mlir::LogicalResult setInterface(ndl::ArtifactModel &model,
                                 mlir::ModuleOp module);

/// Adds the body of one target: its code and, from the module after the stage
/// "llvm", steps and weights. Bodies share weights of equal bytes. The entry
/// points are those of setInterface; each has its two functions in the image.
/// Without an image the body has no code: it is linked by other means.
mlir::LogicalResult addBody(ndl::ArtifactModel &model, mlir::ModuleOp module,
                            const cpu::CPUTarget &target,
                            std::optional<FlatImage> image);

/// The weight section of a module after the stage "llvm"; empty if there is
/// none.
mlir::ArrayRef<char> getWeights(mlir::ModuleOp module);

/// The features that the runtime checks, see cpu_features.def.
mlir::FailureOr<uint64_t> getRequiredFeatures(mlir::Location location,
                                              const cpu::CPUTarget &target);

} // namespace needle

#endif // NEEDLE_LIB_TARGET_ARTIFACT_H
