//===- GatherPatches.cpp - Windows of images as rows ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Implicit GEMM: only a block of windows is a matrix at any time, in the
// workspace of the thread that multiplies it.
//
//===----------------------------------------------------------------------===//

#include "GatherPatches.h"
#include "LibraryKernels.h"
#include "needle/Codegen/CPU/Kernel.h"

using namespace mlir;
using namespace needle::cpu;

namespace {

class Gatherer {
public:
  Gatherer(KernelBuilder &b, const CPUTarget &target, const PatchImages &images,
           const PatchRows &rows)
      : b(b), vectorBytes(target.vectorBits / 8), images(images), rows(rows) {
    ContextReader reader(b, images.patchArgs);
    for (unsigned i = 0; i < unsigned(PatchArg::Count); ++i)
      args.push_back(reader.nextWord());
  }

  void emit();

private:
  Value arg(PatchArg which) { return args[unsigned(which)]; }
  void emitWindow(Value image, Value y, Value x, Value dest);
  /// Copies `bytes`, of any number.
  void emitCopy(Value from, Value to, Value bytes);
  void emitFill(Value to, Value bytes);
  /// Calls `emitAt(offset, width)` so that its pieces, which may overlap, make
  /// up `bytes`.
  void emitPieces(Value bytes,
                  llvm::function_ref<void(Value, unsigned)> emitAt);

  KernelBuilder &b;
  unsigned vectorBytes;
  const PatchImages &images;
  const PatchRows &rows;
  SmallVector<Value> args;
};

} // namespace

void Gatherer::emitPieces(Value bytes,
                          llvm::function_ref<void(Value, unsigned)> emitAt) {
  // Whole vectors, the last of which ends where the bytes end; fewer bytes than
  // one in halves of it.
  auto emitWidth = [&](unsigned width) {
    Value last = b.sub(bytes, b.i64(width));
    b.loop(b.i64(0), last, width, [&](Value i) { emitAt(i, width); });
    emitAt(last, width);
  };
  auto emitFrom = [&](unsigned width, auto &emitNext) -> void {
    b.ifThenElse(
        b.less(b.i64(width - 1), bytes), [&] { emitWidth(width); },
        [&] {
          if (width > 4)
            emitNext(width / 2, emitNext);
          else
            b.loop(b.i64(0), bytes, 1, [&](Value i) { emitAt(i, 1); });
        });
  };
  emitFrom(vectorBytes, emitFrom);
}

void Gatherer::emitCopy(Value from, Value to, Value bytes) {
  Type i8 = b.getI8Type();
  emitPieces(bytes, [&](Value offset, unsigned width) {
    Value piece = b.load(b.vec(width, i8), b.advance(from, offset, i8), 1);
    b.store(piece, b.advance(to, offset, i8), 1);
  });
}

void Gatherer::emitFill(Value to, Value bytes) {
  Type i8 = b.getI8Type();
  emitPieces(bytes, [&](Value offset, unsigned width) {
    b.store(b.broadcast(images.fill, b.vec(width, i8)),
            b.advance(to, offset, i8), 1);
  });
}

/// The window whose first element lies in row `y` and column `x`, which may be
/// outside of the image.
void Gatherer::emitWindow(Value image, Value y, Value x, Value dest) {
  Type i8 = b.getI8Type();
  Value kernelWidth = arg(PatchArg::KernelWidth);
  Value channelBytes = arg(PatchArg::ChannelBytes);
  Value step = b.mul(arg(PatchArg::DilationWidth), arg(PatchArg::PixelBytes));
  // Elements [begin, end) of a row of the kernel lie on the image.
  auto clamp = [&](Value distance) {
    Value dilation = arg(PatchArg::DilationWidth);
    Value steps = b.div(b.sub(b.add(distance, dilation), b.i64(1)), dilation);
    return b.min(b.max(steps, b.i64(0)), kernelWidth);
  };
  Value begin = clamp(b.sub(b.i64(0), x));
  Value end = b.max(clamp(b.sub(arg(PatchArg::Width), x)), begin);
  Value isOnePiece = b.equal(step, channelBytes);
  Value lineBytes = b.mul(kernelWidth, channelBytes);

  b.loop(b.i64(0), arg(PatchArg::KernelHeight), 1, [&](Value i) {
    Value row = b.add(y, b.mul(i, arg(PatchArg::DilationHeight)));
    Value line = b.advance(dest, b.mul(i, lineBytes), i8);
    Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row,
                                           arg(PatchArg::Height));
    b.ifThenElse(
        isInside,
        [&] {
          Value from =
              b.advance(image,
                        b.add(b.mul(row, arg(PatchArg::RowBytes)),
                              b.add(b.mul(x, arg(PatchArg::PixelBytes)),
                                    b.mul(begin, step))),
                        i8);
          Value first = b.mul(begin, channelBytes);
          Value behind = b.mul(end, channelBytes);
          Value to = b.advance(line, first, i8);
          emitFill(line, first);
          b.ifThenElse(
              isOnePiece, [&] { emitCopy(from, to, b.sub(behind, first)); },
              [&] {
                b.loop(b.i64(0), b.sub(end, begin), 1, [&](Value j) {
                  emitCopy(b.advance(from, b.mul(j, step), i8),
                           b.advance(to, b.mul(j, channelBytes), i8),
                           channelBytes);
                });
              });
          emitFill(b.advance(line, behind, i8), b.sub(lineBytes, behind));
        },
        [&] { emitFill(line, lineBytes); });
  });
}

void Gatherer::emit() {
  Value height = arg(PatchArg::ResultHeight);
  Value width = arg(PatchArg::ResultWidth);
  Value line = b.div(rows.first, width);
  Value place[] = {b.rem(rows.first, width), b.rem(line, height),
                   b.div(line, height)};
  b.loop(b.i64(0), rows.count, 1, place, [&](Value index, ValueRange at) {
    Value image = b.advance(
        images.images, b.mul(at[2], arg(PatchArg::ImageBytes)), b.getI8Type());
    Value y =
        b.sub(b.mul(at[1], arg(PatchArg::StrideHeight)), arg(PatchArg::Top));
    Value x =
        b.sub(b.mul(at[0], arg(PatchArg::StrideWidth)), arg(PatchArg::Left));
    emitWindow(
        image, y, x,
        b.advance(rows.dest, b.mul(index, rows.rowBytes), b.getI8Type()));
    Value nextX = b.add(at[0], b.i64(1));
    Value isLineEnd = b.equal(nextX, width);
    Value nextY = b.select(isLineEnd, b.add(at[1], b.i64(1)), at[1]);
    Value isImageEnd = b.equal(nextY, height);
    return SmallVector<Value>{
        b.select(isLineEnd, b.i64(0), nextX),
        b.select(isImageEnd, b.i64(0), nextY),
        b.select(isImageEnd, b.add(at[2], b.i64(1)), at[2])};
  });
}

void needle::cpu::emitGatherPatches(KernelBuilder &b, const CPUTarget &target,
                                    const PatchImages &images,
                                    const PatchRows &rows) {
  Gatherer(b, target, images, rows).emit();
}
