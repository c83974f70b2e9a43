#pragma once
// Small layers of our own for tests of networks: the numbers that come out are easy to compute by hand.
#include <dlarray/dlarray.hpp>

namespace dl::test {

/// Y = W X + b on features, both learnable; counts its training steps.
struct Dense : Layer {
  Index outputs;
  explicit Dense(Index n, std::string called = {}) : outputs(n) { name = std::move(called); }
  std::string type() const override { return "Dense"; }
  std::string stem() const override { return "dense"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& in) const override {
    const Index n = in[0].size("C");
    p.learnable("Weights", "glorot", Size{outputs, n}, {.in = n, .out = outputs}, {.learnRate = 2});
    p.learnable("Bias", "zeros", Size{outputs, 1}, {}, {.l2 = 0});
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    return {fullyconnect(X[0], p["Weights"], p["Bias"])};
  }
  void options(OptionVisitor& visit) override { visit("outputs", outputs); }
};

/// Adds its inputs, all of one size.
struct Add : Layer {
  Index count;
  explicit Add(Index n, std::string called = {}) : count(n) { name = std::move(called); }
  std::string type() const override { return "Add"; }
  std::string stem() const override { return "add"; }
  std::vector<std::string> inputNames() const override {
    std::vector<std::string> names;
    for (Index i = 1; i <= count; ++i) names.push_back("in" + std::to_string(i));
    return names;
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    DlArray sum = X[0];
    for (std::size_t i = 1; i < X.size(); ++i) sum = sum + X[i];
    return {sum};
  }
  void options(OptionVisitor& visit) override { visit("count", count); }
};

/// Gives x and x squared.
struct Split : Layer {
  explicit Split(std::string called = {}) { name = std::move(called); }
  std::string type() const override { return "Split"; }
  std::string stem() const override { return "split"; }
  std::vector<std::string> outputNames() const override { return {"out", "square"}; }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override { return {X[0], X[0] % X[0]}; }
};

struct Tanh : Layer {
  explicit Tanh(std::string called = {}) { name = std::move(called); }
  std::string type() const override { return "Tanh"; }
  std::string stem() const override { return "tanh"; }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override { return {tanh(X[0])}; }
};

/// Adds what it has counted so far; training counts one more, prediction with memory two more.
struct Counter : Layer {
  explicit Counter(std::string called = {}) { name = std::move(called); }
  std::string type() const override { return "Counter"; }
  std::string stem() const override { return "counter"; }
  void initialize(Parameters& p, const std::vector<DataLayout>&) const override { p.state("Count", 0.0); }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override { return {X[0] + p["Count"]}; }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    newState.state("Count", p["Count"] + 1);
    return predict(X, p);
  }
  std::vector<DlArray> predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    newState.state("Count", p["Count"] + 2);
    return predict(X, p);
  }
  void resetState(Parameters& p) const override { p.state("Count", 0.0); }
};

/// Tells the network what data to expect.
struct InputLayerToy : Layer {
  DataLayout layout;
  InputLayerToy(Size size, std::string format, std::string called = {}) : layout(std::move(size), std::move(format)) {
    name = std::move(called);
  }
  std::string type() const override { return "Input"; }
  std::string stem() const override { return "input"; }
  const DataLayout* input() const override { return &layout; }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override { return {X[0]}; }
};
/// Features of n channels.
inline InputLayerToy features(Index n, std::string called = {}) { return {Size{n, 1}, "CB", std::move(called)}; }

}  // namespace dl::test
