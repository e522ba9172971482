//===- EntryPoint.h - What passes record on entry points --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The attributes by which passes hand signature, messages, weights and steps of
// entry points on to the writer of artifacts, and access to them.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_ENTRYPOINT_H
#define NEEDLE_CODEGEN_CPU_ENTRYPOINT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace needle::cpu {

/// On an entry point: {inputs = […], outputs = […]}, see EntryTensor.
inline constexpr llvm::StringLiteral signatureAttr = "needle.signature";
/// On an entry point: an array of {kernel, op, location, note, macs}.
inline constexpr llvm::StringLiteral stepsAttr = "needle.steps";
/// On the module: an array of {text, location}.
inline constexpr llvm::StringLiteral messagesAttr = "needle.messages";
/// On the module: the weight section, a dense_resource of i8.
inline constexpr llvm::StringLiteral weightsAttr = "needle.weights";
/// On a needle_cpu operation: the name of its kernel, and why it was chosen.
inline constexpr llvm::StringLiteral kernelAttr = "needle.kernel";
inline constexpr llvm::StringLiteral kernelNoteAttr = "needle.kernel_note";
/// On a function: the artifact lists it as a kernel of a library.
inline constexpr llvm::StringLiteral exportedKernelAttr =
    "needle.exported_kernel";
/// On an argument or result of a function: its name.
inline constexpr llvm::StringLiteral nameAttr = "needle.name";

/// Suffixes of the functions that belong to an entry point.
inline constexpr llvm::StringLiteral shapesSuffix = ".shapes";
inline constexpr llvm::StringLiteral arenaSuffix = ".arena";
inline constexpr llvm::StringLiteral planSuffix = ".plan";
inline constexpr llvm::StringLiteral runSuffix = ".run";

/// The arguments that needle-cpu-add-runtime-arguments appends, in order.
enum class RuntimeArg : unsigned { Arena, Weights, Threads, Frame, Count };
mlir::BlockArgument getRuntimeArgument(mlir::func::FuncOp entry,
                                       RuntimeArg which);

/// One input or output of an entry point, of its original type.
struct EntryTensor {
  std::string name;
  mlir::RankedTensorType type;
};

struct EntrySignature {
  llvm::SmallVector<EntryTensor> inputs;
  llvm::SmallVector<EntryTensor> outputs;
};

/// Whether this function has been recorded as an entry point.
bool isEntryPoint(mlir::Operation *function);

void setSignature(mlir::Operation *function, const EntrySignature &signature);
/// The signature of an entry point that has been verified.
EntrySignature getSignature(mlir::Operation *function);

/// Verifies that the signature of an entry point is well-formed: attributes can
/// be written by anyone.
mlir::LogicalResult verifySignature(mlir::Operation *function);

/// Verifies an entry point on buffers: its arguments are the inputs and outputs
/// of its signature and the runtime's arguments.
mlir::LogicalResult verifyBufferEntryPoint(mlir::func::FuncOp entry);

/// Where something stands in the source, for messages and profiles:
/// `file:line:column`, the names of NameLocs before it, several places joined
/// by ", ". Empty if unknown.
std::string formatLocation(mlir::Location location);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_ENTRYPOINT_H
