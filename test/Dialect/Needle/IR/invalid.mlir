// One error for each branch of the verifiers.
// RUN: needle-opt %s -verify-diagnostics -split-input-file

//===----------------------------------------------------------------------===//
// Tensor types
//===----------------------------------------------------------------------===//

func.func @too_large(%x: tensor<4294967296x4294967296xf32>) {
  // expected-error@+1 {{operand #0: 'tensor<4294967296x4294967296xf32>' has more than 1152921504606846975 elements}}
  %0 = needle.relu %x : tensor<4294967296x4294967296xf32> -> tensor<4294967296x4294967296xf32>
  return
}

// -----

func.func @too_large_but_empty(%x: tensor<?x0xf32>) {
  // expected-error@+1 {{result #0: 'tensor<4294967296x0x4294967296xf32>' has more than 1152921504606846975 elements}}
  %0 = needle.reshape %x : tensor<?x0xf32> -> tensor<4294967296x0x4294967296xf32>
  return
}

// -----

func.func @storage_width(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: storage type of '!quant.uniform<u4:f32, 5.000000e-01>' must have 8 bits}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u4:f32, 0.5>>
  return
}

// -----

func.func @expressed_type(%x: tensor<2x!quant.uniform<u8:f16, 0.5>>) {
  // expected-error@+1 {{operand #0: expressed type of '!quant.uniform<u8:f16, 5.000000e-01>' must be f32}}
  %0 = needle.dequantize %x : tensor<2x!quant.uniform<u8:f16, 0.5>> -> tensor<2xf32>
  return
}

// -----

func.func @scale_not_finite(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: scale of '!quant.uniform<u8:f32, 0x7FF8000000000000>' must be positive and finite, got nan}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32, 0x7FF8000000000000>>
  return
}

// -----

func.func @scale_not_f32(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: scale of '!quant.uniform<u8:f32, 1.000000e-01>' is not an f32 value: write 0.10000000149011612 instead of 0.10000000000000001}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32, 0.1>>
  return
}

// -----

func.func @scale_not_f32_per_axis(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: scale of '!quant.uniform<u8:f32:0, {5.000000e-01,1.000000e-01}>' is not an f32 value}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32:0, {0.5, 0.1}>>
  return
}

// -----

func.func @zero_point_above(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: zero point 256 of '!quant.uniform<u8:f32, 5.000000e-01:256>' is outside the storage range [0, 255]}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32, 0.5:256>>
  return
}

// -----

func.func @zero_point_below(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: zero point -128 of '!quant.uniform<i8<-127:127>:f32, 5.000000e-01:-128>' is outside the storage range [-127, 127]}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5:-128>>
  return
}

// -----

func.func @axis_missing(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0: axis 1 of '!quant.uniform<u8:f32:1, {5.000000e-01,5.000000e-01}>' does not exist in a tensor of rank 1}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32:1, {0.5, 0.5}>>
  return
}

// -----

func.func @axis_dynamic(%x: tensor<?xf32>) {
  // expected-error@+1 {{result #0: dimension 0 must be static: it is the axis of '!quant.uniform<u8:f32:0, {5.000000e-01,5.000000e-01}>'}}
  %0 = needle.quantize %x : tensor<?xf32> -> tensor<?x!quant.uniform<u8:f32:0, {0.5, 0.5}>>
  return
}

// -----

func.func @axis_count(%x: tensor<3xf32>) {
  // expected-error@+1 {{result #0: '!quant.uniform<u8:f32:0, {5.000000e-01,5.000000e-01}>' has 2 scales, but dimension 0 is 3}}
  %0 = needle.quantize %x : tensor<3xf32> -> tensor<3x!quant.uniform<u8:f32:0, {0.5, 0.5}>>
  return
}

// -----

//===----------------------------------------------------------------------===//
// constant
//===----------------------------------------------------------------------===//

func.func @constant_dynamic() {
  // expected-error@+1 {{result must have a static shape, got 'tensor<?xf32>'}}
  %0 = needle.constant dense<1.0> : tensor<2xf32> -> tensor<?xf32>
  return
}

// -----

func.func @constant_sparse() {
  // expected-error@+1 {{value must be a dense or dense_resource attribute}}
  %0 = needle.constant sparse<[[0]], [1.0]> : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @constant_shape() {
  // expected-error@+1 {{value of a constant of type 'tensor<3xf32>' must have type 'tensor<3xf32>', got 'tensor<2xf32>'}}
  %0 = needle.constant dense<1.0> : tensor<2xf32> -> tensor<3xf32>
  return
}

// -----

func.func @constant_storage() {
  // expected-error@+1 {{value of a constant of type 'tensor<2x!quant.uniform<u8:f32, 5.000000e-01>>' must have type 'tensor<2xi8>', got 'tensor<2xui8>'}}
  %0 = needle.constant dense<1> : tensor<2xui8> -> tensor<2x!quant.uniform<u8:f32, 0.5>>
  return
}

// -----

func.func @constant_below_range() {
  // expected-error@+1 {{value -128 at element 1 is outside the storage range [-127, 127] of '!quant.uniform<i8<-127:127>:f32, 5.000000e-01>'}}
  %0 = needle.constant dense<[0, -128]> : tensor<2xi8> -> tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5>>
  return
}

// -----

func.func @constant_above_range() {
  // expected-error@+1 {{value 255 at element 0 is outside the storage range [0, 254] of '!quant.uniform<u8<0:254>:f32, 5.000000e-01>'}}
  %0 = needle.constant dense<-1> : tensor<2xi8> -> tensor<2x!quant.uniform<u8<0:254>:f32, 0.5>>
  return
}

// -----

func.func @constant_resource_missing() {
  // expected-error@+1 {{resource 'nowhere' has no data}}
  %0 = needle.constant dense_resource<nowhere> : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @constant_resource_size() {
  // expected-error@+1 {{resource 'short' has 8 bytes, but 'tensor<3xf32>' needs 12}}
  %0 = needle.constant dense_resource<short> : tensor<3xf32> -> tensor<3xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      short: "0x040000000000803F00000040"
    }
  }
#-}

// -----

//===----------------------------------------------------------------------===//
// matmul
//===----------------------------------------------------------------------===//

func.func @matmul_lhs_rank(%x: tensor<4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op lhs must have rank 2 (M x K) or more, got 'tensor<4xf32>'}}
  %0 = needle.matmul %x, %w : tensor<4xf32>, tensor<4x5xf32> -> tensor<5xf32>
  return
}

// -----

func.func @matmul_rhs_rank(%x: tensor<3x4xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{'needle.matmul' op rhs must have rank 2 (N x K) or more, got 'tensor<4xf32>'}}
  %0 = needle.matmul %x, %w {transpose_rhs} : tensor<3x4xf32>, tensor<4xf32> -> tensor<3xf32>
  return
}

// -----

func.func @matmul_batch(%x: tensor<2x3x4xf32>, %w: tensor<3x4x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op batch dimension 0 of the result is 2 in lhs 'tensor<2x3x4xf32>', but 3 in rhs 'tensor<3x4x5xf32>'}}
  %0 = needle.matmul %x, %w : tensor<2x3x4xf32>, tensor<3x4x5xf32> -> tensor<2x3x5xf32>
  return
}

// -----

// A dynamic dimension never stretches.
func.func @matmul_batch_result(%x: tensor<?x3x4xf32>, %w: tensor<4x4x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op result must have type 'tensor<4x3x5xf32>' up to dynamic dimensions, got 'tensor<1x3x5xf32>'}}
  %0 = needle.matmul %x, %w : tensor<?x3x4xf32>, tensor<4x4x5xf32> -> tensor<1x3x5xf32>
  return
}

// -----

func.func @qmatmul_batch(%x: tensor<2x3x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<4x5x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{'needle.qmatmul' op lhs must have rank 2 (M x K), got 'tensor<2x3x4x!quant.uniform<u8:f32, 5.000000e-01>>'}}
  %0 = needle.qmatmul %x, %w : tensor<2x3x4x!quant.uniform<u8:f32, 0.5>>, tensor<4x5x!quant.uniform<i8:f32, 0.5>> -> tensor<2x3x5xf32>
  return
}

// -----

func.func @matmul_bias_rank(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>, %b: tensor<1x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op bias must have rank 1 (N), got 'tensor<1x5xf32>'}}
  %0 = needle.matmul %x, %w bias(%b : tensor<1x5xf32>) : tensor<3x4xf32>, tensor<4x5xf32> -> tensor<3x5xf32>
  return
}

// -----

func.func @matmul_k(%x: tensor<3x4xf32>, %w: tensor<6x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op K differs: it is 4 in lhs 'tensor<3x4xf32>', but 6 in rhs 'tensor<6x5xf32>'}}
  %0 = needle.matmul %x, %w : tensor<3x4xf32>, tensor<6x5xf32> -> tensor<3x5xf32>
  return
}

// -----

func.func @matmul_k_transposed(%x: tensor<3x4xf32>, %w: tensor<4x4xf32>) {
  // expected-error@+1 {{'needle.matmul' op K differs: it is 3 in lhs 'tensor<3x4xf32>', but 4 in rhs 'tensor<4x4xf32>'}}
  %0 = needle.matmul %x, %w {transpose_lhs} : tensor<3x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @matmul_n(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>, %b: tensor<6xf32>) {
  // expected-error@+1 {{'needle.matmul' op N differs: it is 5 in rhs 'tensor<4x5xf32>', but 6 in bias 'tensor<6xf32>'}}
  %0 = needle.matmul %x, %w bias(%b : tensor<6xf32>) : tensor<3x4xf32>, tensor<4x5xf32> -> tensor<3x5xf32>
  return
}

// -----

func.func @matmul_result(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op result must have type 'tensor<3x5xf32>' up to dynamic dimensions, got 'tensor<5x3xf32>'}}
  %0 = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x5xf32> -> tensor<5x3xf32>
  return
}

// -----

func.func @matmul_integers(%x: tensor<3x4xi32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{'needle.matmul' op operand #0 must be ranked tensor of 32-bit float values, but got 'tensor<3x4xi32>'}}
  %0 = needle.matmul %x, %w : tensor<3x4xi32>, tensor<4x5xf32> -> tensor<3x5xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// qmatmul
//===----------------------------------------------------------------------===//

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_k(%x: tensor<3x4x!u8>, %w: tensor<6x5x!u8>) {
  // expected-error@+1 {{'needle.qmatmul' op K differs: it is 4 in lhs 'tensor<3x4x!quant.uniform<u8:f32, 5.000000e-01>>', but 6 in rhs}}
  %0 = needle.qmatmul %x, %w : tensor<3x4x!u8>, tensor<6x5x!u8> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_result_shape(%x: tensor<3x4x!u8>, %w: tensor<4x5x!u8>) {
  // expected-error@+1 {{result must have the shape M x N of 'tensor<3x5xf32>', got 'tensor<3x6xf32>'}}
  %0 = needle.qmatmul %x, %w : tensor<3x4x!u8>, tensor<4x5x!u8> -> tensor<3x6xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_lhs_without_params(%x: tensor<3x4xui8>, %w: tensor<4x5x!u8>) {
  // expected-error@+1 {{operand 'lhs' has raw 'ui8' elements and needs a scale and a zero point operand}}
  %0 = needle.qmatmul %x, %w : tensor<3x4xui8>, tensor<4x5x!u8> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_rhs_without_zero_point(%x: tensor<3x4x!u8>, %w: tensor<4x5xsi8>, %s: tensor<f32>) {
  // expected-error@+1 {{operand 'rhs' has raw 'si8' elements and needs a scale and a zero point operand}}
  %0 = "needle.qmatmul"(%x, %w, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 0, 0>}
      : (tensor<3x4x!u8>, tensor<4x5xsi8>, tensor<f32>) -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_params_twice(%x: tensor<3x4x!u8>, %w: tensor<4x5x!u8>, %s: tensor<f32>, %z: tensor<i32>) {
  // expected-error@+1 {{operand 'lhs' has its parameters in its type 'tensor<3x4x!quant.uniform<u8:f32, 5.000000e-01>>'; it takes no scale and zero point operands}}
  %0 = needle.qmatmul %x, %w lhs_params(%s, %z : tensor<f32>, tensor<i32>)
      : tensor<3x4x!u8>, tensor<4x5x!u8> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>
!k = !quant.uniform<u8:f32:1, {0.5, 0.25}>

func.func @qmatmul_lhs_per_axis(%x: tensor<3x2x!k>, %w: tensor<2x5x!u8>) {
  // expected-error@+1 {{operand 'lhs' must be quantized per tensor, got axis 1}}
  %0 = needle.qmatmul %x, %w : tensor<3x2x!k>, tensor<2x5x!u8> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>
!k = !quant.uniform<u8:f32:0, {0.5, 0.25}>

func.func @qmatmul_rhs_axis(%x: tensor<3x2x!u8>, %w: tensor<2x5x!k>) {
  // expected-error@+1 {{operand 'rhs' must be quantized per tensor or along axis 1 (N), got axis 0}}
  %0 = needle.qmatmul %x, %w : tensor<3x2x!u8>, tensor<2x5x!k> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>
!k = !quant.uniform<u8:f32:1, {0.5, 0.25}>

func.func @qmatmul_rhs_axis_transposed(%x: tensor<3x2x!u8>, %w: tensor<5x2x!k>) {
  // expected-error@+1 {{operand 'rhs' must be quantized per tensor or along axis 0 (N), got axis 1}}
  %0 = needle.qmatmul %x, %w {transpose_rhs} : tensor<3x2x!u8>, tensor<5x2x!k> -> tensor<3x5xf32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>
!n = !quant.uniform<u8:f32:1, {0.5, 0.25}>

func.func @qmatmul_result_per_axis(%x: tensor<3x4x!u8>, %w: tensor<4x2x!u8>) {
  // expected-error@+1 {{result must be quantized per tensor, got 'tensor<3x2x!quant.uniform<u8:f32:1, {5.000000e-01,2.500000e-01}>>'}}
  %0 = needle.qmatmul %x, %w : tensor<3x4x!u8>, tensor<4x2x!u8> -> tensor<3x2x!n>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_i32_activation(%x: tensor<3x4x!u8>, %w: tensor<4x5x!u8>) {
  // expected-error@+1 {{an i32 result is the plain sum: activation 'relu' does not apply to it}}
  %0 = needle.qmatmul %x, %w {activation = #needle.activation<relu>}
      : tensor<3x4x!u8>, tensor<4x5x!u8> -> tensor<3x5xi32>
  return
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

func.func @qmatmul_i32_float_bias(%x: tensor<3x4x!u8>, %w: tensor<4x5x!u8>, %b: tensor<5xf32>) {
  // expected-error@+1 {{an i32 result is the plain sum: operand 'bias' must be i32, got 'tensor<5xf32>'}}
  %0 = needle.qmatmul %x, %w bias(%b : tensor<5xf32>)
      : tensor<3x4x!u8>, tensor<4x5x!u8> -> tensor<3x5xi32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Elementwise and shape operations
//===----------------------------------------------------------------------===//

func.func @broadcast(%x: tensor<3x4xf32>, %y: tensor<3x1xf32>, %z: tensor<2x5xf32>) {
  %0 = needle.add %x, %y : tensor<3x4xf32>, tensor<3x1xf32> -> tensor<3x4xf32>
  // expected-error@+1 {{'needle.mul' op cannot broadcast lhs 'tensor<3x4xf32>' with rhs 'tensor<2x5xf32>': dimension 1 of the result is 4 in lhs and 5 in rhs}}
  %1 = needle.mul %x, %z : tensor<3x4xf32>, tensor<2x5xf32> -> tensor<3x4xf32>
  return
}

// -----

func.func @broadcast_result(%x: tensor<3x4xf32>, %y: tensor<4xf32>) {
  // expected-error@+1 {{'needle.div' op result must have type 'tensor<3x4xf32>' up to dynamic dimensions, got 'tensor<4xf32>'}}
  %1 = needle.div %x, %y : tensor<3x4xf32>, tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @unary_result(%x: tensor<3x?xf32>) {
  // expected-error@+1 {{'needle.relu' op result must have type 'tensor<3x?xf32>' up to dynamic dimensions, got 'tensor<4x?xf32>'}}
  %1 = needle.relu %x : tensor<3x?xf32> -> tensor<4x?xf32>
  return
}

// -----

func.func @transpose_length(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'needle.transpose' op permutation [1, 0, 2] must name each of the 2 dimensions of 'tensor<2x3xf32>' once}}
  %0 = needle.transpose %x {permutation = array<i64: 1, 0, 2>} : tensor<2x3xf32> -> tensor<3x2xf32>
  return
}

// -----

func.func @transpose_duplicate(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'needle.transpose' op permutation [1, 1] must name each of the 2 dimensions of 'tensor<2x3xf32>' once}}
  %0 = needle.transpose %x {permutation = array<i64: 1, 1>} : tensor<2x3xf32> -> tensor<3x2xf32>
  return
}

// -----

func.func @transpose_axis(%x: tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) {
  // expected-error@+1 {{'needle.transpose' op result must have type 'tensor<3x2x!quant.uniform<i8:f32:1, {5.000000e-01,2.500000e-01}>>' up to dynamic dimensions}}
  %0 = needle.transpose %x {permutation = array<i64: 1, 0>}
      : tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>> -> tensor<3x2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @reshape_count(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{cannot reshape 'tensor<2x3xf32>' to 'tensor<7xf32>': 6 elements against 7}}
  %0 = needle.reshape %x : tensor<2x3xf32> -> tensor<7xf32>
  return
}

// -----

func.func @reshape_static_to_dynamic(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{cannot reshape 'tensor<2x3xf32>' to 'tensor<?x4xf32>': 6 elements against a multiple of 4}}
  %0 = needle.reshape %x : tensor<2x3xf32> -> tensor<?x4xf32>
  return
}

// -----

func.func @reshape_dynamic_to_static(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{cannot reshape 'tensor<?x4xf32>' to 'tensor<6xf32>': a multiple of 4 elements against 6}}
  %0 = needle.reshape %x : tensor<?x4xf32> -> tensor<6xf32>
  return
}

// -----

func.func @reshape_empty_to_static(%x: tensor<?x0xf32>) {
  // expected-error@+1 {{cannot reshape 'tensor<?x0xf32>' to 'tensor<6xf32>': a multiple of 0 elements against 6}}
  %0 = needle.reshape %x : tensor<?x0xf32> -> tensor<6xf32>
  return
}

// -----

func.func @reshape_undetermined(%x: tensor<?x0xf32>) {
  // expected-error@+1 {{result 'tensor<0x?xf32>' has a dimension of size 0, so that its dynamic dimension does not follow from the number of elements}}
  %0 = needle.reshape %x : tensor<?x0xf32> -> tensor<0x?xf32>
  return
}

// -----

func.func @reshape_two_dynamic(%x: tensor<?xf32>) {
  // expected-error@+1 {{result must have at most one dynamic dimension, got 'tensor<?x?xf32>'}}
  %0 = needle.reshape %x : tensor<?xf32> -> tensor<?x?xf32>
  return
}

// -----

func.func @reshape_element_type(%x: tensor<4xf32>) {
  // expected-error@+1 {{result must have the element type of the operand 'tensor<4xf32>', got 'tensor<2x2xi32>'}}
  %0 = needle.reshape %x : tensor<4xf32> -> tensor<2x2xi32>
  return
}

// -----

!axis = !quant.uniform<i8:f32:0, {0.5, 0.25}>

func.func @reshape_per_axis(%x: tensor<2x2x!axis>) {
  // expected-error@+1 {{operand must not be quantized per axis, got 'tensor<2x2x!quant.uniform<i8:f32:0, {5.000000e-01,2.500000e-01}>>'}}
  %0 = needle.reshape %x : tensor<2x2x!axis> -> tensor<2x1x2x!axis>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Between float and integer
//===----------------------------------------------------------------------===//

func.func @quantize_shape(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.quantize' op result must have the shape of the operand 'tensor<2xf32>', got 'tensor<3x!quant.uniform<u8:f32, 5.000000e-01>>'}}
  %0 = needle.quantize %x : tensor<2xf32> -> tensor<3x!quant.uniform<u8:f32, 0.5>>
  return
}

// -----

func.func @dequantize_shape(%x: tensor<2x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error@+1 {{'needle.dequantize' op result must have the shape of the operand 'tensor<2x!quant.uniform<u8:f32, 5.000000e-01>>', got 'tensor<3xf32>'}}
  %0 = needle.dequantize %x : tensor<2x!quant.uniform<u8:f32, 0.5>> -> tensor<3xf32>
  return
}

// -----

func.func @dequantize_without_params(%x: tensor<2xui8>) {
  // expected-error@+1 {{'needle.dequantize' op operand has raw 'ui8' elements and needs a scale and a zero point operand}}
  %0 = needle.dequantize %x : tensor<2xui8> -> tensor<2xf32>
  return
}

// -----

func.func @dequantize_params_twice(%x: tensor<2x!quant.uniform<u8:f32, 0.5>>, %s: tensor<f32>, %z: tensor<i32>) {
  // expected-error@+1 {{'needle.dequantize' op operand has its parameters in its type 'tensor<2x!quant.uniform<u8:f32, 5.000000e-01>>'; it takes no scale and zero point operands}}
  %0 = needle.dequantize %x params(%s, %z : tensor<f32>, tensor<i32>) : tensor<2x!quant.uniform<u8:f32, 0.5>> -> tensor<2xf32>
  return
}

// -----

func.func @quantize_dynamic_type(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.quantize_dynamic' op result must have type 'tensor<2xui8>', 'tensor<f32>', 'tensor<i32>' up to dynamic dimensions, got 'tensor<3xui8>', 'tensor<f32>', 'tensor<i32>'}}
  %q, %s, %z = needle.quantize_dynamic %x : tensor<2xf32> -> tensor<3xui8>, tensor<f32>, tensor<i32>
  return
}

// -----

func.func @requantize_shape(%x: tensor<2x!quant.uniform<u8:f32, 0.5>>) {
  // expected-error@+1 {{'needle.requantize' op result must have the shape of the operand 'tensor<2x!quant.uniform<u8:f32, 5.000000e-01>>', got 'tensor<3x!quant.uniform<u8:f32, 2.500000e-01>>'}}
  %0 = needle.requantize %x : tensor<2x!quant.uniform<u8:f32, 0.5>> -> tensor<3x!quant.uniform<u8:f32, 0.25>>
  return
}

// -----

func.func @fake_quantize_type(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.fake_quantize' op attribute 'type' must be a quantized type, got 'i8'}}
  %0 = needle.fake_quantize %x {type = i8} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @fake_quantize_axis(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.fake_quantize' op attribute 'type': '!quant.uniform<u8:f32:0, {5.000000e-01,5.000000e-01}>' has 2 scales, but dimension 0 is 3}}
  %0 = needle.fake_quantize %x {type = !quant.uniform<u8:f32:0, {0.5, 0.5}>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @fake_quantize_not_uniform(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.fake_quantize' op attribute 'type': '!quant.any<i8:f32>' must be uniform, per tensor or per axis}}
  %0 = needle.fake_quantize %x {type = !quant.any<i8:f32>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @observe_id(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.observe' op attribute 'id' must not be negative, got -1}}
  %0 = needle.observe %x {id = -1 : i64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_min_alone(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.observe' op attributes 'min' and 'max' must be set together}}
  %0 = needle.observe %x {id = 0 : i64, min = 0.0 : f64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_inverted(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.observe' op attribute 'min' (1.000000e+00) must not be above 'max' (-1.000000e+00), and neither may be NaN}}
  %0 = needle.observe %x {id = 0 : i64, min = 1.0 : f64, max = -1.0 : f64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_nan(%x: tensor<2xf32>) {
  // expected-error@+1 {{'needle.observe' op attribute 'min' (nan) must not be above 'max' (1.000000e+00), and neither may be NaN}}
  %0 = needle.observe %x {id = 0 : i64, min = 0x7FF8000000000000 : f64, max = 1.0 : f64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @calibrated(%x: tensor<4xf32>) {
  // expected-error@+1 {{'needle.fake_quantize' op attribute 'type': '!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>' must be uniform, per tensor or per axis}}
  %0 = needle.fake_quantize %x {type = !quant.calibrated<f32<-1.0:1.0>>} : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

// A few bytes of text, 4 TiB of weights.
func.func @constant_size() {
  // expected-error@+1 {{'needle.constant' op value of type 'tensor<1048576x1048576xf32>' is larger than 16 GiB}}
  %0 = needle.constant dense<1.0> : tensor<1048576x1048576xf32> -> tensor<1048576x1048576xf32>
  return
}
