// Objects behind the handles that the driver gives out.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_HANDLE_TABLE_H
#define NEEDLE_CUDASIM_DRIVER_HANDLE_TABLE_H

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace ndl::cudasim::driver {

/// Handles are invented numbers, never given out twice: one that was destroyed,
/// is of another kind or was made up is found in no table.
inline uintptr_t newHandle() {
  // Guarded by the driver's lock.
  static uintptr_t last = 0x1000;
  return last += 16;
}

template <typename Handle, typename Object>
class HandleTable {
public:
  Handle add(std::shared_ptr<Object> object) {
    auto handle = reinterpret_cast<Handle>(newHandle());
    objects.emplace(handle, std::move(object));
    return handle;
  }
  /// Null if there is no such handle.
  std::shared_ptr<Object> find(Handle handle) const {
    auto found = objects.find(handle);
    return found == objects.end() ? nullptr : found->second;
  }
  void remove(Handle handle) { objects.erase(handle); }
  template <typename Predicate>
  void removeIf(Predicate predicate) {
    for (auto it = objects.begin(); it != objects.end();)
      it = predicate(*it->second) ? objects.erase(it) : std::next(it);
  }
  auto begin() const { return objects.begin(); }
  auto end() const { return objects.end(); }

private:
  std::map<Handle, std::shared_ptr<Object>> objects;
};

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_HANDLE_TABLE_H
