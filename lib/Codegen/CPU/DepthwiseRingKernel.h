//===- DepthwiseRingKernel.h - Depthwise integers ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_DEPTHWISERINGKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_DEPTHWISERINGKERNEL_H

#include "DepthwiseKernel.h"

namespace needle::cpu {

/// Integers: rows of the image are widened, less the zero point, into a ring of
/// as many rows as the kernel spans, with zeros around the image.
class DepthwiseRingKernel : public DepthwiseKernel<IntegerKernel> {
public:
  using DepthwiseKernel::DepthwiseKernel;

protected:
  void emitChannels(const Block &block, const Channels &channels) override;
  /// Fills a row of the ring from row `row` of the image, which may be outside.
  virtual void emitPackRow(Value image, Value row, Value ringRow,
                           const Channels &channels) = 0;
  /// Adds the products of row `i` of the kernel to the sums of `count` results,
  /// the first of which has its first pixel at `line`.
  virtual void emitRingRow(Value i, Value line, unsigned count,
                           const Channels &channels,
                           llvm::MutableArrayRef<Value> sums) = 0;
  virtual mlir::Type sumElement() const = 0;

private:
  /// The sums of `count` results from column `x` on; the first row of the ring
  /// lies `start` bytes from its beginning.
  llvm::SmallVector<Value> emitPixels(Value ring, Value start, Value x,
                                      unsigned count, const Channels &channels);
};

/// One channel a group: each pixel of the ring lies beside its neighbour in the
/// kernel, so that one instruction multiplies and adds two elements of the
/// kernel for each channel.
class DepthwisePairsKernel final : public DepthwiseRingKernel {
public:
  using DepthwiseRingKernel::DepthwiseRingKernel;

protected:
  void emitPrologue() override;
  void emitPackRow(Value image, Value row, Value ringRow,
                   const Channels &channels) override;
  void emitRingRow(Value i, Value line, unsigned count,
                   const Channels &channels,
                   llvm::MutableArrayRef<Value> sums) override;
  mlir::Type sumElement() const override { return i32; }

private:
  unsigned pairs() const { return (spec.depthwise.width + 1) / 2; }
  Value emitLoadPixel(Value at, const Channels &channels);
  Value emitPairSum(Value pixels, Value weights, Value sum,
                    const Channels &channels);

  Value zeros; ///< as many bytes as a panel has channels, on the stack
};

/// Two or four channels a group, multiplied and added up in f32, exactly.
class SmallGroupsKernel final : public DepthwiseRingKernel {
public:
  using DepthwiseRingKernel::DepthwiseRingKernel;

protected:
  void emitPrologue() override;
  void emitPackRow(Value image, Value row, Value ringRow,
                   const Channels &channels) override;
  void emitRingRow(Value i, Value line, unsigned count,
                   const Channels &channels,
                   llvm::MutableArrayRef<Value> sums) override;
  mlir::Type sumElement() const override { return f32; }
  /// Sums are integers in f32.
  Value emitFinish(Value sum, Value scale, Value bias) override;

private:
  llvm::SmallVector<Value> emitLoadPixel(Value at, const Channels &channels);

  Value zeroPoint; ///< of lhs, f32
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_DEPTHWISERINGKERNEL_H
