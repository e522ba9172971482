// RUN: needle-compile %s --emit=asm --target=neon -o %t.neon.s
// RUN: needle-compile %s --emit=asm --target=neon-dotprod -o %t.dot.s
// RUN: needle-compile %s --emit=asm --target=neon-i8mm -o %t.i8mm.s
// RUN: FileCheck %s --check-prefix=NEON --input-file=%t.neon.s
// RUN: FileCheck %s --check-prefix=DOT --input-file=%t.dot.s
// RUN: FileCheck %s --check-prefix=I8MM --input-file=%t.i8mm.s
// RUN: %python %S/Inputs/loops.py smlal fmla < %t.neon.s | FileCheck %s --check-prefix=NEON-LOOP
// RUN: %python %S/Inputs/loops.py sdot < %t.dot.s | FileCheck %s --check-prefix=DOT-LOOP
// RUN: %python %S/Inputs/loops.py usmmla usdot sudot < %t.i8mm.s | FileCheck %s --check-prefix=I8MM-LOOP

// The inner loops for AArch64: accumulators stay in registers, rescaling is a
// multiplication followed by an addition (N5), never contracted, and no function of any
// library is called.

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

// Without a dot product: a widening multiply-add for each product.
// NEON-LABEL:     qmatmul_u8s8_f32_bias_relu.neon.3x16:
// NEON:           smlal{{2?[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           scvtf{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           fmul{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       fmla
// NEON:           fadd{{[ \t]+}}v{{[0-9]+}}.4s
// NEON-NOT:       {{[[:space:]]bl[[:space:]]+[a-z]}}
// NEON-LABEL:     matmul_f32.neon.6x16:
// NEON-NOT:       {{[[:space:]]bl[[:space:]]+[a-z]}}
// NEON-LOOP-DAG:  qmatmul_u8s8_f32_bias_relu.neon.3x16: 48 smlal 0 fmla stack 0
// NEON-LOOP-DAG:  matmul_f32.neon.6x16: 0 smlal 24 fmla stack 0

// Four groups of four in a step, one vector of lhs for each row, by element.
// DOT-LABEL:     "qmatmul_u8s8_quads_f32_bias_relu.neon-dotprod.4x16":
// DOT:           sdot{{[ \t]+}}v{{[0-9]+}}.4s, v{{[0-9]+}}.16b, v{{[0-9]+}}.4b[3]
// DOT-NOT:       fmla
// DOT:           scvtf{{[ \t]+}}v{{[0-9]+}}.4s
// DOT-NOT:       fmla
// DOT:           fmul{{[ \t]+}}v{{[0-9]+}}.4s
// DOT-NOT:       fmla
// DOT:           fadd{{[ \t]+}}v{{[0-9]+}}.4s
// DOT-NOT:       {{[[:space:]]bl[[:space:]]+[a-z]}}
// DOT-LOOP:       qmatmul_u8s8_quads_f32_bias_relu.neon-dotprod.4x16: 64 sdot stack 0

// Squares of two rows and two columns; a single row has nothing to square.
// I8MM-LABEL:     "qmatmul_u8s8_quads_f32_bias_relu.neon-i8mm.4x16":
// I8MM:           usmmla{{[ \t]+}}v{{[0-9]+}}.4s, v{{[0-9]+}}.16b, v{{[0-9]+}}.16b
// I8MM-NOT:       fmla
// I8MM:           scvtf{{[ \t]+}}v{{[0-9]+}}.4s
// I8MM-NOT:       fmla
// I8MM:           fmul{{[ \t]+}}v{{[0-9]+}}.4s
// I8MM-NOT:       fmla
// I8MM:           fadd{{[ \t]+}}v{{[0-9]+}}.4s
// I8MM-NOT:       {{[[:space:]]bl[[:space:]]+[a-z]}}
// I8MM-LOOP-DAG:  qmatmul_u8s8_quads_f32_bias_relu.neon-i8mm.4x16: 16 usmmla 0 usdot 0 sudot stack 0
// I8MM-LOOP-DAG:  qmatmul_u8s8_quads_f32_bias_relu.neon-i8mm.4x16: 0 usmmla 0 usdot 16 sudot stack 0
