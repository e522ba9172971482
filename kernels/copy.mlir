// Copies between arrays of any strides, and fills.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.map_kernel @copy {
^bb0(%x: f32):
  needle_cpu.yield %x : f32
}

needle_cpu.map_kernel @copy_u8 {
^bb0(%x: i8):
  needle_cpu.yield %x : i8
}

needle_cpu.map_kernel @fill scalars 1 {
^bb0(%s: f32):
  needle_cpu.yield %s : f32
}

needle_cpu.map_kernel @fill_u8 scalars 1 {
^bb0(%s: i8):
  needle_cpu.yield %s : i8
}
