// RUN: needle-opt %s --split-input-file --needle-quantize | FileCheck %s

// N2 for the activation: [-16, 15.875] gives scale 31.875 / 255 and zero point
// 128. N2 for the weight, per column: max|w| / 127; N1 rounds ties to even
// (0.75 / 0.5 = 1.5 → 2, 1.25 / 0.5 = 2.5 → 2).
// CHECK-LABEL: func @static(
// CHECK-SAME:    %[[X:.*]]: tensor<?x2xf32>
// CHECK-NEXT:    %[[Q:.*]] = needle.quantize %[[X]] : tensor<?x2xf32> -> tensor<?x2x!quant.uniform<u8:f32, 1.250000e-01:128>>
// CHECK-NEXT:    %[[D:.*]] = needle.dequantize %[[Q]] : tensor<?x2x!quant.uniform<u8:f32, 1.250000e-01:128>> -> tensor<?x2xf32>
// CHECK-NEXT:    %[[C:.*]] = needle.constant dense<{{\[}}[127, -127, 0], [2, 2, 0]]> : tensor<2x3xi8> -> tensor<2x3x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,5.000000e-01,1.000000e+00}>>
// CHECK-NEXT:    %[[W:.*]] = needle.dequantize %[[C]] : tensor<2x3x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,5.000000e-01,1.000000e+00}>> -> tensor<2x3xf32>
// CHECK-NEXT:    needle.matmul %[[D]], %[[W]] : tensor<?x2xf32>, tensor<2x3xf32> -> tensor<?x3xf32>
// CHECK-NEXT:    return
func.func @static(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %o = needle.observe %x {id = 0 : i64, min = -16.0 : f64, max = 15.875 : f64} : tensor<?x2xf32> -> tensor<?x2xf32>
  %w = needle.constant dense<[[63.5, -63.5, 0.0], [0.75, 1.25, 0.0]]> : tensor<2x3xf32> -> tensor<2x3xf32>
  %y = needle.matmul %o, %w : tensor<?x2xf32>, tensor<2x3xf32> -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// -----

// The range is widened to contain zero (N2).
// CHECK-LABEL: func @range_without_zero(
// CHECK:         needle.quantize %{{.*}} -> tensor<?x1x!quant.uniform<u8:f32, 5.000000e-01>>
func.func @range_without_zero(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %o = needle.observe %x {id = 0 : i64, min = 100.0 : f64, max = 127.5 : f64} : tensor<?x1xf32> -> tensor<?x1xf32>
  %w = needle.constant dense<1.0> : tensor<1x1xf32> -> tensor<1x1xf32>
  %y = needle.matmul %o, %w : tensor<?x1xf32>, tensor<1x1xf32> -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// The axis is the one that the operation names: rows of a transposed weight.
// CHECK-LABEL: func @transposed_weight(
// CHECK:         needle.constant dense<{{\[}}[127, 64], [-127, 0]]> : tensor<2x2xi8> -> tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {1.000000e+00,2.000000e+00}>>
func.func @transposed_weight(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 255.0 : f64} : tensor<?x2xf32> -> tensor<?x2xf32>
  %w = needle.constant dense<[[127.0, 64.0], [-254.0, 0.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %y = needle.matmul %o, %w {transpose_rhs} : tensor<?x2xf32>, tensor<2x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// One pair for an observe with several users, one constant for a weight with
// several users; who is not quantized keeps the float value.
// CHECK-LABEL: func @shared(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<2x2xf32>
// CHECK-DAG:     %[[F:.*]] = needle.constant dense<1.270000e+02> : tensor<2x2xf32>
// CHECK-DAG:     %[[C:.*]] = needle.constant dense<127> : tensor<2x2xi8>
// CHECK-DAG:     %[[W:.*]] = needle.dequantize %[[C]]
// CHECK-DAG:     %[[Q:.*]] = needle.quantize %[[X]]
// CHECK-DAG:     %[[D:.*]] = needle.dequantize %[[Q]]
// CHECK:         needle.matmul %[[D]], %[[W]]
// CHECK-NEXT:    needle.matmul %[[D]], %[[W]]
// CHECK-NEXT:    needle.neg %[[X]]
// CHECK-NEXT:    needle.neg %[[F]]
// CHECK-NOT:     quant.uniform
func.func @shared(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 255.0 : f64} : tensor<2x2xf32> -> tensor<2x2xf32>
  %w = needle.constant dense<127.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %a = needle.matmul %o, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %b = needle.matmul %o, %w : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %c = needle.neg %o : tensor<2x2xf32> -> tensor<2x2xf32>
  %d = needle.neg %w : tensor<2x2xf32> -> tensor<2x2xf32>
  return %a, %b, %c, %d : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// A constant activation needs no range: it is quantized from its values.
// CHECK-LABEL: func @constant_activation(
// CHECK:         needle.constant dense<{{\[}}[0, -1]]> : tensor<1x2xi8> -> tensor<1x2x!quant.uniform<u8:f32, 1.000000e+00>>
func.func @constant_activation() -> tensor<1x1xf32> {
  %x = needle.constant dense<[[0.0, 255.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %o = needle.observe %x {id = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// What is quantized already stays as it is, observed or not.
// CHECK-LABEL: func @already_quantized(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x2x!quant{{.*}}, %[[V:.*]]: tensor<2x1x!quant
// CHECK-NEXT:    %[[X:.*]] = needle.dequantize %[[Q]]
// CHECK-NEXT:    %[[W:.*]] = needle.dequantize %[[V]]
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %[[X]], %[[W]] :
// CHECK-NEXT:    return %[[Y]]
func.func @already_quantized(%q: tensor<1x2x!quant.uniform<u8:f32, 0.5>>, %v: tensor<2x1x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x1xf32> {
  %x = needle.dequantize %q : tensor<1x2x!quant.uniform<u8:f32, 0.5>> -> tensor<1x2xf32>
  %o = needle.observe %x {id = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = needle.dequantize %v : tensor<2x1x!quant.uniform<i8:f32, 0.5>> -> tensor<2x1xf32>
  %y = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// An operation is quantized as a whole or not at all, and then needs no range.
// CHECK-LABEL: func @weight_not_constant(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<1x2xf32>, %[[W:.*]]: tensor<2x1xf32>
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %[[X]], %[[W]] {needle.not_quantized = "operand 'rhs' is not a constant"}
// CHECK-NEXT:    return %[[Y]]
func.func @weight_not_constant(%x: tensor<1x2xf32>, %w: tensor<2x1xf32>) -> tensor<1x1xf32> {
  %o = needle.observe %x {id = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// An earlier reason is gone when it is.
// CHECK-LABEL: func @stale_reason(
// CHECK:         needle.matmul
// CHECK-NOT:     needle.not_quantized
func.func @stale_reason(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = needle.matmul %o, %w {needle.not_quantized = "operand 'rhs' is not a constant"} : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Observes that no quantized operation uses need no range and just go.
// CHECK-LABEL: func @not_quantizable(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT:    %[[Y:.*]] = needle.sqrt %[[X]]
// CHECK-NEXT:    return %[[Y]]
func.func @not_quantizable(%x: tensor<4xf32>) -> tensor<4xf32> {
  %o = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  %y = needle.sqrt %o : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Resources become resources. The data of a weight that two constants hold is
// made once.
// CHECK-LABEL: func @resource(
// CHECK-COUNT-2: needle.constant dense_resource<fc1_int8> : tensor<2x1xi8> -> tensor<2x1x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01}>>
// CHECK:       {-#
// CHECK:         fc1_int8: "0x{{[0-9A-F]*}}7F02"
// CHECK-NOT:     fc1_int8_1
func.func @resource(%x: tensor<1x2xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %v = needle.constant dense_resource<fc1> : tensor<2x1xf32> -> tensor<2x1xf32>
  %w = needle.constant dense_resource<fc1> : tensor<2x1xf32> -> tensor<2x1xf32>
  %y = needle.matmul %o, %v : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  %z = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %y, %z : tensor<1x1xf32>, tensor<1x1xf32>
}
{-#
  dialect_resources: {
    builtin: {
      // 63.5, 0.75
      fc1: "0x0400000000007E420000403F"
    }
  }
#-}

// -----

// Weights without elements, and with none per channel.
// CHECK-LABEL: func @empty(
// CHECK-DAG:     needle.constant dense<> : tensor<2x0xi8> -> tensor<2x0x!quant.uniform<i8<-127:127>:f32, 1.000000e+00>>
// CHECK-DAG:     needle.constant dense<> : tensor<0x2xi8> -> tensor<0x2x!quant.uniform<i8<-127:127>:f32:1, {1.000000e+00,1.000000e+00}>>
func.func @empty(%x: tensor<1x2xf32>, %z: tensor<1x0xf32>) -> (tensor<1x0xf32>, tensor<1x2xf32>) {
  %ox = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %oz = needle.observe %z {id = 1 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<1x0xf32> -> tensor<1x0xf32>
  %v = needle.constant dense<> : tensor<2x0xf32> -> tensor<2x0xf32>
  %w = needle.constant dense<> : tensor<0x2xf32> -> tensor<0x2xf32>
  %a = needle.matmul %ox, %v : tensor<1x2xf32>, tensor<2x0xf32> -> tensor<1x0xf32>
  %b = needle.matmul %oz, %w : tensor<1x0xf32>, tensor<0x2xf32> -> tensor<1x2xf32>
  return %a, %b : tensor<1x0xf32>, tensor<1x2xf32>
}

// -----

// No integer form: the operation says so and stays as it is.
// CHECK-LABEL: func @no_integer_form(
// CHECK-SAME:    %[[X:.*]]: tensor<1x4x4x2xf32>
// CHECK-NEXT:    %[[W:.*]] = needle.constant
// CHECK-NEXT:    needle.conv_transpose2d %[[X]], %[[W]] {needle.not_quantized = "needle.conv_transpose2d has no integer form"}
func.func @no_integer_form(%x: tensor<1x4x4x2xf32>) -> tensor<1x5x5x3xf32> {
  %w = needle.constant dense<1.0> : tensor<2x2x2x3xf32> -> tensor<2x2x2x3xf32>
  %y = needle.conv_transpose2d %x, %w : tensor<1x4x4x2xf32>, tensor<2x2x2x3xf32> -> tensor<1x5x5x3xf32>
  return %y : tensor<1x5x5x3xf32>
}
