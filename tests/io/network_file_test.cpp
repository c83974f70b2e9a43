// Networks in files: what is saved comes back the same, and what is damaged or foreign is named.
#include "harness/mistake.hpp"
#include "io/folder.hpp"
#include "io/network_file.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::Folder;
using dl::test::mistake;
using dl::test::textOf;
using dl::test::write;

namespace {

// A layer of one's own with a learnable, a state that training changes, and options.
struct Scale : Layer {
  double start = 2;
  DlArray offset;

  std::string type() const override { return "Scale"; }
  std::string stem() const override { return "scale"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& in) const override {
    p.learnable("Scale", start * single_(rand(in[0].size("C"), 1)), {.learnRate = 3, .l2 = 0.5});
    p.state("Count", 0.0f);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    const DlArray Y = X[0] % dlarray(p["Scale"], "C");
    return {isempty(offset) ? Y : Y + dlarray(offset, "C")};
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    newState.state("Count", p["Count"] + 1);
    return predict(X, p);
  }
  void options(OptionVisitor& visit) override {
    visit("start", start);
    visit("offset", offset);
  }
};

AnyLayer scale(std::string name, double start = 2, DlArray offset = {}) {
  Scale layer;
  layer.name = std::move(name);
  layer.start = start;
  layer.offset = std::move(offset);
  return layer;
}

const LoadNetworkOptions withScale{.customLayers = {Scale()}};

DlNetwork example() {
  rng(11);
  return dlnetwork({imageInputLayer({6, 6, 2}, {.name = "in", .mean = dlarray(rand(1, 2))}),
                    convolution2dLayer(3, 4, {.name = "conv", .padding = "same", .weightLearnRateFactor = 2}), scale("scale", 5),
                    maxPooling2dLayer(2, {.stride = 2}), fullyConnectedLayer(3, {.name = "fc", .weightsInitializer = "he"})});
}

void requireSame(const ParameterTable& a, const ParameterTable& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(a[i].layer == b[i].layer);
    BOOST_TEST(a[i].parameter == b[i].parameter);
    BOOST_TEST(isequaln(a[i].value, b[i].value));
    BOOST_TEST((underlyingType(a[i].value) == underlyingType(b[i].value) && dims(a[i].value) == dims(b[i].value)));
    BOOST_TEST(a[i].factors.learnRate == b[i].factors.learnRate);
    BOOST_TEST(a[i].factors.l2 == b[i].factors.l2);
  }
}

void requireSame(const DlNetwork& a, const DlNetwork& b) {
  BOOST_TEST(a.layers().size() == b.layers().size());
  for (std::size_t i = 0; i < a.layers().size(); ++i) BOOST_TEST(a.layers()[i].name() == b.layers()[i].name());
  BOOST_TEST((a.connections() == b.connections()));
  BOOST_TEST(a.inputNames() == b.inputNames());
  BOOST_TEST(a.outputNames() == b.outputNames());
  BOOST_TEST(a.initialized() == b.initialized());
  requireSame(a.learnables(), b.learnables());
  requireSame(a.state(), b.state());
}

DlNetwork saved(const Folder& folder, const DlNetwork& net, const LoadNetworkOptions& options = withScale) {
  save(net, folder / "net.dlnet");
  return loadNetwork(folder / "net.dlnet", options);
}

// The architecture in a file, and a file with another.
std::string architecture(const std::string& file) {
  for (const auto& [key, text] : loadSafetensors(file).metadata)
    if (key == "dlarray.network") return text;
  return "";
}
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from << " in " << text);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_network_comes_back_and_computes_the_same) {
  const Folder folder;
  DlNetwork net = example();
  const DlArray X = dlarray(single_(rand(Size{6, 6, 2, 3})), "SSCB");
  auto [Y, state] = forward(net, X);
  net.setState(state);
  const DlNetwork back = saved(folder, net);
  requireSame(net, back);
  BOOST_TEST(double(back.state()("scale/Count")) == 1.0);
  BOOST_TEST(isequal(predict(back, X), predict(net, X)));
  BOOST_TEST(isequal(net, back));
  // Saved again, it is the same file, byte for byte.
  save(back, folder / "again.dlnet");
  BOOST_TEST((textOf(folder / "again.dlnet") == textOf(folder / "net.dlnet")));
  BOOST_TEST(folder.names().size() == 2U);
}

BOOST_AUTO_TEST_CASE(factors_and_options_survive) {
  const Folder folder;
  DlNetwork net = setLearnRateFactor(example(), "conv", "Weights", 0);
  net = setL2Factor(net, "fc", "Bias", 0.25);
  const DlNetwork back = saved(folder, net);
  requireSame(net, back);
  BOOST_TEST(getLearnRateFactor(back, "conv", "Weights") == 0.0);
  BOOST_TEST(getL2Factor(back, "fc", "Bias") == 0.25);
  BOOST_TEST(getLearnRateFactor(back, "scale", "Scale") == 3.0);
  BOOST_TEST(static_cast<const Scale&>(*getLayer(back, "scale")).start == 5.0);
}

BOOST_AUTO_TEST_CASE(networks_without_values_and_empty_ones_come_back) {
  const Folder folder;
  const DlNetwork bare =
      dlnetwork({fullyConnectedLayer(4, {.name = "fc"}), scale("scale")}, DlnetworkOptions{.initialize = false});
  const DlNetwork back = saved(folder, bare);
  requireSame(bare, back);
  BOOST_TEST(!back.initialized());
  BOOST_TEST(initialize(back, dlarray(single_(rand(3, 1)), "CB")).initialized());
  requireSame(DlNetwork(), saved(folder, DlNetwork()));
}

BOOST_AUTO_TEST_CASE(graphs_with_ports_and_chosen_outputs_come_back) {
  const Folder folder;
  LayerGraph graph = layerGraph({featureInputLayer(3, {.name = "in"}), fullyConnectedLayer(4, {.name = "a"}),
                                 additionLayer(2, {.name = "add"}), fullyConnectedLayer(2, {.name = "b"})});
  graph = connectLayers(graph, "a", "add/in2");
  const DlNetwork net = dlnetwork(graph, {.outputNames = {"b", "add"}}), back = saved(folder, net);
  requireSame(net, back);
  BOOST_TEST(back.outputNames() == (std::vector<std::string>{"b", "add"}));
  const DlArray X = dlarray(single_(rand(3, 5)), "CB");
  BOOST_TEST(isequal(predict(back, {X})[1], predict(net, {X})[1]));
}

BOOST_AUTO_TEST_CASE(nested_networks_come_back) {
  const Folder folder;
  const DlNetwork inner = dlnetwork({fullyConnectedLayer(4, {.name = "fc"}), scale("scale", 1, single_(ones(4, 1)))},
                                    DlnetworkOptions{.initialize = false});
  const DlNetwork block = dlnetwork({fullyConnectedLayer(4, {.name = "fc"}), networkLayer(inner, {.name = "inner"})},
                                    DlnetworkOptions{.initialize = false});
  DlNetwork net = dlnetwork(
      {featureInputLayer(3, {.name = "in"}), networkLayer(block, {.name = "block"}), networkLayer(inner, {.name = "other"})});
  net = setLearnRateFactor(net, "block/inner/fc/Weights", 0);
  const DlNetwork back = saved(folder, net);
  requireSame(net, back);
  BOOST_TEST(getLearnRateFactor(back, "block/inner/fc/Weights") == 0.0);
  const DlArray X = dlarray(single_(rand(3, 5)), "CB");
  BOOST_TEST(isequal(predict(back, X), predict(net, X)));
  const Safetensors raw = loadSafetensors(folder / "net.dlnet");
  BOOST_TEST(isequal(raw["block/inner/fc/Weights"], net.learnables()("block/inner/fc", "Weights")));
}

BOOST_AUTO_TEST_CASE(functions_are_passed_again) {
  const Folder folder;
  const auto twice = [](const DlArray& x) { return 2 * x; };
  const auto ones = [](const Size& size) { return dl::ones(size); };
  const DlNetwork net = dlnetwork({featureInputLayer(3, {.name = "in"}), functionLayer(twice, {.name = "twice"}),
                                   fullyConnectedLayer(2, {.name = "fc", .weightsInitializer = Initializer(ones)})});
  save(net, folder / "net.dlnet");
  const std::string start = "loadNetwork: " + (folder / "net.dlnet") + ": ";
  BOOST_TEST(
      mistake([&] { loadNetwork(folder / "net.dlnet"); })
          .sentence.starts_with(
              start +
              "layer \"twice\" is of type FunctionLayer, which the library does not know; pass such a layer in .customLayers"));
  const DlNetwork back = loadNetwork(folder / "net.dlnet", {.customLayers = {functionLayer(twice, {.name = "twice"})}});
  const DlArray X = dlarray(single_(rand(3, 5)), "CB");
  BOOST_TEST(isequal(predict(back, X), predict(net, X)));
  // The function of the initializer is missed only where a value must be made.
  const DlNetwork bare = dlnetwork({fullyConnectedLayer(2, {.name = "fc", .weightsInitializer = Initializer(ones)})},
                                   DlnetworkOptions{.initialize = false});
  const DlNetwork loaded = saved(folder, bare);
  BOOST_TEST(mistake([&] { initialize(loaded, X); }).sentence.find("was a function when the network was saved") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(custom_layers_are_chosen_by_name_then_by_type) {
  const Folder folder;
  const std::string file = folder / "net.dlnet", start = "loadNetwork: " + file + ": ";
  save(dlnetwork({featureInputLayer(3, {.name = "in"}), scale("scale", 5)}), file);
  const auto said = [&](std::vector<AnyLayer> custom) {
    const std::string sentence = mistake([&] { loadNetwork(file, {.customLayers = std::move(custom)}); }).sentence;
    return sentence.starts_with(start) ? sentence.substr(start.size(), sentence.rfind(" (") - start.size()) : sentence;
  };
  BOOST_TEST(said({}) == "layer \"scale\" is of type Scale, which the library does not know; pass such a layer in .customLayers");
  BOOST_TEST(said({scale("other")}) == "nothing");
  BOOST_TEST(said({scale("scale"), scale("other")}) == "nothing");
  BOOST_TEST(said({scale("one"), scale("two")}) ==
             "layer \"scale\" is of type Scale, and 2 of .customLayers are; give the right one this name");
  BOOST_TEST(said({fullyConnectedLayer(2, {.name = "scale"})}) ==
             "layer \"scale\" is of type Scale; the layer of this name in .customLayers is of type FullyConnectedLayer");
}

BOOST_AUTO_TEST_CASE(tables_come_back) {
  const Folder folder;
  const DlNetwork net = setLearnRateFactor(example(), "conv", "Bias", 0);
  save(net.learnables(), folder / "table");
  requireSame(loadLearnables(folder / "table"), net.learnables());
  ParameterTable gradients = net.learnables();
  gradients[0].value = DlArray();
  save(gradients, folder / "table");
  requireSame(loadLearnables(folder / "table"), gradients);
  saveSafetensors(folder / "foreign", {{"a/b/c", 1.0}, {"d", 2.0}});
  const ParameterTable foreign = loadLearnables(folder / "foreign");
  BOOST_TEST(
      (foreign[0].layer == "a/b" && foreign[0].parameter == "c" && foreign[1].layer.empty() && foreign[1].parameter == "d"));
}

BOOST_AUTO_TEST_CASE(a_trainer_keeps_what_is_its_own) {
  const Folder folder;
  const DlNetwork net = example();
  const std::string file = folder / "checkpoint";
  const std::vector<NamedArray> extra = {{"velocity/conv/Weights", rand(3, 3)}, {"conv/Weights", 2.0}};
  io::saveNetworkWith(net, extra, {{"iteration", "7"}}, {"trainnet", file, {}});
  const io::NetworkFile back = io::loadNetworkWith(withScale, {"trainnet", file, {}});
  requireSame(net, back.net);
  BOOST_REQUIRE(back.extraTensors.size() == 2U);
  BOOST_TEST((back.extraTensors[0].name == extra[0].name && isequal(back.extraTensors[0].value, extra[0].value)));
  BOOST_TEST((back.extraTensors[1].name == extra[1].name && isequal(back.extraTensors[1].value, extra[1].value)));
  BOOST_TEST((back.extraMetadata == io::Metadata{{"iteration", "7"}}));
  requireSame(net, loadNetwork(file, withScale));
}

BOOST_AUTO_TEST_CASE(damage_of_the_architecture_is_named) {
  const Folder folder;
  const std::string file = folder / "net.dlnet", start = "loadNetwork: " + file + ": ";
  save(dlnetwork({featureInputLayer(3, {.name = "in"}), scale("scale", 5)}), file);
  const Safetensors good = loadSafetensors(file);
  const std::string text = architecture(file);
  const auto said = [&](const std::string& other) {
    saveSafetensors(file, good.tensors, {{"dlarray.network", other}});
    const std::string sentence = mistake([&] { loadNetwork(file, withScale); }).sentence;
    return sentence.starts_with(start) ? sentence.substr(start.size(), sentence.rfind(" (") - start.size()) : sentence;
  };
  BOOST_TEST(said(text) == "nothing");
  BOOST_TEST(said("") == "its network is no JSON: it goes wrong at byte 1 of 0");
  BOOST_TEST(said("[]") == "its network is no object, and so without a good \"layers\"");
  BOOST_TEST(said("{}") == "its network is described without a good \"layers\"");
  BOOST_TEST(said(replaced(text, "[\"in\",\"scale\"]", "[\"in\"]")) ==
             "a connection is [\"in\"], not a source and a destination");
  BOOST_TEST(said(replaced(text, "[\"in\",\"scale\"]", "[\"in\",\"gone\"]")) ==
             "its layers do not fit each other: there is no layer \"gone\"; the layers are in, scale");
  BOOST_TEST(said(replaced(text, "\"start\":5.0", "\"start\":\"x\"")) ==
             "layer \"scale\": its option \"start\" is \"x\"; it should be a number");
  BOOST_TEST(said(replaced(text, "\"tensor\":\"scale/Scale\"", "\"tensor\":\"gone\"")) ==
             "its network refers to a tensor \"gone\" that it does not have");
  BOOST_TEST(said(replaced(text, "\"learnRate\":3.0", "\"learnRate\":-3.0")) ==
             "a parameter is described without a good \"learnRate\"");
  BOOST_TEST(said(replaced(text, "\"layer\":\"scale\"", "\"layer\":\"gone\"")) ==
             "it has parameters of a layer \"gone\", and no such layer");
  BOOST_TEST(said(replaced(text, "\"name\":\"Count\"", "\"name\":\"Scale\"")) == "layer \"scale\" has two parameters \"Scale\"");

  saveSafetensors(file, good.tensors);
  BOOST_TEST(mistake([&] {
               loadNetwork(file);
             }).sentence.starts_with(start + "this safetensors file holds 2 arrays, but no network; loadSafetensors reads them"));
}

BOOST_AUTO_TEST_CASE(a_file_cut_off_anywhere_and_flipped_anywhere_is_an_error_or_a_network) {
  const Folder folder;
  save(dlnetwork({featureInputLayer(2, {.name = "in"}), scale("s", 5)}), folder / "net.dlnet");
  const std::string whole = textOf(folder / "net.dlnet"), file = folder / "damaged";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(file, whole.substr(0, length));
    BOOST_REQUIRE(mistake([&] { loadNetwork(file, withScale); }).sentence.starts_with("loadNetwork: " + file + ": "));
  }
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    write(file, damaged);
    const std::string sentence = mistake([&] { loadNetwork(file, withScale); }).sentence;
    if (sentence != "nothing") ++refused;
    BOOST_REQUIRE_MESSAGE(sentence == "nothing" || sentence.starts_with("loadNetwork: " + file + ": "), sentence);
  }
  BOOST_TEST(refused > whole.size() / 2);
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_a_whole_file) {
  const Folder folder;
  const std::string file = folder / "net";
  const std::vector<NamedArray> tensors = {{"x", rand(200, 200)}};
  saveSafetensors(file, tensors);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0)
      for (;;) saveSafetensors(file, tensors);
    ::usleep(2000 + 1700 * static_cast<useconds_t>(round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    BOOST_REQUIRE(isequal(loadSafetensors(file)["x"], tensors[0].value));
  }
}
