#include <dlarray/train/metrics.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"

#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/reduction.hpp>

#include <algorithm>
#include <cmath>

namespace dl {

namespace {

bool missing(double x) { return std::isnan(x); }
bool missing(const std::string& x) { return x == "<undefined>"; }

template <class T>
DlArray counted(const std::vector<T>& targets, const std::vector<T>& predictions, std::vector<T>& order,
                const std::source_location& where) {
  if (targets.size() != predictions.size())
    fail(where, "confusionmat:size", "confusionmat: {} targets and {} predictions", targets.size(), predictions.size());
  if (order.empty()) {
    for (const auto* list : {&targets, &predictions})
      for (const T& x : *list)
        if (!missing(x)) order.push_back(x);
    std::ranges::sort(order);
    const auto doubled = std::ranges::unique(order);
    order.erase(doubled.begin(), doubled.end());
  }
  const std::size_t n = order.size();
  std::vector<double> counts(n * n, 0.0);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto row = static_cast<std::size_t>(std::ranges::find(order, targets[i]) - order.begin());
    const auto column = static_cast<std::size_t>(std::ranges::find(order, predictions[i]) - order.begin());
    if (row < n && column < n) ++counts[row + n * column];
  }
  return dlarray(counts, Size{static_cast<Index>(n), static_cast<Index>(n)});
}

// Where the classes lie: along C, along the dimension named, or along dimension 1.
Dimensions classDimension(const Operand& scores, const Dimensions& dimension) {
  if (dimension.kind() != Dimensions::Kind::None) return dimension;
  const Shape& shape = Storage::shape(scores.get());
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::C) return static_cast<Index>(d);
  if (shape.format.labelled())
    fail(scores.where(), "scores2label:dimension", "scores2label: scores of {} have no C; name the dimension of the classes",
         describe(scores.get()));
  return 1;
}

}  // namespace

namespace detail {

template <int n>
std::tuple<DlArray, DlArray> confusion(const DlArray& targets, const DlArray& predictions, const ConfusionmatOptions& options,
                                       const std::source_location& where) {
  using Numbers = std::vector<double>;
  Numbers order = options.order.numbers();
  DlArray counts = counted(extractdata<Numbers>(targets), extractdata<Numbers>(predictions), order, where);
  return {std::move(counts), dlarray(order)};
}
template std::tuple<DlArray, DlArray> confusion<2>(const DlArray& targets, const DlArray& predictions,
                                                   const ConfusionmatOptions& options, const std::source_location& where);

template <int n>
std::tuple<DlArray, std::vector<std::string>> confusion(const std::vector<std::string>& targets,
                                                        const std::vector<std::string>& predictions,
                                                        const ConfusionmatOptions& options, const std::source_location& where) {
  std::vector<std::string> order = options.order.words();
  DlArray counts = counted(targets, predictions, order, where);
  return {std::move(counts), std::move(order)};
}
template std::tuple<DlArray, std::vector<std::string>> confusion<2>(const std::vector<std::string>& targets,
                                                                    const std::vector<std::string>& predictions,
                                                                    const ConfusionmatOptions& options,
                                                                    const std::source_location& where);

template <int n>
std::tuple<DlArray, DlArray> labelsOf(const Operand& scores, const DlArray& classes, const Dimensions& dimension) {
  const Dimensions along = classDimension(scores, dimension);
  return {onehotdecode(scores, classes, along), max(scores, {}, along)};
}
template std::tuple<DlArray, DlArray> labelsOf<2>(const Operand& scores, const DlArray& classes, const Dimensions& dimension);

template <int n>
std::tuple<std::vector<std::string>, DlArray> labelsOf(const Operand& scores, const std::vector<std::string>& classes,
                                                       const Dimensions& dimension) {
  const Dimensions along = classDimension(scores, dimension);
  return {onehotdecode(scores, classes, along), max(scores, {}, along)};
}
template std::tuple<std::vector<std::string>, DlArray> labelsOf<2>(const Operand& scores, const std::vector<std::string>& classes,
                                                                   const Dimensions& dimension);

}  // namespace detail

DlArray confusionmat(const DlArray& targets, const DlArray& predictions, const ConfusionmatOptions& options,
                     std::source_location where) {
  return std::get<0>(detail::confusion<2>(targets, predictions, options, where));
}
DlArray confusionmat(const std::vector<std::string>& targets, const std::vector<std::string>& predictions,
                     const ConfusionmatOptions& options, std::source_location where) {
  return std::get<0>(detail::confusion<2>(targets, predictions, options, where));
}

DlArray scores2label(Operand scores, const DlArray& classNames, const Dimensions& dimension) {
  return onehotdecode(scores, classNames, classDimension(scores, dimension));
}
std::vector<std::string> scores2label(Operand scores, const std::vector<std::string>& classNames, const Dimensions& dimension) {
  return onehotdecode(scores, classNames, classDimension(scores, dimension));
}

}  // namespace dl
