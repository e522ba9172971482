// Splits PTX text into tokens; see "Syntax" in the PTX ISA.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/lexer.h"

#include <cstdlib>
#include <cstring>
#include <string>

namespace ndl::cudasim::ptx {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// "Identifiers" in the PTX ISA: followsym.
bool isFollow(char c) {
  return isLetter(c) || isDigit(c) || c == '_' || c == '$';
}

int digitValue(char c) {
  if (isDigit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 99;
}

class Lexer {
public:
  Lexer(std::string_view text, std::vector<Token> &tokens,
        Diagnostic &diagnostic)
      : text(text), tokens(tokens), diagnostic(diagnostic) {}

  bool run();

private:
  char peek(size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  bool fail(std::string message) {
    diagnostic = {line, std::move(message)};
    return false;
  }
  void push(TokenKind kind, size_t begin, uint64_t bits = 0) {
    tokens.push_back({kind, line, text.substr(begin, at - begin), bits});
  }
  bool skipComment();
  bool lexDirective();
  bool lexNumber();
  bool lexHexFloat(size_t begin);
  bool lexDecimalFloat(size_t begin);
  bool lexString();
  bool lexPunctuation();

  std::string_view text;
  std::vector<Token> &tokens;
  Diagnostic &diagnostic;
  size_t at = 0;
  int line = 1;
};

bool Lexer::run() {
  while (at < text.size() && text[at] != '\0') {
    char c = text[at];
    if (c == '\n') {
      ++line;
      ++at;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at;
    } else if (c == '/' && (peek(1) == '/' || peek(1) == '*')) {
      if (!skipComment())
        return false;
    } else if (isLetter(c) || c == '$' || c == '%' || c == '_') {
      size_t begin = at++;
      while (isFollow(peek()))
        ++at;
      push(TokenKind::Identifier, begin);
    } else if (c == '.'     ? !lexDirective()
               : isDigit(c) ? !lexNumber()
               : c == '"'   ? !lexString()
                            : !lexPunctuation()) {
      return false;
    }
  }
  push(TokenKind::End, at);
  return true;
}

bool Lexer::skipComment() {
  if (peek(1) == '/') {
    while (at < text.size() && text[at] != '\n')
      ++at;
    return true;
  }
  int first = line;
  for (at += 2; at < text.size(); ++at) {
    if (text[at] == '*' && peek(1) == '/') {
      at += 2;
      return true;
    }
    line += text[at] == '\n';
  }
  line = first;
  return fail("the comment does not end");
}

bool Lexer::lexDirective() {
  size_t begin = at++;
  if (!isFollow(peek()))
    return fail("a name is missing after '.'");
  while (isFollow(peek()) ||
         (peek() == ':' && peek(1) == ':' && isFollow(peek(2)))) {
    at += peek() == ':' ? 2 : 1;
  }
  push(TokenKind::Directive, begin);
  return true;
}

bool Lexer::lexHexFloat(size_t begin) {
  bool isDouble = text[begin + 1] == 'd' || text[begin + 1] == 'D';
  size_t digits = isDouble ? 16 : 8;
  uint64_t bits = 0;
  at = begin + 2;
  for (size_t i = 0; i < digits; ++i, ++at) {
    if (digitValue(peek()) > 15)
      return fail("a floating-point constant has " + std::to_string(digits) +
                  " hexadecimal digits after 0" + text[begin + 1]);
    bits = bits * 16 + digitValue(peek());
  }
  if (isFollow(peek()))
    return fail("a floating-point constant has too many digits");
  push(isDouble ? TokenKind::Float64 : TokenKind::Float32, begin, bits);
  return true;
}

bool Lexer::lexDecimalFloat(size_t begin) {
  while (isDigit(peek()))
    ++at;
  if (peek() == '.') {
    ++at;
    while (isDigit(peek()))
      ++at;
  }
  if (peek() == 'e' || peek() == 'E') {
    at += peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    while (isDigit(peek()))
      ++at;
  }
  if (isFollow(peek()))
    return fail("malformed number");
  std::string digits(text.substr(begin, at - begin));
  double value = std::strtod(digits.c_str(), nullptr);
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  push(TokenKind::Float64, begin, bits);
  return true;
}

bool Lexer::lexNumber() {
  size_t begin = at;
  int base = 10;
  if (text[at] == '0') {
    char kind = peek(1);
    if (kind == 'f' || kind == 'F' || kind == 'd' || kind == 'D')
      return lexHexFloat(begin);
    if (kind == 'x' || kind == 'X')
      base = 16;
    else if (kind == 'b' || kind == 'B')
      base = 2;
    else if (isDigit(kind))
      base = 8;
    at += base == 16 || base == 2 ? 2 : 0;
  }
  uint64_t value = 0;
  size_t first = at;
  for (; digitValue(peek()) < base; ++at) {
    uint64_t digit = digitValue(peek());
    if (value > (UINT64_MAX - digit) / base)
      return fail("the number does not fit into 64 bits");
    value = value * base + digit;
  }
  char next = peek();
  if (base == 10 &&
      ((next == '.' && isDigit(peek(1))) || next == 'e' || next == 'E')) {
    at = begin;
    return lexDecimalFloat(begin);
  }
  if (at == first)
    return fail("malformed number");
  if (next == 'U')
    ++at;
  if (isFollow(peek()))
    return fail("malformed number");
  push(TokenKind::Integer, begin, value);
  return true;
}

bool Lexer::lexString() {
  size_t begin = at++;
  while (at < text.size() && text[at] != '"' && text[at] != '\n')
    ++at;
  if (peek() != '"')
    return fail("the string does not end");
  ++at;
  push(TokenKind::String, begin);
  return true;
}

bool Lexer::lexPunctuation() {
  constexpr std::string_view known = ",;:()[]{}<>@!|+-=*&~^?";
  if (known.find(text[at]) == std::string_view::npos) {
    unsigned char c = static_cast<unsigned char>(text[at]);
    if (c >= ' ' && c < 127)
      return fail(std::string("unexpected character '") + text[at] + "'");
    return fail("unexpected byte " + std::to_string(c));
  }
  ++at;
  push(TokenKind::Punctuation, at - 1);
  return true;
}

} // namespace

bool tokenize(std::string_view text, std::vector<Token> &tokens,
              Diagnostic &diagnostic) {
  return Lexer(text, tokens, diagnostic).run();
}

} // namespace ndl::cudasim::ptx
