// RUN: needle-opt %s --split-input-file --needle-insert-observers | FileCheck %s
// RUN: needle-opt %s --split-input-file --needle-insert-observers --needle-insert-observers | FileCheck %s

// An activation operand is observed, a weight is not; the result stays as it is.
// CHECK-LABEL: func @argument(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4x2xf32>
// CHECK:         %[[O:.*]] = needle.observe %[[X]] {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %[[O]], %[[W]] :
// CHECK-NEXT:    return %[[Y]]
func.func @argument(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>) -> tensor<?x2xf32> {
  %y = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Between two layers the observe stands behind bias and activation function.
// CHECK-LABEL: func @between_layers(
// CHECK:         needle.observe %{{.*}} {id = 0 : i64}
// CHECK:         %[[A:.*]] = needle.add
// CHECK-NEXT:    %[[R:.*]] = needle.relu %[[A]]
// CHECK-NEXT:    %[[O:.*]] = needle.observe %[[R]] {id = 1 : i64}
// CHECK-NEXT:    needle.matmul %[[O]],
// CHECK-NOT:     needle.observe
func.func @between_layers(%x: tensor<?x4xf32>, %w1: tensor<4x3xf32>, %b: tensor<3xf32>, %w2: tensor<3x2xf32>) -> tensor<?x2xf32> {
  %m = needle.matmul %x, %w1 : tensor<?x4xf32>, tensor<4x3xf32> -> tensor<?x3xf32>
  %a = needle.add %m, %b : tensor<?x3xf32>, tensor<3xf32> -> tensor<?x3xf32>
  %r = needle.relu %a : tensor<?x3xf32> -> tensor<?x3xf32>
  %y = needle.matmul %r, %w2 : tensor<?x3xf32>, tensor<3x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Quantizable users share one observe; other users keep the value itself, and so
// does the result that it is.
// CHECK-LABEL: func @shared(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<2x4xf32>, %[[W:.*]]: tensor<4x2xf32>
// CHECK-NEXT:    %[[O:.*]] = needle.observe %[[X]] {id = 0 : i64}
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %[[O]], %[[W]]
// CHECK-NEXT:    %[[Z:.*]] = needle.matmul %[[O]], %[[W]]
// CHECK-NEXT:    %[[N:.*]] = needle.neg %[[X]]
// CHECK-NEXT:    return %[[X]], %[[Y]], %[[Z]], %[[N]]
func.func @shared(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>) {
  %y = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  %z = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  %n = needle.neg %x : tensor<2x4xf32> -> tensor<2x4xf32>
  return %x, %y, %z, %n : tensor<2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x4xf32>
}

// -----

// A value that is activation of one matmul and weight of another is observed for
// the first only.
// CHECK-LABEL: func @activation_and_weight(
// CHECK-SAME:    %[[X:.*]]: tensor<4x4xf32>
// CHECK:         %[[O:.*]] = needle.observe %[[X]]
// CHECK:         needle.matmul %[[O]], %[[X]]
func.func @activation_and_weight(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %y = needle.matmul %x, %x : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// The values of a constant are known, and a dequantized value has parameters.
// CHECK-LABEL: func @not_observed(
// CHECK-NOT:     needle.observe
// CHECK:         return
func.func @not_observed(%q: tensor<2x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<4x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %c = needle.constant dense<1.0> : tensor<2x4xf32> -> tensor<2x4xf32>
  %y = needle.matmul %c, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  %d = needle.dequantize %q : tensor<2x4x!quant.uniform<u8:f32, 0.5>> -> tensor<2x4xf32>
  %z = needle.matmul %d, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Float operations without an integer form are not observed.
// CHECK-LABEL: func @not_quantizable(
// CHECK-NOT:     needle.observe
// CHECK:         return
func.func @not_quantizable(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = needle.sqrt %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// An observe that is there already is used, with its id and range, moved behind
// the value so that it precedes all users; new ids leave out used ones.
// CHECK-LABEL: func @existing(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<2x4xf32>, %[[Z:[^:]*]]: tensor<2x4xf32>
// CHECK-NEXT:    %[[OX:.*]] = needle.observe %[[X]] {id = 0 : i64, max = 1.000000e+00 : f64, min = 0.000000e+00 : f64}
// CHECK-NEXT:    %[[OZ:.*]] = needle.observe %[[Z]] {id = 1 : i64}
// CHECK:         needle.matmul %[[OX]],
// CHECK-NEXT:    needle.neg %[[OX]]
// CHECK-NEXT:    needle.matmul %[[OZ]],
func.func @existing(%x: tensor<2x4xf32>, %z: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> (tensor<2x2xf32>, tensor<2x4xf32>, tensor<2x2xf32>) {
  %a = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<2x4xf32> -> tensor<2x4xf32>
  %n = needle.neg %o : tensor<2x4xf32> -> tensor<2x4xf32>
  %b = needle.matmul %z, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %a, %n, %b : tensor<2x2xf32>, tensor<2x4xf32>, tensor<2x2xf32>
}

// -----

// An observe of an observed value does not lose its operand.
// CHECK-LABEL: func @chain(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<2x4xf32>
// CHECK-NEXT:    %[[O:.*]] = needle.observe %[[X]] {id = 0 : i64}
// CHECK-NEXT:    %[[P:.*]] = needle.observe %[[O]] {id = 1 : i64}
// CHECK-NEXT:    needle.matmul %[[O]],
// CHECK-NEXT:    needle.matmul %[[P]],
func.func @chain(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %o = needle.observe %x {id = 0 : i64} : tensor<2x4xf32> -> tensor<2x4xf32>
  %p = needle.observe %o {id = 1 : i64} : tensor<2x4xf32> -> tensor<2x4xf32>
  %a = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  %b = needle.matmul %p, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %a, %b : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// A value of an outer region is observed there, once for all users.
// CHECK-LABEL: func @nested_region(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<2x4xf32>
// CHECK-NEXT:    %[[O:.*]] = needle.observe %[[X]] {id = 0 : i64}
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      needle.matmul %[[O]],
// CHECK:         } else {
// CHECK-NEXT:      needle.matmul %[[O]],
// CHECK-NOT:     needle.observe
func.func @nested_region(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>, %c: i1) -> tensor<2x2xf32> {
  %y = scf.if %c -> tensor<2x2xf32> {
    %a = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
    scf.yield %a : tensor<2x2xf32>
  } else {
    %b = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
    scf.yield %b : tensor<2x2xf32>
  }
  return %y : tensor<2x2xf32>
}

// -----

// Ids are unique in the module, not in the function. The largest id there is
// does not hurt.
// CHECK-LABEL: func @first(
// CHECK:         needle.observe %{{.*}} {id = 9223372036854775807 : i64}
// CHECK-LABEL: func @second(
// CHECK:         needle.observe %{{.*}} {id = 0 : i64}
// CHECK-LABEL: func @third(
// CHECK:         needle.observe %{{.*}} {id = 1 : i64}
func.func @first(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %o = needle.observe %x {id = 9223372036854775807 : i64} : tensor<2x4xf32> -> tensor<2x4xf32>
  return %o : tensor<2x4xf32>
}
func.func @second(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
  %y = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
func.func @third(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
  %y = needle.matmul %x, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
