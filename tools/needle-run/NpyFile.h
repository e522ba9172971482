// NumPy's .npy files, format versions 1 to 3.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUN_NPYFILE_H
#define NEEDLE_RUN_NPYFILE_H

#include "needle-rt/types.h"

#include <cstdint>
#include <string>
#include <vector>

namespace needle::run {

/// An array read from, or to be written to, a file.
struct NpyArray {
  NdlDType dtype = NDL_DTYPE_INVALID;
  std::vector<int64_t> shape;
  /// First index fastest, as the file stores it, instead of the last.
  bool fortranOrder = false;
  std::vector<uint8_t> data;

  /// Strides in elements for `fortranOrder`.
  std::vector<int64_t> strides() const;
};

/// Whether .npy files have this element type.
bool npySupports(NdlDType dtype);

/// Parses a whole file. Returns an empty string, or what is wrong with it:
/// truncated or surplus data, an unknown version, a type that is not a
/// little-endian number or bool.
std::string parseNpy(const std::vector<uint8_t> &bytes, NpyArray &array);

/// Reads the file at `path`; errors as parseNpy.
std::string readNpy(const std::string &path, NpyArray &array);

/// The bytes of a version 1 file with an array of a supported type
/// in C order.
std::vector<uint8_t> formatNpy(const NpyArray &array);

} // namespace needle::run

#endif // NEEDLE_RUN_NPYFILE_H
