// Every stage can be printed; each that is MLIR can be parsed again.

// RUN: needle-compile %s --emit=mlir --stage=needle | FileCheck %s --check-prefix=NEEDLE
// RUN: needle-compile %s --emit=mlir | FileCheck %s --check-prefix=FUSED
// RUN: needle-compile %s --emit=mlir --stage=fused | needle-opt | FileCheck %s --check-prefix=FUSED
// RUN: needle-compile %s --emit=mlir --stage=linalg | needle-opt | FileCheck %s --check-prefix=LINALG
// RUN: needle-compile %s --emit=mlir --stage=buffers | needle-opt | FileCheck %s --check-prefix=BUFFERS
// RUN: needle-compile %s --emit=mlir --stage=kernels | needle-opt | FileCheck %s --check-prefix=KERNELS
// RUN: needle-compile %s --emit=mlir --stage=llvm | needle-opt | FileCheck %s --check-prefix=LLVM
// RUN: needle-compile %s --emit=mlir --stage=llvmir | FileCheck %s --check-prefix=IR

// What the first stage prints is a valid input.
// RUN: needle-compile %s --emit=mlir --stage=fused | needle-compile -o %t.ndl
// RUN: needle-run --info %t.ndl | FileCheck %s --check-prefix=INFO

// NEEDLE: needle.add
// NEEDLE: needle.relu

// FUSED: func.func private @main.shapes
// FUSED: needle.matmul %{{.*}} bias(%{{.*}}) {activation = #needle.activation<relu>
// FUSED-NOT: needle.add

// LINALG-NOT: needle.matmul
// LINALG: needle_cpu.weight
// LINALG: needle_cpu.matmul {{.*}} -> tensor<?x4xf32>

// BUFFERS: memref.view
// BUFFERS: needle_cpu.matmul {{.*}} outs(%{{.*}} : memref<?x4xf32>)

// KERNELS-NOT: needle_cpu.
// KERNELS-NOT: linalg.
// KERNELS: needle.steps = [{kernel = "matmul_f32_bias_relu.avx2.6x16"

// LLVM: llvm.func @main.run
// LLVM: llvm.func @main.plan

// IR: target triple = "x86_64-unknown-linux-gnu"
// IR: define void @main.run(ptr

// INFO: step 0: matmul_f32_bias_relu.avx2.6x16 needle.matmul

func.func @main(%x: tensor<?x3xf32>) -> tensor<?x4xf32> {
  %w = needle.constant dense<0.5> : tensor<3x4xf32> -> tensor<3x4xf32>
  %b = needle.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> -> tensor<4xf32>
  %0 = needle.matmul %x, %w : tensor<?x3xf32>, tensor<3x4xf32> -> tensor<?x4xf32>
  %1 = needle.add %0, %b : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
  %2 = needle.relu %1 : tensor<?x4xf32> -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}
