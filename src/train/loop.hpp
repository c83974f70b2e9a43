#pragma once
// The loop of training, and what it must remember to go on after an interruption.
#include "train/batches.hpp"
#include "train/loss.hpp"
#include "train/progress.hpp"

#include <dlarray/random.hpp>
#include <dlarray/train/lbfgs.hpp>

#include <optional>

namespace dl::train {

/// Everything that decides how training goes on.
struct TrainingState {
  DlNetwork net;
  Learnables first, second;  // the solver's
  LbfgsState lbfgs;
  Index iteration = 0, epoch = 0;
  Index position = 0;  // mini-batches of the epoch that are done
  LearnRateSchedule schedule;
  RandomState shuffled;  // the generator before the order of the first epoch was drawn,
  RandomState pass;      // and before this epoch began
  std::optional<DlNetwork> best;
  double bestObjective = 0;
  Index bestIteration = 0, notBetter = 0;
  double elapsed = 0;
  TrainingInfo info;
};

class Trainer {
 public:
  Trainer(const TrainingData& data, const DlNetwork& net, const TrainingLoss& loss, TrainingOptions options,
          const std::source_location& where);
  std::tuple<DlNetwork, TrainingInfo> run();

 private:
  struct Outcome {
    double loss;
    std::vector<DlArray> outputs;
  };
  void checkCheckpointPath() const;
  void prepare(const DlNetwork& net);
  void restorePass();
  void beginEpoch();
  void trainEpochs();
  void trainWholeBatch();
  Outcome step(const Batch& batch, double learnRate);
  Outcome wholeStep(const Batch& batch);
  void regularise(Learnables& gradients) const;
  void move(Learnables& gradients, double learnRate);
  void afterIteration(const Outcome& outcome, const Batch& batch, double learnRate, bool last);
  void validate();
  void writeCheckpoint();
  std::string_view wholeBatchEnd() const;
  bool stopped() const { return !state_.info.stopReason.empty(); }
  bool wantsBest() const { return options_.outputNetwork != "last-iteration" && validation_; }
  double elapsed() const;
  DlNetwork output();

  TrainingOptions options_;
  Loss loss_;
  std::source_location where_;
  std::vector<std::string> formats_;
  std::optional<Batches> batches_, validation_;
  TrainingState state_;
  Progress progress_;
  TrainingProgressInfo seen_;
  double start_;
};

}  // namespace dl::train
