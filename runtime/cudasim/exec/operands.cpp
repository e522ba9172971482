// Turns the instructions of a kernel into handlers: operands and modifiers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/decoder.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {

using Kind = ptx::Operand::Kind;

namespace {

struct SpecialName {
  std::string_view name;
  SpecialRegister which;
};

constexpr SpecialName specialNames[] = {
    {"%tid.x", SpecialRegister::TidX},
    {"%tid.y", SpecialRegister::TidY},
    {"%tid.z", SpecialRegister::TidZ},
    {"%ntid.x", SpecialRegister::NtidX},
    {"%ntid.y", SpecialRegister::NtidY},
    {"%ntid.z", SpecialRegister::NtidZ},
    {"%ctaid.x", SpecialRegister::CtaidX},
    {"%ctaid.y", SpecialRegister::CtaidY},
    {"%ctaid.z", SpecialRegister::CtaidZ},
    {"%nctaid.x", SpecialRegister::NctaidX},
    {"%nctaid.y", SpecialRegister::NctaidY},
    {"%nctaid.z", SpecialRegister::NctaidZ},
    {"%laneid", SpecialRegister::LaneId},
    {"%warpid", SpecialRegister::WarpId},
    {"%nwarpid", SpecialRegister::NwarpId},
    {"%smid", SpecialRegister::SmId},
    {"%nsmid", SpecialRegister::NsmId},
    {"%gridid", SpecialRegister::GridId},
    {"%lanemask_eq", SpecialRegister::LanemaskEq},
    {"%lanemask_le", SpecialRegister::LanemaskLe},
    {"%lanemask_lt", SpecialRegister::LanemaskLt},
    {"%lanemask_ge", SpecialRegister::LanemaskGe},
    {"%lanemask_gt", SpecialRegister::LanemaskGt},
    {"%dynamic_smem_size", SpecialRegister::DynamicSmemSize},
    {"%total_smem_size", SpecialRegister::TotalSmemSize},
    {"%clock", SpecialRegister::Clock},
    {"%clock64", SpecialRegister::Clock64},
    {"%globaltimer", SpecialRegister::Globaltimer}};

uint8_t strideOf(Type type) {
  if (type == Type::Pred)
    return 0;
  return bitsOf(type) <= 32 ? 4 : 8;
}

} // namespace

bool Decoder::fail(const std::string &message) {
  std::string name(input->opcode);
  for (std::string_view modifier : input->modifiers)
    name += modifier;
  diagnostic = {input->line, "`" + name + "`: " + message};
  return false;
}

bool Decoder::take(std::string_view modifier) {
  auto found = std::find(left.begin(), left.end(), modifier);
  if (found == left.end())
    return false;
  left.erase(found);
  return true;
}

int Decoder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (std::string_view modifier : modifiers) {
    if (take(modifier))
      return index;
    ++index;
  }
  return -1;
}

Type Decoder::takeType() {
  for (auto it = left.begin(); it != left.end(); ++it) {
    Type type = typeFromName(it->substr(1));
    if (type == Type::None)
      continue;
    left.erase(it);
    return type;
  }
  return Type::None;
}

bool Decoder::hasOperands(size_t least, size_t most) {
  if (operands() >= least && operands() <= most)
    return true;
  return fail("wrong number of operands, " + std::to_string(operands()));
}

bool Decoder::finish(Handler handler) {
  if (!left.empty())
    return fail("unsupported modifier `" + std::string(left.front()) + "`");
  if (!handler)
    return fail("unsupported type or combination of modifiers");
  if (!vector.empty()) {
    program->vectors.push_back(vector);
    output.vector = program->vectors.back().data();
  }
  output.run = handler;
  program->code.push_back(output);
  return true;
}

Slot Decoder::constant(uint64_t value, uint8_t stride) {
  Slot slot;
  slot.base = 1;
  slot.stride = stride;
  slot.bits = stride == 0 ? 1 : static_cast<uint8_t>(8 * stride);
  auto entry = constants.emplace(std::make_pair(value, stride),
                                 program->constants.size());
  slot.offset = entry.first->second;
  if (!entry.second)
    return slot;
  // A predicate is one mask, everything else 32 values.
  unsigned count = stride == 0 ? 1 : warpSize;
  unsigned bytes = stride == 0 ? 4 : stride;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned byte = 0; byte < bytes; ++byte)
      program->constants.push_back(static_cast<uint8_t>(value >> (8 * byte)));
  return slot;
}

bool Decoder::registerSlot(const ptx::Operand &operand, Type type,
                           bool isDestination, Fit fit, Slot &slot) {
  const ptx::Register &declared = frame->function->registers[operand.index];
  unsigned bits = bitsOf(declared.type), wanted = bitsOf(type);
  bool isPredicate = declared.type == Type::Pred;
  if (isPredicate != (type == Type::Pred) || bits < wanted ||
      (bits != wanted && fit == Fit::Exact))
    return fail("the operand `" + std::string(operand.text) + "` is ." +
                std::string(nameOf(declared.type)) + ", which does not fit ." +
                std::string(nameOf(type)));
  Slot &known = frame->slots[operand.index];
  if (!known.exists()) {
    known.base = 0;
    known.stride = strideOf(declared.type);
    known.bits = static_cast<uint8_t>(bits);
    known.offset = program->registerBytes;
    program->registerBytes += known.stride == 0 ? 4 : known.stride * warpSize;
    (isPredicate  ? kernel->predicates
     : bits == 64 ? kernel->registers64
     : bits == 32 ? kernel->registers32
                  : kernel->registers16) += 1;
  }
  slot = known;
  if (operand.negated && (isDestination || !isPredicate))
    return fail("the operand `!" + std::string(operand.text) +
                "` can't be negated");
  slot.negated = operand.negated;
  return true;
}

bool Decoder::immediateSlot(const ptx::Operand &operand, Type type,
                            Slot &slot) {
  auto bits = static_cast<uint64_t>(operand.value);
  bool isNumber = operand.kind == Kind::Integer;
  if (type == Type::Pred) {
    if (!isNumber)
      return fail("a predicate can't be a floating-point constant");
    slot = constant(bits ? allLanes : 0, 0);
    return true;
  }
  if ((type == Type::F32 || type == Type::F64) && isNumber)
    return fail("the constant `" + std::string(operand.text) +
                "` is no floating-point constant");
  if (!isNumber && !isFloat(type) && !isUntyped(type))
    return fail("the constant `" + std::string(operand.text) +
                "` is no integer");
  if (operand.kind == Kind::Float64 && bitsOf(type) == 32)
    bits = bitCast<uint32_t>(static_cast<float>(bitCast<double>(bits)));
  else if (operand.kind == Kind::Float32 && bitsOf(type) == 64)
    bits =
        bitCast<uint64_t>(double(bitCast<float>(static_cast<uint32_t>(bits))));
  else if (!isNumber && bitsOf(type) < 32)
    return fail("the constant `" + std::string(operand.text) +
                "` does not fit ." + std::string(nameOf(type)));
  if (bitsOf(type) < 64)
    bits &= (uint64_t(1) << bitsOf(type)) - 1;
  slot = constant(bits, strideOf(type));
  return true;
}

/// The address of a variable in its space.
bool Decoder::variableSlot(const ptx::Operand &operand, uint8_t stride,
                           Slot &slot) {
  const ptx::Variable &variable = ast.variables[operand.index];
  bool isGlobal =
      variable.space == Space::Global || variable.space == Space::Const;
  bool isDynamic = variable.space == Space::Shared && variable.isExternal;
  if (isGlobal && stride != 8)
    return fail("the address of `" + std::string(operand.text) +
                "` does not fit 32 bits");
  if (!isGlobal && !isDynamic) {
    uint64_t place = placeOf(operand.index);
    slot = constant(place + static_cast<uint64_t>(operand.value), stride);
    return true;
  }
  // Not known yet: a constant of its own.
  slot = Slot();
  slot.base = 1;
  slot.stride = stride;
  slot.bits = static_cast<uint8_t>(8 * stride);
  auto key = std::make_tuple(operand.index, operand.value, stride);
  auto entry = lateConstants.emplace(key, program->constants.size());
  slot.offset = entry.first->second;
  if (!entry.second)
    return true;
  program->constants.resize(program->constants.size() + stride * warpSize);
  if (isGlobal) {
    program->bindings.push_back({slot.offset, variable.global, operand.value});
  } else {
    dynamicUses.push_back({slot.offset, stride, operand.value});
    dynamicAlign = std::max(dynamicAlign, variable.align);
  }
  return true;
}

bool Decoder::specialSlot(const ptx::Operand &operand, Slot &slot) {
  for (const SpecialName &special : specialNames) {
    if (special.name != operand.text)
      continue;
    bool isWide = special.which == SpecialRegister::Clock64 ||
                  special.which == SpecialRegister::Globaltimer ||
                  special.which == SpecialRegister::GridId;
    slot.base = 0;
    slot.stride = isWide ? 8 : 4;
    slot.bits = isWide ? 64 : 32;
    auto entry = specials.emplace(special.which, program->registerBytes);
    slot.offset = entry.first->second;
    if (entry.second) {
      program->registerBytes += slot.stride * warpSize;
      program->specials.push_back({special.which, slot.offset});
    }
    return true;
  }
  return fail("unknown register `" + std::string(operand.text) + "`");
}

bool Decoder::operandSlot(const ptx::Operand &operand, Type type,
                          bool isDestination, Fit fit, Slot &slot) {
  if (operand.kind == Kind::Register)
    return registerSlot(operand, type, isDestination, fit, slot);
  if (isDestination) {
    if (operand.kind != Kind::Sink)
      return fail("a result must be a register");
    // Nobody reads it.
    slot = Slot();
    slot.base = 0;
    slot.stride = strideOf(type);
    slot.bits = static_cast<uint8_t>(bitsOf(type));
    slot.offset = program->registerBytes;
    program->registerBytes += slot.stride == 0 ? 4 : slot.stride * warpSize;
    return true;
  }
  switch (operand.kind) {
  case Kind::Integer:
  case Kind::Float32:
  case Kind::Float64:
    if (operand.negated)
      return fail("a constant can't be negated");
    return immediateSlot(operand, type, slot);
  case Kind::Variable:
    if (bitsOf(type) < 32)
      return fail("an address does not fit ." + std::string(nameOf(type)));
    return variableSlot(operand, strideOf(type), slot);
  case Kind::Special:
    if (!specialSlot(operand, slot))
      return false;
    if (slot.bits < bitsOf(type) || type == Type::Pred ||
        (slot.bits > bitsOf(type) && fit == Fit::Exact))
      return fail("the register `" + std::string(operand.text) +
                  "` does not fit ." + std::string(nameOf(type)));
    return true;
  case Kind::Name:
    // "Predefined Constants" in the PTX ISA.
    if (operand.text == "WARP_SZ") {
      slot = constant(warpSize, strideOf(type));
      return true;
    }
    return fail("undefined symbol `" + std::string(operand.text) + "`");
  default:
    return fail("malformed operand `" + std::string(operand.text) + "`");
  }
}

bool Decoder::destination(unsigned slot, unsigned operand, Type type, Fit fit) {
  return operandSlot(input->operands[operand], type, true, fit,
                     output.slots[slot]);
}

bool Decoder::source(unsigned slot, unsigned operand, Type type, Fit fit) {
  return operandSlot(input->operands[operand], type, false, fit,
                     output.slots[slot]);
}

bool Decoder::pairDestination(unsigned slot, unsigned second, unsigned operand,
                              Type type, Type secondType) {
  const ptx::Operand &pair = input->operands[operand];
  if (pair.kind != Kind::Pair)
    return destination(slot, operand, type);
  if (!operandSlot(pair.elements[0], type, true, Fit::Exact,
                   output.slots[slot]))
    return false;
  if (pair.elements[1].kind == Kind::Sink)
    return true;
  return operandSlot(pair.elements[1], secondType, true, Fit::Exact,
                     output.slots[second]);
}

bool Decoder::address(unsigned slot, unsigned operand) {
  const ptx::Operand &whole = input->operands[operand];
  if (whole.kind != Kind::Address)
    return fail("an address in brackets is missing");
  const ptx::Operand &base = whole.elements[0];
  output.imm = whole.value;
  if (base.kind == Kind::Variable)
    return variableSlot(base, 8, output.slots[slot]);
  if (base.kind == Kind::Integer) {
    output.slots[slot] = constant(0, 8);
    return true;
  }
  const ptx::Register &declared = frame->function->registers[base.index];
  if (bitsOf(declared.type) < 32)
    return fail("the address `" + std::string(base.text) +
                "` has neither 32 nor 64 bits");
  return registerSlot(base, declared.type, false, Fit::Exact,
                      output.slots[slot]);
}

size_t Decoder::elementsOf(unsigned operand) const {
  const ptx::Operand &whole = input->operands[operand];
  return whole.kind == Kind::Vector ? whole.elements.size() : 1;
}

Type Decoder::typeOf(unsigned operand) const {
  const ptx::Operand &whole = input->operands[operand];
  return whole.kind == Kind::Register
             ? frame->function->registers[whole.index].type
             : Type::None;
}

bool Decoder::vectorOperand(unsigned operand, Type type, bool isDestination,
                            size_t count, Fit fit) {
  const ptx::Operand &whole = input->operands[operand];
  if (elementsOf(operand) != count)
    return fail("an operand has " + std::to_string(elementsOf(operand)) +
                " elements, not " + std::to_string(count));
  for (size_t i = 0; i < count; ++i) {
    Slot slot;
    if (!operandSlot(whole.kind == Kind::Vector ? whole.elements[i] : whole,
                     type, isDestination, fit, slot))
      return false;
    vector.push_back(slot);
  }
  return true;
}

} // namespace ndl::cudasim
