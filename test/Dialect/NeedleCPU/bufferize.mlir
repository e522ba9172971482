// RUN: needle-opt %s --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" --split-input-file | FileCheck %s

// A weight becomes a contiguous memref of the same value.
// CHECK-LABEL: func @weight
// CHECK: %[[W:.*]] = needle_cpu.weight dense<1.000000e+00> : tensor<4xf32> -> memref<4xf32>
// CHECK: memref.load %[[W]]
func.func @weight(%i: index) -> f32 {
  %w = needle_cpu.weight dense<1.0> : tensor<4xf32> -> tensor<4xf32>
  %0 = tensor.extract %w[%i] : tensor<4xf32>
  return %0 : f32
}

// -----

// A weight is never written: what would update it works on a copy.
// CHECK-LABEL: func @read_only_weight
// CHECK: %[[W:.*]] = needle_cpu.weight
// CHECK: %[[COPY:.*]] = memref.alloc
// CHECK: memref.copy %[[W]], %[[COPY]]
// CHECK: memref.store %{{.*}}, %[[COPY]]
func.func @read_only_weight(%x: f32, %i: index) -> tensor<4xf32> {
  %w = needle_cpu.weight dense<1.0> : tensor<4xf32> -> tensor<4xf32>
  %0 = tensor.insert %x into %w[%i] : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @chain
// CHECK-SAME: %[[X:.*]]: memref<?x5xf32>, %[[W:.*]]: memref<5x17xf32>
// CHECK: %[[PANELS:.*]] = memref.alloc() {{.*}} : memref<2x5x16xf32>
// CHECK: needle_cpu.pack_rhs ins(%[[W]] : memref<5x17xf32>) outs(%[[PANELS]] : memref<2x5x16xf32>)
// CHECK: %[[Y:.*]] = memref.alloc(%{{.*}}) {{.*}} : memref<?x17xf32>
// CHECK: needle_cpu.matmul ins(%[[X]], %[[PANELS]] : memref<?x5xf32>, memref<2x5x16xf32>) outs(%[[Y]] : memref<?x17xf32>)
// CHECK-SAME: {activation = #needle.activation<relu>, transpose_lhs}
// CHECK-NOT: memref.copy
// CHECK: return %[[Y]]
func.func @chain(%x: tensor<?x5xf32>, %w: tensor<5x17xf32>) -> tensor<?x17xf32> {
  %c1 = arith.constant 1 : index
  %0 = tensor.empty() : tensor<2x5x16xf32>
  %1 = needle_cpu.pack_rhs ins(%w : tensor<5x17xf32>) outs(%0 : tensor<2x5x16xf32>) -> tensor<2x5x16xf32>
  %m = tensor.dim %x, %c1 : tensor<?x5xf32>
  %2 = tensor.empty(%m) : tensor<?x17xf32>
  %3 = needle_cpu.matmul ins(%x, %1 : tensor<?x5xf32>, tensor<2x5x16xf32>) outs(%2 : tensor<?x17xf32>)
    {activation = #needle.activation<relu>, transpose_lhs} -> tensor<?x17xf32>
  return %3 : tensor<?x17xf32>
}

// -----

// The destination is overwritten: when its old value is still needed, the new
// buffer does not start as a copy of it.
// CHECK-LABEL: func @destination_is_not_read
// CHECK-NOT: memref.copy
// CHECK: needle_cpu.qmatmul
// CHECK-NOT: memref.copy
// CHECK: return
func.func @destination_is_not_read(%x: tensor<4x5xi8>, %w: tensor<2x3x16x4xi8>, %dest: tensor<4x17xi32>) -> (tensor<4x17xi32>, tensor<4x17xi32>) {
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<4x5xi8>, tensor<2x3x16x4xi8>) outs(%dest : tensor<4x17xi32>) -> tensor<4x17xi32>
  return %dest, %0 : tensor<4x17xi32>, tensor<4x17xi32>
}

// -----

// Inputs are read after the destination is written: they do not share a buffer.
// CHECK-LABEL: func @input_is_not_destination
// CHECK-SAME: %[[X:.*]]: memref<16x16xf32>
// CHECK: %[[Y:.*]] = memref.alloc
// CHECK: needle_cpu.matmul ins(%[[X]], {{.*}}) outs(%[[Y]] :
func.func @input_is_not_destination(%x: tensor<16x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<16x16xf32> {
  %0 = needle_cpu.matmul ins(%x, %w : tensor<16x16xf32>, tensor<1x16x16xf32>) outs(%x : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %0 : tensor<16x16xf32>
}

// -----

// Windows are read where they lie unless their channels are apart.
// CHECK-LABEL: func @channels_apart
// CHECK-SAME: %[[X:.*]]: memref<1x8x8x8xf32>
// CHECK: %[[S:.*]] = memref.subview %[[X]]
// CHECK: %[[COPY:.*]] = memref.alloc() {{.*}} : memref<1x8x8x4xf32>
// CHECK: memref.copy %[[S]], %[[COPY]]
// CHECK: needle_cpu.matmul ins(%[[COPY]], %{{.*}} : memref<1x8x8x4xf32>,
func.func @channels_apart(%x: tensor<1x8x8x8xf32>, %w: tensor<1x36x16xf32>) -> tensor<36x16xf32> {
  %0 = tensor.extract_slice %x[0, 0, 0, 0] [1, 8, 8, 4] [1, 1, 1, 2] : tensor<1x8x8x8xf32> to tensor<1x8x8x4xf32>
  %1 = tensor.empty() : tensor<36x16xf32>
  %2 = needle_cpu.matmul ins(%0, %w : tensor<1x8x8x4xf32>, tensor<1x36x16xf32>) outs(%1 : tensor<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>} -> tensor<36x16xf32>
  return %2 : tensor<36x16xf32>
}

// -----

// CHECK-LABEL: func @neighbouring_channels
// CHECK-NOT: memref.copy
// CHECK: needle_cpu.matmul ins(%{{.*}}, %{{.*}} : memref<1x8x8x4xf32, strided<[512, 64, 8, 1]>>,
// CHECK-NOT: memref.copy
// CHECK: return
func.func @neighbouring_channels(%x: tensor<1x8x8x8xf32>, %w: tensor<1x36x16xf32>) -> tensor<36x16xf32> {
  %0 = tensor.extract_slice %x[0, 0, 0, 0] [1, 8, 8, 4] [1, 1, 1, 1] : tensor<1x8x8x8xf32> to tensor<1x8x8x4xf32>
  %1 = tensor.empty() : tensor<36x16xf32>
  %2 = needle_cpu.matmul ins(%0, %w : tensor<1x8x8x4xf32>, tensor<1x36x16xf32>) outs(%1 : tensor<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>} -> tensor<36x16xf32>
  return %2 : tensor<36x16xf32>
}

// -----

// The kernels of a depthwise contraction are one block.
// CHECK-LABEL: func @filter_apart
// CHECK: %[[COPY:.*]] = memref.alloc() {{.*}} : memref<9x4xf32>
// CHECK: memref.copy %{{.*}}, %[[COPY]]
// CHECK: needle_cpu.matmul ins(%{{.*}}, %[[COPY]] : memref<1x8x8x4xf32>, memref<9x4xf32>)
func.func @filter_apart(%x: tensor<1x8x8x4xf32>, %w: tensor<9x8xf32>) -> tensor<36x4xf32> {
  %0 = tensor.extract_slice %w[0, 0] [9, 4] [1, 2] : tensor<9x8xf32> to tensor<9x4xf32>
  %1 = tensor.empty() : tensor<36x4xf32>
  %2 = needle_cpu.matmul ins(%x, %0 : tensor<1x8x8x4xf32>, tensor<9x4xf32>) outs(%1 : tensor<36x4xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4>} -> tensor<36x4xf32>
  return %2 : tensor<36x4xf32>
}
