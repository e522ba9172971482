// RUN: needle-opt %s -canonicalize -split-input-file | FileCheck %s

// A product with a dequantized weight takes the weight as it is; bias and
// activation follow in the order in which matmul applies them.
// CHECK-LABEL: func @dequantized
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[B:.*]]: tensor<4xf32>
// CHECK-DAG: %[[Q:.*]] = needle.constant dense<3> : tensor<64x4xui8>
// CHECK-DAG: %[[S:.*]] = needle.constant dense<5.000000e-01> : tensor<2x4xf32>
// CHECK-DAG: %[[Z:.*]] = needle.constant dense<8> : tensor<2x4xui8>
// CHECK-NOT: dequantize
// CHECK: %[[Y:.*]] = needle.qmatmul_blockwise %[[X]], %[[Q]], %[[S]] zero_points(%[[Z]] : tensor<2x4xui8>) {block_size = 32 : i64}
// CHECK: %[[A:.*]] = needle.add %[[Y]], %[[B]]
// CHECK: %[[R:.*]] = needle.relu %[[A]]
// CHECK: return %[[R]]
func.func @dequantized(%x: tensor<?x64xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %q = needle.constant dense<3> : tensor<64x4xui8> -> tensor<64x4xui8>
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %z = needle.constant dense<8> : tensor<2x4xui8> -> tensor<2x4xui8>
  %w = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<2x4xui8>) {block_size = 32 : i64}
     : tensor<64x4xui8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w bias(%b : tensor<4xf32>) {activation = #needle.activation<relu>}
     : tensor<?x64xf32>, tensor<64x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Compiled products need a constant weight, with its scales and zero points.
// CHECK-LABEL: func @run_time_weight
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
// CHECK-NOT: qmatmul_blockwise
func.func @run_time_weight(%x: tensor<?x64xf32>, %q: tensor<64x4xsi8>) -> tensor<?x4xf32> {
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w : tensor<?x64xf32>, tensor<64x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Likewise its scales.
// CHECK-LABEL: func @run_time_scales
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
// CHECK-NOT: qmatmul_blockwise
func.func @run_time_scales(%x: tensor<?x64xf32>, %s: tensor<2x4xf32>) -> tensor<?x4xf32> {
  %q = needle.constant dense<3> : tensor<64x4xsi8> -> tensor<64x4xsi8>
  %w = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w : tensor<?x64xf32>, tensor<64x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Likewise its zero points.
// CHECK-LABEL: func @run_time_zero_points
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
// CHECK-NOT: qmatmul_blockwise
func.func @run_time_zero_points(%x: tensor<?x64xf32>, %z: tensor<2x4xui8>) -> tensor<?x4xf32> {
  %q = needle.constant dense<3> : tensor<64x4xui8> -> tensor<64x4xui8>
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<2x4xui8>) {block_size = 32 : i64}
     : tensor<64x4xui8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w : tensor<?x64xf32>, tensor<64x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Blocks along K do not lie along the rows of a transposed weight.
// CHECK-LABEL: func @transposed
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
func.func @transposed(%x: tensor<?x4xf32>) -> tensor<?x64xf32> {
  %q = needle.constant dense<3> : tensor<64x4xsi8> -> tensor<64x4xsi8>
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w {transpose_rhs} : tensor<?x4xf32>, tensor<64x4xf32> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// A batch stays a matmul.
// CHECK-LABEL: func @batch
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
func.func @batch(%x: tensor<2x3x64xf32>) -> tensor<2x3x4xf32> {
  %q = needle.constant dense<3> : tensor<64x4xsi8> -> tensor<64x4xsi8>
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %x, %w : tensor<2x3x64xf32>, tensor<64x4xf32> -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// -----

// A left-hand side is no weight.
// CHECK-LABEL: func @lhs
// CHECK: needle.dequantize_blockwise
// CHECK: needle.matmul
func.func @lhs(%x: tensor<4x3xf32>) -> tensor<64x3xf32> {
  %q = needle.constant dense<3> : tensor<64x4xsi8> -> tensor<64x4xsi8>
  %s = needle.constant dense<0.5> : tensor<2x4xf32> -> tensor<2x4xf32>
  %w = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  %0 = needle.matmul %w, %x : tensor<64x4xf32>, tensor<4x3xf32> -> tensor<64x3xf32>
  return %0 : tensor<64x3xf32>
}
