//===- DepthwiseKernel.h - One channel at a time ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions in which each channel, or small group, has a kernel of its own.
// A task is some rows of pixels of the result (KernelArg::Rows counts those),
// in columns of a panel's channels; a tile is a few neighbouring pixels of such
// a column.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_DEPTHWISEKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_DEPTHWISEKERNEL_H

#include "FloatKernel.h"
#include "IntegerKernel.h"

namespace needle::cpu {

/// What is the same for floats and integers. `Base` knows the epilogue.
template <typename Base>
class DepthwiseKernel : public Base {
public:
  using Value = mlir::Value;
  using Base::Base;

protected:
  /// The channels that are computed at once: `vectors` of `lanes`, or one.
  struct Channels {
    Value first;
    unsigned lanes, vectors;

    unsigned count() const { return lanes * vectors; }
  };
  /// A row of pixels of the result.
  struct ResultRow {
    Value image; ///< pointer to the first pixel of its image
    Value top;   ///< row of the image that the kernel starts at; may be outside
    Value dest;  ///< pointer to its first pixel
  };

  void emitPrologue() override;
  void emitBlock(const typename Base::Block &block) override {
    ContractionKernel::emitBlock(block);
  }
  typename Base::Rows emitLhsRows(const typename Base::Block &block) override {
    return {this->arg(KernelArg::Lhs), this->arg(KernelArg::LhsRowStride)};
  }
  void emitPanels(const typename Base::Block &block,
                  typename Base::Rows lhs) override;

  /// All rows of a block, of some channels.
  virtual void emitChannels(const typename Base::Block &block,
                            const Channels &channels) = 0;
  ResultRow emitResultRow(Value row, const Channels &channels);
  /// Stores the sums of neighbouring pixels from column `x` on.
  void emitStore(const ResultRow &row, Value x, llvm::ArrayRef<Value> sums,
                 const Channels &channels);

  /// Adds the products of row `i` of the kernel to the sums of `count`
  /// neighbouring results. `emitLoad` gives a vector of the pixel that lies
  /// `column` behind the first one.
  void emitKernelRow(
      Value i, unsigned count, const Channels &channels,
      llvm::MutableArrayRef<Value> sums,
      llvm::function_ref<Value(unsigned column, unsigned vector)> emitLoad);

  Value patch(PatchArg which) { return patchArgs[unsigned(which)]; }
  /// A vector of some lanes; a scalar for one.
  mlir::Type lanesOf(const Channels &channels, mlir::Type element) {
    if (channels.lanes == 1)
      return element;
    return this->b.vec(channels.lanes, element);
  }

  /// Pixels of a tile.
  static constexpr unsigned pixels = 4;

private:
  Value emitChannelOfGroup(Value pixel, unsigned index);

  llvm::SmallVector<Value> patchArgs;
};

/// f32, read in place: rows of the kernel that lie outside of the image are
/// left out, and tiles at its sides read zeros instead of what lies beyond.
class DepthwiseFloatKernel final : public DepthwiseKernel<FloatKernel> {
public:
  using DepthwiseKernel::DepthwiseKernel;

protected:
  void emitPrologue() override;
  void emitChannels(const Block &block, const Channels &channels) override;

private:
  /// Rows of the kernel, [first, last).
  struct Range {
    Value first, last;
  };
  Range emitRowsInside(Value top);
  void emitRow(const ResultRow &row, const Channels &channels);
  /// The sums of `count` results from column `x` on. `isInside` says that all
  /// pixels they take are.
  llvm::SmallVector<Value> emitPixels(const ResultRow &row, Range rows, Value x,
                                      unsigned count, bool isInside,
                                      const Channels &channels);

  Value zeros; ///< as many as a panel has channels, on the stack
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_DEPTHWISEKERNEL_H
