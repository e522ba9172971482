// What the conversion emits for elementwise operations and for the rules N1 to
// N3 is machine code without calls: no libm, no roundf, no fmaximumf.
//
// RUN: needle-opt %s --convert-needle-to-linalg \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" \
// RUN:   --buffer-results-to-out-params="modify-public-functions=1 hoist-static-allocs=1" --canonicalize --cse \
// RUN:   --convert-linalg-to-loops --expand-strided-metadata --lower-affine --convert-scf-to-cf --convert-math-to-llvm \
// RUN:   --finalize-memref-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --convert-arith-to-llvm \
// RUN:   --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir -o %t.ll
// RUN: opt -O2 -mtriple=x86_64-linux-gnu %t.ll | llc -mtriple=x86_64-linux-gnu | FileCheck %s
// RUN: opt -O2 -mtriple=x86_64-linux-gnu -mcpu=haswell %t.ll | llc -mtriple=x86_64-linux-gnu -mcpu=haswell | FileCheck %s
// RUN: FileCheck %s --check-prefix=FLAGS < %t.ll

// FLAGS-NOT: {{fast|contract|reassoc|nnan|nsz|ninf|arcp|afn}}

// CHECK-NOT: call
// CHECK: quantize:
// CHECK: divps
// CHECK-NOT: call
// CHECK: quantize_dynamic:
// CHECK-NOT: call
// CHECK: maximum:
// CHECK-NOT: call
// CHECK: minimum:
// CHECK-NOT: call
// CHECK: unary:
// CHECK-NOT: call
// CHECK: .section ".note.GNU-stack"

func.func @quantize(%x: tensor<64xf32>) -> tensor<64x!quant.uniform<u8:f32, 0.375:3>> {
  %0 = needle.quantize %x : tensor<64xf32> -> tensor<64x!quant.uniform<u8:f32, 0.375:3>>
  return %0 : tensor<64x!quant.uniform<u8:f32, 0.375:3>>
}

func.func @quantize_dynamic(%x: tensor<8x8xf32>) -> (tensor<8x8xui8>, tensor<f32>, tensor<i32>) {
  %q, %s, %z = needle.quantize_dynamic %x : tensor<8x8xf32> -> tensor<8x8xui8>, tensor<f32>, tensor<i32>
  return %q, %s, %z : tensor<8x8xui8>, tensor<f32>, tensor<i32>
}

func.func @maximum(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %0 = needle.maximum %x, %y : tensor<64xf32>, tensor<64xf32> -> tensor<64xf32>
  return %0 : tensor<64xf32>
}

func.func @minimum(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %0 = needle.minimum %x, %y : tensor<64xf32>, tensor<64xf32> -> tensor<64xf32>
  return %0 : tensor<64xf32>
}

func.func @unary(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) {
  %0 = needle.relu %x : tensor<64xf32> -> tensor<64xf32>
  %1 = needle.abs %x : tensor<64xf32> -> tensor<64xf32>
  %2 = needle.sqrt %x : tensor<64xf32> -> tensor<64xf32>
  return %0, %1, %2 : tensor<64xf32>, tensor<64xf32>, tensor<64xf32>
}
