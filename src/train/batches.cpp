#include "train/batches.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "network/network.hpp"

#include <dlarray/ops/shape.hpp>

#include <algorithm>

namespace dl::train {

namespace {

// Sequences with a target each; they are padded when a mini-batch is made of them.
struct SequenceSource final : DatastoreSource {
  std::vector<DlArray> sequences, targets;
  Index size() const override { return static_cast<Index>(sequences.size()); }
  std::vector<DlArray> read(Index i) const override {
    return {sequences[static_cast<std::size_t>(i)], targets[static_cast<std::size_t>(i)]};
  }
};

bool hasTime(std::string_view format) { return format.find('T') != std::string_view::npos; }

// The label of the dimension that counts observations; its number in an array without labels.
Dimensions observationDimension(const DlArray& x, std::string_view format) {
  if (Storage::shape(x).format.labelled()) return 'B';
  const auto at = format.find('B');
  return at == std::string_view::npos ? ndims(x) - 1 : static_cast<Index>(at);
}

// The labels of a target that come without any: by the number of its dimensions, as in MATLAB.
std::string targetFormat(const DlArray& t, bool sequence, Index observations) {
  switch (ndims(t)) {
    case 2:
      // A row of as many numbers as there are observations is taken for a column.
      return size(t, 0) != observations && size(t, 1) == observations ? "CB" : "BC";
    case 3:
      return sequence ? "TCB" : "SCB";
    case 4:
      return "SSCB";
    default:
      return "SSSCB";
  }
}

}  // namespace

std::vector<std::string> inputFormats(const DlNetwork& net) {
  std::vector<std::string> formats;
  for (const DataLayout* layout : NetworkAccess::of(net).structure->inputLayouts)
    formats.push_back(layout ? layout->format() : std::string());
  return formats;
}

std::string unlabelledOrder(std::string_view format) {
  const auto count = [&](char label) { return std::string(static_cast<std::size_t>(std::ranges::count(format, label)), label); };
  const std::string S = count('S'), C = count('C'), B = count('B'), T = count('T'), U = count('U');
  if (S.empty()) return T.empty() ? B + C + U : T + C + B + U;
  return S + C + T + B + U;
}

Batches::Batches(const TrainingData& data, const std::vector<std::string>& inputs, const ReadingOptions& options,
                 const char* function, const std::source_location& where)
    : inputFormats_(inputs), function_(function), where_(where), borrowed_(data.queue()) {
  for (std::size_t i = 0; i < inputFormats_.size() && i < options.inputFormats.size(); ++i)
    inputFormats_[i] = options.inputFormats[i];
  if (borrowed_) return;
  if (data.sequences())
    owned_ = fromSequences(data, options);
  else if (data.datastore().source())
    owned_ = fromDatastore(data.datastore(), options);
  else
    owned_ = fromArrays(data, options);
}

MiniBatchQueueOptions Batches::queueOptions(const ReadingOptions& options, Index observations) const {
  MiniBatchQueueOptions made;
  made.miniBatchSize = std::clamp<Index>(options.miniBatchSize, 1, std::max<Index>(observations, 1));
  made.partialMiniBatch = options.discardRest ? "discard" : "return";
  made.preprocessingEnvironment = options.environment;
  return made;
}

MiniBatchQueue Batches::fromArrays(const TrainingData& data, const ReadingOptions& options) {
  std::vector<Datastore> stores;
  std::vector<std::string> formats;
  Index observations = -1;
  bool sequence = false;
  const auto add = [&](const DlArray& x, std::string format) {
    if (Storage::shape(x).format.labelled()) format = dims(x);
    if (format.find('B') == std::string::npos)
      fail(where_, "trainnet:format",
           "{}: the labels \"{}\" of data of {} name no dimension B for observations; label the data, or give formats with a B",
           function_, format, describe(x));
    const Datastore store = arrayDatastore(x, {.iterationDimension = observationDimension(x, format)});
    if (observations < 0) observations = store.size();
    if (store.size() != observations)
      fail(where_, "trainnet:observations", "{}: {} observations in one array, {} in {} labelled {}", function_, observations,
           store.size(), describe(x), format);
    stores.push_back(store);
    formats.push_back(std::move(format));
  };
  for (std::size_t i = 0; i < data.inputs().size(); ++i) {
    const bool given = i < options.inputFormats.size();
    const std::string format = i < inputFormats_.size() ? inputFormats_[i] : "";
    add(data.inputs()[i], given ? format : unlabelledOrder(format));
    sequence = sequence || hasTime(formats.back());
  }
  for (std::size_t i = 0; i < data.targets().size(); ++i)
    add(data.targets()[i],
        i < options.targetFormats.size() ? options.targetFormats[i] : targetFormat(data.targets()[i], sequence, observations));
  MiniBatchQueueOptions made = queueOptions(options, observations);
  made.miniBatchFormat = std::move(formats);
  return minibatchqueue(stores.size() == 1 ? stores[0] : combine(stores, where_), std::move(made), where_);
}

MiniBatchQueue Batches::fromSequences(const TrainingData& data, const ReadingOptions& options) {
  SequenceSource source;
  source.sequences = data.inputs();
  const Index n = source.size();
  const bool listed = data.targets().size() != 1 || n == 1;
  if (data.targets().empty()) {
    source.targets.resize(source.sequences.size());
  } else if (listed) {
    source.targets = data.targets();
  } else {
    const Datastore rows = arrayDatastore(data.targets()[0], {.iterationDimension = 0});
    for (Index i = 0; i < rows.size(); ++i) source.targets.push_back(rows.read(i)[0]);
  }
  if (source.targets.size() != source.sequences.size())
    fail(where_, "trainnet:observations", "{}: {} sequences and {} targets", function_, n, source.targets.size());
  const bool sequenceTargets =
      listed && !data.targets().empty() && std::ranges::any_of(source.targets, [](const DlArray& t) { return size(t, 0) > 1; });
  // Sequences of images have their time behind height, width and channels.
  const bool images = n > 0 && ndims(source.sequences[0]) > 2;
  const std::string order = !options.inputFormats.empty()      ? options.inputFormats[0]
                            : images && !inputFormats_.empty() ? unlabelledOrder(inputFormats_[0])
                                                               : "TCB";
  const auto time = static_cast<Index>(hasTime(order) ? order.find('T') : 0);
  const auto pad = [padding = options.padding, sequenceTargets, time,
                    none = data.targets().empty()](const MiniBatchFunction::Observations& observations) {
    std::vector<DlArray> batch{padsequences(observations[0], time, padding)};
    if (none) return batch;
    if (sequenceTargets)
      batch.push_back(padsequences(observations[1], 0, padding));
    else
      batch.push_back(cat(0, observations[1]));
    return batch;
  };
  MiniBatchQueueOptions made = queueOptions(options, n);
  made.miniBatchFcn = pad;
  made.miniBatchFormat = {order};
  if (!data.targets().empty())
    made.miniBatchFormat.push_back(!options.targetFormats.empty() ? options.targetFormats[0] : sequenceTargets ? "TCB" : "BC");
  return minibatchqueue(Datastore(std::move(source)), std::move(made), where_);
}

std::string Batches::formatOf(std::size_t variable, const Size& observation, const ReadingOptions& options) const {
  const bool input = variable < inputFormats_.size();
  const auto& given = input ? options.inputFormats : options.targetFormats;
  const std::size_t place = input ? variable : variable - inputFormats_.size();
  if (place < given.size()) return given[place];
  const std::string known = input ? inputFormats_[variable] : "";
  const bool sequence = hasTime(input ? known : inputFormats_.empty() ? "" : inputFormats_[0]);
  if (observation.size() == 2 && (known.empty() || known == "CB")) {
    if (observation[0] == 1) return "BC";
    return !input && sequence && observation[1] > 1 ? "TCB" : "CB";
  }
  if (!known.empty()) return unlabelledOrder(known);
  return observation.size() == 3 ? "SSCB" : "SSSCB";
}

MiniBatchQueue Batches::fromDatastore(const Datastore& ds, const ReadingOptions& options) {
  MiniBatchQueueOptions made = queueOptions(options, ds.size());
  if (ds.size() > 0) {
    const std::vector<DlArray> first = preview(ds, where_);
    for (std::size_t v = 0; v < first.size(); ++v) made.miniBatchFormat.push_back(formatOf(v, size(first[v]), options));
  }
  return minibatchqueue(ds, std::move(made), where_);
}

void Batches::expectSome() const {
  if (observations() == 0) fail(where_, "trainnet:data", "{}: the data has no observations", function_);
  // Only a queue of the user's can be so.
  if (count() == 0)
    fail(where_, "trainnet:data",
         "{}: {} observations fill no mini-batch of {}; take smaller ones, or partialMiniBatch = \"return\"", function_,
         observations(), queue().options().miniBatchSize);
}

Batch Batches::next() {
  std::vector<DlArray> arrays = queue().next(where_);
  const std::size_t inputs = std::max<std::size_t>(inputFormats_.size(), 1);
  if (arrays.size() < inputs)
    fail(where_, "trainnet:inputs", "{}: the data has {} variables, the network {} inputs", function_, arrays.size(), inputs);
  Batch batch;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    // A queue of the user's may have no formats.
    if (!Storage::shape(arrays[i]).format.labelled()) {
      const bool input = i < inputs;
      const std::string format = input ? unlabelledOrder(inputFormats_.empty() ? "" : inputFormats_[i])
                                       : targetFormat(arrays[i], false, size(arrays[i], 0));
      if (!format.empty()) arrays[i] = dlarray(arrays[i], format);
    }
    (i < inputs ? batch.inputs : batch.targets).push_back(std::move(arrays[i]));
  }
  return batch;
}

}  // namespace dl::train
