// Suggestions for names that do not exist.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "similar_names.h"

#include <gtest/gtest.h>

namespace ndl::test {
namespace {

using Names = std::vector<std::string_view>;

TEST(SimilarNames, TheClosestComeFirst) {
  Names names = {"scalar_add", "ewise_add", "ewise_and", "matmul"};
  EXPECT_EQ(similarNames("ewise_add", names),
            (Names{"ewise_add", "ewise_and"}));
  EXPECT_EQ(similarNames("ewise_adn", names),
            (Names{"ewise_add", "ewise_and"}));
  EXPECT_EQ(similarNames("add", names), (Names{"ewise_add", "scalar_add"}));
  EXPECT_EQ(similarNames("zzz", names), Names());
  EXPECT_EQ(similarNames("", names), Names());
  EXPECT_EQ(similarNames(std::string(100000, 'a'), names), Names());
}

TEST(SimilarNames, AreFew) {
  Names names(20, "name");
  EXPECT_EQ(similarNames("nam", names).size(), 5u);
}

TEST(SimilarNames, MakeAMessage) {
  EXPECT_EQ(noSuchName("kernel", "ad", {"add", "sub"}),
            "there is no kernel 'ad'; did you mean 'add'?");
  EXPECT_EQ(noSuchName("kernel", "x", {"add", "sub"}),
            "there is no kernel 'x'; the artifact has 2 others");
  EXPECT_EQ(noSuchName("kernel", "x", {}),
            "there is no kernel 'x'; the artifact has none");
}

} // namespace
} // namespace ndl::test
