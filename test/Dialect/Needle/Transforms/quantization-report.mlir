// RUN: needle-opt %s --needle-print-quantization-report 2>&1 >/dev/null | FileCheck %s --strict-whitespace --match-full-lines
// RUN: needle-opt %s --needle-print-quantization-report 2>/dev/null | FileCheck %s --check-prefix=UNCHANGED

!x = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8:f32, 0.5>

//      CHECK:fc1      needle.qmatmul           u8, i8 -> u8
// CHECK-NEXT:         needle.dequantize        u8 -> f32
// CHECK-NEXT:softmax  needle.neg               f32
// CHECK-NEXT:fc2      needle.matmul            f32            not quantized: excluded by 'fc2'
// CHECK-NEXT:         needle.quantize_dynamic  f32 -> u8
// CHECK-NEXT:fc3      needle.qmatmul           u8, i8 -> i32
// CHECK-NEXT:fc4      needle.matmul            f32            not fused: operand 'rhs' is float

// UNCHANGED: needle.not_fused
func.func @main(%x: tensor<4x4x!x>, %w: tensor<4x4x!w>, %f: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xi32>, tensor<4x4xf32>) {
  %c = needle.constant dense<1.0> : tensor<4x4xf32> -> tensor<4x4xf32>
  %0 = needle.qmatmul %x, %w : tensor<4x4x!x>, tensor<4x4x!w> -> tensor<4x4x!x> loc("fc1")
  %1 = needle.dequantize %0 : tensor<4x4x!x> -> tensor<4x4xf32>
  %2 = needle.neg %1 : tensor<4x4xf32> -> tensor<4x4xf32> loc("softmax")
  %3 = needle.matmul %2, %c {needle.not_quantized = "excluded by 'fc2'"} : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32> loc("fc2")
  %q, %s, %z = needle.quantize_dynamic %f : tensor<4x4xf32> -> tensor<4x4xui8>, tensor<f32>, tensor<i32>
  %4 = needle.qmatmul %q, %w lhs_params(%s, %z : tensor<f32>, tensor<i32>) : tensor<4x4xui8>, tensor<4x4x!w> -> tensor<4x4xi32> loc("fc3")
  %5 = needle.matmul %2, %c {needle.not_fused = "operand 'rhs' is float"} : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32> loc("fc4")
  return %3, %4, %5 : tensor<4x4xf32>, tensor<4x4xi32>, tensor<4x4xf32>
}
