// Inferred result types. A declared result type may be more or less precise in
// its dynamic dimensions; where it cannot match, the error shows what was
// inferred.
// RUN: needle-opt %s -verify-diagnostics -split-input-file

func.func @less_and_more_static(%x: tensor<?x4xf32>, %y: tensor<3x?xf32>, %q: tensor<?x4x!quant.uniform<u8:f32, 0.5>>) {
  %0 = needle.add %x, %y : tensor<?x4xf32>, tensor<3x?xf32> -> tensor<?x?xf32>
  %1 = needle.relu %x : tensor<?x4xf32> -> tensor<5x4xf32>
  %2 = needle.matmul %x, %x {transpose_rhs} : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<7x?xf32>
  %3 = needle.transpose %x {permutation = array<i64: 1, 0>} : tensor<?x4xf32> -> tensor<?x6xf32>
  %4 = needle.dequantize %q : tensor<?x4x!quant.uniform<u8:f32, 0.5>> -> tensor<9x?xf32>
  return
}

// -----

func.func @static_dimension_wins(%x: tensor<?x4xf32>, %y: tensor<3x?xf32>) {
  // expected-error@+1 {{result must have type 'tensor<3x4xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.add %x, %y : tensor<?x4xf32>, tensor<3x?xf32> -> tensor<f32>
  return
}

// -----

func.func @static_one_stretches_to_dynamic(%x: tensor<1x4xf32>, %y: tensor<?x1xf32>) {
  // expected-error@+1 {{result must have type 'tensor<?x4xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.add %x, %y : tensor<1x4xf32>, tensor<?x1xf32> -> tensor<f32>
  return
}

// -----

func.func @static_one_stretches_to_zero(%x: tensor<1xf32>, %y: tensor<0xf32>) {
  // expected-error@+1 {{result must have type 'tensor<0xf32>' up to dynamic dimensions, got 'tensor<1xf32>'}}
  %0 = needle.add %x, %y : tensor<1xf32>, tensor<0xf32> -> tensor<1xf32>
  return
}

// -----

// A dynamic dimension never stretches: it has to be 4 when the program runs.
func.func @dynamic_does_not_stretch(%x: tensor<?xf32>, %y: tensor<4xf32>) {
  // expected-error@+1 {{result must have type 'tensor<4xf32>' up to dynamic dimensions, got 'tensor<5xf32>'}}
  %0 = needle.add %x, %y : tensor<?xf32>, tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @scalar_broadcasts(%x: tensor<f32>, %y: tensor<?x2x?xf32>) {
  // expected-error@+1 {{result must have type 'tensor<?x2x?xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.add %x, %y : tensor<f32>, tensor<?x2x?xf32> -> tensor<f32>
  return
}

// -----

// N follows from the bias where rhs leaves it dynamic.
func.func @matmul_bias_gives_n(%x: tensor<?x4xf32>, %w: tensor<4x?xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{result must have type 'tensor<?x5xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.matmul %x, %w bias(%b : tensor<5xf32>) : tensor<?x4xf32>, tensor<4x?xf32> -> tensor<f32>
  return
}

// -----

func.func @matmul_transposed(%x: tensor<4x2xf32>, %w: tensor<3x?xf32>) {
  // expected-error@+1 {{result must have type 'tensor<2x3xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.matmul %x, %w {transpose_lhs, transpose_rhs} : tensor<4x2xf32>, tensor<3x?xf32> -> tensor<f32>
  return
}

// -----

func.func @transpose_dynamic(%x: tensor<?x4x5xf32>) {
  // expected-error@+1 {{result must have type 'tensor<5x?x4xf32>' up to dynamic dimensions, got 'tensor<f32>'}}
  %0 = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x4x5xf32> -> tensor<f32>
  return
}
