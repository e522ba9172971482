// RUN: needle-compile %s --emit=asm --target=avx2 -o - | FileCheck %s --check-prefix=AVX2
// RUN: needle-compile %s --emit=asm --target=avx2 -o - | FileCheck %s --check-prefix=FEW
// RUN: needle-compile %s --emit=asm --target=avx2 -o - | FileCheck %s --check-prefix=ONE
// RUN: needle-compile %s --emit=asm --target=avx2 -o - | FileCheck %s --check-prefix=COPY
// RUN: needle-compile %s --emit=asm --target=x86-64 -o - | FileCheck %s --check-prefix=BASE
// RUN: needle-compile %s --emit=asm --target=avx-vnni -o - | FileCheck %s --check-prefix=AVXVNNI
// RUN: needle-compile %s --emit=asm --target=avx512-vnni -o - | FileCheck %s --check-prefix=AVX512

// What the inner loops are made of: accumulators stay in registers (nothing on the
// stack between the first step and the loop's branch), every step is vpmaddwd,
// vpmaddubsw, vpdpbusd or vfmadd, and rescaling is a multiplication followed by an addition (N5), never
// contracted. No function of any library is called.

func.func @integer(%q: tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>) -> tensor<?x256xf32> {
  %w = needle.constant dense<65> : tensor<512x256xi8> -> tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %b = needle.constant dense<1.5> : tensor<256xf32> -> tensor<256xf32>
  %y = needle.qmatmul %q, %w bias(%b : tensor<256xf32>) {activation = #needle.activation<relu>}
     : tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>, tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

// Weights of one sign add up to 128 of 128 in two groups.
func.func @bytes(%q: tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>) -> tensor<?x256xi32> {
  %w = needle.constant dense<32> : tensor<512x256xi8> -> tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %y = needle.qmatmul %q, %w : tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>, tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<?x256xi32>
  return %y : tensor<?x256xi32>
}

func.func @float(%x: tensor<?x512xf32>) -> tensor<?x256xf32> {
  %w = needle.constant dense<3.0> : tensor<512x256xf32> -> tensor<512x256xf32>
  %y = needle.matmul %x, %w : tensor<?x512xf32>, tensor<512x256xf32> -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

// A block of many rows widens a panel once, even elements by a multiplication with one
// and zero and odd ones by a shift, and multiplies what it has widened, a pair a step; one of few rows widens in the loop. All rows of lhs are read
// from pointers of their own, so that the loop advances one and counts.
// AVX2-LABEL: qmatmul_u8s8_f32_bias_relu.avx2.6x16:
// AVX2:       vpmaddubsw
// AVX2-NOT:   vpsllw
// AVX2:       vpsraw
// AVX2-NOT:   vpsllw
// AVX2:       vpbroadcastd
// AVX2-NOT:   {{vpsraw|vpsllw|vpmaddubsw|rsp|lea}}
// AVX2-COUNT-12: vpmaddwd
// AVX2-NOT:   {{vpmaddwd|rsp|lea}}
// AVX2:       {{addq|incq}}
// AVX2-NEXT:  {{addq|incq}}
// AVX2-NEXT:  cmpq
// AVX2-NEXT:  jne
// AVX2-NOT:   vfmadd
// AVX2:       vcvtdq2ps
// AVX2-NOT:   vfmadd
// AVX2:       vmulps
// AVX2-NOT:   vfmadd
// AVX2:       vaddps
// AVX2-NOT:   callq {{[a-z]}}

// FEW-LABEL: qmatmul_u8s8_f32_bias_relu.avx2.6x16:
// FEW-NOT:   vpmaddubsw
// FEW:       vpsraw
// FEW:       vpbroadcastd
// FEW-NOT:   vpmaddubsw
// FEW:       vpmaddwd

// One row multiplies halves of bytes by weights that are not widened, and widens what
// eight groups add up to: two products and two additions for each half.
// ONE-LABEL: qmatmul_u8s8_nibbles_f32_bias_relu.avx2.1x16:
// ONE:       vpmulld
// ONE-NOT:   {{vpmovsx|vpsraw|vpmaddwd}}
// ONE:       vpbroadcastd
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmovsx}}
// ONE:       vpmaddubsw
// ONE-NOT:   {{rsp|rbx|vpmaddubsw}}
// ONE-COUNT-4: vpmaddwd
// ONE-NOT:   {{rsp|vpmaddwd}}
// ONE:       j{{ne|b|l}}

// Ragged panels are copied by one function, which all kernels call.
// COPY:     callq .copy_ragged32
// COPY:     {{^}}.copy_ragged32:
// COPY-NOT: {{^}}.copy_ragged32:
// COPY:     matmul_f32.avx2.6x16:
// COPY:     callq .copy_ragged32
// COPY-NOT: {{^}}.copy_ragged32:

// Two groups of bytes are added up in 16 bits before they are widened.
// AVX2-LABEL: qmatmul_u8s8_bytes2_i32.avx2.4x16:
// AVX2-COUNT-16: vpmaddubsw
// AVX2-NOT:   vpmovsxbw
// AVX2:       j{{l|ne|b}}
// AVX2-NOT:   callq {{[a-z]}}

// A single row: the panels of 64 columns are read side by side, and once.
// AVX2-LABEL: matmul_f32.avx2.1x64:
// AVX2:       vbroadcastss
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       j{{l|ne|b}}
// AVX2-NOT:   callq {{[a-z]}}

// AVXVNNI-LABEL: "qmatmul_u8s8_quads_f32_bias_relu.avx-vnni.6x16":
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   (%rsp)
// AVXVNNI:       {vex}{{.*}}vpdpbusd {{.*}}%ymm
// AVXVNNI-NOT:   callq {{[a-z]}}

// AVX512-LABEL: "qmatmul_u8s8_quads_f32_bias_relu.avx512-vnni.12x32":
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vpdpbusd {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       j{{l|ne|b}}
// AVX512-NOT:   callq {{[a-z]}}

// AVX512-LABEL: "matmul_f32.avx512-vnni.12x32":
// AVX512:       vbroadcastss
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   (%rsp)
// AVX512:       vfmadd{{[0-9]+}}ps {{.*}}%zmm
// AVX512-NOT:   callq {{[a-z]}}

// AVX2-LABEL: matmul_f32.avx2.6x16:
// AVX2:       vbroadcastss
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       vfmadd{{[0-9]+}}ps
// AVX2-NOT:   (%rsp)
// AVX2:       j{{l|ne|b}}
// AVX2-NOT:   callq {{[a-z]}}

// BASE-LABEL: "qmatmul_u8s8_f32_bias_relu.x86-64.2x16":
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       pmaddwd
// BASE-NOT:   (%rsp)
// BASE:       j{{l|ne|b}}
// BASE:       cvtdq2ps
// BASE-NOT:   callq {{[a-z]}}

// BASE-LABEL: "matmul_f32.x86-64.2x16":
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       mulps
// BASE-NOT:   (%rsp)
// BASE:       j{{l|ne|b}}
// BASE-NOT:   callq {{[a-z]}}
