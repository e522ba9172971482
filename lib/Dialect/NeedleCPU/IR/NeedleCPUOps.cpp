//===- NeedleCPUOps.cpp - Operations of the needle_cpu dialect ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and memory effects.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

#include "mlir/IR/OpImplementation.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace needle::cpu;

#define GET_OP_CLASSES
#include "needle/Dialect/NeedleCPU/IR/NeedleCPUOps.cpp.inc"

//===----------------------------------------------------------------------===//
// What the operations have in common
//===----------------------------------------------------------------------===//

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

/// On memrefs the inputs are read, the destination is overwritten, whatever it
/// held, and the workspace is used. On tensors there are no effects.
static void getDestinationStyleEffects(DestinationStyleOpInterface op,
                                       Value workspace, Effects &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isWorkspace = operand.get() == workspace;
    if (isWorkspace || op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    if (isWorkspace || op.isDpsInput(&operand))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// A dimension and how messages name it.
struct Dimension {
  int64_t size;
  StringRef name;
};

/// Two dimensions agree when either is dynamic.
static LogicalResult verifySame(Operation *op, Dimension a, Dimension b) {
  if (ShapedType::isDynamic(a.size) || ShapedType::isDynamic(b.size) ||
      a.size == b.size)
    return success();
  return op->emitOpError() << a.name << " is " << a.size << ", but " << b.name
                           << " is " << b.size;
}

/// Tensors and memrefs never meet in one operation.
static LogicalResult verifyOneKind(Operation *op) {
  bool anyTensor =
      llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>);
  bool anyMemRef =
      llvm::any_of(op->getOperandTypes(), llvm::IsaPred<MemRefType>);
  if (anyTensor && anyMemRef)
    return op->emitOpError("mixes tensors and memrefs");
  return success();
}

static LogicalResult verifyShape(Operation *op, StringRef name, ShapedType type,
                                 int64_t rank,
                                 function_ref<bool(Type)> isAllowed,
                                 StringRef allowed) {
  if (type.getRank() == rank && isAllowed(type.getElementType()))
    return success();
  return op->emitOpError() << name << " must have rank " << rank
                           << " and element type " << allowed << ", but is "
                           << type;
}

/// Kernels take this operand as one block of memory.
static LogicalResult verifyContiguous(Operation *op, StringRef name,
                                      Value operand) {
  if (!operand)
    return success();
  auto memref = dyn_cast<MemRefType>(operand.getType());
  bool isRow = memref && memref.getRank() == 1 && memref.isLastDimUnitStride();
  if (!memref || isRow || memref.getLayout().isIdentity())
    return success();
  return op->emitOpError() << name << " must be contiguous, but is " << memref;
}

/// Kernels store rows of neighbouring elements.
static LogicalResult verifyContiguousRows(Operation *op, Value dest) {
  auto memref = dyn_cast<MemRefType>(dest.getType());
  if (!memref || memref.isLastDimUnitStride())
    return success();
  return op->emitOpError() << "dest must have contiguous rows, but is "
                           << memref;
}

static bool isF32(Type type) { return type.isF32(); }
static bool isI8(Type type) { return type.isSignlessInteger(8); }
static bool isI32(Type type) { return type.isSignlessInteger(32); }
static bool isI8OrI16(Type type) {
  return type.isSignlessInteger(8) || type.isSignlessInteger(16);
}
static bool isF32OrI32(Type type) { return isF32(type) || isI32(type); }
static bool isNumber(Type type) {
  return isF32(type) || isI8OrI16(type) || isI32(type);
}

/// The panels of a right-hand side, see pack_rhs.
static LogicalResult verifyPacked(Operation *op, StringRef name,
                                  ShapedType packed, int64_t k, int64_t n,
                                  int64_t groups) {
  bool isFloat = packed.getElementType().isF32();
  int64_t panel = packed.getDimSize(2);
  if (ShapedType::isDynamic(panel) || panel < 1)
    return op->emitOpError()
           << name << " must have a static panel width, but is " << packed;
  bool isNarrow = packed.getElementType().isInteger(8);
  if (!isFloat && packed.getDimSize(3) != (isNarrow ? 4 : 2))
    return op->emitOpError()
           << name << " must end in " << (isNarrow ? "quads" : "pairs")
           << ", but is " << packed;
  bool isKnown = !ShapedType::isDynamic(n);
  if (isKnown && n % groups != 0)
    return op->emitOpError()
           << "N is " << n << ", not divisible by " << groups << " groups";
  int64_t panels =
      isKnown ? groups * llvm::divideCeilSigned(n / groups, panel) : n;
  int64_t depth = k;
  if (!ShapedType::isDynamic(k) && !isFloat) {
    int64_t quads = llvm::divideCeilSigned(k, 4);
    depth = isNarrow ? quads + 1 : 2 * quads;
  }
  if (failed(verifySame(op, {packed.getDimSize(0), "the number of panels"},
                        {panels, "N divided by the panel width"})))
    return failure();
  return verifySame(op, {packed.getDimSize(1), "the depth of the panels"},
                    {depth, isFloat    ? "K"
                            : isNarrow ? "K in quads and one"
                                       : "K in pairs of quads"});
}

/// Scratch memory is planned after bufferization; before, there is none.
static LogicalResult verifyWorkspace(Operation *op, Value workspace) {
  if (!workspace)
    return success();
  if (!isa<MemRefType>(workspace.getType()))
    return op->emitOpError("has a workspace on memrefs only");
  if (failed(verifyShape(op, "workspace", cast<ShapedType>(workspace.getType()),
                         2, isI8, "i8")))
    return failure();
  return verifyContiguous(op, "workspace", workspace);
}

ContractionExtents
needle::cpu::getContractionExtents(ShapedType lhs, bool transposed,
                                   std::optional<ArrayRef<int64_t>> values) {
  if (!values)
    return {lhs.getDimSize(transposed ? 1 : 0),
            lhs.getDimSize(transposed ? 0 : 1)};
  Window window = Window::of(*values);
  auto product = [](ArrayRef<int64_t> extents) {
    int64_t result = 1;
    for (int64_t extent : extents)
      result =
          ShapedType::isDynamic(result) || ShapedType::isDynamic(extent)
              ? ShapedType::kDynamic
              : llvm::checkedMul(result, extent).value_or(ShapedType::kDynamic);
    return result;
  };
  return {product({lhs.getDimSize(0), window.getExtent(0, lhs.getDimSize(1)),
                   window.getExtent(1, lhs.getDimSize(2))}),
          product({window.kernel[0], window.kernel[1],
                   window.getChannels(lhs.getDimSize(3))})};
}

/// The left-hand side: a matrix, or images with a window.
template <typename Op>
static LogicalResult verifyLhs(Op op, function_ref<bool(Type)> isAllowed,
                               StringRef allowed) {
  ShapedType lhs = op.getLhs().getType();
  std::optional<ArrayRef<int64_t>> values = op.getWindow();
  if (failed(verifyShape(op, "lhs", lhs, values ? 4 : 2, isAllowed, allowed)))
    return failure();
  if (!values)
    return success();
  auto memref = dyn_cast<MemRefType>(lhs);
  if (memref && !memref.isLastDimUnitStride())
    return op.emitOpError()
           << "with a window lhs must have contiguous channels, but is "
           << memref;
  if (op.getTransposeLhs())
    return op.emitOpError("with a window has no transposed lhs");
  if (values->size() != Window::numValues)
    return op.emitOpError() << "window must have " << Window::numValues
                            << " values, got " << values->size();
  Window window = Window::of(*values);
  auto positive = [](ArrayRef<int64_t> pair) {
    return pair[0] > 0 && pair[1] > 0;
  };
  if (!positive(window.kernel) || !positive(window.strides) ||
      !positive(window.dilations))
    return op.emitOpError("window must have a kernel, strides and dilations "
                          "that are positive");
  int64_t channels = lhs.getDimSize(3);
  if (window.groups < 1 ||
      (!ShapedType::isDynamic(channels) && channels % window.groups != 0))
    return op.emitOpError()
           << "window has " << window.groups
           << " groups, which must divide the channels of lhs " << lhs;
  for (unsigned i = 0; i < 2; ++i) {
    int64_t size = lhs.getDimSize(1 + i);
    if (!ShapedType::isDynamic(size) && size + window.getRoom(i) < 0)
      return op.emitOpError() << "window does not fit into lhs " << lhs;
  }
  return success();
}

/// The weights of a depthwise contraction.
template <typename Op>
static LogicalResult verifyDepthwise(Op op) {
  if (!op.getWindow())
    return op.emitOpError("depthwise needs a window");
  ShapedType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  Window window = Window::of(*op.getWindow());
  int64_t channels = lhs.getDimSize(3);
  if (ShapedType::isDynamic(channels))
    return op.emitOpError("depthwise needs static channels");
  int64_t share = window.getChannels(channels);
  if (share != 1 && share != 2 && share != 4)
    return op.emitOpError()
           << "depthwise has groups of 1, 2 or 4 channels, but these have "
           << share;
  bool isInteger = isI8(lhs.getElementType()),
       inPairs = isInteger && share == 1;
  auto isI16 = [](Type type) { return type.isSignlessInteger(16); };
  if (failed(inPairs ? verifyShape(op, "rhs", rhs, 3, isI16, "i16")
                     : verifyShape(op, "rhs", rhs, 2, isF32, "f32")) ||
      failed(verifyContiguous(op, "rhs", op.getRhs())) ||
      failed(verifyContiguous(op, "bias", op.getBias())) ||
      failed(verifyContiguousRows(op, op.getDest())))
    return failure();
  if (llvm::any_of(window.padding, [](int64_t side) { return side < 0; }))
    return op.emitOpError("depthwise takes no negative padding");
  if (inPairs && rhs.getDimSize(2) != 2)
    return op.emitOpError() << "rhs must end in pairs, but is " << rhs;
  int64_t width = window.kernel[1];
  int64_t taps = window.kernel[0] * (inPairs ? (width + 1) / 2 : width * share);
  if (isInteger && share > 1 && taps > Window::mostExactTaps)
    return op.emitOpError()
           << "depthwise adds up at most " << Window::mostExactTaps
           << " products of integers in f32, but these are " << taps;
  Dimension columns = {op.getDest().getType().getDimSize(1), "N of dest"};
  ContractionExtents extents =
      getContractionExtents(lhs, /*transposed=*/false, op.getWindow());
  if (failed(verifySame(op, {extents.rows, "M of lhs"},
                        {op.getDest().getType().getDimSize(0), "M of dest"})) ||
      failed(verifySame(op, {rhs.getDimSize(0), "the first dimension of rhs"},
                        {taps, "the size of the kernel"})) ||
      failed(verifySame(op, {rhs.getDimSize(1), "N of rhs"}, columns)) ||
      failed(verifySame(op, {channels, "C of lhs"}, columns)))
    return failure();
  if (!op.getBias())
    return success();
  return verifySame(
      op, {op.getBias().getType().getDimSize(0), "the length of bias"},
      columns);
}

/// The shape of a contraction's operands and destination.
static LogicalResult verifyContraction(Operation *op, ContractionExtents lhs,
                                       std::optional<ArrayRef<int64_t>> window,
                                       Value rhsOperand, Value bias,
                                       Value destOperand) {
  if (failed(verifyContiguous(op, "rhs", rhsOperand)) ||
      failed(verifyContiguous(op, "bias", bias)) ||
      failed(verifyContiguousRows(op, destOperand)))
    return failure();
  auto rhs = cast<ShapedType>(rhsOperand.getType());
  auto dest = cast<ShapedType>(destOperand.getType());
  int64_t n = dest.getDimSize(1);
  int64_t groups = window ? Window::of(*window).groups : 1;
  if (failed(verifySame(op, {lhs.rows, "M of lhs"},
                        {dest.getDimSize(0), "M of dest"})) ||
      failed(verifyPacked(op, "rhs", rhs, lhs.depth, n, groups)))
    return failure();
  if (!bias)
    return success();
  return verifySame(
      op,
      {cast<ShapedType>(bias.getType()).getDimSize(0), "the length of bias"},
      {n, "N of dest"});
}

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  auto type = cast<ShapedType>(getResult().getType());
  if (!isNumber(type.getElementType()))
    return emitOpError() << "cannot hold elements of type "
                         << type.getElementType();
  ShapedType value = getValue().getShapedType();
  if (value.getShape() != type.getShape() ||
      value.getElementType() != type.getElementType())
    return emitOpError() << "value of type " << value
                         << " does not fit the result type " << type;
  if (auto memref = dyn_cast<MemRefType>(type))
    if (!memref.getLayout().isIdentity())
      return emitOpError() << "memref must be contiguous, but is " << type;
  return success();
}

//===----------------------------------------------------------------------===//
// PackRhsOp
//===----------------------------------------------------------------------===//

void PackRhsOp::getEffects(Effects &effects) {
  getDestinationStyleEffects(*this, /*workspace=*/nullptr, effects);
}

/// Which sources a destination of i8 or i16 can hold.
static LogicalResult verifyZeroPoints(PackRhsOp op, int64_t n) {
  std::optional<ArrayRef<int32_t>> zeroPoints = op.getZeroPoints();
  bool isWide = op.getDest().getType().getElementType().isInteger(16);
  if (!isWide && (zeroPoints || op.getZeroPoint() || op.getSourceUnsigned()))
    return op.emitOpError("dest must be of i16 for an unsigned source or one "
                          "with a zero point");
  if (zeroPoints && op.getZeroPoint())
    return op.emitOpError("has zero points as an attribute and as an operand");
  if (op.getZeroPoint() &&
      failed(verifyShape(op, "zero_point", op.getZeroPoint().getType(), 0,
                         isI32, "i32")))
    return failure();
  if (!zeroPoints)
    return success();
  int32_t low = op.getSourceUnsigned() ? 0 : -128;
  if (llvm::any_of(*zeroPoints, [&](int32_t zeroPoint) {
        return zeroPoint < low || zeroPoint > low + 255;
      }))
    return op.emitOpError("has a zero point that its source cannot hold");
  if (zeroPoints->size() == 1)
    return success();
  return verifySame(
      op,
      {static_cast<int64_t>(zeroPoints->size()), "the number of zero points"},
      {n, "N of source"});
}

LogicalResult PackRhsOp::verify() {
  ShapedType source = getSource().getType(), dest = getDest().getType();
  bool isFloat = source.getElementType().isF32();
  if (failed(verifyOneKind(*this)) ||
      failed(verifyShape(
          *this, "source", source, 2,
          [](Type type) { return isF32(type) || isI8(type); }, "f32 or i8")) ||
      failed(isFloat
                 ? verifyShape(*this, "dest", dest, 3, isF32, "f32")
                 : verifyShape(*this, "dest", dest, 4, isI8OrI16, "i8 or i16")))
    return failure();
  int64_t k = source.getDimSize(getTransposed() ? 1 : 0);
  int64_t n = source.getDimSize(getTransposed() ? 0 : 1);
  if (failed(verifyPacked(*this, "dest", dest, k, n, getGroups())) ||
      failed(verifyContiguous(*this, "dest", getDest())))
    return failure();
  if (!isFloat)
    return verifyZeroPoints(*this, n);
  if (getZeroPoints() || getZeroPoint() || getSourceUnsigned())
    return emitOpError("of f32 has neither zero points nor signedness");
  return success();
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

void MatmulOp::getEffects(Effects &effects) {
  getDestinationStyleEffects(*this, getWorkspace(), effects);
}

LogicalResult MatmulOp::verify() {
  ShapedType lhs = getLhs().getType(), rhs = getRhs().getType();
  ShapedType dest = getDest().getType();
  if (failed(verifyOneKind(*this)) || failed(verifyLhs(*this, isF32, "f32")) ||
      failed(verifyShape(*this, "dest", dest, 2, isF32, "f32")))
    return failure();
  if (getBias() &&
      failed(verifyShape(*this, "bias", getBias().getType(), 1, isF32, "f32")))
    return failure();
  if (failed(verifyWorkspace(*this, getWorkspace())))
    return failure();
  if (getDepthwise())
    return verifyDepthwise(*this);
  if (failed(verifyShape(*this, "rhs", rhs, 3, isF32, "f32")))
    return failure();
  return verifyContraction(
      *this, getContractionExtents(lhs, getTransposeLhs(), getWindow()),
      getWindow(), getRhs(), getBias(), getDest());
}

//===----------------------------------------------------------------------===//
// QMatmulOp
//===----------------------------------------------------------------------===//

void QMatmulOp::getEffects(Effects &effects) {
  getDestinationStyleEffects(*this, getWorkspace(), effects);
}

static LogicalResult verifyLhsZeroPoint(QMatmulOp op) {
  int32_t low = op.getLhsUnsigned() ? 0 : -128;
  int32_t zeroPoint = op.getLhsZeroPoint();
  if (!op.getLhsDynamicZeroPoint()) {
    if (zeroPoint < low || zeroPoint > low + 255)
      return op.emitOpError("has a zero point that lhs cannot hold");
    return success();
  }
  if (zeroPoint != 0)
    return op.emitOpError("has a zero point as an attribute and as an operand");
  return verifyShape(op, "zero_point", op.getLhsDynamicZeroPoint().getType(), 0,
                     isI32, "i32");
}

/// What the saturation proof says, and the weights that it has moved.
static LogicalResult verifyByteSteps(QMatmulOp op) {
  ShapedType rhs = op.getRhs().getType();
  int32_t steps = op.getByteSteps();
  if (steps != 0 && !rhs.getElementType().isInteger(8))
    return op.emitOpError("has byte_steps, but rhs is not of i8");
  if (static_cast<bool>(op.getRest()) != static_cast<bool>(op.getRestGroups()))
    return op.emitOpError("has rest and rest_groups only together");
  if (!op.getRest())
    return success();
  if (steps == 0)
    return op.emitOpError("has a rest without byte_steps");
  ShapedType rest = op.getRest().getType();
  ShapedType groups = op.getRestGroups().getType();
  if (failed(verifyShape(op, "rest", rest, 4, isI8, "i8")) ||
      failed(verifyShape(op, "rest_groups", groups, 2, isI32, "i32")) ||
      failed(verifyContiguous(op, "rest", op.getRest())) ||
      failed(verifyContiguous(op, "rest_groups", op.getRestGroups())))
    return failure();
  for (unsigned dim : {0, 2, 3})
    if (failed(verifySame(op, {rest.getDimSize(dim), "an extent of rest"},
                          {rhs.getDimSize(dim), "that of rhs"})))
      return failure();
  for (unsigned dim : {0, 1})
    if (failed(verifySame(op,
                          {groups.getDimSize(dim), "an extent of rest_groups"},
                          {rest.getDimSize(dim), "that of rest"})))
      return failure();
  return success();
}

/// The scales, and the parameters of the destination where it is quantized.
static LogicalResult verifyRescale(QMatmulOp op) {
  ShapedType dest = op.getDest().getType();
  if (dest.getElementType().isInteger(32)) {
    if (op.getScales())
      return op.emitOpError("with dest of i32 has no scales");
    if (op.getActivation() != needle::Activation::None)
      return op.emitOpError("with dest of i32 has no activation");
    if (op.getBias() && !isI32(op.getBias().getType().getElementType()))
      return op.emitOpError("with dest of i32 has a bias of i32");
  } else {
    if (!op.getScales())
      return op.emitOpError("needs scales unless dest is of i32");
    if (failed(verifyShape(op, "scales", op.getScales().getType(), 1, isF32,
                           "f32")) ||
        failed(verifySame(
            op,
            {op.getScales().getType().getDimSize(0), "the length of scales"},
            {dest.getDimSize(1), "N of dest"})))
      return failure();
  }

  bool isQuantized = dest.getElementType().isInteger(8);
  for (Attribute attr :
       {Attribute(op.getDestScaleAttr()), Attribute(op.getDestZeroPointAttr()),
        Attribute(op.getDestMinAttr()), Attribute(op.getDestMaxAttr())})
    if (static_cast<bool>(attr) != isQuantized)
      return op.emitOpError("has dest_scale, dest_zero_point, dest_min and "
                            "dest_max exactly when dest is of i8");
  if (!isQuantized)
    return success();
  float scale = op.getDestScale()->convertToFloat();
  if (!(scale > 0.0F) || std::isinf(scale))
    return op.emitOpError("dest_scale must be positive and finite");
  int32_t min = *op.getDestMin(), max = *op.getDestMax();
  bool fits = (min >= -128 && max <= 127) || (min >= 0 && max <= 255);
  if (min > max || !fits)
    return op.emitOpError()
           << "dest of i8 cannot hold " << min << " to " << max;
  int32_t zeroPoint = *op.getDestZeroPoint();
  if (zeroPoint < min || zeroPoint > max)
    return op.emitOpError("dest_zero_point lies outside dest_min to dest_max");
  return success();
}

LogicalResult QMatmulOp::verify() {
  ShapedType lhs = getLhs().getType(), rhs = getRhs().getType();
  ShapedType dest = getDest().getType();
  auto isResult = [](Type type) { return isF32OrI32(type) || isI8(type); };
  if (failed(verifyOneKind(*this)) || failed(verifyLhs(*this, isI8, "i8")) ||
      (!getDepthwise() &&
       failed(verifyShape(*this, "rhs", rhs, 4, isI8OrI16, "i8 or i16"))) ||
      failed(verifyShape(*this, "dest", dest, 2, isResult, "i32, f32 or i8")))
    return failure();
  if (getBias() && failed(verifyShape(*this, "bias", getBias().getType(), 1,
                                      isF32OrI32, "f32 or i32")))
    return failure();
  // Sums with such a bias would have to be i64.
  if (getDepthwise() && getBias() &&
      !isF32(getBias().getType().getElementType()) &&
      !dest.getElementType().isInteger(32))
    return emitOpError("depthwise takes an i32 bias for an i32 dest alone");
  ContractionExtents extents =
      getContractionExtents(lhs, getTransposeLhs(), getWindow());
  if (failed(getDepthwise()
                 ? verifyDepthwise(*this)
                 : verifyContraction(*this, extents, getWindow(), getRhs(),
                                     getBias(), getDest())) ||
      failed(verifyContiguous(*this, "scales", getScales())) ||
      failed(verifyLhsZeroPoint(*this)) || failed(verifyByteSteps(*this)) ||
      failed(verifyWorkspace(*this, getWorkspace())))
    return failure();
  return verifyRescale(*this);
}
