# The kinds of tests that scripts/test runs, each as one or more steps.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash

readonly ALL_KINDS=(lint lit unit python runtime docs)
readonly RESULTS="$ROOT/build/test-results"
# No single test takes this many seconds unless it hangs.
readonly TEST_TIMEOUT=600

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
  step lit lit "$PYTHON" -m lit.main -sv --timeout "$TEST_TIMEOUT" \
    --xunit-xml-output "$RESULTS/lit/lit.xml" "$BUILD/test"
}

test_unit() {
  step unit unit ctest --test-dir "$BUILD" --output-on-failure --timeout "$TEST_TIMEOUT" \
    --output-junit "$RESULTS/unit/unit.xml"
}

run_pytest() {
  (cd "$ROOT" && "$PYTHON" -m pytest -q --timeout "$TEST_TIMEOUT" "$@")
}

test_python() {
  step python python run_pytest --junitxml "$RESULTS/python/python.xml" \
    --ignore test/python/test_docs.py test/python
}

# runtime_variant PRESET: configures, builds and tests the runtime alone.
runtime_variant() {
  local preset="$1" build="$ROOT/build/runtime-$1"
  (cd "$ROOT/runtime" && cmake --preset "$preset" -B "$build") >"$RESULTS/runtime/$preset.log" 2>&1 &&
    ninja -C "$build" &&
    ctest --test-dir "$build" --output-on-failure --timeout "$TEST_TIMEOUT" \
      --output-junit "$RESULTS/runtime/$preset.xml"
}

test_runtime() {
  local preset
  for preset in release asan-ubsan tsan; do
    step runtime "$preset" runtime_variant "$preset"
  done
}

test_docs() {
  step docs docs run_pytest --junitxml "$RESULTS/docs/docs.xml" test/python/test_docs.py
}
