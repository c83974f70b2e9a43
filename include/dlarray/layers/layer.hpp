#pragma once
#include <dlarray/layers/parameters.hpp>
#include <dlarray/nn/window.hpp>

namespace dl {

class ConvolutionPaddingValue;
class PoolPaddingValue;
class AttentionScale;
class AttentionMask;
class ResizeNumbers;
class DlNetwork;

/// What a layer's options are shown to: printing, comparing, saving and loading all walk through the same list. Loading writes to the
/// members, all others only read them.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  virtual void operator()(std::string_view name, bool& value) = 0;
  virtual void operator()(std::string_view name, Index& value) = 0;
  virtual void operator()(std::string_view name, double& value) = 0;
  virtual void operator()(std::string_view name, std::string& value) = 0;
  virtual void operator()(std::string_view name, std::vector<std::string>& value) = 0;
  virtual void operator()(std::string_view name, Size& value) = 0;
  virtual void operator()(std::string_view name, WindowSizes& value) = 0;
  virtual void operator()(std::string_view name, PoolSize& value) = 0;
  virtual void operator()(std::string_view name, Padding& value) = 0;
  virtual void operator()(std::string_view name, GroupCount& value) = 0;
  virtual void operator()(std::string_view name, Initializer& value) = 0;
  virtual void operator()(std::string_view name, DlArray& value) = 0;
  virtual void operator()(std::string_view name, ConvolutionPaddingValue& value) = 0;
  virtual void operator()(std::string_view name, PoolPaddingValue& value) = 0;
  virtual void operator()(std::string_view name, AttentionScale& value) = 0;
  virtual void operator()(std::string_view name, AttentionMask& value) = 0;
  virtual void operator()(std::string_view name, ResizeNumbers& value) = 0;
  virtual void operator()(std::string_view name, DlNetwork& value) = 0;
};

/// A pure function of inputs, learnables and state, with the options that shape it. Write a layer of your own by deriving from it; the
/// network holds the parameters.
class Layer {
 public:
  Layer();
  Layer(const Layer& other);
  Layer(Layer&& other) noexcept;
  Layer& operator=(const Layer& other);
  Layer& operator=(Layer&& other) noexcept;
  virtual ~Layer();

  /// What the layer is called; a network names those that have none.
  std::string name;
  /// Factors that parameters are given in place of those they are declared with.
  struct Factor {
    std::string parameter;
    OptionalNumber learnRate, l2;
  };
  std::vector<Factor> factors;

  /// The kind of layer, for files and tables: "Convolution2dLayer".
  virtual std::string type() const;
  /// What automatic names begin with: "conv".
  virtual std::string stem() const;
  virtual std::vector<std::string> inputNames() const;
  virtual std::vector<std::string> outputNames() const;
  /// Size and labels of the data that a network receives here; only input layers have one.
  virtual const DataLayout* input() const { return nullptr; }

  /// Declares learnables and state for data of these layouts. Throws for data that the layer cannot take.
  virtual void initialize(Parameters&, const std::vector<DataLayout>&) const {}
  /// The outputs for labelled inputs, in use.
  virtual std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const = 0;
  /// The outputs in training; `newState` takes the states that change.
  virtual std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const;
  /// The outputs in use with the states that follow, for layers that remember what they saw.
  virtual std::vector<DlArray> predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const;
  /// The states to start a new sequence with; states not set keep their values.
  virtual void resetState(Parameters&) const {}
  /// Shows each option, for files, tables and comparison.
  virtual void options(OptionVisitor&) {}
};

/// Any layer as a value; copies share it. All layer functions return one, and a struct derived from Layer converts to it.
class AnyLayer {
 public:
  template <std::derived_from<Layer> L>
  AnyLayer(L layer) : name_(layer.name), held_(new Held<L>(std::move(layer))) {}
  AnyLayer(const AnyLayer& other) : name_(other.name_), held_(other.held_) { held_->owners.add(); }
  AnyLayer(AnyLayer&& other) noexcept : name_(std::move(other.name_)), held_(detail::taken(other.held_)) {}
  AnyLayer& operator=(AnyLayer other) noexcept;
  ~AnyLayer() {
    if (held_ && held_->owners.drop()) delete held_;
  }

  const std::string& name() const noexcept { return name_; }
  /// The same layer under another name.
  AnyLayer named(std::string name) const;
  const Layer& operator*() const noexcept { return held_->layer(); }
  const Layer* operator->() const noexcept { return &**this; }
  /// A copy whose options may be changed before it is put to use, for loading and for factors.
  AnyLayer changed(const detail::Function<void(Layer&)>& change) const;

 private:
  struct Any {
    virtual ~Any() = default;
    virtual Layer& layer() noexcept = 0;
    virtual Any* copy() const = 0;
    detail::OwnerCount owners;
  };
  template <class L>
  struct Held final : Any {
    explicit Held(L l) : value(std::move(l)) {}
    Layer& layer() noexcept override { return value; }
    Any* copy() const override { return new Held(value); }
    L value;
  };
  AnyLayer(std::string name, Any* held) noexcept : name_(std::move(name)), held_(held) {}

  std::string name_;
  Any* held_ = nullptr;
};

}  // namespace dl
