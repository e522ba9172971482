// Copies between arrays of any strides, fills, and conversions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.map_kernel @copy {
^bb0(%x: f32):
  needle_cpu.yield %x : f32
}

needle_cpu.map_kernel @copy_u8 {
^bb0(%x: i8):
  needle_cpu.yield %x : i8
}

needle_cpu.map_kernel @copy_i32 {
^bb0(%x: i32):
  needle_cpu.yield %x : i32
}

needle_cpu.map_kernel @fill scalars 1 {
^bb0(%s: f32):
  needle_cpu.yield %s : f32
}

needle_cpu.map_kernel @fill_u8 scalars 1 {
^bb0(%s: i8):
  needle_cpu.yield %s : i8
}

needle_cpu.map_kernel @fill_i32 scalars 1 {
^bb0(%s: i32):
  needle_cpu.yield %s : i32
}

needle_cpu.map_kernel @convert_u8_f32 {
^bb0(%x: i8):
  %r = arith.uitofp %x : i8 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @convert_i32_f32 {
^bb0(%x: i32):
  %r = arith.sitofp %x : i32 to f32
  needle_cpu.yield %r : f32
}
