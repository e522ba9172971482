// The operations of arrays by their names, and the kernels that run them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_NDARRAY_KERNELS_H
#define NEEDLE_PYTHON_NDARRAY_KERNELS_H

#include "eager/kernel_library.h"

#include <Python.h>
#include <cstring>

namespace needle::python {

using ndl::eager::MapKernel;
using ndl::eager::ReduceKernel;

struct BinaryRow {
  const char *name;
  MapKernel arrays, scalar, reflected; ///< reflected: the number on the left
};
constexpr BinaryRow binaryRows[] = {
    {"add", MapKernel::EwiseAdd, MapKernel::ScalarAdd, MapKernel::ScalarAdd},
    {"sub", MapKernel::EwiseSub, MapKernel::ScalarSub, MapKernel::ScalarRsub},
    {"mul", MapKernel::EwiseMul, MapKernel::ScalarMul, MapKernel::ScalarMul},
    {"div", MapKernel::EwiseDiv, MapKernel::ScalarDiv, MapKernel::ScalarRdiv},
    {"power", MapKernel::EwisePower, MapKernel::ScalarPower,
     MapKernel::ScalarRpower},
    {"maximum", MapKernel::EwiseMaximum, MapKernel::ScalarMaximum,
     MapKernel::ScalarMaximum},
    {"minimum", MapKernel::EwiseMinimum, MapKernel::ScalarMinimum,
     MapKernel::ScalarMinimum},
    {"lt", MapKernel::EwiseLt, MapKernel::ScalarLt, MapKernel::ScalarGt},
    {"le", MapKernel::EwiseLe, MapKernel::ScalarLe, MapKernel::ScalarGe},
    {"eq", MapKernel::EwiseEq, MapKernel::ScalarEq, MapKernel::ScalarEq},
    {"ne", MapKernel::EwiseNe, MapKernel::ScalarNe, MapKernel::ScalarNe},
    {"gt", MapKernel::EwiseGt, MapKernel::ScalarGt, MapKernel::ScalarLt},
    {"ge", MapKernel::EwiseGe, MapKernel::ScalarGe, MapKernel::ScalarLe},
};
enum Binary { Add, Sub, Mul, Div, Power, Maximum, Minimum, Lt };
constexpr int comparisonRow[] = {Lt, Lt + 1, Lt + 2, Lt + 3, Lt + 4, Lt + 5};
static_assert(Py_LT == 0 && Py_LE == 1 && Py_EQ == 2 && Py_NE == 3 &&
              Py_GT == 4 && Py_GE == 5);

struct UnaryRow {
  const char *name;
  MapKernel kernel;
};
constexpr UnaryRow unaryRows[] = {
    {"negate", MapKernel::Negate},   {"exp", MapKernel::Exp},
    {"log", MapKernel::Log},         {"tanh", MapKernel::Tanh},
    {"sqrt", MapKernel::Sqrt},       {"relu", MapKernel::Relu},
    {"sigmoid", MapKernel::Sigmoid}, {"abs", MapKernel::Abs},
};
enum Unary { Negate, Exp, Log, Tanh, Sqrt, Relu, Sigmoid, Abs };

struct ReduceRow {
  const char *name;
  ReduceKernel kernel;
};
constexpr ReduceRow reduceRows[] = {{"sum", ReduceKernel::ReduceSum},
                                    {"max", ReduceKernel::ReduceMax},
                                    {"min", ReduceKernel::ReduceMin}};
enum Reduction { Sum, Max, Min };

/// The row of a name; null with ValueError if there is none.
template <typename Row, size_t size>
const Row *findRow(const Row (&rows)[size], const char *name) {
  for (const Row &row : rows)
    if (std::strcmp(row.name, name) == 0)
      return &row;
  PyErr_Format(PyExc_ValueError, "no operation is called %s", name);
  return nullptr;
}

} // namespace needle::python

#endif // NEEDLE_PYTHON_NDARRAY_KERNELS_H
