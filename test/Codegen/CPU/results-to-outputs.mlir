// RUN: needle-opt %s --needle-cpu-results-to-outputs --split-input-file --verify-diagnostics | FileCheck %s

// An allocated result is computed in the caller's memory; the attributes of the
// result go along.

// CHECK-LABEL: func.func @allocated(
// CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[Y:.*]]: memref<?xf32> {needle.name = "y"})
// CHECK-NOT: memref.alloc
// CHECK: linalg.copy ins(%[[X]] : {{.*}}) outs(%[[Y]] :
// CHECK: return{{$}}
func.func @allocated(%x: memref<?xf32>) -> (memref<?xf32> {needle.name = "y"})
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %c0 = arith.constant 0 : index
  %d = memref.dim %x, %c0 : memref<?xf32>
  %0 = memref.alloc(%d) : memref<?xf32>
  linalg.copy ins(%x : memref<?xf32>) outs(%0 : memref<?xf32>)
  return %0 : memref<?xf32>
}

// -----

// What is an input, or another result already, is copied.

// CHECK-LABEL: func.func @copied(
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>, %[[C:.*]]: memref<4xf32>)
// CHECK: linalg.copy ins(%[[X]] : {{.*}}) outs(%[[A]] :
// CHECK: memref.copy %[[A]], %[[B]]
// CHECK: memref.copy %[[X]], %[[C]]
func.func @copied(%x: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>, memref<4xf32>)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %0 = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%0 : memref<4xf32>)
  return %0, %0, %x : memref<4xf32>, memref<4xf32>, memref<4xf32>
}

// -----

// Casts between static and dynamic sizes are looked through.

// CHECK-LABEL: func.func @cast(
// CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[Y:.*]]: memref<4xf32>)
// CHECK: %[[CAST:.*]] = memref.cast %[[Y]] : memref<4xf32> to memref<?xf32>
// CHECK: linalg.copy ins(%[[X]] : {{.*}}) outs(%[[CAST]] :
// CHECK-NOT: memref.copy
func.func @cast(%x: memref<?xf32>) -> memref<4xf32>
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %c4 = arith.constant 4 : index
  %0 = memref.alloc(%c4) : memref<?xf32>
  linalg.copy ins(%x : memref<?xf32>) outs(%0 : memref<?xf32>)
  %1 = memref.cast %0 : memref<?xf32> to memref<4xf32>
  return %1 : memref<4xf32>
}

// -----

// Not an entry point.

// CHECK-LABEL: func.func private @helper(
// CHECK-SAME: -> memref<4xf32>
func.func private @helper(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}

// -----

// expected-error@+1 {{must return contiguous buffers here, but result 0 is 'memref<4xf32, strided<[2]>>'}}
func.func @strided(%x: memref<4xf32, strided<[2]>>) -> memref<4xf32, strided<[2]>>
    attributes {needle.signature = {inputs = [], outputs = []}} {
  return %x : memref<4xf32, strided<[2]>>
}

// -----

// Pixels that are computed as the rows of a matrix are the result's memory, too.
// CHECK-LABEL: func.func @pixels(
// CHECK-SAME: %[[OUT:.*]]: memref<2x3x4xf32>
// CHECK: %[[ROWS:.*]] = memref.collapse_shape %[[OUT]] {{\[\[}}0, 1], [2]] : memref<2x3x4xf32> into memref<6x4xf32>
// CHECK: linalg.fill {{.*}} outs(%[[ROWS]] : memref<6x4xf32>)
// CHECK-NOT: memref.copy
func.func @pixels() -> memref<2x3x4xf32> attributes {needle.signature = {inputs = [], outputs = [{name = "y", type = tensor<2x3x4xf32>}]}} {
  %c = arith.constant 0.0 : f32
  %0 = memref.alloc() : memref<6x4xf32>
  linalg.fill ins(%c : f32) outs(%0 : memref<6x4xf32>)
  %1 = memref.expand_shape %0 [[0, 1], [2]] output_shape [2, 3, 4] : memref<6x4xf32> into memref<2x3x4xf32>
  return %1 : memref<2x3x4xf32>
}
