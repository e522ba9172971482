// Float semantics stay strict and loops stay loops: nothing is contracted or
// reassociated, no library function is called, and yet loops are vectorized.

// RUN: needle-compile %s --emit=llvm --target=avx2 | FileCheck %s --check-prefix=IR --implicit-check-not=contract --implicit-check-not=reassoc --implicit-check-not=' fast ' --implicit-check-not=memset --implicit-check-not=memcpy
// RUN: needle-compile %s --emit=llvm --target=x86-64 | FileCheck %s --check-prefix=IR --implicit-check-not=contract --implicit-check-not=reassoc --implicit-check-not=' fast ' --implicit-check-not=memset --implicit-check-not=memcpy
// RUN: needle-compile %s --emit=asm --target=avx2 | FileCheck %s --check-prefix=AVX2 --implicit-check-not=vfmadd --implicit-check-not=@PLT --implicit-check-not=memset --implicit-check-not=memcpy
// RUN: needle-compile %s --emit=asm --target=x86-64 | FileCheck %s --check-prefix=SSE --implicit-check-not=ymm --implicit-check-not=@PLT

// IR: fmul <{{[48]}} x float>
// IR: fadd <{{[48]}} x float>
// AVX2: vmulps {{.*}}%ymm
// AVX2: vaddps {{.*}}%ymm
// SSE: mulps {{.*}}%xmm
// SSE: addps {{.*}}%xmm

func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<64xf32>) {
  %0 = needle.mul %x, %y : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  %1 = needle.add %0, %z : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  %zero = needle.constant dense<0.0> : tensor<64xf32> -> tensor<64xf32>
  return %1, %x, %zero : tensor<?xf32>, tensor<?xf32>, tensor<64xf32>
}
