// RUN: needle-compile %s --emit=asm --target=avx2 -o - | FileCheck %s --check-prefix=AVX2
// RUN: needle-compile %s --emit=asm --target=x86-64 -o - | FileCheck %s --check-prefix=BASE
// RUN: needle-compile %s --emit=asm --target=neon -o - | FileCheck %s --check-prefix=NEON

// Sums of a chunk stay in 16 bits, are widened once, converted, rescaled and
// added, never contracted (N9).

func.func @integer(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %q = needle.constant dense<3> : tensor<64x64xsi8> -> tensor<64x64xsi8>
  %s = needle.constant dense<0.5> : tensor<2x64xf32> -> tensor<2x64xf32>
  %y = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64, activations = #needle.blockwise_activations<int8>}
     : tensor<?x64xf32>, tensor<64x64xsi8>, tensor<2x64xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

func.func @float(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %q = needle.constant dense<3> : tensor<64x64xsi8> -> tensor<64x64xsi8>
  %s = needle.constant dense<0.5> : tensor<2x64xf32> -> tensor<2x64xf32>
  %y = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64}
     : tensor<?x64xf32>, tensor<64x64xsi8>, tensor<2x64xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// AVX2-LABEL: qmatmul_blockwise_s8i4_b32.avx2.{{[0-9x]+}}:
// AVX2-NOT:   vfm
// AVX2:       vpmaddubsw
// AVX2-NOT:   vpmovsx
// AVX2:       vpaddw
// AVX2-NOT:   vpmovsx
// AVX2:       vpmaddwd
// AVX2-NOT:   vfm
// AVX2:       vcvtdq2ps
// AVX2-NOT:   vfm
// AVX2:       vmulps
// AVX2-NOT:   vfm
// AVX2:       vaddps
// AVX2-NOT:   vfm
// AVX2-LABEL: qmatmul_blockwise_f32i4_b32.avx2.{{[0-9x]+}}:
// AVX2-NOT:   vcvtdq2ps
// AVX2:       vpand
// AVX2-NOT:   vcvtdq2ps
// AVX2:       vfmadd

// BASE-LABEL: "qmatmul_blockwise_s8i4_b32.x86-64.{{[0-9x]+}}":
// BASE-NOT:   pmaddubsw
// BASE:       pmullw
// BASE:       pmaddwd
// BASE:       cvtdq2ps
// BASE-LABEL: "qmatmul_blockwise_f32i4_b32.x86-64.{{[0-9x]+}}":
// BASE-NOT:   fmadd
// BASE:       mulps
// BASE:       addps

// NEON has neither of them: products in 16 bits, widened by shifts.
// NEON-LABEL: qmatmul_blockwise_s8i4_b32.neon.{{[0-9x]+}}:
// NEON:       mla {{.*}}.8h
// NEON:       scvtf
// NEON-NOT:   fmla
// NEON:       fadd
// NEON-LABEL: qmatmul_blockwise_f32i4_b32.neon.{{[0-9x]+}}:
// NEON:       fmla
