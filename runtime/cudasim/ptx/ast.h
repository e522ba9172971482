// A PTX module as it is written: functions, variables, instructions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_AST_H
#define NEEDLE_CUDASIM_PTX_AST_H

#include "ptx/module.h"
#include "ptx/type.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ndl::cudasim::ptx {

struct Operand {
  enum class Kind : uint8_t {
    /// index: number in Function::registers.
    Register,
    /// text: "%tid.x"
    Special,
    /// value
    Integer,
    /// value: bits
    Float32,
    Float64,
    /// index: number in Ast::variables; value: offset.
    Variable,
    /// index: number in Function::labels.
    Label,
    /// A name that is neither a register nor a variable: of a function.
    Name,
    /// elements[0]: base; value: offset.
    Address,
    /// {a, b}
    Vector,
    /// (a, b)
    List,
    /// a|b
    Pair,
    /// _
    Sink
  };

  Kind kind = Kind::Sink;
  /// !p
  bool negated = false;
  uint32_t index = 0;
  int64_t value = 0;
  std::string_view text;
  std::vector<Operand> elements;
};

struct Instruction {
  int line = 0;
  /// From the opcode to before the semicolon.
  std::string_view text;
  std::string_view opcode;
  /// With their dots.
  std::vector<std::string_view> modifiers;
  std::vector<Operand> operands;
  bool guarded = false;
  Operand guard;
  /// .branchtargets that brx.idx names, as labels.
  std::vector<uint32_t> targets;
};

struct Variable {
  std::string_view name;
  Space space = Space::Global;
  Type type = Type::None;
  uint64_t bytes = 0;
  uint64_t align = 1;
  bool isExternal = false;
  /// Parameter of a function or variable of a call sequence.
  bool isParameter = false;
  /// Place in Module::globals, for .global and .const.
  uint32_t global = 0;
  int line = 0;
};

struct Register {
  std::string_view name;
  Type type = Type::None;
};

/// A formal parameter of a device function: a variable or a register.
struct Formal {
  bool isRegister = false;
  uint32_t index = 0;
};

struct Function {
  std::string_view name;
  bool isKernel = false;
  bool isDefined = false;
  int line = 0;
  std::vector<Register> registers;
  std::vector<Formal> returns;
  std::vector<Formal> parameters;
  std::vector<Instruction> instructions;
  /// Shared variables that it declares, used or not.
  std::vector<uint32_t> sharedVariables;
  /// The instruction that each label stands before.
  std::vector<uint32_t> labels;
  std::array<uint32_t, 3> requiredThreads = {0, 0, 0};
  std::array<uint32_t, 3> maximumThreads = {0, 0, 0};
  uint32_t minimumBlocks = 0;
};

struct Ast {
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

/// Fills what `module` says of the text itself (version, target, globals) and
/// the syntax tree. The text must outlive the tree.
bool parseText(std::string_view text, Module &module, Ast &ast,
               Diagnostic &diagnostic);

} // namespace ndl::cudasim::ptx

#endif // NEEDLE_CUDASIM_PTX_AST_H
