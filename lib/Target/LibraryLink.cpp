//===- LibraryLink.cpp - Calls the linker ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {

/// Files that vanish with this object, whatever happens.
class TemporaryFiles {
public:
  /// Makes an empty file.
  Expected<std::string> add(StringRef suffix) {
    SmallString<128> path;
    if (std::error_code code =
            sys::fs::createTemporaryFile("needle", suffix, path))
      return createStringError(code, "cannot make a temporary file: " +
                                         code.message());
    removers.push_back(std::make_unique<FileRemover>(path));
    return path.str().str();
  }

  Expected<std::string> add(StringRef suffix, StringRef bytes) {
    Expected<std::string> path = add(suffix);
    if (!path)
      return path;
    std::error_code code;
    raw_fd_ostream stream(*path, code);
    stream << bytes;
    stream.close();
    if (!code)
      code = stream.error();
    stream.clear_error();
    if (code)
      return createStringError(code, "cannot write the temporary file '" +
                                         *path + "': " + code.message());
    return path;
  }

private:
  std::vector<std::unique_ptr<FileRemover>> removers;
};

Error runLinker(StringRef linker, ArrayRef<StringRef> arguments,
                TemporaryFiles &files) {
  Expected<std::string> log = files.add("log");
  if (!log)
    return log.takeError();
  std::string error;
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(*log),
                                          StringRef(*log)};
  int code = sys::ExecuteAndWait(linker, arguments, /*Env=*/std::nullopt,
                                 redirects, /*SecondsToWait=*/0,
                                 /*MemoryLimit=*/0, &error);
  if (code == 0)
    return Error::success();
  if (error.empty())
    if (auto text = MemoryBuffer::getFile(*log))
      error = (*text)->getBuffer().rtrim().str();
  return createStringError(linker + " failed (" + Twine(code) + "): " + error);
}

} // namespace

Expected<std::string> needle::linkSharedLibrary(ArrayRef<std::string> objects) {
  static constexpr StringLiteral linkers[] = {"cc", "ld.lld", "ld"};
  std::string linker;
  for (StringRef name : linkers)
    if (auto path = sys::findProgramByName(name)) {
      linker = *path;
      break;
    }
  if (linker.empty())
    return createStringError(
        "no linker on PATH: a shared library needs one of cc, ld.lld, ld");

  TemporaryFiles files;
  SmallVector<std::string> paths;
  for (const std::string &object : objects) {
    Expected<std::string> path = files.add("o", object);
    if (!path)
      return path.takeError();
    paths.push_back(std::move(*path));
  }
  Expected<std::string> output = files.add("so");
  if (!output)
    return output.takeError();
  SmallVector<StringRef> arguments = {linker, "-shared", "-o", *output};
  arguments.append(paths.begin(), paths.end());
  if (Error error = runLinker(linker, arguments, files))
    return error;
  auto library = MemoryBuffer::getFile(*output);
  if (!library)
    return createStringError(library.getError(),
                             "cannot read the linked library");
  return (*library)->getBuffer().str();
}
