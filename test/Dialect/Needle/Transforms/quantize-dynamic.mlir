// RUN: needle-opt %s --split-input-file --needle-quantize=mode=dynamic | FileCheck %s

// Parameters are computed once for a value, whoever uses it; constants are
// quantized at compile time; an observe and its range are not looked at.
// CHECK-LABEL: func @shared(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x2xf32>
// CHECK-DAG:     %[[Q:.*]], %[[S:.*]], %[[Z:.*]] = needle.quantize_dynamic %[[X]] : tensor<?x2xf32> -> tensor<?x2xui8>, tensor<f32>, tensor<i32>
// CHECK-DAG:     %[[D:.*]] = needle.dequantize %[[Q]] params(%[[S]], %[[Z]] : tensor<f32>, tensor<i32>) : tensor<?x2xui8> -> tensor<?x2xf32>
// CHECK-DAG:     %[[C:.*]] = needle.constant dense<127> : tensor<2x1xi8> -> tensor<2x1x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01}>>
// CHECK-DAG:     %[[W:.*]] = needle.dequantize %[[C]]
// CHECK:         needle.matmul %[[D]], %[[W]]
// CHECK-NEXT:    needle.matmul %[[D]], %[[W]]
// CHECK-NEXT:    needle.neg %[[X]]
// CHECK-NOT:     quantize_dynamic
func.func @shared(%x: tensor<?x2xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x2xf32>) {
  %w = needle.constant dense<63.5> : tensor<2x1xf32> -> tensor<2x1xf32>
  %o = needle.observe %x {id = 0 : i64} : tensor<?x2xf32> -> tensor<?x2xf32>
  %y = needle.matmul %o, %w : tensor<?x2xf32>, tensor<2x1xf32> -> tensor<?x1xf32>
  %z = needle.matmul %x, %w : tensor<?x2xf32>, tensor<2x1xf32> -> tensor<?x1xf32>
  %n = needle.neg %x : tensor<?x2xf32> -> tensor<?x2xf32>
  return %y, %z, %n : tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @constant_activation(
// CHECK-NOT:     needle.quantize_dynamic
// CHECK:         needle.constant dense<-1> : tensor<1x2xi8> -> tensor<1x2x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK-NOT:     needle.quantize_dynamic
func.func @constant_activation() -> tensor<1x1xf32> {
  %x = needle.constant dense<255.0> : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = needle.matmul %x, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// CHECK-LABEL: func @weight_not_constant(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<1x2xf32>
// CHECK-NEXT:    needle.matmul %[[X]], %{{.*}} {needle.not_quantized = "operand 'rhs' is not a constant"}
func.func @weight_not_constant(%x: tensor<1x2xf32>, %w: tensor<2x1xf32>) -> tensor<1x1xf32> {
  %y = needle.matmul %x, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
