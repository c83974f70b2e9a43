#include "train/options.hpp"

#include "core/fail.hpp"

#include <algorithm>
#include <cmath>

namespace dl {

TrainingData::TrainingData() noexcept = default;
TrainingData::TrainingData(const Datastore& ds) : datastore_(ds) {}
TrainingData::TrainingData(MiniBatchQueue& mbq) : queue_(&mbq) {}
TrainingData::TrainingData(const DlArray& X, const DlArray& T) : inputs_{X}, targets_{T} {}
TrainingData::TrainingData(const std::vector<DlArray>& sequences, const DlArray& T)
    : inputs_(sequences), targets_{T}, sequences_(true) {}
TrainingData::TrainingData(const std::vector<DlArray>& sequences, const std::vector<DlArray>& T)
    : inputs_(sequences), targets_(T), sequences_(true) {}
TrainingData TrainingData::inputsOnly(const std::vector<DlArray>& inputs) {
  TrainingData data;
  data.inputs_ = inputs;
  return data;
}
bool TrainingData::empty() const noexcept { return !queue_ && inputs_.empty() && !datastore_.source(); }
TrainingData::TrainingData(const TrainingData& other) = default;
TrainingData::TrainingData(TrainingData&& other) noexcept = default;
TrainingData& TrainingData::operator=(const TrainingData& other) = default;
TrainingData& TrainingData::operator=(TrainingData&& other) noexcept = default;
TrainingData::~TrainingData() = default;

MetricList::MetricList() noexcept = default;
MetricList::MetricList(const char* name, std::source_location where) { push_back(Metric(name, where)); }
MetricList::MetricList(const std::string& name, std::source_location where) { push_back(Metric(name, where)); }
MetricList::MetricList(const Metric& metric) { push_back(metric); }
MetricList::MetricList(std::initializer_list<Metric> metrics) : std::vector<Metric>(metrics) {}
MetricList::MetricList(std::vector<Metric> metrics) : std::vector<Metric>(std::move(metrics)) {}
MetricList::MetricList(const MetricList& other) = default;
MetricList::MetricList(MetricList&& other) noexcept = default;
MetricList& MetricList::operator=(const MetricList& other) = default;
MetricList& MetricList::operator=(MetricList&& other) noexcept = default;
MetricList::~MetricList() = default;

namespace {

// Complains about one option after the other.
struct Checker {
  const char* function;
  const std::source_location& where;

  void word(std::string_view value, const char* member, std::initializer_list<std::string_view> known) const {
    if (std::ranges::find(known, value) != known.end()) return;
    std::string all;
    for (const std::string_view each : known) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", each);
    fail(where, "trainingOptions:word", "{}: {} is \"{}\"; use one of {}", function, member, value, all);
  }
  void positive(double value, const char* member) const {
    if (!(value > 0)) fail(where, "trainingOptions:number", "{}: {} is {}; it must be positive", function, member, value);
  }
  void finite(double value, const char* member) const {
    positive(value, member);
    if (!std::isfinite(value)) fail(where, "trainingOptions:number", "{}: {} is infinite", function, member);
  }
  void notNegative(double value, const char* member) const {
    if (!(value >= 0 && std::isfinite(value)))
      fail(where, "trainingOptions:number", "{}: {} is {}; it must be a number that is not negative", function, member, value);
  }
  void part(double value, const char* member) const {
    if (!(value >= 0 && value < 1))
      fail(where, "trainingOptions:number", "{}: {} is {}; it must be at least 0 and less than 1", function, member, value);
  }
};

void checkWords(const TrainingOptions& o, const Checker& check) {
  check.word(o.solver, "solver", {"sgdm", "rmsprop", "adam", "adamw", "lbfgs"});
  check.word(o.shuffle, "shuffle", {"once", "never", "every-epoch"});
  check.word(o.gradientThresholdMethod, "gradientThresholdMethod", {"l2norm", "global-l2norm", "absolute-value"});
  check.word(o.batchNormalizationStatistics, "batchNormalizationStatistics", {"auto", "population", "moving"});
  check.word(o.outputNetwork, "outputNetwork", {"auto", "best-validation", "last-iteration"});
  check.word(o.plots, "plots", {"none", "training-progress"});
  check.word(o.checkpointFrequencyUnit, "checkpointFrequencyUnit", {"epoch", "iteration"});
  check.word(o.preprocessingEnvironment, "preprocessingEnvironment", {"serial", "background", "parallel"});
  check.word(o.sequencePaddingDirection, "sequencePaddingDirection", {"right", "left", "both"});
  if (!o.sequenceLength.word().empty()) check.word(o.sequenceLength.word(), "sequenceLength", {"longest", "shortest"});
  check.word(o.lineSearchMethod, "lineSearchMethod", {"weak-wolfe", "strong-wolfe", "backtracking"});
  if (o.objectiveMetricName != "loss" &&
      std::ranges::none_of(o.metrics, [&](const Metric& m) { return m.name() == o.objectiveMetricName; }))
    fail(check.where, "trainingOptions:objective",
         "{}: objectiveMetricName \"{}\" is neither \"loss\" nor the name of a metric{}", check.function, o.objectiveMetricName,
         o.metrics.empty() ? "" : fmt::format(", such as \"{}\"", o.metrics[0].name()));
}

void checkNumbers(const TrainingOptions& o, const Checker& check) {
  check.part(o.momentum, "momentum");
  check.part(o.gradientDecayFactor, "gradientDecayFactor");
  check.part(train::squaredGradientDecay(o), "squaredGradientDecayFactor");
  check.finite(o.epsilon, "epsilon");
  check.notNegative(o.weightDecay, "weightDecay");
  check.finite(train::initialLearnRate(o), "initialLearnRate");
  check.finite(o.learnRateDropFactor, "learnRateDropFactor");
  check.positive(static_cast<double>(o.learnRateDropPeriod), "learnRateDropPeriod");
  check.positive(static_cast<double>(o.maxEpochs), "maxEpochs");
  check.positive(static_cast<double>(o.miniBatchSize), "miniBatchSize");
  check.notNegative(train::l2Regularization(o), "l2Regularization");
  check.positive(o.gradientThreshold, "gradientThreshold");
  check.positive(static_cast<double>(o.validationFrequency), "validationFrequency");
  check.positive(o.validationPatience, "validationPatience");
  check.positive(static_cast<double>(o.verboseFrequency), "verboseFrequency");
  check.positive(static_cast<double>(o.checkpointFrequency), "checkpointFrequency");
  check.positive(static_cast<double>(o.maxIterations), "maxIterations");
  check.notNegative(o.gradientTolerance, "gradientTolerance");
  check.notNegative(o.stepTolerance, "stepTolerance");
  check.positive(static_cast<double>(o.historySize), "historySize");
  check.finite(o.initialInverseHessianFactor, "initialInverseHessianFactor");
  check.positive(static_cast<double>(o.maxNumLineSearchIterations), "maxNumLineSearchIterations");
  if (o.initialStepSize) check.finite(*o.initialStepSize, "initialStepSize");
}

}  // namespace

namespace train {

void checkMiniBatchSize(Index miniBatchSize, const char* function, const std::source_location& where) {
  Checker{function, where}.positive(static_cast<double>(miniBatchSize), "miniBatchSize");
}

void checkEnvironment(std::string_view execution, std::string_view acceleration, const char* function,
                      const std::source_location& where) {
  const Checker check{function, where};
  check.word(execution, "executionEnvironment", {"auto", "cpu"});
  check.word(acceleration, "acceleration", {"auto", "none"});
}

void check(const TrainingOptions& options, const char* function, const std::source_location& where) {
  const Checker checker{function, where};
  checkWords(options, checker);
  checkNumbers(options, checker);
  checkEnvironment(options.executionEnvironment, options.acceleration, function, where);
  if (options.outputNetwork == "best-validation" && options.validationData.empty())
    fail(where, "trainingOptions:validation", "{}: outputNetwork is \"best-validation\", and there is no validationData",
         function);
}

ReadingOptions readingOf(const TrainingOptions& o) {
  return {
      .miniBatchSize = o.miniBatchSize,
      .inputFormats = o.inputDataFormats,
      .targetFormats = o.targetDataFormats,
      .padding = {.length = o.sequenceLength, .direction = o.sequencePaddingDirection, .paddingValue = o.sequencePaddingValue},
      .environment = o.preprocessingEnvironment,
      .discardRest = true};
}

double initialLearnRate(const TrainingOptions& o) { return o.initialLearnRate.value_or(o.solver == "sgdm" ? 0.01 : 0.001); }
double squaredGradientDecay(const TrainingOptions& o) {
  return o.squaredGradientDecayFactor.value_or(o.solver == "rmsprop" ? 0.9 : 0.999);
}
double l2Regularization(const TrainingOptions& o) { return o.l2Regularization.value_or(o.solver == "adamw" ? 0 : 1e-4); }

}  // namespace train

TrainingOptions trainingOptions(std::string_view solver, TrainingOptions options, std::source_location where) {
  options.solver = solver;
  if (options.solver == "lm")
    fail(where, "trainingOptions:solver", "trainingOptions: \"lm\" is not in this version; use \"lbfgs\" for the whole batch");
  train::check(options, "trainingOptions", where);
  return options;
}

}  // namespace dl
