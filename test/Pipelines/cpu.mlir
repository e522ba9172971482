// The CPU pipeline ends in the LLVM dialect, for the target it is asked for.

// RUN: needle-opt %s --needle-cpu-pipeline | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: needle-opt %s --needle-cpu-pipeline=target=x86-64 | FileCheck %s --check-prefixes=CHECK,BASE
// RUN: needle-opt %s --needle-cpu-pipeline=target=host | FileCheck %s
// RUN: not needle-opt %s --needle-cpu-pipeline=target=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not needle-opt %s --needle-cpu-pipeline=speed=high 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: needle-opt --help | FileCheck %s --check-prefix=HELP

// CHECK-NOT: needle.{{[a-z_]+}} %
// CHECK-NOT: builtin.unrealized_conversion_cast
// CHECK: llvm.func internal @main(
// AVX2-SAME: kernel = "matmul_f32.avx2.6x16"
// BASE-SAME: kernel = "matmul_f32.x86-64.2x16"
// CHECK: llvm.func @main.run(
// CHECK: llvm.func @main.plan(

// UNKNOWN: unknown CPU target 'z80'; there are x86-64, avx2{{.*}}, neon{{.*}}, host
// OPTION: no such option speed

// HELP: --needle-cpu-pipeline
// HELP-NEXT: --target=<string>
// HELP: --needle-observe-pipeline
// HELP: --needle-quantize-pipeline
// HELP: --weight-granularity

func.func @main(%x: tensor<?x3xf32>, %w: tensor<3x4xf32>) -> tensor<?x4xf32> {
  %0 = needle.matmul %x, %w : tensor<?x3xf32>, tensor<3x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
