#pragma once
#include <dlarray/train/metrics.hpp>
#include <dlarray/train/minibatchqueue.hpp>
#include <dlarray/train/schedule.hpp>

// What `trainnet` learns from, and how.
namespace dl {

/// Observations with targets for training and testing.
///   a datastore               its first variables are the network's inputs, in their order, the others targets; without labels
///   a queue of mini-batches   used where it is, so that it must live as long as it is needed
///   arrays (X, T)             labelled; or, without labels, as in MATLAB: images h x w x c x N, features N x c, sequences
///                             t x c x N; targets N x k (numbers, one-hot vectors, or k = 1 and class numbers from 0), or as
///                             sequences and images
///   lists (X, T)              sequences t x c of different lengths, with a target N x k or a list of sequences
class TrainingData {
 public:
  TrainingData() noexcept;
  TrainingData(const Datastore& ds);
  TrainingData(MiniBatchQueue& mbq);
  TrainingData(const DlArray& X, const DlArray& T);
  TrainingData(const std::vector<DlArray>& sequences, const DlArray& T);
  TrainingData(const std::vector<DlArray>& sequences, const std::vector<DlArray>& T);
  TrainingData(const TrainingData& other);
  TrainingData(TrainingData&& other) noexcept;
  TrainingData& operator=(const TrainingData& other);
  TrainingData& operator=(TrainingData&& other) noexcept;
  ~TrainingData();

  /// Inputs of a network, without targets.
  static TrainingData inputsOnly(const std::vector<DlArray>& inputs);

  bool empty() const noexcept;
  const Datastore& datastore() const noexcept { return datastore_; }
  MiniBatchQueue* queue() const noexcept { return queue_; }
  const std::vector<DlArray>& inputs() const noexcept { return inputs_; }
  const std::vector<DlArray>& targets() const noexcept { return targets_; }
  bool sequences() const noexcept { return sequences_; }

 private:
  Datastore datastore_;
  MiniBatchQueue* queue_ = nullptr;
  std::vector<DlArray> inputs_, targets_;
  bool sequences_ = false;
};

/// Several metrics, or one.
class MetricList : public std::vector<Metric> {
 public:
  MetricList() noexcept;
  MetricList(const char* name, std::source_location where = std::source_location::current());
  MetricList(const std::string& name, std::source_location where = std::source_location::current());
  MetricList(const Metric& metric);
  MetricList(std::initializer_list<Metric> metrics);
  MetricList(std::vector<Metric> metrics);
  MetricList(const MetricList& other);
  MetricList(MetricList&& other) noexcept;
  MetricList& operator=(const MetricList& other);
  MetricList& operator=(MetricList&& other) noexcept;
  ~MetricList();
};

/// What an output function is told.
struct TrainingProgressInfo {
  std::string state;  // "start", "iteration" or "done"
  Index epoch = 0, iteration = 0;
  double timeElapsed = 0;  // seconds
  double learnRate = 0;
  double trainingLoss = 0;
  std::vector<double> metrics = {};           // of the mini-batch, in the order of the option
  OptionalNumber validationLoss = {};  // when this iteration validates
  std::vector<double> validationMetrics = {};
};

namespace detail {
template <class F>
concept SeesProgress = std::is_invocable_v<const std::decay_t<F>&, const TrainingProgressInfo&>;
}  // namespace detail

/// A function that sees how training goes, and stops it by answering true.
class OutputFunction {
 public:
  OutputFunction() = default;
  template <class F>
    requires detail::MaybeCallable<F, OutputFunction> && detail::SeesProgress<F>
  OutputFunction(F function)
      : function_([f = std::move(function)](const TrainingProgressInfo& info) {
          if constexpr (std::is_void_v<std::invoke_result_t<const F&, const TrainingProgressInfo&>>) {
            f(info);
            return false;
          } else {
            return static_cast<bool>(f(info));
          }
        }) {}
  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  bool operator()(const TrainingProgressInfo& info) const { return function_(info); }

 private:
  detail::Function<bool(const TrainingProgressInfo&)> function_;
};

/// Options of `trainnet`; members without a value have the default of the solver. Change them one by one, or name them at once.
struct TrainingOptions {
  std::string solver = "sgdm";       // "sgdm", "rmsprop", "adam", "adamw", "lbfgs"; `trainingOptions` sets it
  double momentum = 0.9;             // sgdm
  double gradientDecayFactor = 0.9;  // adam, adamw
  OptionalNumber squaredGradientDecayFactor = {};  // adam, adamw 0.999, rmsprop 0.9
  double epsilon = 1e-8;
  double weightDecay = 0.01;                    // adamw
  OptionalNumber initialLearnRate = {};  // sgdm 0.01, others 0.001
  LearnRateSchedule learnRateSchedule = {};
  double learnRateDropFactor = 0.1;  // of the schedule "piecewise"
  Index learnRateDropPeriod = 10;
  Index maxEpochs = 30;
  Index miniBatchSize = 128;                    // observations that fill no mini-batch are left out of an epoch
  std::string shuffle = "once";                 // "never", "every-epoch"
  OptionalNumber l2Regularization = {};  // 1e-4; adamw 0
  double gradientThreshold = __builtin_inf();
  std::string gradientThresholdMethod = "l2norm";  // "global-l2norm", "absolute-value"
  bool resetInputNormalization = true;
  std::string batchNormalizationStatistics = "auto";  // "moving", as auto; "population": one more pass through the data
  TrainingData validationData = {};
  Index validationFrequency = 50;               // iterations
  double validationPatience = __builtin_inf();  // validations without a better objective
  std::string outputNetwork = "auto";           // "best-validation", auto's choice with validation data, or "last-iteration"
  MetricList metrics = {};
  std::string objectiveMetricName = "loss";
  std::string plots = "none";  // "training-progress": TrainingInfo has a monitor with what a plot would show
  bool verbose = true;
  Index verboseFrequency = 50;
  OutputFunction outputFcn = {};
  std::string checkpointPath = {};  // a folder; "" for no checkpoints
  Index checkpointFrequency = 1;
  std::string checkpointFrequencyUnit = "epoch";    // "iteration"
  std::string executionEnvironment = "auto";        // "cpu"
  std::string preprocessingEnvironment = "serial";  // "background", "parallel"
  PadsequencesOptions::Length sequenceLength = "longest";
  double sequencePaddingValue = 0;
  std::string sequencePaddingDirection = "right";
  std::vector<std::string> inputDataFormats = {};   // empty: by the network's input layers
  std::vector<std::string> targetDataFormats = {};  // empty: by the sizes
  std::string acceleration = "auto";
  // Solvers of the whole batch: lbfgs.
  Index maxIterations = 1000;
  double gradientTolerance = 1e-5, stepTolerance = 1e-5;
  std::string lineSearchMethod = "weak-wolfe";
  Index historySize = 10;
  double initialInverseHessianFactor = 1;
  Index maxNumLineSearchIterations = 20;
  OptionalNumber initialStepSize = {};
  /// Continues the training that wrote this checkpoint, bit for bit, as if it had never stopped; everything else as it was given
  /// then. What may differ is how long to train.
  std::string resumeFrom = {};
};

/// Options for a solver, checked. Throws for words and numbers that mean nothing; `trainnet` checks again what was changed since.
/// (MATLAB: trainingOptions)
TrainingOptions trainingOptions(std::string_view solver, TrainingOptions options = {},
                                std::source_location where = std::source_location::current());

}  // namespace dl
