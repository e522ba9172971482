// RUN: needle-opt %s --needle-cpu-lower-expand-shape | FileCheck %s

// CHECK-LABEL: func.func @pixels(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32>, %[[N:.*]]: index, %[[H:.*]]: index, %[[W:.*]]: index)
// CHECK: %[[ROW:.*]] = arith.muli %[[W]], %{{.*}}
// CHECK: %[[IMAGE:.*]] = arith.muli %[[ROW]], %[[H]]
// CHECK: memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[N]], %[[H]], %[[W]], 4], strides: [%[[IMAGE]], %[[ROW]], 4, 1]
// CHECK-NOT: memref.expand_shape
func.func @pixels(%x: memref<?x4xf32>, %n: index, %h: index, %w: index) -> memref<?x?x?x4xf32> {
  %0 = memref.expand_shape %x [[0, 1, 2], [3]] output_shape [%n, %h, %w, 4] : memref<?x4xf32> into memref<?x?x?x4xf32>
  return %0 : memref<?x?x?x4xf32>
}

// Upstream takes apart what is not contiguous.
// CHECK-LABEL: func.func @strided(
// CHECK: memref.expand_shape
func.func @strided(%x: memref<8x4xf32, strided<[8, 1]>>) -> memref<2x4x4xf32, strided<[32, 8, 1]>> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [2, 4, 4] : memref<8x4xf32, strided<[8, 1]>> into memref<2x4x4xf32, strided<[32, 8, 1]>>
  return %0 : memref<2x4x4xf32, strided<[32, 8, 1]>>
}
