// The outcome of an operation inside the runtime: a code and a message.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RT_STATUS_H
#define NEEDLE_RT_STATUS_H

#include "needle-rt/types.h"

#include <string>
#include <utility>

namespace ndl {

/// Success, or an error with a message for the user: what, where, what to do.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(NdlStatus code, std::string message)
      : statusCode(code), text(std::move(message)) {}

  bool ok() const { return statusCode == NDL_OK; }
  NdlStatus code() const { return statusCode; }
  const std::string &message() const { return text; }

  /// The same error, its message preceded by `context` and ": ".
  Status in(const std::string &context) const {
    return ok() ? *this : Status(statusCode, context + ": " + text);
  }

private:
  NdlStatus statusCode = NDL_OK;
  std::string text;
};

} // namespace ndl

#endif // NEEDLE_RT_STATUS_H
