// Writing files whole or not at all.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RT_ATOMIC_FILE_H
#define NEEDLE_RT_ATOMIC_FILE_H

#include <cstddef>
#include <string>

namespace ndl {

/// A file that appears at its path, complete and replacing an older one, only
/// with `commit`. Until then its contents lie in a temporary file beside it,
/// which the destructor removes. To write several files together, `write` all
/// of them before the first `commit`.
class AtomicFile {
public:
  explicit AtomicFile(std::string path) : path(std::move(path)) {}
  AtomicFile(AtomicFile &&other) noexcept;
  AtomicFile &operator=(AtomicFile &&) = delete;
  ~AtomicFile();

  /// Writes the whole contents and flushes them to disk. Returns an empty
  /// string on success, else a message that names the path and the reason.
  std::string write(const void *data, size_t size);
  /// Moves the file to its path. Returns as `write` does.
  std::string commit();

private:
  std::string failure(int error) const;

  std::string path;
  /// Empty if there is none.
  std::string temporary;
};

/// Replaces the file at `path` by these bytes, or leaves it untouched. Returns
/// an empty string on success, else a message that names the path and the
/// reason.
std::string writeFileAtomically(const std::string &path, const void *data,
                                size_t size);

} // namespace ndl

#endif // NEEDLE_RT_ATOMIC_FILE_H
