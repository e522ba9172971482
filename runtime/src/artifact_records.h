// Checks of the records of an artifact against each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_ARTIFACT_RECORDS_H
#define NEEDLE_RUNTIME_ARTIFACT_RECORDS_H

#include "needle-rt/artifact_reader.h"

namespace ndl {

/// Whether every name, index, range and enumeration in the tables is valid, so
/// that following them needs no further checks. The sections themselves have
/// been checked.
Status checkRecords(const ArtifactView &view);

} // namespace ndl

#endif // NEEDLE_RUNTIME_ARTIFACT_RECORDS_H
