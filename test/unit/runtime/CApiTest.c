/* A C program that uses the shared library's C ABI. */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */

#include "needle-rt/runtime.h"

#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(int condition, const char *what) {
  if (condition)
    return;
  printf("failed: %s\n", what);
  ++failures;
}

int main(void) {
  NdlRuntimeOptions runtimeOptions = NDL_RUNTIME_OPTIONS_INIT;
  NdlLoadOptions loadOptions = NDL_LOAD_OPTIONS_INIT;
  NdlRuntime *runtime = NULL;
  NdlExecutable *executable = NULL;

  check(strlen(ndl_version()) > 0, "there is a version");
  check(strcmp(ndl_last_error(), "") == 0, "no error before the first");
  runtimeOptions.threads = 2;
  check(ndl_runtime_create(&runtimeOptions, &runtime) == NDL_OK,
        "a runtime can be created");
  check(ndl_runtime_threads(runtime) == 2, "it has two threads");
  check(ndl_executable_load_memory(runtime, "text", 4, &loadOptions,
                                   &executable) == NDL_CORRUPT_ARTIFACT,
        "text is no artifact");
  check(executable == NULL, "the result is untouched");
  check(strcmp(ndl_last_error(), "not a needle artifact") == 0,
        "the message says so");
  ndl_runtime_destroy(runtime);
  return failures != 0;
}
