#include "train/checkpoint.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "io/network_file.hpp"

#include <dlarray/io/safetensors.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace dl::train {

namespace {

// Numbers as text that says every bit.
std::string exact(double value) { return fmt::format("{:a}", value); }
std::string numbers(const RandomState& state) { return fmt::format("{} {}", state.seed, state.position); }

// Names tensors while they are collected.
struct Writer {
  std::vector<NamedArray> tensors;
  io::Metadata texts;

  void array(const std::string& name, const DlArray& x) {
    if (numel(x) > 0) tensors.push_back({name, x});
  }
  template <class Rows>
  void table(const std::string& name, const Rows& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) array(fmt::format("{}/{}", name, i), rows[i].value);
  }
  void list(const std::string& name, const std::vector<DlArray>& arrays) {
    for (std::size_t i = 0; i < arrays.size(); ++i) array(fmt::format("{}/{}", name, i), arrays[i]);
  }
  void text(const std::string& key, std::string value) { texts.emplace_back(key, std::move(value)); }
  void number(const std::string& key, Index value) { text(key, std::to_string(value)); }
};

struct Reader {
  const io::NetworkFile& file;
  const io::Task& task;

  const DlArray* array(const std::string& name) const {
    for (const NamedArray& each : file.extraTensors)
      if (each.name == name) return &each.value;
    return nullptr;
  }
  DlArray valueOf(const std::string& name) const {
    const DlArray* found = array(name);
    return found ? *found : DlArray();
  }
  std::vector<DlArray> list(const std::string& name) const {
    std::vector<DlArray> arrays;
    while (const DlArray* found = array(fmt::format("{}/{}", name, arrays.size()))) arrays.push_back(*found);
    return arrays;
  }
  ParameterTable table(const std::string& name, const ParameterTable& like) const {
    ParameterTable rows = like;
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].value = valueOf(fmt::format("{}/{}", name, i));
    return rows;
  }
  const std::string& text(const std::string& key) const {
    const std::string* found = io::findKey(file.extraMetadata, key);
    if (!found)
      fail(task.where, "trainnet:checkpoint", "trainnet: {} is no checkpoint of a training; it lacks \"{}\"", task.file, key);
    return *found;
  }
  Index number(const std::string& key) const { return std::strtoll(text(key).c_str(), nullptr, 10); }
  double real(const std::string& key) const { return std::strtod(text(key).c_str(), nullptr); }
  RandomState generator(const std::string& key) const {
    RandomState state;
    std::istringstream in(text(key));
    in >> state.seed >> state.position;
    return state;
  }
};

// A history as a matrix with a row for each iteration.
template <class Row, class Numbers>
DlArray matrix(const std::vector<Row>& history, std::size_t columns, const Numbers& numbersOf) {
  std::vector<double> values(history.size() * columns);
  for (std::size_t r = 0; r < history.size(); ++r) {
    const std::vector<double> row = numbersOf(history[r]);
    for (std::size_t c = 0; c < columns; ++c) values[r + history.size() * c] = row[c];
  }
  return dlarray(values, Size{static_cast<Index>(history.size()), static_cast<Index>(columns)});
}

std::vector<std::vector<double>> rowsOf(const DlArray& x) {
  const auto values = extractdata<std::vector<double>>(x);
  const auto count = numel(x) == 0 ? 0 : static_cast<std::size_t>(size(x, 0)), columns = count == 0 ? 0 : values.size() / count;
  std::vector<std::vector<double>> rows(count);
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t c = 0; c < columns; ++c) rows[r].push_back(values[r + count * c]);
  return rows;
}

void writeHistory(const TrainingInfo& info, Writer& to) {
  const std::size_t metrics = info.metricNames.size();
  to.array("history/training", matrix(info.trainingHistory, 5 + metrics, [](const TrainingHistoryRow& r) {
             std::vector<double> row{static_cast<double>(r.epoch), static_cast<double>(r.iteration), r.timeElapsed, r.learnRate,
                                     r.trainingLoss};
             row.insert(row.end(), r.metrics.begin(), r.metrics.end());
             return row;
           }));
  to.array("history/validation", matrix(info.validationHistory, 3 + metrics, [](const ValidationHistoryRow& r) {
             std::vector<double> row{static_cast<double>(r.epoch), static_cast<double>(r.iteration), r.validationLoss};
             row.insert(row.end(), r.metrics.begin(), r.metrics.end());
             return row;
           }));
}

void readHistory(const Reader& from, TrainingInfo& info) {
  const std::size_t metrics = info.metricNames.size();
  for (const auto& [name, columns] : {std::pair("history/training", 5 + metrics), std::pair("history/validation", 3 + metrics)})
    if (const DlArray x = from.valueOf(name); numel(x) > 0 && size(x, 1) != static_cast<Index>(columns))
      fail(from.task.where, "trainnet:checkpoint", "trainnet: {} is damaged: \"{}\" is {}", from.task.file, name, describe(x));
  for (const auto& r : rowsOf(from.valueOf("history/training")))
    info.trainingHistory.push_back(
        {static_cast<Index>(r[0]), static_cast<Index>(r[1]), r[2], r[3], r[4], {r.begin() + 5, r.end()}});
  for (const auto& r : rowsOf(from.valueOf("history/validation")))
    info.validationHistory.push_back({static_cast<Index>(r[0]), static_cast<Index>(r[1]), r[2], {r.begin() + 3, r.end()}});
}

void writeLbfgs(const LbfgsState& s, Writer& to) {
  to.list("lbfgs/gradients", s.gradients);
  to.list("lbfgs/steps", s.stepHistory);
  to.list("lbfgs/differences", s.gradientsDifferenceHistory);
  to.text("lbfgs.status", s.lineSearchStatus);
  to.text("lbfgs.loss", exact(s.loss));
  to.text("lbfgs.gradientsNorm", exact(s.gradientsNorm));
  to.text("lbfgs.stepNorm", exact(s.stepNorm));
  to.text("lbfgs.inverseHessianFactor", exact(s.inverseHessianFactor));
  to.number("lbfgs.evaluations", s.evaluations);
}

LbfgsState readLbfgs(const Reader& from, const TrainingOptions& options) {
  LbfgsState s = lbfgsState({options.historySize, options.initialInverseHessianFactor});
  s.gradients = from.list("lbfgs/gradients");
  s.stepHistory = from.list("lbfgs/steps");
  s.gradientsDifferenceHistory = from.list("lbfgs/differences");
  s.lineSearchStatus = from.text("lbfgs.status");
  s.loss = from.real("lbfgs.loss");
  s.gradientsNorm = from.real("lbfgs.gradientsNorm");
  s.stepNorm = from.real("lbfgs.stepNorm");
  s.inverseHessianFactor = from.real("lbfgs.inverseHessianFactor");
  s.evaluations = from.number("lbfgs.evaluations");
  return s;
}

// What must be the same for the rest of a training to be the rest of that training.
io::Metadata identity(const TrainingOptions& o, Index observations) {
  const auto text = [](double value) { return fmt::format("{}", value); };
  io::Metadata all{{"solver", o.solver},
                   {"shuffle", o.shuffle},
                   {"miniBatchSize", std::to_string(o.miniBatchSize)},
                   {"observations", std::to_string(observations)},
                   {"l2Regularization", text(l2Regularization(o))}};
  if (o.solver == "lbfgs") {
    all.insert(all.end(), {{"historySize", std::to_string(o.historySize)},
                           {"initialInverseHessianFactor", text(o.initialInverseHessianFactor)},
                           {"lineSearchMethod", o.lineSearchMethod},
                           {"maxNumLineSearchIterations", std::to_string(o.maxNumLineSearchIterations)},
                           {"initialStepSize", text(o.initialStepSize.value_or(0))}});
    return all;
  }
  all.insert(all.end(), {{"initialLearnRate", text(initialLearnRate(o))},
                         {"learnRateDropFactor", text(o.learnRateDropFactor)},
                         {"learnRateDropPeriod", std::to_string(o.learnRateDropPeriod)},
                         {"gradientThreshold", text(o.gradientThreshold)},
                         {"gradientThresholdMethod", o.gradientThresholdMethod}});
  if (o.solver == "sgdm") {
    all.emplace_back("momentum", text(o.momentum));
    return all;
  }
  all.insert(all.end(), {{"squaredGradientDecayFactor", text(squaredGradientDecay(o))}, {"epsilon", text(o.epsilon)}});
  if (o.solver != "rmsprop") all.emplace_back("gradientDecayFactor", text(o.gradientDecayFactor));
  if (o.solver == "adamw") all.emplace_back("weightDecay", text(o.weightDecay));
  return all;
}

// Refuses to go on with another network than that of the checkpoint. Sizes count as far as they are known.
void checkSameNetwork(const DlNetwork& saved, const DlNetwork& net, const io::Task& task) {
  const auto other = [&](const std::string& what) {
    fail(task.where, "trainnet:checkpoint", "trainnet: {} is of another network: {}", task.file, what);
  };
  const auto a = saved.layers(), b = net.layers();
  if (a.size() != b.size()) other(fmt::format("it has {} layers, this one {}", a.size(), b.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].name() != b[i].name() || a[i]->type() != b[i]->type())
      other(
          fmt::format("its layer \"{}\" ({}) is \"{}\" ({}) in this one", a[i].name(), a[i]->type(), b[i].name(), b[i]->type()));
  if (!net.initialized()) return;
  const Learnables x = saved.learnables(), y = net.learnables();
  if (x.size() != y.size()) other(fmt::format("it has {} learnables, this one {}", x.size(), y.size()));
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(size(x[i].value) == size(y[i].value)))
      other(fmt::format("\"{}\" of \"{}\" is {}, in this one {}", x[i].parameter, x[i].layer, describe(x[i].value),
                        describe(y[i].value)));
}

}  // namespace

void saveCheckpoint(const TrainingState& s, const TrainingOptions& options, Index observations,
                    const std::source_location& where) {
  Writer to;
  to.texts = identity(options, observations);
  to.number("iteration", s.iteration);
  to.number("epoch", s.epoch);
  to.number("position", s.position);
  to.number("schedule.current", s.schedule.position().current);
  to.number("schedule.iterations", s.schedule.position().iterationsBefore);
  to.number("schedule.epochs", s.schedule.position().epochsBefore);
  to.text("generator", numbers(rng()));
  to.text("generator.shuffled", numbers(s.shuffled));
  to.text("generator.pass", numbers(s.pass));
  to.text("elapsed", exact(s.elapsed));
  to.number("metrics", static_cast<Index>(s.info.metricNames.size()));
  to.table("first", s.first);
  to.table("second", s.second);
  if (options.solver == "lbfgs") writeLbfgs(s.lbfgs, to);
  to.number("best", s.best ? s.bestIteration : 0);
  if (s.best) {
    to.text("best.objective", exact(s.bestObjective));
    to.number("best.notBetter", s.notBetter);
    to.table("best/learnables", s.best->learnables());
    to.table("best/state", s.best->state());
  }
  writeHistory(s.info, to);
  const std::filesystem::path file =
      std::filesystem::path(options.checkpointPath) / fmt::format("net_checkpoint__{}.dlnet", s.iteration);
  io::saveNetworkWith(s.net, to.tensors, to.texts, {"trainnet", file.string(), where});
}

TrainingState loadCheckpoint(const TrainingOptions& options, const DlNetwork& net, Index observations,
                             const std::source_location& where) {
  const io::Task task{"trainnet", options.resumeFrom, where};
  const io::NetworkFile file = io::loadNetworkWith({.customLayers = net.layers()}, task);
  const Reader from{file, task};
  for (const auto& [key, value] : identity(options, observations))
    if (from.text(key) != value)
      fail(where, "trainnet:checkpoint", "trainnet: the training of {} has {} {}, this one {}; resume with the same", task.file,
           key, from.text(key), value);
  checkSameNetwork(file.net, net, task);
  TrainingState s;
  s.net = file.net;
  s.iteration = from.number("iteration");
  s.epoch = from.number("epoch");
  s.position = from.number("position");
  s.schedule = options.learnRateSchedule.withDrops(options.learnRateDropFactor, static_cast<double>(options.learnRateDropPeriod));
  s.schedule.setPosition({from.number("schedule.current"), from.number("schedule.iterations"), from.number("schedule.epochs")});
  s.shuffled = from.generator("generator.shuffled");
  s.pass = from.generator("generator.pass");
  s.elapsed = from.real("elapsed");
  const Learnables learnables = s.net.learnables();
  s.first = from.table("first", learnables);
  s.second = from.table("second", learnables);
  if (options.solver == "lbfgs") s.lbfgs = readLbfgs(from, options);
  if (const Index best = from.number("best"); best > 0) {
    s.best = s.net;
    s.best->setLearnables(from.table("best/learnables", learnables), where);
    s.best->setState(from.table("best/state", s.net.state()), where);
    s.bestObjective = from.real("best.objective");
    s.bestIteration = best;
    s.notBetter = from.number("best.notBetter");
  }
  for (const Metric& metric : options.metrics) s.info.metricNames.push_back(metric.name());
  if (from.number("metrics") != static_cast<Index>(s.info.metricNames.size()))
    fail(where, "trainnet:checkpoint", "trainnet: the training of {} has {} metrics, this one {}", task.file,
         from.text("metrics"), s.info.metricNames.size());
  readHistory(from, s.info);
  if (s.epoch < 0 || s.position < 0 || s.iteration != static_cast<Index>(s.info.trainingHistory.size()))
    fail(where, "trainnet:checkpoint", "trainnet: {} is damaged: iteration {}, epoch {}, {} iterations in the history", task.file,
         s.iteration, s.epoch, s.info.trainingHistory.size());
  rng(from.generator("generator"));
  return s;
}

}  // namespace dl::train
