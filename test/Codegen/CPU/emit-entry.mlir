// RUN: needle-opt %s --needle-cpu-emit-entry | FileCheck %s

llvm.func @main.shapes(%d: i64) -> !llvm.struct<(i64, i64)> {
  %0 = llvm.mlir.poison : !llvm.struct<(i64, i64)>
  llvm.return %0 : !llvm.struct<(i64, i64)>
}
llvm.func @main.arena(%d: i64, %threads: i64) -> i64 {
  llvm.return %d : i64
}
llvm.func @unused() -> i64

// All but the two C functions is internal; no library function may be called.
// Where arguments are written they do not overlap.

// CHECK-NOT: @unused
// CHECK-LABEL: llvm.func internal @main(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i64
// CHECK-SAME: %[[FRAME:[a-z0-9]*]]: !llvm.ptr) attributes {{.*}}passthrough = ["nounwind", "no-builtins"]
llvm.func @main(
    %xa: !llvm.ptr, %xp: !llvm.ptr, %xo: i64, %x0: i64, %x1: i64, %xs0: i64, %xs1: i64,
    %ya: !llvm.ptr, %yp: !llvm.ptr, %yo: i64, %y0: i64, %ys0: i64,
    %aa: !llvm.ptr, %ap: !llvm.ptr, %ao: i64, %a0: i64, %as0: i64,
    %wa: !llvm.ptr, %wp: !llvm.ptr, %wo: i64, %w0: i64, %ws0: i64,
    %threads: i64, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x4xf32>}], outputs = [{name = "y", type = tensor<?xf32>}]}} {
  llvm.return
}

// CHECK-LABEL: llvm.func @main.run(
// CHECK-SAME: %[[FRAME:.*]]: !llvm.ptr) attributes {passthrough = ["nounwind", "no-builtins"]}
// CHECK: %[[INPUTS_AT:.*]] = llvm.getelementptr %[[FRAME]][0]
// CHECK: %[[INPUTS:.*]] = llvm.load %[[INPUTS_AT]]
// CHECK: %[[OUTPUTS_AT:.*]] = llvm.getelementptr %[[FRAME]][1]
// CHECK: %[[OUTPUTS:.*]] = llvm.load %[[OUTPUTS_AT]]
// CHECK: %[[DIMS_AT:.*]] = llvm.getelementptr %[[FRAME]][2]
// CHECK: %[[DIMS:.*]] = llvm.load %[[DIMS_AT]]
// CHECK: %[[D_AT:.*]] = llvm.getelementptr %[[DIMS]][0]
// CHECK: %[[D:.*]] = llvm.load %[[D_AT]]
// CHECK: %[[X1:.*]] = llvm.mlir.constant(4 : i64)
// CHECK: %[[X_AT:.*]] = llvm.getelementptr %[[INPUTS]][0]
// CHECK: %[[X:.*]] = llvm.load %[[X_AT]]
// CHECK: %[[XO:.*]] = llvm.mlir.constant(0 : i64)
// CHECK: %[[XS1:.*]] = llvm.mlir.constant(1 : i64)
// CHECK: %[[XS0:.*]] = llvm.mul %[[XS1]], %[[X1]]
// CHECK: %[[SHAPES:.*]] = llvm.call @main.shapes(%[[D]])
// CHECK: %[[Y0:.*]] = llvm.extractvalue %[[SHAPES]][1]
// CHECK: %[[Y_AT:.*]] = llvm.getelementptr %[[OUTPUTS]][0]
// CHECK: %[[Y:.*]] = llvm.load %[[Y_AT]]
// CHECK: llvm.getelementptr %[[FRAME]][4]
// CHECK: llvm.getelementptr %[[FRAME]][3]
// CHECK: llvm.getelementptr %[[FRAME]][5]
// CHECK: llvm.call @main(%[[X]], %[[X]], %[[XO]], %[[D]], %[[X1]], %[[XS0]], %[[XS1]], %[[Y]], %[[Y]], %{{.*}}, %[[Y0]], {{.*}}, %[[FRAME]])

// The arena is planned only for shapes that fit.

// CHECK-LABEL: llvm.func @main.plan(
// CHECK-SAME: %[[DIMS:.*]]: !llvm.ptr, %[[THREADS:.*]]: i64, %[[OUT:.*]]: !llvm.ptr) -> i64
// CHECK: %[[D:.*]] = llvm.load
// CHECK: %[[SHAPES:.*]] = llvm.call @main.shapes(%[[D]])
// CHECK: %[[STATUS:.*]] = llvm.extractvalue %[[SHAPES]][0]
// CHECK: %[[Y0:.*]] = llvm.extractvalue %[[SHAPES]][1]
// CHECK: %[[FITS:.*]] = llvm.icmp "eq" %[[STATUS]], %{{.*}}
// CHECK: llvm.cond_br %[[FITS]], ^[[SUCCESS:.*]], ^[[END:.*]]
// CHECK: ^[[SUCCESS]]:
// CHECK: %[[BYTES:.*]] = llvm.call @main.arena(%[[D]], %[[THREADS]])
// CHECK: %[[AT0:.*]] = llvm.getelementptr %[[OUT]][0]
// CHECK: llvm.store %[[BYTES]], %[[AT0]]
// CHECK: %[[AT1:.*]] = llvm.getelementptr %[[OUT]][1]
// CHECK: llvm.store %[[Y0]], %[[AT1]]
// CHECK: llvm.br ^[[END]]
// CHECK: ^[[END]]:
// CHECK: llvm.return %[[STATUS]]
