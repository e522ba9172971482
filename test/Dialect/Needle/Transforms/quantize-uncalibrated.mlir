// RUN: needle-opt %s --needle-quantize=allow-uncalibrated | FileCheck %s
// RUN: not needle-opt %s --needle-quantize 2>&1 | FileCheck %s --check-prefix=ERROR --implicit-check-not=error:

// One error for each activation without a range, however many users it has.
// ERROR: error: observe 7 has no range
// ERROR: error: operand 'lhs' is not observed

// Its users stay float, everything else is quantized.
// CHECK-LABEL: func @uncalibrated(
// CHECK:         needle.matmul %arg0, %{{.*}} {needle.not_quantized = "operand 'lhs' has no range: observe 7 was not calibrated"}
// CHECK:         needle.matmul %arg0, %{{.*}} {needle.not_quantized = "operand 'lhs' has no range: observe 7 was not calibrated"}
// CHECK:         needle.matmul %arg1, %{{.*}} {needle.not_quantized = "operand 'lhs' is not observed"}
// CHECK:         %[[D:.*]] = needle.dequantize
// CHECK:         needle.matmul %[[D]], %{{.*}} :
// CHECK-NOT:     needle.observe
func.func @uncalibrated(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>, %z: tensor<1x2xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) {
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %o = needle.observe %x {id = 7 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %a = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  %d = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  %b = needle.matmul %y, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  %p = needle.observe %z {id = 8 : i64, min = 0.0 : f64, max = 1.0 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %c = needle.matmul %p, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %a, %b, %c, %d : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}
