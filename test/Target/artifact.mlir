// An artifact has one body for each target, which share their weights where the
// bytes are equal; equal inputs give equal files.

// RUN: needle-compile %s -o %t.ndl
// RUN: needle-run --info %t.ndl | FileCheck %s
// RUN: needle-compile %s -o %t.again.ndl
// RUN: cmp %t.ndl %t.again.ndl
// RUN: needle-compile %s --target=x86-64 -o %t.one.ndl
// RUN: needle-run --info %t.one.ndl | FileCheck %s --check-prefix=ONE --implicit-check-not=avx2
// RUN: needle-compile %s --target=host -o %t.host.ndl
// RUN: needle-run --info %t.host.ndl | FileCheck %s --check-prefix=HOST
// RUN: needle-compile %s --target=neon -o %t.neon.ndl
// RUN: needle-run --info %t.neon.ndl | FileCheck %s --check-prefix=ELSEWHERE
// RUN: not needle-run %t.neon.ndl --input x=none.npy 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: needle-compile %s --target=avx2 --time -o %t.time.ndl 2>&1 | FileCheck %s --check-prefix=TIME

// CHECK: body x86-64: x86-64 with sse2; {{[0-9]+}} bytes of code, [[WEIGHTS:[1-9][0-9]*]] of weights
// CHECK: body avx2: x86-64 with avx2, fma; {{[0-9]+}} bytes of code, [[WEIGHTS]] of weights
// CHECK: entry main
// CHECK: input x: u8[?x4]
// CHECK-SAME: scale 0.5
// CHECK: output y: f32[?x2]
// CHECK: qmatmul{{.*}} needle.qmatmul {{.*}}artifact.mlir

// ONE: body x86-64

// HOST: body {{[a-z0-9-]+}}: {{.*}}; in use
// HOST-NOT: body

// ELSEWHERE: body neon: aarch64 with neon; {{.*}} of weights; needs an aarch64 CPU
// ELSEWHERE-NEXT: no body in use: {{.*}} the artifact has no body for this CPU (x86-64 with {{.*}}); 'neon' needs an aarch64 CPU
// ELSEWHERE: input x: u8[?x4]
// ELSEWHERE-NOT: step

// REFUSED: error: {{.*}} the artifact has no body for this CPU

// TIME: ms fused
// TIME: ms linalg (avx2)
// TIME: ms optimize (avx2)
// TIME: ms generate code (avx2)
// TIME: ms total

func.func @main(%x: tensor<?x4x!quant.uniform<u8:f32, 0.5:3>> {needle.name = "x"})
    -> (tensor<?x2xf32> {needle.name = "y"}) {
  %w = needle.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
      -> tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %0 = needle.qmatmul %x, %w : tensor<?x4x!quant.uniform<u8:f32, 0.5:3>>,
      tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
