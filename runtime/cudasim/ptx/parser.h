// Parses PTX text into its syntax tree.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_PARSER_H
#define NEEDLE_CUDASIM_PTX_PARSER_H

#include "ptx/ast.h"
#include "ptx/lexer.h"
#include "ptx/scope.h"

#include <string>
#include <vector>

namespace ndl::cudasim::ptx {

/// A parser by recursive descent. Each function that returns bool is false
/// once a diagnostic has been made.
class Parser {
public:
  Parser(Module &module, Ast &ast, Diagnostic &diagnostic)
      : module(module), ast(ast), diagnostic(diagnostic) {}

  bool run(std::string_view text);

private:
  // Tokens.
  const Token &peek(size_t ahead = 0) const {
    size_t index = at + ahead;
    return tokens[index < tokens.size() ? index : tokens.size() - 1];
  }
  const Token &next() {
    const Token &token = peek();
    if (token.kind != TokenKind::End)
      ++at;
    return token;
  }
  bool accept(char c);
  bool acceptDirective(std::string_view name);
  bool expect(char c, std::string_view where);
  bool expectName(std::string_view &name, std::string_view what);
  bool expectInteger(uint64_t &value, std::string_view what);
  bool fail(std::string message);
  bool failAt(int line, std::string message);
  void skipLine();

  // parser.cpp: the module.
  bool parseTopLevel();
  bool parseVersion();
  bool parseTarget();
  bool parseAddressSize();
  bool skipSection();
  bool parseFunction(bool isKernel, bool isExternal);
  bool parseSignature(Function &function, bool isKernel);
  bool parseBody(Function &function);
  bool parseFunctionDirectives(Function &function);
  bool parseThreads(std::array<uint32_t, 3> &threads);
  bool redeclares(const Function &function, bool hasBody, bool &mayAdd);

  // declarations.cpp: variables and registers.
  bool parseRegisters();
  bool parseVariables(Space space, bool isExternal);
  bool parseAttributes(uint64_t &align, unsigned &lanes, Type &type);
  bool parseDimensions(uint64_t &count, bool &isOpen);
  bool parseParameter(Function &function, std::vector<Formal> &formals);
  bool declareVariable(Variable variable, uint32_t &index);
  bool parseInitializer(const Variable &variable, GlobalVariable &global,
                        unsigned elementBytes);
  bool parseInitialElement(GlobalVariable &global, Type type,
                           unsigned elementBytes);

  // statements.cpp: instructions.
  bool parseStatement(Function &function);
  bool parseLabel(Function &function);
  bool parseInstruction(Function &function);
  bool parseOperand(Operand &operand);
  bool parsePrimary(Operand &operand);
  bool parseIdentifier(Operand &operand);
  bool parseNumber(Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseElements(Operand &operand, char close);
  bool parseOffset(int64_t &offset);
  bool resolveTargets(Function &function);

  Module &module;
  Ast &ast;
  Diagnostic &diagnostic;
  std::string_view source;
  std::vector<Token> tokens;
  size_t at = 0;
  Scopes scopes;
  /// Of the function whose body is being read; null at module scope.
  Function *current = nullptr;
  struct TargetList {
    std::string_view name;
    std::vector<uint32_t> labels;
  };
  std::vector<TargetList> targetLists;
};

} // namespace ndl::cudasim::ptx

#endif // NEEDLE_CUDASIM_PTX_PARSER_H
