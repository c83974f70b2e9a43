#include "engine/apply.hpp"

#include "cpu/elementwise.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "engine/loops.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"

#include <utility>

namespace dl::engine {

DlArray Backward::takeInput(int i) {
  const DlArray& kept = input(i);
  if (trace_.keepsData || !Storage::unique(kept)) return kept;
  if (Storage::traced(kept)) Trace::disown(kept);
  return std::move(node_.kept(i));
}

namespace {

// Adds two arrays of one shape and type where no thread would help, or subtracts; false when that is not so.
bool addFew(DlArray& sum, DlArray&& more, bool minus) {
  const dl::detail::Header &a = Storage::of(sum), &b = Storage::of(more);
  if (a.numel > grain || a.type != b.type || a.device != Device::Cpu || b.device != Device::Cpu || a.numel == 0) return false;
  DlArray made;
  DlArray* to = Storage::unique(sum) ? &sum : Storage::unique(more) ? &more : nullptr;
  if (!to) to = &(made = Storage::makeLike(a));
  const std::size_t formula =
      minus ? formula::BinaryFormulas::position<formula::Minus>() : formula::BinaryFormulas::position<formula::Plus>();
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const auto *x = static_cast<const T*>(a.data), *y = static_cast<const T*>(b.data);
    cpu::elementwiseKernels<T>().binary[formula].value(a.numel, x, 1, y, 1, Storage::mutableData<T>(*to));
  };
  withElementType(a.type, run);
  if (to != &sum) sum = std::move(*to);
  return true;
}

// Brings a gradient to the type and shape of what it is by. Apart, as most need it not.
[[gnu::noinline]] void fit(DlArray& gradient, const Node& from) {
  if (Storage::of(gradient).type != from.type && from.type != Type::Logical) gradient = castTo(gradient, from.type);
  gradient = sumTo(std::move(gradient), from.shape());
}

}  // namespace

void Backward::addWith(bool negative, int i, DlArray&& gradient) {
  Node* const from = trace_.wanted(node_.input(i));
  if (!from) return;
  const dl::detail::Header& h = Storage::of(gradient);
  if ((h.type != from->type && from->type != Type::Logical) ||
      (!(from->plainScalar && h.plainScalar) && !(static_cast<const Shape&>(h) == from->shape())))
    fit(gradient, *from);
  if (from->hasAdjoint()) return addMore(negative, *from, std::move(gradient));
  from->negative = negative;
  from->adjoint = std::move(gradient);
}

void Backward::addMore(bool negative, Node& from, DlArray&& gradient) {
  if (!Storage::get(from.adjoint)) {
    from.adjoint = binary<formula::Plus>(std::move(gradient), negative ? -from.adjointNumber : from.adjointNumber);
    from.negative = negative;
    from.hasNumber = false;
    return;
  }
  const bool minus = negative != from.negative;
  if (!trace_.recording && addFew(from.adjoint, std::move(gradient), minus)) return;
  from.adjoint = minus ? binary<formula::Minus>(std::move(from.adjoint), std::move(gradient))
                       : binary<formula::Plus>(std::move(from.adjoint), std::move(gradient));
}

namespace {

[[gnu::always_inline]] inline void addEverywhereTo(Node& from, double gradient) {
  if (Storage::get(from.adjoint)) {
    from.adjoint = binary<formula::Plus>(std::move(from.adjoint), from.negative ? -gradient : gradient);
    return;
  }
  from.adjointNumber = from.hasNumber ? from.adjointNumber + gradient : gradient;
  from.hasNumber = true;
}

DlArray everywhere(const Node& node, double number) {
  if (node.plainScalar && node.type == Type::Double) return DlArray(number);
  return filled(node.shape(), node.type == Type::Single ? Type::Single : Type::Double, number);
}
}  // namespace

void Backward::addNumber(int i, double gradient) {
  Node* const wanted = trace_.wanted(node_.input(i));
  if (!wanted) return;
  Node& from = *wanted;
  if (!(from.plainScalar && node_.plainScalar) && !(from.shape().size == node_.shape().size)) {
    const Index own = numel(from.shape().size);
    if (own == 0) return;
    gradient *= static_cast<double>(numel(node_.shape().size) / own);  // as many elements came from each
  }
  addEverywhereTo(from, gradient);
}

void Backward::addEverywhere(int i, double gradient) {
  if (Node* from = trace_.wanted(node_.input(i))) addEverywhereTo(*from, negative_ ? -gradient : gradient);
}

void Backward::spread() {
  gradient_ = everywhere(node_, number_);
  isNumber_ = false;
}

void Backward::turn() {
  negative_ = !negative_;
  if (isNumber_)
    number_ = -number_;
  else
    gradient_ = unary<formula::Negate>(std::move(gradient_));
}

// For rules that work with arrays: what is kept as numbers becomes what would have been kept otherwise, traced where it was.
void Backward::makeArrays() {
  for (int i = 0; i < Node::near; ++i) {
    if (!(node_.keptNumbers >> i & 1U)) continue;
    const double number = node_.keptNumber(i);
    DlArray& x = node_.nearKept[i] = node_.type == Type::Single ? DlArray(static_cast<float>(number)) : DlArray(number);
    if (const std::uint32_t from = i == Node::near - 1 ? id_ : node_.nearInputs[i]) trace_.own(x, from);
  }
  node_.keptNumbers = 0;
  node_.keeps = true;
}

const DlArray& Node::adjointArray() {
  if (hasNumber) {
    adjoint = everywhere(*this, adjointNumber);
    hasNumber = negative = false;
  } else if (Storage::get(adjoint) && std::exchange(negative, false)) {
    adjoint = unary<formula::Negate>(std::move(adjoint));
  }
  return adjoint;
}

void Backward::addMultiple(int i, double factor) {
  Node* const wanted = trace_.wanted(node_.input(i));
  if (!wanted) return;
  Node& from = *wanted;
  DlArray x = takeInput(i);
  const dl::detail::Header& h = Storage::of(x);
  if (h.type != Type::Double || from.type != Type::Double || h.device != Device::Cpu || h.numel > grain || h.plainScalar)
    return add(i, binary<formula::Times>(std::move(x), factor));
  const auto* elements = static_cast<const double*>(h.data);
  const Index n = h.numel;
  DlArray product = Storage::unique(x) && h.node == 0 ? std::move(x) : Storage::makeLike(h);
  constexpr std::size_t times = formula::BinaryFormulas::position<formula::Times>();
  cpu::elementwiseKernels<double>().binary[times].value(n, elements, 1, &factor, 0, Storage::mutableData<double>(product));
  if (from.hasAdjoint()) return add(i, std::move(product));
  from.adjoint = std::move(product);
  from.negative = negative_;
}

bool Backward::beginAt(int i, Index start, const DlArray& gradient) {
  const std::uint32_t input = node_.input(i);
  Node& from = trace_[input];
  const dl::detail::Header& g = Storage::of(gradient);
  if (trace_.recording || from.hasAdjoint() || g.type != from.type || g.device != Device::Cpu) return false;
  DlArray sum = Storage::make(from.shape(), from.type);
  const std::size_t each = bytesOf(from.type), before = static_cast<std::size_t>(start) * each,
                    count = static_cast<std::size_t>(g.numel) * each,
                    all = static_cast<std::size_t>(Storage::of(sum).numel) * each;
  auto* to = Storage::mutableData<std::byte>(sum);
  std::memset(to, 0, before);
  // A sign carried on would have to be carried out for all elements in the end; here it costs no more than the copy.
  if (negative_)
    withElementType(g.type, [&](auto zero) {
      using T = decltype(zero);
      constexpr std::size_t negate = formula::UnaryFormulas::position<formula::Negate>();
      cpu::elementwiseKernels<T>().unary[negate].value(g.numel, static_cast<const T*>(g.data),
                                                       Storage::mutableData<T>(sum) + start);
    });
  else
    std::memcpy(to + before, g.data, count);
  std::memset(to + before + count, 0, all - before - count);
  from.adjoint = std::move(sum);
  from.negative = false;
  return true;
}

DlArray Backward::collected(int i) {
  Node& from = trace_[node_.input(i)];
  if (negative_) turn();
  if (from.hasAdjoint()) {
    from.adjointArray();
    return std::move(from.adjoint);
  }
  return filled(from.shape(), numberType(from.type));
}

DlArray* Backward::collecting(int i) {
  Node& from = trace_[node_.input(i)];
  if (!from.hasAdjoint()) {
    from.adjoint = filled(from.shape(), numberType(from.type));
    from.negative = negative_;
  } else if (from.hasNumber) {
    from.adjointArray();
  }
  if (!Storage::unique(from.adjoint)) return nullptr;
  if (negative_ != from.negative) turn();
  return &from.adjoint;
}

void Backward::put(int i, DlArray gradient) noexcept {
  Node& from = trace_[node_.input(i)];
  from.adjoint = std::move(gradient);
  from.negative = false;
}

}  // namespace dl::engine
