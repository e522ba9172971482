// The families of instructions, each decoded by one function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_FAMILIES_H
#define NEEDLE_CUDASIM_EXEC_FAMILIES_H

#include "exec/decoder.h"

namespace ndl::cudasim {

// control_ops.cpp
bool decodeBra(Decoder &d);
bool decodeBrx(Decoder &d);
bool decodeCall(Decoder &d);
bool decodeRet(Decoder &d);
bool decodeExit(Decoder &d);
bool decodeTrap(Decoder &d);

// integer_ops.cpp; those with floating-point forms hand these on.
bool decodeAdd(Decoder &d);
bool decodeSub(Decoder &d);
bool decodeDiv(Decoder &d);
bool decodeRem(Decoder &d);
bool decodeMinMax(Decoder &d);
bool decodeNegAbs(Decoder &d);
bool decodeSad(Decoder &d);

// multiply_ops.cpp
bool decodeMul(Decoder &d);
bool decodeMad(Decoder &d);
bool decodeMul24(Decoder &d);
bool decodeMad24(Decoder &d);

// bit_ops.cpp
bool decodeLogic(Decoder &d);
bool decodeNot(Decoder &d);
bool decodeShift(Decoder &d);
bool decodeShf(Decoder &d);
bool decodeBrev(Decoder &d);
bool decodeCount(Decoder &d);
bool decodeBfind(Decoder &d);

// field_ops.cpp
bool decodeBfe(Decoder &d);
bool decodeBfi(Decoder &d);
bool decodeLop3(Decoder &d);
bool decodePrmt(Decoder &d);
bool decodeSzext(Decoder &d);

// packed_ops.cpp
bool decodeDot(Decoder &d);

// compare_ops.cpp
bool decodeSetp(Decoder &d);
bool decodeSet(Decoder &d);
bool decodeSelp(Decoder &d);
bool decodeSlct(Decoder &d);
bool decodeTestp(Decoder &d);
bool decodeCopysign(Decoder &d);

// move_ops.cpp
bool decodeMov(Decoder &d);
bool decodeCvta(Decoder &d);
bool decodeIsspacep(Decoder &d);
bool decodeNothing(Decoder &d);
bool decodePrefetch(Decoder &d);

// convert_ops.cpp
bool decodeCvt(Decoder &d);

// approximate_ops.cpp
bool decodeApproximate(Decoder &d);

// memory_ops.cpp
bool decodeLoad(Decoder &d);
bool decodeStore(Decoder &d);

// atomic_ops.cpp
bool decodeAtomic(Decoder &d);

// barrier_ops.cpp
bool decodeBarrier(Decoder &d);

// lane_ops.cpp
bool decodeShfl(Decoder &d);
bool decodeVote(Decoder &d);
bool decodeMatch(Decoder &d);
bool decodeRedux(Decoder &d);
bool decodeActivemask(Decoder &d);
bool decodeElect(Decoder &d);

// async_copy_ops.cpp
bool decodeCp(Decoder &d);

// matrix_ops.cpp, wmma_ops.cpp
bool decodeLdmatrix(Decoder &d);
bool decodeMma(Decoder &d);
bool decodeWmma(Decoder &d);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_FAMILIES_H
