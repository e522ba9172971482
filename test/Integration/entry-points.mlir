// Entry points of every shape: compiled, run on both targets with one thread and
// with several, compared with NumPy; elementwise results and moved values by ==.

// RUN: needle-compile %s -o %t.ndl
// RUN: %python %S/Inputs/entry_points.py %t.ndl %t

func.func private @helper(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = needle.neg %x : tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @identity(%x: tensor<?xf32>) -> tensor<?xf32> { return %x : tensor<?xf32> }
func.func @twice(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  %0 = needle.relu %x : tensor<?xf32> -> tensor<?xf32>
  return %0, %0, %x : tensor<?xf32>, tensor<?xf32>, tensor<?xf32> }
func.func @noinput() -> (tensor<2xf32>) {
  %c = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  return %c : tensor<2xf32> }
func.func @splat() -> (tensor<2x3xf32>) {
  %c = needle.constant dense<1.5> : tensor<2x3xf32> -> tensor<2x3xf32>
  return %c : tensor<2x3xf32> }
func.func @scalar(%x: tensor<f32>, %y: tensor<?x3xf32>) -> (tensor<?x3xf32>) {
  %c = needle.add %x, %y : tensor<f32>, tensor<?x3xf32> -> tensor<?x3xf32>
  return %c : tensor<?x3xf32> }
func.func @rank0(%x: tensor<f32>) -> (tensor<f32>) {
  %c = needle.sqrt %x : tensor<f32> -> tensor<f32>
  return %c : tensor<f32> }
func.func @reshape(%x: tensor<?x28x28xf32>) -> (tensor<?x784xf32>) {
  %c = needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
  return %c : tensor<?x784xf32> }
func.func @reshape2(%x: tensor<?x?xf32>) -> (tensor<?x6xf32>, tensor<2x3xf32>) {
  %c = needle.reshape %x : tensor<?x?xf32> -> tensor<?x6xf32>
  %d = needle.reshape %x : tensor<?x?xf32> -> tensor<2x3xf32>
  return %c, %d : tensor<?x6xf32>, tensor<2x3xf32> }
func.func @transpose(%x: tensor<?x?x4xf32>) -> (tensor<4x?x?xf32>) {
  %c = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x?x4xf32> -> tensor<4x?x?xf32>
  %d = needle.relu %c : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  return %d : tensor<4x?x?xf32> }
func.func @call(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = func.call @helper(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32> }
func.func @claim(%x: tensor<?xf32>) -> tensor<4xf32> {
  %0 = needle.relu %x : tensor<?xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32> }
func.func @chain(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = needle.matmul %x, %w : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = needle.matmul %0, %w : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %2 = needle.matmul %1, %w {transpose_lhs} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %3 = needle.add %2, %w : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return %3 : tensor<?x?xf32> }
func.func @both(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %0 = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x4xf32> -> tensor<?x4xf32>
  %1 = needle.matmul %0, %w : tensor<?x4xf32>, tensor<4x4xf32> -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x4xf32> }
func.func @zero(%x: tensor<?x0xf32>) -> tensor<?x3xf32> {
  %w = needle.constant dense<> : tensor<0x3xf32> -> tensor<0x3xf32>
  %0 = needle.matmul %x, %w : tensor<?x0xf32>, tensor<0x3xf32> -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32> }
