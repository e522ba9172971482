// Errors of the comparisons, reductions and moving operations.
// RUN: needle-opt %s -verify-diagnostics -split-input-file

func.func @compare_predicate(%x: tensor<4xf32>) {
  // expected-error@+1 {{'needle.compare' op requires attribute 'predicate'}}
  %0 = needle.compare %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @select_shapes(%c: tensor<4xf32>, %x: tensor<?xf32>, %y: tensor<5xf32>) {
  // expected-error@+1 {{'needle.select' op cannot broadcast condition 'tensor<4xf32>' with on_false 'tensor<5xf32>': dimension 0 of the result is 4 in condition and 5 in on_false}}
  %0 = needle.select %c, %x, %y : tensor<4xf32>, tensor<?xf32>, tensor<5xf32> -> tensor<4xf32>
  return
}

// -----

func.func @select_source(%c: tensor<f32>, %x: tensor<3x?xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+1 {{cannot broadcast on_true 'tensor<3x?xf32>' with on_false 'tensor<2x4xf32>': dimension 0 of the result is 3 in on_true and 2 in on_false}}
  %0 = needle.select %c, %x, %y : tensor<f32>, tensor<3x?xf32>, tensor<2x4xf32> -> tensor<3x4xf32>
  return
}

// -----

func.func @power_shapes(%x: tensor<2x4xf32>, %y: tensor<5xf32>) {
  // expected-error@+1 {{'needle.power' op cannot broadcast lhs 'tensor<2x4xf32>' with rhs 'tensor<5xf32>': dimension 1 of the result is 4 in lhs and 5 in rhs}}
  %0 = needle.power %x, %y : tensor<2x4xf32>, tensor<5xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @reduce_missing_axes(%x: tensor<4xf32>) {
  // expected-error@+1 {{'needle.reduce_sum' op requires attribute 'axes'}}
  %0 = needle.reduce_sum %x : tensor<4xf32> -> tensor<f32>
  return
}

// -----

func.func @reduce_axis(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{'needle.reduce_sum' op axis 2 does not exist in 'tensor<4x2xf32>'}}
  %0 = needle.reduce_sum %x {axes = array<i64: 2>} : tensor<4x2xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @reduce_negative_axis(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{'needle.reduce_max' op axis -1 does not exist in 'tensor<4x2xf32>'}}
  %0 = needle.reduce_max %x {axes = array<i64: -1>} : tensor<4x2xf32> -> tensor<4xf32>
  return
}

// -----

func.func @reduce_order(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{'needle.reduce_max' op axes must be ascending, but 0 follows 1}}
  %0 = needle.reduce_max %x {axes = array<i64: 1, 0>} : tensor<4x2xf32> -> tensor<f32>
  return
}

// -----

func.func @reduce_result(%x: tensor<4x2xf32>) {
  // expected-error@+1 {{result must have type 'tensor<4x1xf32>' up to dynamic dimensions, got 'tensor<4xf32>'}}
  %0 = needle.reduce_sum %x {axes = array<i64: 1>, keepdims} : tensor<4x2xf32> -> tensor<4xf32>
  return
}

// -----

func.func @broadcast_rank(%x: tensor<3x4xf32>) {
  // expected-error@+1 {{'needle.broadcast_to' op cannot broadcast 'tensor<3x4xf32>' to 'tensor<4xf32>', which has fewer dimensions}}
  %0 = needle.broadcast_to %x : tensor<3x4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @broadcast_dynamic(%x: tensor<1x4xf32>) {
  // expected-error@+1 {{'needle.broadcast_to' op dimension 0 of result 'tensor<?x4xf32>' must be static: no dimension of the operand 'tensor<1x4xf32>' says what it is}}
  %0 = needle.broadcast_to %x : tensor<1x4xf32> -> tensor<?x4xf32>
  return
}

// -----

func.func @broadcast_shape(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.broadcast_to' op cannot broadcast 'tensor<3xf32>' to 'tensor<2x4xf32>': dimension 1 of the result is 3 in the operand}}
  %0 = needle.broadcast_to %x : tensor<3xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @reverse_axis(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.reverse' op axis 1 does not exist in 'tensor<3xf32>'}}
  %0 = needle.reverse %x {axes = array<i64: 1>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_count(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.slice' op attribute 'starts' must have 1 values, one for each dimension of 'tensor<3xf32>', got 2}}
  %0 = needle.slice %x {starts = array<i64: 0, 1>, limits = array<i64: -1>, steps = array<i64: 1>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_missing(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.slice' op requires attribute 'limits'}}
  %0 = needle.slice %x {starts = array<i64: 0>, steps = array<i64: 1>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.slice' op step 0 of dimension 0 must be positive}}
  %0 = needle.slice %x {starts = array<i64: 0>, limits = array<i64: 3>, steps = array<i64: 0>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_range(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.slice' op cannot take elements 1 to 4 of dimension 0 of 'tensor<3xf32>'}}
  %0 = needle.slice %x {starts = array<i64: 1>, limits = array<i64: 4>, steps = array<i64: 1>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_start(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.slice' op cannot take elements 3 to 2 of dimension 0 of 'tensor<3xf32>'}}
  %0 = needle.slice %x {starts = array<i64: 3>, limits = array<i64: 2>, steps = array<i64: 1>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_dynamic(%x: tensor<?xf32>) {
  // expected-error@+1 {{'needle.slice' op dimension 0 of 'tensor<?xf32>' is dynamic and must be taken whole: start 0, limit -1, step 1, got 0, 2, 1}}
  %0 = needle.slice %x {starts = array<i64: 0>, limits = array<i64: 2>, steps = array<i64: 1>} : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @pad_count(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.pad' op attribute 'high' must have 1 values, one for each dimension of 'tensor<3xf32>', got 0}}
  %0 = needle.pad %x {low = array<i64: 0>, high = array<i64>, interior = array<i64: 0>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @pad_negative(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.pad' op padding must not be negative, got 0, -1, 0 of dimension 0}}
  %0 = needle.pad %x {low = array<i64: 0>, high = array<i64: -1>, interior = array<i64: 0>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @pad_dynamic(%x: tensor<?xf32>) {
  // expected-error@+1 {{'needle.pad' op dimension 0 of 'tensor<?xf32>' is dynamic and cannot have zeros between its elements}}
  %0 = needle.pad %x {low = array<i64: 0>, high = array<i64: 0>, interior = array<i64: 1>} : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @pad_overflow(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.pad' op padded dimension 0 of 'tensor<3xf32>' overflows 63 bits}}
  %0 = needle.pad %x {low = array<i64: 9223372036854775807>, high = array<i64: 1>, interior = array<i64: 0>} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @concat_none() {
  // expected-error@+1 {{'needle.concat' op takes at least one operand}}
  %0 = "needle.concat"() {axis = 0 : i64} : () -> tensor<3xf32>
  return
}

// -----

func.func @concat_missing(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.concat' op requires attribute 'axis'}}
  %0 = needle.concat %x : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @concat_axis(%x: tensor<3xf32>) {
  // expected-error@+1 {{'needle.concat' op axis 1 does not exist in 'tensor<3xf32>'}}
  %0 = needle.concat %x {axis = 1 : i64} : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @concat_rank(%x: tensor<3xf32>, %y: tensor<3x1xf32>) {
  // expected-error@+1 {{'needle.concat' op operand #1 must have rank 1, got 'tensor<3x1xf32>'}}
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<3xf32>, tensor<3x1xf32> -> tensor<6xf32>
  return
}

// -----

func.func @concat_shape(%x: tensor<?x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+1 {{'needle.concat' op dimension 1 is 3 in earlier operands, but 4 in operand #1 'tensor<2x4xf32>'}}
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<?x3xf32>, tensor<2x4xf32> -> tensor<?x3xf32>
  return
}

// -----

func.func @concat_result(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error@+1 {{result must have type 'tensor<5xf32>' up to dynamic dimensions, got 'tensor<6xf32>'}}
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<2xf32>, tensor<3xf32> -> tensor<6xf32>
  return
}
