#include "engine/gradient.hpp"

#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"

#include <algorithm>
#include <limits>

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
  node.shape.size = h.size;
  node.shape.format = h.format;
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
  for (int i = 0; i < inputs.count(); ++i) {
    const int bit = std::min(i, 30);
    const bool isTraced = i < Node::near ? (traced >> i & 1U) != 0 : Storage::traced(inputs[i]) && recorded(*Trace::current(), inputs[i]);
    node.far->inputs.push_back(!isTraced ? 0 : i < Node::near ? nodes[static_cast<std::size_t>(i)] : Storage::get(inputs[i])->node);
    node.far->kept.push_back(kept >> bit & 1U ? inputs[i] : DlArray());
  }
  node.far->kept.push_back(kept & keptResult ? result : DlArray());
}

}  // namespace detail

void Backward::add(int i, DlArray gradient) {
  if (!needs(i)) return;
  const std::uint32_t id = node_.input(i);
  Node& from = trace_[id];
  if (Storage::of(gradient).type != from.type && from.type != Type::Logical) gradient = castTo(gradient, from.type);
  if (!(from.plainScalar && Storage::plainScalar(gradient))) gradient = sumTo(std::move(gradient), from.shape);
  DlArray& sum = scratch_.adjoints[id - first_];
  sum = Storage::get(sum) ? binary<formula::Plus>(std::move(sum), std::move(gradient)) : std::move(gradient);
}

DlArray Backward::collected(int i) {
  const std::uint32_t id = node_.input(i);
  DlArray& sum = scratch_.adjoints[id - first_];
  if (Storage::get(sum)) return std::move(sum);
  const Node& from = trace_[id];
  return filled(from.shape, from.type == Type::Logical ? Type::Double : from.type);
}

void Backward::put(int i, DlArray gradient) noexcept { scratch_.adjoints[node_.input(i) - first_] = std::move(gradient); }

namespace {

void checkOpen(const std::source_location& where) {
  if (!Trace::current())
    fail(where, "dlgradient:outsideDlfeval", "dlgradient: no trace is open; call it inside the function that dlfeval evaluates");
}

[[noreturn]] void failNotTraced(const DlArray& y, const std::source_location& where) {
  const Trace& trace = *Trace::current();
  const auto& h = Storage::of(y);
  if (h.node != 0)
    fail(where, "dlgradient:notTraced", "dlgradient: the value belongs to the trace of an enclosing dlfeval, not to the innermost one");
  if (trace.differentiated && (h.origin & fromGradient))
    fail(where, "dlgradient:noHigherDerivatives",
         "dlgradient: the value was computed from a gradient that is not traced; give that dlgradient call {{.enableHigherDerivatives = true}}");
  if (trace.extracted)
    fail(where, "dlgradient:notTraced",
         "dlgradient: the value does not depend on any traced input; extractdata and conversion to numbers take values out of the trace");
  fail(where, "dlgradient:notTraced",
       "dlgradient: the value does not depend on any traced input; only arguments of the function that dlfeval evaluates are traced, captured arrays are constants");
}

void checkValue(const Operand& y) {
  const auto& where = y.where();
  checkOpen(where);
  if (numel(y) != 1)
    fail(where, "dlgradient:notScalar",
         "dlgradient: the value to differentiate must be a scalar, it is {}; differentiate sum(y, \"all\"), or use dlvjp(y, x, w) for a weighted "
         "sum and dljacobian(y, x, dim) for all derivatives",
         describe(y));
  const auto& h = Storage::of(y);
  if (h.type == Type::ComplexDouble || h.type == Type::ComplexSingle)
    fail(where, "dlgradient:complex", "dlgradient: the value to differentiate must be real");
  if (h.node == 0 || h.trace != Trace::current()) failNotTraced(y, where);
}

void checkVariable(const DlArray& x, const std::source_location& where) {
  const auto& h = Storage::of(x);
  if (h.node != 0 && h.trace == Trace::current()) return;
  fail(where, "dlgradient:variableNotTraced",
       "dlgradient: an array of size {} by which to differentiate is not traced; pass it to the function as an argument of dlfeval, or differentiate "
       "by an array that the function computed from its arguments",
       describe(x));
}

// Marks in `needed` the nodes from first to last through which y can depend on a variable.
void markNeeded(Trace& trace, Trace::Scratch& scratch, std::uint32_t first, std::uint32_t last) {
  auto& needed = scratch.needed;
  for (std::uint32_t id = first; id <= last; ++id) {
    if (needed[id - first]) continue;
    const Node& node = trace[id];
    if (!node.rule->gradient) continue;
    for (std::uint32_t i = 0; i < node.inputCount; ++i) {
      const std::uint32_t from = node.input(static_cast<int>(i));
      if (from >= first && needed[from - first]) {
        needed[id - first] = 1;
        break;
      }
    }
  }
}

void walkBack(Trace& trace, Trace::Scratch& scratch, std::uint32_t first, std::uint32_t last, bool keepData, const std::source_location& where) {
  constexpr unsigned char variable = 2;
  for (std::uint32_t id = last; id >= first; --id) {
    const unsigned char mark = scratch.needed[id - first];
    DlArray& adjoint = scratch.adjoints[id - first];
    if (!mark || !Storage::get(adjoint)) continue;
    Node& node = trace[id];
    if (!node.rule->gradient) continue;
    if (node.released)
      fail(where, "dlgradient:dataReleased",
           "dlgradient: the trace's data was released by an earlier dlgradient of the same values; give that call {{.retainData = true}}");
    Backward backward(trace, node, mark == variable ? adjoint : std::move(adjoint), scratch, first);
    node.rule->gradient(backward);
    if (!keepData) node.release();
  }
}

// Takes the trace's scratch for one walk, so that a rule may itself differentiate.
class BorrowedScratch {
 public:
  explicit BorrowedScratch(Trace& trace) : trace_(trace), scratch_(std::move(trace.scratch)) {}
  ~BorrowedScratch() {
    scratch_.adjoints.clear();
    trace_.scratch = std::move(scratch_);
  }
  BorrowedScratch(const BorrowedScratch&) = delete;
  BorrowedScratch& operator=(const BorrowedScratch&) = delete;
  Trace::Scratch& get() noexcept { return scratch_; }

 private:
  Trace& trace_;
  Trace::Scratch scratch_;
};

}  // namespace

namespace {

struct Start {
  const DlArray* value;
  DlArray weight;
};

void walkFrom(std::span<Start> starts, const DlArray* const* variables, DlArray* results, std::size_t count, const GradientOptions& options,
              const std::source_location& where) {
  Trace& trace = *Trace::current();
  if (!options.enableHigherDerivatives) trace.differentiated = true;
  const Recording recording(trace, options.enableHigherDerivatives);
  const auto nodeOf = [](const DlArray* x) { return Storage::get(*x)->node; };
  std::uint32_t last = 0;
  for (const Start& s : starts) last = std::max(last, nodeOf(s.value));
  std::uint32_t first = last;
  for (std::size_t i = 0; i < count; ++i) first = std::min(first, nodeOf(variables[i]));

  BorrowedScratch borrowed(trace);
  Trace::Scratch& scratch = borrowed.get();
  scratch.needed.assign(last - first + 1, 0);
  scratch.adjoints.resize(last - first + 1);
  for (std::size_t i = 0; i < count; ++i)
    if (nodeOf(variables[i]) <= last) scratch.needed[nodeOf(variables[i]) - first] = 2;
  markNeeded(trace, scratch, first, last);

  // A recorded walk starts from traced arrays: what it finds to be constant can then still be differentiated, to zero.
  const auto start = [&](DlArray x) { return options.enableHigherDerivatives && !Storage::traced(x) ? trace.leaf(x) : x; };
  for (Start& s : starts) {
    if (nodeOf(s.value) < first) continue;
    DlArray& adjoint = scratch.adjoints[nodeOf(s.value) - first];
    DlArray weight = start(std::move(s.weight));
    adjoint = Storage::get(adjoint) ? binary<formula::Plus>(std::move(adjoint), std::move(weight)) : std::move(weight);
  }
  walkBack(trace, scratch, first, last, options.retainData || options.enableHigherDerivatives, where);

  for (std::size_t i = 0; i < count; ++i) {
    const DlArray& x = *variables[i];
    const std::uint32_t id = nodeOf(&x);
    DlArray g;
    if (id <= last) g = count == 1 ? std::move(scratch.adjoints[id - first]) : scratch.adjoints[id - first];
    const Type xType = Storage::of(x).type;
    if (!Storage::get(g))
      g = start(filled(Storage::shape(x), xType == Type::Logical ? Type::Double : xType));
    else if (!(Storage::plainScalar(g) && Storage::plainScalar(x)))
      g = reshapeTo(g, Storage::shape(x));
    results[i] = std::move(g);
  }
  scratch.adjoints.clear();
  if (!options.enableHigherDerivatives)
    for (std::size_t i = 0; i < count; ++i) detail::mark(results[i], fromGradient);
}

}  // namespace

void gradients(const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count, const GradientOptions& options) {
  checkValue(y);
  for (std::size_t i = 0; i < count; ++i) checkVariable(*variables[i], y.where());
  const Type type = Storage::of(y).type == Type::Single ? Type::Single : Type::Double;
  Start start{&y.get(), Storage::plainScalar(y) && type == Type::Double ? DlArray(1.0) : filled(Storage::shape(y), type, 1)};
  walkFrom({&start, 1}, variables, results, count, options, y.where());
}

void weightedGradients(const std::vector<DlArray>& outputs, const std::vector<DlArray>& weights, const DlArray* const* variables, DlArray* results,
                       std::size_t count, const GradientOptions& options, const std::source_location& where) {
  checkOpen(where);
  for (std::size_t i = 0; i < count; ++i) checkVariable(*variables[i], where);
  std::vector<Start> starts;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto& h = Storage::of(outputs[k]);
    if (h.node == 0 || h.trace != Trace::current()) {
      if (outputs.size() == 1) failNotTraced(outputs[k], where);
      continue;
    }
    DlArray weight = castTo(weights[k], h.type == Type::Single ? Type::Single : Type::Double);
    starts.push_back({&outputs[k], reshapeTo(weight, h)});
  }
  if (starts.empty()) failNotTraced(DlArray(), where);
  walkFrom(starts, variables, results, count, options, where);
}

}  // namespace dl::engine
