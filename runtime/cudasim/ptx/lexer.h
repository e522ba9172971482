// Splits PTX text into tokens.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_LEXER_H
#define NEEDLE_CUDASIM_PTX_LEXER_H

#include "ptx/module.h"

#include <string_view>
#include <vector>

namespace ndl::cudasim::ptx {

enum class TokenKind : uint8_t {
  End,
  /// A name: of an instruction, a symbol, a register (%r1), a label ($L1).
  Identifier,
  /// A dot and what follows: .global, .L1::no_allocate, .x
  Directive,
  Integer,
  /// The bits of an f32: 0f3F800000
  Float32,
  /// The bits of an f64: 0d…, or a decimal number with a point or exponent.
  Float64,
  String,
  /// One character: ,;:()[]{}<>@!|+-=_ and the like.
  Punctuation
};

struct Token {
  TokenKind kind = TokenKind::End;
  int line = 1;
  std::string_view text;
  /// Of a number.
  uint64_t bits = 0;

  bool is(char c) const {
    return kind == TokenKind::Punctuation && text[0] == c;
  }
  bool isDirective(std::string_view name) const {
    return kind == TokenKind::Directive && text == name;
  }
};

/// Ends the tokens with one of kind End. False with a diagnostic.
bool tokenize(std::string_view text, std::vector<Token> &tokens,
              Diagnostic &diagnostic);

} // namespace ndl::cudasim::ptx

#endif // NEEDLE_CUDASIM_PTX_LEXER_H
