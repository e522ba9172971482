// Matrix products with loads and stores of their own: wmma.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/integers.h"
#include "exec/matrix.h"
#include "exec/memory_access.h"
#include "exec/memory_modifiers.h"

namespace ndl::cudasim {
namespace {

// The PTX ISA leaves open which lane holds which element of a fragment. Here a
// matrix lies in row-major order in the registers of lane 0, then of lane 1, …;
// where the registers hold more than the matrix, it is repeated.

enum : uint32_t {
  isColumnMajor = 1,
  saturates = 2,
  signedA = 4,
  signedB = 8,
  halfD = 16,
  halfC = 32,
  isBrain = 64
};

/// In imm: the extents.
struct Shape {
  unsigned m, n, k;
};
Shape shapeOf(const Instr &instr) {
  auto bits = static_cast<uint64_t>(instr.imm);
  return {unsigned(bits & 0xff), unsigned(bits >> 8 & 0xff),
          unsigned(bits >> 16 & 0xff)};
}

/// One matrix in the registers of a warp.
struct Fragment {
  const Slot *slots;
  unsigned registers;
  /// Of an element, 1, 2 or 4.
  unsigned bytes;
  unsigned total;

  unsigned perLane() const { return registers * 4 / bytes; }
  uint32_t get(const Warp &warp, unsigned index) const {
    unsigned inLane = index % perLane();
    auto word =
        lane<uint32_t>(warp.data(slots[inLane * bytes / 4]), index / perLane());
    if (bytes == 4)
      return word;
    return word >> (8 * (inLane * bytes % 4)) &
           ((uint32_t(1) << (8 * bytes)) - 1);
  }
  /// Sets what all lanes hold to value(index in the matrix).
  template <typename Value>
  void fill(Warp &warp, Value value) const {
    for (unsigned i = 0; i < warpSize; ++i)
      for (unsigned r = 0; r < registers; ++r) {
        uint32_t word = 0;
        for (unsigned e = 0; e < 4 / bytes; ++e) {
          unsigned index = i * perLane() + r * 4 / bytes + e;
          word |= value(index % total) << (8 * bytes * e);
        }
        setLane<uint32_t>(warp.data(slots[r]), i, word);
      }
  }
};

Flow meetAll(Warp &warp, const Instr &instr, uint32_t mask, uint32_t &met) {
  met = warp.meet(instr, mask, nullptr);
  if (met == 0)
    return warp.waited();
  return isWholeWarp(warp, instr, met) ? Flow::Next : Flow::Fault;
}

/// slots: address, stride (may be none). options: rows << 8, columns << 16.
uint64_t elementAddress(const Warp &warp, const Instr &instr, unsigned index) {
  unsigned rows = instr.options >> 8 & 0xff, columns = instr.options >> 16;
  unsigned row = index / columns, column = index % columns;
  bool byColumn = instr.options & isColumnMajor;
  uint64_t stride = instr.slots[1].exists()
                        ? lane<uint32_t>(warp.data(instr.slots[1]), 0)
                    : byColumn ? rows
                               : columns;
  uint64_t offset = byColumn ? column * stride + row : row * stride + column;
  return addressOf(warp, instr, instr.slots[0], 0) + offset * instr.bytes;
}

Flow loadFragment(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met;
  Flow flow = meetAll(warp, instr, mask, met);
  if (flow != Flow::Next)
    return flow;
  unsigned total = (instr.options >> 8 & 0xff) * (instr.options >> 16);
  Fragment fragment = {instr.vector, instr.count, instr.bytes, total};
  uint32_t values[1024];
  for (unsigned i = 0; i < total; ++i) {
    const uint8_t *from =
        locate(warp, instr, 0, instr.space, elementAddress(warp, instr, i),
               instr.bytes, AccessKind::Read);
    if (!from)
      return Flow::Fault;
    values[i] = 0;
    std::memcpy(&values[i], from, instr.bytes);
  }
  fragment.fill(warp, [&](unsigned i) { return values[i]; });
  return warp.proceed(mask, met);
}

Flow storeFragment(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met;
  Flow flow = meetAll(warp, instr, mask, met);
  if (flow != Flow::Next)
    return flow;
  unsigned total = (instr.options >> 8 & 0xff) * (instr.options >> 16);
  Fragment fragment = {instr.vector, instr.count, instr.bytes, total};
  for (unsigned i = 0; i < total; ++i) {
    uint8_t *to =
        locate(warp, instr, 0, instr.space, elementAddress(warp, instr, i),
               instr.bytes, AccessKind::Write);
    if (!to)
      return Flow::Fault;
    uint32_t value = fragment.get(warp, i);
    std::memcpy(to, &value, instr.bytes);
  }
  return warp.proceed(mask, met);
}

int32_t byteValue(uint32_t bits, bool isSigned) {
  return isSigned ? static_cast<int8_t>(bits) : static_cast<int32_t>(bits);
}

/// Registers of A and B: of bytes all elements once, of halves always 8.
unsigned operandRegisters(unsigned elements, unsigned bytes) {
  return bytes == 1 ? elements / warpSize / 4 : 8;
}
unsigned bfRegisters(unsigned elements) { return elements / warpSize / 2; }

Flow multiply(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met;
  Flow flow = meetAll(warp, instr, mask, met);
  if (flow != Flow::Next)
    return flow;
  Shape shape = shapeOf(instr);
  uint32_t options = instr.options;
  unsigned bytes = instr.bytes;
  unsigned aTotal = shape.m * shape.k, bTotal = shape.k * shape.n;
  auto registers = [&](unsigned total) {
    return options & isBrain ? bfRegisters(total)
                             : operandRegisters(total, bytes);
  };
  unsigned dBytes = options & halfD ? 2 : 4, cBytes = options & halfC ? 2 : 4;
  unsigned total = shape.m * shape.n;
  Fragment d = {instr.vector, total * dBytes / 4 / warpSize, dBytes, total};
  Fragment a = {d.slots + d.registers, registers(aTotal), bytes, aTotal};
  Fragment b = {a.slots + a.registers, registers(bTotal), bytes, bTotal};
  Fragment c = {b.slots + b.registers, total * cBytes / 4 / warpSize, cBytes,
                total};
  auto floatOf = [&](uint32_t bits) -> double {
    auto half = static_cast<uint16_t>(bits);
    return options & isBrain ? bf16ToFloat(half) : halfToFloat(half);
  };
  uint32_t results[1024];
  for (unsigned i = 0; i < total; ++i) {
    unsigned row = i / shape.n, column = i % shape.n;
    uint32_t start = c.get(warp, i);
    if (bytes == 1) {
      int64_t sum = static_cast<int32_t>(start);
      for (unsigned k = 0; k < shape.k; ++k)
        sum += byteValue(a.get(warp, row * shape.k + k), options & signedA) *
               byteValue(b.get(warp, k * shape.n + column), options & signedB);
      results[i] = static_cast<uint32_t>(
          options & saturates ? clampTo<int32_t>(sum) : sum);
      continue;
    }
    // As for mma: exact products, summed in double, rounded once.
    double sum = options & halfC ? halfToFloat(static_cast<uint16_t>(start))
                                 : bitCast<float>(start);
    for (unsigned k = 0; k < shape.k; ++k)
      sum += floatOf(a.get(warp, row * shape.k + k)) *
             floatOf(b.get(warp, k * shape.n + column));
    results[i] = options & halfD
                     ? static_cast<uint32_t>(
                           roundToFormat(sum, formatF16, Rounding::NearestEven))
                     : bitCast<uint32_t>(canonical(static_cast<float>(sum)));
  }
  d.fill(warp, [&](unsigned i) { return results[i]; });
  return warp.proceed(mask, met);
}

bool takeShape(Decoder &d, Shape &shape) {
  int which = d.takeOneOf({".m16n16k16", ".m32n8k16", ".m8n32k16"});
  constexpr Shape shapes[] = {{16, 16, 16}, {32, 8, 16}, {8, 32, 16}};
  if (which < 0 || !d.take(".sync") || !d.take(".aligned"))
    return d.fail("unsupported shape, or .sync.aligned is missing");
  shape = shapes[which];
  return true;
}

bool decodeTransfer(Decoder &d, bool isLoad) {
  int which = d.takeOneOf({".a", ".b", ".c", ".d"});
  Shape shape;
  int layout = d.takeOneOf({".row", ".col"});
  if (!takeShape(d, shape))
    return false;
  Space space = takeSpace(d);
  Type type = d.takeType();
  bool isOperand = which == 0 || which == 1;
  bool isKnownType =
      isOperand ? type == Type::S8 || type == Type::U8 || type == Type::F16 ||
                      type == Type::BF16
                : type == Type::S32 || type == Type::F32 || type == Type::F16;
  if (which < 0 || layout < 0 || !isKnownType)
    return d.fail("unsupported fragment, layout or type");
  unsigned rows = which == 1 ? shape.k : shape.m;
  unsigned columns = which == 0 ? shape.k : shape.n;
  unsigned bytes = bytesOf(type), total = rows * columns;
  unsigned registers = !isOperand           ? total * bytes / 4 / warpSize
                       : type == Type::BF16 ? bfRegisters(total)
                                            : operandRegisters(total, bytes);
  Instr &out = d.out();
  out.space = space;
  out.bytes = static_cast<uint8_t>(bytes);
  out.count = static_cast<uint8_t>(registers);
  out.options = static_cast<uint32_t>(layout) | rows << 8 | columns << 16;
  unsigned address = isLoad ? 1 : 0, data = isLoad ? 0 : 1;
  return d.hasOperands(2, 3) && d.address(0, address) &&
         (d.operands() == 2 || d.source(1, 2, Type::U32)) &&
         d.vectorOperand(data, Type::B32, isLoad, registers) &&
         d.finish(isLoad ? loadFragment : storeFragment);
}

bool decodeProduct(Decoder &d) {
  Shape shape;
  // Layouts don't matter to fragments.
  bool hasLayouts =
      d.takeOneOf({".row", ".col"}) >= 0 && d.takeOneOf({".row", ".col"}) >= 0;
  if (!takeShape(d, shape))
    return false;
  bool satfinite = d.take(".satfinite");
  Type types[4];
  unsigned count = 0;
  while (count < 4 && (types[count] = d.takeType()) != Type::None)
    ++count;
  bool isBytes = count == 4 && bitsOf(types[1]) == 8;
  bool isBrainProduct = count == 4 && types[1] == Type::BF16;
  Type dType = types[0], cType = count == 0 ? Type::None : types[count - 1];
  bool isKnown =
      isBytes
          ? dType == Type::S32 && cType == Type::S32 && bitsOf(types[2]) == 8
      : isBrainProduct
          ? types[2] == Type::BF16 && dType == Type::F32 && cType == Type::F32
          : count == 2 && (dType == Type::F16 || dType == Type::F32) &&
                (cType == Type::F16 || cType == Type::F32);
  if (!hasLayouts || !isKnown || (satfinite && !isBytes))
    return d.fail("unsupported combination of layouts and types");
  Instr &out = d.out();
  out.imm = shape.m | shape.n << 8 | shape.k << 16;
  out.bytes = isBytes ? 1 : 2;
  out.options = (satfinite ? uint32_t(saturates) : 0) |
                (isBytes && types[1] == Type::S8 ? uint32_t(signedA) : 0) |
                (isBytes && types[2] == Type::S8 ? uint32_t(signedB) : 0) |
                (dType == Type::F16 ? uint32_t(halfD) : 0) |
                (cType == Type::F16 ? uint32_t(halfC) : 0) |
                (isBrainProduct ? uint32_t(isBrain) : 0);
  auto registers = [&](unsigned elements) {
    return isBrainProduct ? bfRegisters(elements)
                          : operandRegisters(elements, out.bytes);
  };
  unsigned total = shape.m * shape.n / warpSize;
  return d.hasOperands(4) &&
         d.vectorOperand(0, Type::B32, true,
                         dType == Type::F16 ? total / 2 : total) &&
         d.vectorOperand(1, Type::B32, false, registers(shape.m * shape.k)) &&
         d.vectorOperand(2, Type::B32, false, registers(shape.k * shape.n)) &&
         d.vectorOperand(3, Type::B32, false,
                         cType == Type::F16 ? total / 2 : total) &&
         d.finish(multiply);
}

} // namespace

bool decodeWmma(Decoder &d) {
  if (d.take(".load"))
    return decodeTransfer(d, true);
  if (d.take(".store"))
    return decodeTransfer(d, false);
  if (d.take(".mma"))
    return decodeProduct(d);
  return d.fail("one of .load, .store and .mma is needed");
}

} // namespace ndl::cudasim
