// Parses declarations of registers, variables and parameters.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/parser.h"

#include <cstring>

namespace ndl::cudasim::ptx {
namespace {

constexpr uint64_t maxVariableBytes = uint64_t(1) << 40;
constexpr uint64_t maxRegisters = 1 << 20;
/// Initializers are kept in memory.
constexpr uint64_t maxInitialBytes = uint64_t(1) << 28;

} // namespace

bool Parser::parseRegisters() {
  unsigned lanes = 1;
  uint64_t align = 0;
  Type type = Type::None;
  if (!parseAttributes(align, lanes, type))
    return false;
  if (lanes != 1)
    return fail("registers with vector types are not supported");
  do {
    std::string_view name;
    if (!expectName(name, "the name of a register"))
      return false;
    uint64_t count = 1;
    auto first = static_cast<uint32_t>(current->registers.size());
    bool isNew;
    if (accept('<')) {
      if (!expectInteger(count, "a number of registers") ||
          !expect('>', "after the number of registers"))
        return false;
      isNew = scopes.declareRange(name, first, static_cast<uint32_t>(count));
    } else {
      isNew = scopes.declare(name, {Symbol::Kind::Register, first});
    }
    if (!isNew)
      return fail("'" + std::string(name) + "' is declared twice");
    if (count > maxRegisters || first + count > maxRegisters)
      return fail("too many registers");
    current->registers.resize(first + count, {name, type});
  } while (accept(','));
  return expect(';', "after the declaration of registers");
}

bool Parser::parseAttributes(uint64_t &align, unsigned &lanes, Type &type) {
  while (peek().kind == TokenKind::Directive) {
    std::string_view name = peek().text;
    if (acceptDirective(".align")) {
      if (!expectInteger(align, "a number after .align"))
        return false;
      if (align == 0 || (align & (align - 1)) != 0 || align > 65536)
        return fail("an alignment is a power of two");
    } else if (name == ".v2" || name == ".v4") {
      next();
      lanes = name == ".v2" ? 2 : 4;
    } else if (acceptDirective(".attribute")) {
      return fail("attributes of variables are not supported");
    } else if (acceptDirective(".ptr")) {
      // What a pointer parameter points to is no concern of ours.
      while (peek().isDirective(".global") || peek().isDirective(".const") ||
             peek().isDirective(".shared") || peek().isDirective(".local"))
        next();
      uint64_t ignored;
      if (acceptDirective(".align") &&
          !expectInteger(ignored, "a number after .align"))
        return false;
    } else {
      type = typeFromName(name.substr(1));
      if (type == Type::None)
        return fail("unsupported type '" + std::string(name) + "'");
      next();
    }
  }
  if (type == Type::None)
    return fail("a type is missing");
  return true;
}

bool Parser::parseDimensions(uint64_t &count, bool &isOpen) {
  while (accept('[')) {
    if (accept(']')) {
      isOpen = true;
      continue;
    }
    uint64_t extent;
    if (!expectInteger(extent, "the extent of an array") ||
        !expect(']', "after the extent of an array"))
      return false;
    if (extent != 0 && count > maxVariableBytes / extent)
      return fail("the array is too large");
    count *= extent;
  }
  return true;
}

bool Parser::declareVariable(Variable variable, uint32_t &index) {
  index = static_cast<uint32_t>(ast.variables.size());
  if (!scopes.declare(variable.name, {Symbol::Kind::Variable, index})) {
    // A declaration may come before the definition.
    Symbol symbol;
    scopes.find(variable.name, symbol);
    if (symbol.kind != Symbol::Kind::Variable ||
        !(variable.isExternal || ast.variables[symbol.index].isExternal))
      return fail("'" + std::string(variable.name) + "' is declared twice");
    index = symbol.index;
    if (!variable.isExternal) {
      variable.global = ast.variables[index].global;
      ast.variables[index] = variable;
    }
    return true;
  }
  ast.variables.push_back(variable);
  return true;
}

bool Parser::parseVariables(Space space, bool isExternal) {
  unsigned lanes = 1;
  Variable variable;
  variable.space = space;
  variable.isExternal = isExternal;
  variable.isParameter = space == Space::Param;
  uint64_t align = 0;
  if (!parseAttributes(align, lanes, variable.type))
    return false;
  unsigned elementBytes = bytesOf(variable.type);
  if (variable.type == Type::Pred)
    return fail("a variable in memory can't be a predicate");
  variable.align = align ? align : uint64_t(elementBytes) * lanes;
  do {
    variable.line = peek().line;
    uint64_t count = lanes;
    bool isOpen = false;
    if (!expectName(variable.name, "the name of a variable") ||
        !parseDimensions(count, isOpen))
      return false;
    if (count > maxVariableBytes / elementBytes)
      return fail("the variable is too large");
    if (isOpen && !(isExternal && space == Space::Shared) && !peek().is('='))
      return fail("the extent of an array is missing");
    variable.bytes = isOpen ? 0 : count * elementBytes;
    if (isExternal && space != Space::Shared)
      return fail("the variable '" + std::string(variable.name) +
                  "' is external; linking modules is not supported");
    bool isGlobal = space == Space::Global || space == Space::Const;
    if (isGlobal)
      variable.global = static_cast<uint32_t>(module.globalList.size());
    uint32_t index;
    if (!declareVariable(variable, index))
      return false;
    if (current && space == Space::Shared && !isExternal)
      current->sharedVariables.push_back(index);
    GlobalVariable global;
    if (accept('=') && !parseInitializer(variable, global, elementBytes))
      return false;
    if (isOpen && isGlobal)
      ast.variables[index].bytes = variable.bytes = global.initial.size();
    if (!isGlobal)
      continue;
    global.name = std::string(variable.name);
    global.space = space;
    global.bytes = variable.bytes;
    global.align = variable.align;
    module.globalList.push_back(std::move(global));
  } while (accept(','));
  return expect(';', "after the declaration of a variable");
}

bool Parser::parseInitializer(const Variable &variable, GlobalVariable &global,
                              unsigned elementBytes) {
  if (variable.space != Space::Global && variable.space != Space::Const)
    return fail("only .global and .const variables can have initial values");
  if (!peek().is('{')) {
    if (!parseInitialElement(global, variable.type, elementBytes))
      return false;
  } else {
    // Nested braces of arrays only group elements, if each group is complete.
    int depth = 0;
    do {
      while (accept('{'))
        ++depth;
      if (!peek().is('}') &&
          !parseInitialElement(global, variable.type, elementBytes))
        return false;
      while (depth > 0 && accept('}'))
        --depth;
    } while (depth > 0 && accept(','));
    if (depth != 0)
      return expect('}', "after initial values");
  }
  if (variable.bytes != 0 && global.initial.size() > variable.bytes)
    return fail("too many initial values");
  return true;
}

bool Parser::parseInitialElement(GlobalVariable &global, Type type,
                                 unsigned elementBytes) {
  bool isGeneric = peek().text == "generic" && peek(1).is('(');
  if (isGeneric)
    at += 2;
  uint64_t bits = 0;
  Operand operand;
  if (peek().kind == TokenKind::Identifier) {
    Symbol symbol;
    std::string_view name = next().text;
    if (!scopes.find(name, symbol) || symbol.kind != Symbol::Kind::Variable ||
        (ast.variables[symbol.index].space != Space::Global &&
         ast.variables[symbol.index].space != Space::Const) ||
        elementBytes != 8)
      return fail("'" + std::string(name) +
                  "' is not supported as an initial value");
    int64_t addend = 0;
    if (!parseOffset(addend))
      return false;
    global.references.push_back(
        {global.initial.size(), ast.variables[symbol.index].global, addend});
  } else {
    if (!parseNumber(operand))
      return false;
    bits = static_cast<uint64_t>(operand.value);
    if (operand.kind == Operand::Kind::Float64 && type == Type::F32) {
      double wide;
      std::memcpy(&wide, &bits, sizeof wide);
      auto narrow = static_cast<float>(wide);
      uint32_t word;
      std::memcpy(&word, &narrow, sizeof word);
      bits = word;
    } else if (operand.kind == Operand::Kind::Integer && isFloat(type) &&
               type != Type::F16 && type != Type::BF16) {
      return fail("an integer initializes a variable of floating-point type");
    }
  }
  if (isGeneric && !expect(')', "after generic("))
    return false;
  if (global.initial.size() > maxInitialBytes)
    return fail("too many initial values");
  for (unsigned i = 0; i < elementBytes; ++i)
    global.initial.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  return true;
}

bool Parser::parseParameter(Function &function, std::vector<Formal> &formals) {
  if (acceptDirective(".reg")) {
    Type type = Type::None;
    uint64_t align = 0;
    unsigned lanes = 1;
    std::string_view name;
    if (!parseAttributes(align, lanes, type) ||
        !expectName(name, "the name of a parameter"))
      return false;
    auto index = static_cast<uint32_t>(function.registers.size());
    if (!scopes.declare(name, {Symbol::Kind::Register, index}))
      return fail("'" + std::string(name) + "' is declared twice");
    function.registers.push_back({name, type});
    formals.push_back({true, index});
    return true;
  }
  if (!acceptDirective(".param"))
    return fail("expected .param or .reg");
  Variable variable;
  variable.space = Space::Param;
  variable.isParameter = true;
  variable.line = peek().line;
  uint64_t align = 0;
  unsigned lanes = 1;
  uint64_t count = 1;
  bool isOpen = false;
  if (!parseAttributes(align, lanes, variable.type) ||
      !expectName(variable.name, "the name of a parameter") ||
      !parseDimensions(count, isOpen))
    return false;
  uint64_t bytes = uint64_t(bytesOf(variable.type)) * lanes;
  if (isOpen || variable.type == Type::Pred || count > 65536)
    return fail("unsupported parameter '" + std::string(variable.name) + "'");
  variable.bytes = bytes * count;
  variable.align = align ? align : bytes;
  uint32_t index;
  if (!declareVariable(variable, index))
    return false;
  formals.push_back({false, index});
  return true;
}

} // namespace ndl::cudasim::ptx
