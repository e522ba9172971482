// RUN: needle-opt %s --needle-cpu-add-runtime-arguments --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %{{.*}}: memref<4xf32>, %{{.*}}: memref<?xi8>, %{{.*}}: memref<?xi8>, %{{.*}}: index, %{{.*}}: !llvm.ptr)
func.func @main(%x: memref<4xf32>) attributes {needle.signature = {inputs = [], outputs = []}} {
  return
}

// CHECK-LABEL: func.func private @helper(
// CHECK-SAME: %{{.*}}: memref<4xf32>) {
func.func private @helper(%x: memref<4xf32>) {
  return
}

// -----

// expected-error@+1 {{must have no results here}}
func.func @result(%x: memref<4xf32>) -> memref<4xf32> attributes {needle.signature = {inputs = [], outputs = []}} {
  return %x : memref<4xf32>
}
