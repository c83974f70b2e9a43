#pragma once
#include "engine/trace.hpp"

namespace dl::engine {

/// What a gradient rule works with: the gradient by the result, what was kept, and where the gradients by the inputs go.
class Backward {
 public:
  Backward(Trace& trace, std::uint32_t id, DlArray gradient, bool negative) noexcept
      : trace_(trace), node_(trace[id]), id_(id), negative_(negative), gradient_(std::move(gradient)) {}
  Backward(Trace& trace, std::uint32_t id, double gradient) noexcept
      : trace_(trace), node_(trace[id]), id_(id), isNumber_(true), number_(gradient) {}

  /// The gradient by the result, of the result's size, labels and type. It may stand here with the other sign: a rule, being linear
  /// in it, need not know, since what it adds is taken with the other sign too. That saves the loops of a mere change of sign.
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
  const DlArray& input(int i) {
    if (node_.keptNumbers) makeArrays();
    return node_.kept(i);
  }
  /// The same, given away where the walk gives up its data and nobody else sees it: its memory may then be used for the answer.
  DlArray takeInput(int i);
  /// The result, if the operation asked to keep it.
  const DlArray& result() {
    if (node_.keptNumbers) makeArrays();
    return node_.kept(node_.far ? static_cast<int>(node_.inputCount) : Node::near - 1);
  }
  /// True when all that these bits name (0 and 1 for the inputs, 2 for the result) is kept as numbers.
  bool keepsNumbers(unsigned wanted) const noexcept { return (node_.keptNumbers & wanted) == wanted; }
  double keptNumber(int i) const noexcept { return node_.keptNumber(i); }
  const Shape& resultShape() const noexcept { return node_.shape(); }
  /// True when the gradient by this input is wanted.
  bool needs(int i) const noexcept { return trace_.wants(node_.input(i)); }
  /// Shape and type of a traced input.
  const Shape& shape(int i) noexcept { return trace_[node_.input(i)].shape(); }
  Type type(int i) noexcept { return trace_[node_.input(i)].type; }
  /// Adds to the gradient by an input. Expansion is undone here: `gradient` may have the size of the result.
  void add(int i, DlArray&& gradient) { addWith(negative_, i, std::move(gradient)); }
  void add(int i, const DlArray& gradient) { add(i, DlArray(gradient)); }
  /// Adds its negative; only while the walk is not recorded.
  void subtract(int i, DlArray&& gradient) { addWith(!negative_, i, std::move(gradient)); }
  /// The same for a gradient that is one number for every element of the result, worked out from `number`; only where `isNumber`.
  void addNumber(int i, double gradient);
  /// The same for a number for every element of the input.
  void addEverywhere(int i, double gradient);
  /// Adds a multiple of an input that the operation kept, where the result has the size of the input. Only while the walk is not recorded.
  void addMultiple(int i, double factor);
  /// Adds a gradient by neighbouring elements of an input, from one on, if it is the first gradient that comes to the input and no walk is
  /// recorded; else does nothing and answers false.
  bool beginAt(int i, Index start, const DlArray& gradient);
  /// The gradient collected so far by an input, given away to be added to in place and put back with `put`; zeros at first. Both
  /// `collected` and `collecting` may change the sign of `gradient` and `number`, so that those can be added to it as they are.
  DlArray collected(int i);
  void put(int i, DlArray gradient) noexcept;
  /// The same left where it is, to be added to in place; null when it may not be written to. Only while the walk is not recorded.
  DlArray* collecting(int i);

  /// True when this walk is itself recorded, so that it can be differentiated.
  bool recorded() const noexcept { return trace_.recording; }
  template <class Op>
  const Op& op() const noexcept {
    return *static_cast<const Op*>(node_.parameters);
  }

 private:
  void addWith(bool negative, int i, DlArray&& gradient);
  void addMore(bool negative, Node& from, DlArray&& gradient);
  void turn();
  void spread();
  void makeArrays();

  Trace& trace_;
  Node& node_;
  std::uint32_t id_;
  bool isNumber_ = false;
  bool negative_ = false;
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
