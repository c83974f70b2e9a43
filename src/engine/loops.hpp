#pragma once
#include "engine/apply.hpp"
#include "formulas/list.hpp"

// Element-wise loops over arrays by the number of a formula, without templates over the formulas.
namespace dl::engine {

/// Elements that are worth a thread: below, no second one helps.
inline constexpr Index grain = Index{1} << 15;

DlArray runUnary(const Inputs& inputs, std::size_t formula);
DlArray runUnaryGradient(DlArray&& g, const DlArray& x, const DlArray& y, std::size_t formula);
DlArray runPredicate(const Inputs& inputs, std::size_t formula);
DlArray runBinary(const Inputs& inputs, const char* name, std::size_t formula);
/// The gradient by one input in one pass; only when each kept input is as large as `g` or a single number.
DlArray runBinaryGradient(DlArray&& g, const DlArray& a, const DlArray& b, const DlArray& y, std::size_t formula, bool byA);
/// The gradient by one factor of a product, under the same condition on the other one.
DlArray runProductGradient(DlArray&& g, const DlArray& other);
DlArray runRelation(const Inputs& inputs, const char* name, std::size_t formula);

}  // namespace dl::engine
