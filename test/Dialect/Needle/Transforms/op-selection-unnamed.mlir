// RUN: not needle-opt %s --needle-insert-observers=exclude=* 2>&1 | FileCheck %s

// CHECK: error: exclude: pattern '*' matches no quantizable operation; none of them has a name
func.func @unnamed(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
  %y = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
