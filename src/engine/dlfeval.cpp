#include "engine/gradient.hpp"

namespace dl::detail {

TraceScope::TraceScope() : trace_(engine::Trace::open()) {}
TraceScope::~TraceScope() { engine::Trace::close(static_cast<engine::Trace*>(trace_)); }

void makeVariable(DlArray& x) { x = engine::Trace::current()->leaf(x); }

void gradients(const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count,
               const GradientOptions& options) {
  engine::gradients("dlgradient", y, variables, results, count, options);
}

std::vector<DlArray*> collectArrays(const Visitable& container) {
  std::vector<DlArray*> arrays;
  auto collect = [&](DlArray& x) { arrays.push_back(&x); };
  container.visit(container.value, ArrayVisitor(collect));
  return arrays;
}

std::vector<DlArray> arrayList(std::initializer_list<DlArray> arrays) { return arrays; }

void gradientsInPlace(const Operand& y, const Visitable& variables, const GradientOptions& options) {
  const std::vector<DlArray*> arrays = collectArrays(variables);
  std::vector<DlArray> values(arrays.size());
  gradients(y, arrays.data(), values.data(), arrays.size(), options);
  for (std::size_t i = 0; i < arrays.size(); ++i) *arrays[i] = std::move(values[i]);
  const auto leave = [](DlArray&) {};
  const auto empty = [](DlArray& x) { x = DlArray(); };
  variables.visit(variables.value, ArrayVisitor(leave, empty));
}

}  // namespace dl::detail
