// Products of two matrices that are both known only at run time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.contraction_kernel @matmul_f32 (f32, f32) -> f32
needle_cpu.contraction_kernel @matmul_u8u8_f32 (ui8, ui8) -> f32
needle_cpu.contraction_kernel @matmul_u8u8_f32_bias (ui8, ui8) -> f32 bias
