#pragma once
#include "engine/trace.hpp"

namespace dl::engine {

/// What a gradient rule works with: the gradient by the result, what was kept, and where the gradients by the inputs go.
class Backward {
 public:
  Backward(Trace& trace, Node& node, DlArray gradient) noexcept : trace_(trace), node_(node), gradient_(std::move(gradient)) {}
  Backward(Trace& trace, Node& node, double gradient) noexcept : trace_(trace), node_(node), isNumber_(true), number_(gradient) {}

  /// The gradient by the result, of the result's size, labels and type.
  const DlArray& gradient() {
    if (isNumber_) spread();
    return gradient_;
  }
  /// The same, given away: its memory may be used for the answer. Once only.
  DlArray&& take() {
    gradient();
    return std::move(gradient_);
  }
  /// True when the gradient is the same number for every element, no array has been made of it, and the walk is not recorded.
  bool isNumber() const noexcept { return isNumber_; }
  double number() const noexcept { return number_; }
  int inputs() const noexcept { return static_cast<int>(node_.inputCount); }
  /// An input that the operation asked to keep.
  const DlArray& input(int i) noexcept { return node_.kept(i); }
  /// The result, if the operation asked to keep it.
  const DlArray& result() noexcept { return node_.kept(node_.far ? static_cast<int>(node_.inputCount) : Node::near - 1); }
  const Shape& resultShape() const noexcept { return node_.shape; }
  /// True when the gradient by this input is wanted.
  bool needs(int i) const noexcept { return trace_.wants(node_.input(i)); }
  /// Shape and type of a traced input.
  const Shape& shape(int i) noexcept { return trace_[node_.input(i)].shape; }
  Type type(int i) noexcept { return trace_[node_.input(i)].type; }
  /// Adds to the gradient by an input. Expansion is undone here: `gradient` may have the size of the result.
  void add(int i, DlArray gradient);
  /// The same for a gradient that is one number for every element of the result; only while the walk is not recorded.
  void addNumber(int i, double gradient);
  /// The same for a number for every element of the input.
  void addEverywhere(int i, double gradient);
  /// The gradient collected so far by an input, given away to be added to in place and put back with `put`; zeros at first.
  DlArray collected(int i);
  void put(int i, DlArray gradient) noexcept;

  /// True when this walk is itself recorded, so that it can be differentiated.
  bool recorded() const noexcept { return trace_.recording; }
  template <class Op>
  const Op& op() const noexcept {
    return *static_cast<const Op*>(node_.parameters);
  }

 private:
  void spread();

  Trace& trace_;
  Node& node_;
  bool isNumber_ = false;
  double number_ = 0;
  DlArray gradient_;
};

namespace detail {
template <class Op>
void RuleOf<Op>::gradient(Backward& backward) {
  if constexpr (Differentiable<Op>) {
    if constexpr (std::is_empty_v<Op>)
      Op().gradient(backward);
    else
      backward.op<Op>().gradient(backward);
  }
}
}  // namespace detail

}  // namespace dl::engine
