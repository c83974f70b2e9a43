#include <dlarray/nn/embedding.hpp>

#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "nn/data_format.hpp"
#include "ops/dimensions.hpp"
#include "ops/part.hpp"

#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace dl {

ClassNames::ClassNames() noexcept = default;
ClassNames::ClassNames(std::initializer_list<const char*> words) : words_(words.begin(), words.end()) {}
ClassNames::ClassNames(std::vector<std::string> words) : words_(std::move(words)) {}
ClassNames::ClassNames(std::initializer_list<detail::AnyNumber> numbers) {
  for (const detail::AnyNumber n : numbers) numbers_.push_back(n.value);
}
ClassNames::ClassNames(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
ClassNames::ClassNames(const DlArray& numbers) : numbers_(extractdata<std::vector<double>>(numbers)) {}

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The columns of a table that tokens name.
GridPlace columnsOf(const Operand& x, const DlArray& table) {
  const Index count = size(table, 1);
  const std::vector<double> tokens = extractdata<std::vector<double>>(x);
  std::vector<Index> columns(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const double token = tokens[i];
    const bool known = token >= 0 && token < static_cast<double>(count);
    columns[i] = known ? static_cast<Index>(token) : count - 1;
    if (known && static_cast<double>(columns[i]) != token)
      fail(x.where(), "embed:token", "embed: token {} is not a whole number", token);
  }
  auto place = std::make_shared<GridPlace::Positions>();
  place->sizes = size(table);
  place->shape = {Size::matrix(size(table, 0), numel(x)), {}};
  place->lists.push_back(std::move(columns));
  place->selections = {{0, 1, size(table, 0), nullptr}, {0, 1, numel(x), place->lists[0].data()}};
  return {std::move(place)};
}

// Where each class stands, to be searched.
template <class Class>
class Places {
 public:
  Places(const std::vector<Class>& classes, const std::source_location& where) {
    for (std::size_t i = 0; i < classes.size(); ++i) sorted_.emplace_back(classes[i], static_cast<Index>(i));
    std::sort(sorted_.begin(), sorted_.end());
    for (std::size_t i = 1; i < sorted_.size(); ++i)
      if (sorted_[i].first == sorted_[i - 1].first)
        fail(where, "onehotencode:classNames", "onehotencode: class \"{}\" is named twice", sorted_[i].first);
  }
  // -1 for what is no class.
  Index operator()(const Class& value) const {
    const auto at =
        std::lower_bound(sorted_.begin(), sorted_.end(), value, [](const auto& a, const Class& b) { return a.first < b; });
    return at != sorted_.end() && at->first == value ? at->second : -1;
  }

 private:
  std::vector<std::pair<Class, Index>> sorted_;
};

// One-hot vectors for classes by number: `places` are those of (inner x outer) elements.
DlArray encoded(const std::vector<Index>& places, Index inner, Index count, const Shape& shape, Type type,
                const std::source_location& where) {
  const auto stranger = std::find(places.begin(), places.end(), Index{-1});
  if (type == Type::Logical && stranger != places.end())
    fail(where, "onehotencode:type", "onehotencode: element {} is no class, for which a logical result has no NaN",
         stranger - places.begin());
  if (type != Type::Double && type != Type::Single && type != Type::Logical)
    return cast(encoded(places, inner, count, shape, Type::Double, where), type);
  DlArray y = engine::filled(shape, type);
  const auto write = [&](auto one) {
    using T = decltype(one);
    T* const to = Storage::mutableData<T>(y);
    for (std::size_t k = 0; k < places.size(); ++k) {
      const auto i = static_cast<Index>(k);
      T* own = to + i / inner * inner * count + i % inner;
      if (places[k] >= 0)
        own[places[k] * inner] = one;
      else
        for (Index c = 0; c < count; ++c) own[c * inner] = static_cast<T>(nan);
    }
  };
  type == Type::Single ? write(1.0F) : type == Type::Logical ? write(true) : write(1.0);
  return y;
}

DlArray encodedNumbers(const Operand& a, const Dimensions& dimension, Type type, const OnehotencodeOptions& options) {
  std::vector<double> classes = options.classNames.numbers();
  if (classes.empty())
    fail(a.where(), "onehotencode:classNames",
         "onehotencode: numbers need their classes, {{.classNames = {{0, 1, 2}}}} or colon(0, 9){}",
         options.classNames.words().empty() ? "" : "; words were given");
  for (double& c : classes) {
    if (std::isnan(c)) fail(a.where(), "onehotencode:classNames", "onehotencode: NaN is no class; numbers that are NaN give NaN");
    if (Storage::of(a).type == Type::Single) c = static_cast<float>(c);  // as they compare with numbers of A
  }
  const std::size_t d = resolveDimension(dimension, a, "onehotencode", a.where());
  Shape shape = Storage::shape(a);
  while (shape.size.size() <= d) {
    if (shape.format.labelled()) shape.format.set(shape.size.size(), Format::U);
    shape.size.push_back(1);
  }
  if (shape.size[d] != 1)
    fail(a.where(), "onehotencode:dimension", "onehotencode: dimension {} of {} has size {}; vectors need one of size 1", d,
         describe(a), shape.size[d]);
  const Lanes along = lanes(shape.size, d);
  shape.size[d] = static_cast<Index>(classes.size());
  dropTrailing(shape);
  const Places<double> placeOf(classes, a.where());
  std::vector<Index> places;
  for (const double v : extractdata<std::vector<double>>(a)) places.push_back(std::isnan(v) ? -1 : placeOf(v));
  return encoded(places, along.inner, static_cast<Index>(classes.size()), shape, type, a.where());
}

DlArray positionsOfLargest(const Operand& b, Index classes, const Dimensions& dimension) {
  const std::size_t d = resolveDimension(dimension, b, "onehotdecode", b.where());
  const Index count = d < Storage::of(b).size.size() ? Storage::of(b).size[d] : 1;
  if (count != classes)
    fail(b.where(), "onehotdecode:classes", "onehotdecode: there are {} classes for dimension {} of {}", classes, d, describe(b));
  const DlArray plain = Storage::reshaped(b, Storage::shape(b));  // untraced
  auto [largest, at] = max<2>(plain, {}, static_cast<int>(d));
  const std::vector<double> values = extractdata<std::vector<double>>(largest);
  std::vector<double> positions = extractdata<std::vector<double>>(at);
  for (std::size_t k = 0; k < positions.size(); ++k)
    if (std::isnan(values[k])) positions[k] = nan;
  return engine::reshapeTo(dlarray(positions, Size{static_cast<Index>(positions.size()), 1}), Storage::shape(at));
}

}  // namespace

DlArray embed(Operand x, Operand weights, const EmbedOptions& options) {
  const LabelledData data(x, options.dataFormat, "embed");
  Shape shape = data.shape();
  if (sizeOf(shape, dimensionsWith(shape, "C")) != 1)
    fail(x.where(), "embed:channels", "embed: tokens are {}; they take the place of channels, so C is left out or has size 1",
         toString(shape));
  const DlArray table = engine::numbers(stripdims(weights));
  if (ndims(table) != 2 || size(table, 1) == 0)
    fail(weights.where(), "embed:weights", "embed: the weights are {}; they must be a matrix with a column for each token",
         describe(weights));

  // In front of C there are only S.
  std::size_t before = 0;
  while (before < shape.size.size() && shape.format[before] == Format::S) ++before;
  Shape result{{}, {}};
  std::vector<Index> order;
  Size gathered{size(table, 0)};
  const auto append = [&](Index size, Format::Label label, Index from) {
    result.format.set(result.size.size(), label);
    result.size.push_back(size);
    order.push_back(from);
  };
  for (std::size_t d = 0; d <= shape.size.size(); ++d) {
    if (d == before) append(size(table, 0), Format::C, 0);
    if (d == shape.size.size() || shape.format[d] == Format::C) continue;
    append(shape.size[d], shape.format[d], static_cast<Index>(gathered.size()));
    gathered.push_back(shape.size[d]);
  }
  DlArray y = readAt(columnsOf(Operand(data.array(), x.where()), table), table);
  if (before > 0) y = permute(reshape(std::move(y), gathered), order);
  if (result.size.size() == 1) {
    result.size.push_back(1);
    result.format.set(1, Format::U);
  }
  dropTrailing(result);
  return data.result(engine::reshapeTo(y, result));
}

DlArray onehotencode(Operand a, const Dimensions& dimension, const OnehotencodeOptions& options) {
  return encodedNumbers(a, dimension, Storage::of(a).type == Type::Single ? Type::Single : Type::Double, options);
}
DlArray onehotencode(Operand a, const Dimensions& dimension, Type type, const OnehotencodeOptions& options) {
  return encodedNumbers(a, dimension, type, options);
}
DlArray onehotencode(const std::vector<std::string>& a, Index dimension, const OnehotencodeOptions& options,
                     std::source_location where) {
  return onehotencode(a, dimension, Type::Double, options, where);
}
DlArray onehotencode(const std::vector<std::string>& a, Index dimension, Type type, const OnehotencodeOptions& options,
                     std::source_location where) {
  if (dimension != 0 && dimension != 1)
    fail(where, "onehotencode:dimension", "onehotencode: words are encoded along dimension 0 or 1, not {}", dimension);
  if (!options.classNames.numbers().empty())
    fail(where, "onehotencode:classNames", "onehotencode: the classes of words are words, not numbers");
  std::vector<std::string> classes = options.classNames.words();
  if (classes.empty()) {
    classes = a;
    std::sort(classes.begin(), classes.end());
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  }
  const Places<std::string> placeOf(classes, where);
  std::vector<Index> places;
  for (const std::string& word : a) places.push_back(placeOf(word));
  const Index n = static_cast<Index>(a.size()), count = static_cast<Index>(classes.size());
  const Shape shape{dimension == 0 ? Size::matrix(count, n) : Size::matrix(n, count), {}};
  return encoded(places, dimension == 0 ? 1 : n, count, shape, type, where);
}

DlArray onehotdecode(Operand b, Operand classes, const Dimensions& dimension) {
  const DlArray positions = positionsOfLargest(b, numel(classes), dimension);
  const std::vector<double> values = extractdata<std::vector<double>>(classes);
  DlArray y = Storage::make(Storage::shape(positions), Type::Double);
  const double* at = Storage::data<double>(positions);
  for (Index k = 0; k < numel(y); ++k)
    Storage::mutableData<double>(y)[k] = std::isnan(at[k]) ? nan : values[static_cast<std::size_t>(at[k])];
  return y;
}

std::vector<std::string> onehotdecode(Operand b, const std::vector<std::string>& classes, const Dimensions& dimension) {
  std::vector<std::string> words;
  for (const double at : extractdata<std::vector<double>>(positionsOfLargest(b, static_cast<Index>(classes.size()), dimension)))
    words.push_back(std::isnan(at) ? "<undefined>" : classes[static_cast<std::size_t>(at)]);
  return words;
}

}  // namespace dl
