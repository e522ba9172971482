// Instances of _needle.NDArrayBase: making, freeing, attributes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ndarray.h"

#include "bindings.h"

#include <structmember.h>
#include <vector>

using namespace needle::python;

ArrayClasses needle::python::classes = {};

//===----------------------------------------------------------------------===//
// Instances
//===----------------------------------------------------------------------===//

static PyObject *create(PyTypeObject *type, PyObject *, PyObject *) {
  PyObject *object = type->tp_alloc(type, 0);
  if (object)
    new (&reinterpret_cast<Array *>(object)->view) eager::View();
  return object;
}

static void destroy(PyObject *object) {
  auto *array = reinterpret_cast<Array *>(object);
  if (array->weakReferences)
    PyObject_ClearWeakRefs(object);
  array->view.~View();
  Py_XDECREF(array->device);
  Py_XDECREF(array->foreign);
  Py_XDECREF(array->params);
  PyTypeObject *type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

/// NDArrayBase.__init__(self, other): the same memory and shape. Only once:
/// another thread may be computing with the view that a second call replaces.
static int initialize(PyObject *object, PyObject *arguments, PyObject *) {
  PyObject *other = nullptr;
  if (!PyArg_ParseTuple(arguments, "O:NDArrayBase", &other))
    return -1;
  Array *source = expectArray(other);
  if (!source)
    return -1;
  auto *array = reinterpret_cast<Array *>(object);
  if (array->device) {
    PyErr_SetString(PyExc_RuntimeError,
                    "this array is initialized already; write to it with "
                    "a[...] = other");
    return -1;
  }
  array->view = source->view;
  array->foreignSize = source->foreignSize;
  array->committed = source->committed;
  array->foreign = Py_XNewRef(source->foreign);
  setParams(array, source->params, source->quant);
  array->device = Py_NewRef(source->device);
  return 0;
}

Array *needle::python::expectArray(PyObject *object) {
  Array *array = asArray(object);
  if (!array)
    PyErr_Format(PyExc_TypeError,
                 PyObject_TypeCheck(object, classes.base)
                     ? "an NDArray whose __init__ has not run (%s)"
                     : "expected an NDArray, got %s",
                 Py_TYPE(object)->tp_name);
  return array;
}

void needle::python::setParams(Array *array, PyObject *params,
                               eager::QuantParams quant) {
  Py_XSETREF(array->params, Py_XNewRef(params));
  array->quant = quant;
}

Array *needle::python::newLike(const Array *like, bool committed) {
  PyTypeObject *type = classes.array;
  auto *array = reinterpret_cast<Array *>(create(type, nullptr, nullptr));
  if (!array)
    return nullptr;
  array->device = Py_NewRef(like->device);
  array->committed = committed;
  return array;
}

Array *needle::python::newView(const Array *x) {
  Array *array = newLike(x, x->committed);
  if (!array)
    return nullptr;
  array->foreign = Py_XNewRef(x->foreign);
  array->foreignSize = x->foreignSize;
  if (x->params)
    setParams(array, x->params, x->quant);
  return array;
}

/// Calls `make` of another class than NDArray.
static PyObject *callMake(const Array *array, PyTypeObject *type) {
  const eager::View &view = array->view;
  PyObject *handle = getHandle(const_cast<Array *>(array));
  if (!handle)
    return nullptr;
  PyObject *arguments =
      Py_BuildValue("NNONL", makeTuple(view.rank, view.shape),
                    makeTuple(view.rank, view.strides), array->device, handle,
                    static_cast<long long>(view.offset));
  if (!arguments)
    return nullptr;
  PyObject *keywords =
      array->params ? Py_BuildValue("{sO}", "quant_params", array->params)
                    : PyDict_New();
  PyObject *make =
      keywords
          ? PyObject_GetAttrString(reinterpret_cast<PyObject *>(type), "make")
          : nullptr;
  PyObject *made = make ? PyObject_Call(make, arguments, keywords) : nullptr;
  Py_XDECREF(make);
  Py_XDECREF(keywords);
  Py_DECREF(arguments);
  return made;
}

static PyObject *makeOther(Array *array, PyTypeObject *type) {
  PyObject *made = callMake(array, type);
  if (made)
    if (Array *other = asArray(made))
      other->committed = array->committed;
  Py_DECREF(asObject(array));
  return made;
}

PyObject *needle::python::finish(Array *array, const Array *like) {
  PyTypeObject *type = Py_TYPE(&like->base);
  if (type == classes.array || type == classes.base)
    return asObject(array);
  return makeOther(array, type);
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The instance of a getter; null with an exception if __init__ has not run.
static Array *self(PyObject *object) { return expectArray(object); }

static PyObject *getShape(PyObject *object, void *) {
  Array *array = self(object);
  return array ? makeTuple(array->view.rank, array->view.shape) : nullptr;
}

static PyObject *getStrides(PyObject *object, void *) {
  Array *array = self(object);
  return array ? makeTuple(array->view.rank, array->view.strides) : nullptr;
}

static PyObject *getOffset(PyObject *object, void *) {
  Array *array = self(object);
  return array ? PyLong_FromLongLong(array->view.offset) : nullptr;
}

static PyObject *getRank(PyObject *object, void *) {
  Array *array = self(object);
  return array ? PyLong_FromLong(array->view.rank) : nullptr;
}

static PyObject *getSize(PyObject *object, void *) {
  Array *array = self(object);
  return array ? PyLong_FromLongLong(array->view.size()) : nullptr;
}

static PyObject *getDevice(PyObject *object, void *) {
  Array *array = self(object);
  return array ? Py_NewRef(array->device) : nullptr;
}

static PyObject *getDType(PyObject *object, void *) {
  Array *array = self(object);
  if (!array)
    return nullptr;
  return Py_NewRef(array->view.dtype == NDL_DTYPE_U8 ? classes.uint8
                                                     : classes.float32);
}

static PyObject *getParams(PyObject *object, void *) {
  Array *array = self(object);
  if (!array)
    return nullptr;
  return Py_NewRef(array->params ? array->params : Py_None);
}

static PyObject *getHandleAttribute(PyObject *object, void *) {
  Array *array = self(object);
  return array ? guard([&] { return getHandle(array); }) : nullptr;
}

static PyObject *getCommitted(PyObject *object, void *) {
  Array *array = self(object);
  return array ? PyBool_FromLong(array->committed) : nullptr;
}

static PyObject *getTransposed(PyObject *object, void *) {
  return PyObject_CallMethod(object, "transpose", nullptr);
}

static Py_ssize_t getLength(PyObject *object) {
  Array *array = self(object);
  if (!array)
    return -1;
  if (array->view.rank > 0)
    return array->view.shape[0];
  PyErr_SetString(PyExc_TypeError, "len() of an array without dimensions");
  return -1;
}

static PyGetSetDef attributes[] = {
    {"shape", getShape, nullptr, "Extents.", nullptr},
    {"strides", getStrides, nullptr,
     "Distances between neighbours along each dimension, in elements.",
     nullptr},
    {"offset", getOffset, nullptr,
     "Where in the handle the first element lies, in elements.", nullptr},
    {"_shape", getShape, nullptr, "The course's name of shape.", nullptr},
    {"_strides", getStrides, nullptr, "The course's name of strides.", nullptr},
    {"_offset", getOffset, nullptr, "The course's name of offset.", nullptr},
    {"_device", getDevice, nullptr, "The course's name of device.", nullptr},
    {"ndim", getRank, nullptr, "Number of dimensions.", nullptr},
    {"size", getSize, nullptr, "Number of elements.", nullptr},
    {"device", getDevice, nullptr, "Where the array is.", nullptr},
    {"dtype", getDType, nullptr,
     "float32, or uint8 for the stored integers of a quantized array.",
     nullptr},
    {"quant_params", getParams, nullptr,
     "Scale, zero point and original dtype; None if not quantized.", nullptr},
    {"_handle", getHandleAttribute, nullptr,
     "The memory, shared by all views: ptr() and size.", nullptr},
    {"committed", getCommitted, nullptr,
     "Whether the array was placed on its device by request; otherwise it "
     "follows the other operand of an operation.",
     nullptr},
    {"T", getTransposed, nullptr, "All axes reversed, as a view.", nullptr},
    {}};

static PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET,
                                 offsetof(Array, weakReferences), READONLY,
                                 nullptr},
                                {}};

//===----------------------------------------------------------------------===//
// The type
//===----------------------------------------------------------------------===//

/// Types keep pointers to these.
static std::vector<PyMethodDef> methods;

static void addMethods(const PyMethodDef *more) {
  for (; more->ml_name; ++more)
    methods.push_back(*more);
}

/// Copies the slots to `all`, but for the last, empty one.
static void addSlots(std::vector<PyType_Slot> &all, const PyType_Slot *more) {
  for (; more->slot; ++more)
    all.push_back(*more);
}

void needle::python::bindArrayType(nb::module_ &m) {
  addMethods(viewMethods);
  addMethods(operatorMethods);
  addMethods(copyMethods);
  methods.push_back({});
  static const char doc[] = "Shape, memory and operations of an array; "
                            "needle.backend_ndarray.NDArray "
                            "is what to use.";
  std::vector<PyType_Slot> slots = {
      {Py_tp_doc, const_cast<char *>(doc)},
      {Py_tp_new, reinterpret_cast<void *>(create)},
      {Py_tp_init, reinterpret_cast<void *>(initialize)},
      {Py_tp_dealloc, reinterpret_cast<void *>(destroy)},
      {Py_tp_getset, attributes},
      {Py_tp_members, members},
      {Py_tp_methods, methods.data()},
      {Py_mp_length, reinterpret_cast<void *>(getLength)},
      {Py_tp_hash, reinterpret_cast<void *>(PyObject_HashNotImplemented)}};
  addSlots(slots, operatorSlots);
  addSlots(slots, indexSlots);
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"needle._needle.NDArrayBase", sizeof(Array), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots.data()};
  nb::object type = nb::steal(PyType_FromSpec(&spec));
  if (!type.is_valid())
    throw nb::python_error();
  m.attr("NDArrayBase") = type;
  nb::object dtype = nb::module_::import_("numpy").attr("dtype");
  classes.float32 = dtype("float32").release().ptr();
  classes.uint8 = dtype("uint8").release().ptr();
  classes.dtype = dtype.release().ptr();
  classes.base = reinterpret_cast<PyTypeObject *>(type.release().ptr());
  classes.array = classes.base;
  m.def(
      "set_array_class",
      [](nb::type_object array, nb::type_object params) {
        classes.array = reinterpret_cast<PyTypeObject *>(array.release().ptr());
        classes.quantParams = params.release().ptr();
      },
      nb::arg("array"), nb::arg("params"),
      "Sets the classes of results and of their quantization parameters.");
}
