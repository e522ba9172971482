// RUN: needle-opt %s --needle-cpu-build-plan --needle-cpu-protect-inputs | FileCheck %s

// The bufferization of an elementwise operation must not use the input's memory.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: tensor<4xf32> {bufferization.writable = false})
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.relu %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func private @helper(
// CHECK-NOT: bufferization.writable
func.func private @helper(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
