// Calibration and quantization.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"
#include "needle-c/Quantization.h"

#include <deque>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <optional>

using namespace needle::python;

static std::vector<const char *>
pointers(const std::vector<std::string> &strings) {
  std::vector<const char *> result;
  result.reserve(strings.size());
  for (const std::string &string : strings)
    result.push_back(string.c_str());
  return result;
}

namespace {

class Calibration {
public:
  Calibration(const Module &module, const std::string &mode,
              const std::string &activations, const std::string &weights,
              const std::string &granularity,
              const std::vector<std::string> &include,
              const std::vector<std::string> &exclude) {
    std::vector<const char *> included = pointers(include);
    std::vector<const char *> excluded = pointers(exclude);
    NeedleQuantizeOptions options = NEEDLE_QUANTIZE_OPTIONS_INIT;
    options.mode = mode.c_str();
    options.activations = activations.c_str();
    options.weights = weights.c_str();
    options.granularity = granularity.c_str();
    options.include = included.data();
    options.numInclude = included.size();
    options.exclude = excluded.data();
    options.numExclude = excluded.size();
    NeedleCalibration *calibration = nullptr;
    NeedleStatus status;
    {
      nb::gil_scoped_release release;
      status = needle_calibration_create(module.get(), &options, &calibration);
    }
    check(status);
    handle = std::shared_ptr<NeedleCalibration>(calibration,
                                                needle_calibration_destroy);
  }

  std::optional<Module> getModule() const {
    NeedleModule *module = needle_calibration_module(handle.get());
    if (!module)
      return std::nullopt;
    return Module(module, handle);
  }

  void observe(nb::sequence arrays) {
    const NdlEntryInfo *info =
        needle_module_entry(needle_calibration_module(handle.get()), 0);
    if (!info || nb::len(arrays) != info->numOutputs)
      raise(PyExc_ValueError,
            "these are not the outputs of the calibration module");
    std::deque<BorrowedTensor> borrowed(info->numOutputs);
    std::vector<NdlTensor> outputs;
    for (size_t i = 0; i < info->numOutputs; ++i) {
      borrowed[i].borrow(arrays[i], info->outputs[i], "output");
      outputs.push_back(borrowed[i].tensor());
    }
    NeedleStatus status;
    {
      nb::gil_scoped_release release;
      status = needle_calibration_observe(handle.get(), outputs.data(),
                                          outputs.size());
    }
    check(status);
  }

  Module finish() {
    NeedleModule *quantized = nullptr;
    NeedleStatus status;
    {
      nb::gil_scoped_release release;
      status = needle_calibration_finish(handle.get(), &quantized);
    }
    check(status);
    return Module(quantized);
  }

private:
  std::shared_ptr<NeedleCalibration> handle;
};

} // namespace

/// The scale and zero point of numbers between min and max (N2).
static nb::tuple chooseParams(double min, double max,
                              const std::string &format) {
  float scale = 0;
  int64_t zeroPoint = 0;
  check(needle_choose_quantization_params(min, max, format.c_str(), &scale,
                                          &zeroPoint));
  return nb::make_tuple(scale, zeroPoint);
}

void needle::python::bindCalibration(nb::module_ &m) {
  m.def("choose_quantization_params", &chooseParams, nb::arg("low"),
        nb::arg("high"), nb::arg("kind"),
        "Scale and zero point of numbers in a range (rule N2).");
  using Names = std::vector<std::string>;
  nb::class_<Calibration>(m, "Calibration", "The quantization of one module.")
      .def(nb::init<const Module &, const std::string &, const std::string &,
                    const std::string &, const std::string &, const Names &,
                    const Names &>(),
           nb::arg("module"), nb::arg("mode"), nb::arg("activations"),
           nb::arg("weights"), nb::arg("granularity"), nb::arg("include"),
           nb::arg("exclude"))
      .def_prop_ro("module", &Calibration::getModule,
                   "The module to run on calibration data, with what is to be "
                   "learned as further outputs; None if nothing is.")
      .def("observe", &Calibration::observe, nb::arg("outputs"),
           "See all outputs of one run of that module.")
      .def("finish", &Calibration::finish, "The quantized module.");
}
