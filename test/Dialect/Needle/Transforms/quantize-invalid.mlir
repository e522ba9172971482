// RUN: needle-opt %s --split-input-file --verify-diagnostics --needle-quantize

func.func @uncalibrated(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @below {{observe 7 has no range (min and max): no calibration data but empty or NaN reached operand 'lhs' of 'needle.matmul': give data that does, or exclude the operation}}
  %o = needle.observe %x {id = 7 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %a = needle.matmul %o, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %a : tensor<1x1xf32>
}

// -----

// All errors are reported at once.
func.func @not_observed(%x: tensor<1x2xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %w = needle.constant dense<1.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  // expected-error @below {{operand 'lhs' is not observed: run needle-insert-observers and calibrate, or exclude the operation, or quantize in dynamic mode}}
  %a = needle.matmul %x, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  // expected-error @below {{operand 'lhs' is not observed}}
  %b = needle.matmul %x, %w : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  return %a, %b : tensor<1x1xf32>, tensor<1x1xf32>
}
