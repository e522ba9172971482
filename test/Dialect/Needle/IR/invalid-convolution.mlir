// One error for each branch of the verifiers of convolutions.
// RUN: needle-opt %s -verify-diagnostics -split-input-file

func.func @input_rank(%x: tensor<8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{input must have rank 4 (N x H x W x C), got 'tensor<8x8x4xf32>'}}
  %0 = needle.conv2d %x, %w : tensor<8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @filter_rank(%x: tensor<1x8x8x4xf32>, %w: tensor<3x4x2xf32>) {
  // expected-error@+1 {{filter must have rank 4 (KH x KW x C/groups x O), got 'tensor<3x4x2xf32>'}}
  %0 = needle.conv2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @bias_rank(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>, %b: tensor<1x2xf32>) {
  // expected-error@+1 {{bias must have rank 1 (O), got 'tensor<1x2xf32>'}}
  %0 = needle.conv2d %x, %w bias(%b : tensor<1x2xf32>) : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @too_few_strides(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'strides' must have 2 values (height, width) from 1 to 2147483647, got [1]}}
  %0 = needle.conv2d %x, %w {strides = array<i64: 1>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @stride_zero(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'strides' must have 2 values (height, width) from 1 to 2147483647, got [1, 0]}}
  %0 = needle.conv2d %x, %w {strides = array<i64: 1, 0>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @stride_large(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'strides' must have 2 values (height, width) from 1 to 2147483647, got [1, 2147483648]}}
  %0 = needle.conv2d %x, %w {strides = array<i64: 1, 2147483648>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @negative_padding(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'padding' must have 4 values (top, bottom, left, right) from 0 to 2147483647, got [0, 0, -1, 0]}}
  %0 = needle.conv2d %x, %w {padding = array<i64: 0, 0, -1, 0>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @dilation_zero(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'dilations' must have 2 values (height, width) from 1 to 2147483647, got [0, 1]}}
  %0 = needle.conv2d %x, %w {dilations = array<i64: 0, 1>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @dynamic_kernel(%x: tensor<1x8x8x4xf32>, %w: tensor<3x?x4x2xf32>) {
  // expected-error@+1 {{width of filter 'tensor<3x?x4x2xf32>' must be static and from 1 to 2147483647}}
  %0 = needle.conv2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x?x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @empty_kernel(%x: tensor<1x8x8x4xf32>, %w: tensor<0x3x4x2xf32>) {
  // expected-error@+1 {{height of filter 'tensor<0x3x4x2xf32>' must be static and from 1 to 2147483647}}
  %0 = needle.conv2d %x, %w : tensor<1x8x8x4xf32>, tensor<0x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @no_groups(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{groups must be from 1 to 2147483647, got 0}}
  %0 = needle.conv2d %x, %w {groups = 0 : i64} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @dynamic_groups(%x: tensor<1x8x8x?xf32>, %w: tensor<3x3x2x2xf32>) {
  // expected-error@+1 {{channels must be static with 2 groups, but input is 'tensor<1x8x8x?xf32>' and filter 'tensor<3x3x2x2xf32>'}}
  %0 = needle.conv2d %x, %w {groups = 2 : i64} : tensor<1x8x8x?xf32>, tensor<3x3x2x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @channels(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x3x2xf32>) {
  // expected-error@+1 {{input 'tensor<1x8x8x4xf32>' has 4 channels in 1 groups, but filter 'tensor<3x3x3x2xf32>' takes 3 of each}}
  %0 = needle.conv2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x3x3x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @group_channels(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x1x3xf32>) {
  // expected-error@+1 {{input 'tensor<1x8x8x4xf32>' has 4 channels in 3 groups, but filter 'tensor<3x3x1x3xf32>' takes 1 of each}}
  %0 = needle.conv2d %x, %w {groups = 3 : i64} : tensor<1x8x8x4xf32>, tensor<3x3x1x3xf32> -> tensor<1x6x6x3xf32>
  return
}

// -----

func.func @group_columns(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x2x3xf32>) {
  // expected-error@+1 {{the 3 channels that filter 'tensor<3x3x2x3xf32>' gives are not divisible by 2 groups}}
  %0 = needle.conv2d %x, %w {groups = 2 : i64} : tensor<1x8x8x4xf32>, tensor<3x3x2x3xf32> -> tensor<1x6x6x3xf32>
  return
}

// -----

func.func @bias_length(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{O differs: it is 2 in filter 'tensor<3x3x4x2xf32>', but 3 in bias 'tensor<3xf32>'}}
  %0 = needle.conv2d %x, %w bias(%b : tensor<3xf32>) : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @kernel_too_large(%x: tensor<1x8x2x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{the kernel spans 5 of the width, but input 'tensor<1x8x2x4xf32>' has 4 with its padding}}
  %0 = needle.conv2d %x, %w {dilations = array<i64: 1, 2>, padding = array<i64: 0, 0, 1, 1>} : tensor<1x8x2x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x1x2xf32>
  return
}

// -----

func.func @result(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{result must have type 'tensor<1x6x6x2xf32>' up to dynamic dimensions, got 'tensor<1x6x7x2xf32>'}}
  %0 = needle.conv2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x7x2xf32>
  return
}

// -----

func.func @transposed_filter_rank(%x: tensor<1x8x8x4xf32>, %w: tensor<3x4x2xf32>) {
  // expected-error@+1 {{filter must have rank 4 (KH x KW x C x O), got 'tensor<3x4x2xf32>'}}
  %0 = needle.conv_transpose2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @output_padding_negative(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{attribute 'output_padding' must have 2 values (height, width) from 0 to 2147483647, got [0, -1]}}
  %0 = needle.conv_transpose2d %x, %w {output_padding = array<i64: 0, -1>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @output_padding_large(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{output_padding 2 of the height must be less than the stride 2}}
  %0 = needle.conv_transpose2d %x, %w {output_padding = array<i64: 2, 0>, strides = array<i64: 2, 2>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @transposed_channels(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x2x4xf32>) {
  // expected-error@+1 {{input 'tensor<1x8x8x4xf32>' has 4 channels in 1 groups, but filter 'tensor<3x3x2x4xf32>' takes 2 of each}}
  %0 = needle.conv_transpose2d %x, %w : tensor<1x8x8x4xf32>, tensor<3x3x2x4xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @nothing_left(%x: tensor<1x1x8x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{a height of 1 in input 'tensor<1x1x8x4xf32>' leaves no result: its extent would be -1}}
  %0 = needle.conv_transpose2d %x, %w {padding = array<i64: 2, 2, 0, 0>} : tensor<1x1x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @no_rows(%x: tensor<1x8x0x4xf32>, %w: tensor<3x3x4x2xf32>) {
  // expected-error@+1 {{a width of 0 in input 'tensor<1x8x0x4xf32>' leaves no result: its extent would be 2}}
  %0 = needle.conv_transpose2d %x, %w : tensor<1x8x0x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @transposed_overflow(%x: tensor<1x1152921504606846975x1x1xf32>, %w: tensor<1x1x1x1xf32>) {
  // expected-error@+1 {{leaves no result: its extent would be beyond 63 bits}}
  %0 = needle.conv_transpose2d %x, %w {strides = array<i64: 9, 1>} : tensor<1x1152921504606846975x1x1xf32>, tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  return
}

// -----

func.func @integer_kernel(%x: tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{the kernel spans 9 of the height}}
  %0 = needle.qconv2d %x, %w {dilations = array<i64: 4, 1>} : tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @integer_result(%x: tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{result must have the shape N x OH x OW x O of 'tensor<1x6x6x2xf32>', got 'tensor<1x6x5x2xf32>'}}
  %0 = needle.qconv2d %x, %w : tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x5x2xf32>
  return
}

// -----

func.func @raw_input(%x: tensor<1x8x8x4xui8>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{operand 'input' has raw 'ui8' elements and needs a scale and a zero point operand}}
  %0 = needle.qconv2d %x, %w : tensor<1x8x8x4xui8>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @filter_axis(%x: tensor<1x8x8x2x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x2x2x!quant.uniform<i8:f32:2, {0.5, 0.25}>>) {
  // expected-error@+1 {{operand 'filter' must be quantized per tensor or along axis 3 (O), got axis 2}}
  %0 = needle.qconv2d %x, %w : tensor<1x8x8x2x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x2x2x!quant.uniform<i8:f32:2, {0.5, 0.25}>> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @input_axis(%x: tensor<1x8x8x4x!quant.uniform<u8:f32:3, {0.5, 0.5, 0.5, 0.5}>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{operand 'input' must be quantized per tensor, got axis 3}}
  %0 = needle.qconv2d %x, %w : tensor<1x8x8x4x!quant.uniform<u8:f32:3, {0.5, 0.5, 0.5, 0.5}>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2xf32>
  return
}

// -----

func.func @result_axis(%x: tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{result must be quantized per tensor}}
  %0 = needle.qconv2d %x, %w : tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2x!quant.uniform<u8:f32:3, {0.5, 0.5}>>
  return
}

// -----

func.func @plain_sum(%x: tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{an i32 result is the plain sum: activation 'relu' does not apply to it}}
  %0 = needle.qconv2d %x, %w {activation = #needle.activation<relu>} : tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2xi32>
  return
}

// -----

func.func @plain_sum_bias(%x: tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>>, %b: tensor<2xf32>) {
  // expected-error@+1 {{an i32 result is the plain sum: operand 'bias' must be i32, got 'tensor<2xf32>'}}
  %0 = needle.qconv2d %x, %w bias(%b : tensor<2xf32>) : tensor<1x8x8x4x!quant.uniform<u8:f32, 0.5>>, tensor<3x3x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x2xi32>
  return
}

// -----

func.func @padded_beyond(%x: tensor<1x1x1x1xf32>, %w: tensor<1x1x1x1xf32>) {
  // expected-error@+1 {{result #0: 'tensor<1x4294967295x4294967295x1xf32>' has more than 1152921504606846975 elements}}
  %0 = needle.conv2d %x, %w {padding = array<i64: 2147483647, 2147483647, 2147483647, 2147483647>} : tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32> -> tensor<1x4294967295x4294967295x1xf32>
  return
}
