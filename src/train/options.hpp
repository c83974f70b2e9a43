#pragma once
// What training options mean once the solver's defaults are in.
#include <dlarray/train/options.hpp>

namespace dl::train {

/// Throws for words and numbers that mean nothing.
void check(const TrainingOptions& options, const char* function, const std::source_location& where);

/// How data is read, for training, testing and prediction alike.
struct ReadingOptions {
  Index miniBatchSize = 128;
  std::vector<std::string> inputFormats, targetFormats;
  PadsequencesOptions padding;
  std::string environment = "serial";
  bool discardRest = false;
};
ReadingOptions readingOf(const TrainingOptions& options);
/// Throws for other words than a processor's work is named by.
void checkMiniBatchSize(Index miniBatchSize, const char* function, const std::source_location& where);
void checkEnvironment(std::string_view execution, std::string_view acceleration, const char* function,
                      const std::source_location& where);

double initialLearnRate(const TrainingOptions& options);
double squaredGradientDecay(const TrainingOptions& options);
double l2Regularization(const TrainingOptions& options);

}  // namespace dl::train
