//===- TransposeOp.cpp - needle.transpose -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference, folding and canonicalization of dimension permutations.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;
using mlir::quant::UniformQuantizedPerAxisType;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// A per-axis element type moves its axis to where `permutation` puts it.
static Type permuteElementType(Type element, ArrayRef<int64_t> permutation) {
  auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(element);
  if (!perAxis)
    return element;
  const auto *axis = llvm::find(permutation, perAxis.getQuantizedDimension());
  if (axis == permutation.end())
    return element;
  return UniformQuantizedPerAxisType::get(
      perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(),
      perAxis.getScales(), perAxis.getZeroPoints(), axis - permutation.begin(),
      perAxis.getStorageTypeMin(), perAxis.getStorageTypeMax());
}

LogicalResult
TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                              ValueRange operands, DictionaryAttr attributes,
                              OpaqueProperties properties, RegionRange regions,
                              SmallVectorImpl<Type> &inferredReturnTypes) {
  TransposeOpAdaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(operands[0].getType());
  // Inference runs before the verifier has asked for the attribute.
  if (!adaptor.getPermutationAttr())
    return emitOptionalError(location, "'", getOperationName(),
                             "' op requires attribute 'permutation'");
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (static_cast<int64_t>(permutation.size()) != type.getRank() ||
      !isPermutationVector(permutation))
    return emitOptionalError(location, "'", getOperationName(),
                             "' op permutation [", permutation,
                             "] must name each of the ", type.getRank(),
                             " dimensions of ", type, " once");
  inferredReturnTypes.push_back(RankedTensorType::get(
      applyPermutation(type.getShape(), permutation),
      permuteElementType(type.getElementType(), permutation)));
  return success();
}

ShapeRule TransposeOp::getShapeRule() {
  ShapeRule rule;
  for (auto [i, source] : llvm::enumerate(getPermutation()))
    rule.equal.push_back({{getOperand(), unsigned(source), "operand"},
                          {getResult(), unsigned(i), "result"}});
  return rule;
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

/// Permutes the elements of a small constant whose elements are stored as T.
template <typename T>
static Attribute permuteConstant(Attribute attr, RankedTensorType type,
                                 RankedTensorType resultType,
                                 ArrayRef<int64_t> permutation) {
  auto data = ConstantData<T>::get(attr, type.getNumElements());
  if (!data)
    return {};
  SmallVector<int64_t> sourceStrides = applyPermutation(
      ArrayRef<int64_t>(computeSuffixProduct(type.getShape())), permutation);
  SmallVector<int64_t> resultStrides =
      computeSuffixProduct(resultType.getShape());
  SmallVector<T> values(type.getNumElements());
  for (auto [i, value] : llvm::enumerate(values))
    value = (*data)[linearize(
        delinearize(static_cast<int64_t>(i), resultStrides), sourceStrides)];
  return DenseElementsAttr::getFromRawBuffer(
      getStorageTensorType(resultType),
      ArrayRef(reinterpret_cast<const char *>(values.data()),
               values.size() * sizeof(T)));
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getOperand().getType());
  auto resultType = cast<RankedTensorType>(getType());
  if (type == resultType && isIdentityPermutation(getPermutation()))
    return getOperand();
  if (!adaptor.getOperand() || !type.hasStaticShape() ||
      !resultType.hasStaticShape())
    return {};
  auto dense = dyn_cast<DenseIntOrFPElementsAttr>(adaptor.getOperand());
  if (dense && dense.isSplat())
    return dense.resizeSplat(getStorageTensorType(resultType));
  if (type.getNumElements() > kMaxFoldedElements)
    return {};
  if (getStorageTensorType(type).getElementTypeBitWidth() == 8)
    return permuteConstant<uint8_t>(adaptor.getOperand(), type, resultType,
                                    getPermutation());
  return permuteConstant<uint32_t>(adaptor.getOperand(), type, resultType,
                                   getPermutation());
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

namespace {
/// transpose(transpose(x) {p}) {q} → transpose(x) {p ∘ q}
struct ComposeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto producer = op.getOperand().getDefiningOp<TransposeOp>();
    if (!producer)
      return rewriter.notifyMatchFailure(op, "operand is not a transpose");
    SmallVector<int64_t> composed =
        applyPermutation(producer.getPermutation(), op.getPermutation());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(),
                                             producer.getOperand(), composed);
    return success();
  }
};
} // namespace

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                              MLIRContext *context) {
  results.add<ComposeTransposes>(context);
}
