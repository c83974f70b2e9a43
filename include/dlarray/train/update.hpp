#pragma once
#include <dlarray/layers/parameters.hpp>

// Steps of solvers. Parameters are an array, a container of arrays or a table of learnables; gradients and the solver's state are of the same
// kind. All are changed in place. An empty state (DlArray(), an empty vector or table, a struct of empty arrays) stands for zeros. Rows of a
// table count with their learn-rate factors; frozen ones, and arrays whose gradient is empty, stay as they are, bit for bit, and get no
// state. All throw, before anything is changed, when gradients or state do not fit the parameters.
namespace dl {

namespace detail {
/// One parameter with what belongs to it; `second` is null for solvers with one state.
struct UpdatePart {
  DlArray* parameter;
  const DlArray* gradient;
  DlArray *first, *second;
  double factor;
};
void checkUpdate(const char* function, const std::vector<UpdatePart>& parts, const std::source_location& where);
[[noreturn]] void failUpdateCount(const char* function, const char* what, std::size_t got, std::size_t parameters,
                                  const std::source_location& where);
void sgdm(const std::vector<UpdatePart>& parts, double learnRate, double momentum);
struct AdamNumbers {
  double iteration, learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay;
};
void adam(const std::vector<UpdatePart>& parts, const AdamNumbers& numbers, const char* function, const std::source_location& where);
void rmsprop(const std::vector<UpdatePart>& parts, double learnRate, double squaredGradientDecay, double epsilon);

template <class P>
std::vector<double> learnRateFactors(const P&, std::size_t count) {
  return std::vector<double>(count, 1.0);
}
inline std::vector<double> learnRateFactors(const ParameterTable& table, std::size_t) {
  std::vector<double> factors;
  for (const ParameterTable::Row& row : table)
    if (row.factors.learnRate != 0) factors.push_back(row.factors.learnRate);
  return factors;
}

/// An empty state becomes one of as many arrays as there are parameters, all empty.
template <class P>
void widen(P& state, const P& parameters) {
  if constexpr (!std::same_as<P, DlArray>) {
    if (!arraysOf(state).empty()) return;
    P fresh = parameters;
    const auto clear = [](DlArray& x) { x = DlArray(); };
    visitArrays(fresh, ArrayVisitor(clear, clear));
    state = std::move(fresh);
  }
}

template <class P>
std::vector<UpdatePart> updateParts(const char* function, P& parameters, const P& gradients, P* first, P* second,
                                    const std::source_location& where) {
  widen(*first, parameters);
  if (second) widen(*second, parameters);
  const std::vector<DlArray*> p = arraysOf(parameters), g = arraysOf(const_cast<P&>(gradients)), a = arraysOf(*first),
                              b = second ? arraysOf(*second) : std::vector<DlArray*>();
  if (g.size() != p.size()) failUpdateCount(function, "gradients", g.size(), p.size(), where);
  if (a.size() != p.size() || (second && b.size() != p.size()))
    failUpdateCount(function, "arrays of state", a.size() != p.size() ? a.size() : b.size(), p.size(), where);
  const std::vector<double> factors = learnRateFactors(parameters, p.size());
  std::vector<UpdatePart> parts;
  for (std::size_t i = 0; i < p.size(); ++i) parts.push_back({p[i], g[i], a[i], second ? b[i] : nullptr, factors[i]});
  checkUpdate(function, parts, where);
  return parts;
}
}  // namespace detail

/// Gradient descent with momentum: velocity = momentum velocity - learnRate gradient; parameters += velocity. (MATLAB: sgdmupdate)
template <class P>
void sgdmupdate(P& parameters, const std::type_identity_t<P>& gradients, std::type_identity_t<P>& velocity, double learnRate = 0.01,
                double momentum = 0.9, std::source_location where = std::source_location::current()) {
  detail::sgdm(detail::updateParts<P>("sgdmupdate", parameters, gradients, &velocity, nullptr, where), learnRate, momentum);
}

/// Adam (Kingma and Ba 2015): steps along the mean of the gradients, divided by the root of the mean of their squares plus epsilon, both
/// decaying means and corrected for their start at zero. `iteration` counts from 1. (MATLAB: adamupdate)
template <class P>
void adamupdate(P& parameters, const std::type_identity_t<P>& gradients, std::type_identity_t<P>& averageGradients,
                std::type_identity_t<P>& averageSquaredGradients, Index iteration, double learnRate = 0.001, double gradientDecay = 0.9,
                double squaredGradientDecay = 0.999, double epsilon = 1e-8, std::source_location where = std::source_location::current()) {
  detail::adam(detail::updateParts<P>("adamupdate", parameters, gradients, &averageGradients, &averageSquaredGradients, where),
               {static_cast<double>(iteration), learnRate, gradientDecay, squaredGradientDecay, epsilon, 0}, "adamupdate", where);
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): besides, parameters -= learnRate weightDecay parameters.
template <class P>
void adamwupdate(P& parameters, const std::type_identity_t<P>& gradients, std::type_identity_t<P>& averageGradients,
                 std::type_identity_t<P>& averageSquaredGradients, Index iteration, double learnRate = 0.001, double weightDecay = 0.01,
                 double gradientDecay = 0.9, double squaredGradientDecay = 0.999, double epsilon = 1e-8,
                 std::source_location where = std::source_location::current()) {
  detail::adam(detail::updateParts<P>("adamwupdate", parameters, gradients, &averageGradients, &averageSquaredGradients, where),
               {static_cast<double>(iteration), learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay}, "adamwupdate", where);
}

/// RMSProp: steps along the gradient divided by the root of the decaying mean of its squares, plus epsilon. (MATLAB: rmspropupdate)
template <class P>
void rmspropupdate(P& parameters, const std::type_identity_t<P>& gradients, std::type_identity_t<P>& averageSquaredGradients,
                   double learnRate = 0.001, double squaredGradientDecay = 0.9, double epsilon = 1e-8,
                   std::source_location where = std::source_location::current()) {
  detail::rmsprop(detail::updateParts<P>("rmspropupdate", parameters, gradients, &averageSquaredGradients, nullptr, where), learnRate,
                  squaredGradientDecay, epsilon);
}

/// What `fun` makes of the arrays of one or more containers of the same kind, array by array; learn-rate factors do not matter.
/// (MATLAB: dlupdate)
template <class F, class P, class... More>
P dlupdate(const F& fun, const P& first, const More&... more) {
  P result = first;
  std::tuple<More...> others(more...);
  const std::vector<DlArray*> to = arraysOf(result);
  const auto lists = std::apply([](auto&... other) { return std::array<std::vector<DlArray*>, sizeof...(More)>{arraysOf(other)...}; }, others);
  for (const auto& list : lists)
    if (list.size() != to.size())
      detail::failUpdateCount("dlupdate", "arrays of another argument", list.size(), to.size(), std::source_location());
  for (std::size_t i = 0; i < to.size(); ++i)
    *to[i] = [&]<std::size_t... k>(std::index_sequence<k...>) { return DlArray(fun(*to[i], *lists[k][i]...)); }(
        std::index_sequence_for<More...>());
  return result;
}

/// How `clipGradients` measures.
///   "l2norm"          each array by itself is scaled down to the threshold in its 2-norm
///   "global-l2norm"   all arrays together
///   "absolute-value"  each element by itself
template <class P>
void clipGradients(P& gradients, double threshold, std::string_view method = "l2norm",
                   std::source_location where = std::source_location::current());

namespace detail {
void clip(const std::vector<DlArray*>& gradients, double threshold, std::string_view method, const std::source_location& where);
}
template <class P>
void clipGradients(P& gradients, double threshold, std::string_view method, std::source_location where) {
  detail::clip(arraysOf(gradients), threshold, method, where);
}

}  // namespace dl
