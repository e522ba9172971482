// Every elementwise operation, on values with NaN, infinities, signed zeros and
// denormals, compared with NumPy by ==; inputs are never written.

// RUN: needle-compile %s -o %t.ndl
// RUN: %python %S/Inputs/elementwise.py %t.ndl %t

func.func @main(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>, %z: tensor<?xf32>)
    -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>,
        tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %add = needle.add %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %sub = needle.sub %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %mul = needle.mul %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %div = needle.div %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %max = needle.maximum %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %min = needle.minimum %x, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %relu = needle.relu %x : tensor<?x?xf32> -> tensor<?x?xf32>
  %neg = needle.neg %x : tensor<?x?xf32> -> tensor<?x?xf32>
  %abs = needle.abs %x : tensor<?x?xf32> -> tensor<?x?xf32>
  %sqrt = needle.sqrt %x : tensor<?x?xf32> -> tensor<?x?xf32>
  // Fused, and read by two: products and sums are rounded one by one.
  %0 = needle.mul %x, %z : tensor<?x?xf32>, tensor<?xf32> -> tensor<?x?xf32>
  %1 = needle.add %0, %y : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %2 = needle.sub %1, %0 : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return %add, %sub, %mul, %div, %max, %min, %relu, %neg, %abs, %sqrt, %2
      : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>,
        tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}
