#include "engine/gradient.hpp"

#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"

#include <algorithm>
#include <utility>

namespace dl::engine {

namespace detail {

void mark(DlArray& result, std::uint8_t origin) {
  if (Storage::count(Storage::of(result)) > 1) result = Storage::reshaped(result, Storage::shape(result));
  Storage::get(result)->origin |= origin;
}

void fill(Node& node, const Inputs& inputs, const NearNodes& nodes, unsigned traced, const DlArray& result, unsigned kept) {
  const dl::detail::Header& h = *Storage::get(result);
  node.inputCount = static_cast<std::uint32_t>(inputs.count());
  node.type = h.type;
  node.device = h.device;
  node.plainScalar = h.plainScalar;
  node.keeps = kept != 0;
  node.wholeShape.size = h.size;
  node.wholeShape.format = h.format;
  // The last near place is the result's.
  if (inputs.count() < Node::near) {
    for (int i = 0; i < Node::near; ++i) node.nearInputs[i] = nodes[static_cast<std::size_t>(i)];
    if (!kept) return;
    for (int i = 0; i < inputs.count(); ++i)
      if (kept >> i & 1U) node.nearKept[i] = inputs.handOver(i);
    if (kept & keptResult) node.nearKept[Node::near - 1] = result;
    return;
  }
  node.far = std::make_unique<Node::Far>();
  node.holds = true;
  for (int i = 0; i < inputs.count(); ++i) {
    const int bit = std::min(i, 30);
    const bool isTraced =
        i < Node::near ? (traced >> i & 1U) != 0 : Storage::traced(inputs[i]) && recorded(Trace::current(), inputs[i]);
    node.far->inputs.push_back(!isTraced        ? 0
                               : i < Node::near ? nodes[static_cast<std::size_t>(i)]
                                                : Storage::get(inputs[i])->node);
    node.far->kept.push_back(kept >> bit & 1U ? inputs[i] : DlArray());
  }
  node.far->kept.push_back(kept & keptResult ? result : DlArray());
}

}  // namespace detail

namespace {

void checkOpen(const char* function, const std::source_location& where) {
  if (!Trace::current())
    fail(where, "dlgradient:outsideDlfeval", "{}: no trace is open; call it inside the function that dlfeval evaluates",
         function);
}

[[noreturn]] void failNotTraced(const char* function, const DlArray& y, const std::source_location& where) {
  const Trace& trace = *Trace::current();
  const auto& h = Storage::of(y);
  if (h.node != 0)
    fail(where, "dlgradient:notTraced", "{}: the value belongs to the trace of an enclosing dlfeval, not to the innermost one",
         function);
  if (trace.differentiated && (h.origin & fromGradient))
    fail(where, "dlgradient:noHigherDerivatives",
         "{}: the value was computed from a gradient that is not traced; give that dlgradient call {{.enableHigherDerivatives = "
         "true}}",
         function);
  if (trace.extracted)
    fail(where, "dlgradient:notTraced",
         "{}: the value does not depend on any traced input; extractdata and conversion to numbers take values out of the trace",
         function);
  fail(where, "dlgradient:notTraced",
       "{}: the value does not depend on any traced input; traced are the arrays among the arguments of dlfeval, plain numbers "
       "and captured arrays "
       "are constants",
       function);
}

void checkValue(const char* function, const Operand& y) {
  const auto& where = y.where();
  checkOpen(function, where);
  if (numel(y) != 1)
    fail(where, "dlgradient:notScalar",
         "{}: the value to differentiate must be a scalar, it is {}; differentiate sum(y, \"all\"), or use dlvjp(y, x, w) for a "
         "weighted "
         "sum and dljacobian(y, x, dim) for all derivatives",
         function, describe(y));
  const auto& h = Storage::of(y);
  if (h.type == Type::ComplexDouble || h.type == Type::ComplexSingle)
    fail(where, "dlgradient:complex", "{}: the value to differentiate must be real", function);
  if (h.node == 0 || h.trace != Trace::current()) failNotTraced(function, y, where);
}

void checkVariable(const char* function, const DlArray& x, const std::source_location& where) {
  const auto& h = Storage::of(x);
  if (h.node != 0 && h.trace == Trace::current()) return;
  fail(where, "dlgradient:variableNotTraced",
       "{}: an array of size {} by which to differentiate is not traced; pass it to the function as an argument of dlfeval, or "
       "differentiate "
       "by an array that the function computed from its arguments",
       function, describe(x));
}

// True when the variables are all the trace has: every later node depends on one of them, so none needs to be marked.
bool everythingCounts(Trace& trace, const std::vector<std::uint32_t>& variables) {
  if (trace.variables != variables.size()) return false;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Node& node = trace[variables[i]];
    if (node.rule->gradient || node.inputCount) return false;
    for (std::size_t k = 0; k < i; ++k)
      if (variables[k] == variables[i]) return false;
  }
  return true;
}

bool dependsOnWanted(Trace& trace, const Node& node) {
  const auto wanted = [&](std::uint32_t from) { return trace.wants(from); };
  return node.far ? std::any_of(node.far->inputs.begin(), node.far->inputs.end(), wanted)
                  : std::any_of(node.nearInputs, node.nearInputs + node.inputCount, wanted);
}

// Marks the variables, and the nodes from first to last through which a value can depend on them, as `toMark` says.
void markWanted(Trace& trace) {
  Trace::Marked& to = trace.toMark;
  to.count = trace.last();
  if (trace.marked == to) return;
  trace.onTheWay += 2;
  trace.marked.count = 0;
  for (const std::uint32_t id : to.variables) trace[id].mark = trace.onTheWay | 1U;
  trace.allWanted = everythingCounts(trace, to.variables);
  if (trace.allWanted) return;
  for (std::uint32_t id = to.first; id <= to.last; ++id) {
    Node& node = trace[id];
    if (!trace.isVariable(node) && node.rule->gradient && dependsOnWanted(trace, node)) node.mark = trace.onTheWay;
  }
  std::swap(trace.marked, to);
}

// From the last node down; no node but the variables has a gradient afterwards.
// Nodes whose data is to be given up later are noted in `passed`.
void walkBack(Trace& trace, std::uint32_t first, std::uint32_t last, std::vector<std::uint32_t>* passed,
              const std::source_location& where) {
  for (std::uint32_t id = last; id >= first; --id) {
    Node& node = trace[id];
    if (!node.hasAdjoint()) continue;
    const bool variable = trace.isVariable(node);
    if (!node.rule->gradient) {
      if (!variable) {
        node.adjoint = DlArray();
        node.hasNumber = false;
      }
      continue;
    }
    if (variable && !dependsOnWanted(trace, node)) continue;  // nothing below it is asked for, its data may serve another walk
    if (node.released)
      fail(where, "dlgradient:dataReleased",
           "dlgradient: the trace's data was released by an earlier dlgradient of the same values; give that call {{.retainData "
           "= true}}");
    if (node.hasNumber) {
      Backward backward(trace, id, node.adjointNumber);
      node.hasNumber = variable;
      node.rule->gradient(backward);
    } else {
      if (node.negative && node.rule->runsUserCode) node.adjointArray();  // who knows whether it is linear
      const bool negative = node.negative;
      node.negative &= variable;
      Backward backward(trace, id, variable ? node.adjoint : std::move(node.adjoint), negative);
      node.rule->gradient(backward);
    }
    if (!trace.keepsData) node.release();
    if (passed) passed->push_back(id);
  }
}

// Marks the trace as being walked through, and leaves its nodes clean however the walk ends.
class Walk {
 public:
  Walk(Trace& trace, std::uint32_t first, std::uint32_t last, const std::source_location& where)
      : trace_(trace), first_(first), last_(last) {
    if (trace.walking)
      fail(where, "dlgradient:nested",
           "dlgradient: called by the derivative of a function while a gradient is computed; open a trace of its own with "
           "dlfeval");
    trace.walking = true;
    trace.firstWanted = first;
  }
  ~Walk() {
    trace_.walking = trace_.allWanted = false;
    if (done_) return;
    for (std::uint32_t id = first_; id <= last_; ++id) {
      trace_[id].hasNumber = false;
      trace_[id].adjoint = DlArray();
    }
  }
  void done() noexcept { done_ = true; }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

 private:
  Trace& trace_;
  std::uint32_t first_, last_;
  bool done_ = false;
};

struct Start {
  const DlArray* value;
  DlArray weight;
  bool isOne = false;  // in place of a weight
};

void walkFrom(std::span<Start> starts, const DlArray* const* variables, DlArray* results, std::size_t count,
              const GradientOptions& options, const std::source_location& where) {
  Trace& trace = *Trace::current();
  if (!options.enableHigherDerivatives) trace.differentiated = true;
  const Recording recording(trace, options.enableHigherDerivatives);
  const auto nodeOf = [](const DlArray* x) { return Storage::get(*x)->node; };
  const auto variableOf = [&](const DlArray* x) {
    std::uint32_t id = nodeOf(x);
    while (trace[id].rule->sameVariable) id = trace[id].input(0);
    return id;
  };
  std::uint32_t last = 0;
  for (const Start& s : starts) last = std::max(last, nodeOf(s.value));
  std::uint32_t first = last, end = last;
  trace.toMark.variables.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t id = variableOf(variables[i]);
    trace.toMark.variables.push_back(id);
    first = std::min(first, id);
    end = std::max(end, id);
  }

  Walk walk(trace, first, end, where);
  const bool giveUp = !options.retainData && !options.enableHigherDerivatives;
  // Where the user's code may end the walk, nothing is given up before it has ended well: another walk then finds all it needs.
  trace.keepsData = !giveUp || trace.runsUserCode;
  std::vector<std::uint32_t> passed;
  trace.toMark.first = first;
  trace.toMark.last = last;
  markWanted(trace);

  // A recorded walk starts from traced arrays: what it finds to be constant can then still be differentiated, to zero.
  const auto start = [&](DlArray x) { return options.enableHigherDerivatives && !Storage::traced(x) ? trace.leaf(x) : x; };
  for (Start& s : starts) {
    Node& node = trace[nodeOf(s.value)];
    if (!trace.wants(nodeOf(s.value))) continue;
    if (s.isOne) {
      node.adjointNumber = 1;
      node.hasNumber = true;
      continue;
    }
    DlArray weight = start(std::move(s.weight));
    node.adjoint = node.hasAdjoint() ? binary<formula::Plus>(node.adjointArray(), std::move(weight)) : std::move(weight);
    node.negative = false;
  }
  walkBack(trace, first, last, giveUp && trace.runsUserCode ? &passed : nullptr, where);
  for (const std::uint32_t id : passed) trace[id].release();

  for (std::size_t i = 0; i < count; ++i) {
    const DlArray& x = *variables[i];
    DlArray g = trace[variableOf(&x)].adjointArray();
    if (!Storage::get(g))
      g = start(filled(Storage::shape(x), numberType(Storage::of(x).type)));
    else if (!(Storage::plainScalar(g) && Storage::plainScalar(x)))
      g = reshapeTo(g, Storage::shape(x));
    results[i] = std::move(g);
  }
  for (std::size_t i = 0; i < count; ++i) trace[variableOf(variables[i])].adjoint = DlArray();
  walk.done();
  if (!options.enableHigherDerivatives)
    for (std::size_t i = 0; i < count; ++i) detail::mark(results[i], fromGradient);
}

}  // namespace

void gradients(const char* function, const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count,
               const GradientOptions& options) {
  checkValue(function, y);
  for (std::size_t i = 0; i < count; ++i) checkVariable(function, *variables[i], y.where());
  const Type type = Storage::of(y).type == Type::Single ? Type::Single : Type::Double;
  const bool number = !options.enableHigherDerivatives;
  Start start{&y.get(), number ? DlArray() : filled(Storage::shape(y), type, 1), number};
  walkFrom({&start, 1}, variables, results, count, options, y.where());
}

void weightedGradients(const char* function, std::span<const DlArray> outputs, std::span<DlArray> weights,
                       const DlArray* const* variables, DlArray* results, std::size_t count, const GradientOptions& options,
                       const std::source_location& where) {
  checkOpen(function, where);
  for (std::size_t i = 0; i < count; ++i) checkVariable(function, *variables[i], where);
  Start only;
  std::vector<Start> several(outputs.size() > 1 ? outputs.size() : 0);
  Start* const starts = outputs.size() > 1 ? several.data() : &only;
  std::size_t started = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto& h = Storage::of(outputs[k]);
    if (h.node == 0 || h.trace != Trace::current()) {
      if (outputs.size() == 1) failNotTraced(function, outputs[k], where);
      continue;
    }
    const Type type = h.type == Type::Single ? Type::Single : Type::Double;
    DlArray weight = Storage::of(weights[k]).type == type ? std::move(weights[k]) : castTo(weights[k], type);
    if (!(Storage::shape(weight) == h)) weight = reshapeTo(weight, h);
    starts[started++] = {&outputs[k], std::move(weight), false};
  }
  if (started == 0) failNotTraced(function, DlArray(), where);
  walkFrom({starts, started}, variables, results, count, options, where);
}

}  // namespace dl::engine
