#pragma once
// Data of every kind as a queue of labelled mini-batches.
#include "train/options.hpp"

#include <dlarray/network.hpp>
#include <dlarray/random.hpp>

#include <optional>

namespace dl::train {

/// A mini-batch: the network's inputs and the targets, all labelled.
struct Batch {
  std::vector<DlArray> inputs, targets;
};

/// Mini-batches of data, in passes.
class Batches {
 public:
  /// `inputs` are the formats of the network's inputs, "" for those that no input layer tells. Draws a number from the generator.
  Batches(const TrainingData& data, const std::vector<std::string>& inputs, const ReadingOptions& options, const char* function,
          const std::source_location& where);

  /// Throws when there is no observation, or no mini-batch.
  void expectSome() const;
  bool hasNext() const { return hasdata(queue()); }
  Batch next();
  void restart() { reset(queue()); }
  void restartShuffled() { shuffle(queue()); }
  Index position() const { return queue().position(); }
  Index count() const { return queue().numMiniBatches(); }
  Index observations() const { return queue().numobservations(); }

 private:
  MiniBatchQueue& queue() const { return borrowed_ ? *borrowed_ : *owned_; }
  MiniBatchQueue fromArrays(const TrainingData& data, const ReadingOptions& options);
  MiniBatchQueue fromSequences(const TrainingData& data, const ReadingOptions& options);
  MiniBatchQueue fromDatastore(const Datastore& ds, const ReadingOptions& options);
  MiniBatchQueueOptions queueOptions(const ReadingOptions& options, Index observations) const;
  std::string formatOf(std::size_t variable, const Size& observation, const ReadingOptions& options) const;

  std::vector<std::string> inputFormats_;
  const char* function_;
  std::source_location where_;
  MiniBatchQueue* borrowed_ = nullptr;
  mutable std::optional<MiniBatchQueue> owned_;
};

/// The formats of a network's inputs as its input layers say, "" for inputs without one.
std::vector<std::string> inputFormats(const DlNetwork& net);
/// The labels of arrays without labels in MATLAB's order: "CB" is "BC", "CBT" is "TCB", images as they are.
std::string unlabelledOrder(std::string_view format);

/// While it lives, the generator may be used; then it stands where it stood.
class KeepGenerator {
 public:
  KeepGenerator() : before_(rng()) {}
  ~KeepGenerator() { rng(before_); }
  KeepGenerator(const KeepGenerator&) = delete;
  KeepGenerator& operator=(const KeepGenerator&) = delete;

 private:
  RandomState before_;
};

}  // namespace dl::train
