#include "train/progress.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace dl::train {

namespace {

// Hours, minutes, seconds.
std::string clock(double seconds) {
  const auto s = static_cast<long>(seconds);
  return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// As much of a line as the terminal's width has room for: a line that wraps could not be written over.
std::string fitted(std::string line) {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 && line.size() >= window.ws_col)
    line.resize(window.ws_col - 1U);
  return line;
}

constexpr double refresh = 0.1;  // seconds between changes of the line

}  // namespace

Progress::Progress(bool verbose, Index frequency, std::vector<std::string> metricNames)
    : verbose_(verbose),
      terminal_(verbose && isatty(STDOUT_FILENO) != 0),
      frequency_(frequency),
      names_(std::move(metricNames)) {}

// An error's sentence shall not stand behind the numbers.
Progress::~Progress() {
  if (open_) print("\n");
}

void Progress::header() {
  std::string line = fmt::format("{:>9} {:>7} {:>11} {:>10} {:>12} {:>14}", "Iteration", "Epoch", "TimeElapsed", "LearnRate",
                                 "TrainingLoss", "ValidationLoss");
  for (const std::string& name : names_) line += fmt::format(" {:>12}", name);
  print(fmt::format("{}\n", line));
  started_ = true;
}

std::string Progress::text(const TrainingProgressInfo& info) const {
  std::string line =
      fmt::format("{:>9} {:>7} {:>11} {:>10.4g} {:>12.5g} {:>14}", info.iteration, info.epoch, clock(info.timeElapsed),
                  info.learnRate, info.trainingLoss, validationLoss_ ? fmt::format("{:.5g}", *validationLoss_) : "");
  for (const double value : info.metrics) line += fmt::format(" {:>12.5g}", value);
  return line;
}

void Progress::row(const TrainingProgressInfo& info) {
  if (!verbose_) return;
  if (!started_) header();
  if (info.validationLoss) validationLoss_ = info.validationLoss;
  if (terminal_) {
    if (info.timeElapsed - lastTime_ < refresh && !info.validationLoss) return;
    lastTime_ = info.timeElapsed;
    print(fmt::format("\r{}\x1b[K", fitted(text(info))));
    open_ = true;
  } else if (info.iteration == 1 || info.iteration % frequency_ == 0 || info.validationLoss) {
    print(fmt::format("{}\n", text(info)));
    if (info.validationLoss) validationLoss_.reset();
  } else {
    return;
  }
  printed_ = info.iteration;
}

void Progress::end(const TrainingProgressInfo& info, const std::string& reason) {
  if (!verbose_) return;
  if (info.iteration > 0 && printed_ != info.iteration) {
    if (!started_) header();
    print(terminal_ ? fmt::format("\r{}\x1b[K", fitted(text(info))) : fmt::format("{}\n", text(info)));
    open_ = terminal_;
  }
  print(fmt::format("{}Training stopped: {}\n", std::exchange(open_, false) ? "\n" : "", reason));
}

}  // namespace dl::train
