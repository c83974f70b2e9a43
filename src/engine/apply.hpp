#pragma once
// The only door: every operation infers its result, allocates, runs and is recorded here.
#include "core/fail.hpp"
#include "engine/kernels.hpp"
#include "engine/trace.hpp"

#include <span>
#include <type_traits>

namespace dl::engine {

/// The inputs of one operation and the line of the call.
class Inputs {
 public:
  Inputs(const Operand* const* operands, int count) noexcept : operands_(operands), count_(count) {}
  int count() const noexcept { return count_; }
  const Operand* const* operands() const noexcept { return operands_; }
  const DlArray& operator[](int i) const { return operands_[i]->get(); }
  /// True when input i is a C++ number that no array has been made of.
  bool isNumber(int i) const noexcept { return operands_[i]->isNumber(); }
  double number(int i) const noexcept { return operands_[i]->number(); }
  /// The input when it is a temporary that nobody sees afterwards and whose elements nobody shares, else null.
  DlArray* recyclable(int i) const noexcept {
    DlArray* x = operands_[i]->dying();
    if (!x || (kept_ >> i & 1U) || !Storage::unique(*x)) return nullptr;
    // What lies in the header of a traced array cannot change hands.
    const dl::detail::Header& h = Storage::of(*x);
    return h.node == 0 || h.buffer ? x : nullptr;
  }
  /// The input for keeping; a temporary is given away.
  DlArray handOver(int i) const noexcept {
    const DlArray& kept = operands_[i]->get();
    DlArray* x = operands_[i]->dying();
    return x ? std::move(*x) : kept;
  }
  /// Bit i: input i is kept for the gradient, so its memory is not to be used.
  void keep(unsigned inputs) noexcept { kept_ = inputs; }
  const std::source_location& where() const noexcept { return operands_[0]->where(); }

 private:
  const Operand* const* operands_;
  int count_;
  unsigned kept_ = 0;
};

/// What an operation's size rule answers.
struct Result {
  Shape shape;
  Type type;
};

// What an operation is:
//   static constexpr const char* name;
//   Result infer(const Inputs&) const;                 // throws the sentence that the user reads
//   void run(const Inputs&, DlArray& result) const;    // the kernel
//     or, in place of both, DlArray evaluate(const Inputs&) const;
//   static constexpr unsigned kept;                    // bit i: input i is kept for the gradient; bit `keptResult`: the result
//     or unsigned keep(unsigned traced) const;         // the same, by which inputs are traced (bit i)
//   void gradient(Backward&) const;                    // none where the gradient is zero
//   static constexpr bool sameVariable = true;         // if the result counts as the input itself in dlgradient
//   static constexpr bool runsUserCode = true;         // if the gradient may end in an exception of the user's
// and its parameters are its members.
inline constexpr unsigned keptResult = 1U << 31;

template <class Op>
concept Differentiable = requires(const Op& op, Backward& b) { op.gradient(b); };

namespace detail {

/// Parameters that lie in the node and need no clearing away.
template <class Op>
inline constexpr bool trivial = std::is_empty_v<Op> || (std::is_trivially_destructible_v<Op> && sizeof(Op) <= sizeof(Node::nearParameters));

template <class Op>
struct RuleOf {
  static void gradient(Backward& backward);
  static void destroy(void* parameters) {
    static_cast<Op*>(parameters)->~Op();
    if constexpr (sizeof(Op) > sizeof(Node::nearParameters)) deallocate(parameters, sizeof(Op));
  }
  static constexpr auto gradientOrNull() {
    if constexpr (Differentiable<Op>)
      return &gradient;
    else
      return static_cast<void (*)(Backward&)>(nullptr);
  }
  static constexpr Rule rule{Op::name, gradientOrNull(), trivial<Op> ? nullptr : &destroy, requires { Op::sameVariable; },
                             requires { Op::runsUserCode; }};
};

template <class Op>
unsigned keptBy(const Op& op, unsigned traced) {
  if constexpr (!Differentiable<Op>)
    return 0;
  else if constexpr (requires { op.keep(traced); })
    return op.keep(traced);
  else
    return Op::kept;
}

/// The nodes that the first inputs came from, noted before an operation may use up an input's memory.
using NearNodes = std::array<std::uint32_t, Node::near>;

/// Sets origin marks on a result, which may be an array that others hold too.
void mark(DlArray& result, std::uint8_t origin);

/// Fills the last node: what it came from and what to keep.
void fill(Node& node, const Inputs& inputs, const NearNodes& nodes, unsigned traced, const DlArray& result, unsigned kept);

template <class Op>
void record(Trace& trace, const Op& op, const Inputs& inputs, const NearNodes& nodes, unsigned traced, const DlArray& result, unsigned kept) {
  Node& node = trace.append();
  if constexpr (!std::is_empty_v<Op>) {
    void* to = node.nearParameters;
    if constexpr (sizeof(Op) > sizeof(Node::nearParameters)) to = allocate(sizeof(Op));
    node.parameters = new (to) Op(op);
  }
  node.rule = &RuleOf<Op>::rule;
  node.holds = node.rule->destroy != nullptr;
  if constexpr (requires { Op::runsUserCode; }) trace.runsUserCode = true;
  fill(node, inputs, nodes, traced, result, kept);
  trace.own(result);
}

template <class Op>
DlArray evaluate(const Op& op, const Inputs& inputs) {
  if constexpr (requires { op.evaluate(inputs); }) {
    return op.evaluate(inputs);
  } else {
    const Result result = op.infer(inputs);
    DlArray y = Storage::make(result.shape, result.type);
    if (numel(y) > 0) op.run(inputs, y);
    return y;
  }
}

}  // namespace detail

namespace detail {

/// Runs an operation; `count` is a constant for the usual one to three inputs, so that the loops dissolve.
template <class Op>
[[gnu::always_inline]] inline DlArray applyTo(const Op& op, const Operand* const* operands, const int count) {
  Inputs inputs(operands, count);
  Trace* const trace = Trace::current();
  unsigned traced = 0;
  std::uint8_t origin = 0;  // marks travel to results so that a later mistake can be explained
  NearNodes nodes{};
  for (int i = 0; i < count; ++i) {
    if (inputs.isNumber(i)) continue;
    const dl::detail::Header& h = Storage::of(inputs[i]);
    if (h.device != Device::Cpu) [[unlikely]]
      return runOnDevice(Op::name, &op, inputs);
    origin |= h.origin;
    if (h.node != 0 && (h.trace == trace ? trace->recording : recorded(trace, inputs[i]))) {
      traced |= 1U << (i < 30 ? i : 30);
      if (i < Node::near) nodes[static_cast<std::size_t>(i)] = h.node;
    }
  }
  if (!traced) {
    DlArray y = evaluate(op, inputs);
    if (origin) mark(y, origin);
    return y;
  }
  const unsigned kept = keptBy(op, traced);
  inputs.keep(kept);
  DlArray y = evaluate(op, inputs);
  if (origin) mark(y, origin);
  record(*trace, op, inputs, nodes, traced, y, kept);
  return y;
}

}  // namespace detail

/// Runs an operation on any number of inputs.
template <class Op>
DlArray apply(const Op& op, const Inputs& inputs) {
  return detail::applyTo(op, inputs.operands(), inputs.count());
}
template <class Op>
DlArray apply(const Op& op, const Operand& x) {
  const Operand* operands[] = {&x};
  return detail::applyTo(op, operands, 1);
}
template <class Op>
DlArray apply(const Op& op, const Operand& a, const Operand& b) {
  const Operand* operands[] = {&a, &b};
  return detail::applyTo(op, operands, 2);
}
template <class Op>
DlArray apply(const Op& op, const Operand& a, const Operand& b, const Operand& c) {
  const Operand* operands[] = {&a, &b, &c};
  return detail::applyTo(op, operands, 3);
}

/// Ties a result to the last node; a traced array that takes another's place is tied already, to the node before.
[[gnu::always_inline]] inline void ownResult(Trace& trace, const DlArray& result) noexcept {
  dl::detail::Header& h = *Storage::get(result);
  if (h.node != 0)
    h.node = trace.last();
  else
    trace.own(result);
}

/// Records a plain double scalar with up to two inputs: all that `fill` does for arrays of any kind.
[[gnu::always_inline]] inline Node& appendScalar(Trace& trace, const Rule& rule, std::uint32_t inputs, std::uint32_t a, std::uint32_t b,
                                                 const DlArray& result) {
  Node& node = trace.append();
  node.rule = &rule;
  node.inputCount = inputs;
  node.nearInputs[0] = a;
  node.nearInputs[1] = b;
  node.nearInputs[2] = 0;
  node.type = Type::Double;
  node.device = Device::Cpu;
  node.keeps = false;
  node.plainScalar = true;
  ownResult(trace, result);
  return node;
}

/// Records an array on the CPU with up to two inputs.
[[gnu::always_inline]] inline Node& appendArray(Trace& trace, const Rule& rule, std::uint32_t inputs, std::uint32_t a, std::uint32_t b,
                                                const DlArray& result) {
  const dl::detail::Header& h = *Storage::get(result);
  Node& node = trace.append();
  node.rule = &rule;
  node.inputCount = inputs;
  node.nearInputs[0] = a;
  node.nearInputs[1] = b;
  node.nearInputs[2] = 0;
  node.type = h.type;
  node.device = Device::Cpu;
  node.keeps = false;
  node.plainScalar = h.plainScalar;
  if (!h.plainScalar) {
    node.wholeShape.size = h.size;
    node.wholeShape.format = h.format;
  }
  ownResult(trace, result);
  return node;
}

/// The node in the open trace at which an array was computed; 0 when operations on it are not to be recorded.
inline std::uint32_t tracedNode(const Trace* trace, const DlArray& x) {
  const dl::detail::Header* h = Storage::get(x);
  return h && h->node != 0 && (h->trace == trace ? trace->recording : recorded(trace, x)) ? h->node : 0;
}

/// Runs an operation on a list of arrays.
template <class Op>
DlArray applyToList(const Op& op, const std::vector<DlArray>& list, const std::source_location& where) {
  std::vector<std::unique_ptr<Operand>> operands;
  std::vector<const Operand*> pointers;
  for (const DlArray& x : list) pointers.push_back(operands.emplace_back(std::make_unique<Operand>(x, where)).get());
  return apply(op, Inputs(pointers.data(), static_cast<int>(pointers.size())));
}

}  // namespace dl::engine

#include "engine/backward.hpp"
