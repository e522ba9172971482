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
    step = b.mul(arg(PatchArg::DilationWidth), arg(PatchArg::PixelBytes));
    lineBytes = b.mul(arg(PatchArg::KernelWidth), arg(PatchArg::ChannelBytes));
    isOnePiece = b.equal(step, arg(PatchArg::ChannelBytes));
  }

  void emit();

private:
  Value arg(PatchArg which) { return args[unsigned(which)]; }
  using PieceEmitter = llvm::function_ref<void(Value offset, unsigned width)>;

  void emitWindow(Value image, Value y, Value x, Value dest);
  void emitInside(Value first, Value dest);
  void emitAtEdge(Value image, Value y, Value x, Value dest);
  /// Copies `bytes`, at least `width`, in pieces of that.
  void emitCopy(Value from, Value to, Value bytes, unsigned width);
  /// Fills `bytes`, of any number.
  void emitFill(Value to, Value bytes);
  void emitForWidth(Value bytes, llvm::function_ref<void(unsigned)> emitRun);
  /// Calls `emitAt` so that pieces, which may overlap, make up `bytes`.
  void emitPieces(Value bytes, unsigned width, PieceEmitter emitAt);

  KernelBuilder &b;
  unsigned vectorBytes;
  const PatchImages &images;
  const PatchRows &rows;
  SmallVector<Value> args;
  Value step;       ///< bytes between neighbours in a row of the kernel
  Value lineBytes;  ///< of a row of the kernel
  Value isOnePiece; ///< i1: these lie together in an image, too
};

} // namespace

/// Calls `emitRun(width)` for the width of the pieces that runs of `bytes`
/// consist of: a vector, halves of it for fewer bytes, single bytes.
void Gatherer::emitForWidth(Value bytes,
                            llvm::function_ref<void(unsigned)> emitRun) {
  auto emitFrom = [&](unsigned width, auto &emitNext) -> void {
    b.ifThenElse(
        b.less(b.i64(width - 1), bytes), [&] { emitRun(width); },
        [&] {
          if (width > 4)
            emitNext(width / 2, emitNext);
          else
            emitRun(1);
        });
  };
  emitFrom(vectorBytes, emitFrom);
}

void Gatherer::emitPieces(Value bytes, unsigned width, PieceEmitter emitAt) {
  if (width == 1)
    return b.loop(b.i64(0), bytes, 1, [&](Value i) { emitAt(i, 1); });
  // The last piece ends where the bytes end.
  Value last = b.sub(bytes, b.i64(width));
  b.loop(b.i64(0), last, width, [&](Value i) { emitAt(i, width); });
  emitAt(last, width);
}

void Gatherer::emitCopy(Value from, Value to, Value bytes, unsigned width) {
  Type i8 = b.getI8Type();
  emitPieces(bytes, width, [&](Value offset, unsigned count) {
    Value piece = b.load(b.vec(count, i8), b.advance(from, offset, i8), 1);
    b.store(piece, b.advance(to, offset, i8), 1);
  });
}

void Gatherer::emitFill(Value to, Value bytes) {
  Type i8 = b.getI8Type();
  emitForWidth(bytes, [&](unsigned width) {
    emitPieces(bytes, width, [&](Value offset, unsigned count) {
      b.store(b.broadcast(images.fill, b.vec(count, i8)),
              b.advance(to, offset, i8), 1);
    });
  });
}

/// A window that lies on the image as a whole: most of them do.
void Gatherer::emitInside(Value first, Value dest) {
  Type i8 = b.getI8Type();
  Value rowStep = b.mul(arg(PatchArg::DilationHeight), arg(PatchArg::RowBytes));
  Value runBytes = b.select(isOnePiece, lineBytes, arg(PatchArg::ChannelBytes));
  Value runs = b.select(isOnePiece, b.i64(1), arg(PatchArg::KernelWidth));
  emitForWidth(runBytes, [&](unsigned width) {
    Value start[] = {first, dest};
    b.loop(b.i64(0), arg(PatchArg::KernelHeight), 1, start,
           [&](Value, ValueRange line) {
             b.loop(b.i64(0), runs, 1, line, [&](Value, ValueRange run) {
               emitCopy(run[0], run[1], runBytes, width);
               return SmallVector<Value>{b.advance(run[0], step, i8),
                                         b.advance(run[1], runBytes, i8)};
             });
             return SmallVector<Value>{b.advance(line[0], rowStep, i8),
                                       b.advance(line[1], lineBytes, i8)};
           });
  });
}

/// The window whose first element lies in row `y` and column `x`, which may be
/// outside of the image.
void Gatherer::emitWindow(Value image, Value y, Value x, Value dest) {
  auto fits = [&](Value at, PatchArg kernel, PatchArg dilation, PatchArg size) {
    Value span = b.mul(b.sub(arg(kernel), b.i64(1)), arg(dilation));
    Value room = b.max(b.sub(arg(size), span), b.i64(0));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, room);
  };
  Value isInside = arith::AndIOp::create(
      b,
      fits(y, PatchArg::KernelHeight, PatchArg::DilationHeight,
           PatchArg::Height),
      fits(x, PatchArg::KernelWidth, PatchArg::DilationWidth, PatchArg::Width));
  b.ifThenElse(
      isInside,
      [&] {
        Value offset = b.add(b.mul(y, arg(PatchArg::RowBytes)),
                             b.mul(x, arg(PatchArg::PixelBytes)));
        emitInside(b.advance(image, offset, b.getI8Type()), dest);
      },
      [&] { emitAtEdge(image, y, x, dest); });
}

/// Likewise, a part of which may be padding.
void Gatherer::emitAtEdge(Value image, Value y, Value x, Value dest) {
  Type i8 = b.getI8Type();
  Value kernelWidth = arg(PatchArg::KernelWidth);
  Value channelBytes = arg(PatchArg::ChannelBytes);
  // Elements [begin, end) of a row of the kernel lie on the image.
  auto clamp = [&](Value distance) {
    Value dilation = arg(PatchArg::DilationWidth);
    Value steps = b.ceilDiv(distance, dilation);
    return b.min(b.max(steps, b.i64(0)), kernelWidth);
  };
  Value begin = clamp(b.sub(b.i64(0), x));
  Value end = b.max(clamp(b.sub(arg(PatchArg::Width), x)), begin);

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
          auto copy = [&](Value source, Value place, Value bytes) {
            emitForWidth(bytes, [&](unsigned width) {
              emitCopy(source, place, bytes, width);
            });
          };
          b.ifThenElse(
              isOnePiece, [&] { copy(from, to, b.sub(behind, first)); },
              [&] {
                b.loop(b.i64(0), b.sub(end, begin), 1, [&](Value j) {
                  copy(b.advance(from, b.mul(j, step), i8),
                       b.advance(to, b.mul(j, channelBytes), i8), channelBytes);
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
