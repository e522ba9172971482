// Products with 4-bit weights that have a scale for each block.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUBLOCKWISEOPS_TD
#define NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUBLOCKWISEOPS_TD

include "needle/Dialect/NeedleCPU/IR/NeedleCPUOps.td"

def NeedleCPU_PackBlockwiseOp : NeedleCPU_Op<"pack_blockwise", [Pure]> {
  let summary = "packs a 4-bit weight and its parameters";
  let description = [{
    Source K×N, an integer in a byte, scales and zero points as of
    `needle.qmatmul_blockwise`. The result has one row of bytes for each panel of
    `panel` columns: for each block along K the scales, the zero points if there are
    any, and `[block_size / 8][panel][4]` bytes of two integers each
    (BlockwiseLayout.h). It exists on tensors only: needle-cpu-pack-weights
    evaluates it.
  }];
  let arguments = (ins TensorRankOf<[I8], [2]>:$source,
    TensorRankOf<[F32], [2]>:$scales, Optional<TensorRankOf<[I8], [2]>>:$zero_points,
    I64Attr:$block_size, I64Attr:$panel);
  let results = (outs TensorRankOf<[I8], [2]>:$result);
  let assemblyFormat = [{
    $source `,` $scales (`zero_points` `(` $zero_points^ `:` type($zero_points) `)`)?
    attr-dict `:` type($source) `,` type($scales) `->` type($result)
  }];
  let hasVerifier = 1;
}

def NeedleCPU_QMatmulBlockwiseOp : NeedleCPU_DestinationOp<"qmatmul_blockwise"> {
  let summary = "matrix multiplication with a packed 4-bit weight";
  let description = [{
    `needle.qmatmul_blockwise`: lhs f32 M×K, rhs packed by `pack_blockwise`
    (`asymmetric`: with zero points), dest f32 M×N. On buffers, `workspace` as for
    `matmul`.
  }];
  let arguments = (ins NeedleCPU_Buffer:$lhs, NeedleCPU_Buffer:$rhs,
    NeedleCPU_Buffer:$dest, Optional<NeedleCPU_Buffer>:$workspace,
    I64Attr:$block_size, I64Attr:$panel, UnitAttr:$asymmetric,
    DefaultValuedAttr<Needle_BlockwiseActivationsAttr,
                      "::needle::BlockwiseActivations::Float32">:$activations);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    `outs` `(` $dest `:` type($dest) `)`
    (`workspace` `(` $workspace^ `:` type($workspace) `)`)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDestMutable(); }
    /// As of the other contractions: lhs is M×K.
    bool getTransposeLhs() { return false; }
  }];
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUBLOCKWISEOPS_TD
