// Operations on 4-bit weights parse, print and parse again.
// RUN: needle-opt %s | FileCheck %s
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s
// RUN: needle-opt %s --emit-bytecode | needle-opt | FileCheck %s

// CHECK-LABEL: func @dequantize
func.func @dequantize(%q: tensor<100x4xsi8>, %s: tensor<4x4xf32>) -> tensor<100x4xf32> {
  // CHECK: needle.dequantize_blockwise %{{.*}}, %{{.*}} {block_size = 32 : i64} : tensor<100x4xsi8>, tensor<4x4xf32> -> tensor<100x4xf32>
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64}
     : tensor<100x4xsi8>, tensor<4x4xf32> -> tensor<100x4xf32>
  return %0 : tensor<100x4xf32>
}

// CHECK-LABEL: func @dequantize_asymmetric
func.func @dequantize_asymmetric(%q: tensor<16x4xui8>, %s: tensor<1x4xf32>, %z: tensor<1x4xui8>) -> tensor<16x4xf32> {
  // CHECK: needle.dequantize_blockwise %{{.*}}, %{{.*}} zero_points(%{{.*}} : tensor<1x4xui8>) {block_size = 16 : i64}
  %0 = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<1x4xui8>) {block_size = 16 : i64}
     : tensor<16x4xui8>, tensor<1x4xf32> -> tensor<16x4xf32>
  return %0 : tensor<16x4xf32>
}

// CHECK-LABEL: func @matmul
func.func @matmul(%x: tensor<?x16xf32>, %q: tensor<16x4xsi8>, %s: tensor<1x4xf32>) -> tensor<?x4xf32> {
  // The default is left out.
  // CHECK: needle.qmatmul_blockwise %{{.*}}, %{{.*}}, %{{.*}} {block_size = 65536 : i64} : tensor<?x16xf32>, tensor<16x4xsi8>, tensor<1x4xf32> -> tensor<?x4xf32>
  %0 = needle.qmatmul_blockwise %x, %q, %s {block_size = 65536 : i64, activations = #needle.blockwise_activations<float32>}
     : tensor<?x16xf32>, tensor<16x4xsi8>, tensor<1x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @matmul_int8
func.func @matmul_int8(%x: tensor<3x?xf32>, %q: tensor<16x4xui8>, %s: tensor<1x4xf32>, %z: tensor<1x4xui8>) -> tensor<3x4xf32> {
  // CHECK: needle.qmatmul_blockwise %{{.*}}, %{{.*}}, %{{.*}} zero_points(%{{.*}} : tensor<1x4xui8>) {activations = #needle.blockwise_activations<int8>, block_size = 16 : i64}
  %0 = needle.qmatmul_blockwise %x, %q, %s zero_points(%z : tensor<1x4xui8>) {block_size = 16 : i64, activations = #needle.blockwise_activations<int8>}
     : tensor<3x?xf32>, tensor<16x4xui8>, tensor<1x4xf32> -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
