//===- ParseModuleTest.cpp - Tests of reading MLIR text -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/ParseModule.h"

#include "mlir/IR/MLIRContext.h"
#include "needle/Frontend/SourceLocation.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace needle;

namespace {

/// `count` times `opening`, then as often `closing`.
std::string nest(StringRef opening, StringRef closing, unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i)
    text += opening;
  for (unsigned i = 0; i < count; ++i)
    text += closing;
  return text;
}

TEST(ParseModuleTest, FindsTheFirstBracketTooDeep) {
  for (auto [opening, closing] :
       {std::pair("(", ")"), {"[", "]"}, {"{", "}"}, {"tuple<", ">"}}) {
    EXPECT_FALSE(findExcessiveNesting(nest(opening, closing, kMaxNesting)));
    std::string deep = nest(opening, closing, kMaxNesting + 1);
    EXPECT_EQ(findExcessiveNesting(deep),
              kMaxNesting * StringRef(opening).size() +
                  StringRef(opening).find_first_of("([{<"));
  }
}

TEST(ParseModuleTest, CountsOnlyBrackets) {
  std::string many(10 * kMaxNesting, '(');
  EXPECT_FALSE(findExcessiveNesting("\"" + many + "\""));
  EXPECT_FALSE(findExcessiveNesting("\"\\\"" + many + "\""));
  EXPECT_FALSE(findExcessiveNesting("// " + many));
  EXPECT_TRUE(findExcessiveNesting("// \n" + many));
  EXPECT_FALSE(findExcessiveNesting("\"" + many));
  // Arrows close nothing.
  std::string arrows;
  for (unsigned i = 0; i <= kMaxNesting; ++i)
    arrows += "(->";
  EXPECT_TRUE(findExcessiveNesting(arrows));
  EXPECT_FALSE(findExcessiveNesting(""));
  EXPECT_FALSE(findExcessiveNesting("\"\\"));
}

TEST(ParseModuleTest, ParsesOrReports) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  std::string error;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error = formatLocation(diagnostic.getLocation()) + ": " + diagnostic.str();
    return success();
  });
  EXPECT_TRUE(parseModule("module {}", "a.mlir", &context));
  EXPECT_FALSE(parseModule("modul {}", "a.mlir", &context));
  EXPECT_EQ(error.find("a.mlir:1:1: "), 0u);
  std::string deep = "module {\n " + std::string(100000, '[');
  EXPECT_FALSE(parseModule(deep, "a.mlir", &context));
  EXPECT_EQ(error, "a.mlir:2:401: brackets are nested more than 400 deep");
}

} // namespace
