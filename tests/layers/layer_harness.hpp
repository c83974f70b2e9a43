#pragma once
// What tests of layers need: a layer with its parameters, as a network holds them, and checks that every layer must pass.
#include "harness/mistake.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

namespace dl::test {

/// A layer that is initialised for data, and the parameters that a network would hold for it.
struct Ready {
  Ready(AnyLayer l, const std::vector<DataLayout>& data) : layer(std::move(l)) { layer->initialize(parameters, data); }
  Ready(AnyLayer l, const Arrays& X) : Ready(std::move(l), std::vector<DataLayout>(X.begin(), X.end())) {}

  const DlArray& operator[](std::string_view parameter) const { return parameters[parameter]; }
  Arrays predict(const Arrays& X) const { return layer->predict(X, parameters); }
  /// The first output.
  DlArray operator()(const DlArray& X) const { return predict({X})[0]; }

  AnyLayer layer;
  Parameters parameters;
};

/// "Weights 3 x 3 x 2 x 8 (1, 1), Bias 1 x 1 x 8 (1, 0), Count 1 x 1 state": size and factors (learn rate, L2) of each parameter.
inline std::string summaryOf(const Parameters& p) {
  const auto number = [](double x) {
    std::string text = std::to_string(x);
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
  };
  std::string all;
  for (const Parameters::Entry& e : p.entries())
    all += (all.empty() ? "" : ", ") + e.name + " " + toString(size(e.value)) +
           (e.isState ? " state" : " (" + number(e.factors.learnRate) + ", " + number(e.factors.l2) + ")");
  return all;
}

/// "name=value" for each option that a layer shows, in order; arrays as their size.
inline std::vector<std::string> optionsOf(const AnyLayer& layer) {
  struct Lister final : OptionVisitor {
    std::vector<std::string> found;
    void add(std::string_view name, const std::string& value) { found.push_back(std::string(name) + "=" + value); }
    static std::string list(const WindowSizes& x) {
      std::string text;
      for (std::size_t d = 0; d < x.count(); ++d) text.append(d ? " " : "").append(std::to_string(x[d]));
      return text;
    }
    static std::string shortest(double x) {
      char text[32];
      std::snprintf(text, sizeof text, "%g", x);
      return text;
    }
    void operator()(std::string_view n, bool& x) override { add(n, x ? "true" : "false"); }
    void operator()(std::string_view n, Index& x) override { add(n, std::to_string(x)); }
    void operator()(std::string_view n, double& x) override { add(n, shortest(x)); }
    void operator()(std::string_view n, std::string& x) override { add(n, x); }
    void operator()(std::string_view n, std::vector<std::string>& x) override {
      std::string text;
      for (const std::string& s : x) text += (text.empty() ? "" : " ") + s;
      add(n, text);
    }
    void operator()(std::string_view n, Size& x) override { add(n, toString(x)); }
    void operator()(std::string_view n, WindowSizes& x) override { add(n, list(x)); }
    void operator()(std::string_view n, PoolSize& x) override { add(n, x.word().empty() ? list(x) : x.word()); }
    void operator()(std::string_view n, Padding& x) override {
      add(n, x.word().empty() ? list(x.starts()) + "|" + list(x.ends()) : x.word());
    }
    void operator()(std::string_view n, GroupCount& x) override {
      add(n, x.word().empty() ? std::to_string(x.count()) : x.word());
    }
    void operator()(std::string_view n, Initializer& x) override { add(n, x.function() ? "function" : x.rule()); }
    void operator()(std::string_view n, DlArray& x) override { add(n, toString(size(x))); }
    void operator()(std::string_view n, ConvolutionPaddingValue& x) override {
      add(n, x.word().empty() ? shortest(x.number()) : x.word());
    }
    void operator()(std::string_view n, PoolPaddingValue& x) override {
      add(n, x.word().empty() ? shortest(x.number()) : x.word());
    }
    void operator()(std::string_view n, AttentionScale&) override { add(n, "scale"); }
    void operator()(std::string_view n, AttentionMask&) override { add(n, "mask"); }
    void operator()(std::string_view n, ResizeNumbers& x) override {
      std::string text;
      for (std::size_t d = 0; d < x.count(); ++d) text.append(d ? " " : "").append(shortest(x[d]));
      add(n, text);
    }
    void operator()(std::string_view n, DlNetwork&) override { add(n, "network"); }
  } lister;
  layer.changed([&](Layer& l) { l.options(lister); });
  return lister.found;
}

/// Numbers that look random and are the same every time, between -1 and 1.
inline DlArray someNumbers(const Size& size, const std::string& labels = "", double phase = 0) {
  std::vector<double> values(static_cast<std::size_t>(numel(size)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(12.9898 * (double(i) + 1) + phase);
  const DlArray x = reshape(dlarray(values, Size{numel(size), 1}), size);
  return labels.empty() ? x : dlarray(x, labels);
}

/// Moves parameters away from where they start, in double precision, so that differences show.
inline void shake(Parameters& p) {
  double phase = 0;
  for (Parameters::Entry& e : p.entries()) e.value = 0.5 * someNumbers(size(e.value), "", ++phase);
}

/// Compares derivatives up to `order` of what a layer answers, by its inputs (those that `varied` names; all when empty) and by
/// its learnables, with differences, in double precision. `prepare` may change the learnables before.
inline void checkLayerDerivatives(const AnyLayer& layer, const Arrays& X, int order = 2, std::vector<bool> varied = {},
                                  const std::function<void(Parameters&)>& prepare = {}) {
  Ready ready(layer, X);
  if (prepare) prepare(ready.parameters);
  if (varied.empty()) varied.assign(X.size(), true);
  Arrays all = X;
  for (Parameters::Entry& e : ready.parameters.entries()) {
    e.value = double_(e.value);
    if (!e.isState) all.push_back(e.value), varied.push_back(true);
  }
  const auto f = [&](const Arrays& x) {
    Parameters p = ready.parameters;
    std::size_t next = X.size();
    for (Parameters::Entry& e : p.entries())
      if (!e.isState) e.value = x[next++];
    DlArray total = 0.0;
    double phase = 1;
    for (const DlArray& Y : ready.layer->predict(Arrays(x.begin(), x.begin() + std::ptrdiff_t(X.size())), p))
      total = total + sum(stripdims(Y) % someNumbers(size(Y), "", phase++), "all");
    return total;
  };
  checkDerivatives(f, all, varied, order, [&](const std::string& sentence) { BOOST_ERROR(layer->type() + ": " + sentence); });
}

/// The largest difference of two arrays, infinite where sizes or labels differ.
inline double differenceOf(const DlArray& a, const DlArray& b) {
  if (!(size(a) == size(b)) || dims(a) != dims(b)) return HUGE_VAL;
  return numel(a) == 0 ? 0.0 : double(max(abs(double_(stripdims(a)) - double_(stripdims(b))), {}, "all"));
}

}  // namespace dl::test
