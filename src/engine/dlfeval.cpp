#include "engine/gradient.hpp"

namespace dl::detail {

TraceScope::TraceScope() : trace_(engine::Trace::open()) {}
TraceScope::~TraceScope() { engine::Trace::close(static_cast<engine::Trace*>(trace_)); }

void makeVariable(DlArray& x) { x = engine::Trace::current()->leaf(x); }

void gradients(const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count,
               const GradientOptions& options) {
  engine::gradients("dlgradient", y, variables, results, count, options);
}

}  // namespace dl::detail
