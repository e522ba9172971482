//===- Session.cpp - Contexts, locks and messages of the C API ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Session.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "needle/Frontend/SourceLocation.h"
#include "needle/InitAll.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

static thread_local std::string lastError;

struct NeedleBuffer {
  std::string bytes;
};

namespace {

/// Gathers the errors of a context as lines of text.
class ErrorCollector {
public:
  explicit ErrorCollector(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            add(diagnostic);
          return success();
        }) {}

  std::string takeText() { return std::move(text); }

private:
  /// More would hide the first ones, which usually cause the rest.
  static constexpr unsigned maxErrors = 20;

  void add(Diagnostic &diagnostic) {
    if (++numErrors > maxErrors)
      return;
    append(diagnostic, numErrors > 1 ? "\n" : "");
    for (Diagnostic &note : diagnostic.getNotes())
      append(note, "\n  note: ");
  }

  void append(Diagnostic &diagnostic, StringRef start) {
    llvm::raw_string_ostream stream(text);
    stream << start;
    std::string place = formatLocation(diagnostic.getLocation());
    if (!place.empty())
      stream << place << ": ";
    stream << diagnostic;
  }

  ScopedDiagnosticHandler handler;
  std::string text;
  unsigned numErrors = 0;
};

} // namespace

/// What every context can load; made once, and only read afterwards.
static const DialectRegistry &getRegistry() {
  static const DialectRegistry *registry = [] {
    auto *all = new DialectRegistry;
    registerAllDialects(*all);
    return all;
  }();
  return *registry;
}

// Threads come from the caller: a pool for each context would cost more than it
// gives, and would not survive a fork.
Session::Session() : context(getRegistry(), MLIRContext::Threading::DISABLED) {
  // Messages name the operation and its place; its text would only be noise.
  context.printOpOnDiagnostic(false);
}

std::shared_ptr<Session> Session::create() {
  return std::shared_ptr<Session>(new Session);
}

NeedleStatus Session::run(llvm::function_ref<LogicalResult()> action) {
  std::lock_guard<std::mutex> lock(mutex);
  ErrorCollector errors(&context);
  if (succeeded(action()))
    return NEEDLE_OK;
  std::string text = errors.takeText();
  if (text.empty())
    text = "needle failed without saying why; please report this";
  return fail(NEEDLE_COMPILE_ERROR, text);
}

NeedleStatus capi::fail(NeedleStatus status, const llvm::Twine &message) {
  lastError = message.str();
  return status;
}

NeedleStatus capi::failNull(const char *argument) {
  return fail(NEEDLE_INVALID_ARGUMENT,
              llvm::Twine("argument '") + argument + "' is null");
}

NeedleBuffer *capi::makeBuffer(std::string text) {
  return new NeedleBuffer{std::move(text)};
}

const char *needle_last_error(void) { return lastError.c_str(); }

const char *needle_version(void) { return NEEDLE_VERSION_STRING; }

const void *needle_buffer_data(const NeedleBuffer *buffer) {
  return buffer ? buffer->bytes.data() : nullptr;
}

size_t needle_buffer_size(const NeedleBuffer *buffer) {
  return buffer ? buffer->bytes.size() : 0;
}

void needle_buffer_destroy(NeedleBuffer *buffer) { delete buffer; }
