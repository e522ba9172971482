// Observe, then quantize: the options reach the passes.

// RUN: needle-opt %s --needle-observe-pipeline | FileCheck %s --check-prefix=OBSERVE
// RUN: needle-opt %s --needle-observe-pipeline=exclude=second | FileCheck %s --check-prefix=EXCLUDE
// RUN: needle-opt %s --needle-quantize-pipeline=mode=dynamic | FileCheck %s --check-prefix=DYNAMIC
// RUN: needle-opt %s --needle-quantize-pipeline="mode=dynamic weight-type=uint8 weight-granularity=per-tensor include=first" | FileCheck %s --check-prefix=OPTIONS
// RUN: not needle-opt %s --needle-quantize-pipeline=weight-type=int3 2>&1 | FileCheck %s --check-prefix=ERROR

// OBSERVE: %[[X:.*]] = needle.observe %{{.*}} {id = 0 : i64}
// OBSERVE: needle.matmul %[[X]]
// OBSERVE: %[[H:.*]] = needle.relu
// OBSERVE: %[[O:.*]] = needle.observe %[[H]] {id = 1 : i64}
// OBSERVE: needle.matmul %[[O]]

// EXCLUDE: needle.observe
// EXCLUDE-NOT: needle.observe

// DYNAMIC: needle.quantize_dynamic
// DYNAMIC: needle.qmatmul {{.*}}!quant.uniform<i8<-127:127>:f32:1, {
// DYNAMIC: needle.quantize_dynamic
// DYNAMIC: needle.qmatmul
// DYNAMIC-NOT: needle.matmul

// OPTIONS: needle.qmatmul {{.*}}tensor<3x4x!quant.uniform<u8:f32, 0.043137{{[0-9]*}}:46>>
// OPTIONS: needle.matmul {{.*}}needle.not_quantized

// ERROR: Cannot find option named 'int3'

func.func @main(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %v = needle.constant dense<[[1.0, -2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 8.0, 7.0, 6.0]]> : tensor<3x4xf32> -> tensor<3x4xf32>
  %w = needle.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32> -> tensor<4x2xf32>
  %0 = needle.matmul %x, %v : tensor<?x3xf32>, tensor<3x4xf32> -> tensor<?x4xf32> loc("first")
  %1 = needle.relu %0 : tensor<?x4xf32> -> tensor<?x4xf32>
  %2 = needle.matmul %1, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32> loc("second")
  return %2 : tensor<?x2xf32>
}
