#include "network/compare.hpp"

#include "network/network.hpp"

#include <dlarray/nn/attention.hpp>
#include <dlarray/nn/convolution.hpp>
#include <dlarray/nn/pooling.hpp>
#include <dlarray/nn/resize.hpp>

#include <algorithm>
#include <typeinfo>
#include <variant>

namespace dl::network {

namespace {

using Value = std::variant<bool, Index, double, std::string, std::vector<std::string>, Size, WindowSizes, PoolSize, Padding,
                           GroupCount, Initializer, DlArray, ConvolutionPaddingValue, PoolPaddingValue, AttentionScale,
                           AttentionMask, ResizeNumbers, DlNetwork>;

bool same(double a, double b) { return a == b || (a != a && b != b); }
bool same(const DlArray& a, const DlArray& b) { return underlyingType(a) == underlyingType(b) && isequaln(a, b); }
bool same(const Initializer& a, const Initializer& b) { return a.rule() == b.rule() && bool(a.function()) == bool(b.function()); }
bool same(const AttentionMask& a, const AttentionMask& b) { return a.word() == b.word() && same(a.array(), b.array()); }
bool same(const DlNetwork& a, const DlNetwork& b) { return isequal(a, b); }
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

// Writes down what it is shown.
class Notes final : public OptionVisitor {
 public:
  void operator()(std::string_view name, bool& value) override { add(name, value); }
  void operator()(std::string_view name, Index& value) override { add(name, value); }
  void operator()(std::string_view name, double& value) override { add(name, value); }
  void operator()(std::string_view name, std::string& value) override { add(name, value); }
  void operator()(std::string_view name, std::vector<std::string>& value) override { add(name, value); }
  void operator()(std::string_view name, Size& value) override { add(name, value); }
  void operator()(std::string_view name, WindowSizes& value) override { add(name, value); }
  void operator()(std::string_view name, PoolSize& value) override { add(name, value); }
  void operator()(std::string_view name, Padding& value) override { add(name, value); }
  void operator()(std::string_view name, GroupCount& value) override { add(name, value); }
  void operator()(std::string_view name, Initializer& value) override { add(name, value); }
  void operator()(std::string_view name, DlArray& value) override { add(name, value); }
  void operator()(std::string_view name, ConvolutionPaddingValue& value) override { add(name, value); }
  void operator()(std::string_view name, PoolPaddingValue& value) override { add(name, value); }
  void operator()(std::string_view name, AttentionScale& value) override { add(name, value); }
  void operator()(std::string_view name, AttentionMask& value) override { add(name, value); }
  void operator()(std::string_view name, ResizeNumbers& value) override { add(name, value); }
  void operator()(std::string_view name, DlNetwork& value) override { add(name, value); }

  friend bool operator==(const Notes& a, const Notes& b) {
    return std::ranges::equal(a.notes_, b.notes_, [](const auto& x, const auto& y) {
      return x.first == y.first && x.second.index() == y.second.index() &&
             std::visit([&]<class T>(const T& value) { return same(value, std::get<T>(y.second)); }, x.second);
    });
  }

 private:
  template <class T>
  void add(std::string_view name, const T& value) {
    notes_.emplace_back(std::string(name), Value(std::in_place_type<T>, value));
  }
  std::vector<std::pair<std::string, Value>> notes_;
};

Notes optionsOf(const AnyLayer& layer) {
  Notes notes;
  layer.changed([&](Layer& l) { l.options(notes); });
  return notes;
}

bool sameFactor(const Layer::Factor& a, const Layer::Factor& b) {
  return a.parameter == b.parameter && a.learnRate == b.learnRate && a.l2 == b.l2;
}

bool sameParameters(const Parameters& a, const Parameters& b) {
  return std::ranges::equal(a.entries(), b.entries(), [](const Parameters::Entry& x, const Parameters::Entry& y) {
    return x.name == y.name && x.isState == y.isState && same(x.value, y.value) && x.factors.learnRate == y.factors.learnRate &&
           x.factors.l2 == y.factors.l2;
  });
}

}  // namespace

bool sameLayer(const AnyLayer& a, const AnyLayer& b) {
  const Layer &x = *a, &y = *b;
  if (a.name() != b.name() || typeid(x) != typeid(y) || x.type() != y.type()) return false;
  if (&x == &y) return true;
  return x.inputNames() == y.inputNames() && x.outputNames() == y.outputNames() &&
         std::ranges::equal(x.factors, y.factors, sameFactor) && optionsOf(a) == optionsOf(b);
}

}  // namespace dl::network

namespace dl {

bool isequal(const DlNetwork& a, const DlNetwork& b) {
  const detail::Network &x = NetworkAccess::of(a), &y = NetworkAccess::of(b);
  return &x == &y || (x.initialized == y.initialized && a.connections() == b.connections() &&
                      a.outputNames() == b.outputNames() && std::ranges::equal(a.layers(), b.layers(), network::sameLayer) &&
                      std::ranges::equal(x.parameters, y.parameters, network::sameParameters));
}

}  // namespace dl
