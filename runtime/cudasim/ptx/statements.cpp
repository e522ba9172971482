// Parses the statements of a function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/parser.h"

namespace ndl::cudasim::ptx {
namespace {

/// No instruction has more, even wmma.
constexpr size_t maxOperands = 64;

} // namespace

bool Parser::parseStatement(Function &function) {
  const Token &token = peek();
  if (accept(';'))
    return true;
  if (token.kind == TokenKind::Identifier && peek(1).is(':'))
    return parseLabel(function);
  if (token.kind == TokenKind::Identifier || token.is('@'))
    return parseInstruction(function);
  if (acceptDirective(".reg"))
    return parseRegisters();
  if (acceptDirective(".shared"))
    return parseVariables(Space::Shared, false);
  if (acceptDirective(".local"))
    return parseVariables(Space::Local, false);
  if (acceptDirective(".param"))
    return parseVariables(Space::Param, false);
  if (acceptDirective(".global"))
    return parseVariables(Space::Global, false);
  if (acceptDirective(".const"))
    return parseVariables(Space::Const, false);
  if (token.isDirective(".extern") && peek(1).isDirective(".shared")) {
    at += 2;
    return parseVariables(Space::Shared, true);
  }
  if (token.isDirective(".loc") || token.isDirective(".file")) {
    skipLine();
    return true;
  }
  if (acceptDirective(".pragma")) {
    next();
    return expect(';', "after .pragma");
  }
  return fail("expected a statement, found '" +
              std::string(token.text.substr(0, 60)) + "'");
}

bool Parser::parseLabel(Function &function) {
  std::string_view name = peek().text;
  int line = peek().line;
  at += 2;
  if (peek().isDirective(".callprototype"))
    return fail("indirect calls are not supported");
  if (acceptDirective(".branchtargets")) {
    TargetList list;
    list.name = name;
    do {
      std::string_view target;
      if (!expectName(target, "a label"))
        return false;
      list.labels.push_back(scopes.label(function, target, line));
    } while (accept(','));
    targetLists.push_back(std::move(list));
    return expect(';', "after .branchtargets");
  }
  if (!scopes.defineLabel(function, name, line))
    return failAt(line,
                  "the label '" + std::string(name) + "' is defined twice");
  return true;
}

bool Parser::parseInstruction(Function &function) {
  Instruction instruction;
  if (accept('@')) {
    bool negated = accept('!');
    instruction.guarded = true;
    if (!parseIdentifier(instruction.guard))
      return false;
    instruction.guard.negated = negated;
    if (instruction.guard.kind != Operand::Kind::Register ||
        function.registers[instruction.guard.index].type != Type::Pred)
      return fail("expected a predicate after '@'");
  }
  instruction.line = peek().line;
  const char *begin = peek().text.data();
  if (!expectName(instruction.opcode, "an instruction"))
    return false;
  while (peek().kind == TokenKind::Directive)
    instruction.modifiers.push_back(next().text);
  if (!peek().is(';')) {
    do {
      instruction.operands.emplace_back();
      if (instruction.operands.size() > maxOperands)
        return fail("too many operands");
      if (!parseOperand(instruction.operands.back()))
        return false;
    } while (accept(','));
  }
  if (instruction.opcode == "bra" && instruction.operands.size() == 1 &&
      instruction.operands[0].kind == Operand::Kind::Name) {
    Operand &target = instruction.operands[0];
    target.kind = Operand::Kind::Label;
    target.index = scopes.label(function, target.text, instruction.line);
  }
  const Token &last = tokens[at - 1];
  instruction.text = std::string_view(
      begin, static_cast<size_t>(last.text.data() + last.text.size() - begin));
  if (!expect(';',
              "after '" + std::string(instruction.opcode.substr(0, 60)) + "'"))
    return false;
  function.instructions.push_back(std::move(instruction));
  return true;
}

bool Parser::parseOperand(Operand &operand) {
  if (!parsePrimary(operand))
    return false;
  if (!accept('|'))
    return true;
  Operand first = std::move(operand);
  operand = Operand();
  operand.kind = Operand::Kind::Pair;
  operand.elements.push_back(std::move(first));
  operand.elements.emplace_back();
  return parsePrimary(operand.elements.back());
}

bool Parser::parsePrimary(Operand &operand) {
  operand.text = peek().text;
  if (accept('{')) {
    operand.kind = Operand::Kind::Vector;
    return parseElements(operand, '}');
  }
  if (accept('(')) {
    operand.kind = Operand::Kind::List;
    return parseElements(operand, ')');
  }
  if (accept('['))
    return parseAddress(operand);
  if (accept('!')) {
    if (!parseIdentifier(operand))
      return false;
    operand.negated = true;
    return true;
  }
  if (peek().kind == TokenKind::Identifier)
    return parseIdentifier(operand);
  return parseNumber(operand);
}

bool Parser::parseElements(Operand &operand, char close) {
  if (accept(close))
    return true;
  do {
    operand.elements.emplace_back();
    if (operand.elements.size() > maxOperands)
      return fail("too many operands");
    Operand &element = operand.elements.back();
    element.text = peek().text;
    // Elements don't nest, so neither do these functions.
    bool good = peek().kind == TokenKind::Identifier ? parseIdentifier(element)
                                                     : parseNumber(element);
    if (!good)
      return false;
  } while (accept(','));
  return expect(close, "after a list of operands");
}

bool Parser::parseIdentifier(Operand &operand) {
  std::string_view name;
  if (!expectName(name, "a name"))
    return false;
  operand.text = name;
  if (name == "_") {
    operand.kind = Operand::Kind::Sink;
    return true;
  }
  Symbol symbol;
  if (scopes.find(name, symbol)) {
    operand.index = symbol.index;
    if (symbol.kind == Symbol::Kind::Register) {
      operand.kind = Operand::Kind::Register;
      return true;
    }
    operand.kind = Operand::Kind::Variable;
    return parseOffset(operand.value);
  }
  if (name[0] == '%') {
    operand.kind = Operand::Kind::Special;
    if (peek().kind == TokenKind::Directive) {
      const Token &part = next();
      operand.text = std::string_view(
          name.data(), static_cast<size_t>(part.text.data() + part.text.size() -
                                           name.data()));
    }
    return true;
  }
  operand.kind = Operand::Kind::Name;
  return true;
}

bool Parser::parseNumber(Operand &operand) {
  bool isNegative = false;
  while (peek().is('-') || peek().is('+'))
    isNegative ^= next().is('-');
  bool isInverted = accept('~');
  const Token &token = peek();
  operand.text = token.text;
  operand.value = static_cast<int64_t>(token.bits);
  uint64_t sign = 0;
  switch (token.kind) {
  case TokenKind::Integer:
    operand.kind = Operand::Kind::Integer;
    if (isInverted)
      operand.value = ~operand.value;
    if (isNegative)
      operand.value =
          static_cast<int64_t>(0 - static_cast<uint64_t>(operand.value));
    next();
    return true;
  case TokenKind::Float32:
    operand.kind = Operand::Kind::Float32;
    sign = uint64_t(1) << 31;
    break;
  case TokenKind::Float64:
    operand.kind = Operand::Kind::Float64;
    sign = uint64_t(1) << 63;
    break;
  default:
    return fail("expected an operand, found '" +
                std::string(token.text.substr(0, 60)) + "'");
  }
  if (isNegative)
    operand.value = static_cast<int64_t>(token.bits ^ sign);
  next();
  return true;
}

bool Parser::parseOffset(int64_t &offset) {
  if (!peek().is('+') && !peek().is('-'))
    return true;
  Operand number;
  if (!parseNumber(number))
    return false;
  if (number.kind != Operand::Kind::Integer)
    return fail("an offset is an integer");
  offset = number.value;
  return true;
}

bool Parser::parseAddress(Operand &operand) {
  operand.kind = Operand::Kind::Address;
  operand.elements.emplace_back();
  Operand &base = operand.elements.back();
  bool good = peek().kind == TokenKind::Identifier ? parseIdentifier(base)
                                                   : parseNumber(base);
  if (!good || !parseOffset(operand.value))
    return false;
  if (base.kind == Operand::Kind::Variable ||
      base.kind == Operand::Kind::Integer) {
    operand.value = static_cast<int64_t>(static_cast<uint64_t>(operand.value) +
                                         static_cast<uint64_t>(base.value));
    base.value = 0;
  } else if (base.kind != Operand::Kind::Register) {
    return fail(base.kind == Operand::Kind::Name
                    ? "undefined symbol '" + std::string(base.text) + "'"
                    : "an address is a register or a variable");
  }
  return expect(']', "after an address");
}

bool Parser::resolveTargets(Function &function) {
  for (Instruction &instruction : function.instructions) {
    if (instruction.opcode != "brx")
      continue;
    const Operand *list =
        instruction.operands.size() == 2 ? &instruction.operands[1] : nullptr;
    bool isFound = false;
    for (const TargetList &targets : targetLists) {
      if (!list || targets.name != list->text)
        continue;
      isFound = true;
      instruction.targets = targets.labels;
    }
    if (!isFound)
      return failAt(instruction.line,
                    "brx.idx must name a list of .branchtargets");
  }
  return true;
}

} // namespace ndl::cudasim::ptx
