// Turns the instructions of a kernel into handlers and slots.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_DECODER_H
#define NEEDLE_CUDASIM_EXEC_DECODER_H

#include "exec/program.h"
#include "ptx/ast.h"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ndl::cudasim {

/// Whether a register may be wider than the instruction's type: "Operand Size
/// Exceeding Instruction-Type Size" in the PTX ISA.
enum class Fit : uint8_t { Exact, Wider };

/// Decodes one kernel with the functions that it calls. Functions that return
/// bool are false once a diagnostic has been made.
class Decoder {
public:
  Decoder(const ptx::Ast &ast, Module &module, Diagnostic &diagnostic)
      : ast(ast), module(module), diagnostic(diagnostic) {}

  bool decodeKernel(const ptx::Function &function, Kernel &result);

  // The instruction at hand, for the families of instructions.
  const ptx::Instruction &in() const { return *input; }
  Instr &out() { return output; }
  /// Names the instruction in front of the message.
  bool fail(const std::string &message);
  /// Takes a modifier (with its dot) off those that are left.
  bool take(std::string_view modifier);
  /// The place in the list of the one that is left, or -1.
  int takeOneOf(std::initializer_list<std::string_view> modifiers);
  /// Takes the first modifier that is a type; None if there is none.
  Type takeType();
  bool hasOperands(size_t least, size_t most);
  bool hasOperands(size_t count) { return hasOperands(count, count); }
  size_t operands() const { return input->operands.size(); }
  /// No modifier may be left. A null handler means an unsupported type.
  bool finish(Handler handler);

  bool destination(unsigned slot, unsigned operand, Type type,
                   Fit fit = Fit::Exact);
  bool source(unsigned slot, unsigned operand, Type type, Fit fit = Fit::Exact);
  /// d|p with p optional; `second` is left empty without it.
  bool pairDestination(unsigned slot, unsigned second, unsigned operand,
                       Type type, Type secondType);
  /// [base + offset]: a slot and out().imm.
  bool address(unsigned slot, unsigned operand);
  /// {a, b, …} or a single operand, behind those already in out().vector.
  bool vectorOperand(unsigned operand, Type type, bool isDestination,
                     size_t count, Fit fit = Fit::Exact);
  size_t elementsOf(unsigned operand) const;
  /// The declared type of a register; None for anything else.
  Type typeOf(unsigned operand) const;
  bool operandSlot(const ptx::Operand &operand, Type type, bool isDestination,
                   Fit fit, Slot &slot);
  Slot constant(uint64_t value, uint8_t stride);

  /// bra, call and brx know labels and functions.
  bool decodeCall();
  /// Keeps a table for the program; it does not move.
  std::vector<uint32_t> *keepTable(std::vector<uint32_t> table);
  /// The space of a .param variable that the instruction accesses is that of
  /// the kernel's parameters, or local memory for device functions.
  Space spaceOfParam(unsigned index) const;
  bool isInKernel() const { return frame->function->isKernel; }

private:
  struct Frame {
    const ptx::Function *function = nullptr;
    uint32_t entry = 0;
    std::vector<Slot> slots;
    /// Address of each parameter variable and local variable.
    std::unordered_map<uint32_t, uint64_t> places;
  };
  struct Patch {
    uint32_t instr;
    const Frame *callee;
  };

  bool decodeFunction(Frame &function);
  bool decodeInstruction();
  bool registerSlot(const ptx::Operand &operand, Type type, bool isDestination,
                    Fit fit, Slot &slot);
  bool immediateSlot(const ptx::Operand &operand, Type type, Slot &slot);
  bool variableSlot(const ptx::Operand &operand, uint8_t stride, Slot &slot);
  bool specialSlot(const ptx::Operand &operand, Slot &slot);
  uint64_t placeOf(uint32_t index);
  Frame *frameOf(std::string_view name);
  bool layOutParameters(const ptx::Function &function, Kernel &kernel);
  uint32_t allocateLocal(uint64_t bytes, uint64_t align);
  bool copyArguments(const ptx::Operand *list,
                     const std::vector<ptx::Formal> &formals, Frame &callee,
                     bool isReturn);
  bool placeDynamicShared();
  bool isRecursive() const;

  const ptx::Ast &ast;
  Module &module;
  Diagnostic &diagnostic;
  Program *program = nullptr;
  Kernel *kernel = nullptr;
  Frame *frame = nullptr;
  std::deque<Frame> frames;
  std::vector<Patch> patches;
  /// Who calls whom, as indices of frames.
  std::vector<std::pair<size_t, size_t>> calls;

  const ptx::Instruction *input = nullptr;
  std::vector<std::string_view> left;
  Instr output;
  std::vector<Slot> vector;

  std::map<std::pair<uint64_t, uint8_t>, uint32_t> constants;
  /// Addresses that are known only later: of globals and dynamic memory.
  std::map<std::tuple<uint32_t, int64_t, uint8_t>, uint32_t> lateConstants;
  std::map<SpecialRegister, uint32_t> specials;
  /// Offsets of shared variables; those of dynamic ones follow at the end.
  std::unordered_map<uint32_t, uint64_t> sharedPlaces;
  struct DynamicUse {
    uint32_t constant;
    uint8_t stride;
    int64_t addend;
  };
  std::vector<DynamicUse> dynamicUses;
  uint64_t sharedBytes = 0;
  uint64_t dynamicAlign = 16;
  uint64_t localBytes = 0;
};

/// A family of instructions: fills out() and calls finish().
using DecodeFunction = bool (*)(Decoder &);
/// Null if there is no such instruction.
DecodeFunction decodeFunctionOf(std::string_view opcode);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_DECODER_H
