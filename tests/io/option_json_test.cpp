// Options of layers as JSON: what is written is read back the same, and what is damaged is named.
#include "harness/mistake.hpp"
#include "io/option_json.hpp"
#include "layers/registry.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::io::Json;
using dl::test::mistake;

namespace {

// A layer with an option of every kind.
struct Every : Layer {
  bool flag = false;
  Index count = 0;
  double number = 0;
  std::string word = "none";
  std::vector<std::string> words;
  Size size;
  WindowSizes window = 1;
  PoolSize pool = 1;
  Padding padding = 0;
  GroupCount groups = 1;
  Initializer initializer = "glorot";
  DlArray array;
  ConvolutionPaddingValue value = 0;
  PoolPaddingValue poolValue = 0;
  AttentionScale scale = "auto";
  AttentionMask mask = "none";
  ResizeNumbers resize;

  std::string type() const override { return "Every"; }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override { return X; }
  void options(OptionVisitor& visit) override {
    visit("flag", flag);
    visit("count", count);
    visit("number", number);
    visit("word", word);
    visit("words", words);
    visit("size", size);
    visit("window", window);
    visit("pool", pool);
    visit("padding", padding);
    visit("groups", groups);
    visit("initializer", initializer);
    visit("array", array);
    visit("value", value);
    visit("poolValue", poolValue);
    visit("scale", scale);
    visit("mask", mask);
    visit("resize", resize);
  }
};

struct Trip {
  std::vector<NamedArray> arrays;
  io::OptionSink sink{[this](std::string_view option, const DlArray& value) {
                        arrays.push_back({std::string(option), value});
                        return std::string(option);
                      },
                      [](std::string_view, const DlNetwork&) { return Json::object(); }};
  io::OptionSource source{[this](const std::string& tensor) {
                            for (const NamedArray& known : arrays)
                              if (known.name == tensor) return known.value;
                            return DlArray();
                          },
                          [](std::string_view, const Json&) { return DlNetwork(); }};
  io::Task task{"loadNetwork", "x.dlnet", {}};

  // Through text and back, as in a file.
  AnyLayer there(const AnyLayer& from, const AnyLayer& to) {
    const Json json = io::writeOptions(from, sink);
    return io::readOptions(to, io::parseJson(io::textOf(json, task), "its options", task), source, "layer", task);
  }
  Every back(const Every& layer) { return static_cast<const Every&>(*there(layer, Every())); }
};

Every full() {
  Every e;
  e.flag = true;
  e.count = std::numeric_limits<Index>::max();
  e.number = 0.1;
  e.word = "a \"word\"\n\u00e9";
  e.words = {"one", ""};
  e.size = Size{28, 0, 3};
  e.window = {3, 5};
  e.pool = "global";
  e.padding = {{1, 2}, {3, 4}};
  e.groups = "channel-wise";
  e.initializer = "he";
  e.array = dlarray(rand(2, 3), "CB");
  e.value = "replicate";
  e.poolValue = "mean";
  e.scale = 0.25;
  e.mask = DlArray(eye(3));
  e.resize = {0.5, 2};
  return e;
}

// What is said when one option of a good file is changed.
std::string complaint(const char* option, const char* text) {
  Trip trip;
  Json json = io::writeOptions(Every(), trip.sink);
  json[option] = Json::parse(text);
  const std::string start = "loadNetwork: x.dlnet: layer \"block/layer\": its option \"" + std::string(option) + "\" is ";
  const std::string sentence = mistake([&] { io::readOptions(Every(), json, trip.source, "block/layer", trip.task); }).sentence;
  return sentence.starts_with(start) ? sentence.substr(start.size()) : sentence;
}

}  // namespace

BOOST_AUTO_TEST_CASE(options_of_every_kind_come_back) {
  Trip trip;
  const Every e = full(), b = trip.back(e);
  BOOST_TEST(b.flag);
  BOOST_TEST(b.count == e.count);
  BOOST_TEST(b.number == 0.1);
  BOOST_TEST(b.word == e.word);
  BOOST_TEST(b.words == e.words);
  BOOST_TEST((b.size == e.size));
  BOOST_TEST((b.window == e.window));
  BOOST_TEST((b.pool == e.pool));
  BOOST_TEST((b.padding == e.padding));
  BOOST_TEST((b.groups == e.groups));
  BOOST_TEST(b.initializer.rule() == "he");
  BOOST_TEST(isequal(b.array, e.array));
  BOOST_TEST((b.value == e.value));
  BOOST_TEST((b.poolValue == e.poolValue));
  BOOST_TEST((b.scale == e.scale));
  BOOST_TEST((b.mask.word().empty() && isequal(b.mask.array(), e.mask.array())));
  BOOST_TEST((b.resize == e.resize));
}

BOOST_AUTO_TEST_CASE(the_other_forms_come_back) {
  Trip trip;
  Every e = full();
  e.count = std::numeric_limits<Index>::min();
  e.window = {-1};
  e.pool = {2, 2};
  e.padding = "same";
  e.groups = 4;
  e.array = DlArray();
  e.value = -0.0;
  e.poolValue = 0;
  e.scale = "auto";
  e.mask = "causal";
  e.resize = ResizeNumbers(2.5);
  const Every b = trip.back(e);
  BOOST_TEST(b.count == e.count);
  BOOST_TEST((b.window == e.window && b.window.count() == 1U));
  BOOST_TEST((b.pool == e.pool && b.padding == e.padding && b.groups == e.groups));
  BOOST_TEST(isempty(b.array));
  BOOST_TEST((b.value == e.value && std::signbit(b.value.number())));
  BOOST_TEST((b.scale == e.scale && b.mask.word() == "causal" && b.resize == e.resize));

  e.resize = ResizeNumbers();
  e.padding = {1, 2};
  for (const double number : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::denorm_min(), 1.0 / 3, 1e300}) {
    e.number = number;
    e.scale = number;
    BOOST_TEST(trip.back(e).number == number);
    BOOST_TEST((trip.back(e).scale == e.scale));
  }
  e.number = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(std::isnan(trip.back(e).number));
  BOOST_TEST((trip.back(e).resize.count() == 0U && trip.back(e).padding == e.padding));
}

BOOST_AUTO_TEST_CASE(functions_stay_behind_and_say_so_when_they_are_missed) {
  Trip trip;
  Every e, own;
  e.initializer = Initializer([](const Size& size) { return 3 * ones(size); });
  const Every b = trip.back(e);
  BOOST_TEST(
      mistake([&] {
        b.initializer(Size{2, 1}, {});
      }).sentence ==
      "loadNetwork: layer \"layer\": its option \"initializer\" was a function when the network was saved, and files hold no "
      "functions; set it again");
  own.initializer = Initializer([](const Size& size) { return 5 * ones(size); });
  const AnyLayer kept = trip.there(e, own);
  BOOST_TEST(isequal(static_cast<const Every&>(*kept).initializer(Size{2, 1}, {}), single_(5 * ones(2, 1))));
}

BOOST_AUTO_TEST_CASE(options_that_a_file_lacks_stay_and_unknown_ones_are_refused) {
  Trip trip;
  Every e = full();
  e.words = {"kept"};
  const AnyLayer read = io::readOptions(e, Json{{"number", 7}}, trip.source, "layer", trip.task);
  BOOST_TEST(static_cast<const Every&>(*read).number == 7.0);
  BOOST_TEST(static_cast<const Every&>(*read).words == e.words);
  BOOST_TEST(mistake([&] {
               io::readOptions(e, Json{{"colour", 7}}, trip.source, "layer", trip.task);
             }).sentence == "loadNetwork: x.dlnet: layer \"layer\" has no option \"colour\"");
}

BOOST_AUTO_TEST_CASE(values_of_another_kind_are_named) {
  BOOST_TEST(complaint("flag", "1") == "1; it should be true or false");
  BOOST_TEST(complaint("count", "1.5") == "1.5; it should be a whole number");
  BOOST_TEST(complaint("count", "9223372036854775808") == "9223372036854775808; it should be a whole number");
  BOOST_TEST(complaint("number", "\"many\"") == "\"many\"; it should be a number");
  BOOST_TEST(complaint("word", "null") == "null; it should be text");
  BOOST_TEST(complaint("words", "\"a\"") == "\"a\"; it should be a list of texts");
  BOOST_TEST(complaint("words", "[1]") == "[1]; it should be text");
  BOOST_TEST(complaint("size", "[2,-1]") == "[2,-1]; it should be whole numbers from 0");
  BOOST_TEST(complaint("size", "3") == "3; it should be a list of at most 16 whole numbers");
  BOOST_TEST(complaint("window", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]") ==
             "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]; it should be a list of at most 16 whole numbers");
  BOOST_TEST(complaint("window", "[-1,-2]") == "[-1,-2]; it should be whole numbers from -1");
  BOOST_TEST(complaint("pool", "\"\"") == "\"\"; it should be a word that says something");
  BOOST_TEST(complaint("pool", "{}") == "{}; it should be a list of at most 16 whole numbers");
  BOOST_TEST(complaint("padding", "{\"starts\":[1]}") == "{\"starts\":[1]}; it should be a word, or starts and ends");
  BOOST_TEST(complaint("groups", "-2") == "-2; it should be whole numbers from 0");
  BOOST_TEST(complaint("initializer", "{\"function\":1}") == "{\"function\":1}; it should be a rule or a function");
  BOOST_TEST(complaint("array", "{\"tensor\":3}") == "{\"tensor\":3}; it should be null or the name of a tensor");
  BOOST_TEST(complaint("value", "[]") == "[]; it should be a number");
  BOOST_TEST(complaint("scale", "true") == "true; it should be a number");
  BOOST_TEST(complaint("mask", "1") == "1; it should be null or the name of a tensor");
  BOOST_TEST(complaint("resize", "[\"x\"]") == "[\"x\"]; it should be a number");
}

BOOST_AUTO_TEST_CASE(every_layer_of_the_library_goes_through_json) {
  using namespace dl::layers;
  int count = 0;
  for (const auto family : {inputPrototypes, convolutionPrototypes, fullyConnectedPrototypes, poolingPrototypes,
                            combinationPrototypes, shapePrototypes, activationPrototypes, normalizationPrototypes,
                            recurrentPrototypes, attentionPrototypes, embeddingPrototypes})
    for (const AnyLayer& layer : family()) {
      Trip trip;
      const AnyLayer back = trip.there(layer, layer);
      BOOST_TEST(io::writeOptions(back, trip.sink).dump() == io::writeOptions(layer, trip.sink).dump(), layer->type());
      BOOST_TEST(layerOfType(layer->type()).has_value(), layer->type());
      ++count;
    }
  BOOST_TEST_MESSAGE(count << " layers");
}
