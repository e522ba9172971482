// Turns the instructions of a kernel into handlers: functions and memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/decoder.h"

#include "exec/calls.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

/// "512 KB" of local memory by thread: "Technical Specifications per Compute
/// Capability" in the CUDA C++ guide.
constexpr uint64_t maxLocalBytes = 512 * 1024;
constexpr uint64_t maxSharedBytes = uint64_t(1) << 31;
/// "Kernel Function Parameters" in the PTX ISA, from version 8.1.
constexpr uint64_t maxParameterBytes = 32764;
/// What a call of this many frames would need is no PTX of a compiler.
constexpr size_t maxFrames = 4096;

uint64_t alignUp(uint64_t value, uint64_t align) {
  return (value + align - 1) / align * align;
}

} // namespace

bool Decoder::layOutParameters(const ptx::Function &function, Kernel &kernel) {
  uint64_t offset = 0;
  for (const ptx::Formal &formal : function.parameters) {
    if (formal.isRegister) {
      diagnostic = {function.line, "a kernel's parameters are in .param"};
      return false;
    }
    const ptx::Variable &variable = ast.variables[formal.index];
    offset = alignUp(offset, variable.align);
    frame->places[formal.index] = offset;
    kernel.parameters.push_back(
        {std::string(variable.name), offset, variable.bytes, variable.align});
    offset += variable.bytes;
  }
  kernel.totalParameterBytes = offset;
  if (offset <= maxParameterBytes)
    return true;
  diagnostic = {function.line,
                "the parameters of `" + kernel.name + "` take more than " +
                    std::to_string(maxParameterBytes) + " bytes"};
  return false;
}

bool Decoder::decodeKernel(const ptx::Function &function, Kernel &result) {
  kernel = &result;
  kernel->name = std::string(function.name);
  kernel->line = function.line;
  kernel->requiredThreads = function.requiredThreads;
  kernel->maximumThreads = function.maximumThreads;
  kernel->minimumBlocks = function.minimumBlocks;
  kernel->program = std::make_shared<Program>();
  program = kernel->program.get();

  frames.emplace_back();
  frames[0].function = &function;
  frame = &frames[0];
  if (!layOutParameters(function, *kernel))
    return false;
  // Calls add frames.
  for (size_t i = 0; i < frames.size(); ++i)
    if (!decodeFunction(frames[i]))
      return false;
  for (const Patch &patch : patches)
    program->code[patch.instr].imm = patch.callee->entry;
  if (isRecursive()) {
    diagnostic = {function.line, "recursive calls from `" + kernel->name +
                                     "` are not supported"};
    return false;
  }
  if (!placeDynamicShared())
    return false;
  localBytes = alignUp(localBytes, 16);
  if (localBytes > maxLocalBytes || sharedBytes > maxSharedBytes) {
    diagnostic = {function.line,
                  "the kernel `" + kernel->name + "` uses too much " +
                      (localBytes > maxLocalBytes ? "local" : "shared") +
                      " memory"};
    return false;
  }
  program->localBytes = static_cast<uint32_t>(localBytes);
  program->staticSharedBytes = static_cast<uint32_t>(sharedBytes);
  kernel->localBytes = localBytes;
  kernel->staticSharedBytes = sharedBytes;
  return true;
}

/// Dynamic shared memory begins where the static ends; all names of it are one.
bool Decoder::placeDynamicShared() {
  if (dynamicUses.empty())
    return true;
  sharedBytes = alignUp(sharedBytes, dynamicAlign);
  for (const DynamicUse &use : dynamicUses) {
    uint64_t value = sharedBytes + static_cast<uint64_t>(use.addend);
    for (unsigned i = 0; i < warpSize; ++i)
      setWideLane(program->constants.data() + use.constant, use.stride, i,
                  value);
  }
  return true;
}

bool Decoder::isRecursive() const {
  // A function that is deeper than there are functions is its own ancestor.
  std::vector<size_t> depth(frames.size(), 0);
  for (size_t round = 0; round <= frames.size(); ++round) {
    bool changed = false;
    for (const auto &call : calls) {
      if (depth[call.second] > depth[call.first])
        continue;
      depth[call.second] = depth[call.first] + 1;
      changed = true;
    }
    if (!changed)
      return false;
  }
  return true;
}

uint32_t Decoder::allocateLocal(uint64_t bytes, uint64_t align) {
  localBytes = alignUp(localBytes, std::max<uint64_t>(align, 1));
  uint64_t place = localBytes;
  // Beyond the limit the kernel is refused; until then nothing may overflow.
  localBytes = std::min(localBytes + bytes, maxLocalBytes + 65536);
  return static_cast<uint32_t>(place);
}

uint64_t Decoder::placeOf(uint32_t index) {
  const ptx::Variable &variable = ast.variables[index];
  if (variable.space == Space::Shared) {
    auto found = sharedPlaces.find(index);
    if (found != sharedPlaces.end())
      return found->second;
    sharedBytes = alignUp(sharedBytes, variable.align);
    uint64_t place = sharedPlaces[index] = sharedBytes;
    program->sharedVariables.push_back({std::string(variable.name),
                                        static_cast<uint32_t>(sharedBytes),
                                        static_cast<uint32_t>(variable.bytes)});
    // Beyond the limit the kernel is refused; until then nothing may overflow.
    sharedBytes = std::min(sharedBytes + variable.bytes, 2 * maxSharedBytes);
    return place;
  }
  auto found = frame->places.find(index);
  if (found == frame->places.end())
    found = frame->places
                .emplace(index, allocateLocal(variable.bytes, variable.align))
                .first;
  return found->second;
}

bool Decoder::decodeFunction(Frame &function) {
  frame = &function;
  frame->entry = static_cast<uint32_t>(program->code.size());
  frame->slots.resize(frame->function->registers.size());
  for (uint32_t index : frame->function->sharedVariables)
    placeOf(index);
  size_t count = frame->function->instructions.size();
  // A branch knows only the number of its target in the function; what calls
  // add in between is counted when all are decoded.
  std::vector<uint32_t> places(count + 1);
  for (size_t i = 0; i < count; ++i) {
    places[i] = static_cast<uint32_t>(program->code.size());
    input = &frame->function->instructions[i];
    if (!decodeInstruction())
      return false;
  }
  places[count] = static_cast<uint32_t>(program->code.size());
  // The end of a body is a return.
  Instr end = makeReturn();
  end.line =
      count ? frame->function->instructions.back().line : frame->function->line;
  end.text = "ret";
  program->code.push_back(end);
  resolveBranches(*program, frame->entry, frame->function->labels, places);
  return true;
}

bool Decoder::decodeInstruction() {
  DecodeFunction decode = decodeFunctionOf(input->opcode);
  left = input->modifiers;
  output = Instr();
  output.line = input->line;
  output.text = input->text;
  vector.clear();
  if (!decode) {
    diagnostic = {input->line,
                  "unknown instruction `" + std::string(input->opcode) + "`"};
    return false;
  }
  if (input->guarded &&
      !registerSlot(input->guard, Type::Pred, false, Fit::Exact, output.guard))
    return false;
  return decode(*this);
}

Decoder::Frame *Decoder::frameOf(std::string_view name) {
  for (Frame &other : frames)
    if (other.function->name == name)
      return &other;
  for (const ptx::Function &function : ast.functions) {
    if (function.name != name || function.isKernel || !function.isDefined)
      continue;
    if (frames.size() >= maxFrames)
      return nullptr;
    frames.emplace_back();
    frames.back().function = &function;
    frames.back().slots.resize(function.registers.size());
    return &frames.back();
  }
  return nullptr;
}

/// "call" in the PTX ISA: arguments are copied to the callee's parameters, and
/// results back.
bool Decoder::copyArguments(const ptx::Operand *list,
                            const std::vector<ptx::Formal> &formals,
                            Frame &callee, bool isReturn) {
  size_t given = list ? list->elements.size() : 0;
  if (given != formals.size())
    return fail("`" + std::string(callee.function->name) + "` has " +
                std::to_string(formals.size()) +
                (isReturn ? " results" : " parameters") + ", not " +
                std::to_string(given));
  for (size_t i = 0; i < given; ++i) {
    const ptx::Operand &operand = list->elements[i];
    const ptx::Formal &formal = formals[i];
    Instr copy;
    copy.line = output.line;
    copy.text = output.text;
    copy.guard = output.guard;
    Frame *caller = frame;
    if (formal.isRegister) {
      ptx::Operand inside;
      inside.kind = ptx::Operand::Kind::Register;
      inside.index = formal.index;
      Type type = callee.function->registers[formal.index].type;
      frame = &callee;
      bool isGood = operandSlot(inside, type, true, Fit::Exact, copy.slots[0]);
      frame = caller;
      if (!isGood ||
          !operandSlot(operand, type, isReturn, Fit::Exact, copy.slots[1]))
        return false;
      if (isReturn)
        std::swap(copy.slots[0], copy.slots[1]);
    } else {
      const ptx::Variable &variable = ast.variables[formal.index];
      frame = &callee;
      uint64_t inside = placeOf(formal.index);
      frame = caller;
      if (operand.kind != ptx::Operand::Kind::Variable ||
          ast.variables[operand.index].space != Space::Param ||
          ast.variables[operand.index].bytes != variable.bytes)
        return fail("an argument of `" + std::string(callee.function->name) +
                    "` must be a .param variable of " +
                    std::to_string(variable.bytes) + " bytes");
      uint64_t outside = placeOf(operand.index);
      copy.imm = static_cast<int64_t>(variable.bytes);
      copy.options = static_cast<uint32_t>(isReturn ? outside : inside);
      copy.slots[0].offset = static_cast<uint32_t>(isReturn ? inside : outside);
    }
    copy.run = copyHandler(formal.isRegister);
    program->code.push_back(copy);
  }
  return true;
}

bool Decoder::decodeCall() {
  take(".uni");
  size_t index = 0;
  const auto &operands = input->operands;
  const ptx::Operand *results = nullptr, *arguments = nullptr;
  if (index < operands.size() &&
      operands[index].kind == ptx::Operand::Kind::List)
    results = &operands[index++];
  if (index >= operands.size() ||
      operands[index].kind != ptx::Operand::Kind::Name)
    return fail("indirect calls are not supported");
  std::string_view name = operands[index++].text;
  if (index < operands.size() &&
      operands[index].kind == ptx::Operand::Kind::List)
    arguments = &operands[index++];
  if (index != operands.size())
    return fail("indirect calls are not supported");
  Frame *callee = frameOf(name);
  if (!callee)
    return fail("the function `" + std::string(name) +
                "` is not defined in this module");
  size_t callerIndex = 0, calleeIndex = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    callerIndex = &frames[i] == frame ? i : callerIndex;
    calleeIndex = &frames[i] == callee ? i : calleeIndex;
  }
  calls.emplace_back(callerIndex, calleeIndex);
  if (!copyArguments(arguments, callee->function->parameters, *callee, false))
    return false;
  patches.push_back({static_cast<uint32_t>(program->code.size()), callee});
  if (!finish(callHandler()))
    return false;
  return copyArguments(results, callee->function->returns, *callee, true);
}

std::vector<uint32_t> *Decoder::keepTable(std::vector<uint32_t> table) {
  program->tables.push_back(std::move(table));
  return &program->tables.back();
}

Space Decoder::spaceOfParam(unsigned index) const {
  const ptx::Operand &operand = input->operands[index];
  const ptx::Operand &base =
      operand.kind == ptx::Operand::Kind::Address && !operand.elements.empty()
          ? operand.elements[0]
          : operand;
  if (!frame->function->isKernel)
    return Space::Local;
  if (base.kind != ptx::Operand::Kind::Variable)
    return Space::Param;
  for (const ptx::Formal &formal : frame->function->parameters)
    if (!formal.isRegister && formal.index == base.index)
      return Space::Param;
  return Space::Local;
}

bool parse(std::string_view text, Module &module, Diagnostic &diagnostic) {
  // Nothing of a module that is refused may be used.
  module = Module();
  Module made;
  made.source =
      std::make_shared<const std::string>(text.substr(0, text.find('\0')));
  ptx::Ast ast;
  if (!ptx::parseText(*made.source, made, ast, diagnostic))
    return false;
  for (const ptx::Function &function : ast.functions) {
    if (!function.isKernel || !function.isDefined)
      continue;
    made.kernelList.emplace_back();
    if (!Decoder(ast, made, diagnostic)
             .decodeKernel(function, made.kernelList.back()))
      return false;
  }
  module = std::move(made);
  return true;
}

} // namespace ndl::cudasim
