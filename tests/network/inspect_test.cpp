// Networks as text and as pictures.
#include "harness/mistake.hpp"
#include "io/folder.hpp"
#include "network/table.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <sstream>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::Folder;
using dl::test::mistake;
using dl::test::textOf;
using dl::test::write;

namespace {

DlNetwork example() {
  return dlnetwork({imageInputLayer({6, 6, 1}, {.name = "in", .normalization = "none"}),
                    convolution2dLayer(3, 4, {.name = "conv", .padding = "same"}), fullyConnectedLayer(10, {.name = "fc"})});
}

LayerGraph oddGraph() {
  LayerGraph graph = layerGraph({featureInputLayer(3, {.name = "a \"quoted\" \\N"}), additionLayer(2, {.name = "add"})});
  return connectLayers(graph, "a \"quoted\" \\N", "add/in2");
}

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string withoutLine(const std::string& sentence) { return sentence.substr(0, sentence.rfind(" (")); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_summary_counts_learnables_and_describes_inputs) {
  std::ostringstream out;
  summary(example(), out);
  // 3 * 3 * 4 + 4 and 144 * 10 + 10
  BOOST_TEST(out.str() ==
             "   Initialized: true\n\n"
             "   Number of learnables: 1.5k\n\n"
             "   Inputs:\n"
             "      1   'in'   6x6x1 images\n");
  std::ostringstream several;
  LayerGraph graph = layerGraph(
      {sequenceInputLayer(12, {.name = "words"}), fullyConnectedLayer(3, {.name = "fc"}), additionLayer(3, {.name = "add"})});
  graph = addLayers(graph, {featureInputLayer(3, {.name = "numbers"})});
  graph = connectLayers(graph, "numbers", "add/in2");
  summary(dlnetwork(graph, DlnetworkOptions{.initialize = false}), several);
  BOOST_TEST(several.str() ==
             "   Initialized: false\n\n"
             "   Number of learnables: 0\n\n"
             "   Inputs:\n"
             "      1   'words'     Sequence input with 12 channels\n"
             "      2   'add/in3'\n"
             "      3   'numbers'   3 features\n");
}

BOOST_AUTO_TEST_CASE(counts_are_short) {
  using network::shortCount;
  BOOST_TEST(shortCount(0) == "0");
  BOOST_TEST(shortCount(999) == "999");
  BOOST_TEST(shortCount(1000) == "1k");
  BOOST_TEST(shortCount(84049) == "84k");
  BOOST_TEST(shortCount(84060) == "84.1k");
  BOOST_TEST(shortCount(999949) == "999.9k");
  BOOST_TEST(shortCount(999950) == "1M");
  BOOST_TEST(shortCount(61100840) == "61.1M");
}

BOOST_AUTO_TEST_CASE(a_network_is_displayed_as_by_matlab) {
  BOOST_TEST(printed(example()) ==
             "  dlnetwork with properties:\n\n"
             "         Layers: [3x1 Layer]\n"
             "    Connections: [2x2 table]\n"
             "     Learnables: [4x3 table]\n"
             "          State: [0x3 table]\n"
             "     InputNames: {'in'}\n"
             "    OutputNames: {'fc'}\n"
             "    Initialized: 1\n\n"
             "  View summary with summary.\n");
}

BOOST_AUTO_TEST_CASE(a_table_has_aligned_columns) {
  ParameterTable table = example().learnables();
  table[1].value = DlArray();
  BOOST_TEST(printed(table) ==
             "  4x3 table\n\n"
             "  Layer   Parameter   Value\n"
             "  _____   _________   ____________________\n"
             "  conv    Weights     3 x 3 x 1 x 4 single\n"
             "  conv    Bias        []\n"
             "  fc      Weights     10 x 144 single\n"
             "  fc      Bias        10 x 1 single\n");
  BOOST_TEST(network::tableText({{"a", "b"}, {"\u00e9\u00e9", "1\n2"}}) == "  a    b\n  __   _\n  \u00e9\u00e9   1\n       2\n");
}

BOOST_AUTO_TEST_CASE(an_analysis_is_a_table_with_totals_and_problems) {
  NetworkAnalysis analysis;
  analysis.layers = {
      {"in", "ImageInputLayer", {"6(S) x 6(S) x 1(C) x 1(B)"}, {}, {}, 0},
      {"conv", "Convolution2dLayer", {"6(S) x 6(S) x 4(C) x 1(B)"}, {"Weights 3 x 3 x 1 x 4", "Bias 1 x 1 x 4"}, {}, 40}};
  analysis.totalLearnables = 40;
  BOOST_TEST(printed(analysis) ==
             "      Name   Type                 Activations                 Learnables              States\n"
             "  _   ____   __________________   _________________________   _____________________   ______\n"
             "  1   in     ImageInputLayer      6(S) x 6(S) x 1(C) x 1(B)   -                       -\n"
             "  2   conv   Convolution2dLayer   6(S) x 6(S) x 4(C) x 1(B)   Weights 3 x 3 x 1 x 4   -\n"
             "                                                              Bias 1 x 1 x 4\n"
             "\n  Layers: 2\n  Learnables: 40\n  Issues: 0\n");
  analysis.totalLearnables = 84010;
  analysis.issues = {{"conv", "nothing feeds its input"}, {"", "there is no input"}};
  BOOST_TEST(
      printed(analysis).ends_with("\n  Layers: 2\n  Learnables: 84010 (84k)\n  Issues: 2\n    layer \"conv\": nothing feeds its "
                                  "input\n    there is no input\n"));
}

BOOST_AUTO_TEST_CASE(a_graph_is_written_as_dot) {
  const Folder folder;
  plot(oddGraph(), folder / "g.dot");
  BOOST_TEST(textOf(folder / "g.dot") ==
             "digraph network {\n"
             "  rankdir=TB;\n"
             "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n"
             "  edge [fontname=\"Helvetica\", fontsize=9];\n"
             "  n0 [label=\"a \\\"quoted\\\" \\\\N\\nFeatureInputLayer\"];\n"
             "  n1 [label=\"add\\nAdditionLayer\"];\n"
             "  n0 -> n1 [headlabel=\"in1\"];\n"
             "  n0 -> n1 [headlabel=\"in2\"];\n"
             "}\n");
  plot(example(), folder / "net.gv");
  BOOST_TEST(textOf(folder / "net.gv").find("n1 -> n2 [label=\"6(S) x 6(S) x 4(C) x 1(B)\"];") != std::string::npos);
  BOOST_TEST(folder.names().size() == 2U);
}

BOOST_AUTO_TEST_CASE(dot_draws_pictures) {
  if (std::system("dot -V 2>/dev/null") != 0) {
    BOOST_TEST_MESSAGE("there is no dot");
    return;
  }
  const Folder folder;
  plot(oddGraph(), folder / "g.svg");
  const std::string svg = textOf(folder / "g.svg");
  BOOST_TEST(svg.find("<svg") != std::string::npos);
  BOOST_TEST(svg.find("a &quot;quoted&quot; \\N") != std::string::npos);
  BOOST_TEST(svg.find("AdditionLayer") != std::string::npos);
  plot(example(), folder / "net.png");
  BOOST_TEST(textOf(folder / "net.png").starts_with("\x89PNG"));
  plot(example(), folder / "net.pdf");
  BOOST_TEST(textOf(folder / "net.pdf").starts_with("%PDF"));
  BOOST_TEST(folder.names().size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_drawn_says_why) {
  const Folder folder;
  const auto said = [&](const std::string& name) {
    const std::string file = folder / name, sentence = withoutLine(mistake([&] { plot(oddGraph(), file); }).sentence);
    const std::string start = "plot: " + file + ": ";
    return sentence.starts_with(start) ? sentence.substr(start.size()) : sentence;
  };
  BOOST_TEST(said("g.jpeg") ==
             "the ending \"jpeg\" is none that can be drawn; use .svg, .png, .pdf, or .dot for the graph as text");
  BOOST_TEST(said("g") == "the ending \"\" is none that can be drawn; use .svg, .png, .pdf, or .dot for the graph as text");
  BOOST_TEST(said("no/folder/g.dot") == "cannot be written: No such file or directory");

  // A folder of programs without dot, then with one that fails; a picture that was there stays.
  write(folder / "g.svg", "old");
  const std::string path = std::getenv("PATH");
  std::filesystem::create_directory(folder / "bin");
  ::setenv("PATH", (folder / "bin").c_str(), 1);
  BOOST_TEST(said("g.svg") ==
             "there is no program `dot` to draw it; install Graphviz, or write the graph as text by the ending .dot");
  write(folder / "bin/dot", "#!/bin/sh\necho too heavy >&2\nexit 1\n");
  std::filesystem::permissions(folder / "bin/dot", std::filesystem::perms::owner_all);
  BOOST_TEST(said("g.svg") == "the program `dot` failed: too heavy");
  ::setenv("PATH", path.c_str(), 1);
  BOOST_TEST(textOf(folder / "g.svg") == "old");
  BOOST_TEST(folder.names().size() == 2U);
}
