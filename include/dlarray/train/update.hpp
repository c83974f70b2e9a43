#pragma once
#include <dlarray/layers/parameters.hpp>

// Steps of solvers. Parameters are an array, a container of arrays, a table of learnables or a network; gradients and the
// solver's state are of the same kind, and tables of learnables beside a network. All are changed in place: arrays that nobody
// shares are not copied. An empty state (DlArray(), an empty vector or table, a struct of empty arrays) stands for zeros. Beside
// every kind of parameters a state may also be a vector of arrays, one for each parameter, or a single array, which then holds
// the numbers of all of them, one below the other, and costs two copies a step.
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
/// What states may come in.
template <class S, class P>
concept StateFor = std::same_as<S, UpdateStateOf<P>> || std::same_as<S, DlArray> || std::same_as<S, std::vector<DlArray>>;

/// A parameter, or what belongs to one, and what its learn rate is multiplied by.
struct ParameterPart {
  DlArray* array;
  double factor;
};
/// Every parameter of a container, frozen ones too.
std::vector<ParameterPart> collectParts(const Visitable& parameters);
template <class P>
std::vector<ParameterPart> parameterParts(const P& parameters) {
  return collectParts(Visitable(parameters));
}

/// What a solver's step is given, array by array; `second` is used by solvers with two states.
struct UpdateArrays {
  using Parts = std::vector<ParameterPart>;
  UpdateArrays(Parts parameters, Parts gradients, Parts first, Parts second);
  UpdateArrays(UpdateArrays&& other) noexcept;
  ~UpdateArrays();
  Parts parameters, gradients, first, second;
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

/// Makes an empty state one with a place for each parameter.
template <class P, class S>
void makePlaces(const P& parameters, std::vector<ParameterPart>& parts, S& state, std::size_t count) {
  if (parts.size() == count) return;
  if constexpr (std::same_as<S, UpdateStateOf<P>>)
    state = emptyState<P>(parameters);
  else
    state.assign(count, DlArray());
  parts = parameterParts(state);
}

/// Checks everything, and only then gives empty states a place for each parameter.
template <class P, class S>
UpdateArrays updateArrays(P& parameters, const UpdateStateOf<P>& gradients, S& first, S* second, const UpdateCaller& caller) {
  UpdateArrays arrays(parameterParts(parameters), parameterParts(gradients), parameterParts(first),
                      second ? parameterParts(*second) : decltype(parameterParts(first))());
  checkUpdate(arrays, second != nullptr, caller);
  const std::size_t count = arrays.parameters.size();
  makePlaces(parameters, arrays.first, first, count);
  if (second) makePlaces(parameters, arrays.second, *second, count);
  return arrays;
}

/// A state in one array as one array for each parameter, and back. Throws for an array of another number of elements.
std::vector<DlArray> splitState(const DlArray& all, const std::vector<ParameterPart>& parameters, const UpdateCaller& caller);
DlArray joinState(const std::vector<DlArray>& states, const std::vector<ParameterPart>& parameters);

/// Calls step(arrays).
template <class P, class S, class Step>
void updateWith(P& parameters, const UpdateStateOf<P>& gradients, S& first, S* second, const UpdateCaller& caller,
                const Step& step) {
  if constexpr (std::same_as<S, DlArray> && !std::same_as<P, DlArray>) {
    const auto parts = parameterParts(parameters);
    auto each = splitState(first, parts, caller);
    auto more = second ? splitState(*second, parts, caller) : decltype(each)();
    step(updateArrays(parameters, gradients, each, second ? &more : nullptr, caller));
    first = joinState(each, parts);
    if (second) *second = joinState(more, parts);
  } else {
    step(updateArrays(parameters, gradients, first, second, caller));
  }
}

/// Throw for numbers that would spoil parameters: infinite or negative ones, NaN, decays of 1 and more.
void checkLearnRate(double learnRate, const UpdateCaller& caller);
void checkDecay(double decay, const char* what, const UpdateCaller& caller);
void checkNotNegative(double value, const char* what, const UpdateCaller& caller);
void sgdm(const UpdateArrays& arrays, double learnRate, double momentum);
struct AdamNumbers {
  Index iteration;
  double learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay;
};
void checkAdam(const AdamNumbers& numbers, const UpdateCaller& caller);
void adam(const UpdateArrays& arrays, const AdamNumbers& numbers);
void rmsprop(const UpdateArrays& arrays, double learnRate, double squaredGradientDecay, double epsilon);
}  // namespace detail

/// Gradient descent with momentum: velocity = momentum velocity - learnRate gradient; parameters += velocity. (MATLAB:
/// sgdmupdate)
template <class P, detail::StateFor<P> S>
void sgdmupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, S& velocity, double learnRate = 0.01,
                double momentum = 0.9, std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"sgdmupdate", where};
  detail::checkLearnRate(learnRate, caller);
  detail::checkDecay(momentum, "momentum", caller);
  detail::updateWith(parameters, gradients, velocity, static_cast<S*>(nullptr), caller,
                     [&](const detail::UpdateArrays& arrays) { detail::sgdm(arrays, learnRate, momentum); });
}

/// Adam (Kingma and Ba 2015): steps along the mean of the gradients, divided by the root of the mean of their squares plus
/// epsilon, both decaying means and corrected for their start at zero. `iteration` counts from 1. (MATLAB: adamupdate)
template <class P, detail::StateFor<P> S>
void adamupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, S& averageGradients, S& averageSquaredGradients,
                Index iteration, double learnRate = 0.001, double gradientDecay = 0.9, double squaredGradientDecay = 0.999,
                double epsilon = 1e-8, std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"adamupdate", where};
  const detail::AdamNumbers numbers{iteration, learnRate, gradientDecay, squaredGradientDecay, epsilon, 0};
  detail::checkAdam(numbers, caller);
  detail::updateWith(parameters, gradients, averageGradients, &averageSquaredGradients, caller,
                     [&](const detail::UpdateArrays& arrays) { detail::adam(arrays, numbers); });
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): besides, parameters -= learnRate weightDecay parameters.
template <class P, detail::StateFor<P> S>
void adamwupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, S& averageGradients, S& averageSquaredGradients,
                 Index iteration, double learnRate = 0.001, double weightDecay = 0.01, double gradientDecay = 0.9,
                 double squaredGradientDecay = 0.999, double epsilon = 1e-8,
                 std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"adamwupdate", where};
  const detail::AdamNumbers numbers{iteration, learnRate, gradientDecay, squaredGradientDecay, epsilon, weightDecay};
  detail::checkAdam(numbers, caller);
  detail::updateWith(parameters, gradients, averageGradients, &averageSquaredGradients, caller,
                     [&](const detail::UpdateArrays& arrays) { detail::adam(arrays, numbers); });
}

/// RMSProp: steps along the gradient divided by the root of the decaying mean of its squares, plus epsilon. (MATLAB:
/// rmspropupdate)
template <class P, detail::StateFor<P> S>
void rmspropupdate(P& parameters, const detail::UpdateStateOf<P>& gradients, S& averageSquaredGradients, double learnRate = 0.001,
                   double squaredGradientDecay = 0.9, double epsilon = 1e-8,
                   std::source_location where = std::source_location::current()) {
  const detail::UpdateCaller caller{"rmspropupdate", where};
  detail::checkLearnRate(learnRate, caller);
  detail::checkDecay(squaredGradientDecay, "squaredGradientDecay", caller);
  detail::checkNotNegative(epsilon, "epsilon", caller);
  detail::updateWith(
      parameters, gradients, averageSquaredGradients, static_cast<S*>(nullptr), caller,
      [&](const detail::UpdateArrays& arrays) { detail::rmsprop(arrays, learnRate, squaredGradientDecay, epsilon); });
}

namespace detail {
/// Any argument but the line of a call.
template <class T>
concept Container = !std::same_as<T, std::source_location>;
void checkArrayCount(std::size_t got, std::size_t wanted, const std::source_location& where);

template <class F, class P, class... More>
P updateEach(const F& fun, const std::source_location& where, const P& first, const More&... more) {
  P result = first;
  std::tuple<More...> others(more...);
  const auto to = parameterParts(result);
  const auto lists = std::apply(
      [](auto&... other) { return std::array<std::vector<ParameterPart>, sizeof...(More)>{parameterParts(other)...}; }, others);
  for (const auto& list : lists) checkArrayCount(list.size(), to.size(), where);
  const auto applied = [&]<std::size_t... k>(std::size_t i, std::index_sequence<k...>) {
    return DlArray(fun(*to[i].array, *lists[k][i].array...));
  };
  for (std::size_t i = 0; i < to.size(); ++i)
    if (to[i].factor != 0) *to[i].array = applied(i, std::index_sequence_for<More...>());
  return result;
}
}  // namespace detail

/// What `fun` makes of the arrays of one to three containers of the same kind, array by array; learn-rate factors do not matter,
/// but arrays of frozen parameters stay as they are. Throws for containers with different numbers of arrays. (MATLAB: dlupdate)
template <class F, class P>
P dlupdate(const F& fun, const P& a, std::source_location where = std::source_location::current()) {
  return detail::updateEach(fun, where, a);
}
template <class F, class P, detail::Container Q>
P dlupdate(const F& fun, const P& a, const Q& b, std::source_location where = std::source_location::current()) {
  return detail::updateEach(fun, where, a, b);
}
template <class F, class P, detail::Container Q, detail::Container R>
P dlupdate(const F& fun, const P& a, const Q& b, const R& c, std::source_location where = std::source_location::current()) {
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
