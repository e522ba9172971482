// RUN: needle-opt %s --needle-cpu-tag-origins --mlir-print-debuginfo | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: needle.relu {{.*}} loc(#[[LOC:.*]])
// CHECK: return {{.*}} loc(#[[RETURN:.*]])
// CHECK: #[[FILE:.*]] = loc("{{.*}}tag-origins.mlir":[[#@LINE+5]]:8)
// CHECK: #[[RETURN]] = loc("
// CHECK: #[[LOC]] = loc(fused<"needle.relu">[#[[FILE]]])
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {

  %0 = needle.relu %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
