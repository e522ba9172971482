// The needle_cpu dialect: packed contractions as the CPU kernels execute them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUOPS_TD
#define NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "needle/Dialect/Needle/IR/NeedleBase.td"

def NeedleCPU_Dialect : Dialect {
  let name = "needle_cpu";
  let cppNamespace = "::needle::cpu";
  let summary = "Contractions on packed weights, the units of CPU code";
  let description = [{
    Between linalg and loops: destination-style operations on tensors, later on
    buffers, that stand for one tiled, packed, vectorized kernel each. They exist
    from the conversion of contractions until needle-cpu-emit-kernels replaces
    each by a call of the kernel emitted for the target description. Quantized
    tensors are plain signless integers here; signedness is an attribute.
  }];
  let dependentDialects = ["::needle::NeedleDialect"];
}

class NeedleCPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<NeedleCPU_Dialect, mnemonic, traits>;

def NeedleCPU_Buffer : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef],
                                 "ranked tensor or strided memref", "::mlir::ShapedType">;

def NeedleCPU_WeightOp : NeedleCPU_Op<"weight", [Pure]> {
  let summary = "constant that lives in the weight section of the artifact";
  let description = [{
    A tensor before bufferization, a read-only memref after it. Memory planning
    gives each distinct value one 64-byte aligned place in the weight section.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs NeedleCPU_Buffer:$result);
  let assemblyFormat = "attr-dict $value `->` type($result)";
  let hasVerifier = 1;
}

class NeedleCPU_DestinationOp<string mnemonic, list<Trait> traits = []>
    : NeedleCPU_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])> {
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestMutable(); }
  }];
}

def NeedleCPU_PackRhsOp : NeedleCPU_DestinationOp<"pack_rhs"> {
  let summary = "packs the right-hand side of a contraction into panels";
  let description = [{
    Source K×N (N×K when `transposed`) to panels of NR columns, zero-padded:

    - f32: `[ceil(N/NR)][K][NR]`.
    - signed integers whose zero point is 0, to i8: `[ceil(N/NR)][ceil(K/4) + 1][NR][4]`,
      quads of neighbours along K side by side; the last of each column is its sum,
      an i32.
    - other integers, to i16: `[ceil(N/NR)][2·ceil(K/4)][NR][2]`, pairs side by side,
      the zero point subtracted (`zero_points`: one, or one per column; or the
      operand `zero_point`, rank 0, i32).

    With `groups` the columns of each group have panels of their own, one group's
    behind the other's.

    Of a constant source it is evaluated at compile time (needle-cpu-pack-weights).
  }];
  let arguments = (ins NeedleCPU_Buffer:$source,
    Optional<NeedleCPU_Buffer>:$zero_point, NeedleCPU_Buffer:$dest,
    UnitAttr:$transposed, UnitAttr:$source_unsigned,
    OptionalAttr<DenseI32ArrayAttr>:$zero_points,
    DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$groups);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)`
    (`zero_point` `(` $zero_point^ `:` type($zero_point) `)`)?
    `outs` `(` $dest `:` type($dest) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def NeedleCPU_MatmulOp : NeedleCPU_DestinationOp<"matmul", [AttrSizedOperandSegments]> {
  let summary = "f32 matrix multiplication with a packed right-hand side";
  let description = [{
    `dest = activation(lhs · rhs + bias)`, as `needle.matmul`; lhs M×K (K×M when
    `transpose_lhs`), rhs packed by `pack_rhs`, bias N, dest M×N.

    With `window` it is a convolution: lhs is N×H×W×C, and the rows of the left
    matrix are its M = N·OH·OW windows of K = KH·KW·C elements, zero on padding.
    The values are KH, KW, strides, padding (top, bottom, left, right), dilations
    and groups, as in `needle.conv2d`; negative padding leaves out pixels. With G
    groups each N/G columns take C/G channels, K = KH·KW·C/G, and rhs is packed
    with as many. `depthwise` says that each channel is a group and has one column:
    rhs is not packed but KH·KW×C, and no padding is negative. A group may also have 2
    or 4 channels and as many columns: rhs is then K×C.
  }];
  let arguments = (ins NeedleCPU_Buffer:$lhs, NeedleCPU_Buffer:$rhs,
    Optional<NeedleCPU_Buffer>:$bias, NeedleCPU_Buffer:$dest,
    Optional<NeedleCPU_Buffer>:$workspace,
    UnitAttr:$transpose_lhs, OptionalAttr<DenseI64ArrayAttr>:$window, UnitAttr:$depthwise,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $dest `:` type($dest) `)`
    (`workspace` `(` $workspace^ `:` type($workspace) `)`)? attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def NeedleCPU_QMatmulOp : NeedleCPU_DestinationOp<"qmatmul", [AttrSizedOperandSegments]> {
  let summary = "integer matrix multiplication with a packed right-hand side";
  let description = [{
    `needle.qmatmul` on plain integers (N4, N5, N1): lhs M×K i8 (K×M when
    `transpose_lhs`; unsigned when `lhs_unsigned`), zero point `lhs_zero_point`
    or the operand `lhs_dynamic_zero_point` (rank 0, i32); rhs packed by
    `pack_rhs`; `scales` the combined scales f32(sa·sb), one per column (absent
    for an i32 dest); bias f32 or i32, N; dest i32, f32, or i8 quantized with
    `dest_scale`, `dest_zero_point` to `dest_min` … `dest_max`. `window`, and on
    buffers `workspace`, as for `matmul`; padding is the zero point.
    `depthwise` likewise, rhs being the centered weights: with a channel a group i16,
    KH·⌈KW/2⌉×C×2, neighbours in a row of the kernel side by side, with 0 behind an odd
    last one; with 2 or 4 channels f32, K×C, in which sums of K ≤ 258 products are
    exact: 258·255² < 2²⁴.

    `byte_steps` is what needle-cpu-prove-byte-dots has proven of a constant rhs of
    i8: that many quads of products, neighbours summed, fit 16 bits whatever lhs is;
    0 where nothing is known. To make it so, parts of some weights may have been moved
    to `rest`, `[ceil(N/NR)][E][NR][4]`, quads that multiply the quads of lhs whose
    indices along K are `rest_groups`, `[ceil(N/NR)][E]`; of them one fits 16 bits.
  }];
  let arguments = (ins NeedleCPU_Buffer:$lhs, NeedleCPU_Buffer:$rhs,
    Optional<NeedleCPU_Buffer>:$rest, Optional<NeedleCPU_Buffer>:$rest_groups,
    Optional<NeedleCPU_Buffer>:$lhs_dynamic_zero_point,
    Optional<NeedleCPU_Buffer>:$scales, Optional<NeedleCPU_Buffer>:$bias,
    NeedleCPU_Buffer:$dest, Optional<NeedleCPU_Buffer>:$workspace,
    UnitAttr:$transpose_lhs, UnitAttr:$lhs_unsigned,
    OptionalAttr<DenseI64ArrayAttr>:$window, UnitAttr:$depthwise,
    DefaultValuedAttr<I32Attr, "0">:$lhs_zero_point,
    DefaultValuedAttr<ConfinedAttr<I32Attr, [IntNonNegative]>, "0">:$byte_steps,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation,
    OptionalAttr<F32Attr>:$dest_scale, OptionalAttr<I32Attr>:$dest_zero_point,
    OptionalAttr<I32Attr>:$dest_min, OptionalAttr<I32Attr>:$dest_max);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`rest` `(` $rest^ `,` $rest_groups `:` type($rest) `,` type($rest_groups) `)`)?
    (`zero_point` `(` $lhs_dynamic_zero_point^ `:` type($lhs_dynamic_zero_point) `)`)?
    (`scales` `(` $scales^ `:` type($scales) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $dest `:` type($dest) `)`
    (`workspace` `(` $workspace^ `:` type($workspace) `)`)? attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUOPS_TD
