// An object defines plan and run of each entry point, and needs nothing.

// RUN: needle-compile %s --emit=obj -o %t.o
// RUN: llvm-nm %t.o | FileCheck %s --implicit-check-not=' U '
// RUN: llvm-readelf --sections %t.o | FileCheck %s --check-prefix=SECTIONS --implicit-check-not=eh_frame

// CHECK: T first.plan
// CHECK: T first.run
// CHECK: T second.plan
// CHECK: T second.run

// No section that is loaded can be written.
// SECTIONS-NOT: WA
// SECTIONS: .text

func.func @first(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = needle.relu %x : tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @second(%x: tensor<?x3xf32>, %w: tensor<3x4xf32>) -> tensor<?x4xf32> {
  %0 = needle.matmul %x, %w : tensor<?x3xf32>, tensor<3x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
