#include "engine/short.hpp"

#include "cpu/elementwise.hpp"
#include "engine/loops.hpp"

namespace dl::engine {

namespace {

using dl::detail::Header;

// One operand: its header, null for a number, and its node, 0 when it is not to be recorded.
struct Input {
  const Operand& operand;
  const Header* header = nullptr;
  std::uint32_t node = 0;

  explicit Input(const Operand& x) noexcept : operand(x) {
    if (!x.isNumber()) header = Storage::get(x.get());
  }
  bool known() const noexcept { return header || operand.isNumber(); }
  void find(const Trace* trace) {
    if (header) node = tracedNode(trace, operand.get());
  }
  std::uint8_t origin() const noexcept { return header ? header->origin : std::uint8_t{0}; }
  /// True for a temporary that nobody sees afterwards: the result may take its place, header and all. A traced one gives its
  /// header only to a result that is traced too.
  bool replaceable() const noexcept {
    const DlArray* x = operand.dying();
    return x && Storage::unique(*x) && (header->node == 0 || node != 0);
  }
  /// The number given, as one of the type computed in.
  double number(Type type) const noexcept {
    return type == Type::Single ? static_cast<double>(static_cast<float>(operand.number())) : operand.number();
  }
  DlArray kept(Type type) const {
    if (operand.isNumber())
      return type == Type::Single ? DlArray(static_cast<float>(operand.number())) : DlArray(operand.number());
    DlArray* x = operand.dying();
    return x ? std::move(*x) : operand.get();
  }
  template <class T>
  const T* elements(T& number) const noexcept {
    if (header) return static_cast<const T*>(header->data);
    number = static_cast<T>(operand.number());
    return &number;
  }
};

bool suits(const Header& h) noexcept {
  return h.numel > 0 && h.numel <= grain && h.device == Device::Cpu && (h.type == Type::Double || h.type == Type::Single);
}

bool sameShape(const Header& a, const Header& b) noexcept {
  return a.numel == b.numel && a.format == b.format && a.size == b.size;
}

}  // namespace

DlArray shortUnary(const ShortForm& form, const Operand& operand, Trace* trace) {
  Input x(operand);
  if (!x.header || !suits(*x.header)) return {};
  x.find(trace);
  const unsigned keep = form.keep[x.node != 0];
  const Header& h = *x.header;
  const Index n = h.numel;
  const void* from = h.data;
  const std::uint8_t origin = h.origin;
  DlArray y = !(keep & 1U) && x.replaceable() ? std::move(*operand.dying()) : Storage::makeLike(h);
  Header& to = *Storage::get(y);
  if (to.type == Type::Double)
    cpu::elementwiseKernels<double>().unary[form.formula].value(n, static_cast<const double*>(from),
                                                                static_cast<double*>(to.data));
  else
    cpu::elementwiseKernels<float>().unary[form.formula].value(n, static_cast<const float*>(from), static_cast<float*>(to.data));
  to.origin = origin;
  if (x.node) {
    Node& node = appendArray(*trace, *form.rule, 1, x.node, 0, y);
    node.keeps = keep != 0;
    if (keep & 4U) node.nearKept[Node::near - 1] = y;
    if (keep & 1U) node.nearKept[0] = x.kept(to.type);
  }
  return y;
}

namespace {

template <class T>
void runShort(std::size_t formula, const Input& a, bool stepA, const Input& b, bool stepB, Index n, void* to) {
  T numberA, numberB;
  const T *pa = a.elements(numberA), *pb = b.elements(numberB);
  cpu::elementwiseKernels<T>().binary[formula].value(n, pa, stepA, pb, stepB, static_cast<T*>(to));
}

}  // namespace

DlArray shortBinary(const ShortForm& form, const Operand& operandA, const Operand& operandB, Trace* trace) {
  Input a(operandA), b(operandB);
  if (!a.known() || !b.known()) return {};
  const bool both = a.header && b.header;
  if (both && a.header->type != b.header->type) return {};
  const bool equal = both && sameShape(*a.header, *b.header);
  const bool stepA = equal || (a.header && (!b.header || b.header->plainScalar)), stepB = equal || (b.header && !stepA);
  if (!stepA && !stepB) return {};
  if (!stepA && a.header && !a.header->plainScalar) return {};
  const Header& like = stepA ? *a.header : *b.header;
  if (!suits(like) || (both && (a.header->device != Device::Cpu || b.header->device != Device::Cpu))) return {};

  a.find(trace);
  b.find(trace);
  const unsigned keep = form.keep[(a.node ? 1U : 0U) | (b.node ? 2U : 0U)];
  const std::uint8_t origin = a.origin() | b.origin();
  const bool inA = stepA && !(keep & 1U) && a.replaceable(), inB = !inA && stepB && !(keep & 2U) && b.replaceable();
  DlArray made;
  if (!inA && !inB) made = Storage::makeLike(like);
  Header& to = inA || inB ? const_cast<Header&>(inA ? *a.header : *b.header) : *Storage::get(made);
  if (to.type == Type::Double)
    runShort<double>(form.formula, a, stepA, b, stepB, to.numel, to.data);
  else
    runShort<float>(form.formula, a, stepA, b, stepB, to.numel, to.data);
  to.origin = origin;
  DlArray y = inA ? std::move(*operandA.dying()) : inB ? std::move(*operandB.dying()) : std::move(made);
  if (a.node | b.node) {
    Node& node = appendArray(*trace, *form.rule, 2, a.node, b.node, y);
    const unsigned numbers = (a.header ? 0U : 1U) | (b.header ? 0U : 2U);
    if (keep && (keep & ~numbers) == 0) {
      node.keptNumbers = static_cast<std::uint8_t>(keep);
      node.keepNumber(keep == 2, (keep == 2 ? b : a).number(to.type));
      return y;
    }
    node.keeps = keep != 0;
    if (keep & 4U) node.nearKept[Node::near - 1] = y;
    if (keep & 1U) node.nearKept[0] = a.kept(to.type);
    if (keep & 2U) node.nearKept[1] = b.kept(to.type);
  }
  return y;
}

}  // namespace dl::engine
