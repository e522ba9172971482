// Reductions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.reduce_kernel @reduce_sum identity 0.0 wide {
^bb0(%a: f32, %b: f32):
  %r = arith.addf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.reduce_kernel @reduce_max identity 0xFF800000 {
^bb0(%a: f32, %b: f32):
  %r = arith.maximumf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.reduce_kernel @reduce_min identity 0x7F800000 {
^bb0(%a: f32, %b: f32):
  %r = arith.minimumf %a, %b : f32
  needle_cpu.yield %r : f32
}
