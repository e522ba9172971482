//===- Kernel.cpp - Names, limits and creation of kernels -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/Kernel.h"
#include "ContractionKernel.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace needle::cpu;

/// Name of what is stored, e.g. "_f32" or, by its range, "_u8".
static std::string getDestName(const KernelSpec &spec) {
  if (spec.dest == DestKind::F32)
    return "_f32";
  if (spec.dest == DestKind::I32)
    return "_i32";
  if (spec.destMin == 0 && spec.destMax == 255)
    return "_u8";
  if (spec.destMin == -128 && spec.destMax == 127)
    return "_s8";
  // Narrow ranges by their bounds, with "m" for minus.
  std::string name = llvm::formatv("_q{0}to{1}", spec.destMin, spec.destMax);
  llvm::replace(name, '-', 'm');
  return name;
}

std::string KernelSpec::getName(const CPUTarget &target) const {
  std::string name = integer ? "qmatmul" : "matmul";
  if (integer) {
    name += lhsUnsigned ? "_u8" : "_s8";
    name += rhsBits == 8 ? "s8" : "i16";
  }
  name += getDestName(*this);
  if (hasBias)
    name += integerBias ? "_bias32" : "_bias";
  if (activation != Activation::None)
    name += "_" + stringifyActivation(activation).str();
  if (wide)
    name += "_wide";
  RegisterTile tile = integer ? target.intTile : target.floatTile;
  return llvm::formatv("{0}.{1}.{2}x{3}", name, target.name, tile.rows,
                       tile.columns);
}

std::string PackSpec::getName(const CPUTarget &target) const {
  const char *kind = !integer         ? "f32"
                     : destBits == 8  ? "s8"
                     : sourceUnsigned ? "u8_i16"
                                      : "s8_i16";
  return llvm::formatv("pack_rhs_{0}.{1}", kind, target.name);
}

int64_t needle::cpu::getMaxDepth(const KernelSpec &spec) {
  // |lhs - zero point| <= 255; packed rhs of i8 is at most 128, of i16 at most
  // 255 in magnitude. Even, because K is consumed in pairs.
  int64_t largestProduct = 255 * (spec.rhsBits == 8 ? 128 : 255);
  return (INT32_MAX / largestProduct) & ~int64_t(1);
}

Value needle::cpu::emitPackedRowStride(OpBuilder &builder, Location loc,
                                       bool integer, Value depth) {
  KernelBuilder b(loc, builder);
  int64_t line = integer ? 32 : 16;
  return b.add(b.roundUp(depth, line), b.i64(line));
}

/// Bytes of packed lhs that a block may take: half of a small L2 cache.
static constexpr int64_t packedBlockBytes = 192 * 1024;

Value needle::cpu::emitBlockRows(OpBuilder &builder, Location loc, bool integer,
                                 const CPUTarget &target, Value rows,
                                 Value depth) {
  KernelBuilder b(loc, builder);
  int64_t tileRows = integer ? target.intTile.rows : target.floatTile.rows;
  Value stride = emitPackedRowStride(builder, loc, integer, depth);
  Value fitting = b.div(b.i64(packedBlockBytes / (integer ? 2 : 4)), stride);
  fitting = b.mul(b.div(fitting, b.i64(tileRows)), b.i64(tileRows));
  fitting = b.max(b.min(fitting, b.i64(target.blockRows)), b.i64(tileRows));
  return b.max(b.min(fitting, rows), b.i64(1));
}

/// On a function that was emitted as a kernel: the name of the kernel. Another
/// function of the module may already have that name.
static constexpr StringLiteral emittedKernelAttr = "needle.emitted_kernel";

/// Creates `void name(ptr context, i64 begin, i64 end, i64 worker)` at the end
/// of the module and calls `body` to fill it, unless it is there already.
static func::FuncOp
getOrCreateTask(ModuleOp module, StringRef name,
                function_ref<void(KernelBuilder &, Block &)> body) {
  auto wanted = StringAttr::get(module.getContext(), name);
  for (auto existing : module.getOps<func::FuncOp>())
    if (existing->getAttr(emittedKernelAttr) == wanted)
      return existing;
  MLIRContext *context = module.getContext();
  std::string symbol = name.str();
  while (module.lookupSymbol(symbol))
    symbol += "_";
  OpBuilder atEnd = OpBuilder::atBlockEnd(module.getBody());
  KernelBuilder b(NameLoc::get(StringAttr::get(context, name)), atEnd);
  auto type = b.getFunctionType(
      {b.ptrType(), b.getI64Type(), b.getI64Type(), b.getI64Type()}, {});
  auto function = func::FuncOp::create(b, symbol, type);
  function.setPrivate();
  function->setAttr(emittedKernelAttr, wanted);
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  body(b, *entry);
  func::ReturnOp::create(b);
  return function;
}

func::FuncOp needle::cpu::getOrEmitContractionKernel(ModuleOp module,
                                                     const KernelSpec &spec,
                                                     const CPUTarget &target) {
  return getOrCreateTask(
      module, spec.getName(target), [&](KernelBuilder &b, Block &entry) {
        ContractionKernel(b, spec, target)
            .emit(entry.getArgument(0), entry.getArgument(1),
                  entry.getArgument(2), entry.getArgument(3));
      });
}

func::FuncOp needle::cpu::getOrEmitPackKernel(ModuleOp module,
                                              const PackSpec &spec,
                                              const CPUTarget &target) {
  return getOrCreateTask(
      module, spec.getName(target), [&](KernelBuilder &b, Block &entry) {
        emitPackRhs(b, spec, target, entry.getArgument(0), entry.getArgument(1),
                    entry.getArgument(2));
      });
}
