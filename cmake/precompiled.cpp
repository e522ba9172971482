// Anchors the precompiled header of the compiler libraries.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
