#pragma once
// What is printed while a network is trained.
#include <dlarray/train/trainnet.hpp>

namespace dl::train {

/// Prints rows of progress: on a terminal in one line that changes, else a line every `frequency` iterations.
class Progress {
 public:
  Progress(bool verbose, Index frequency, std::vector<std::string> metricNames);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  void row(const TrainingProgressInfo& info);
  /// The last row, if it was not printed, and why training stopped.
  void end(const TrainingProgressInfo& info, const std::string& reason);

 private:
  std::string text(const TrainingProgressInfo& info) const;
  void header();

  bool verbose_, terminal_, started_ = false, open_ = false;  // open: the line has no end yet
  Index frequency_, printed_ = -1;
  double lastTime_ = -1;
  OptionalNumber validationLoss_;
  std::vector<std::string> names_;
};

}  // namespace dl::train
