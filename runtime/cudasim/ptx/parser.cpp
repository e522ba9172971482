// Parses PTX text: the module, its directives and functions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/parser.h"

namespace ndl::cudasim::ptx {
namespace {

/// Text of a diagnostic; a token may be long, or hold anything.
std::string quoted(const Token &token) {
  if (token.kind == TokenKind::End)
    return "the end of the text";
  std::string_view text = token.text.substr(0, 60);
  return "'" + std::string(text) +
         (text.size() < token.text.size() ? "…'" : "'");
}

} // namespace

bool Parser::fail(std::string message) {
  return failAt(peek().line, std::move(message));
}

bool Parser::failAt(int line, std::string message) {
  diagnostic = {line, std::move(message)};
  return false;
}

bool Parser::accept(char c) {
  if (!peek().is(c))
    return false;
  next();
  return true;
}

bool Parser::acceptDirective(std::string_view name) {
  if (!peek().isDirective(name))
    return false;
  next();
  return true;
}

bool Parser::expect(char c, std::string_view where) {
  if (accept(c))
    return true;
  return fail(std::string("expected '") + c + "' " + std::string(where) +
              ", found " + quoted(peek()));
}

bool Parser::expectName(std::string_view &name, std::string_view what) {
  if (peek().kind != TokenKind::Identifier)
    return fail("expected " + std::string(what) + ", found " + quoted(peek()));
  name = next().text;
  return true;
}

bool Parser::expectInteger(uint64_t &value, std::string_view what) {
  if (peek().kind != TokenKind::Integer)
    return fail("expected " + std::string(what) + ", found " + quoted(peek()));
  value = next().bits;
  return true;
}

void Parser::skipLine() {
  int line = peek().line;
  while (peek().kind != TokenKind::End && peek().line == line)
    next();
}

bool Parser::run(std::string_view text) {
  source = text;
  if (!tokenize(text, tokens, diagnostic))
    return false;
  scopes.enter();
  if (!parseVersion() || !parseTarget())
    return false;
  while (peek().kind != TokenKind::End)
    if (!parseTopLevel())
      return false;
  return true;
}

bool Parser::parseVersion() {
  if (!acceptDirective(".version"))
    return fail("the text must begin with .version");
  // The lexer has made a number of it; its digits matter.
  std::string_view text = peek().text;
  size_t point = text.find('.');
  if (peek().kind != TokenKind::Float64 || point != 1 || text.size() != 3)
    return fail("malformed .version " + quoted(peek()));
  module.isaVersion = (text[0] - '0') * 10 + (text[2] - '0');
  if (module.isaVersion < 10)
    return fail("malformed .version " + quoted(peek()));
  next();
  return true;
}

bool Parser::parseTarget() {
  if (!acceptDirective(".target"))
    return fail(".target must follow .version");
  bool found = false;
  do {
    std::string_view name;
    if (!expectName(name, "a target after .target"))
      return false;
    if (name == "debug" || name == "texmode_independent" ||
        name == "texmode_unified")
      continue;
    size_t digits = name.substr(0, 3) == "sm_" ? 3 : name.size();
    int number = 0;
    while (digits < name.size() && name[digits] >= '0' && name[digits] <= '9' &&
           number < 1000)
      number = number * 10 + (name[digits++] - '0');
    bool hasSuffix = digits + 1 == name.size() &&
                     (name[digits] == 'a' || name[digits] == 'f');
    if (number < 10 || found || (digits != name.size() && !hasSuffix))
      return fail("unsupported .target '" + std::string(name.substr(0, 60)) +
                  "'");
    found = true;
    module.architecture = number;
    module.suffix = hasSuffix ? name[digits] : '\0';
  } while (accept(','));
  if (!found)
    return fail(".target names no architecture");
  return true;
}

bool Parser::parseAddressSize() {
  uint64_t size;
  if (!expectInteger(size, "a number after .address_size"))
    return false;
  if (size != 64)
    return fail("unsupported .address_size " + std::to_string(size) +
                "; only 64 is");
  return true;
}

bool Parser::parseTopLevel() {
  const Token &token = peek();
  if (token.kind != TokenKind::Directive)
    return token.is(';') ? (next(), true)
                         : fail("expected a directive, found " + quoted(token));
  bool isExternal = false, isLinked = false;
  while (peek().isDirective(".extern") || peek().isDirective(".visible") ||
         peek().isDirective(".weak") || peek().isDirective(".common")) {
    isExternal |= next().text == ".extern";
    isLinked = true;
  }
  if (acceptDirective(".entry"))
    return parseFunction(true, isExternal);
  if (acceptDirective(".func"))
    return parseFunction(false, isExternal);
  if (acceptDirective(".global"))
    return parseVariables(Space::Global, isExternal);
  if (acceptDirective(".const"))
    return parseVariables(Space::Const, isExternal);
  if (acceptDirective(".shared"))
    return parseVariables(Space::Shared, isExternal);
  if (isLinked)
    return fail("expected a function or variable, found " + quoted(peek()));
  if (acceptDirective(".address_size"))
    return parseAddressSize();
  if (peek().isDirective(".file") || peek().isDirective(".loc")) {
    skipLine();
    return true;
  }
  if (acceptDirective(".section"))
    return skipSection();
  if (acceptDirective(".pragma")) {
    next();
    return expect(';', "after .pragma");
  }
  return fail("unsupported directive " + quoted(peek()));
}

bool Parser::skipSection() {
  while (!peek().is('{')) {
    if (peek().kind == TokenKind::End)
      return fail("expected '{' after .section");
    next();
  }
  for (; !peek().is('}'); next())
    if (peek().kind == TokenKind::End)
      return fail("the section does not end");
  next();
  return true;
}

bool Parser::parseSignature(Function &function, bool isKernel) {
  auto parseList = [&](std::vector<Formal> &formals) {
    if (accept(')'))
      return true;
    do {
      if (!parseParameter(function, formals))
        return false;
    } while (accept(','));
    return expect(')', "after the parameters");
  };
  if (!isKernel && accept('(') && !parseList(function.returns))
    return false;
  if (!expectName(function.name, "the name of a function"))
    return false;
  return !accept('(') || parseList(function.parameters);
}

bool Parser::redeclares(const Function &function, bool hasBody, bool &mayAdd) {
  mayAdd = true;
  for (Function &other : ast.functions) {
    if (other.name != function.name)
      continue;
    if (hasBody && other.isDefined)
      return failAt(function.line, "the function '" +
                                       std::string(function.name) +
                                       "' is defined twice");
    mayAdd = false;
    if (hasBody)
      other = function;
  }
  return true;
}

bool Parser::parseFunction(bool isKernel, bool isExternal) {
  Function function;
  function.isKernel = isKernel;
  function.line = peek().line;
  scopes.enter();
  current = &function;
  if (!parseSignature(function, isKernel) || !parseFunctionDirectives(function))
    return false;
  bool hasBody = peek().is('{') && !isExternal;
  if (hasBody) {
    function.isDefined = true;
    if (!parseBody(function))
      return false;
  } else if (!expect(';', "after the declaration of a function")) {
    return false;
  }
  scopes.leave(function);
  current = nullptr;
  bool mayAdd;
  if (!redeclares(function, hasBody, mayAdd))
    return false;
  if (mayAdd)
    ast.functions.push_back(std::move(function));
  return true;
}

bool Parser::parseBody(Function &function) {
  targetLists.clear();
  next();
  scopes.enter();
  size_t outside = scopes.depth();
  // A scope is closed by its brace: no recursion, so no depth is too much.
  while (scopes.depth() >= outside) {
    if (peek().kind == TokenKind::End)
      return fail("the body of '" + std::string(function.name) +
                  "' does not end");
    if (accept('{'))
      scopes.enter();
    else if (accept('}'))
      scopes.leave(function);
    else if (!parseStatement(function))
      return false;
  }
  std::string_view label;
  int line;
  if (!scopes.resolveLabels(function, label, line))
    return failAt(line, "undefined label '" + std::string(label) + "'");
  return resolveTargets(function);
}

bool Parser::parseThreads(std::array<uint32_t, 3> &threads) {
  threads = {1, 1, 1};
  for (uint32_t &extent : threads) {
    uint64_t value;
    if (!expectInteger(value, "a number of threads"))
      return false;
    if (value == 0 || value > 1024)
      return fail("a block has 1 to 1024 threads in each dimension");
    extent = static_cast<uint32_t>(value);
    if (!accept(','))
      break;
  }
  return true;
}

bool Parser::parseFunctionDirectives(Function &function) {
  while (peek().kind == TokenKind::Directive) {
    uint64_t ignored;
    if (acceptDirective(".maxntid")) {
      if (!parseThreads(function.maximumThreads))
        return false;
    } else if (acceptDirective(".reqntid")) {
      if (!parseThreads(function.requiredThreads))
        return false;
    } else if (acceptDirective(".minnctapersm")) {
      if (!expectInteger(ignored, "a number of blocks"))
        return false;
      function.minimumBlocks = static_cast<uint32_t>(ignored);
    } else if (acceptDirective(".maxnctapersm") ||
               acceptDirective(".maxnreg")) {
      if (!expectInteger(ignored, "a number"))
        return false;
    } else if (acceptDirective(".pragma")) {
      next();
      if (!expect(';', "after .pragma"))
        return false;
    } else if (!acceptDirective(".noreturn")) {
      return fail("unsupported directive " + quoted(peek()) + " of a function");
    }
  }
  return true;
}

bool parseText(std::string_view text, Module &module, Ast &ast,
               Diagnostic &diagnostic) {
  return Parser(module, ast, diagnostic).run(text);
}

} // namespace ndl::cudasim::ptx
