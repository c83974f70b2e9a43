#pragma once
#include <dlarray/array.hpp>

// What a training loop of one's own reports. MATLAB shows a window; here it is a value that keeps the numbers, to be looked at,
// printed or written to a file.
namespace dl {

struct TrainingProgressMonitorOptions {
  std::vector<std::string> metrics = {};
  std::vector<std::string> info = {};
  std::string xLabel = "";
};

/// A number: of C++, or an array's, which must be a scalar.
class MonitorNumber {
 public:
  template <Number T>
  MonitorNumber(T value) : value_(static_cast<double>(value)) {}
  MonitorNumber(const DlArray& value) : value_(double(value)) {}
  operator double() const noexcept { return value_; }

 private:
  double value_;
};
/// Words, or a number in words.
class MonitorText {
 public:
  MonitorText(std::string words) : words_(std::move(words)) {}
  MonitorText(const char* words) : words_(words) {}
  template <std::convertible_to<MonitorNumber> T>
  MonitorText(const T& value) : MonitorText(text(MonitorNumber(value))) {}
  operator const std::string&() const noexcept { return words_; }

 private:
  static std::string text(double value);
  std::string words_;
};
/// Names of metrics or information with their values.
using MonitorValues = std::vector<std::pair<std::string, MonitorNumber>>;
using MonitorInfo = std::vector<std::pair<std::string, MonitorText>>;

class TrainingProgressMonitor {
 public:
  /// One without metrics.
  TrainingProgressMonitor();
  TrainingProgressMonitor(const TrainingProgressMonitorOptions& options, std::source_location where);
  TrainingProgressMonitor(const TrainingProgressMonitor& other);
  TrainingProgressMonitor(TrainingProgressMonitor&& other) noexcept;
  TrainingProgressMonitor& operator=(const TrainingProgressMonitor& other);
  TrainingProgressMonitor& operator=(TrainingProgressMonitor&& other) noexcept;
  ~TrainingProgressMonitor();

  std::string xLabel, status = "Running";
  double progress = 0;  // percent
  bool stop = false;    // set it to end a loop that looks at it
  bool visible = false;

  const std::vector<std::string>& metrics() const noexcept { return metrics_; }
  const std::vector<std::string>& info() const noexcept { return info_; }
  struct Point {
    double step, value;
  };
  /// What was recorded of a metric, in the order of recording; throws for names that are no metric. (MATLAB: MetricData)
  const std::vector<Point>& metricData(std::string_view metric,
                                       std::source_location where = std::source_location::current()) const;
  /// The last value of a piece of information, "" before the first; throws for names that are none. (MATLAB: InfoData)
  const std::string& infoData(std::string_view name, std::source_location where = std::source_location::current()) const;
  struct Group {
    std::string title;
    std::vector<std::string> metrics;
    std::string yscale = "linear";
  };
  const std::vector<Group>& groups() const noexcept { return groups_; }
  /// Seconds since it was made.
  double elapsed() const noexcept;

 private:
  friend void groupSubPlot(TrainingProgressMonitor&, std::string, std::vector<std::string>, std::source_location);
  friend void updateInfo(TrainingProgressMonitor&, const MonitorInfo&, std::source_location);
  friend void recordMetrics(TrainingProgressMonitor&, double, const MonitorValues&, std::source_location);
  friend void yscale(TrainingProgressMonitor&, std::string_view, std::string_view, std::source_location);

  std::vector<std::string> metrics_, info_, infoData_;
  std::vector<std::vector<Point>> data_;
  std::vector<Group> groups_;
  double start_;
};

/// A monitor for these metrics and pieces of information. Throws for names that do not begin with a letter or hold more than
/// letters, digits and underscores, and for names given twice. (MATLAB: trainingProgressMonitor)
TrainingProgressMonitor trainingProgressMonitor(const TrainingProgressMonitorOptions& options = {},
                                                std::source_location where = std::source_location::current());
/// Puts metrics into one plot. Throws for names that are no metric, and for metrics that are in another group. (MATLAB:
/// groupSubPlot)
void groupSubPlot(TrainingProgressMonitor& monitor, std::string title, std::vector<std::string> metrics,
                  std::source_location where = std::source_location::current());
/// Sets information: `updateInfo(monitor, {{"Epoch", 3}, {"Status", "warm"}})`. Throws for names that are none, before anything
/// is set. (MATLAB: updateInfo)
void updateInfo(TrainingProgressMonitor& monitor, const MonitorInfo& values,
                std::source_location where = std::source_location::current());
/// Records metrics at a step: `recordMetrics(monitor, iteration, {{"Loss", 0.3}})`. Throws for names that are no metric, before
/// anything is recorded. (MATLAB: recordMetrics)
void recordMetrics(TrainingProgressMonitor& monitor, double step, const MonitorValues& values,
                   std::source_location where = std::source_location::current());
/// Makes the axis of a group, or of a metric by itself, "linear" or "log". (MATLAB: yscale)
void yscale(TrainingProgressMonitor& monitor, std::string_view group, std::string_view scale,
            std::source_location where = std::source_location::current());
/// Prints status, progress, information and the last value of each metric.
std::ostream& operator<<(std::ostream& out, const TrainingProgressMonitor& monitor);

}  // namespace dl
