#pragma once
#include <dlarray/network.hpp>
#include <dlarray/train/monitor.hpp>
#include <dlarray/train/options.hpp>

// Training, testing and use of networks, mini-batch by mini-batch.
namespace dl {

namespace detail {
/// A function of n arrays.
template <class F, class... Arrays>
constexpr bool takesArrays(std::size_t n) {
  if (n == sizeof...(Arrays)) return std::is_invocable_v<const F&, Arrays...>;
  if constexpr (sizeof...(Arrays) < 6)
    return takesArrays<F, Arrays..., const DlArray&>(n);
  else
    return false;
}
template <class F>
concept ArrayLoss = takesArrays<F>(2) || takesArrays<F>(3) || takesArrays<F>(4) || takesArrays<F>(5) || takesArrays<F>(6);
template <class F>
concept ListLoss =
    !takesArrays<F>(2) && std::is_invocable_r_v<DlArray, const F&, const std::vector<DlArray>&, const std::vector<DlArray>&>;
}  // namespace detail

/// What training makes small: by name, or a function of the network's outputs and the targets that gives a scalar.
///   "crossentropy"         crossentropy(Y, T); targets with one channel are class numbers from 0
///   "index-crossentropy"   indexcrossentropy(Y, T)
///   "binary-crossentropy"  of classes that do not exclude each other, mean over all elements
///   "mse" "l2loss" "mean-squared-error"    the mean of (y - t)^2 over all elements
///   "mae" "l1loss" "mean-absolute-error"   the mean of |y - t|
///   "huber"                                the mean of Huber's loss
class TrainingLoss {
 public:
  using Arrays = std::vector<DlArray>;
  TrainingLoss(const char* name);
  TrainingLoss(std::string name);
  template <detail::ListLoss F>
  TrainingLoss(F function) : function_(std::move(function)) {}
  /// A function of all outputs and then all targets, two to six.
  template <detail::ArrayLoss F>
  TrainingLoss(F function)
      : function_([f = std::move(function)](const Arrays& y, const Arrays& t) {
          return spread<2>(f, joined(y, t));
        }) {}

  /// "" for functions.
  const std::string& name() const noexcept { return name_; }
  const detail::Function<DlArray(const Arrays&, const Arrays&)>& function() const noexcept { return function_; }

 private:
  [[noreturn]] static void failCount(std::size_t given, std::size_t taken);
  static Arrays joined(const Arrays& y, const Arrays& t);
  template <std::size_t n, class F>
  static DlArray spread(const F& f, const Arrays& arrays) {
    const auto call = [&]<std::size_t... i>(std::index_sequence<i...>)->DlArray {
      if constexpr (std::is_invocable_v<const F&, decltype(arrays[i])...>) {
        if (arrays.size() == n) return f(arrays[i]...);
        if constexpr (n < 6)
          if (arrays.size() > n) return spread<n + 1>(f, arrays);
        failCount(arrays.size(), n);
      } else if constexpr (n < 6) {
        return spread<n + 1>(f, arrays);
      } else {
        failCount(arrays.size(), n);
      }
    };
    return call(std::make_index_sequence<n>());
  }

  std::string name_;
  detail::Function<DlArray(const Arrays&, const Arrays&)> function_;
};

/// What is trained: a network, or layers to make one of.
class TrainingNetwork {
 public:
  TrainingNetwork(const DlNetwork& net) : net_(net) {}
  TrainingNetwork(const LayerGraph& graph, std::source_location where = std::source_location::current());
  TrainingNetwork(const std::vector<AnyLayer>& layers, std::source_location where = std::source_location::current());
  TrainingNetwork(std::initializer_list<AnyLayer> layers, std::source_location where = std::source_location::current());
  const DlNetwork& net() const noexcept { return net_; }

 private:
  DlNetwork net_;
};

struct TrainingHistoryRow {
  Index epoch = 0, iteration = 0;
  double timeElapsed = 0;  // seconds
  double learnRate = 0, trainingLoss = 0;
  std::vector<double> metrics = {};  // of the mini-batch
};
struct ValidationHistoryRow {
  Index epoch = 0, iteration = 0;
  double validationLoss = 0;
  std::vector<double> metrics = {};
};
/// How training went. (MATLAB: TrainingInfo)
struct TrainingInfo {
  std::vector<TrainingHistoryRow> trainingHistory;
  std::vector<ValidationHistoryRow> validationHistory;
  std::vector<std::string> metricNames;
  Index outputNetworkIteration = 0;
  std::string stopReason;
  TrainingProgressMonitor monitor;  // without metrics, unless plots was "training-progress"
};

namespace detail {
DlNetwork train(const TrainingData& data, const TrainingNetwork& net, const TrainingLoss& loss, const TrainingOptions& options,
                TrainingInfo* info, const std::source_location& where);
template <class T>
concept SequenceTargets = requires(const std::vector<DlArray>& sequences, const T& targets) { TrainingData(sequences, targets); };
template <int n>
auto trainWith(const TrainingData& data, const TrainingNetwork& net, const TrainingLoss& loss, const TrainingOptions& options,
               const std::source_location& where) {
  static_assert(n == 1 || n == 2, "trainnet has two outputs: the network and how training went");
  if constexpr (n == 1) {
    return train(data, net, loss, options, nullptr, where);
  } else {
    std::tuple<DlNetwork, std::enable_if_t<n == 2, TrainingInfo>> both;
    std::get<0>(both) = train(data, net, loss, options, &std::get<1>(both), where);
    return both;
  }
}
}  // namespace detail

/// The network after training; `auto [net, info] = trainnet<2>(...)` tells how it went. Layers are made a network and initialised
/// from the first mini-batch where sizes are not known. Input layers that normalise get their statistics from the training data,
/// unless they have them and `resetInputNormalization` is false. Every step adds l2Regularization times the parameter's L2 factor
/// times the parameter to its gradient, clips, and makes the solver's step with the learn rate times the parameter's factor. The
/// order of observations and everything else that is random comes from the generator: the same `rng(seed)` gives the same bits,
/// for every number of threads. Throws for options that contradict each other, for data that the network cannot take, and for a
/// loss that is no scalar. (MATLAB: trainnet)
template <int n = 1>
auto trainnet(const TrainingData& data, const TrainingNetwork& net, const TrainingLoss& loss, const TrainingOptions& options,
              std::source_location where = std::source_location::current()) {
  return detail::trainWith<n>(data, net, loss, options, where);
}
template <int n = 1>
auto trainnet(const DlArray& X, const DlArray& T, const TrainingNetwork& net, const TrainingLoss& loss,
              const TrainingOptions& options, std::source_location where = std::source_location::current()) {
  return detail::trainWith<n>({X, T}, net, loss, options, where);
}
template <int n = 1, detail::SequenceTargets Targets>
auto trainnet(const std::vector<DlArray>& sequences, const Targets& T, const TrainingNetwork& net, const TrainingLoss& loss,
              const TrainingOptions& options, std::source_location where = std::source_location::current()) {
  return detail::trainWith<n>({sequences, T}, net, loss, options, where);
}

struct TestnetOptions {
  Index miniBatchSize = 128;
  std::vector<std::string> inputDataFormats = {};
  std::vector<std::string> targetDataFormats = {};
  PadsequencesOptions::Length sequenceLength = "longest";
  std::string sequencePaddingDirection = "right";
  double sequencePaddingValue = 0;
  std::string preprocessingEnvironment = "serial";
  std::string acceleration = "auto";
  std::string executionEnvironment = "auto";
};
/// The values of metrics, in their order. The value of a single one converts to a number; that of several throws.
struct MetricValues : std::vector<double> {
  explicit MetricValues(std::vector<double> values);
  operator double() const;
};
/// Metrics of a network over data, a mini-batch in memory at a time: `testnet(net, {X, T}, "accuracy")` one, `testnet(net, ds,
/// {"accuracy", "fscore"})` several. Accuracy is in percent. Throws for data without observations. (MATLAB: testnet)
double testnet(const DlNetwork& net, const TrainingData& data, const Metric& metric, const TestnetOptions& options = {},
               std::source_location where = std::source_location::current());
std::vector<double> testnet(const DlNetwork& net, const TrainingData& data, const std::vector<Metric>& metrics,
                            const TestnetOptions& options = {}, std::source_location where = std::source_location::current());
MetricValues testnet(const DlNetwork& net, const TrainingData& data, std::initializer_list<Metric> metrics,
                     const TestnetOptions& options = {}, std::source_location where = std::source_location::current());
MetricValues testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, std::initializer_list<Metric> metrics,
                     const TestnetOptions& options = {}, std::source_location where = std::source_location::current());
double testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, const Metric& metric, const TestnetOptions& options = {},
               std::source_location where = std::source_location::current());
std::vector<double> testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, const std::vector<Metric>& metrics,
                            const TestnetOptions& options = {}, std::source_location where = std::source_location::current());

struct MinibatchpredictOptions {
  Index miniBatchSize = 128;
  std::vector<std::string> outputs = {};
  std::vector<std::string> inputDataFormats = {};
  std::vector<std::string> outputDataFormats = {};  // the order of the dimensions; empty: as inputs without labels come
  PadsequencesOptions::Length sequenceLength = "longest";
  std::string sequencePaddingDirection = "right";
  double sequencePaddingValue = 0;
  std::string preprocessingEnvironment = "serial";
  std::string acceleration = "auto";
  std::string executionEnvironment = "auto";
};
namespace detail {
std::vector<DlArray> predictAll(const DlNetwork& net, const Datastore* ds, MiniBatchQueue* queue,
                                const std::vector<DlArray>& inputs, bool sequences, const MinibatchpredictOptions& options,
                                std::size_t wanted, const std::source_location& where);
}
/// What the network answers to all observations, computed a mini-batch at a time, without labels: N x classes, t x c x N, h x w x
/// c x N; `minibatchpredict<2>(net, X)` the first two outputs. Data are arrays as `trainnet` takes them, a datastore or a queue,
/// of which variables behind the network's inputs are left out. (MATLAB: minibatchpredict)
template <int n = 1>
auto minibatchpredict(const DlNetwork& net, const DlArray& X, const MinibatchpredictOptions& options = {},
                      std::source_location where = std::source_location::current()) {
  return detail::firstOutputs<n>(detail::predictAll(net, nullptr, nullptr, {X}, false, options, n, where));
}
template <int n = 1>
auto minibatchpredict(const DlNetwork& net, const DlArray& X1, const DlArray& X2, const MinibatchpredictOptions& options = {},
                      std::source_location where = std::source_location::current()) {
  return detail::firstOutputs<n>(detail::predictAll(net, nullptr, nullptr, {X1, X2}, false, options, n, where));
}
template <int n = 1>
auto minibatchpredict(const DlNetwork& net, const std::vector<DlArray>& sequences, const MinibatchpredictOptions& options = {},
                      std::source_location where = std::source_location::current()) {
  return detail::firstOutputs<n>(detail::predictAll(net, nullptr, nullptr, sequences, true, options, n, where));
}
template <int n = 1>
auto minibatchpredict(const DlNetwork& net, const Datastore& ds, const MinibatchpredictOptions& options = {},
                      std::source_location where = std::source_location::current()) {
  return detail::firstOutputs<n>(detail::predictAll(net, &ds, nullptr, {}, false, options, n, where));
}
template <int n = 1>
auto minibatchpredict(const DlNetwork& net, MiniBatchQueue& mbq, const MinibatchpredictOptions& options = {},
                      std::source_location where = std::source_location::current()) {
  return detail::firstOutputs<n>(detail::predictAll(net, nullptr, &mbq, {}, false, options, n, where));
}

}  // namespace dl
