#include "io/network_file.hpp"

#include "core/storage.hpp"
#include "io/option_json.hpp"
#include "layers/registry.hpp"
#include "network/network.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace dl::io {

namespace {

constexpr const char* networkKey = "dlarray.network";
constexpr const char* tableKey = "dlarray.table";
// No name of a layer holds ':' by agreement, so these names meet none of a parameter; if they should, saving says so.
constexpr const char* optionPrefix = "option:";
constexpr const char* extraPrefix = "extra:";

// ---- writing -------------------------------------------------------------------------------------------------------------

// One row of a table or parameter of a layer; values that are not there yet have no tensor.
Json entryJson(const std::string& name, const std::string& tensor, const DlArray& value, const ParameterFactors& factors,
               std::vector<NamedArray>& tensors) {
  Json entry = {{"name", name}, {"learnRate", factors.learnRate}, {"l2", factors.l2}, {"tensor", nullptr}};
  if (!(size(value) == Size{0, 0}) || !dims(value).empty()) {
    entry["tensor"] = tensor;
    tensors.push_back({tensor, value});
  }
  return entry;
}

class NetworkWriter {
 public:
  std::vector<NamedArray> tensors;

  // `prefix` is "" or the path of the layer that holds the network, with '/'.
  Json write(const DlNetwork& net, const std::string& prefix) {
    Json layers = Json::array(), connections = Json::array(), parameters = Json::array();
    for (const AnyLayer& layer : net.layers()) layers.push_back(ofLayer(layer, prefix + layer.name()));
    for (const Connection& c : net.connections()) connections.push_back({c.source, c.destination});
    const std::vector<network::Leaf>& leaves = NetworkAccess::leaves(net);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      Json entries = Json::array();
      for (const Parameters::Entry& e : NetworkAccess::parameters(net)[i].entries()) {
        Json entry = entryJson(e.name, prefix + leaves[i].path + "/" + e.name, e.value, e.factors, tensors);
        entry["state"] = e.isState;
        entries.push_back(std::move(entry));
      }
      if (!entries.empty()) parameters.push_back({{"layer", leaves[i].path}, {"entries", std::move(entries)}});
    }
    return {{"layers", std::move(layers)},
            {"connections", std::move(connections)},
            {"outputs", NetworkAccess::chosenOutputs(net)},
            {"parameters", std::move(parameters)},
            {"initialized", net.initialized()}};
  }

 private:
  Json ofLayer(const AnyLayer& layer, const std::string& path) {
    const OptionSink sink{[&](std::string_view option, const DlArray& value) {
                            tensors.push_back({optionPrefix + path + "/" + std::string(option), value});
                            return tensors.back().name;
                          },
                          [&](std::string_view, const DlNetwork& inner) { return write(inner, path + "/"); }};
    Json factors = Json::array();
    for (const Layer::Factor& factor : layer->factors) {
      Json entry = {{"parameter", factor.parameter}};
      if (factor.learnRate) entry["learnRate"] = *factor.learnRate;
      if (factor.l2) entry["l2"] = *factor.l2;
      factors.push_back(std::move(entry));
    }
    return {
        {"name", layer.name()}, {"type", layer->type()}, {"options", writeOptions(layer, sink)}, {"factors", std::move(factors)}};
  }
};

// ---- reading -------------------------------------------------------------------------------------------------------------

// The tensors of a file by their names, and the members of JSON objects, or a sentence that says what is missing.
class Contents {
 public:
  Contents(const Safetensors& file, const Task& task) : task_(task) {
    for (const NamedArray& tensor : file.tensors) byName_.emplace(tensor.name, &tensor.value);
  }

  const DlArray& array(const std::string& name) const {
    const auto found = byName_.find(name);
    if (found == byName_.end()) task_.fail("network", "its network refers to a tensor \"{}\" that it does not have", name);
    return *found->second;
  }

  const Json& member(const Json& object, const char* name, Json::value_t type, const char* of) const {
    if (object.is_object())
      if (const auto found = object.find(name); found != object.end() && found->type() == type) return *found;
    task_.fail("network", "{} {} without a good \"{}\"", of, object.is_object() ? "is described" : "is no object, and so", name);
  }
  const Json& list(const Json& object, const char* name, const char* of) const {
    return member(object, name, Json::value_t::array, of);
  }
  const std::string& text(const Json& object, const char* name, const char* of) const {
    return member(object, name, Json::value_t::string, of).get_ref<const std::string&>();
  }
  std::string text(const Json& value, const char* what) const {
    if (!value.is_string()) task_.fail("network", "{} is {}, not a text", what, value.dump());
    return value.get<std::string>();
  }

  // Factors are numbers from 0.
  double factor(const Json& entry, const char* name) const {
    const auto found = entry.find(name);
    if (found == entry.end() || !found->is_number() || found->get<double>() < 0)
      task_.fail("network", "a parameter is described without a good \"{}\"", name);
    return found->get<double>();
  }
  ParameterFactors factors(const Json& entry) const { return {factor(entry, "learnRate"), factor(entry, "l2")}; }
  DlArray value(const Json& entry) const {
    const auto found = entry.find("tensor");
    if (found == entry.end()) task_.fail("network", "a parameter is described without a \"tensor\"");
    return found->is_null() ? DlArray() : array(text(*found, "the tensor of a parameter"));
  }

  const Task& task() const noexcept { return task_; }

 private:
  const Task& task_;
  std::map<std::string_view, const DlArray*> byName_;
};

class NetworkReader {
 public:
  NetworkReader(const Contents& contents, const std::vector<AnyLayer>& customLayers)
      : contents_(contents), task_(contents.task()), custom_(customLayers) {}

  DlNetwork read(const Json& json, const std::string& prefix) const {
    std::vector<AnyLayer> layers;
    for (const Json& layer : contents_.list(json, "layers", "its network")) layers.push_back(layerOf(layer, prefix));
    std::vector<Connection> connections;
    for (const Json& c : contents_.list(json, "connections", "its network")) {
      if (!c.is_array() || c.size() != 2) task_.fail("network", "a connection is {}, not a source and a destination", c.dump());
      connections.push_back({contents_.text(c[0], "a source"), contents_.text(c[1], "a destination")});
    }
    std::vector<std::string> outputs;
    for (const Json& output : contents_.list(json, "outputs", "its network"))
      outputs.push_back(contents_.text(output, "an output"));
    const bool initialized = contents_.member(json, "initialized", Json::value_t::boolean, "its network").get<bool>();
    DlNetwork net = joined(std::move(layers), std::move(connections), outputs);
    fill(net, contents_.list(json, "parameters", "its network"));
    NetworkAccess::own(net).initialized = initialized;
    return net;
  }

 private:
  // The graph compiled: what it complains about is damage, too.
  DlNetwork joined(std::vector<AnyLayer> layers, std::vector<Connection> connections,
                   const std::vector<std::string>& outputs) const {
    try {
      network::throwIssues(network::nameProblems(layers), "network:name", {task_.function, {}});
      const LayerGraph graph = GraphAccess::make(std::move(layers), std::move(connections));
      return NetworkAccess::build(graph, outputs, {}, false, {task_.function, {}});
    } catch (const Error& e) {
      std::string sentence = e.what();
      if (const std::string start = std::string(task_.function) + ": "; sentence.starts_with(start))
        sentence.erase(0, start.size());
      task_.fail("network", "its layers do not fit each other: {}", sentence);
    }
  }

  void fill(DlNetwork& net, const Json& parameters) const {
    const std::vector<network::Leaf>& leaves = NetworkAccess::leaves(net);
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < leaves.size(); ++i) places.emplace(leaves[i].path, i);
    std::vector<Parameters> values(leaves.size());
    for (const Json& of : parameters) {
      const std::string& path = contents_.text(of, "layer", "a parameter");
      const auto place = places.find(path);
      if (place == places.end()) task_.fail("network", "it has parameters of a layer \"{}\", and no such layer", path);
      for (const Json& entry : contents_.list(of, "entries", "a parameter")) {
        const std::string& name = contents_.text(entry, "name", "a parameter");
        if (values[place->second].has(name)) task_.fail("network", "layer \"{}\" has two parameters \"{}\"", path, name);
        const bool state = contents_.member(entry, "state", Json::value_t::boolean, "a parameter").get<bool>();
        values[place->second].entries().push_back({name, contents_.value(entry), contents_.factors(entry), state});
      }
    }
    NetworkAccess::own(net).parameters = std::move(values);
  }

  AnyLayer layerOf(const Json& json, const std::string& prefix) const {
    const std::string &name = contents_.text(json, "name", "a layer"), &type = contents_.text(json, "type", "a layer"),
                      path = prefix + name;
    const Json& options = contents_.member(json, "options", Json::value_t::object, "a layer");
    const OptionSource source{[&](const std::string& tensor) { return contents_.array(tensor); },
                              [&](std::string_view, const Json& inner) { return read(inner, path + "/"); }};
    std::vector<Layer::Factor> factors;
    for (const Json& entry : contents_.list(json, "factors", "a layer")) {
      Layer::Factor factor{contents_.text(entry, "parameter", "a factor"), {}, {}};
      if (entry.contains("learnRate")) factor.learnRate = contents_.factor(entry, "learnRate");
      if (entry.contains("l2")) factor.l2 = contents_.factor(entry, "l2");
      factors.push_back(std::move(factor));
    }
    return readOptions(startingFrom(name, type, path), options, source, path, task_)
        .changed([&](Layer& layer) {
          layer.name = name;
          layer.factors = factors;
        })
        .named(name);
  }

  AnyLayer startingFrom(const std::string& name, const std::string& type, const std::string& path) const {
    const auto byName = [&](const std::string& wanted) { return std::ranges::find(custom_, wanted, &AnyLayer::name); };
    auto found = byName(path);
    if (found == custom_.end()) found = byName(name);
    if (found != custom_.end()) {
      if ((*found)->type() != type)
        task_.fail("layer", "layer \"{}\" is of type {}; the layer of this name in .customLayers is of type {}", path, type,
                   (*found)->type());
      return *found;
    }
    if (type == "NetworkLayer") return networkLayer(DlNetwork());
    if (std::optional<AnyLayer> known = layers::layerOfType(type)) return *known;
    const auto ofType = [&](const AnyLayer& layer) { return layer->type() == type; };
    const auto count = std::ranges::count_if(custom_, ofType);
    if (count == 1) return *std::ranges::find_if(custom_, ofType);
    if (count > 1)
      task_.fail("layer", "layer \"{}\" is of type {}, and {} of .customLayers are; give the right one this name", path, type,
                 count);
    task_.fail("layer", "layer \"{}\" is of type {}, which the library does not know; pass such a layer in .customLayers", path,
               type);
  }

  const Contents& contents_;
  const Task& task_;
  const std::vector<AnyLayer>& custom_;
};

}  // namespace

void saveNetworkWith(const DlNetwork& net, const std::vector<NamedArray>& extraTensors, const Metadata& extraMetadata,
                     const Task& task) {
  NetworkWriter writer;
  Metadata metadata = {{networkKey, textOf(writer.write(net, ""), task)}};
  for (const auto& [key, text] : extraMetadata) metadata.emplace_back(extraPrefix + key, text);
  for (const NamedArray& extra : extraTensors) writer.tensors.push_back({extraPrefix + extra.name, extra.value});
  writeSafetensors(writer.tensors, metadata, task);
}

NetworkFile loadNetworkWith(const LoadNetworkOptions& options, const Task& task) {
  const Safetensors file = readSafetensors(task);
  const std::string* text = findKey(file.metadata, networkKey);
  if (!text)
    task.fail("network", "this safetensors file holds {} arrays, but no network; loadSafetensors reads them",
              file.tensors.size());
  const std::string_view prefix = extraPrefix;
  NetworkFile result;
  const Contents contents(file, task);
  result.net = NetworkReader(contents, options.customLayers).read(parseJson(*text, "its network", task), "");
  for (const NamedArray& tensor : file.tensors)
    if (tensor.name.starts_with(prefix)) result.extraTensors.push_back({tensor.name.substr(prefix.size()), tensor.value});
  for (const auto& [key, value] : file.metadata)
    if (key.starts_with(prefix)) result.extraMetadata.emplace_back(key.substr(prefix.size()), value);
  return result;
}

}  // namespace dl::io

namespace dl {

void save(const DlNetwork& net, const std::string& file, std::source_location where) {
  io::saveNetworkWith(net, {}, {}, {"save", file, where});
}

DlNetwork loadNetwork(const std::string& file, const LoadNetworkOptions& options, std::source_location where) {
  return io::loadNetworkWith(options, {"loadNetwork", file, where}).net;
}

void save(const ParameterTable& table, const std::string& file, std::source_location where) {
  const io::Task task{"save", file, where};
  std::vector<NamedArray> tensors;
  io::Json rows = io::Json::array();
  for (const ParameterTable::Row& row : table) {
    io::Json entry = io::entryJson(row.parameter, row.layer + "/" + row.parameter, row.value, row.factors, tensors);
    entry["layer"] = row.layer;
    rows.push_back(std::move(entry));
  }
  io::writeSafetensors(tensors, {{io::tableKey, io::textOf(rows, task)}}, task);
}

ParameterTable loadLearnables(const std::string& file, std::source_location where) {
  const io::Task task{"loadLearnables", file, where};
  const Safetensors read = io::readSafetensors(task);
  const io::Contents contents(read, task);
  ParameterTable table;
  const std::string* text = io::findKey(read.metadata, io::tableKey);
  if (!text) {
    for (const NamedArray& tensor : read.tensors) {
      const std::size_t slash = tensor.name.find_last_of('/');
      const bool cut = slash != std::string::npos;
      table.push_back(
          {cut ? tensor.name.substr(0, slash) : "", cut ? tensor.name.substr(slash + 1) : tensor.name, tensor.value, {}});
    }
    return table;
  }
  const io::Json rows = io::parseJson(*text, "its table", task);
  if (!rows.is_array()) task.fail("network", "its table is no list");
  for (const io::Json& row : rows)
    table.push_back(
        {contents.text(row, "layer", "a row"), contents.text(row, "name", "a row"), contents.value(row), contents.factors(row)});
  return table;
}

}  // namespace dl
