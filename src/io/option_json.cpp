#include "io/option_json.hpp"

#include "core/storage.hpp"

#include <dlarray/nn/attention.hpp>
#include <dlarray/nn/convolution.hpp>
#include <dlarray/nn/pooling.hpp>
#include <dlarray/nn/resize.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace dl::io {

namespace {

constexpr std::pair<const char*, double> wordsForNumbers[] = {{"NaN", std::numeric_limits<double>::quiet_NaN()},
                                                              {"Infinity", std::numeric_limits<double>::infinity()},
                                                              {"-Infinity", -std::numeric_limits<double>::infinity()}};

bool unset(const DlArray& x) { return size(x) == Size{0, 0} && dims(x).empty(); }

// ---- writing -------------------------------------------------------------------------------------------------------------

Json ofNumber(double number) {
  if (std::isfinite(number)) return number;
  return std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
}
Json ofSizes(const WindowSizes& sizes) {
  Json list = Json::array();
  for (std::size_t i = 0; i < sizes.count(); ++i) list.push_back(sizes[i]);
  return list;
}
template <class Value>
Json ofNumberOrWord(const Value& value) {
  return value.word().empty() ? ofNumber(value.number()) : Json(value.word());
}

class Writer final : public OptionVisitor {
 public:
  explicit Writer(const OptionSink& sink) : sink_(sink) {}
  Json result = Json::object();

  void operator()(std::string_view name, bool& value) override { put(name, value); }
  void operator()(std::string_view name, Index& value) override { put(name, value); }
  void operator()(std::string_view name, double& value) override { put(name, ofNumber(value)); }
  void operator()(std::string_view name, std::string& value) override { put(name, value); }
  void operator()(std::string_view name, std::vector<std::string>& value) override { put(name, value); }
  void operator()(std::string_view name, Size& value) override { put(name, std::vector<Index>(value.begin(), value.end())); }
  void operator()(std::string_view name, WindowSizes& value) override { put(name, ofSizes(value)); }
  void operator()(std::string_view name, PoolSize& value) override {
    put(name, value.word().empty() ? ofSizes(value) : Json(value.word()));
  }
  void operator()(std::string_view name, Padding& value) override {
    put(name,
        value.word().empty() ? Json{{"starts", ofSizes(value.starts())}, {"ends", ofSizes(value.ends())}} : Json(value.word()));
  }
  void operator()(std::string_view name, GroupCount& value) override {
    put(name, value.word().empty() ? Json(value.count()) : Json(value.word()));
  }
  void operator()(std::string_view name, Initializer& value) override {
    put(name, value.function() ? Json{{"function", true}} : Json(value.rule()));
  }
  void operator()(std::string_view name, DlArray& value) override { put(name, ofArray(name, value)); }
  void operator()(std::string_view name, ConvolutionPaddingValue& value) override { put(name, ofNumberOrWord(value)); }
  void operator()(std::string_view name, PoolPaddingValue& value) override { put(name, ofNumberOrWord(value)); }
  void operator()(std::string_view name, AttentionScale& value) override { put(name, ofNumberOrWord(value)); }
  void operator()(std::string_view name, AttentionMask& value) override {
    put(name, value.word().empty() ? ofArray(name, value.array()) : Json(value.word()));
  }
  void operator()(std::string_view name, ResizeNumbers& value) override {
    Json list = Json::array();
    for (std::size_t i = 0; i < value.count(); ++i) list.push_back(ofNumber(value[i]));
    put(name, list);
  }
  void operator()(std::string_view name, DlNetwork& value) override { put(name, sink_.network(name, value)); }

 private:
  void put(std::string_view name, Json value) { result[std::string(name)] = std::move(value); }
  Json ofArray(std::string_view name, const DlArray& value) const {
    return unset(value) ? Json() : Json{{"tensor", sink_.array(name, value)}};
  }
  const OptionSink& sink_;
};

// ---- reading -------------------------------------------------------------------------------------------------------------

class Reader final : public OptionVisitor {
 public:
  Reader(const Json& options, const OptionSource& source, const std::string& path, const Task& task)
      : options_(options), source_(source), path_(path), task_(task) {}

  /// Throws for options that nobody asked for.
  void finish() const {
    for (const auto& [name, value] : options_.items())
      if (std::ranges::find(seen_, name) == seen_.end()) task_.fail("option", "layer \"{}\" has no option \"{}\"", path_, name);
  }

  void operator()(std::string_view name, bool& value) override {
    if (!find(name)) return;
    if (!now_->is_boolean()) wrong("true or false");
    value = now_->get<bool>();
  }
  void operator()(std::string_view name, Index& value) override {
    if (!find(name)) return;
    const Index number = whole(*now_, std::numeric_limits<Index>::min());
    // A layer names each of its ports: damage must not make it name billions of them.
    if (name.starts_with("num") && name.ends_with("puts") && number > 1024) wrong("a count of at most 1024");
    value = number;
  }
  void operator()(std::string_view name, double& value) override {
    if (find(name)) value = number(*now_);
  }
  void operator()(std::string_view name, std::string& value) override {
    if (find(name)) value = text(*now_);
  }
  void operator()(std::string_view name, std::vector<std::string>& value) override {
    if (!find(name)) return;
    if (!now_->is_array()) wrong("a list of texts");
    std::vector<std::string> list;
    for (const Json& item : *now_) list.push_back(text(item));
    value = std::move(list);
  }
  void operator()(std::string_view name, Size& value) override {
    if (find(name)) value = Size(sizes(*now_));
  }
  void operator()(std::string_view name, WindowSizes& value) override {
    // -1 leaves a size to be worked out.
    if (find(name)) value = WindowSizes(sizes(*now_, -1));
  }
  void operator()(std::string_view name, PoolSize& value) override {
    if (find(name)) value = now_->is_string() ? PoolSize(word()) : PoolSize(sizes(*now_));
  }
  void operator()(std::string_view name, Padding& value) override {
    if (!find(name)) return;
    if (now_->is_string()) {
      value = Padding(word());
      return;
    }
    if (!now_->is_object() || !now_->contains("starts") || !now_->contains("ends")) wrong("a word, or starts and ends");
    value = Padding(WindowSizes(sizes((*now_)["starts"])), WindowSizes(sizes((*now_)["ends"])));
  }
  void operator()(std::string_view name, GroupCount& value) override {
    if (find(name)) value = now_->is_string() ? GroupCount(word()) : GroupCount(whole(*now_, 0));
  }
  void operator()(std::string_view name, Initializer& value) override;
  void operator()(std::string_view name, DlArray& value) override {
    if (find(name)) value = array();
  }
  void operator()(std::string_view name, ConvolutionPaddingValue& value) override { numberOrWord(name, value); }
  void operator()(std::string_view name, PoolPaddingValue& value) override { numberOrWord(name, value); }
  void operator()(std::string_view name, AttentionScale& value) override { numberOrWord(name, value); }
  void operator()(std::string_view name, AttentionMask& value) override {
    if (find(name)) value = now_->is_string() ? AttentionMask(word()) : AttentionMask(array());
  }
  void operator()(std::string_view name, ResizeNumbers& value) override;
  void operator()(std::string_view name, DlNetwork& value) override {
    if (!find(name)) return;
    if (!now_->is_object()) wrong("a network");
    value = source_.network(name, *now_);
  }

 private:
  bool find(std::string_view name) {
    name_ = name;
    const auto found = options_.find(name_);
    if (found == options_.end()) return false;
    seen_.push_back(name_);
    now_ = &*found;
    return true;
  }
  [[noreturn]] void wrong(const char* wanted) const {
    const std::string found = now_->dump();
    task_.fail("option", "layer \"{}\": its option \"{}\" is {}{}; it should be {}", path_, name_, found.substr(0, 60),
               found.size() > 60 ? "..." : "", wanted);
  }
  Index whole(const Json& value, Index least) const {
    const bool fits =
        value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : value.is_number_integer();
    if (!fits || value.get<Index>() < least)
      wrong(least == 0 ? "whole numbers from 0" : least == -1 ? "whole numbers from -1" : "a whole number");
    return value.get<Index>();
  }
  double number(const Json& value) const {
    if (value.is_number()) return value.get<double>();
    for (const auto& [word, meant] : wordsForNumbers)
      if (value == word) return meant;
    wrong("a number");
  }
  std::string text(const Json& value) const {
    if (!value.is_string()) wrong("text");
    return value.get<std::string>();
  }
  std::string word() const {
    if (*now_ == "") wrong("a word that says something");
    return text(*now_);
  }
  std::vector<Index> sizes(const Json& value, Index least = 0) const {
    if (!value.is_array() || value.size() > Size::maxDimensions) wrong("a list of at most 16 whole numbers");
    std::vector<Index> list;
    for (const Json& item : value) list.push_back(whole(item, least));
    return list;
  }
  DlArray array() const {
    if (now_->is_null()) return {};
    if (!now_->is_object() || now_->size() != 1 || !now_->contains("tensor") || !(*now_)["tensor"].is_string())
      wrong("null or the name of a tensor");
    return source_.array((*now_)["tensor"].get<std::string>());
  }
  template <class Value>
  void numberOrWord(std::string_view name, Value& value) {
    if (!find(name)) return;
    const bool isWord =
        now_->is_string() && std::ranges::none_of(wordsForNumbers, [&](const auto& known) { return *now_ == known.first; });
    value = isWord ? Value(word()) : Value(number(*now_));
  }

  const Json& options_;
  const OptionSource& source_;
  const std::string& path_;
  const Task& task_;
  std::vector<std::string> seen_;
  std::string name_;  // of the option that is being read
  const Json* now_ = nullptr;
};

void Reader::operator()(std::string_view name, Initializer& value) {
  if (!find(name)) return;
  if (now_->is_string()) {
    value = Initializer(word());
    return;
  }
  if (*now_ != Json{{"function", true}}) wrong("a rule or a function");
  if (value.function()) return;
  value = Initializer([what = path_ + "\": its option \"" + name_](const Size&) -> DlArray {
    fail({}, "loadNetwork:function",
         "loadNetwork: layer \"{}\" was a function when the network was saved, and files hold no functions; set it again", what);
  });
}

void Reader::operator()(std::string_view name, ResizeNumbers& value) {
  if (!find(name)) return;
  if (!now_->is_array() || now_->size() > Size::maxDimensions) wrong("a list of at most 16 numbers");
  if (now_->empty()) {
    value = ResizeNumbers();
  } else if (now_->size() == 1) {
    value = ResizeNumbers(number((*now_)[0]));
  } else {
    std::vector<double> list;
    for (const Json& item : *now_) list.push_back(number(item));
    value = ResizeNumbers(list);
  }
}

}  // namespace

Json writeOptions(const AnyLayer& layer, const OptionSink& sink) {
  Writer writer(sink);
  // Options are shown by layers that may be changed; this copy is not.
  layer.changed([&](Layer& copy) { copy.options(writer); });
  return std::move(writer.result);
}

AnyLayer readOptions(const AnyLayer& layer, const Json& options, const OptionSource& source, const std::string& path,
                     const Task& task) {
  Reader reader(options, source, path, task);
  std::optional<AnyLayer> result;
  try {
    result = layer.changed([&](Layer& copy) { copy.options(reader); });
  } catch (const Error& e) {
    const std::string_view sentence = e.what();
    if (sentence.starts_with(task.start())) throw;
    // A layer that checks what it is given.
    task.fail("option", "the options of layer \"{}\" do not fit each other: {}", path, sentence);
  }
  reader.finish();
  return *result;
}

}  // namespace dl::io
