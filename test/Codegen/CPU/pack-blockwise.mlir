// RUN: needle-opt %s --needle-cpu-pack-weights -split-input-file -verify-diagnostics | FileCheck %s

// Two columns in a panel of 4, three rows in a block of 16: scales 1 and 2, then
// the integers with 8 added, rows 0, 1 and 2 in one byte each of both columns.
// CHECK-LABEL: func @small
// CHECK: needle_cpu.weight dense_resource<blockwise_packed> : tensor<1x48xi8> -> tensor<1x48xi8>
// CHECK-NOT: pack_blockwise
// CHECK: blockwise_packed: "0x{{........}}0000803F00000040000000000000000009070F00080300000000000000000000{{0+}}"
func.func @small() -> tensor<1x48xi8> {
  %q = needle_cpu.weight dense<[[1, 0], [-1, -5], [7, -8]]> : tensor<3x2xi8> -> tensor<3x2xi8>
  %s = needle_cpu.weight dense<[[1.0, 2.0]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 16 : i64, panel = 4 : i64} : tensor<3x2xi8>, tensor<1x2xf32> -> tensor<1x48xi8>
  return %0 : tensor<1x48xi8>
}

// -----

func.func @dynamic_scales(%s: tensor<1x2xf32>) -> tensor<1x48xi8> {
  %q = needle_cpu.weight dense<0> : tensor<3x2xi8> -> tensor<3x2xi8>
  // expected-error @+1 {{the scales of a 4-bit weight are not constant; compiled code needs its integers, scales and zero points as constants}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 16 : i64, panel = 4 : i64} : tensor<3x2xi8>, tensor<1x2xf32> -> tensor<1x48xi8>
  return %0 : tensor<1x48xi8>
}

// -----

func.func @wide() -> tensor<1x48xi8> {
  %q = needle_cpu.weight dense<[[0, 0], [0, 8], [0, 0]]> : tensor<3x2xi8> -> tensor<3x2xi8>
  %s = needle_cpu.weight dense<1.0> : tensor<1x2xf32> -> tensor<1x2xf32>
  // expected-error @+1 {{the integers of a 4-bit weight must be from -8 to 7, but element 3 is 8}}
  %0 = needle_cpu.pack_blockwise %q, %s {block_size = 16 : i64, panel = 4 : i64} : tensor<3x2xi8>, tensor<1x2xf32> -> tensor<1x48xi8>
  return %0 : tensor<1x48xi8>
}
