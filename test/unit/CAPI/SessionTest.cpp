//===- SessionTest.cpp - Tests of the context behind C handles ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Session.h"

#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"
#include <atomic>
#include <chrono>
#include <thread>

using namespace mlir;
using namespace needle::capi;

namespace {

TEST(SessionTest, ActionsWaitForEachOther) {
  std::shared_ptr<Session> session = Session::create();
  std::atomic<bool> entered = false;
  std::thread other;
  NeedleStatus status = session->run([&] {
    other = std::thread([&] {
      (void)session->run([&] {
        entered = true;
        return success();
      });
    });
    // Time enough to enter, for a thread that nothing keeps from it.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return success(!entered);
  });
  other.join();
  EXPECT_EQ(status, NEEDLE_OK);
  EXPECT_TRUE(entered);
}

TEST(SessionTest, ErrorsBecomeTheMessage) {
  std::shared_ptr<Session> session = Session::create();
  auto at = [&](unsigned line) {
    return FileLineColLoc::get(&session->context, "model.py", line, 0);
  };
  NeedleStatus status = session->run([&] {
    emitWarning(at(1), "not an error");
    InFlightDiagnostic first = emitError(at(2), "first");
    first.attachNote(at(3)) << "because";
    first.report();
    return emitError(at(4), "second");
  });
  EXPECT_EQ(status, NEEDLE_COMPILE_ERROR);
  EXPECT_STREQ(needle_last_error(), "model.py:2: first\n"
                                    "  note: model.py:3: because\n"
                                    "model.py:4: second");
}

TEST(SessionTest, ManyErrorsAreCutShort) {
  std::shared_ptr<Session> session = Session::create();
  (void)session->run([&] {
    for (unsigned i = 0; i < 1000; ++i)
      emitError(UnknownLoc::get(&session->context)) << "error " << i;
    return failure();
  });
  StringRef message = needle_last_error();
  EXPECT_TRUE(message.starts_with("error 0\nerror 1\n"));
  EXPECT_EQ(message.count('\n'), 19u);
}

TEST(SessionTest, MessagesBelongToTheirThread) {
  fail(NEEDLE_INVALID_ARGUMENT, "mine");
  std::thread([] {
    EXPECT_STREQ(needle_last_error(), "");
    fail(NEEDLE_INVALID_ARGUMENT, "theirs");
  }).join();
  EXPECT_STREQ(needle_last_error(), "mine");
}

} // namespace
