#include "train/collate.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "ops/creation.hpp"

#include <dlarray/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace dl::train {

namespace {

// What a batch consists of before labels: the dimensions of one observation and their labels, with the place where the batch
// belongs.
struct Layout {
  std::vector<Index> sizes;
  std::string labels;
  std::size_t batch;
};

// Sizes without the ones at the end.
std::vector<Index> sizesOf(const Size& size) {
  std::vector<Index> sizes(size.begin(), size.end());
  while (!sizes.empty() && sizes.back() == 1) sizes.pop_back();
  return sizes;
}

Layout layoutOf(const Size& observation, const std::string& format) {
  std::vector<Index> sizes = sizesOf(observation);
  if (format.empty()) {
    // Rows and numbers are stacked as rows, all others along a further dimension.
    if (sizes.empty()) return {{}, "", 0};
    if (sizes.front() != 1) {
      sizes.resize(std::max<std::size_t>(sizes.size(), 1));
      return {sizes, "", sizes.size()};
    }
    sizes.erase(sizes.begin());
    return {sizes, "", 0};
  }
  const std::size_t rank = format.size(), batch = std::min(format.find('B'), rank - 1);
  std::string labels = format;
  labels.erase(batch, 1);
  if (sizes.size() <= rank && (sizes.size() <= batch || sizes[batch] == 1)) {
    sizes.resize(rank, 1);
    sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(batch));
  } else if (sizes.size() < rank) {
    sizes.resize(rank - 1, 1);
  } else {
    fail({}, "minibatchqueue:format",
         "observations are {}: format \"{}\" needs size 1 in the place of B, or one dimension fewer than it has letters",
         toString(observation), format);
  }
  return {sizes, labels, batch};
}

// The block with numbers of classes replaced by vectors along dimension `along` of an observation, which has size 1.
template <class T>
DlArray encoded(const DlArray& block, Index inner, Index classes, const std::vector<Index>& numbers) {
  const Index n = static_cast<Index>(numbers.size()), each = n == 0 ? 0 : numel(block) / n;
  DlArray y = Storage::make({Size{each * classes, n}, {}}, underlyingType(block));
  T* to = Storage::mutableData<T>(y);
  std::fill_n(to, numel(y), T(0));
  const T* from = Storage::data<T>(block);
  for (Index k = 0; k < n; ++k)
    for (Index i = 0; i < each; ++i) {
      const auto value = static_cast<double>(from[k * each + i]);
      if (!(value >= 0 && value < static_cast<double>(classes) && value == std::floor(value)))
        fail({}, "minibatchqueue:class", "observation {} has class {}, which is not one of the classes 0 to {} of oneHot",
             numbers[static_cast<std::size_t>(k)], value, classes - 1);
      to[k * each * classes + (i / inner * classes + static_cast<Index>(value)) * inner + i % inner] = T(1);
    }
  return y;
}

DlArray encode(const DlArray& block, Layout& layout, Index classes, const std::vector<Index>& numbers) {
  std::size_t channel = layout.labels.find('C');
  if (layout.labels.empty()) {
    channel = 0;
    layout.sizes.resize(std::max<std::size_t>(layout.sizes.size(), 1), 1);
  }
  if (layout.sizes[channel] != 1)
    fail({}, "minibatchqueue:oneHot", "oneHot needs one number in the place of C, an observation has {}", layout.sizes[channel]);
  layout.sizes[channel] = classes;
  const Index inner = std::accumulate(layout.sizes.begin(), layout.sizes.begin() + static_cast<std::ptrdiff_t>(channel), Index{1},
                                      std::multiplies<>());
  if (underlyingType(block) == Type::Double) return encoded<double>(block, inner, classes, numbers);
  return encoded<float>(block, inner, classes, numbers);
}

}  // namespace

void checkRule(const OutputRule& rule, std::source_location where) {
  parseFormat(rule.format, "minibatchqueue", where);
  if (rule.classes == 0) return;
  if (rule.classes < 0) fail(where, "minibatchqueue:oneHot", "minibatchqueue: {} classes in oneHot", rule.classes);
  if (!rule.format.empty() && (rule.format.find('C') == std::string::npos || rule.format.find('B') == std::string::npos))
    fail(where, "minibatchqueue:oneHot", "minibatchqueue: oneHot needs a format with C and B, \"{}\" has not both", rule.format);
  if (rule.type == Type::Logical)
    fail(where, "minibatchqueue:oneHot",
         "minibatchqueue: class numbers cannot be logical; let outputCast be \"single\" or \"double\"");
}

DlArray collate(const Block& block, const OutputRule& rule, const std::vector<Index>& numbers) {
  Layout layout = layoutOf(block.size, rule.format);
  const DlArray elements = rule.classes > 0 ? encode(block.elements, layout, rule.classes, numbers) : block.elements;
  Size whole(layout.sizes);
  whole.push_back(static_cast<Index>(numbers.size()));
  const std::size_t rank = whole.size();
  const DlArray stacked = Storage::reshaped(elements, newShape(rank == 1 ? Size{whole[0], 1} : whole));
  if (!rule.format.empty()) {
    std::string labels = layout.labels;
    labels += rule.format[layout.batch];
    const DlArray labelled = dlarray(stacked, labels);
    return rule.labels ? labelled : stripdims(labelled);
  }
  if (layout.batch + 1 >= rank) return stacked;
  std::vector<Index> order(rank);
  std::iota(order.begin(), order.end(), Index{-1});
  order[0] = static_cast<Index>(rank) - 1;
  return permute(stacked, order);
}

DlArray finish(const DlArray& x, const OutputRule& rule) {
  const DlArray y = cast(x, rule.type);
  if (!rule.labels) return stripdims(y);
  return rule.format.empty() || !dims(y).empty() ? y : dlarray(y, rule.format);
}

}  // namespace dl::train
