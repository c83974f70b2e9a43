#include "train/loop.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "train/checkpoint.hpp"
#include "train/statistics.hpp"
#include "train/update.hpp"

#include <dlarray/ops/elementwise.hpp>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <unistd.h>

namespace dl::train {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool wholeBatch(const TrainingOptions& options) { return options.solver == "lbfgs"; }

ReadingOptions trainingReading(const TrainingOptions& options) {
  ReadingOptions reading = readingOf(options);
  if (wholeBatch(options)) reading.miniBatchSize = std::numeric_limits<Index>::max();
  return reading;
}

std::vector<std::string> namesOf(const std::vector<Metric>& metrics) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics) names.push_back(metric.name());
  return names;
}

// What one evaluation of the network in training gives.
struct Evaluation {
  DlArray loss;
  Learnables gradients;
  NetworkState state;
  std::vector<DlArray> outputs;
};

Evaluation evaluate(const DlNetwork& net, const Batch& batch, const Loss& loss, const std::source_location& where) {
  return dlfeval(
      [&](const DlNetwork& traced) {
        auto [outputs, state] = forward(traced, batch.inputs, {}, where);
        // Every mini-batch begins its sequences anew: what a recurrent layer remembers of them is not kept.
        for (auto& row : state)
          if (row.parameter == "HiddenState" || row.parameter == "CellState") row.value = DlArray();
        DlArray value = loss.function(outputs, batch.targets);
        if (numel(value) != 1) fail(where, "trainnet:loss", "trainnet: the loss is {}; it must be a scalar", describe(value));
        Learnables gradients = dlgradient(value, traced.learnables());
        return Evaluation{std::move(value), std::move(gradients), std::move(state), std::move(outputs)};
      },
      net);
}

}  // namespace

Trainer::Trainer(const TrainingData& data, const DlNetwork& net, const TrainingLoss& loss, TrainingOptions options,
                 const std::source_location& where)
    : options_(std::move(options)),
      loss_(lossOf(loss, "trainnet", where)),
      where_(where),
      formats_(inputFormats(net)),
      progress_(options_.verbose, options_.verboseFrequency, namesOf(options_.metrics)),
      start_(now()) {
  if (data.empty()) fail(where_, "trainnet:data", "trainnet: there is no training data");
  batches_.emplace(data, formats_, trainingReading(options_), "trainnet", where_);
  batches_->expectSome();
  if (wholeBatch(options_) && batches_->count() > 1)
    fail(where_, "trainnet:data", "trainnet: lbfgs works on all observations at once, the queue has {} mini-batches of them",
         batches_->count());
  if (!options_.validationData.empty()) {
    const KeepGenerator keep;
    ReadingOptions reading = readingOf(options_);
    reading.discardRest = false;
    validation_.emplace(options_.validationData, formats_, reading, "trainnet: validationData", where_);
    validation_->expectSome();
  }
  checkCheckpointPath();
  prepare(net);
}

// A folder that cannot be written to shall be found now and not after the first epoch.
void Trainer::checkCheckpointPath() const {
  const std::string& path = options_.checkpointPath;
  if (path.empty()) return;
  std::error_code unknown;
  if (!std::filesystem::is_directory(path, unknown))
    fail(where_, "trainnet:checkpointPath", "trainnet: checkpointPath \"{}\" is no folder", path);
  if (access(path.c_str(), W_OK | X_OK) != 0)
    fail(where_, "trainnet:checkpointPath", "trainnet: checkpointPath \"{}\" cannot be written to: {}", path,
         std::strerror(errno));
}

void Trainer::prepare(const DlNetwork& net) {
  if (!options_.resumeFrom.empty()) {
    state_ = loadCheckpoint(options_, net, batches_->observations(), where_);
    if (!wholeBatch(options_)) restorePass();
  } else {
    {
      // Reading ahead of training leaves the generator where it was.
      const KeepGenerator keep;
      state_.net = withInputStatistics(net, *batches_, options_.resetInputNormalization, where_);
    }
    if (!state_.net.initialized()) {
      batches_->restart();
      std::vector<DataLayout> layouts;
      for (const DlArray& x : batches_->next().inputs) layouts.push_back(DataLayout(x));
      state_.net = initialize(state_.net, layouts, where_);
    }
    state_.schedule =
        options_.learnRateSchedule.withDrops(options_.learnRateDropFactor, static_cast<double>(options_.learnRateDropPeriod));
    state_.lbfgs = lbfgsState({options_.historySize, options_.initialInverseHessianFactor}, where_);
    state_.info.metricNames = namesOf(options_.metrics);
  }
  if (options_.plots == "training-progress") {
    std::vector<std::string> metrics{"TrainingLoss", "ValidationLoss", "LearnRate"};
    state_.info.monitor = trainingProgressMonitor({.metrics = metrics, .info = {"Epoch"}, .xLabel = "Iteration"}, where_);
  }
}

// Brings the queue to where it was when the checkpoint was written. The generator is left where training goes on.
void Trainer::restorePass() {
  const RandomState after = rng();
  const bool once = options_.shuffle == "once";
  if (once) {
    rng(state_.shuffled);
    batches_->restartShuffled();
  }
  if (state_.epoch > 1 || !once) {
    rng(state_.pass);
    if (options_.shuffle == "every-epoch")
      batches_->restartShuffled();
    else
      batches_->restart();
  }
  if (state_.position < batches_->count())
    for (Index i = 0; i < state_.position; ++i) batches_->next();
  rng(after);
}

void Trainer::beginEpoch() {
  ++state_.epoch;
  state_.position = 0;
  state_.pass = rng();
  if (state_.epoch == 1) state_.shuffled = state_.pass;
  if (options_.shuffle == "every-epoch" || (options_.shuffle == "once" && state_.epoch == 1))
    batches_->restartShuffled();
  else
    batches_->restart();
}

std::tuple<DlNetwork, TrainingInfo> Trainer::run() {
  seen_.state = "start";
  if (options_.outputFcn && options_.outputFcn(seen_)) state_.info.stopReason = "Stopped by OutputFcn";
  if (!stopped()) wholeBatch(options_) ? trainWholeBatch() : trainEpochs();
  DlNetwork net = output();
  seen_.state = "done";
  if (options_.outputFcn) options_.outputFcn(seen_);
  progress_.end(seen_, state_.info.stopReason);
  state_.info.monitor.status = state_.info.stopReason;
  return {std::move(net), std::move(state_.info)};
}

void Trainer::trainEpochs() {
  const Index count = batches_->count();
  bool goesOn = state_.epoch > 0 && state_.position < count;
  while (!stopped() && (goesOn || state_.epoch < options_.maxEpochs)) {
    if (!goesOn) beginEpoch();
    goesOn = false;
    while (!stopped() && batches_->hasNext()) {
      const Batch batch = batches_->next();
      ++state_.iteration;
      ++state_.position;
      const double rate = state_.schedule.update(initialLearnRate(options_), state_.iteration, state_.epoch);
      const Outcome outcome = step(batch, rate);
      afterIteration(outcome, batch, rate, state_.position == count && state_.epoch == options_.maxEpochs);
    }
    const bool byEpoch = options_.checkpointFrequencyUnit == "epoch" && state_.epoch % options_.checkpointFrequency == 0;
    if (byEpoch && state_.position == count) writeCheckpoint();
  }
  if (!stopped()) state_.info.stopReason = "Max epochs completed";
}

void Trainer::trainWholeBatch() {
  Batch batch;
  {
    const KeepGenerator keep;
    if (state_.iteration == 0) state_.pass = rng();
    rng(state_.pass);
    batches_->restart();
    batch = batches_->next();
  }
  // A checkpoint may be one of a training that was at its end.
  if (state_.iteration > 0 && !stopped()) state_.info.stopReason = wholeBatchEnd();
  while (!stopped() && state_.iteration < options_.maxIterations) {
    ++state_.iteration;
    state_.epoch = state_.iteration;
    const Outcome outcome = wholeStep(batch);
    state_.info.stopReason = wholeBatchEnd();
    afterIteration(outcome, batch, 1, stopped() || state_.iteration == options_.maxIterations);
    const bool byEpoch = options_.checkpointFrequencyUnit == "epoch" && state_.epoch % options_.checkpointFrequency == 0;
    if (byEpoch) writeCheckpoint();
  }
  if (!stopped()) state_.info.stopReason = "Max iterations completed";
}

// Why the last step was the last; "" when it was not.
std::string_view Trainer::wholeBatchEnd() const {
  if (state_.lbfgs.lineSearchStatus == "failed") return "Line search failed";
  if (state_.lbfgs.gradientsNorm <= options_.gradientTolerance) return "Gradient tolerance reached";
  if (state_.lbfgs.stepNorm <= options_.stepTolerance) return "Step tolerance reached";
  return "";
}

Trainer::Outcome Trainer::step(const Batch& batch, double learnRate) {
  Evaluation result = evaluate(state_.net, batch, loss_, where_);
  const double loss = double(result.loss);
  if (!std::isfinite(loss)) {
    state_.info.stopReason = "Training loss is not a finite number";
    return {loss, std::move(result.outputs)};
  }
  state_.net.setState(result.state, where_);
  regularise(result.gradients);
  if (std::isfinite(options_.gradientThreshold))
    clipGradients(result.gradients, options_.gradientThreshold, options_.gradientThresholdMethod, where_);
  move(result.gradients, learnRate);
  return {loss, std::move(result.outputs)};
}

void Trainer::regularise(Learnables& gradients) const {
  const double l2 = l2Regularization(options_);
  if (l2 == 0) return;
  const std::vector<detail::ParameterPart> parameters = detail::parameterParts(state_.net);
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (const double factor = l2 * gradients[i].factors.l2; factor != 0 && numel(gradients[i].value) > 0)
      addScaled(factor, *parameters[i].array, gradients[i].value);
}

void Trainer::move(Learnables& gradients, double learnRate) {
  const TrainingOptions& o = options_;
  TrainingState& s = state_;
  if (o.solver == "sgdm")
    sgdmupdate(s.net, gradients, s.first, learnRate, o.momentum, where_);
  else if (o.solver == "rmsprop")
    rmspropupdate(s.net, gradients, s.second, learnRate, squaredGradientDecay(o), o.epsilon, where_);
  else if (o.solver == "adam")
    adamupdate(s.net, gradients, s.first, s.second, s.iteration, learnRate, o.gradientDecayFactor, squaredGradientDecay(o),
               o.epsilon, where_);
  else
    adamwupdate(s.net, gradients, s.first, s.second, s.iteration, learnRate, o.weightDecay, o.gradientDecayFactor,
                squaredGradientDecay(o), o.epsilon, where_);
}

Trainer::Outcome Trainer::wholeStep(const Batch& batch) {
  Evaluation last;
  const double l2 = l2Regularization(options_);
  const auto evaluateAll = [&](const DlNetwork& net) {
    last = evaluate(net, batch, loss_, where_);
    double loss = double(last.loss);
    Learnables gradients = last.gradients;
    const std::vector<detail::ParameterPart> parameters = detail::parameterParts(net);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (const double factor = l2 * gradients[i].factors.l2; factor != 0 && numel(gradients[i].value) > 0) {
        addScaled(factor, *parameters[i].array, gradients[i].value);
        loss += factor / 2 * sumOfSquares(*parameters[i].array);
      }
    return std::tuple(DlArray(loss), std::move(gradients));
  };
  lbfgsupdate(state_.net, evaluateAll, state_.lbfgs,
              {.lineSearchMethod = options_.lineSearchMethod,
               .maxNumLineSearchIterations = options_.maxNumLineSearchIterations,
               .initialStepSize = options_.initialStepSize.value_or(0)},
              where_);
  if (state_.lbfgs.lineSearchStatus == "completed") state_.net.setState(last.state, where_);
  return {state_.lbfgs.loss, std::move(last.outputs)};
}

void Trainer::afterIteration(const Outcome& outcome, const Batch& batch, double learnRate, bool last) {
  TrainingHistoryRow row{state_.epoch, state_.iteration, elapsed(), learnRate, outcome.loss, {}};
  for (Metric metric : options_.metrics) {
    metric.reset();
    metric.accumulate(outcome.outputs, batch.targets, where_);
    row.metrics.push_back(metric.value());
  }
  seen_ = {"iteration", row.epoch, row.iteration, row.timeElapsed, learnRate, outcome.loss, row.metrics, {}, {}};
  state_.info.trainingHistory.push_back(std::move(row));
  if (validation_ && (state_.iteration % options_.validationFrequency == 0 || last || stopped())) validate();
  if (TrainingInfo& info = state_.info; options_.plots == "training-progress") {
    const auto at = static_cast<double>(state_.iteration);
    recordMetrics(info.monitor, at, {{"TrainingLoss", outcome.loss}, {"LearnRate", learnRate}}, where_);
    if (seen_.validationLoss) recordMetrics(info.monitor, at, {{"ValidationLoss", *seen_.validationLoss}}, where_);
    const Index epochs = wholeBatch(options_) ? options_.maxIterations : options_.maxEpochs;
    updateInfo(info.monitor, {{"Epoch", fmt::format("{} of {}", state_.epoch, epochs)}}, where_);
    const double done = wholeBatch(options_) ? 1 : static_cast<double>(state_.position) / static_cast<double>(batches_->count());
    info.monitor.progress = 100 * (static_cast<double>(state_.epoch - 1) + done) / static_cast<double>(epochs);
  }
  progress_.row(seen_);
  if (options_.outputFcn && options_.outputFcn(seen_) && !stopped()) state_.info.stopReason = "Stopped by OutputFcn";
  if (options_.checkpointFrequencyUnit == "iteration" && state_.iteration % options_.checkpointFrequency == 0) writeCheckpoint();
}

// The loss and the metrics of the validation data; remembers the network when it is the best one so far.
void Trainer::validate() {
  const KeepGenerator keep;
  std::vector<Metric> metrics = options_.metrics;
  for (Metric& metric : metrics) metric.reset();
  double sum = 0, weight = 0;
  validation_->restart();
  while (validation_->hasNext()) {
    const Batch batch = validation_->next();
    const std::vector<DlArray> outputs = predict(state_.net, batch.inputs, {}, where_);
    const double w = loss_.weight(outputs);
    sum += w * double(loss_.function(outputs, batch.targets));
    weight += w;
    for (Metric& metric : metrics) metric.accumulate(outputs, batch.targets, where_);
  }
  ValidationHistoryRow row{state_.epoch, state_.iteration, sum / weight, {}};
  double objective = row.validationLoss;
  for (const Metric& metric : metrics) {
    row.metrics.push_back(metric.value());
    if (options_.objectiveMetricName != "loss" && metric.name() == options_.objectiveMetricName)
      objective = metric.largerIsBetter() ? -metric.value() : metric.value();
  }
  seen_.validationLoss = row.validationLoss;
  seen_.validationMetrics = row.metrics;
  state_.info.validationHistory.push_back(std::move(row));
  if (!state_.best || objective < state_.bestObjective || (std::isnan(state_.bestObjective) && !std::isnan(objective))) {
    state_.best = state_.net;
    state_.bestObjective = objective;
    state_.bestIteration = state_.iteration;
    state_.notBetter = 0;
  } else if (static_cast<double>(++state_.notBetter) >= options_.validationPatience && !stopped()) {
    state_.info.stopReason = "Met validation criterion";
  }
}

void Trainer::writeCheckpoint() {
  if (options_.checkpointPath.empty()) return;
  state_.elapsed = elapsed();
  saveCheckpoint(state_, options_, batches_->observations(), where_);
}

double Trainer::elapsed() const { return state_.elapsed + now() - start_; }

DlNetwork Trainer::output() {
  DlNetwork net = wantsBest() && state_.best ? *state_.best : state_.net;
  state_.info.outputNetworkIteration = wantsBest() && state_.best ? state_.bestIteration : state_.iteration;
  if (options_.batchNormalizationStatistics == "population") {
    const KeepGenerator keep;
    setPopulationStatistics(net, *batches_);
  }
  return net;
}

}  // namespace dl::train
