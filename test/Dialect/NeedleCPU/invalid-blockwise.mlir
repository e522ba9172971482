// RUN: needle-opt %s -split-input-file -verify-diagnostics

func.func @pack_block_size(%q: tensor<32x4xi8>, %s: tensor<1x4xf32>) {
  // expected-error @+1 {{block_size must be a power of two from 16 to 65536, got 33}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 33 : i64, panel = 4 : i64} : tensor<32x4xi8>, tensor<1x4xf32> -> tensor<1x80xi8>
  return
}

// -----

func.func @pack_panel(%q: tensor<32x4xi8>, %s: tensor<1x4xf32>) {
  // expected-error @+1 {{panel must be a positive multiple of 4, got 6}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 32 : i64, panel = 6 : i64} : tensor<32x4xi8>, tensor<1x4xf32> -> tensor<1x80xi8>
  return
}

// -----

func.func @pack_dynamic(%q: tensor<?x4xi8>, %s: tensor<1x4xf32>) {
  // expected-error @+1 {{source must have a static shape}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 32 : i64, panel = 4 : i64} : tensor<?x4xi8>, tensor<1x4xf32> -> tensor<1x80xi8>
  return
}

// -----

func.func @pack_scales(%q: tensor<33x4xi8>, %s: tensor<1x4xf32>) {
  // expected-error @+1 {{scales must have shape 2x4, got 'tensor<1x4xf32>'}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 32 : i64, panel = 4 : i64} : tensor<33x4xi8>, tensor<1x4xf32> -> tensor<1x80xi8>
  return
}

// -----

func.func @pack_zero_points(%q: tensor<32x4xi8>, %s: tensor<1x4xf32>, %z: tensor<1x3xi8>) {
  // expected-error @+1 {{zero_points must have shape 1x4, got 'tensor<1x3xi8>'}}
  %0 = needle_cpu.pack_blockwise %q, %s zero_points(%z : tensor<1x3xi8>) {block_size = 32 : i64, panel = 4 : i64} : tensor<32x4xi8>, tensor<1x4xf32> -> tensor<1x84xi8>
  return
}

// -----

func.func @pack_result(%q: tensor<32x5xi8>, %s: tensor<1x5xf32>) {
  // expected-error @+1 {{result must have shape 2x80, got 'tensor<1x80xi8>'}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 32 : i64, panel = 4 : i64} : tensor<32x5xi8>, tensor<1x5xf32> -> tensor<1x80xi8>
  return
}

// -----

func.func @block_size(%x: memref<2x32xf32>, %w: memref<1x80xi8>, %y: memref<2x4xf32>) {
  // expected-error @+1 {{block_size must be a power of two from 16 to 65536, got 0}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x32xf32>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) {block_size = 0 : i64, panel = 4 : i64}
  return
}

// -----

func.func @elements(%x: memref<2x32xi8>, %w: memref<1x80xi8>, %y: memref<2x4xf32>) {
  // expected-error @+1 {{lhs must have rank 2 and element type 'f32', but is 'memref<2x32xi8>'}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x32xi8>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) {block_size = 32 : i64, panel = 4 : i64}
  return
}

// -----

func.func @mixed(%x: tensor<2x32xf32>, %w: memref<1x80xi8>, %y: memref<2x4xf32>) {
  // expected-error @+1 {{mixes tensors and memrefs}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : tensor<2x32xf32>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) {block_size = 32 : i64, panel = 4 : i64}
  return
}

// -----

func.func @columns(%x: memref<2x32xf32>, %w: memref<1x80xi8>, %y: memref<2x4xf32, strided<[1, 2]>>) {
  // expected-error @+1 {{dest must have contiguous rows}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x32xf32>, memref<1x80xi8>) outs(%y : memref<2x4xf32, strided<[1, 2]>>) {block_size = 32 : i64, panel = 4 : i64}
  return
}

// -----

func.func @workspace_on_tensors(%x: tensor<2x32xf32>, %w: tensor<1x80xi8>, %y: tensor<2x4xf32>, %work: tensor<1x9xi8>) {
  // expected-error @+1 {{has a workspace on memrefs only}}
  %0 = needle_cpu.qmatmul_blockwise ins(%x, %w : tensor<2x32xf32>, tensor<1x80xi8>) outs(%y : tensor<2x4xf32>) workspace(%work : tensor<1x9xi8>) {block_size = 32 : i64, panel = 4 : i64} -> tensor<2x4xf32>
  return
}

// -----

func.func @rows(%x: memref<3x32xf32>, %w: memref<1x80xi8>, %y: memref<2x4xf32>) {
  // expected-error @+1 {{M of lhs is 3, but M of dest is 2}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<3x32xf32>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) {block_size = 32 : i64, panel = 4 : i64}
  return
}

// -----

func.func @panels(%x: memref<2x32xf32>, %w: memref<1x80xi8>, %y: memref<2x5xf32>) {
  // expected-error @+1 {{the number of panels is 1, but N divided by the panel width is 2}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x32xf32>, memref<1x80xi8>) outs(%y : memref<2x5xf32>) {block_size = 32 : i64, panel = 4 : i64}
  return
}

// -----

func.func @bytes(%x: memref<2x33xf32>, %w: memref<1x80xi8>, %y: memref<2x4xf32>) {
  // expected-error @+1 {{the size of a panel is 80, but what K asks for is 160}}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<2x33xf32>, memref<1x80xi8>) outs(%y : memref<2x4xf32>) {block_size = 32 : i64, panel = 4 : i64}
  return
}
