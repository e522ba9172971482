// RUN: needle-opt %s --needle-cpu-prove-byte-dots=target=avx2 -split-input-file | FileCheck %s
// RUN: needle-opt %s --needle-cpu-prove-byte-dots=target=x86-64 -split-input-file | FileCheck %s --check-prefix=NONE
// RUN: needle-opt %s --needle-cpu-prove-byte-dots=target=avx512-vnni -split-input-file | FileCheck %s --check-prefix=NONE
// RUN: not needle-opt %s --needle-cpu-prove-byte-dots=target=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: unknown CPU target 'z80'

// Targets without vpmaddubsw, and those that multiply bytes exactly, prove nothing.
// NONE-NOT: byte_steps
// NONE-NOT: kernel_note

// Four groups of 16 + 16 are 128 of 128.
// CHECK-LABEL: @four_steps
// CHECK: needle_cpu.qmatmul {{.*}} {byte_steps = 4 : i32, lhs_unsigned, needle.kernel_note = "4 group(s) of bytes in 16 bits, exact as weights of one sign add up to 128 of 128"}
func.func @four_steps(%x: tensor<2x32xi8>, %y: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %w = needle_cpu.weight dense<16> : tensor<1x9x4x4xi8> -> tensor<1x9x4x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x32xi8>, tensor<1x9x4x4xi8>) outs(%y : tensor<2x3xi32>) {lhs_unsigned} -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// One more, and two are 68.
// CHECK-LABEL: @two_steps
// CHECK: needle_cpu.qmatmul {{.*}} {byte_steps = 2 : i32, {{.*}} add up to 68 of 128"}
func.func @two_steps(%x: tensor<2x32xi8>, %y: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %w = needle_cpu.weight dense<17> : tensor<1x9x4x4xi8> -> tensor<1x9x4x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x32xi8>, tensor<1x9x4x4xi8>) outs(%y : tensor<2x3xi32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// CHECK-LABEL: @one_step
// CHECK: needle_cpu.qmatmul {{.*}} {byte_steps = 1 : i32, {{.*}} add up to 128 of 128"}
func.func @one_step(%x: tensor<2x32xi8>, %y: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %w = needle_cpu.weight dense<-64> : tensor<1x9x4x4xi8> -> tensor<1x9x4x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x32xi8>, tensor<1x9x4x4xi8>) outs(%y : tensor<2x3xi32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// Every pair would have to be split: they stay pairs of i16, and the note says why.
// CHECK-LABEL: @no_step
// CHECK: needle_cpu.qmatmul {{.*}} {needle.kernel_note = "pairs of i16, as weights of one sign add up to 130 in a pair and only 128 fit 16 bits"}
func.func @no_step(%x: tensor<2x32xi8>, %y: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %w = needle_cpu.weight dense<65> : tensor<1x9x4x4xi8> -> tensor<1x9x4x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x32xi8>, tensor<1x9x4x4xi8>) outs(%y : tensor<2x3xi32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// One pair of 32 groups offends, (127, 2) in the first column of the third group; a
// second term takes 1 of it. The first 128 bytes of rest are that group.
// CHECK-LABEL: @split
// CHECK-DAG: %[[MAIN:.*]] = needle_cpu.weight dense_resource<w_main> : tensor<1x33x1x4xi8>
// CHECK-DAG: %[[REST:.*]] = needle_cpu.weight dense_resource<w_rest> : tensor<1x1x1x4xi8>
// CHECK-DAG: %[[GROUPS:.*]] = needle_cpu.weight dense_resource<w_rest_groups> : tensor<1x1xi32>
// CHECK: needle_cpu.qmatmul ins(%{{.*}}, %[[MAIN]] : {{.*}}) rest(%[[REST]], %[[GROUPS]] : tensor<1x1x1x4xi8>, tensor<1x1xi32>)
// CHECK-SAME: byte_steps = 4 : i32
// CHECK-SAME: after splitting (they added up to 129) with 1 groups more than 32
// CHECK: w_main: "0x{{........}}00000000000000007E020000
// CHECK: w_rest: "0x{{........}}01000000"
// CHECK: w_rest_groups: "0x{{........}}02000000"
func.func @split(%x: tensor<2x128xi8>, %y: tensor<2x1xi32>) -> tensor<2x1xi32> {
  %w = needle_cpu.weight dense_resource<w> : tensor<1x33x1x4xi8> -> tensor<1x33x1x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x128xi8>, tensor<1x33x1x4xi8>) outs(%y : tensor<2x1xi32>) -> tensor<2x1xi32>
  return %0 : tensor<2x1xi32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x0100000000000000000000007F020000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    }
  }
#-}

// -----

// Weights that are known only at run time, and those of i16.
// CHECK-LABEL: @does_not_apply
// CHECK-NOT: byte_steps
// CHECK-NOT: kernel_note
func.func @does_not_apply(%x: tensor<2x4xi8>, %w: tensor<1x2x4x4xi8>, %y: tensor<2x3xi32>) -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x4xi8>, tensor<1x2x4x4xi8>) outs(%y : tensor<2x3xi32>) -> tensor<2x3xi32>
  %v = needle_cpu.weight dense<1> : tensor<1x2x4x2xi16> -> tensor<1x2x4x2xi16>
  %1 = needle_cpu.qmatmul ins(%x, %v : tensor<2x4xi8>, tensor<1x2x4x2xi16>) outs(%y : tensor<2x3xi32>) -> tensor<2x3xi32>
  return %0, %1 : tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// An i32 bias may take sums out of i32: the kernel of such sums multiplies pairs.
// CHECK-LABEL: @integer_bias
// CHECK-NOT: byte_steps
// CHECK-NOT: kernel_note
func.func @integer_bias(%x: tensor<2x32xi8>, %s: tensor<3xf32>, %b: tensor<3xi32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = needle_cpu.weight dense<16> : tensor<1x9x4x4xi8> -> tensor<1x9x4x4xi8>
  %0 = needle_cpu.qmatmul ins(%x, %w : tensor<2x32xi8>, tensor<1x9x4x4xi8>) scales(%s : tensor<3xf32>) bias(%b : tensor<3xi32>) outs(%y : tensor<2x3xf32>) {lhs_unsigned} -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
