// The reference interpreter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/Reference.h"
#include "arrays.h"
#include "bindings.h"

#include <deque>

using namespace needle::python;

static nb::list runReference(const Module &module, size_t entry,
                             nb::sequence arrays) {
  const NdlEntryInfo *info = needle_module_entry(module.get(), entry);
  if (!info || nb::len(arrays) != info->numInputs)
    raise(PyExc_ValueError, "no such entry point, or not as many inputs");
  std::deque<BorrowedTensor> borrowed(info->numInputs);
  std::vector<NdlTensor> inputs;
  for (size_t i = 0; i < info->numInputs; ++i) {
    borrowed[i].borrow(arrays[i], info->inputs[i], "input");
    inputs.push_back(borrowed[i].tensor());
  }
  NeedleTensors *outputs = nullptr;
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_reference_run(module.get(), entry, inputs.data(),
                                  inputs.size(), &outputs);
  }
  check(status);
  nb::list results;
  for (size_t i = 0; i < needle_tensors_count(outputs); ++i)
    results.append(copyToArray(*needle_tensors_get(outputs, i)));
  needle_tensors_destroy(outputs);
  return results;
}

void needle::python::bindReference(nb::module_ &m) {
  m.def(
      "reference", &runReference, nb::arg("module"), nb::arg("entry"),
      nb::arg("inputs"),
      "Evaluates an entry point by the numeric rules; inputs are contiguous.");
}
