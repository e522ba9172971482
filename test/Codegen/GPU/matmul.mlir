// RUN: needle-compile %s --emit=ptx --target=sm_80 | FileCheck %s --check-prefixes=ALL,SM80
// RUN: needle-compile %s --emit=ptx --target=sm_90 | FileCheck %s --check-prefixes=ALL,SM80
// RUN: needle-compile %s --emit=ptx --target=sm_75 | FileCheck %s --check-prefixes=ALL,SM75
// RUN: needle-compile %s --emit=ptx --target=sm_80 | FileCheck %s --check-prefix=WIDE
// RUN: needle-compile %s --emit=ptx --target=sm_80 | FileCheck %s --check-prefix=FLOAT

// One parameter: the words of the context. Parts of K come to shared memory behind the
// threads' backs where the GPU can do that, and pass through registers elsewhere.
// ALL-LABEL: .entry matmul_u8u8_f32(
// ALL-NEXT:  .param .align 8 .b8 matmul_u8u8_f32_param_0[104]
// ALL:       .reqntid 256
// SM80:      .shared .align 16 .b8 {{.*}}[49152]
// SM80:      cp.async.cg.shared.global
// SM80:      cp.async.commit_group
// SM80:      ldmatrix.sync.aligned.m8n8.x4.shared.b16
// SM80-COUNT-32: mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32
// SM80-NOT:  mma.sync
// SM80:      cp.async.wait_group 1
// SM80-NEXT: bar.sync
// SM75-NOT:  cp.async
// SM75:      ldmatrix.sync.aligned.m8n8.x4.shared.b16
// SM75-COUNT-64: mma.sync.aligned.m8n8k16.row.col.s32.u8.u8.s32
// SM75-NOT:  cp.async
// Zero points by sums of rows and columns.
// ALL:       shfl.sync.bfly
// N5: rounded, multiplied; nothing is contracted, by ptxas neither.
// ALL-NOT:   {{fma|mad.rn|mul.f32|add.f32}}
// ALL:       cvt.rn.f32.s32
// ALL-NEXT:  mul.rn.f32
// ALL-NOT:   {{fma|mad.rn|mul.f32|add.f32}}
// ALL:       ret;
needle_cpu.contraction_kernel @matmul_u8u8_f32 (ui8, ui8) -> f32

// ALL-LABEL: .entry matmul_u8u8_f32_wide(

// The bias is added to the product, rounded once more.
// ALL-LABEL: .entry matmul_u8u8_f32_bias(
// ALL-NOT:   {{fma|mad.rn|mul.f32|add.f32}}
// ALL:       cvt.rn.f32.s32
// ALL-NEXT:  mul.rn.f32
// ALL-NEXT:  add.rn.f32
// ALL-NOT:   {{fma|mad.rn|mul.f32|add.f32}}
// ALL:       ret;
needle_cpu.contraction_kernel @matmul_u8u8_f32_bias (ui8, ui8) -> f32 bias

// N4: sums of more terms are i64.
// WIDE-LABEL: .entry matmul_u8u8_f32_wide(
// WIDE:       mma.sync.aligned.m16n8k32
// WIDE:       cvt.rn.f32.s64
// WIDE-NOT:   cvt.rn.f32.s32
// WIDE:       ret;

// Of floats each thread multiplies 4×4 elements, all of K in order.
// FLOAT-LABEL: .entry matmul_f32(
// FLOAT:       bar.sync
// FLOAT:       ld.shared.v4.b32
// FLOAT-COUNT-256: fma.rn.f32
// FLOAT-NOT:   fma.rn.f32
// FLOAT:       ret;
needle_cpu.contraction_kernel @matmul_f32 (f32, f32) -> f32
