# The kinds of tests that scripts/test runs, each as one or more steps.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash

readonly ALL_KINDS=(lint lit unit python cuda runtime emulated docs)
readonly RESULTS="$ROOT/build/test-results"
# No single test takes this many seconds unless it hangs.
readonly TEST_TIMEOUT=600

# Tests that run whatever was compiled for an instruction set.
readonly EMULATED_TESTS=(
  test/python/test_differential_arrays.py test/python/test_differential_blockwise.py
  test/python/test_differential_convolution.py test/python/test_differential_float.py
  test/python/test_differential_mlp.py::test_quantized_network
  test/python/test_differential_qmatmul.py test/python/test_emulated.py
)

# Tests of arrays and their operations, which run on every device that there is.
readonly CUDA_TESTS=(
  test/python/test_cuda.py test/python/test_differential_arrays.py
  test/python/test_ndarray.py test/python/test_ndarray_devices.py
  test/python/test_ndarray_few_rows.py test/python/test_ndarray_large.py
  test/python/test_ndarray_memory.py test/python/test_ndarray_ops.py
  test/python/test_ndarray_quantized.py test/python/test_ndarray_subclasses.py
  test/python/test_ndarray_views.py
)

# Tests of pages rather than of code.
readonly DOCS_TESTS=(test/python/test_docs.py test/python/test_reference.py)

# use_build: the tools and the package of this build are those that tests see.
use_build() {
  export PATH="$BUILD/bin:$PATH"
  export PYTHONPATH="$ROOT/python${PYTHONPATH:+:$PYTHONPATH}"
  export NEEDLE_BUILD_DIR="$BUILD"
}

# step KIND NAME COMMAND...: runs one step and notes how it ended. The command
# writes its cases to $RESULTS/KIND/NAME.xml.
step() {
  local kind="$1" name="$2" started="$EPOCHREALTIME" status=0
  shift 2
  "$@" || status=$?
  printf '%s\t%s\t%s\n' "$name" "$status" \
    "$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')" \
    >>"$RESULTS/$kind/steps.tsv"
}

test_lint() {
  step lint lint "$PYTHON" "$ROOT/scripts/lib/lint.py" --build "$BUILD" --junit "$RESULTS/lint/lint.xml"
}

test_lit() {
  step lit lit "$PYTHON" -c 'from lit.main import main; main()' -sv --timeout "$TEST_TIMEOUT" \
    --xunit-xml-output "$RESULTS/lit/lit.xml" "$BUILD/test"
}

test_unit() {
  step unit unit ctest --test-dir "$BUILD" --output-on-failure --timeout "$TEST_TIMEOUT" \
    --parallel "$(nproc)" \
    --output-junit "$RESULTS/unit/unit.xml"
}

run_pytest() {
  (cd "$ROOT" && "$PYTHON" -m pytest -q --timeout "$TEST_TIMEOUT" "$@")
}

test_python() {
  # Files share nothing, so each processor takes one after the other.
  step python python run_pytest --numprocesses logical --dist loadfile \
    --junitxml "$RESULTS/python/python.xml" \
    "${DOCS_TESTS[@]/#/--ignore=}" --ignore=test/python/test_emulated.py \
    --ignore=test/python/test_cuda.py test/python
}

# cuda_pytest: what concerns the device, on the simulated one.
cuda_pytest() {
  NEEDLE_CUDA_DRIVER=sim run_pytest --numprocesses logical --dist worksteal -k cuda \
    --junitxml "$RESULTS/cuda/cuda.xml" "${CUDA_TESTS[@]}"
}

test_cuda() {
  step cuda cuda cuda_pytest
}

# runtime_variant KIND NAME CMAKE-OPTION...: configures, builds and tests the runtime
# alone.
runtime_variant() {
  local results="$RESULTS/$1" name="$2" build="$ROOT/build/runtime-$2"
  shift 2
  local -a launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  cmake -S "$ROOT/runtime" -B "$build" -G Ninja "${launcher[@]}" "$@" >"$results/$name.log" 2>&1 ||
    { cat "$results/$name.log" && return 1; }
  ninja -C "$build" &&
    ctest --test-dir "$build" --output-on-failure --timeout "$TEST_TIMEOUT" \
      --parallel "$(nproc)" --output-junit "$results/$name.xml"
}

test_runtime() {
  local -a clang=(-DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22)
  # The plain variant is also the one that another compiler builds.
  step runtime plain runtime_variant runtime plain \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ -DCMAKE_BUILD_TYPE=Release
  step runtime asan-ubsan runtime_variant runtime asan-ubsan "${clang[@]}" \
    -DNEEDLE_SANITIZE=address,undefined
  step runtime tsan runtime_variant runtime tsan "${clang[@]}" \
    -DNEEDLE_SANITIZE=thread
}

# emulated_pytest: code that the compiler makes for AArch64, run by the needle-run of the
# runtime built for it, and compared with the interpreter on this machine.
emulated_pytest() {
  # Most of the time goes into starting emulators, one after another.
  NEEDLE_TEST_RUNNER="$ROOT/build/runtime-aarch64/tests/emulated/needle-run" \
    run_pytest --numprocesses logical --dist worksteal \
    --junitxml "$RESULTS/emulated/compiler.xml" "${EMULATED_TESTS[@]}"
}

# emulated_runtime: the runtime for AArch64, with eager kernels for it.
emulated_runtime() {
  ninja -C "$BUILD" needle-kernels-aarch64 &&
    runtime_variant emulated aarch64 -DCMAKE_BUILD_TYPE=Release \
      --toolchain "$ROOT/cmake/toolchains/aarch64-linux-gnu.cmake" \
      -DNEEDLE_KERNEL_ARTIFACT="$BUILD/kernels/kernels-aarch64.ndl"
}

test_emulated() {
  step emulated aarch64 emulated_runtime
  step emulated compiler emulated_pytest
}

test_docs() {
  step docs docs run_pytest --junitxml "$RESULTS/docs/docs.xml" "${DOCS_TESTS[@]}"
}
