#pragma once
#include <dlarray/layers/layer.hpp>
#include <tuple>

namespace dl {

struct FunctionLayerOptions {
  std::string name = {};
  Index numInputs = 0;  // 0: as many as the function takes
  std::vector<std::string> inputNames = {};
  Index numOutputs = 0;  // 0: as many as the function returns
  std::vector<std::string> outputNames = {};
  bool formattable = false;  // as in MATLAB, but functions get labelled data always
  std::string description = {};
};

namespace detail {

using LayerFunction = Function<std::vector<DlArray>(const std::vector<DlArray>&)>;

template <std::size_t>
using OneArray = const DlArray&;
template <class F, std::size_t... i>
constexpr bool takesArrays(std::index_sequence<i...>) {
  return std::is_invocable_v<const F&, OneArray<i>...>;
}
/// How many arrays a function takes, 1 to 6, the fewest that it can be called with; 0 when it takes none of these.
template <class F, std::size_t n = 1>
constexpr std::size_t arrayCountOf() {
  if constexpr (n > 6)
    return 0;
  else if constexpr (takesArrays<F>(std::make_index_sequence<n>()))
    return n;
  else
    return arrayCountOf<F, n + 1>();
}

template <class F, std::size_t... i>
decltype(auto) callWith(const F& f, const std::vector<DlArray>& X, std::index_sequence<i...>) {
  return f(X[i]...);
}
std::vector<DlArray> asList(std::vector<DlArray> results);
std::vector<DlArray> asList(DlArray result);
template <class... R>
std::vector<DlArray> asList(const std::tuple<R...>& results) {
  return std::apply([](const auto&... r) { return arrayList({DlArray(r)...}); }, results);
}
template <class R1, class R2>
std::vector<DlArray> asList(const std::pair<R1, R2>& results) {
  return arrayList({DlArray(results.first), DlArray(results.second)});
}
template <class R>
inline constexpr Index outputsOf = 1;
template <>
inline constexpr Index outputsOf<std::vector<DlArray>> = 0;  // as many as the options say
template <class... R>
inline constexpr Index outputsOf<std::tuple<R...>> = sizeof...(R);
template <class R1, class R2>
inline constexpr Index outputsOf<std::pair<R1, R2>> = 2;

AnyLayer functionLayer(LayerFunction function, Index inputs, Index outputs, const FunctionLayerOptions& options,
                       const std::source_location& where);

}  // namespace detail

/// A function as a layer without parameters. It takes 1 to 6 arrays, which are counted, or a `std::vector<DlArray>` of as many as
/// `.numInputs` or `.inputNames` say, and returns an array, a pair or tuple of arrays, or a vector of as many as `.numOutputs` or
/// `.outputNames` say. Inputs are called "in" or "in1", "in2", ..., outputs "out" or "out1", ... The function gets labelled data,
/// and what it returns goes on to the next layer with its labels. Throws when names and numbers contradict each other. It cannot
/// be saved. (MATLAB: functionLayer)
template <class F>
AnyLayer functionLayer(F function, const FunctionLayerOptions& options = {},
                       std::source_location where = std::source_location::current()) {
  constexpr std::size_t inputs = detail::arrayCountOf<F>();
  using Whole = const std::vector<DlArray>&;
  if constexpr (inputs > 0) {
    using Each = std::make_index_sequence<inputs>;
    using Result = std::decay_t<decltype(detail::callWith(function, std::declval<Whole>(), Each()))>;
    return detail::functionLayer([function](Whole X) { return detail::asList(detail::callWith(function, X, Each())); },
                                 Index{inputs}, detail::outputsOf<Result>, options, where);
  } else {
    static_assert(std::is_invocable_v<const F&, const std::vector<DlArray>&>,
                  "functionLayer takes a const function of one to six DlArrays, or of a std::vector<DlArray>");
    using Result = std::decay_t<decltype(function(std::declval<Whole>()))>;
    return detail::functionLayer([function](Whole X) { return detail::asList(function(X)); }, 0, detail::outputsOf<Result>,
                                 options, where);
  }
}

}  // namespace dl
