// RUN: needle-opt %s --split-input-file --verify-diagnostics

func.func @weight_type() {
  // expected-error @+1 {{cannot hold elements of type 'f64'}}
  %0 = needle_cpu.weight dense<1.0> : tensor<2xf64> -> tensor<2xf64>
  return
}

// -----

func.func @weight_shape() {
  // expected-error @+1 {{value of type 'tensor<2xf32>' does not fit the result type 'tensor<3xf32>'}}
  %0 = needle_cpu.weight dense<1.0> : tensor<2xf32> -> tensor<3xf32>
  return
}

// -----

func.func @weight_layout() {
  // expected-error @+1 {{memref must be contiguous}}
  %0 = needle_cpu.weight dense<1.0> : tensor<2xf32> -> memref<2xf32, strided<[2]>>
  return
}

// -----

func.func @pack_mixed(%s: tensor<4x4xf32>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{mixes tensors and memrefs}}
  needle_cpu.pack_rhs ins(%s : tensor<4x4xf32>) outs(%d : memref<1x4x16xf32>)
  return
}

// -----

func.func @pack_source_rank(%s: memref<4xf32>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{source must have rank 2 and element type f32 or i8, but is 'memref<4xf32>'}}
  needle_cpu.pack_rhs ins(%s : memref<4xf32>) outs(%d : memref<1x4x16xf32>)
  return
}

// -----

func.func @pack_source_type(%s: memref<4x4xi32>, %d: memref<1x2x16x2xi16>) {
  // expected-error @+1 {{source must have rank 2 and element type f32 or i8}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi32>) outs(%d : memref<1x2x16x2xi16>)
  return
}

// -----

func.func @pack_dest_float(%s: memref<4x4xf32>, %d: memref<1x4x16x2xi16>) {
  // expected-error @+1 {{dest must have rank 3 and element type f32}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xf32>) outs(%d : memref<1x4x16x2xi16>)
  return
}

// -----

func.func @pack_dest_integer(%s: memref<4x4xi8>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{dest must have rank 4 and element type i8 or i16}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) outs(%d : memref<1x4x16xf32>)
  return
}

// -----

func.func @pack_dynamic_panel(%s: memref<4x4xf32>, %d: memref<1x4x?xf32>) {
  // expected-error @+1 {{dest must have a static panel width}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xf32>) outs(%d : memref<1x4x?xf32>)
  return
}

// -----

func.func @pack_quads(%s: memref<4x4xi8>, %d: memref<1x2x16x3xi8>) {
  // expected-error @+1 {{dest must end in quads}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) outs(%d : memref<1x2x16x3xi8>)
  return
}

// -----

func.func @pack_panels(%s: memref<4x17xf32>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{the number of panels is 1, but N divided by the panel width is 2}}
  needle_cpu.pack_rhs ins(%s : memref<4x17xf32>) outs(%d : memref<1x4x16xf32>)
  return
}

// -----

func.func @pack_depth(%s: memref<5x16xi8>, %d: memref<1x2x16x4xi8>) {
  // expected-error @+1 {{the depth of the panels is 2, but K in quads and one is 3}}
  needle_cpu.pack_rhs ins(%s : memref<5x16xi8>) outs(%d : memref<1x2x16x4xi8>)
  return
}

// -----

func.func @pack_depth_transposed(%s: memref<16x5xf32>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{the depth of the panels is 4, but K is 5}}
  needle_cpu.pack_rhs ins(%s : memref<16x5xf32>) outs(%d : memref<1x4x16xf32>) {transposed}
  return
}

// -----

func.func @pack_narrow_unsigned(%s: memref<4x4xi8>, %d: memref<1x2x16x4xi8>) {
  // expected-error @+1 {{dest must be of i16 for an unsigned source or one with a zero point}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) outs(%d : memref<1x2x16x4xi8>) {source_unsigned}
  return
}

// -----

func.func @pack_two_zero_points(%s: memref<4x4xi8>, %d: memref<1x2x16x2xi16>, %z: memref<i32>) {
  // expected-error @+1 {{has zero points as an attribute and as an operand}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) zero_point(%z : memref<i32>) outs(%d : memref<1x2x16x2xi16>) {zero_points = array<i32: 1>}
  return
}

// -----

func.func @pack_zero_point_type(%s: memref<4x4xi8>, %d: memref<1x2x16x2xi16>, %z: memref<1xi32>) {
  // expected-error @+1 {{zero_point must have rank 0 and element type i32}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) zero_point(%z : memref<1xi32>) outs(%d : memref<1x2x16x2xi16>)
  return
}

// -----

func.func @pack_zero_point_range(%s: memref<4x4xi8>, %d: memref<1x2x16x2xi16>) {
  // expected-error @+1 {{has a zero point that its source cannot hold}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) outs(%d : memref<1x2x16x2xi16>) {zero_points = array<i32: 128>}
  return
}

// -----

func.func @pack_zero_point_count(%s: memref<4x4xi8>, %d: memref<1x2x16x2xi16>) {
  // expected-error @+1 {{the number of zero points is 2, but N of source is 4}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xi8>) outs(%d : memref<1x2x16x2xi16>) {zero_points = array<i32: 1, 2>}
  return
}

// -----

func.func @pack_float_zero_point(%s: memref<4x4xf32>, %d: memref<1x4x16xf32>) {
  // expected-error @+1 {{of f32 has neither zero points nor signedness}}
  needle_cpu.pack_rhs ins(%s : memref<4x4xf32>) outs(%d : memref<1x4x16xf32>) {zero_points = array<i32: 1>}
  return
}

// -----

func.func @matmul_lhs(%l: memref<4x4xi8>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{lhs must have rank 2 and element type f32}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xi8>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_rhs(%l: memref<4x4xf32>, %r: memref<4x16xf32>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{rhs must have rank 3 and element type f32}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<4x16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_dest(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{dest must have rank 2 and element type f32}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xi32>)
  return
}

// -----

func.func @matmul_bias(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>, %b: memref<16xi32>) {
  // expected-error @+1 {{bias must have rank 1 and element type f32}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) bias(%b : memref<16xi32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_bias_length(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>, %b: memref<15xf32>) {
  // expected-error @+1 {{the length of bias is 15, but N of dest is 16}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) bias(%b : memref<15xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_m(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<5x16xf32>) {
  // expected-error @+1 {{M of lhs is 4, but M of dest is 5}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<5x16xf32>)
  return
}

// -----

func.func @matmul_m_transposed(%l: memref<4x5xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{M of lhs is 5, but M of dest is 4}}
  needle_cpu.matmul ins(%l, %r : memref<4x5xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32>) {transpose_lhs}
  return
}

// -----

func.func @matmul_k(%l: memref<4x5xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{the depth of the panels is 4, but K is 5}}
  needle_cpu.matmul ins(%l, %r : memref<4x5xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_n(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x17xf32>) {
  // expected-error @+1 {{the number of panels is 1, but N divided by the panel width is 2}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<4x17xf32>)
  return
}

// -----

func.func @matmul_panel(%l: memref<4x4xf32>, %r: memref<1x4x?xf32>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{rhs must have a static panel width}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x?xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @matmul_workspace(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>, %ws: memref<?xf32>) {
  // expected-error @+1 {{workspace must have rank 2 and element type i8}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32>) workspace(%ws : memref<?xf32>)
  return
}

// -----

func.func @matmul_mixed_workspace(%l: tensor<4x4xf32>, %r: tensor<1x4x16xf32>, %d: tensor<4x16xf32>, %ws: memref<?xi8>) {
  // expected-error @+1 {{mixes tensors and memrefs}}
  %0 = needle_cpu.matmul ins(%l, %r : tensor<4x4xf32>, tensor<1x4x16xf32>) outs(%d : tensor<4x16xf32>) workspace(%ws : memref<?xi8>) -> tensor<4x16xf32>
  return
}

// -----

func.func @matmul_tensor_workspace(%l: tensor<4x4xf32>, %r: tensor<1x4x16xf32>, %d: tensor<4x16xf32>, %ws: tensor<?xi8>) {
  // expected-error @+1 {{has a workspace on memrefs only}}
  %0 = needle_cpu.matmul ins(%l, %r : tensor<4x4xf32>, tensor<1x4x16xf32>) outs(%d : tensor<4x16xf32>) workspace(%ws : tensor<?xi8>) -> tensor<4x16xf32>
  return
}

// -----

func.func @qmatmul_lhs(%l: memref<4x4xf32>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{lhs must have rank 2 and element type i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xf32>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_rhs(%l: memref<4x4xi8>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{rhs must have rank 4 and element type i8 or i16}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x4x16xf32>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_dest(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi16>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest must have rank 2 and element type i32, f32 or i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi16>)
  return
}

// -----

func.func @qmatmul_bias(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>, %b: memref<16xi8>) {
  // expected-error @+1 {{bias must have rank 1 and element type f32 or i32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) bias(%b : memref<16xi8>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_k(%l: memref<4x5xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{the depth of the panels is 2, but K in quads and one is 3}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x5xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_lhs_zero_point(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{has a zero point that lhs cannot hold}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>) {lhs_zero_point = 200 : i32}
  return
}

// -----

func.func @qmatmul_lhs_unsigned_zero_point(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{has a zero point that lhs cannot hold}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>) {lhs_unsigned, lhs_zero_point = -1 : i32}
  return
}

// -----

func.func @qmatmul_two_zero_points(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %z: memref<i32>, %s: memref<16xf32>) {
  // expected-error @+1 {{has a zero point as an attribute and as an operand}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) zero_point(%z : memref<i32>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>) {lhs_zero_point = 1 : i32}
  return
}

// -----

func.func @qmatmul_zero_point_type(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %z: memref<1xi32>, %s: memref<16xf32>) {
  // expected-error @+1 {{zero_point must have rank 0 and element type i32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) zero_point(%z : memref<1xi32>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_no_scales(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{needs scales unless dest is of i32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_scales_type(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<f32>) {
  // expected-error @+1 {{scales must have rank 1 and element type f32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<f32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_scales_length(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<15xf32>) {
  // expected-error @+1 {{the length of scales is 15, but N of dest is 16}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<15xf32>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @qmatmul_i32_scales(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi32>, %s: memref<16xf32>) {
  // expected-error @+1 {{with dest of i32 has no scales}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi32>)
  return
}

// -----

func.func @qmatmul_i32_activation(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{with dest of i32 has no activation}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) outs(%d : memref<4x16xi32>) {activation = #needle.activation<relu>}
  return
}

// -----

func.func @qmatmul_i32_bias(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{with dest of i32 has a bias of i32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) bias(%b : memref<16xf32>) outs(%d : memref<4x16xi32>)
  return
}

// -----

func.func @qmatmul_no_parameters(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{has dest_scale, dest_zero_point, dest_min and dest_max exactly when dest is of i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 1.0 : f32}
  return
}

// -----

func.func @qmatmul_float_parameters(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xf32>, %s: memref<16xf32>) {
  // expected-error @+1 {{has dest_scale, dest_zero_point, dest_min and dest_max exactly when dest is of i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xf32>) {dest_zero_point = 1 : i32}
  return
}

// -----

func.func @qmatmul_dest_scale(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest_scale must be positive and finite}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 0.0 : f32, dest_zero_point = 0 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  return
}

// -----

func.func @qmatmul_dest_scale_inf(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest_scale must be positive and finite}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 0x7F800000 : f32, dest_zero_point = 0 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  return
}

// -----

func.func @qmatmul_dest_range(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest of i8 cannot hold -1 to 255}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 1.0 : f32, dest_zero_point = 0 : i32, dest_min = -1 : i32, dest_max = 255 : i32}
  return
}

// -----

func.func @qmatmul_dest_empty_range(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest of i8 cannot hold 5 to 4}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 1.0 : f32, dest_zero_point = 0 : i32, dest_min = 5 : i32, dest_max = 4 : i32}
  return
}

// -----

func.func @qmatmul_dest_zero_point(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %d: memref<4x16xi8>, %s: memref<16xf32>) {
  // expected-error @+1 {{dest_zero_point lies outside dest_min to dest_max}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32>) outs(%d : memref<4x16xi8>) {dest_scale = 1.0 : f32, dest_zero_point = -1 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  return
}

// -----

// Kernels take these operands as blocks of memory.

func.func @strided_bias(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %b: memref<16xf32, strided<[2]>>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{bias must be contiguous, but is 'memref<16xf32, strided<[2]>>'}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) bias(%b : memref<16xf32, strided<[2]>>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @strided_rhs(%l: memref<4x4xf32>, %r: memref<1x4x16xf32, strided<[128, 32, 2]>>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{rhs must be contiguous}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32, strided<[128, 32, 2]>>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @strided_columns(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32, strided<[1, 4]>>) {
  // expected-error @+1 {{dest must have contiguous rows}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32, strided<[1, 4]>>)
  return
}

// -----

func.func @strided_scales(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %s: memref<16xf32, strided<[2]>>, %d: memref<4x16xf32>) {
  // expected-error @+1 {{scales must be contiguous}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) scales(%s : memref<16xf32, strided<[2]>>) outs(%d : memref<4x16xf32>)
  return
}

// -----

func.func @strided_panels(%b: memref<4x16xf32>, %p: memref<1x4x16xf32, strided<[128, 32, 2]>>) {
  // expected-error @+1 {{dest must be contiguous}}
  needle_cpu.pack_rhs ins(%b : memref<4x16xf32>) outs(%p : memref<1x4x16xf32, strided<[128, 32, 2]>>)
  return
}

// -----

func.func @strided_workspace(%l: memref<4x4xf32>, %r: memref<1x4x16xf32>, %d: memref<4x16xf32>, %ws: memref<2x64xi8, strided<[128, 1]>>) {
  // expected-error @+1 {{workspace must be contiguous}}
  needle_cpu.matmul ins(%l, %r : memref<4x4xf32>, memref<1x4x16xf32>) outs(%d : memref<4x16xf32>) workspace(%ws : memref<2x64xi8, strided<[128, 1]>>)
  return
}

// -----

func.func @byte_steps_of_pairs(%l: memref<4x4xi8>, %r: memref<1x2x16x2xi16>, %t: memref<1x3x16x4xi8>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{has byte_steps, but rhs is not of i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x2xi16>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @byte_steps_negative(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{attribute 'byte_steps' failed to satisfy constraint}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) outs(%d : memref<4x16xi32>) {byte_steps = -1 : i32}
  return
}

// -----

func.func @rest_without_steps(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{has a rest without byte_steps}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi8>, memref<1x3xi32>) outs(%d : memref<4x16xi32>) 
  return
}

// -----

func.func @rest_type(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi16>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{rest must have rank 4 and element type i8}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi16>, memref<1x3xi32>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @rest_groups_type(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8>, %g: memref<1x3xi64>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{rest_groups must have rank 2 and element type i32}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi8>, memref<1x3xi64>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @rest_strided(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8, strided<[400, 64, 4, 1]>>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{rest must be contiguous}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi8, strided<[400, 64, 4, 1]>>, memref<1x3xi32>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @rest_groups_strided(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8>, %g: memref<1x3xi32, strided<[3, 2]>>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{rest_groups must be contiguous}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi8>, memref<1x3xi32, strided<[3, 2]>>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @rest_panel(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x8x4xi8>, %g: memref<1x3xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{an extent of rest is 8, but that of rhs is 16}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x8x4xi8>, memref<1x3xi32>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @rest_count(%l: memref<4x4xi8>, %r: memref<1x2x16x4xi8>, %t: memref<1x3x16x4xi8>, %g: memref<1x2xi32>, %d: memref<4x16xi32>) {
  // expected-error @+1 {{an extent of rest_groups is 2, but that of rest is 3}}
  needle_cpu.qmatmul ins(%l, %r : memref<4x4xi8>, memref<1x2x16x4xi8>) rest(%t, %g : memref<1x3x16x4xi8>, memref<1x2xi32>) outs(%d : memref<4x16xi32>) {byte_steps = 1 : i32}
  return
}

// -----

func.func @window_rank(%lhs: memref<36x36xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{lhs must have rank 4 and element type f32, but is 'memref<36x36xf32>'}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<36x36xf32>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @window_transposed(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{with a window has no transposed lhs}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {transpose_lhs, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @window_values(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{window must have 11 values, got 2}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3>}
  return
}

// -----

func.func @window_stride(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{window must have a kernel, strides and dilations that are positive}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3, 1, 0, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @window_groups(%lhs: memref<1x8x8x4xf32>, %rhs: memref<3x12x16xf32>, %dest: memref<36x48xf32>) {
  // expected-error @+1 {{window has 3 groups, which must divide the channels of lhs 'memref<1x8x8x4xf32>'}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<3x12x16xf32>) outs(%dest : memref<36x48xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 3>}
  return
}

// -----

func.func @window_columns(%lhs: memref<1x8x8x4xf32>, %rhs: memref<2x18x16xf32>, %dest: memref<36x15xf32>) {
  // expected-error @+1 {{N is 15, not divisible by 2 groups}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<2x18x16xf32>) outs(%dest : memref<36x15xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2>}
  return
}

// -----

func.func @depthwise_groups(%lhs: memref<1x8x8x6xf32>, %rhs: memref<27x6xf32>, %dest: memref<36x6xf32>) {
  // expected-error @+1 {{depthwise has groups of 1, 2 or 4 channels, but these have 3}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x6xf32>, memref<27x6xf32>) outs(%dest : memref<36x6xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2>}
  return
}

// -----

func.func @depthwise_integer_groups(%lhs: memref<1x8x8x4xi8>, %rhs: memref<6x4x2xi16>, %dest: memref<36x4xi32>) {
  // expected-error @+1 {{rhs must have rank 2 and element type f32, but is 'memref<6x4x2xi16>'}}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<1x8x8x4xi8>, memref<6x4x2xi16>) outs(%dest : memref<36x4xi32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2>}
  return
}

// -----

func.func @depthwise_padding(%lhs: memref<1x8x8x4xf32>, %rhs: memref<9x4xf32>, %dest: memref<30x4xf32>) {
  // expected-error @+1 {{depthwise takes no negative padding}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<9x4xf32>) outs(%dest : memref<30x4xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, -1, 0, 1, 1, 4>}
  return
}

// -----

func.func @depthwise_bias(%lhs: memref<1x8x8x4xi8>, %rhs: memref<6x4x2xi16>, %scales: memref<4xf32>, %bias: memref<4xi32>, %dest: memref<36x4xf32>) {
  // expected-error @+1 {{depthwise takes an i32 bias for an i32 dest alone}}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<1x8x8x4xi8>, memref<6x4x2xi16>) scales(%scales : memref<4xf32>) bias(%bias : memref<4xi32>) outs(%dest : memref<36x4xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4>}
  return
}

// -----

func.func @depthwise_inexact(%lhs: memref<1x8x9x4xi8>, %rhs: memref<288x4xf32>, %dest: memref<1x4xi32>) {
  // expected-error @+1 {{depthwise adds up at most 258 products of integers in f32, but these are 288}}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<1x8x9x4xi8>, memref<288x4xf32>) outs(%dest : memref<1x4xi32>) {depthwise, window = array<i64: 8, 9, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @depthwise_channels(%lhs: memref<1x8x8x?xf32>, %rhs: memref<9x4xf32>, %dest: memref<36x4xf32>) {
  // expected-error @+1 {{depthwise needs static channels}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x?xf32>, memref<9x4xf32>) outs(%dest : memref<36x4xf32>) {depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4>}
  return
}

// -----

func.func @window_large(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{window does not fit into lhs 'memref<1x8x8x4xf32>'}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, -3, -3, 1, 1, 1>}
  return
}

// -----

func.func @window_rows(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x36x16xf32>, %dest: memref<35x16xf32>) {
  // expected-error @+1 {{M of lhs is 36, but M of dest is 35}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<35x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @window_depth(%lhs: memref<1x8x8x4xf32>, %rhs: memref<1x35x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{the depth of the panels is 35, but K is 36}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32>, memref<1x35x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}

// -----

func.func @window_channels(%lhs: memref<1x8x8x4xf32, strided<[512, 64, 8, 2]>>, %rhs: memref<1x36x16xf32>, %dest: memref<36x16xf32>) {
  // expected-error @+1 {{with a window lhs must have contiguous channels, but is 'memref<1x8x8x4xf32, strided<[512, 64, 8, 2]>>'}}
  needle_cpu.matmul ins(%lhs, %rhs : memref<1x8x8x4xf32, strided<[512, 64, 8, 2]>>, memref<1x36x16xf32>) outs(%dest : memref<36x16xf32>) {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1>}
  return
}
