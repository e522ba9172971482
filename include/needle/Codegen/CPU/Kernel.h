//===- Kernel.h - Contraction kernels of the CPU ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A contraction kernel is a function with the NdlTask signature, emitted once
// for each KernelSpec and target and shared by all layers of that kind: shapes,
// strides and pointers reach it through an array of words.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_KERNEL_H
#define NEEDLE_CODEGEN_CPU_KERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include <string>

namespace needle::cpu {

/// What a contraction stores.
enum class DestKind { F32, I32, Q8 };

/// What the code of a depthwise kernel depends on; along the width.
struct DepthwiseShape {
  unsigned width = 0; ///< of the kernel; 0 in other kernels
  unsigned stride = 1;
  unsigned dilation = 1;
  unsigned channels = 1; ///< of a group, which has as many columns
};

/// What distinguishes one contraction kernel from another.
struct KernelSpec {
  bool integer = false;
  /// Signedness of an integer lhs.
  bool lhsUnsigned = true;
  /// Width of an element of rhs under an integer lhs: 8, or 16 when the zero
  /// point is subtracted; 32 of groups that are multiplied in f32.
  unsigned rhsBits = 8;
  /// How integers are multiplied.
  DotForm form = DotForm::Pairs;
  /// Of DotForm::Bytes: groups of four along K that are summed in 16 bits.
  unsigned byteSteps = 1;
  /// Of DotForm::Bytes: a part of the weights lies in `rest`.
  bool hasRest = false;
  DestKind dest = DestKind::F32;
  bool hasBias = false;
  /// i32 bias, joining the sum (N4), instead of f32 after the rescale (N5).
  bool integerBias = false;
  Activation activation = Activation::None;
  /// Range of the stored integers of a Q8 dest.
  int32_t destMin = 0, destMax = 0;
  /// Sums exceed i32: accumulate in chunks of i32 into i64 (N4).
  bool wide = false;
  /// The rows of lhs are windows of images (see PatchArg).
  bool patches = false;
  /// Each column has the rows of its channel or small group to itself (see
  /// DepthwiseKernel).
  DepthwiseShape depthwise;

  /// Of f32: this many rows, at most mostFewRows, against several panels at
  /// once; 0 for any number.
  unsigned rows = 0;

  static constexpr unsigned mostFewRows = 2;
  /// Panels that a kernel for few rows reads at once: enough sums to keep the
  /// multipliers busy while each waits for its last term.
  unsigned getPanelsAtOnce(const CPUTarget &target) const;

  /// Whether the columns may be those of several groups.
  bool hasGroups() const { return patches && depthwise.width == 0; }

  /// A name such as "qmatmul_u8s8_bytes2_f32_bias_relu.avx2.4x16", unique per
  /// spec; that of pairs does not mention them.
  std::string getName(const CPUTarget &target) const;
  RegisterTile getTile(const CPUTarget &target) const;
  /// Bytes of an element of lhs as tiles read it.
  unsigned lhsBytes() const {
    if (!integer)
      return 4;
    return form == DotForm::Pairs || form == DotForm::Nibbles ? 2 : 1;
  }
};

/// The words of a contraction kernel's context, in order.
enum class KernelArg : unsigned {
  Lhs,           ///< pointer
  LhsRowStride,  ///< elements
  LhsColStride,  ///< elements
  Rhs,           ///< pointer to packed panels
  Scales,        ///< pointer to N f32, integer kernels with a float result
  Bias,          ///< pointer to N f32 or i32
  Dest,          ///< pointer
  DestRowStride, ///< elements
  Rows,          ///< M
  Depth,         ///< K
  Columns,       ///< N, of a group
  LhsZeroPoint,
  DestScale, ///< bits of an f32 in the low half
  DestZeroPoint,
  Workspace,      ///< pointer
  WorkspaceBytes, ///< for each worker
  BlockRows,      ///< rows of lhs in one task
  ColumnSplits,   ///< tasks along N for each block of rows
  BlockDepth,     ///< terms that f32 kernels add up before the next panel
  Patches,        ///< pointer to the words of PatchArg, kernels with patches
  // Only of kernels of split weights:
  Rest,       ///< pointer to panels of groups
  RestGroups, ///< pointer to i32, where each belongs along K
  RestCount,  ///< groups in a panel
  Count
};

/// How rows of lhs are taken from images N×H×W×C, in order. Pairs are height
/// and width; distances are in bytes, and Lhs points to the first pixel.
enum class PatchArg : unsigned {
  Height,
  Width,
  ResultHeight, ///< windows along H
  ResultWidth,
  ImageBytes,   ///< from one image to the next
  RowBytes,     ///< from one row of pixels to the next
  PixelBytes,   ///< from one pixel to the next
  ChannelBytes, ///< that a row takes of each pixel, those of a group
  KernelHeight,
  KernelWidth,
  StrideHeight,
  StrideWidth,
  Top,
  Left,
  DilationHeight,
  DilationWidth,
  Groups, ///< 1 in depthwise kernels, which take all groups at once
  // Of depthwise kernels of integers.
  RingRows,      ///< rows of pixels that the kernel spans
  RingPositions, ///< pixels of such a row, with padding
  RingRowBytes,
  Count
};

/// The rows of pixels that a depthwise kernel of integers keeps, i64.
struct DepthwiseRing {
  mlir::Value rows, positions, rowBytes;
};
DepthwiseRing emitDepthwiseRing(mlir::OpBuilder &builder, mlir::Location loc,
                                const Window &window, const CPUTarget &target,
                                mlir::Value resultWidth);

/// The sizes of a contraction, i64. Those of images are null without a window.
struct ContractionSizes {
  mlir::Value rows, depth;
  mlir::Value resultHeight, resultWidth;
};
/// From the extents of lhs, i64; `values` are those of a window.
ContractionSizes
emitContractionSizes(mlir::OpBuilder &builder, mlir::Location loc,
                     llvm::ArrayRef<mlir::Value> lhsExtents, bool transposed,
                     std::optional<llvm::ArrayRef<int64_t>> values);

/// Bytes between gathered rows of lhs.
mlir::Value emitPatchRowBytes(mlir::OpBuilder &builder, mlir::Location loc,
                              bool integer, mlir::Value depth);

/// Largest K for which Σ of products of packed operands cannot leave i32 (N4).
int64_t getMaxDepth(const KernelSpec &spec);

/// Stride in elements between packed rows of lhs: whole cache lines, and one
/// more, so that rows do not fall into the same cache set. K is i64.
mlir::Value emitPackedRowStride(mlir::OpBuilder &builder, mlir::Location loc,
                                const KernelSpec &spec, mlir::Value depth);

/// Terms of each sum that an f32 kernel adds up before it goes on to the next
/// panel (i64, at least 1), given K (i64).
mlir::Value emitBlockDepth(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value depth);

/// Rows of lhs that one task handles (i64, at least 1), given M and K (i64).
mlir::Value emitBlockRows(mlir::OpBuilder &builder, mlir::Location loc,
                          const KernelSpec &spec, const CPUTarget &target,
                          mlir::Value rows, mlir::Value depth);

/// How one contraction is divided into tasks. All values are i64.
struct ContractionSplit {
  mlir::Value blockRows; ///< rows of lhs in one task
  mlir::Value blocks;
  mlir::Value columnSplits; ///< tasks along N for each block
  mlir::Value isInline;     ///< i1: too little work to wake other threads
  mlir::Value blockDepth;   ///< terms that f32 kernels add up at once
};
ContractionSplit emitContractionSplit(mlir::OpBuilder &builder,
                                      mlir::Location loc,
                                      const KernelSpec &spec,
                                      const CPUTarget &target, mlir::Value rows,
                                      mlir::Value depth, mlir::Value columns,
                                      mlir::Value threads);

/// Likewise for a depthwise kernel, of `rows` rows of pixels of the result.
ContractionSplit emitDepthwiseSplit(mlir::OpBuilder &builder,
                                    mlir::Location loc, mlir::Value rows,
                                    mlir::Value work, mlir::Value threads);

/// i1: packing `columns` × `depth` elements is too little work to share.
mlir::Value emitIsPackInline(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value columns, mlir::Value depth,
                             mlir::Value threads);

/// Whether a panel of i8 is widened once for a block of rows, a part of at most
/// so many groups of four along K at a time: with its sums and the rows of a
/// tile a part stays in half of the L1 cache, which otherwise could not keep
/// up.
bool widensPanels(const KernelSpec &spec);
inline constexpr int64_t mostGroupsOfPart = 128;

/// Bytes of `columns` packed columns (i64, whole panels) of rhs, given K (i64).
mlir::Value emitPackedRhsBytes(mlir::OpBuilder &builder, mlir::Location loc,
                               const KernelSpec &spec, mlir::Value columns,
                               mlir::Value depth);

/// Bytes of workspace in which one worker packs a block of lhs rows and, where
/// the kernel does so, widens a panel of rhs (i64).
mlir::Value emitWorkspaceBytes(mlir::OpBuilder &builder, mlir::Location loc,
                               const KernelSpec &spec, const CPUTarget &target,
                               mlir::Value rows, mlir::Value depth);

/// Returns the kernel function for `spec`, emitting it at the end of `module`
/// if it is not there yet.
mlir::func::FuncOp getOrEmitContractionKernel(mlir::ModuleOp module,
                                              const KernelSpec &spec,
                                              const CPUTarget &target);

/// The words of the context of a kernel that reads the right-hand side where it
/// lies, in order; one of its strides is 1. An iteration computes
/// `BlockColumns` columns.
enum class DirectArg : unsigned {
  Lhs,          ///< pointer
  LhsRowStride, ///< elements
  LhsColStride, ///< elements
  Rhs,          ///< pointer
  RhsRowStride, ///< elements between neighbours along K
  RhsColStride, ///< elements between neighbours along N
  Scales,       ///< pointer to N f32, of integers
  Bias,         ///< pointer to N f32
  Dest,         ///< pointer to f32
  DestRowStride,
  Rows,    ///< M, at most directRows
  Depth,   ///< K, at most getMaxDepth
  Columns, ///< N
  LhsZeroPoint,
  RhsZeroPoint,
  Workspace,      ///< pointer
  WorkspaceBytes, ///< for each worker
  BlockColumns,
  Count
};

/// Most rows for which a right-hand side is read where it lies, once for each
/// two rows: packing it takes as long as six or more such passes.
inline constexpr int64_t directRows = 12;
/// Room, in i32, for the sums of packed rows in front of these.
inline constexpr int64_t directRowSums = 16;

/// How a direct kernel divides a product. All values are i64.
struct DirectSplit {
  mlir::Value mostRows; ///< for which it should run; 0 where K is too large
  mlir::Value blockColumns;
  mlir::Value tasks;
  mlir::Value workspaceBytes; ///< for each worker
};
DirectSplit emitDirectSplit(mlir::OpBuilder &builder, mlir::Location loc,
                            const KernelSpec &spec, mlir::Value rows,
                            mlir::Value depth, mlir::Value columns,
                            mlir::Value threads);

/// Returns the kernel that reads the right-hand side where it lies, emitting it
/// if it is not there yet.
mlir::func::FuncOp getOrEmitDirectKernel(mlir::ModuleOp module,
                                         const KernelSpec &spec,
                                         const CPUTarget &target);

/// The words of a packing kernel's context, in order. It packs panels
/// [begin, end) of the right-hand side, those of one group after another's.
enum class PackArg : unsigned {
  Source,          ///< pointer
  DepthStride,     ///< elements between neighbours along K
  ColumnStride,    ///< elements between neighbours along N
  Dest,            ///< pointer
  Depth,           ///< K
  Columns,         ///< N, of a group
  ZeroPoints,      ///< pointer to i32: one, or one per column
  ZeroPointStride, ///< 0 or 1
  Count
};

/// What distinguishes one packing kernel from another.
struct PackSpec {
  bool integer = false;
  bool sourceUnsigned = false;
  /// Width of the packed integers: 8 copies, 16 subtracts the zero point.
  unsigned destBits = 8;

  std::string getName(const CPUTarget &target) const;
};

/// Likewise for packing the right-hand side at run time.
mlir::func::FuncOp getOrEmitPackKernel(mlir::ModuleOp module,
                                       const PackSpec &spec,
                                       const CPUTarget &target);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_KERNEL_H
