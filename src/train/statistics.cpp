#include "train/statistics.hpp"

#include "core/storage.hpp"
#include "layers/input.hpp"

#include <dlarray/ops/compare.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>

namespace dl::train {

namespace {

// The labels that a statistic is taken over: all but those that it has a number for.
std::string reducedLabels(const DlArray& x, std::string_view dimension) {
  const std::string kept = dimension == "all" ? "" : dimension == "element" ? "SC" : "C";
  std::string labels;
  for (const char label : dims(x))
    if (kept.find(label) == std::string::npos && labels.find(label) == std::string::npos) labels += label;
  return labels;
}

// Mean, spread and range of all that it was shown; means by the update of Chan, Golub and LeVeque.
struct Summary {
  double count = 0;
  DlArray mean, spread, least, most;

  void add(const DlArray& single, std::string_view dimension) {
    const DlArray x = double_(single);
    const std::string over = reducedLabels(x, dimension);
    const auto reduced = [&](const auto& f) { return over.empty() ? x : f(x, Dimensions(over)); };
    const DlArray batchMean = reduced([](const DlArray& a, const Dimensions& d) { return dl::mean(a, d); });
    const double n = static_cast<double>(numel(x)) / static_cast<double>(numel(batchMean));
    const DlArray square = pow(x - batchMean, 2);
    const DlArray batchSpread = over.empty() ? square : sum(square, Dimensions(over));
    const DlArray low = reduced([](const DlArray&a, const Dimensions&d) { return min(a, {}, d); }),
                  high = reduced([](const DlArray&a, const Dimensions&d) { return max(a, {}, d); });
    if (count == 0) {
      mean = batchMean, spread = batchSpread, least = low, most = high;
    } else {
      const DlArray delta = batchMean - mean;
      mean = mean + delta * (n / (count + n));
      spread = spread + batchSpread + pow(delta, 2) * (count * n / (count + n));
      least = min(least, low);
      most = max(most, high);
    }
    count += n;
  }
  DlArray value(std::string_view name) const {
    const DlArray& v = name == "mean" ? mean : name == "min" ? least : name == "max" ? most : spread;
    // A channel that never changes is not divided by 0.
    if (name != "standardDeviation") return single_(v);
    const DlArray deviation = sqrt(spread / count);
    return single_(deviation + (deviation == 0));
  }
};

}  // namespace

DlNetwork withInputStatistics(const DlNetwork& net, Batches& batches, bool reset, const std::source_location& where) {
  struct Wanted {
    std::size_t input;
    AnyLayer layer;
    Summary summary;
  };
  std::vector<Wanted> all;
  const std::vector<std::string>& inputs = net.inputNames();
  for (const AnyLayer& layer : net.layers()) {
    const auto* input = dynamic_cast<const layers::InputLayer*>(&*layer);
    if (!input || input->statistics().empty() || !(reset || input->statisticsMissing())) continue;
    const auto at = std::ranges::find(inputs, layer.name());
    if (at != inputs.end()) all.push_back({static_cast<std::size_t>(at - inputs.begin()), layer, {}});
  }
  if (all.empty()) return net;
  batches.restart();
  while (batches.hasNext()) {
    const Batch batch = batches.next();
    for (Wanted& each : all)
      each.summary.add(batch.inputs[each.input], static_cast<const layers::InputLayer&>(*each.layer).normalizationDimension());
  }
  DlNetwork result = net;
  for (const Wanted& each : all) {
    const AnyLayer changed = each.layer.changed([&](Layer& l) {
      auto& input = static_cast<layers::InputLayer&>(l);
      for (const std::string& name : input.statistics()) input.setStatistic(name, stripdims(each.summary.value(name)));
    });
    result = replaceLayer(result, each.layer.name(), {changed}, {}, where);
  }
  return result;
}

void setPopulationStatistics(DlNetwork& net, Batches& batches) {
  const NetworkState start = net.state();
  const auto isMean = [](const auto& row) { return row.parameter == "TrainedMean"; };
  const auto isVariance = [](const auto& row) { return row.parameter == "TrainedVariance"; };
  if (std::ranges::none_of(start, isMean)) return;
  // A running value moves by a fixed part towards the batch's. From zeros that part is all there is; what ones become tells the
  // part.
  const auto withAll = [&](double value) {
    NetworkState state = start;
    for (auto& row : state)
      if (isMean(row) || isVariance(row)) row.value = 0 * row.value + value;
    DlNetwork other = net;
    other.setState(state);
    return other;
  };
  const DlNetwork fromZeros = withAll(0), fromOnes = withAll(1);
  std::vector<DlArray> kept, means(start.size()), squares(start.size());
  const auto moves = [&](std::size_t i) { return numel(kept[i]) > 0 && double(min(kept[i], {}, "all")) < 1; };
  double total = 0;
  batches.restart();
  while (batches.hasNext()) {
    const Batch batch = batches.next();
    const auto after = [&](const DlNetwork& from) { return std::get<NetworkState>(forward(from, batch.inputs)); };
    const NetworkState zero = after(fromZeros);
    if (kept.empty()) {
      const NetworkState one = after(fromOnes);
      for (std::size_t i = 0; i < start.size(); ++i)
        kept.push_back(isMean(start[i]) || isVariance(start[i]) ? double_(one[i].value) - double_(zero[i].value) : DlArray());
    }
    const auto n = static_cast<double>(batch.inputs.empty() ? 1 : size(batch.inputs[0], "B"));
    total += n;
    for (std::size_t i = 0; i < start.size(); ++i) {
      if (!moves(i)) continue;  // its decay is 0: it stays
      const DlArray now = double_(zero[i].value) / (1 - kept[i]);
      means[i] = numel(means[i]) == 0 ? n * now : means[i] + n * now;
      // The mean stands before its layer's variance; the variance of all is the mean of variances and the variance of means.
      if (isMean(start[i])) squares[i] = numel(squares[i]) == 0 ? n * pow(now, 2) : squares[i] + n * pow(now, 2);
    }
  }
  if (total == 0) return;
  NetworkState result = start;
  for (std::size_t i = 0; i < start.size(); ++i) {
    if (!moves(i)) continue;
    if (isMean(start[i])) result[i].value = cast(means[i] / total, underlyingType(start[i].value));
    if (!isVariance(start[i])) continue;
    const auto mean = std::ranges::find_if(start, [&](const auto& row) { return isMean(row) && row.layer == start[i].layer; });
    const auto k = static_cast<std::size_t>(mean - start.begin());
    if (mean == start.end() || !moves(k)) continue;
    const DlArray between = squares[k] / total - pow(means[k] / total, 2);
    result[i].value = cast(means[i] / total + between, underlyingType(start[i].value));
  }
  net.setState(result);
}

}  // namespace dl::train
