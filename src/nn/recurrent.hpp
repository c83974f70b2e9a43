#pragma once
#include "cpu/recurrent.hpp"
#include "nn/data_format.hpp"

namespace dl {

/// The data of a recurrent function, and how its results go back.
class Sequence {
 public:
  Sequence(const Operand& x, std::string_view dataFormat, const char* function);

  Index features, batch, steps;
  /// features x (batch steps), without labels, of a type. Once only.
  DlArray take(Type type, const std::source_location& where);
  /// Every step of the state, hidden x batch x steps, as the caller's data is.
  DlArray everyStep(const DlArray& y) const;
  /// A state, hidden x batch, as the caller's data is.
  DlArray state(const DlArray& h) const;

 private:
  LabelledData data_;
  bool labelled_, hasBatch_, hasSteps_;
};

/// A state before the first step: of size hidden x batch, expanded if it was given for one observation.
DlArray initialState(const Operand& state, const Sequence& data, Index hidden, Type type, const char* function, const char* what);
/// Checks that weights, labelled or not, are rows x columns; gives them without labels, in a type.
DlArray matrixOf(const Operand& weights, Index rows, Index columns, Type type, const char* function, const char* what);
/// Checks that a bias has `rows` elements in one dimension; gives it as a column without labels, in a type.
DlArray biasOf(const Operand& bias, Index rows, Type type, const char* function);
/// The number of hidden units of recurrent weights, gates hidden x hidden.
Index hiddenOf(const Operand& recurrentWeights, Index gates, Index columns, const char* function);
/// The type in which a function of these computes.
Type commonType(std::initializer_list<const Operand*> inputs);

/// The activations by their names, and as operations on arrays: values, and slopes from values.
struct Activations {
  cpu::StateActivation state;
  cpu::GateActivation gate;

  Activations(std::string_view state, std::string_view gate, const char* function, const std::source_location& where);
  Activations(cpu::StateActivation s, cpu::GateActivation g) noexcept : state(s), gate(g) {}
  DlArray stateValue(const DlArray& x) const;
  DlArray stateSlope(const DlArray& y) const;
  DlArray gateValue(const DlArray& x) const;
  DlArray gateSlope(const DlArray& y) const;
};

/// rows x columns x steps without labels.
Shape stepsShape(Index rows, Index columns, Index steps);

/// How many steps are brought to the gates by one product, for sums of `rows` numbers: enough for a large one, few enough to stay near. Where
/// nothing is kept for a gradient, the memory for gates holds no more.
Index stepsTogether(const cpu::RecurrentPlan& plan, Index rows);
/// Memory that an operation fills for its gradient: every step if one of the inputs is traced, else as many as are taken together.
DlArray stepsRoom(const cpu::RecurrentPlan& plan, Index rows, Index gateRows, Type type, const std::vector<DlArray>& inputs);

/// op(a) op(b), each transposed where the flag says so.
DlArray product(const DlArray& a, bool transA, const DlArray& b, bool transB);
/// The states that the steps begin with, one behind the other.
DlArray statesBefore(const DlArray& h0, const DlArray& y, const cpu::RecurrentPlan& plan);
/// d (n x batch steps) times these states transposed, or the transposed of that; by kernels, nothing is recorded.
template <class T>
DlArray timesStatesBefore(const DlArray& d, const DlArray& h0, const DlArray& y, const cpu::RecurrentPlan& plan, bool transposed);

}  // namespace dl
