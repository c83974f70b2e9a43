#include <dlarray/train/trainnet.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "train/loop.hpp"

#include <dlarray/ops/shape.hpp>

#include <algorithm>

namespace dl {

namespace {

using namespace train;

// The layers as a network that need not be initialised yet.
DlNetwork untrained(const LayerGraph& graph, const std::source_location& where) {
  return dlnetwork(graph, DlnetworkOptions{.initialize = false}, where);
}

// A network's output as plain arrays come: N x classes, t x c x N, h x w x c x N; or in the order of a format.
DlArray plain(const DlArray& y, std::string_view format) {
  const std::string labels = dims(y);
  if (labels.empty()) return y;
  const std::string order = format.empty() ? unlabelledOrder(labels) : std::string(format);
  std::vector<Index> dimensions;
  std::vector<bool> taken(labels.size(), false);
  for (const char label : order)
    for (std::size_t d = 0; d < labels.size(); ++d)
      if (labels[d] == label && !taken[d]) {
        taken[d] = true;
        dimensions.push_back(static_cast<Index>(d));
        break;
      }
  if (dimensions.size() != labels.size()) return stripdims(y);
  return permute(stripdims(y), dimensions);
}

}  // namespace

void TrainingLoss::failCount(std::size_t given, std::size_t taken) {
  fail({}, "trainnet:loss", "trainnet: the loss function takes {} arrays; outputs and targets are {}", taken, given);
}

TrainingNetwork::TrainingNetwork(const LayerGraph& graph, std::source_location where) : net_(untrained(graph, where)) {}
TrainingNetwork::TrainingNetwork(const std::vector<AnyLayer>& layers, std::source_location where)
    : net_(untrained(layerGraph(layers, where), where)) {}
TrainingNetwork::TrainingNetwork(std::initializer_list<AnyLayer> layers, std::source_location where)
    : TrainingNetwork(std::vector<AnyLayer>(layers), where) {}

TrainingLoss::TrainingLoss(const char* name) : name_(name) {}
TrainingLoss::TrainingLoss(std::string name) : name_(std::move(name)) {}
TrainingLoss::Arrays TrainingLoss::joined(const Arrays& y, const Arrays& t) {
  Arrays both = y;
  both.insert(both.end(), t.begin(), t.end());
  return both;
}

DlNetwork detail::train(const TrainingData& data, const TrainingNetwork& net, const TrainingLoss& loss,
                        const TrainingOptions& options, TrainingInfo* info, const std::source_location& where) {
  train::check(options, "trainnet", where);
  auto [trained, how] = Trainer(data, net.net(), loss, options, where).run();
  if (info) *info = std::move(how);
  return trained;
}

MetricValues::MetricValues(std::vector<double> values) : std::vector<double>(std::move(values)) {}
MetricValues::operator double() const {
  if (size() != 1) fail({}, "testnet:values", "testnet: {} values are no number; take one of them by []", size());
  return front();
}

std::vector<double> testnet(const DlNetwork& net, const TrainingData& data, const std::vector<Metric>& metrics,
                            const TestnetOptions& o, std::source_location where) {
  checkEnvironment(o.executionEnvironment, o.acceleration, "testnet", where);
  checkMiniBatchSize(o.miniBatchSize, "testnet", where);
  if (data.empty()) fail(where, "testnet:data", "testnet: there is no data");
  const KeepGenerator keep;
  Batches batches(
      data, inputFormats(net),
      {.miniBatchSize = o.miniBatchSize,
       .inputFormats = o.inputDataFormats,
       .targetFormats = o.targetDataFormats,
       .padding = {.length = o.sequenceLength, .direction = o.sequencePaddingDirection, .paddingValue = o.sequencePaddingValue},
       .environment = o.preprocessingEnvironment},
      "testnet", where);
  batches.expectSome();
  std::vector<Metric> own = metrics;
  for (Metric& metric : own) metric.reset();
  batches.restart();
  while (batches.hasNext()) {
    const Batch batch = batches.next();
    const std::vector<DlArray> outputs = predict(net, batch.inputs, {}, where);
    for (Metric& metric : own) metric.accumulate(outputs, batch.targets, where);
  }
  std::vector<double> values;
  for (const Metric& metric : own) values.push_back(metric.value());
  return values;
}

double testnet(const DlNetwork& net, const TrainingData& data, const Metric& metric, const TestnetOptions& options,
               std::source_location where) {
  return testnet(net, data, std::vector<Metric>{metric}, options, where).front();
}
MetricValues testnet(const DlNetwork& net, const TrainingData& data, std::initializer_list<Metric> metrics,
                     const TestnetOptions& options, std::source_location where) {
  return MetricValues(testnet(net, data, std::vector<Metric>(metrics), options, where));
}
MetricValues testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, std::initializer_list<Metric> metrics,
                     const TestnetOptions& options, std::source_location where) {
  return testnet(net, TrainingData(X, T), metrics, options, where);
}
double testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, const Metric& metric, const TestnetOptions& options,
               std::source_location where) {
  return testnet(net, TrainingData(X, T), metric, options, where);
}
std::vector<double> testnet(const DlNetwork& net, const DlArray& X, const DlArray& T, const std::vector<Metric>& metrics,
                            const TestnetOptions& options, std::source_location where) {
  return testnet(net, TrainingData(X, T), metrics, options, where);
}

std::vector<DlArray> detail::predictAll(const DlNetwork& net, const Datastore* ds, MiniBatchQueue* queue,
                                        const std::vector<DlArray>& inputs, bool sequences, const MinibatchpredictOptions& o,
                                        std::size_t wanted, const std::source_location& where) {
  checkEnvironment(o.executionEnvironment, o.acceleration, "minibatchpredict", where);
  checkMiniBatchSize(o.miniBatchSize, "minibatchpredict", where);
  const KeepGenerator keep;
  TrainingData data = ds          ? TrainingData(*ds)
                      : queue     ? TrainingData(*queue)
                      : sequences ? TrainingData(inputs, std::vector<DlArray>())
                                  : TrainingData::inputsOnly(inputs);
  Batches batches(
      data, inputFormats(net),
      {.miniBatchSize = o.miniBatchSize,
       .inputFormats = o.inputDataFormats,
       .targetFormats = {},
       .padding = {.length = o.sequenceLength, .direction = o.sequencePaddingDirection, .paddingValue = o.sequencePaddingValue},
       .environment = o.preprocessingEnvironment},
      "minibatchpredict", where);
  batches.expectSome();
  std::vector<std::vector<DlArray>> parts;
  batches.restart();
  while (batches.hasNext()) {
    std::vector<DlArray> outputs = predict(net, batches.next().inputs, {.outputs = o.outputs}, where);
    parts.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) parts[i].push_back(std::move(outputs[i]));
  }
  if (parts.size() < wanted)
    fail(where, "minibatchpredict:outputs", "minibatchpredict: {} outputs are wanted, there are {}", wanted, parts.size());
  std::vector<DlArray> whole;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool labelled = dims(parts[i][0]).find('B') != std::string::npos;
    const DlArray y = parts[i].size() == 1
                          ? parts[i][0]
                          : cat(labelled ? Dimensions('B') : Dimensions(ndims(parts[i][0]) - 1), parts[i], where);
    whole.push_back(plain(y, i < o.outputDataFormats.size() ? o.outputDataFormats[i] : ""));
  }
  return whole;
}

}  // namespace dl
