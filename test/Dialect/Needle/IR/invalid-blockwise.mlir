// RUN: needle-opt %s -split-input-file -verify-diagnostics

func.func @block_size(%q: tensor<64x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{'needle.dequantize_blockwise' op block_size must be a power of two from 16 to 65536, got 48}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 48 : i64} : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  return
}

// -----

func.func @small_blocks(%q: tensor<64x4xsi8>, %s: tensor<8x4xf32>) {
  // expected-error @+1 {{block_size must be a power of two from 16 to 65536, got 8}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 8 : i64} : tensor<64x4xsi8>, tensor<8x4xf32> -> tensor<64x4xf32>
  return
}

// -----

func.func @dynamic_weight(%q: tensor<?x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{weight must have a static shape, got 'tensor<?x4xsi8>'}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64} : tensor<?x4xsi8>, tensor<2x4xf32> -> tensor<?x4xf32>
  return
}

// -----

func.func @no_zero_points(%q: tensor<64x4xui8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{weight 'tensor<64x4xui8>' of ui8 needs zero_points: give them, or a weight of si8}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64} : tensor<64x4xui8>, tensor<2x4xf32> -> tensor<64x4xf32>
  return
}

// -----

func.func @zero_points_of_signed(%q: tensor<64x4xsi8>, %s: tensor<2x4xf32>, %z: tensor<2x4xui8>) {
  // expected-error @+1 {{weight 'tensor<64x4xsi8>' takes no zero_points: leave them out, or give a weight of ui8}}
  %0 = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<2x4xui8>) {block_size = 32 : i64} : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x4xf32>
  return
}

// -----

func.func @scales(%q: tensor<65x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{scales must have shape 3x4, one value for each block of 32 along K and each column, got 'tensor<2x4xf32>'}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64} : tensor<65x4xsi8>, tensor<2x4xf32> -> tensor<65x4xf32>
  return
}

// -----

func.func @zero_points(%q: tensor<64x4xui8>, %s: tensor<2x4xf32>, %z: tensor<2x1xui8>) {
  // expected-error @+1 {{zero_points must have shape 2x4, one value for each block of 32 along K and each column, got 'tensor<2x1xui8>'}}
  %0 = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<2x1xui8>) {block_size = 32 : i64} : tensor<64x4xui8>, tensor<2x4xf32> -> tensor<64x4xf32>
  return
}

// -----

func.func @result(%q: tensor<64x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{'needle.dequantize_blockwise' op}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64} : tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<64x5xf32>
  return
}

// -----

func.func @rank(%q: tensor<2x64x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{operand #0 must be}}
  %0 = needle.dequantize_blockwise %q, %s {block_size = 32 : i64} : tensor<2x64x4xsi8>, tensor<2x4xf32> -> tensor<2x64x4xf32>
  return
}

// -----

func.func @matmul_weight(%x: tensor<2x64xf32>, %q: tensor<64x4xsi8>, %s: tensor<2x3xf32>) {
  // expected-error @+1 {{'needle.qmatmul_blockwise' op scales must have shape 2x4}}
  %0 = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64} : tensor<2x64xf32>, tensor<64x4xsi8>, tensor<2x3xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @depth(%x: tensor<2x63xf32>, %q: tensor<64x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{K differs: it is 63 in lhs 'tensor<2x63xf32>', but 64 in weight 'tensor<64x4xsi8>'}}
  %0 = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64} : tensor<2x63xf32>, tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @lhs_rank(%x: tensor<1x2x64xf32>, %q: tensor<64x4xsi8>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{operand #0 must be 2D tensor of 32-bit float values}}
  %0 = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64} : tensor<1x2x64xf32>, tensor<64x4xsi8>, tensor<2x4xf32> -> tensor<2x4xf32>
  return
}
