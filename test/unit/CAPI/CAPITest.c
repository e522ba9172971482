/* Uses the compiler's C API from C, as its headers describe it.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

#include "needle-c/Compiler.h"
#include "needle-c/GraphBuilder.h"
#include "needle-c/Module.h"
#include "needle-c/Quantization.h"
#include "needle-c/Reference.h"
#include "needle-c/Support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NDEBUG or not, a failed check ends the test. */
#define CHECK(CONDITION)                                                       \
  do {                                                                         \
    if (!(CONDITION)) {                                                        \
      fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__,     \
              #CONDITION, needle_last_error());                                \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define CHECK_ERROR(STATUS, CALL, WORDS)                                       \
  do {                                                                         \
    CHECK((CALL) == (STATUS));                                                 \
    CHECK(strstr(needle_last_error(), WORDS) != NULL);                         \
  } while (0)

static const NeedleLocation somewhere = {"model.c", "fc", 7, 0};

/* y = relu(x · w), x of ?×2, w of 2×3. */
static NeedleModule *buildModule(void) {
  NeedleGraphBuilder *builder = NULL;
  CHECK(needle_graph_builder_create("linear", &builder) == NEEDLE_OK);
  const int64_t inputDims[] = {NDL_DYNAMIC, 2}, weightDims[] = {2, 3};
  const NeedleTensorType inputType = {"f32", 2, inputDims};
  const NeedleTensorType weightType = {"f32", 2, weightDims};
  const float weights[] = {1, -2, 3, 4, 5, -6};
  NeedleValue x = -1, w = -1, product = -1, y = -1;
  CHECK(needle_graph_input(builder, "x", &inputType, &somewhere, &x) ==
        NEEDLE_OK);
  CHECK(needle_graph_constant(builder, &weightType, weights, sizeof weights,
                              &somewhere, &w) == NEEDLE_OK);
  const NeedleValue operands[] = {x, w};
  CHECK(needle_graph_op(builder, "matmul", operands, 2, NULL, NULL, 0,
                        &somewhere, &product, 1) == NEEDLE_OK);
  CHECK(needle_graph_op(builder, "relu", &product, 1, "{}", NULL, 0, NULL, &y,
                        1) == NEEDLE_OK);

  const NdlTensorInfo *info = NULL;
  CHECK(needle_graph_value_info(builder, y, &info) == NEEDLE_OK);
  CHECK(info->rank == 2 && info->dims[0] == NDL_DYNAMIC && info->dims[1] == 3);
  CHECK(info->dtype == NDL_DTYPE_F32);

  const NeedleValue wrong[] = {w, w};
  CHECK_ERROR(NEEDLE_COMPILE_ERROR,
              needle_graph_op(builder, "matmul", wrong, 2, NULL, NULL, 0,
                              &somewhere, &product, 1),
              "model.c:7: 'needle.matmul' op K differs");
  const NeedleValue unknown = 99;
  CHECK_ERROR(
      NEEDLE_INVALID_ARGUMENT,
      needle_graph_op(builder, "relu", &unknown, 1, NULL, NULL, 0, NULL, &y, 1),
      "no value 99");
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_graph_input(builder, "z", NULL, NULL, &x), "type");

  CHECK(needle_graph_output(builder, "y", y, NULL) == NEEDLE_OK);
  NeedleModule *module = NULL;
  CHECK(needle_graph_build(builder, NULL, &module) == NEEDLE_OK);
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_graph_output(builder, "z", y, NULL), "already been built");
  needle_graph_builder_destroy(builder);
  return module;
}

static void testSignature(NeedleModule *module) {
  CHECK(strcmp(needle_module_name(module), "linear") == 0);
  CHECK(needle_module_entry_count(module) == 1);
  const NdlEntryInfo *entry = needle_module_entry(module, 0);
  CHECK(strcmp(entry->name, "main") == 0);
  CHECK(entry->numInputs == 1 && entry->numOutputs == 1);
  CHECK(strcmp(entry->inputs[0].name, "x") == 0);
  CHECK(strcmp(entry->outputs[0].name, "y") == 0);
  CHECK(needle_module_entry(module, 1) == NULL);
}

static void testTextAndIdentity(NeedleModule *module) {
  NeedlePrintOptions options = NEEDLE_PRINT_OPTIONS_INIT;
  options.locations = 1;
  NeedleBuffer *text = NULL;
  CHECK(needle_module_print(module, &options, &text) == NEEDLE_OK);
  NeedleModule *again = NULL;
  CHECK(needle_module_parse(needle_buffer_data(text), needle_buffer_size(text),
                            "again.mlir", &again) == NEEDLE_OK);
  uint8_t first[NEEDLE_FINGERPRINT_SIZE], second[NEEDLE_FINGERPRINT_SIZE];
  CHECK(needle_module_fingerprint(module, first) == NEEDLE_OK);
  CHECK(needle_module_fingerprint(again, second) == NEEDLE_OK);
  CHECK(memcmp(first, second, sizeof first) == 0);
  needle_buffer_destroy(text);
  needle_module_destroy(again);
  again = NULL;
  CHECK_ERROR(NEEDLE_COMPILE_ERROR,
              needle_module_parse("nonsense", 8, "bad.mlir", &again),
              "bad.mlir:1:1: ");
  CHECK(again == NULL);
}

/* Evaluates both rows of `x` and compares with what they should be. */
static void checkOutputs(const float *y) {
  const float expected[] = {5, 3, 0, 0, 0, 9};
  for (int i = 0; i < 6; ++i)
    CHECK(fabsf(y[i] - expected[i]) < 1e-6f);
}

static const int64_t shape[] = {2, 2};
static float x[] = {1, 1, 1, -1};

static NdlTensor makeInput(void) {
  NdlTensor tensor = {0};
  tensor.data = x;
  tensor.dtype = NDL_DTYPE_F32;
  tensor.rank = 2;
  tensor.shape = shape;
  return tensor;
}

static void testReference(NeedleModule *module) {
  NdlTensor input = makeInput();
  NeedleTensors *outputs = NULL;
  CHECK(needle_reference_run(module, 0, &input, 1, &outputs) == NEEDLE_OK);
  CHECK(needle_tensors_count(outputs) == 1);
  const NdlTensor *y = needle_tensors_get(outputs, 0);
  CHECK(y->rank == 2 && y->shape[0] == 2 && y->shape[1] == 3);
  const float expected[] = {5, 3, 0, 0, 0, 9};
  CHECK(memcmp(y->data, expected, sizeof expected) == 0);
  CHECK(needle_tensors_get(outputs, 1) == NULL);
  needle_tensors_destroy(outputs);
  input.rank = 1;
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_reference_run(module, 0, &input, 1, &outputs),
              "input 'x': expected 2 dimensions, got 1");
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_reference_run(module, 3, &input, 1, &outputs),
              "no entry 3");
}

static void testCompile(NeedleModule *module) {
  CHECK(needle_target_count() >= 2);
  CHECK(needle_target(needle_target_count()) == NULL);
  const char *targets[] = {needle_target(0)->name};
  NeedleCompileOptions options = NEEDLE_COMPILE_OPTIONS_INIT;
  options.targets = targets;
  options.numTargets = 1;
  NeedleCompilation *compilation = NULL;
  CHECK(needle_compile(module, &options, &compilation) == NEEDLE_OK);
  CHECK(needle_compilation_stage_count(compilation) > 0);
  CHECK(needle_compilation_stage(compilation, 0)->seconds >= 0);
  size_t size = 0;
  const void *artifact = needle_compilation_artifact(compilation, &size);

  NdlExecutable *executable = NULL;
  CHECK(ndl_executable_load_memory(NULL, artifact, size, NULL, &executable) ==
        NDL_OK);
  needle_compilation_destroy(compilation);
  NdlTensor input = makeInput(), output = makeInput();
  float y[6];
  const int64_t outputShape[] = {2, 3};
  output.data = y;
  output.shape = outputShape;
  CHECK(ndl_executable_invoke(executable, 0, &input, 1, &output, 1) == NDL_OK);
  checkOutputs(y);
  ndl_executable_destroy(executable);

  targets[0] = "z80";
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_compile(module, &options, &compilation),
              "unknown CPU target 'z80'; there are x86-64, ");
}

static void testStages(NeedleModule *module) {
  CHECK(needle_stage_name(needle_stage_count()) == NULL);
  NeedleBuffer *text = NULL;
  for (size_t i = 0; i < needle_stage_count(); ++i) {
    CHECK(needle_print_stage(module, needle_stage_name(i), "x86-64", &text) ==
          NEEDLE_OK);
    CHECK(needle_buffer_size(text) > 0);
    needle_buffer_destroy(text);
  }
  CHECK(needle_compile_assembly(module, "avx2", &text) == NEEDLE_OK);
  CHECK(needle_buffer_size(text) > 0);
  needle_buffer_destroy(text);
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_print_stage(module, "dust", "avx2", &text),
              "unknown stage 'dust'; the stages are: ");
}

static void testQuantization(NeedleModule *module) {
  NeedleCalibration *calibration = NULL;
  CHECK(needle_calibration_create(module, NULL, &calibration) == NEEDLE_OK);
  NeedleModule *exposed = needle_calibration_module(calibration);
  CHECK(needle_module_entry(exposed, 0)->numOutputs == 2);
  NdlTensor input = makeInput();
  NeedleTensors *outputs = NULL;
  CHECK(needle_reference_run(exposed, 0, &input, 1, &outputs) == NEEDLE_OK);
  const NdlTensor both[] = {*needle_tensors_get(outputs, 0),
                            *needle_tensors_get(outputs, 1)};
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_calibration_observe(calibration, both, 1),
              "not the outputs");
  CHECK(needle_calibration_observe(calibration, both, 2) == NEEDLE_OK);
  needle_tensors_destroy(outputs);
  NeedleModule *quantized = NULL;
  CHECK(needle_calibration_finish(calibration, &quantized) == NEEDLE_OK);
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_calibration_finish(calibration, &quantized),
              "already finished");
  needle_calibration_destroy(calibration);
  NeedleBuffer *text = NULL;
  CHECK(needle_module_print(quantized, NULL, &text) == NEEDLE_OK);
  CHECK(needle_buffer_size(text) > 0);
  needle_buffer_destroy(text);
  needle_module_destroy(quantized);

  NeedleQuantizeOptions options = NEEDLE_QUANTIZE_OPTIONS_INIT;
  options.mode = "sometimes";
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT,
              needle_calibration_create(module, &options, &calibration),
              "option mode: 'sometimes' is none of 'static', 'dynamic'");
  options.mode = "static";
  CHECK(needle_calibration_create(module, &options, &calibration) == NEEDLE_OK);
  CHECK_ERROR(NEEDLE_COMPILE_ERROR,
              needle_calibration_finish(calibration, &quantized), "model.c:7");
  needle_calibration_destroy(calibration);
}

static void testNull(void) {
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT, needle_compile(NULL, NULL, NULL),
              "'module' is null");
  CHECK_ERROR(NEEDLE_INVALID_ARGUMENT, needle_module_parse(NULL, 0, NULL, NULL),
              "'text' is null");
  CHECK(needle_buffer_data(NULL) == NULL && needle_buffer_size(NULL) == 0);
  needle_module_destroy(NULL);
  needle_graph_builder_destroy(NULL);
  needle_calibration_destroy(NULL);
  needle_compilation_destroy(NULL);
  needle_tensors_destroy(NULL);
  needle_buffer_destroy(NULL);
}

int main(void) {
  CHECK(strcmp(needle_last_error(), "") == 0);
  CHECK(strcmp(needle_version(), ndl_version()) == 0);
  NeedleModule *module = buildModule();
  testSignature(module);
  testTextAndIdentity(module);
  testReference(module);
  testCompile(module);
  testStages(module);
  testQuantization(module);
  testNull();
  needle_module_destroy(module);
  puts("all checks passed");
  return 0;
}
