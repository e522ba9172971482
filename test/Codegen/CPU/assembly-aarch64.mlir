// RUN: needle-compile %s --emit=asm --target=neon -o - | FileCheck %s --check-prefix=NEON

// The inner loops for AArch64: accumulators stay in registers (nothing on the stack
// between the first step and the loop's branch), nothing is contracted (N5), and no
// function of any library is called.

func.func @integer(%q: tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>) -> tensor<?x256xf32> {
  %w = needle.constant dense<3> : tensor<512x256xi8> -> tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %b = needle.constant dense<1.5> : tensor<256xf32> -> tensor<256xf32>
  %y = needle.qmatmul %q, %w bias(%b : tensor<256xf32>) {activation = #needle.activation<relu>}
     : tensor<?x512x!quant.uniform<u8:f32, 0.25:3>>, tensor<512x256x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

func.func @float(%x: tensor<?x512xf32>) -> tensor<?x256xf32> {
  %w = needle.constant dense<3.0> : tensor<512x256xf32> -> tensor<512x256xf32>
  %y = needle.matmul %x, %w : tensor<?x512xf32>, tensor<512x256xf32> -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}

// Without a dot product: two widening multiply-adds for each pair along K.
// NEON-LABEL:     qmatmul_u8s8_f32_bias_relu.neon.4x16:
// NEON-COUNT-32:  smlal{{2?[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           scvtf{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           fmul{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           fadd{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       {{[[:space:]]bl[[:space:]]}}

// NEON-LABEL:     matmul_f32.neon.6x16:
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           fmla{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       [sp
// NEON:           b.{{ne|lt}}
// NEON-NOT:       {{[[:space:]]bl[[:space:]]}}
