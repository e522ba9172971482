// The eager kernels in plain C++, in the form that generated code has.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_UNIT_RUNTIME_EAGER_REFERENCEKERNELS_H
#define NEEDLE_TEST_UNIT_RUNTIME_EAGER_REFERENCEKERNELS_H

#include "eager/kernel_library.h"

namespace ndl::test {

/// Gives a library kernels that follow the contract of generated ones word by
/// word and fail the test where their caller breaks it (alignment, workers).
/// Sums are f64 throughout.
void addReferenceMaps(eager::KernelLibrary &library);
void addReferenceReductions(eager::KernelLibrary &library);
void addReferenceContractions(eager::KernelLibrary &library);

} // namespace ndl::test

#endif // NEEDLE_TEST_UNIT_RUNTIME_EAGER_REFERENCEKERNELS_H
