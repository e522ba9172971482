// RUN: needle-opt %s --split-input-file --needle-fuse-quantized | FileCheck %s

!xq = !quant.uniform<u8:f32, 0.125:128>
!wq = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>
!yq = !quant.uniform<u8:f32, 0.25:3>

// The requantization becomes part of the operation, bias and activation stay,
// and nothing float is left.
// CHECK-LABEL: func @static(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x4x!quant.uniform<u8:f32, 1.250000e-01:128>>, %[[W:[^:]*]]: tensor<4x2x{{.*}}>>, %[[B:[^:]*]]: tensor<2xf32>
// CHECK-NEXT:    %[[Y:.*]] = needle.qmatmul %[[X]], %[[W]] bias(%[[B]] : tensor<2xf32>) {activation = #needle.activation<relu>, needle.op_name = "fc1"}
// CHECK-SAME:      : tensor<?x4x!quant.uniform<u8:f32, 1.250000e-01:128>>, tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.500000e-01}>> -> tensor<?x2x!quant.uniform<u8:f32, 2.500000e-01:3>>
// CHECK-NEXT:    return %[[Y]]
func.func @static(%x: tensor<?x4x!xq>, %w: tensor<4x2x!wq>, %b: tensor<2xf32>) -> tensor<?x2x!yq> {
  %xd = needle.dequantize %x : tensor<?x4x!xq> -> tensor<?x4xf32>
  %wd = needle.dequantize %w : tensor<4x2x!wq> -> tensor<4x2xf32>
  %y = needle.matmul %xd, %wd bias(%b : tensor<2xf32>) {activation = #needle.activation<relu>, needle.op_name = "fc1", needle.not_fused = "stale"} : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %q = needle.quantize %y : tensor<?x2xf32> -> tensor<?x2x!yq>
  return %q : tensor<?x2x!yq>
}

// -----

!xq = !quant.uniform<u8:f32, 0.125:128>
!wq = !quant.uniform<i8<-127:127>:f32, 0.5>

// Without a requantization the result is float.
// CHECK-LABEL: func @float_result(
// CHECK-NEXT:    %[[Y:.*]] = needle.qmatmul {{.*}} -> tensor<?x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @float_result(%x: tensor<?x4x!xq>, %w: tensor<2x4x!wq>) -> tensor<?x2xf32> {
  %xd = needle.dequantize %x : tensor<?x4x!xq> -> tensor<?x4xf32>
  %wd = needle.dequantize %w : tensor<2x4x!wq> -> tensor<2x4xf32>
  %y = needle.matmul %xd, %wd {transpose_rhs} : tensor<?x4xf32>, tensor<2x4xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

!wq = !quant.uniform<i8<-127:127>:f32, 0.5>

// CHECK-LABEL: func @dynamic(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x4xui8>, %[[S:[^:]*]]: tensor<f32>, %[[Z:[^:]*]]: tensor<i32>, %[[W:[^:]*]]: tensor
// CHECK-NEXT:    needle.qmatmul %[[X]], %[[W]] lhs_params(%[[S]], %[[Z]] : tensor<f32>, tensor<i32>) : tensor<?x4xui8>, tensor<4x2x!quant.uniform<i8<-127:127>:f32, 5.000000e-01>> -> tensor<?x2xf32>
// CHECK-NEXT:    return
func.func @dynamic(%x: tensor<?x4xui8>, %s: tensor<f32>, %z: tensor<i32>, %w: tensor<4x2x!wq>) -> tensor<?x2xf32> {
  %xd = needle.dequantize %x params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x4xui8> -> tensor<?x4xf32>
  %wd = needle.dequantize %w : tensor<4x2x!wq> -> tensor<4x2xf32>
  %y = needle.matmul %xd, %wd : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>

// A dequantize may have several users, and the same value be both operands. It
// stays for a float user.
// CHECK-LABEL: func @shared_dequantize(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<4x4x
// CHECK-NEXT:    %[[D:.*]] = needle.dequantize %[[X]]
// CHECK-NEXT:    needle.qmatmul %[[X]], %[[X]] :
// CHECK-NEXT:    needle.qmatmul %[[X]], %[[X]] {transpose_rhs} :
// CHECK-NEXT:    needle.neg %[[D]]
func.func @shared_dequantize(%x: tensor<4x4x!q>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %d = needle.dequantize %x : tensor<4x4x!q> -> tensor<4x4xf32>
  %a = needle.matmul %d, %d : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %b = needle.matmul %d, %d {transpose_rhs} : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %c = needle.neg %d : tensor<4x4xf32> -> tensor<4x4xf32>
  return %a, %b, %c : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>
!r = !quant.uniform<u8:f32, 0.25>

// A quantize between two quantized tensors is a requantize, whose dequantize may
// have other users.
// CHECK-LABEL: func @requantize(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x
// CHECK-NEXT:    %[[D:.*]] = needle.dequantize %[[X]]
// CHECK-NEXT:    %[[R:.*]] = needle.requantize %[[X]] : tensor<?x!quant.uniform<u8:f32, 5.000000e-01>> -> tensor<?x!quant.uniform<u8:f32, 2.500000e-01>>
// CHECK-NEXT:    return %[[R]], %[[D]]
func.func @requantize(%x: tensor<?x!q>) -> (tensor<?x!r>, tensor<?xf32>) {
  %d = needle.dequantize %x : tensor<?x!q> -> tensor<?xf32>
  %r = needle.quantize %d : tensor<?xf32> -> tensor<?x!r>
  return %r, %d : tensor<?x!r>, tensor<?xf32>
}

// -----

//===----------------------------------------------------------------------===//
// The requantization stays an operation of its own
//===----------------------------------------------------------------------===//

!q = !quant.uniform<u8:f32, 0.5>

// The float result has another user, before or behind the quantize.
// CHECK-LABEL: func @result_with_users(
// CHECK-NEXT:    %[[Y:.*]] = needle.qmatmul {{.*}} -> tensor<4x4xf32>
// CHECK-NEXT:    %[[Q:.*]] = needle.quantize %[[Y]] :
// CHECK-NEXT:    %[[Z:.*]] = needle.qmatmul {{.*}} -> tensor<4x4xf32>
// CHECK-NEXT:    %[[N:.*]] = needle.neg %[[Z]]
// CHECK-NEXT:    %[[R:.*]] = needle.quantize %[[Z]] :
// CHECK-NEXT:    return %[[Y]], %[[Q]], %[[N]], %[[R]]
func.func @result_with_users(%x: tensor<4x4x!q>) -> (tensor<4x4xf32>, tensor<4x4x!q>, tensor<4x4xf32>, tensor<4x4x!q>) {
  %d = needle.dequantize %x : tensor<4x4x!q> -> tensor<4x4xf32>
  %y = needle.matmul %d, %d : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %q = needle.quantize %y : tensor<4x4xf32> -> tensor<4x4x!q>
  %z = needle.matmul %d, %d : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %n = needle.neg %z : tensor<4x4xf32> -> tensor<4x4xf32>
  %r = needle.quantize %z : tensor<4x4xf32> -> tensor<4x4x!q>
  return %y, %q, %n, %r : tensor<4x4xf32>, tensor<4x4x!q>, tensor<4x4xf32>, tensor<4x4x!q>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>
!p = !quant.uniform<u8:f32:1, {0.5, 0.25}>

// Parameters per axis.
// CHECK-LABEL: func @per_axis_result(
// CHECK-NEXT:    %[[Y:.*]] = needle.qmatmul {{.*}} -> tensor<2x2xf32>
// CHECK-NEXT:    needle.quantize %[[Y]] {needle.not_fused = "the result cannot become {{.*}}: it must be float or quantized per tensor, of the same shape"}
func.func @per_axis_result(%x: tensor<2x2x!q>) -> tensor<2x2x!p> {
  %d = needle.dequantize %x : tensor<2x2x!q> -> tensor<2x2xf32>
  %y = needle.matmul %d, %d : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %q = needle.quantize %y : tensor<2x2xf32> -> tensor<2x2x!p>
  return %q : tensor<2x2x!p>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>
!p = !quant.uniform<u8:f32:0, {0.5, 0.25}>

// Per axis there is no requantize either.
// CHECK-LABEL: func @per_axis_requantize(
// CHECK-NEXT:    needle.dequantize
// CHECK-NEXT:    needle.quantize
func.func @per_axis_requantize(%x: tensor<2x!p>) -> tensor<2x!q> {
  %d = needle.dequantize %x : tensor<2x!p> -> tensor<2xf32>
  %q = needle.quantize %d : tensor<2xf32> -> tensor<2x!q>
  return %q : tensor<2x!q>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>

// In another block it may not be executed.
// CHECK-LABEL: func @result_in_other_block(
// CHECK-NEXT:    needle.qmatmul {{.*}} -> tensor<4x4xf32>
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      needle.quantize
func.func @result_in_other_block(%x: tensor<4x4x!q>, %c: i1) -> tensor<4x4x!q> {
  %d = needle.dequantize %x : tensor<4x4x!q> -> tensor<4x4xf32>
  %y = needle.matmul %d, %d : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %r = scf.if %c -> tensor<4x4x!q> {
    %q = needle.quantize %y : tensor<4x4xf32> -> tensor<4x4x!q>
    scf.yield %q : tensor<4x4x!q>
  } else {
    scf.yield %x : tensor<4x4x!q>
  }
  return %r : tensor<4x4x!q>
}

// -----

//===----------------------------------------------------------------------===//
// Does not apply
//===----------------------------------------------------------------------===//

!q = !quant.uniform<u8:f32, 0.5>

// CHECK-LABEL: func @lhs_float(
// CHECK:         needle.matmul {{.*}} {needle.not_fused = "operand 'lhs' is float: it is not the result of needle.dequantize"}
func.func @lhs_float(%x: tensor<4x4xf32>, %w: tensor<4x4x!q>) -> tensor<4x4xf32> {
  %d = needle.dequantize %w : tensor<4x4x!q> -> tensor<4x4xf32>
  %y = needle.matmul %x, %d : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>

// A float operation between dequantize and operand. The pair of quantize and
// dequantize around it stays.
// CHECK-LABEL: func @rhs_float(
// CHECK-NEXT:    %[[Q:.*]] = needle.quantize
// CHECK-NEXT:    %[[D:.*]] = needle.dequantize %[[Q]]
// CHECK-NEXT:    %[[N:.*]] = needle.neg %[[D]]
// CHECK-NEXT:    needle.matmul %[[D]], %[[N]] {needle.not_fused = "operand 'rhs' is float: it is not the result of needle.dequantize"}
func.func @rhs_float(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %q = needle.quantize %x : tensor<4x4xf32> -> tensor<4x4x!q>
  %d = needle.dequantize %q : tensor<4x4x!q> -> tensor<4x4xf32>
  %n = needle.neg %d : tensor<4x4xf32> -> tensor<4x4xf32>
  %y = needle.matmul %d, %n : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>
!k = !quant.uniform<i8:f32:0, {0.5, 0.25}>

// A weight quantized along K has no common factor to take out of the sum.
// CHECK-LABEL: func @rhs_along_k(
// CHECK:         needle.matmul {{.*}} {needle.not_fused = "operand 'rhs' must be quantized per tensor or along axis 1 (N), got axis 0"}
func.func @rhs_along_k(%x: tensor<2x2x!q>, %w: tensor<2x2x!k>) -> tensor<2x2xf32> {
  %xd = needle.dequantize %x : tensor<2x2x!q> -> tensor<2x2xf32>
  %wd = needle.dequantize %w : tensor<2x2x!k> -> tensor<2x2xf32>
  %y = needle.matmul %xd, %wd : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5>
!m = !quant.uniform<u8:f32:0, {0.5, 0.25}>

// CHECK-LABEL: func @lhs_per_axis(
// CHECK:         needle.matmul {{.*}} {needle.not_fused = "operand 'lhs' must be quantized per tensor, got axis 0"}
func.func @lhs_per_axis(%x: tensor<2x2x!m>, %w: tensor<2x2x!q>) -> tensor<2x2xf32> {
  %xd = needle.dequantize %x : tensor<2x2x!m> -> tensor<2x2xf32>
  %wd = needle.dequantize %w : tensor<2x2x!q> -> tensor<2x2xf32>
  %y = needle.matmul %xd, %wd : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// The reason of needle-quantize says more; it is kept.
// CHECK-LABEL: func @earlier_reason(
// CHECK:         needle.matmul {{.*}} {needle.not_quantized = "excluded by 'fc1'"} :
func.func @earlier_reason(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %y = needle.matmul %x, %x {needle.not_quantized = "excluded by 'fc1'"} : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Operations without an integer form are left alone.
// CHECK-LABEL: func @not_quantizable(
// CHECK:         needle.sqrt %{{.*}} :
func.func @not_quantizable(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = needle.sqrt %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

!xq = !quant.uniform<u8:f32, 0.125:128>
!wq = !quant.uniform<i8<-127:127>:f32, 0.5>

// A batch stays float.
// CHECK-LABEL: func @batch(
// CHECK:         needle.matmul {{.*}} {needle.not_fused = "operand 'lhs' of type 'tensor<3x?x4xf32>' has batch dimensions: only matrices of rank 2 have an integer form"}
func.func @batch(%x: tensor<3x?x4x!xq>, %w: tensor<4x2x!wq>) -> tensor<3x?x2xf32> {
  %xd = needle.dequantize %x : tensor<3x?x4x!xq> -> tensor<3x?x4xf32>
  %wd = needle.dequantize %w : tensor<4x2x!wq> -> tensor<4x2xf32>
  %y = needle.matmul %xd, %wd : tensor<3x?x4xf32>, tensor<4x2xf32> -> tensor<3x?x2xf32>
  return %y : tensor<3x?x2xf32>
}

// -----

!xq = !quant.uniform<u8:f32, 0.125:128>
!wq = !quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25}>
!yq = !quant.uniform<u8:f32, 0.25:3>

// A convolution keeps its window; its weights may be per axis along O.
// CHECK-LABEL: func @convolution(
// CHECK-NEXT:    %[[Y:.*]] = needle.qconv2d %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<2xf32>) {activation = #needle.activation<relu>, dilations = array<i64: 2, 1>, groups = 2 : i64, padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 2>} : tensor<?x8x8x4x!quant.uniform<u8:f32, 1.250000e-01:128>>, {{.*}} -> tensor<?x6x4x2x!quant.uniform<u8:f32, 2.500000e-01:3>>
// CHECK-NEXT:    return %[[Y]]
func.func @convolution(%x: tensor<?x8x8x4x!xq>, %w: tensor<3x3x2x2x!wq>, %b: tensor<2xf32>) -> tensor<?x6x4x2x!yq> {
  %xd = needle.dequantize %x : tensor<?x8x8x4x!xq> -> tensor<?x8x8x4xf32>
  %wd = needle.dequantize %w : tensor<3x3x2x2x!wq> -> tensor<3x3x2x2xf32>
  %y = needle.conv2d %xd, %wd bias(%b : tensor<2xf32>) {activation = #needle.activation<relu>, dilations = array<i64: 2, 1>, groups = 2 : i64, padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 2>} : tensor<?x8x8x4xf32>, tensor<3x3x2x2xf32> -> tensor<?x6x4x2xf32>
  %q = needle.quantize %y : tensor<?x6x4x2xf32> -> tensor<?x6x4x2x!yq>
  return %q : tensor<?x6x4x2x!yq>
}

// -----

!xq = !quant.uniform<u8:f32, 0.125:128>
!wq = !quant.uniform<i8:f32:2, {0.5, 0.25}>

// CHECK-LABEL: func @convolution_axis(
// CHECK:         needle.conv2d %{{.*}}, %{{.*}} {needle.not_fused = "operand 'filter' must be quantized per tensor or along axis 3 (O), got axis 2"}
func.func @convolution_axis(%x: tensor<1x2x2x2x!xq>, %w: tensor<1x1x2x2x!wq>) -> tensor<1x2x2x2xf32> {
  %xd = needle.dequantize %x : tensor<1x2x2x2x!xq> -> tensor<1x2x2x2xf32>
  %wd = needle.dequantize %w : tensor<1x1x2x2x!wq> -> tensor<1x1x2x2xf32>
  %y = needle.conv2d %xd, %wd : tensor<1x2x2x2xf32>, tensor<1x1x2x2xf32> -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}
