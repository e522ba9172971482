// RUN: needle-opt %s --split-input-file --needle-expose-observed | FileCheck %s

// Observed values become results behind those there are; argument and result
// attributes stay.
// CHECK-LABEL: func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32> {needle.name = "x"}, %[[W:.*]]: tensor<4x2xf32>)
// CHECK-SAME:    -> (tensor<?x2xf32> {needle.name = "y"}, tensor<?x4xf32> {needle.observed = 0 : i64}, tensor<?x2xf32> {needle.observed = 5 : i64})
// CHECK-NEXT:    %[[M:.*]] = needle.matmul %[[X]], %[[W]]
// CHECK-NEXT:    %[[Y:.*]] = needle.neg %[[M]]
// CHECK-NEXT:    return %[[Y]], %[[X]], %[[M]] : tensor<?x2xf32>, tensor<?x4xf32>, tensor<?x2xf32>
func.func @main(%x: tensor<?x4xf32> {needle.name = "x"}, %w: tensor<4x2xf32>) -> (tensor<?x2xf32> {needle.name = "y"}) {
  %o = needle.observe %x {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
  %m = needle.matmul %o, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %p = needle.observe %m {id = 5 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<?x2xf32> -> tensor<?x2xf32>
  %y = needle.neg %p : tensor<?x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// An observe of an observed value, an observed value that is a result already.
// CHECK-LABEL: func @twice(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>)
// CHECK-SAME:    -> (tensor<4xf32>, tensor<4xf32> {needle.observed = 0 : i64}, tensor<4xf32> {needle.observed = 1 : i64})
// CHECK-NEXT:    return %[[X]], %[[X]], %[[X]]
func.func @twice(%x: tensor<4xf32>) -> tensor<4xf32> {
  %o = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  %p = needle.observe %o {id = 1 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %p : tensor<4xf32>
}

// -----

// The observe's own result type is kept for users that insist on it.
// CHECK-LABEL: func @other_dynamic_dims(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>) -> (tensor<?xf32>, tensor<4xf32> {needle.observed = 0 : i64})
// CHECK-NEXT:    %[[C:.*]] = tensor.cast %[[X]] : tensor<4xf32> to tensor<?xf32>
// CHECK-NEXT:    return %[[C]], %[[X]]
func.func @other_dynamic_dims(%x: tensor<4xf32>) -> tensor<?xf32> {
  %o = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<?xf32>
  return %o : tensor<?xf32>
}

// -----

// Functions without observes stay as they are, used or not.
// CHECK-LABEL: func private @callee(
// CHECK-SAME:    -> tensor<4xf32>
// CHECK-LABEL: func @nothing_observed(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT:    call @callee
func.func private @callee(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @nothing_observed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = func.call @callee(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
