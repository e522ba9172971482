// RUN: needle-opt %s | FileCheck %s
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s

// CHECK-LABEL: func @pack
func.func @pack(%q: tensor<33x5xi8>, %s: tensor<2x5xf32>, %z: tensor<2x5xi8>) {
  // CHECK: needle_cpu.pack_blockwise %{{.*}}, %{{.*}} zero_points(%{{.*}} : tensor<2x5xi8>) {block_size = 32 : i64, panel = 4 : i64} : tensor<33x5xi8>, tensor<2x5xf32> -> tensor<2x168xi8>
  %0 = needle_cpu.pack_blockwise %q, %s zero_points(%z : tensor<2x5xi8>) {block_size = 32 : i64, panel = 4 : i64} : tensor<33x5xi8>, tensor<2x5xf32> -> tensor<2x168xi8>
  return
}

// CHECK-LABEL: func @matmul
func.func @matmul(%x: tensor<?x?xf32>, %w: tensor<2x168xi8>, %y: tensor<?x5xf32>) {
  // CHECK: needle_cpu.qmatmul_blockwise ins(%{{.*}}, %{{.*}} : tensor<?x?xf32>, tensor<2x168xi8>) outs(%{{.*}} : tensor<?x5xf32>) {activations = #needle.blockwise_activations<int8>, asymmetric, block_size = 32 : i64, panel = 4 : i64} -> tensor<?x5xf32>
  %0 = needle_cpu.qmatmul_blockwise ins(%x, %w : tensor<?x?xf32>, tensor<2x168xi8>) outs(%y : tensor<?x5xf32>) {block_size = 32 : i64, panel = 4 : i64, asymmetric, activations = #needle.blockwise_activations<int8>} -> tensor<?x5xf32>
  return
}

// CHECK-LABEL: func @buffers
func.func @buffers(%x: memref<2x32xf32, strided<[1, 2]>>, %w: memref<1x80xi8>, %y: memref<2x4xf32>, %work: memref<?x?xi8>) {
  // CHECK: needle_cpu.qmatmul_blockwise ins({{.*}}) outs(%{{.*}} : memref<2x4xf32>) workspace(%{{.*}} : memref<?x?xi8>) {block_size = 32 : i64, panel = 4 : i64}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x32xf32, strided<[1, 2]>>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) workspace(%work : memref<?x?xi8>) {block_size = 32 : i64, panel = 4 : i64}
  return
}
