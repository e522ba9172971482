// NumPy's .npy files, format versions 1 to 3.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The format is specified in NumPy's numpy/lib/format.py (NEP 1).

#include "NpyFile.h"

#include "needle-rt/runtime.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace needle::run {
namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr size_t magicSize = 6;
/// NumPy itself refuses headers longer than this.
constexpr size_t maxHeaderSize = 10000;

struct DescrRow {
  NdlDType dtype;
  const char *descr;
};

constexpr DescrRow descrTable[] = {
    {NDL_DTYPE_F32, "<f4"}, {NDL_DTYPE_F64, "<f8"}, {NDL_DTYPE_F16, "<f2"},
    {NDL_DTYPE_I8, "|i1"},  {NDL_DTYPE_U8, "|u1"},  {NDL_DTYPE_I16, "<i2"},
    {NDL_DTYPE_U16, "<u2"}, {NDL_DTYPE_I32, "<i4"}, {NDL_DTYPE_U32, "<u4"},
    {NDL_DTYPE_I64, "<i8"}, {NDL_DTYPE_U64, "<u8"}, {NDL_DTYPE_BOOL, "|b1"},
};

const char *descrOf(NdlDType dtype) {
  for (const DescrRow &row : descrTable)
    if (row.dtype == dtype)
      return row.descr;
  return nullptr;
}

/// Reads the header: a Python dictionary of strings, booleans and a tuple.
class HeaderParser {
public:
  explicit HeaderParser(std::string text) : text(std::move(text)) {}

  std::string parse(NpyArray &array);

private:
  void skipSpace() {
    while (next < text.size() && std::strchr(" \t\n", text[next]))
      ++next;
  }
  /// Consumes `token` if it comes next.
  bool accept(const char *token) {
    skipSpace();
    if (text.compare(next, std::strlen(token), token) != 0)
      return false;
    next += std::strlen(token);
    return true;
  }
  bool parseString(std::string &value);
  bool parseShape(std::vector<int64_t> &shape);
  std::string parseDescr(NpyArray &array);
  std::string parseItem(NpyArray &array);

  std::string text;
  size_t next = 0;
  bool hasDescr = false, hasOrder = false, hasShape = false;
};

const std::string malformed = "malformed header";

bool HeaderParser::parseString(std::string &value) {
  skipSpace();
  if (next >= text.size() || (text[next] != '\'' && text[next] != '"'))
    return false;
  size_t end = text.find(text[next], next + 1);
  if (end == std::string::npos)
    return false;
  value = text.substr(next + 1, end - next - 1);
  next = end + 1;
  return true;
}

bool HeaderParser::parseShape(std::vector<int64_t> &shape) {
  if (!accept("("))
    return false;
  shape.clear();
  while (!accept(")")) {
    skipSpace();
    size_t digits = next;
    int64_t size = 0;
    for (; next < text.size() && text[next] >= '0' && text[next] <= '9'; ++next)
      if (__builtin_mul_overflow(size, 10, &size) ||
          __builtin_add_overflow(size, text[next] - '0', &size))
        return false;
    if (next == digits)
      return false;
    shape.push_back(size);
    if (accept(","))
      continue;
    if (!accept(")"))
      return false;
    return true;
  }
  return true;
}

std::string HeaderParser::parseDescr(NpyArray &array) {
  std::string descr;
  if (!parseString(descr))
    return "element type is not a plain number";
  // The byte order, '|' for none, comes before the kind and size.
  bool hasPrefix = descr.find_first_of("<>=|") == 0;
  char order = hasPrefix ? descr[0] : '=';
  std::string kind = descr.substr(hasPrefix ? 1 : 0);
  for (const DescrRow &row : descrTable)
    if (kind == row.descr + 1 && (order != '>' || row.descr[0] == '|'))
      array.dtype = row.dtype;
  if (array.dtype == NDL_DTYPE_INVALID)
    return "element type '" + descr + "' is not supported";
  hasDescr = true;
  return "";
}

std::string HeaderParser::parseItem(NpyArray &array) {
  std::string key;
  if (!parseString(key) || !accept(":"))
    return malformed;
  if (key == "descr")
    return parseDescr(array);
  if (key == "fortran_order") {
    array.fortranOrder = accept("True");
    hasOrder = array.fortranOrder || accept("False");
    return hasOrder ? "" : malformed;
  }
  if (key == "shape") {
    hasShape = parseShape(array.shape);
    return hasShape ? "" : malformed;
  }
  return "unknown key '" + key + "' in the header";
}

std::string HeaderParser::parse(NpyArray &array) {
  if (!accept("{"))
    return malformed;
  while (!accept("}")) {
    std::string error = parseItem(array);
    if (!error.empty())
      return error;
    if (accept(","))
      continue;
    if (!accept("}"))
      return malformed;
    break;
  }
  return hasDescr && hasOrder && hasShape ? "" : malformed;
}

bool hasMagic(const std::vector<uint8_t> &bytes) {
  return bytes.size() >= magicSize &&
         std::memcmp(bytes.data(), magic, magicSize) == 0;
}

/// Finds the header's text and where the data start.
std::string locateHeader(const std::vector<uint8_t> &bytes, std::string &header,
                         size_t &dataStart) {
  if (!hasMagic(bytes))
    return "not a .npy file";
  if (bytes.size() < 12)
    return "truncated";
  uint8_t version = bytes[6];
  if (version < 1 || version > 3)
    return ".npy format version " + std::to_string(version) +
           " is not supported";
  size_t size = bytes[8] | bytes[9] << 8;
  size_t start = 10;
  if (version > 1) {
    size |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
    start = 12;
  }
  if (size > maxHeaderSize)
    return "its header of " + std::to_string(size) + " bytes is too long";
  if (bytes.size() < start + size)
    return "truncated";
  header.assign(bytes.begin() + start, bytes.begin() + start + size);
  dataStart = start + size;
  return "";
}

/// Reads a file of known size: a directory has no bytes, a device no end. Stops
/// after the magic if that is wrong.
std::string readRegularFile(const std::string &path,
                            std::vector<uint8_t> &bytes) {
  auto cannotRead = [](std::error_code error) {
    return "cannot read: " + error.message();
  };
  std::error_code error;
  std::filesystem::file_status status = std::filesystem::status(path, error);
  if (error)
    return cannotRead(error);
  if (!std::filesystem::is_regular_file(status))
    return std::filesystem::is_directory(status) ? "is a directory"
                                                 : "is not a regular file";
  uintmax_t size = std::filesystem::file_size(path, error);
  if (error)
    return cannotRead(error);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  bytes.resize(std::min<uintmax_t>(size, magicSize));
  auto readFrom = [&](size_t start) {
    return bool(file.read(reinterpret_cast<char *>(bytes.data()) + start,
                          std::streamsize(bytes.size() - start)));
  };
  if (!readFrom(0))
    return std::string("cannot read: ") + std::strerror(errno);
  if (!hasMagic(bytes))
    return "";
  bytes.resize(size);
  if (!readFrom(magicSize))
    return errno ? std::string("cannot read: ") + std::strerror(errno)
                 : "was cut short while it was read";
  return "";
}

} // namespace

std::vector<int64_t> NpyArray::strides() const {
  std::vector<int64_t> strides;
  int64_t stride = 1;
  for (int64_t size : shape) {
    strides.push_back(stride);
    stride *= size;
  }
  return strides;
}

bool npySupports(NdlDType dtype) { return descrOf(dtype) != nullptr; }

std::string parseNpy(const std::vector<uint8_t> &bytes, NpyArray &array) {
  array = {};
  std::string header;
  size_t dataStart = 0;
  std::string error = locateHeader(bytes, header, dataStart);
  if (error.empty())
    error = HeaderParser(header).parse(array);
  if (!error.empty())
    return error;
  if (array.shape.size() > NDL_MAX_RANK)
    return "rank " + std::to_string(array.shape.size()) + " is above " +
           std::to_string(NDL_MAX_RANK);
  bool empty = false;
  for (int64_t size : array.shape)
    empty |= size == 0;
  int64_t expected = ndl_dtype_bits(array.dtype) / 8;
  for (int64_t size : array.shape)
    if (!empty && __builtin_mul_overflow(expected, size, &expected))
      return "its size exceeds the address space";
  if (empty)
    expected = 0;
  size_t present = bytes.size() - dataStart;
  if (present != static_cast<uint64_t>(expected))
    return (present < static_cast<uint64_t>(expected) ? "truncated: "
                                                      : "surplus data: ") +
           std::to_string(present) + " bytes of data for " +
           std::to_string(expected);
  array.data.assign(bytes.begin() + dataStart, bytes.end());
  if (array.dtype == NDL_DTYPE_BOOL)
    for (uint8_t value : array.data)
      if (value > 1)
        return "bool array with the value " + std::to_string(value);
  return "";
}

std::string readNpy(const std::string &path, NpyArray &array) {
  auto message = [&](const std::string &what) {
    return "'" + path + "': " + what;
  };
  std::vector<uint8_t> bytes;
  if (std::string what = readRegularFile(path, bytes); !what.empty())
    return message(what);
  std::string error = parseNpy(bytes, array);
  return error.empty() ? "" : message(error);
}

std::vector<uint8_t> formatNpy(const NpyArray &array) {
  std::string shape;
  for (int64_t size : array.shape)
    shape += std::to_string(size) + ", ";
  // NumPy writes (3,) and (3, 4).
  if (array.shape.size() == 1)
    shape.pop_back();
  else if (!shape.empty())
    shape.resize(shape.size() - 2);
  std::string header = std::string("{'descr': '") + descrOf(array.dtype) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // 16 dimensions of 19 digits stay far below the 64 KiB of version 1.
  constexpr size_t prefix = 10, alignment = 64;
  header.resize((prefix + header.size() + 1 + alignment - 1) / alignment *
                        alignment -
                    prefix - 1,
                ' ');
  header += '\n';
  std::vector<uint8_t> bytes(magic, magic + magicSize);
  bytes.insert(bytes.end(), {1, 0, static_cast<uint8_t>(header.size()),
                             static_cast<uint8_t>(header.size() >> 8)});
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), array.data.begin(), array.data.end());
  return bytes;
}

} // namespace needle::run
