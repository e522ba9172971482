// RUN: needle-opt %s --needle-insert-observers=exclude=fc2 | FileCheck %s --implicit-check-not=needle.observe --check-prefixes=CHECK,FIRST,THIRD
// RUN: needle-opt %s --needle-insert-observers=include=fc* | FileCheck %s --implicit-check-not=needle.observe --check-prefixes=CHECK,FIRST,SECOND
// RUN: needle-opt %s "--needle-insert-observers=include=fc*,head exclude=fc[13]" | FileCheck %s --implicit-check-not=needle.observe --check-prefixes=CHECK,SECOND,THIRD
// RUN: needle-opt %s "--needle-insert-observers=include={fc1,head}" | FileCheck %s --implicit-check-not=needle.observe --check-prefixes=CHECK,FIRST,THIRD
// RUN: not needle-opt %s "--needle-insert-observers=exclude=fc1,conv*" 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// RUN: not needle-opt %s --needle-insert-observers=include=conv1 2>&1 | FileCheck %s --check-prefix=UNMATCHED-INCLUDE
// RUN: not needle-opt %s --needle-insert-observers=exclude=fc[ 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not needle-opt %s --needle-quantize=exclude=conv1 2>&1 | FileCheck %s --check-prefix=UNMATCHED-QUANTIZE

// UNMATCHED: error: exclude: pattern 'conv*' matches no quantizable operation; their names are: fc1, fc2, head
// UNMATCHED-INCLUDE: error: include: pattern 'conv1' matches no quantizable operation; their names are: fc1, fc2, head
// UNMATCHED-QUANTIZE: error: exclude: pattern 'conv1' matches no quantizable operation; their names are: fc1, fc2, head
// BAD: error: exclude: bad pattern 'fc[': {{.*}}unmatched '['

// The name is that of the location, also inside fused and named ones, or the
// attribute needle.op_name, which wins. An operation without a name matches no
// pattern.
// CHECK-LABEL: func @names(
// FIRST-COUNT-1:  needle.observe %arg0
// SECOND-COUNT-1: needle.observe %arg1
// THIRD-COUNT-1:  needle.observe %arg2
// CHECK: return
func.func @names(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %c: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = needle.matmul %a, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32> loc("fc1"("model.py":3:5))
  %1 = needle.matmul %b, %w : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32> loc(fused["model.py":4:5, "fc2"])
  %2 = needle.matmul %c, %w {needle.op_name = "head"} : tensor<2x4xf32>, tensor<4x2xf32> -> tensor<2x2xf32> loc("fc1")
  return %0, %1, %2 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}
