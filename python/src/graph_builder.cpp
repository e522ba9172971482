// The graph builder.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"
#include "needle-c/GraphBuilder.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <optional>

using namespace needle::python;

namespace {

using Dims = std::vector<std::optional<int64_t>>;
/// (file, line, name)
using Place = std::tuple<std::string, uint32_t, std::string>;

/// A tensor type and the memory it points into.
struct TensorType {
  TensorType(const std::string &elementType, const Dims &shape)
      : element(elementType) {
    for (std::optional<int64_t> dim : shape) {
      // NDL_DYNAMIC is negative; a user's -1 must not become it.
      if (dim && *dim < 0)
        raise(PyExc_ValueError,
              "a dimension cannot be " + std::to_string(*dim) +
                  "; None stands for one that is known only at run time");
      dims.push_back(dim.value_or(NDL_DYNAMIC));
    }
  }
  NeedleTensorType get() const {
    return {element.c_str(), static_cast<int32_t>(dims.size()), dims.data()};
  }

  std::string element;
  std::vector<int64_t> dims;
};

class Builder {
public:
  explicit Builder(const std::string &name) {
    check(needle_graph_builder_create(name.c_str(), &handle));
  }
  Builder(const Builder &) = delete;
  ~Builder() { needle_graph_builder_destroy(handle); }

  NeedleValue input(const std::string &name, const std::string &elementType,
                    const Dims &shape, const Place &place) {
    TensorType type(elementType, shape);
    NeedleTensorType tensor = type.get();
    NeedleLocation location = locate(place);
    NeedleValue value;
    check(needle_graph_input(handle, name.c_str(), &tensor, &location, &value));
    return value;
  }

  /// `array` is contiguous.
  NeedleValue constant(nb::handle array, const std::string &elementType,
                       const Place &place) {
    Py_buffer buffer;
    if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_C_CONTIGUOUS) != 0)
      throw nb::python_error();
    NeedleTensorType tensor = {elementType.c_str(), buffer.ndim,
                               reinterpret_cast<int64_t *>(buffer.shape)};
    NeedleLocation location = locate(place);
    NeedleValue value;
    NeedleStatus status = needle_graph_constant(handle, &tensor, buffer.buf,
                                                buffer.len, &location, &value);
    PyBuffer_Release(&buffer);
    check(status);
    return value;
  }

  std::vector<NeedleValue>
  op(const std::string &mnemonic, const std::vector<NeedleValue> &operands,
     const std::string &attributes,
     const std::vector<std::tuple<std::string, Dims>> &resultTypes,
     size_t numResults, const Place &place) {
    std::vector<TensorType> types;
    types.reserve(resultTypes.size());
    for (const auto &[elementType, shape] : resultTypes)
      types.emplace_back(elementType, shape);
    std::vector<NeedleTensorType> tensors;
    tensors.reserve(types.size());
    for (const TensorType &type : types)
      tensors.push_back(type.get());
    NeedleLocation location = locate(place);
    std::vector<NeedleValue> results(numResults);
    check(needle_graph_op(handle, mnemonic.c_str(), operands.data(),
                          operands.size(), attributes.c_str(), tensors.data(),
                          tensors.size(), &location, results.data(),
                          results.size()));
    return results;
  }

  NeedleValue reshape(NeedleValue operand, const Dims &shape,
                      const Place &place) {
    TensorType type("", shape);
    NeedleLocation location = locate(place);
    NeedleValue value;
    check(needle_graph_reshape(handle, operand, type.dims.data(),
                               static_cast<int32_t>(type.dims.size()),
                               &location, &value));
    return value;
  }

  void output(const std::string &name, NeedleValue value, const Place &place) {
    NeedleLocation location = locate(place);
    check(needle_graph_output(handle, name.c_str(), value, &location));
  }

  nb::tuple describe(NeedleValue value) {
    const NdlTensorInfo *info = nullptr;
    check(needle_graph_value_info(handle, value, &info));
    return describeTensor(*info);
  }

  Module build(const Place &place) {
    NeedleLocation location = locate(place);
    NeedleModule *module = nullptr;
    check(needle_graph_build(handle, &location, &module));
    return Module(module);
  }

private:
  static NeedleLocation locate(const Place &place) {
    const auto &[file, line, name] = place;
    return {file.c_str(), name.c_str(), line, 0};
  }

  NeedleGraphBuilder *handle = nullptr;
};

} // namespace

void needle::python::bindGraphBuilder(nb::module_ &m) {
  nb::class_<Builder>(
      m, "GraphBuilder",
      "Builds a module op by op. Places are (file, line, name); "
      "values are ids.")
      .def(nb::init<const std::string &>(), nb::arg("name"))
      .def("input", &Builder::input, nb::arg("name"), nb::arg("element_type"),
           nb::arg("shape"), nb::arg("place"))
      .def("constant", &Builder::constant, nb::arg("array"),
           nb::arg("element_type"), nb::arg("place"))
      .def("op", &Builder::op, nb::arg("mnemonic"), nb::arg("operands"),
           nb::arg("attributes"), nb::arg("result_types"),
           nb::arg("num_results"), nb::arg("place"))
      .def("reshape", &Builder::reshape, nb::arg("operand"), nb::arg("shape"),
           nb::arg("place"))
      .def("output", &Builder::output, nb::arg("name"), nb::arg("value"),
           nb::arg("place"))
      .def("describe", &Builder::describe, nb::arg("value"))
      .def("build", &Builder::build, nb::arg("place"));
}
