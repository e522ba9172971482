//===- Optimize.cpp - LLVM's optimizer ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are written in vectors, their loops unrolled where that pays, and say
// so: a short pipeline gives the same inner loops as LLVM's own in a fraction
// of the time. Loops that say nothing are left to the latter.
//
//===----------------------------------------------------------------------===//

#include "MachineCode.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Analysis/InlineCost.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/ModuleInliner.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/LoopUtils.h"

using namespace needle;

namespace {

/// What the loops of a function say.
enum class Loops {
  None,
  AsTheyAre, ///< none is to be vectorized, see keepLoopsAsTheyAre
  Open,      ///< some are
};

} // namespace

static Loops classify(llvm::Function &function) {
  llvm::DominatorTree dominators(function);
  llvm::LoopInfo loops(dominators);
  for (llvm::Loop *loop : loops.getLoopsInPreorder())
    if (!(llvm::hasVectorizeTransformation(loop) & llvm::TM_Disable))
      return Loops::Open;
  return loops.empty() ? Loops::None : Loops::AsTheyAre;
}

/// Whether `value` is the comparison `left` < `right` of signed integers.
static bool isLess(llvm::Value *value, llvm::Value *left, llvm::Value *right) {
  using namespace llvm::PatternMatch;
  return match(value, m_SpecificICmp(llvm::CmpInst::ICMP_SLT, m_Specific(left),
                                     m_Specific(right))) ||
         match(value, m_SpecificICmp(llvm::CmpInst::ICMP_SGT, m_Specific(right),
                                     m_Specific(left)));
}

/// Ends a loop from `begin` to `end` on equality where it counts by
/// ones and is entered only if `begin` < `end`: of such a loop, the code
/// generator counts what is left. LLVM's own pass finds more, and takes as long
/// as all others together.
static bool endOnEquality(llvm::Loop &loop) {
  llvm::BasicBlock *latch = loop.getLoopLatch();
  llvm::BranchInst *guard = loop.getLoopGuardBranch();
  auto *back = latch ? llvm::dyn_cast<llvm::BranchInst>(latch->getTerminator())
                     : nullptr;
  if (!guard || !back || !back->isConditional() ||
      back->getSuccessor(0) != loop.getHeader() ||
      guard->getSuccessor(0) != loop.getLoopPreheader())
    return false;
  auto *compare = llvm::dyn_cast<llvm::ICmpInst>(back->getCondition());
  if (!compare || compare->getPredicate() != llvm::CmpInst::ICMP_SLT ||
      !loop.isLoopInvariant(compare->getOperand(1)))
    return false;
  for (llvm::PHINode &phi : loop.getHeader()->phis()) {
    using namespace llvm::PatternMatch;
    llvm::Value *next = phi.getIncomingValueForBlock(latch);
    llvm::Value *begin = phi.getIncomingValueForBlock(loop.getLoopPreheader());
    if (next == compare->getOperand(0) &&
        match(next, m_Add(m_Specific(&phi), m_One())) &&
        isLess(guard->getCondition(), begin, compare->getOperand(1))) {
      compare->setPredicate(llvm::CmpInst::ICMP_NE);
      return true;
    }
  }
  return false;
}

namespace {

struct EndOnEquality : llvm::PassInfoMixin<EndOnEquality> {
  llvm::PreservedAnalyses run(llvm::Loop &loop, llvm::LoopAnalysisManager &,
                              llvm::LoopStandardAnalysisResults &results,
                              llvm::LPMUpdater &) {
    if (loop.isInnermost() && endOnEquality(loop))
      results.SE.forgetLoop(&loop);
    // Neither control flow nor memory is touched.
    return llvm::PreservedAnalyses::all();
  }
};

} // namespace

/// What functions need whose loops stay as they are: values that are computed
/// once, outside of loops where that can be, and loops that test at their end.
static llvm::FunctionPassManager buildShortPipeline() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass());
  llvm::LoopPassManager loops;
  loops.addPass(llvm::LoopRotatePass());
  loops.addPass(llvm::LICMPass(llvm::LICMOptions()));
  // Before comparisons are simplified, which a loop and its guard share.
  loops.addPass(EndOnEquality());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loops),
                                                       /*UseMemorySSA=*/true));
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::SimplifyCFGPass(
      llvm::SimplifyCFGOptions().hoistCommonInsts(true).sinkCommonInsts(true)));
  return passes;
}

/// The function that a pass is about to change, or null.
static const llvm::Function *getFunction(llvm::Any unit) {
  if (const auto **function = llvm::any_cast<const llvm::Function *>(&unit))
    return *function;
  if (const auto **loop = llvm::any_cast<const llvm::Loop *>(&unit))
    return (*loop)->getHeader()->getParent();
  return nullptr;
}

void MachineCode::optimize() {
  // Functions that are done, which other pipelines skip.
  llvm::DenseSet<const llvm::Function *> done;
  llvm::PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback(
      [&](llvm::StringRef, llvm::Any unit) {
        return !done.contains(getFunction(std::move(unit)));
      });
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  llvm::PassBuilder builder(machine.get(), tuning, std::nullopt, &callbacks);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);

  bool anyOpen = false;
  llvm::SmallVector<llvm::Function *> kept;
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    Loops kind = classify(function);
    anyOpen |= kind == Loops::Open;
    if (kind == Loops::AsTheyAre)
      kept.push_back(&function);
  }
  llvm::FunctionPassManager shortPipeline = buildShortPipeline();
  for (llvm::Function *function : kept)
    functions.invalidate(*function, shortPipeline.run(*function, functions));
  done.insert(kept.begin(), kept.end());

  llvm::ModulePassManager rest;
  if (anyOpen) {
    rest = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3);
  } else {
    rest.addPass(llvm::ModuleInlinerPass(llvm::getInlineParams()));
    rest.addPass(llvm::createModuleToFunctionPassAdaptor(buildShortPipeline()));
    rest.addPass(llvm::GlobalDCEPass());
  }
  rest.run(*module, modules);
}
