#include <dlarray/train/monitor.hpp>

#include "core/fail.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <ostream>

namespace dl {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool isName(const std::string& name) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  const auto inside = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !name.empty() && letter(name[0]) && std::ranges::all_of(name, inside);
}

void checkNames(const std::vector<std::string>& names, const char* what, const std::source_location& where) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!isName(names[i]))
      fail(where, "monitor:name", "trainingProgressMonitor: {} \"{}\" is no name; use letters, digits and _, a letter first",
           what, names[i]);
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i))
      fail(where, "monitor:name", "trainingProgressMonitor: {} \"{}\" is named twice", what, names[i]);
  }
}

std::size_t positionOf(const std::vector<std::string>& names, std::string_view name, const char* function, const char* what,
                       const std::source_location& where) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    std::string all;
    for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
    fail(where, "monitor:name", "{}: the monitor has no {} \"{}\"; it has {}", function, what, name, all.empty() ? "none" : all);
  }
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::string MonitorText::text(double value) { return fmt::format("{}", value); }

TrainingProgressMonitor::TrainingProgressMonitor() : start_(now()) {}
TrainingProgressMonitor::TrainingProgressMonitor(const TrainingProgressMonitor& other) = default;
TrainingProgressMonitor::TrainingProgressMonitor(TrainingProgressMonitor&& other) noexcept = default;
TrainingProgressMonitor& TrainingProgressMonitor::operator=(const TrainingProgressMonitor& other) = default;
TrainingProgressMonitor& TrainingProgressMonitor::operator=(TrainingProgressMonitor&& other) noexcept = default;
TrainingProgressMonitor::~TrainingProgressMonitor() = default;
TrainingProgressMonitor::TrainingProgressMonitor(const TrainingProgressMonitorOptions& options, std::source_location where)
    : xLabel(options.xLabel),
      metrics_(options.metrics),
      info_(options.info),
      infoData_(info_.size()),
      data_(metrics_.size()),
      start_(now()) {
  checkNames(metrics_, "metric", where);
  checkNames(info_, "information", where);
}

const std::vector<TrainingProgressMonitor::Point>& TrainingProgressMonitor::metricData(std::string_view metric,
                                                                                       std::source_location where) const {
  return data_[positionOf(metrics_, metric, "metricData", "metric", where)];
}
const std::string& TrainingProgressMonitor::infoData(std::string_view name, std::source_location where) const {
  return infoData_[positionOf(info_, name, "infoData", "information", where)];
}
double TrainingProgressMonitor::elapsed() const noexcept { return now() - start_; }

TrainingProgressMonitor trainingProgressMonitor(const TrainingProgressMonitorOptions& options, std::source_location where) {
  return TrainingProgressMonitor(options, where);
}

void groupSubPlot(TrainingProgressMonitor& monitor, std::string title, std::vector<std::string> metrics,
                  std::source_location where) {
  for (const std::string& metric : metrics) {
    positionOf(monitor.metrics_, metric, "groupSubPlot", "metric", where);
    for (const auto& group : monitor.groups_)
      if (std::ranges::find(group.metrics, metric) != group.metrics.end())
        fail(where, "monitor:group", "groupSubPlot: metric \"{}\" is in the group \"{}\" already", metric, group.title);
  }
  monitor.groups_.push_back({std::move(title), std::move(metrics)});
}

void updateInfo(TrainingProgressMonitor& monitor, const MonitorInfo& values, std::source_location where) {
  for (const auto& [name, value] : values) positionOf(monitor.info_, name, "updateInfo", "information", where);
  for (const auto& [name, value] : values)
    monitor.infoData_[positionOf(monitor.info_, name, "updateInfo", "information", where)] = value;
}

void recordMetrics(TrainingProgressMonitor& monitor, double step, const MonitorValues& values, std::source_location where) {
  for (const auto& [name, value] : values) positionOf(monitor.metrics_, name, "recordMetrics", "metric", where);
  for (const auto& [name, value] : values)
    monitor.data_[positionOf(monitor.metrics_, name, "recordMetrics", "metric", where)].push_back({step, value});
}

void yscale(TrainingProgressMonitor& monitor, std::string_view group, std::string_view scale, std::source_location where) {
  if (scale != "linear" && scale != "log")
    fail(where, "monitor:scale", "yscale: \"{}\" is not known; use \"linear\" or \"log\"", scale);
  for (auto& each : monitor.groups_)
    if (each.title == group) {
      each.yscale = scale;
      return;
    }
  positionOf(monitor.metrics_, group, "yscale", "group or metric", where);
  monitor.groups_.push_back({std::string(group), {std::string(group)}, std::string(scale)});
}

std::ostream& operator<<(std::ostream& out, const TrainingProgressMonitor& monitor) {
  out << fmt::format("{}, {:.0f} %", monitor.status, monitor.progress);
  for (const std::string& name : monitor.info())
    if (!monitor.infoData(name).empty()) out << fmt::format(", {} {}", name, monitor.infoData(name));
  for (const std::string& name : monitor.metrics())
    if (const auto& points = monitor.metricData(name); !points.empty())
      out << fmt::format(", {} {:.4g}", name, points.back().value);
  return out << '\n';
}

}  // namespace dl
