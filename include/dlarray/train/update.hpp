#pragma once
#include <dlarray/layers/parameters.hpp>

// Steps of solvers. Parameters are an array, a container of arrays, a table of learnables or a network; gradients and the
// solver's state are of the same kind, and tables of learnables beside a network. All are changed in place: arrays that nobody
// shares are not copied. An empty state (DlArray(), an empty vector or table, a struct of empty arrays) stands for zeros.
// Parameters of tables and networks, wherever in a container these are, count with their learn-rate factors; frozen ones, and
// arrays whose gradient is empty, stay as they are, bit for bit, and get no state. All throw, before anything is changed, when
// gradients or state do not fit the parameters.
namespace dl {

class DlNetwork;

namespace detail {

template <class P>
struct UpdateState {
  using type = P;
};
template <>
struct UpdateState<DlNetwork> {
  using type = ParameterTable;
};
/// What gradients and states of parameters come in.
template <class P>
using UpdateStateOf = typename UpdateState<P>::type;

/// A parameter, or what belongs to one, and what its learn rate is multiplied by.
struct ParameterPart {
  DlArray* array;
  double factor;
};
/// Every parameter of a container, frozen ones too.
template <class P>
std::vector<ParameterPart> parameterParts(const P& parameters) {
  std::vector<ParameterPart> parts;
  auto collect = [&](DlArray& x, double factor) { parts.push_back({&x, factor}); };
  visitArrays(const_cast<P&>(parameters), ArrayVisitor(collect));
  return parts;
}

/// What a solver's step is given, array by array; `second` is used by solvers with two states.
struct UpdateArrays {
  std::vector<ParameterPart> parameters, gradients, first, second;
};
/// Who makes a step, for error sentences.
struct UpdateCaller {
  const char* function;
  std::source_location where;
};
void checkUpdate(const UpdateArrays& arrays, bool hasSecond, const UpdateCaller& caller);

/// The kind of container that a network's gradients come in, or a container, with empty arrays.
template <class P>
UpdateStateOf<P> emptyState(const P& parameters) {
  const auto copy = [&]() -> UpdateStateOf<P> {
    if constexpr (std::same_as<P, DlNetwork>)
      return parameters.learnables();
    else
      return parameters;
  };
  UpdateStateOf<P> state = copy();
  for (const ParameterPart& part : parameterParts(state)) *part.array = DlArray();
  return state;
}

/// Checks everything, and only then gives empty states a place for each parameter.
template <class P>
UpdateArrays updateArrays(P& parameters, const UpdateStateOf<P>& gradients, UpdateStateOf<P>& first, UpdateStateOf<P>* second,
                          const UpdateCaller& caller) {
  UpdateArrays arrays{parameterParts(parameters), parameterParts(gradients), parameterParts(first), {}};
  if (second) arrays.second = parameterParts(*second);
  checkUpdate(arrays, second != nullptr, caller);
  if (arrays.first.size() != arrays.parameters.size()) arrays.first = parameterParts(first = emptyState<P>(parameters));
  if (second && arrays.second.size() != arrays.parameters.size())
    arrays.second = parameterParts(*second = emptyState<P>(parameters));
  return arrays;
}

void sgdm(const UpdateArrays& arrays, double learnRate, double momentum);
struct AdamNumbers {
  Index iteration;
  double learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay;
};
void checkIteration(Index iteration, const UpdateCaller& caller);
void adam(const UpdateArrays& arrays, const AdamNumbers& numbers);
void rmsprop(const UpdateArrays& arrays, double learnRate, double squaredGradientDecay, double epsilon);
}  // namespace detail

/// Gradient descent with momentum: velocity = momentum velocity - learnRate gradient; parameters += velocity. (MATLAB:
/// sgdmupdate)
template <class P>
void sgdmupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, detail::UpdateStateOf<P>& velocity,
                double learnRate = 0.01, double momentum = 0.9, std::source_location where = std::source_location::current()) {
  detail::sgdm(detail::updateArrays<P>(parameters, gradients, velocity, nullptr, {"sgdmupdate", where}), learnRate, momentum);
}

/// Adam (Kingma and Ba 2015): steps along the mean of the gradients, divided by the root of the mean of their squares plus
/// epsilon, both decaying means and corrected for their start at zero. `iteration` counts from 1. (MATLAB: adamupdate)
template <class P>
void adamupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, detail::UpdateStateOf<P>& averageGradients,
                detail::UpdateStateOf<P>& averageSquaredGradients, Index iteration, double learnRate = 0.001,
                double gradientDecay = 0.9, double squaredGradientDecay = 0.999, double epsilon = 1e-8,
                std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"adamupdate", where};
  detail::checkIteration(iteration, caller);
  detail::adam(detail::updateArrays<P>(parameters, gradients, averageGradients, &averageSquaredGradients, caller),
               {iteration, learnRate, gradientDecay, squaredGradientDecay, epsilon, 0});
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): besides, parameters -= learnRate weightDecay parameters.
template <class P>
void adamwupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, detail::UpdateStateOf<P>& averageGradients,
                 detail::UpdateStateOf<P>& averageSquaredGradients, Index iteration, double learnRate = 0.001,
                 double weightDecay = 0.01, double gradientDecay = 0.9, double squaredGradientDecay = 0.999,
                 double epsilon = 1e-8, std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"adamwupdate", where};
  detail::checkIteration(iteration, caller);
  detail::adam(detail::updateArrays<P>(parameters, gradients, averageGradients, &averageSquaredGradients, caller),
               {iteration, learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay});
}

/// RMSProp: steps along the gradient divided by the root of the decaying mean of its squares, plus epsilon. (MATLAB:
/// rmspropupdate)
template <class P>
void rmspropupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, detail::UpdateStateOf<P>& averageSquaredGradients,
                   double learnRate = 0.001, double squaredGradientDecay = 0.9, double epsilon = 1e-8,
                   std::source_location where = std::source_location::current()) {
  detail::rmsprop(detail::updateArrays<P>(parameters, gradients, averageSquaredGradients, nullptr, {"rmspropupdate", where}),
                  learnRate, squaredGradientDecay, epsilon);
}

namespace detail {
void checkArrayCount(std::size_t got, std::size_t wanted, const std::source_location& where);

template <class F, class P, class... More>
P updateEach(const F& fun, const std::source_location& where, const P& first, const More&... more) {
  P result = first;
  std::tuple<More...> others(more...);
  const std::vector<ParameterPart> to = parameterParts(result);
  const auto lists = std::apply(
      [](auto&... other) { return std::array<std::vector<ParameterPart>, sizeof...(More)>{parameterParts(other)...}; }, others);
  for (const auto& list : lists) checkArrayCount(list.size(), to.size(), where);
  for (std::size_t i = 0; i < to.size(); ++i)
    if (to[i].factor != 0) *to[i].array = [&]<std::size_t... k>(std::index_sequence<k...>) {
        return DlArray(fun(*to[i].array, *lists[k][i].array...));
      }
  (std::index_sequence_for<More...>());
  return result;
}
}  // namespace detail

/// What `fun` makes of the arrays of one to three containers of the same kind, array by array; learn-rate factors do not matter,
/// but arrays of frozen parameters stay as they are. Throws for containers with different numbers of arrays. (MATLAB: dlupdate)
template <class F, class P>
P dlupdate(const F& fun, const P& a, std::source_location where = std::source_location::current()) {
  return detail::updateEach(fun, where, a);
}
template <class F, class P, class Q>
requires(!std::same_as<Q, std::source_location>) P
    dlupdate(const F& fun, const P& a, const Q& b, std::source_location where = std::source_location::current()) {
  return detail::updateEach(fun, where, a, b);
}
template <class F, class P, class Q, class R>
requires(!std::same_as<R, std::source_location>) P
    dlupdate(const F& fun, const P& a, const Q& b, const R& c, std::source_location where = std::source_location::current()) {
  return detail::updateEach(fun, where, a, b, c);
}

namespace detail {
void clip(const std::vector<DlArray*>& gradients, double threshold, std::string_view method, const std::source_location& where);
}
/// Makes gradients shorter, in place. Arrays of frozen parameters neither count nor change.
///   "l2norm"          each array by itself is scaled down to the threshold in its 2-norm
///   "global-l2norm"   all arrays together
///   "absolute-value"  each element by itself
/// Throws for other words and for thresholds that are not positive.
template <class P>
void clipGradients(P& gradients, double threshold, std::string_view method = "l2norm",
                   std::source_location where = std::source_location::current()) {
  detail::clip(arraysOf(gradients), threshold, method, where);
}

}  // namespace dl
