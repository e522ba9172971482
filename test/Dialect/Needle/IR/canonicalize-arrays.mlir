// Folders and canonicalization patterns of functions, comparisons, reductions
// and moving operations, and where they must not apply.
// RUN: needle-opt %s -canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: func @fold_compare
func.func @fold_compare() -> (tensor<3xf32>, tensor<3xf32>) {
  // CHECK-DAG: needle.constant dense<[0.000000e+00, 1.000000e+00, 0.000000e+00]>
  // CHECK-DAG: needle.constant dense<[1.000000e+00, 0.000000e+00, 1.000000e+00]>
  %0 = needle.constant dense<[1.0, -0.0, 0x7FC00000]> : tensor<3xf32> -> tensor<3xf32>
  %1 = needle.constant dense<[2.0, 0.0, 0x7FC00000]> : tensor<3xf32> -> tensor<3xf32>
  %2 = needle.compare %0, %1 {predicate = #needle.predicate<ge>} : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  %3 = needle.compare %0, %1 {predicate = #needle.predicate<ne>} : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  return %2, %3 : tensor<3xf32>, tensor<3xf32>
}

// -----

// Compiled code may differ from the interpreter by its bound: no folding.
// CHECK-LABEL: func @functions_stay
func.func @functions_stay() -> tensor<2xf32> {
  // CHECK: needle.exp
  %0 = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = needle.exp %0 : tensor<2xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: func @select_splat
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
func.func @select_splat(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: return %[[Y]], %[[X]]
  %0 = needle.constant dense<-0.0> : tensor<f32> -> tensor<f32>
  %1 = needle.constant dense<0x7FC00000> : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.select %0, %x, %y : tensor<f32>, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %3 = needle.select %1, %x, %y : tensor<4xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %2, %3 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The shapes are compared when the program runs; a stretched operand is none.
// CHECK-LABEL: func @select_stays
func.func @select_stays(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<4xf32>, %s: tensor<1xf32>) -> (tensor<?xf32>, tensor<4xf32>) {
  // CHECK-COUNT-2: needle.select
  %0 = needle.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %1 = needle.select %0, %x, %y : tensor<f32>, tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  %2 = needle.select %0, %s, %z : tensor<f32>, tensor<1xf32>, tensor<4xf32> -> tensor<4xf32>
  return %1, %2 : tensor<?xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @small_powers
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>
func.func @small_powers(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  // CHECK-DAG: %[[ONE:.*]] = needle.constant dense<1.000000e+00> : tensor<f32>
  // CHECK-DAG: %[[SQUARE:.*]] = needle.mul %[[X]], %[[X]]
  // CHECK-DAG: %[[INVERSE:.*]] = needle.div %[[ONE]], %[[X]]
  // CHECK: return %[[X]], %[[SQUARE]], %[[INVERSE]]
  %c1 = needle.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %c2 = needle.constant dense<2.0> : tensor<1xf32> -> tensor<1xf32>
  %m1 = needle.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %0 = needle.power %x, %c1 : tensor<?xf32>, tensor<f32> -> tensor<?xf32>
  %1 = needle.power %x, %c2 : tensor<?xf32>, tensor<1xf32> -> tensor<?xf32>
  %2 = needle.power %x, %m1 : tensor<?xf32>, tensor<f32> -> tensor<?xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}

// -----

// A root has other special cases, a cube two roundings; a stretched base and
// different exponents are no product of one operand.
// CHECK-LABEL: func @powers_stay
func.func @powers_stay(%x: tensor<1xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  // CHECK-COUNT-4: needle.power
  %half = needle.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %three = needle.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %two = needle.constant dense<2.0> : tensor<2xf32> -> tensor<2xf32>
  %mixed = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = needle.power %y, %half : tensor<2xf32>, tensor<f32> -> tensor<2xf32>
  %1 = needle.power %y, %three : tensor<2xf32>, tensor<f32> -> tensor<2xf32>
  %2 = needle.power %x, %two : tensor<1xf32>, tensor<2xf32> -> tensor<2xf32>
  %3 = needle.power %y, %mixed : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @identities
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>
func.func @identities(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
  %0 = needle.reduce_sum %x {axes = array<i64>} : tensor<?x4xf32> -> tensor<?x4xf32>
  %1 = needle.broadcast_to %x : tensor<?x4xf32> -> tensor<?x4xf32>
  %2 = needle.reverse %x {axes = array<i64>} : tensor<?x4xf32> -> tensor<?x4xf32>
  %3 = needle.slice %x {starts = array<i64: 0, 0>, limits = array<i64: -1, 4>, steps = array<i64: 1, 1>} : tensor<?x4xf32> -> tensor<?x4xf32>
  %4 = needle.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 0>, interior = array<i64: 0, 0>} : tensor<?x4xf32> -> tensor<?x4xf32>
  %5 = needle.concat %x {axis = 1 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// A claim about a dynamic dimension is checked when the program runs.
// CHECK-LABEL: func @claims
func.func @claims(%x: tensor<?xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK: needle.reduce_max
  // CHECK: needle.reverse
  // CHECK: needle.slice
  // CHECK: needle.concat
  %0 = needle.reduce_max %x {axes = array<i64>} : tensor<?xf32> -> tensor<4xf32>
  %1 = needle.reverse %x {axes = array<i64>} : tensor<?xf32> -> tensor<4xf32>
  %2 = needle.slice %x {starts = array<i64: 0>, limits = array<i64: -1>, steps = array<i64: 1>} : tensor<?xf32> -> tensor<4xf32>
  %3 = needle.concat %x {axis = 0 : i64} : tensor<?xf32> -> tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @reverse_twice
// CHECK-SAME: %[[X:.*]]: tensor<3x4xf32>
func.func @reverse_twice(%x: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  // CHECK: %[[A:.*]] = needle.reverse %[[X]] {axes = array<i64: 0>}
  // CHECK: %[[B:.*]] = needle.reverse %[[A]] {axes = array<i64: 1>}
  // CHECK: return %[[X]], %[[B]]
  %0 = needle.reverse %x {axes = array<i64: 0>} : tensor<3x4xf32> -> tensor<3x4xf32>
  %1 = needle.reverse %0 {axes = array<i64: 0>} : tensor<3x4xf32> -> tensor<3x4xf32>
  %2 = needle.reverse %0 {axes = array<i64: 1>} : tensor<3x4xf32> -> tensor<3x4xf32>
  return %1, %2 : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// CHECK-LABEL: func @broadcast_splat
func.func @broadcast_splat() -> tensor<3x4xf32> {
  // CHECK: needle.constant dense<2.500000e+00> : tensor<3x4xf32>
  // CHECK-NOT: needle.broadcast_to
  %0 = needle.constant dense<2.5> : tensor<1xf32> -> tensor<1xf32>
  %1 = needle.broadcast_to %0 : tensor<1xf32> -> tensor<3x4xf32>
  return %1 : tensor<3x4xf32>
}

// -----

// The last two dimensions only.
// CHECK-LABEL: func @transpose_into_batch_matmul
// CHECK-SAME: %[[X:.*]]: tensor<2x4x3xf32>, %[[Y:.*]]: tensor<4x2x5xf32>
func.func @transpose_into_batch_matmul(%x: tensor<2x4x3xf32>, %y: tensor<4x2x5xf32>) -> tensor<2x3x5xf32> {
  // CHECK: %[[T:.*]] = needle.transpose %[[Y]]
  // CHECK: needle.matmul %[[X]], %[[T]] {transpose_lhs}
  %0 = needle.transpose %x {permutation = array<i64: 0, 2, 1>} : tensor<2x4x3xf32> -> tensor<2x3x4xf32>
  %1 = needle.transpose %y {permutation = array<i64: 1, 0, 2>} : tensor<4x2x5xf32> -> tensor<2x4x5xf32>
  %2 = needle.matmul %0, %1 : tensor<2x3x4xf32>, tensor<2x4x5xf32> -> tensor<2x3x5xf32>
  return %2 : tensor<2x3x5xf32>
}
