// Handlers of branches and calls that the decoder itself needs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_CALLS_H
#define NEEDLE_CUDASIM_EXEC_CALLS_H

#include "exec/program.h"

#include <vector>

namespace ndl::cudasim {

/// To instruction `imm`; the lanes come back to what follows.
Handler callHandler();
Instr makeReturn();
/// Copies a register (slot 1 to slot 0) or `imm` bytes of local memory from
/// slots[0].offset to options.
Handler copyHandler(bool isRegister);
/// Turns label numbers of branches from `begin` on into instructions of the
/// program: a label stands before an instruction of the text, whose first
/// decoded one is at that place.
void resolveBranches(Program &program, size_t begin,
                     const std::vector<uint32_t> &labels,
                     const std::vector<uint32_t> &places);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_CALLS_H
