// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 -split-input-file -verify-diagnostics
// RUN: sed 's/expected-error/unchecked/' %s | not needle-opt --needle-cpu-emit-kernels=target=avx2 -split-input-file 2>&1 | FileCheck %s

// What the two passes that know kernels ask of their input.

// CHECK: error: 'needle_cpu.pack_rhs' op is on tensors; kernels work on buffers
func.func @tensors(%x: tensor<4x4xf32>, %w: tensor<4x16xf32>, %e: tensor<1x4x16xf32>, %d: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %p = needle_cpu.pack_rhs ins(%w : tensor<4x16xf32>) outs(%e : tensor<1x4x16xf32>) -> tensor<1x4x16xf32>
  // expected-error @+1 {{is on tensors; workspaces are added to buffers}}
  %y = needle_cpu.matmul ins(%x, %p : tensor<4x4xf32>, tensor<1x4x16xf32>) outs(%d : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// CHECK: error: 'needle_cpu.matmul' op is in a function without the runtime's arguments; run needle-cpu-add-runtime-arguments
func.func @no_runtime_arguments(%x: memref<4x4xf32>, %w: memref<1x4x16xf32>, %y: memref<4x16xf32>) {
  // expected-error @+1 {{is in a function without the runtime's arguments; run needle-cpu-add-runtime-arguments}}
  needle_cpu.matmul ins(%x, %w : memref<4x4xf32>, memref<1x4x16xf32>) outs(%y : memref<4x16xf32>)
  return
}

// -----

func.func @panel(%x: memref<4x4xf32>, %w: memref<2x4x8xf32>, %y: memref<4x16xf32>,
                 %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  // expected-error @+1 {{is packed in panels of 8 columns, but the kernels of avx2 read 16}}
  needle_cpu.matmul ins(%x, %w : memref<4x4xf32>, memref<2x4x8xf32>) outs(%y : memref<4x16xf32>)
  return
}

// -----

func.func @few_columns(%lhs: memref<1x8x8x8xf32>, %rhs: memref<18x8xf32>, %dest: memref<36x8xf32>, %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  // expected-error @+1 {{depthwise has groups of several channels, for which the kernels of avx2 need 16 columns}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x8xf32>, memref<18x8xf32>) outs(%dest : memref<36x8xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4>}
  return
}
