// RUN: needle-opt %s --canonicalize | FileCheck %s

// Tensor forms without uses are dead; buffer forms write memory.
// CHECK-LABEL: func @effects
// CHECK-NEXT: needle_cpu.matmul ins(%{{.*}}, %{{.*}} : memref<
// CHECK-NEXT: return
func.func @effects(%lhs: tensor<4x5xf32>, %rhs: tensor<2x5x16xf32>, %dest: tensor<4x17xf32>,
                   %lhsBuffer: memref<4x5xf32>, %rhsBuffer: memref<2x5x16xf32>, %destBuffer: memref<4x17xf32>) {
  %0 = needle_cpu.matmul ins(%lhs, %rhs : tensor<4x5xf32>, tensor<2x5x16xf32>) outs(%dest : tensor<4x17xf32>) -> tensor<4x17xf32>
  needle_cpu.matmul ins(%lhsBuffer, %rhsBuffer : memref<4x5xf32>, memref<2x5x16xf32>) outs(%destBuffer : memref<4x17xf32>)
  return
}
