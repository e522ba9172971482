// needle-run: runs an artifact on .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exit codes: 0 success; 1 the artifact could not be loaded, an input not read,
// the entry point not run, or an output not written; 2 wrong command line.

#include "Info.h"
#include "Options.h"
#include "Run.h"

#include "needle-rt/runtime.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <new>

namespace needle::run {
namespace {

constexpr int exitFailure = 1;
constexpr int exitUsage = 2;

/// Splits NAME=FILE; CLI11 reports the error.
std::pair<std::string, std::string> splitPair(const std::string &text) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    throw CLI::ValidationError("'" + text + "' is not NAME=FILE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void declare(CLI::App &app, Options &options, std::vector<std::string> &inputs,
             std::vector<std::string> &outputs) {
  app.set_version_flag("--version", ndl_version());
  app.add_option("artifact", options.artifact, "Compiled model")->required();
  app.add_option("--entry", options.entry,
                 "Entry point [default: main, or the only one]");
  app.add_option("--input", inputs,
                 "NAME=FILE.npy for each input; NAME may be "
                 "its index")
      ->expected(1)
      ->take_all();
  app.add_option("--output", outputs, "NAME=FILE.npy for outputs to write")
      ->expected(1)
      ->take_all();
  app.add_option("--threads", options.threads,
                 "Number of threads; 0: NEEDLE_NUM_THREADS or all CPUs this "
                 "process may use")
      ->check(CLI::Range(0, NDL_MAX_THREADS));
  app.add_option("--isa", options.isa,
                 "Target of the body to run, e.g. avx2 [default: NEEDLE_ISA or "
                 "the best this CPU can run]");
  app.add_option("--repeat", options.repeat, "Number of runs")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 40));
  app.add_flag("--info", options.info,
               "Print signature, bodies, steps and sizes; do not run");
  app.add_flag("--profile", options.profile, "Time each step");
  app.add_flag("--json", options.json, "Print JSON");
}

/// Describes the artifact, with the reason if no body of it can be used.
void printInfo(const Options &options, const NdlExecutable *executable,
               const std::string &reason) {
  if (options.json)
    printJson(describe(executable));
  else
    printDescription(executable, reason);
}

/// What cannot run can be described all the same. Returns an empty string or an
/// error.
std::string inspect(const Options &options, const std::string &reason) {
  NdlExecutable *executable = nullptr;
  if (ndl_executable_inspect_file(options.artifact.c_str(), &executable) !=
      NDL_OK)
    return ndl_last_error();
  printInfo(options, executable, reason);
  ndl_executable_destroy(executable);
  return "";
}

/// Returns an empty string or an error.
std::string execute(const Options &options) {
  NdlRuntimeOptions runtimeOptions = NDL_RUNTIME_OPTIONS_INIT;
  runtimeOptions.threads = options.threads;
  NdlRuntime *runtime = nullptr;
  if (ndl_runtime_create(&runtimeOptions, &runtime) != NDL_OK)
    return ndl_last_error();
  NdlLoadOptions loadOptions = NDL_LOAD_OPTIONS_INIT;
  loadOptions.target = options.isa.empty() ? nullptr : options.isa.c_str();
  NdlExecutable *executable = nullptr;
  NdlStatus status = ndl_executable_load_file(runtime, options.artifact.c_str(),
                                              &loadOptions, &executable);
  ndl_runtime_destroy(runtime);
  if (status == NDL_UNSUPPORTED_CPU && options.info)
    return inspect(options, ndl_last_error());
  if (status != NDL_OK)
    return ndl_last_error();
  std::string error;
  if (options.info)
    printInfo(options, executable, "");
  else
    error = runEntry(options, executable);
  ndl_executable_destroy(executable);
  return error;
}

int run(int argc, char **argv) {
  Options options;
  std::vector<std::string> inputs, outputs;
  CLI::App app("Runs a needle artifact on .npy files.\n"
               "Exit codes: 0 success, 1 failure, 2 wrong command line.",
               "needle-run");
  declare(app, options, inputs, outputs);
  try {
    app.parse(argc, argv);
    for (const std::string &text : inputs)
      options.inputs.push_back(splitPair(text));
    for (const std::string &text : outputs)
      options.outputs.push_back(splitPair(text));
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : exitUsage;
  }
  std::string error = execute(options);
  if (error.empty() && std::fflush(stdout) != 0)
    error = "cannot write to the standard output";
  if (error.empty())
    return 0;
  std::fprintf(stderr, "needle-run: error: %s\n", error.c_str());
  return exitFailure;
}

} // namespace
} // namespace needle::run

int main(int argc, char **argv) {
  try {
    return needle::run::run(argc, argv);
  } catch (const std::bad_alloc &) {
    std::fputs("needle-run: error: out of memory\n", stderr);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "needle-run: error: %s\n", error.what());
  }
  return needle::run::exitFailure;
}
