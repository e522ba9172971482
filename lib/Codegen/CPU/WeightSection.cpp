//===- WeightSection.cpp - The constants of an artifact -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WeightSection.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Codegen/CPU/ArenaLayout.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace needle::cpu;

/// The bytes of a value, row-major; `storage` holds them where the attribute
/// does not.
static FailureOr<ArrayRef<char>> getBytes(ElementsAttr value,
                                          SmallVectorImpl<char> &storage,
                                          std::string &reason) {
  unsigned width = value.getElementType().isIntOrFloat()
                       ? value.getElementType().getIntOrFloatBitWidth()
                       : 0;
  if (width == 0 || width % 8 != 0) {
    reason = "its elements are not whole bytes";
    return failure();
  }
  std::optional<needle::ConstantBytes> data = needle::getConstantBytes(value);
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!data) {
    reason = resource
                 ? "the resource '" + resource.getRawHandle().getKey().str() +
                       "' has no data"
                 : "it is neither dense nor a dense_resource";
    return failure();
  }
  size_t expected = value.getNumElements() * (width / 8);
  if (resource && data->bytes.size() != expected) {
    reason = llvm::formatv("the resource '{0}' has {1} bytes instead of {2}",
                           resource.getRawHandle().getKey(), data->bytes.size(),
                           expected);
    return failure();
  }
  if (!data->isSplat)
    return data->bytes;
  storage.reserve(expected);
  for (int64_t i = 0; i < value.getNumElements(); ++i)
    storage.append(data->bytes.begin(), data->bytes.end());
  return ArrayRef<char>(storage);
}

FailureOr<int64_t> WeightSection::place(ElementsAttr value,
                                        std::string &reason) {
  if (auto known = offsets.find(value); known != offsets.end())
    return known->second;
  SmallVector<char> storage;
  FailureOr<ArrayRef<char>> data = getBytes(value, storage, reason);
  if (failed(data))
    return failure();
  uint64_t hash = llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(data->data()), data->size()));
  for (auto [offset, size] : contents[hash])
    if (ArrayRef(bytes).slice(offset, size) == *data)
      return offsets[value] = offset;
  bytes.resize(llvm::alignTo(bytes.size(), arenaAlignment));
  int64_t offset = bytes.size();
  bytes.insert(bytes.end(), data->begin(), data->end());
  contents[hash].push_back({offset, data->size()});
  ++numWeights;
  return offsets[value] = offset;
}

Attribute WeightSection::build(MLIRContext *context) const {
  if (bytes.empty())
    return {};
  auto type = RankedTensorType::get({int64_t(bytes.size())},
                                    IntegerType::get(context, 8));
  return DenseResourceElementsAttr::get(
      type, "needle_weights",
      HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, arenaAlignment));
}
