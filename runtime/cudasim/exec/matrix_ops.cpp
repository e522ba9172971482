// Matrix products of a warp: mma and ldmatrix.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/integers.h"
#include "exec/matrix.h"
#include "exec/memory_access.h"

namespace ndl::cudasim {
namespace {

constexpr unsigned maxRows = 16, maxColumns = 8, maxDepth = 32;

struct Shape {
  unsigned m, k;
  /// Elements of A and B in a register of 32 bits.
  unsigned packed;
  constexpr unsigned bRegisters() const { return k / (4 * packed); }
  constexpr unsigned aRegisters() const { return m / 8 * bRegisters(); }
};

// "Matrix Fragments for mma.m…" in the PTX ISA. With g = lane / 4, t = lane % 4
// all shapes have one rule: a register holds neighbours along k, four lanes
// follow one another along k, eight along the rows of A (the columns of B);
// further registers of A first go on 8 rows below, then further along k.
template <typename Store>
void forEachA(const Shape &shape, unsigned lane, Store store) {
  unsigned g = lane / 4, t = lane % 4, rows = shape.m / 8;
  for (unsigned r = 0; r < shape.aRegisters(); ++r)
    for (unsigned e = 0; e < shape.packed; ++e)
      store(r, e, g + 8 * (r % rows),
            t * shape.packed + e + 4 * shape.packed * (r / rows));
}
template <typename Store>
void forEachB(const Shape &shape, unsigned lane, Store store) {
  unsigned g = lane / 4, t = lane % 4;
  for (unsigned r = 0; r < shape.bRegisters(); ++r)
    for (unsigned e = 0; e < shape.packed; ++e)
      store(r, e, t * shape.packed + e + 4 * shape.packed * r, g);
}
/// Accumulators: pairs of columns; row g, then g + 8.
unsigned rowOfC(unsigned lane, unsigned i) { return lane / 4 + i / 2 * 8; }
unsigned columnOfC(unsigned lane, unsigned i) { return lane % 4 * 2 + (i & 1); }

uint32_t word(const Warp &warp, const Slot &slot, unsigned i) {
  return lane<uint32_t>(warp.data(slot), i);
}

Shape shapeOf(const Instr &instr) {
  return {instr.options >> mmaRowsShift & 0xff,
          instr.options >> mmaDepthShift & 0xff, instr.bytes};
}

template <bool Signed>
int16_t byteOf(uint32_t bits, unsigned e) {
  auto byte = static_cast<uint8_t>(bits >> (8 * e));
  return Signed ? static_cast<int16_t>(static_cast<int8_t>(byte))
                : static_cast<int16_t>(byte);
}

/// A register of all lanes goes to rows lane / 4 of a matrix, four elements at
/// `k` + 4 (lane % 4).
template <bool Signed>
void spread(const Warp &warp, const Slot &slot, int16_t (*rows)[maxDepth],
            unsigned k) {
  const uint8_t *words = warp.data(slot);
  for (unsigned i = 0; i < warpSize; ++i) {
    auto bits = lane<uint32_t>(words, i);
    for (unsigned e = 0; e < 4; ++e)
      rows[i / 4][k + i % 4 * 4 + e] = byteOf<Signed>(bits, e);
  }
}

template <unsigned M, unsigned K, bool ASigned, bool BSigned>
Flow multiplyBytes(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met = warp.meet(instr, mask, nullptr);
  if (met == 0)
    return warp.waited();
  if (!isWholeWarp(warp, instr, met))
    return Flow::Fault;
  constexpr Shape shape = {M, K, 4};
  const Slot *d = instr.vector, *a = d + M / 4;
  const Slot *b = a + shape.aRegisters(), *c = b + shape.bRegisters();
  int16_t left[M][maxDepth], right[maxColumns][maxDepth];
  for (unsigned r = 0; r < shape.aRegisters(); ++r)
    spread<ASigned>(warp, a[r], left + 8 * (r % (M / 8)), 16 * (r / (M / 8)));
  for (unsigned r = 0; r < shape.bRegisters(); ++r)
    spread<BSigned>(warp, b[r], right, 16 * r);
  bool saturates = instr.options & mmaSaturates;
  for (unsigned e = 0; e < M / 4; ++e) {
    const uint8_t *start = warp.data(c[e]);
    uint8_t *result = warp.data(d[e]);
    for (unsigned i = 0; i < warpSize; ++i) {
      const int16_t *x = left[rowOfC(i, e)], *y = right[columnOfC(i, e)];
      // At most 32 products of 16 bits.
      int32_t sum = 0;
      for (unsigned k = 0; k < K; ++k)
        sum += int32_t(x[k]) * y[k];
      int64_t total = int64_t(lane<int32_t>(start, i)) + sum;
      setLane<uint32_t>(
          result, i,
          static_cast<uint32_t>(saturates ? clampTo<int32_t>(total) : total));
    }
  }
  return warp.proceed(mask, met);
}

float elementOf(uint32_t bits, unsigned e, uint32_t kind) {
  auto half = static_cast<uint16_t>(bits >> (16 * e));
  return kind == mmaF16    ? halfToFloat(half)
         : kind == mmaBF16 ? bf16ToFloat(half)
                           // The low bits of tf32 are not looked at.
                           : bitCast<float>(bits & 0xffffe000);
}

/// Products are exact. The PTX ISA leaves the order and precision of the sum
/// open; here it is made in double and rounded once.
Flow multiplyFloats(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met = warp.meet(instr, mask, nullptr);
  if (met == 0)
    return warp.waited();
  if (!isWholeWarp(warp, instr, met))
    return Flow::Fault;
  Shape shape = shapeOf(instr);
  uint32_t kind = instr.options >> mmaKindShift & 3;
  bool halfD = instr.options & mmaHalfD, halfC = instr.options & mmaHalfC;
  const Slot *d = instr.vector, *a = d + shape.m / (halfD ? 8 : 4);
  const Slot *b = a + shape.aRegisters(), *c = b + shape.bRegisters();
  float left[maxRows][maxDepth], right[maxColumns][maxDepth];
  for (unsigned i = 0; i < warpSize; ++i) {
    forEachA(shape, i, [&](unsigned r, unsigned e, unsigned row, unsigned k) {
      left[row][k] = elementOf(word(warp, a[r], i), e, kind);
    });
    forEachB(shape, i, [&](unsigned r, unsigned e, unsigned k, unsigned col) {
      right[col][k] = elementOf(word(warp, b[r], i), e, kind);
    });
  }
  for (unsigned i = 0; i < warpSize; ++i) {
    uint32_t pair = 0;
    for (unsigned e = 0; e < shape.m / 4; ++e) {
      double sum = halfC ? halfToFloat(static_cast<uint16_t>(
                               word(warp, c[e / 2], i) >> (16 * (e & 1))))
                         : bitCast<float>(word(warp, c[e], i));
      const float *x = left[rowOfC(i, e)], *y = right[columnOfC(i, e)];
      for (unsigned k = 0; k < shape.k; ++k)
        sum += double(x[k]) * y[k];
      if (!halfD) {
        setLane<float>(warp.data(d[e]), i, canonical(static_cast<float>(sum)));
        continue;
      }
      auto half = static_cast<uint32_t>(
          roundToFormat(sum, formatF16, Rounding::NearestEven));
      pair = e & 1 ? pair | half << 16 : half;
      if (e & 1)
        setLane<uint32_t>(warp.data(d[e / 2]), i, pair);
    }
  }
  return warp.proceed(mask, met);
}

/// "ldmatrix" in the PTX ISA: lanes 8j … 8j + 7 give the rows of matrix j, each
/// of 8 elements of 16 bits; each lane gets two neighbours of a row, or with
/// .trans of a column.
Flow loadMatrices(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met = warp.meet(instr, mask, nullptr);
  if (met == 0)
    return warp.waited();
  if (!isWholeWarp(warp, instr, met))
    return Flow::Fault;
  uint16_t rows[warpSize][8];
  for (unsigned i = 0; i < 8u * instr.count; ++i) {
    uint64_t address = addressOf(warp, instr, instr.slots[0], i);
    const uint8_t *row =
        locate(warp, instr, i, instr.space, address, 16, AccessKind::Read);
    if (!row)
      return Flow::Fault;
    std::memcpy(rows[i], row, sizeof rows[i]);
  }
  bool transposes = instr.options;
  for (unsigned j = 0; j < instr.count; ++j)
    for (unsigned i = 0; i < warpSize; ++i) {
      unsigned g = i / 4, t = i % 4 * 2;
      const auto *matrix = rows + size_t(8) * j;
      uint32_t low = transposes ? matrix[t][g] : matrix[g][t];
      uint32_t high = transposes ? matrix[t + 1][g] : matrix[g][t + 1];
      setLane<uint32_t>(warp.data(instr.vector[j]), i, high << 16 | low);
    }
  return warp.proceed(mask, met);
}

template <unsigned M, unsigned K>
Handler bytesHandler(Type a, Type b) {
  bool aSigned = a == Type::S8, bSigned = b == Type::S8;
  return aSigned ? (bSigned ? multiplyBytes<M, K, true, true>
                            : multiplyBytes<M, K, true, false>)
                 : (bSigned ? multiplyBytes<M, K, false, true>
                            : multiplyBytes<M, K, false, false>);
}

Handler bytesHandler(const Shape &shape, Type a, Type b) {
  return shape.m == 8    ? bytesHandler<8, 16>(a, b)
         : shape.k == 16 ? bytesHandler<16, 16>(a, b)
                         : bytesHandler<16, 32>(a, b);
}

struct MmaShape {
  std::string_view name;
  unsigned m, k;
};
constexpr MmaShape mmaShapes[] = {{".m16n8k32", 16, 32},
                                  {".m16n8k16", 16, 16},
                                  {".m16n8k8", 16, 8},
                                  {".m16n8k4", 16, 4},
                                  {".m8n8k16", 8, 16}};

/// Whether the shape exists for elements of this type.
bool existsFor(const Shape &shape, Type type) {
  switch (type) {
  case Type::S8:
  case Type::U8:
    return shape.m == 8 || shape.k >= 16;
  case Type::F16:
  case Type::BF16:
    return shape.m == 16 && (shape.k == 8 || shape.k == 16);
  case Type::TF32:
    return shape.m == 16 && (shape.k == 4 || shape.k == 8);
  default:
    return false;
  }
}

} // namespace

bool isWholeWarp(Warp &warp, const Instr &instr, uint32_t met) {
  if (met == allLanes)
    return true;
  warp.fault(instr, lowestLane(met), FaultKind::LaunchFailure,
             "outside a converged warp: all 32 lanes must execute it, but "
             "lane " +
                 std::to_string(lowestLane(~met)) + " has exited");
  return false;
}

bool decodeMma(Decoder &d) {
  bool isPlain =
      d.take(".sync") && d.take(".aligned") && d.take(".row") && d.take(".col");
  Shape shape = {0, 0, 0};
  for (const MmaShape &known : mmaShapes)
    if (shape.m == 0 && d.take(known.name))
      shape = {known.m, known.k, 0};
  bool saturates = d.take(".satfinite");
  Type dType = d.takeType(), a = d.takeType(), b = d.takeType();
  Type cType = d.takeType();
  bool isBytes = bitsOf(a) == 8;
  if (!isPlain || shape.m == 0 || cType == Type::None)
    return d.fail("mma.sync.aligned of a supported shape with .row.col and "
                  "four types is needed");
  bool halfs = a == Type::F16;
  bool isAccumulator =
      isBytes ? dType == Type::S32 && cType == Type::S32
              : (dType == Type::F32 || (halfs && dType == Type::F16)) &&
                    (cType == Type::F32 || (halfs && cType == Type::F16));
  bool isPair = isBytes ? bitsOf(b) == 8 && isInteger(b) : a == b;
  if (!existsFor(shape, a) || !isPair || !isAccumulator ||
      (saturates && !isBytes))
    return d.fail("unsupported shape or combination of types");
  shape.packed = isBytes ? 4 : bitsOf(a) == 16 ? 2 : 1;
  d.out().bytes = static_cast<uint8_t>(shape.packed);
  uint32_t kind = halfs ? mmaF16 : a == Type::BF16 ? mmaBF16 : mmaTF32;
  d.out().options = shape.m << mmaRowsShift | shape.k << mmaDepthShift |
                    kind << mmaKindShift |
                    (saturates ? uint32_t(mmaSaturates) : 0) |
                    (dType == Type::F16 ? uint32_t(mmaHalfD) : 0) |
                    (cType == Type::F16 ? uint32_t(mmaHalfC) : 0);
  auto accumulators = [&](Type type) {
    return shape.m / (type == Type::F16 ? 8 : 4);
  };
  if (!d.hasOperands(4) ||
      !d.vectorOperand(0, Type::B32, true, accumulators(dType)) ||
      !d.vectorOperand(1, Type::B32, false, shape.aRegisters()) ||
      !d.vectorOperand(2, Type::B32, false, shape.bRegisters()) ||
      !d.vectorOperand(3, Type::B32, false, accumulators(cType)))
    return false;
  return d.finish(isBytes ? bytesHandler(shape, a, b) : multiplyFloats);
}

bool decodeLdmatrix(Decoder &d) {
  bool isKnown = d.take(".sync") && d.take(".aligned") && d.take(".m8n8");
  int number = d.takeOneOf({".x1", ".x2", ".x4"});
  d.out().options = d.take(".trans");
  bool isShared = d.take(".shared") || d.take(".shared::cta");
  if (!isKnown || number < 0 || d.takeType() != Type::B16)
    return d.fail("ldmatrix.sync.aligned.m8n8.{x1,x2,x4} of .b16 is needed");
  d.out().space = isShared ? Space::Shared : Space::Generic;
  d.out().count = static_cast<uint8_t>(1 << number);
  return d.hasOperands(2) && d.address(0, 1) &&
         d.vectorOperand(0, Type::B32, true, d.out().count) &&
         d.finish(loadMatrices);
}

} // namespace ndl::cudasim
