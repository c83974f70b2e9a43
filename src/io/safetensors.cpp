#include "io/safetensors.hpp"

#include "core/storage.hpp"
#include "io/json.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace dl::io {

namespace {

static_assert(std::endian::native == std::endian::little, "elements lie in files as they lie in memory");

constexpr const char* metadataKey = "__metadata__";
constexpr const char* labelsKey = "dlarray.labels";
constexpr const char* versionKey = "dlarray.version";
constexpr std::uint64_t lengthBytes = 8;

struct ElementType {
  const char* name;
  Type type;
};
constexpr ElementType elementTypes[] = {{"F64", Type::Double}, {"F32", Type::Single}, {"BOOL", Type::Logical}};

std::size_t bytesIn(const DlArray& x) { return static_cast<std::size_t>(numel(x)) * bytesOf(underlyingType(x)); }

// ---- writing -------------------------------------------------------------------------------------------------------------

const char* typeName(const NamedArray& tensor, const Task& task) {
  for (const ElementType& known : elementTypes)
    if (known.type == underlyingType(tensor.value)) return known.name;
  task.fail("type", "array \"{}\" is {}; files hold double, single and logical arrays", tensor.name,
            name(underlyingType(tensor.value)));
}

void checkNames(const std::vector<NamedArray>& tensors, const Metadata& metadata, const Task& task) {
  std::set<std::string_view> names, keys;
  for (const NamedArray& tensor : tensors) {
    if (tensor.name == metadataKey) task.fail("name", "an array may not have the name \"{}\"", metadataKey);
    if (!names.insert(tensor.name).second) task.fail("name", "two arrays have the name \"{}\"", tensor.name);
  }
  for (const auto& [key, text] : metadata) {
    if (key == labelsKey || key == versionKey) task.fail("name", "the metadata \"{}\" is the library's own", key);
    if (!keys.insert(key).second) task.fail("name", "two metadata have the key \"{}\"", key);
  }
}

std::string metadataText(const std::vector<NamedArray>& tensors, const Metadata& metadata, const Task& task) {
  Json labels = Json::object();
  for (const NamedArray& tensor : tensors)
    if (const std::string own = dims(tensor.value); !own.empty()) labels[tensor.name] = own;
  Json all = Json::object();
  for (const auto& [key, text] : metadata) all[key] = text;
  all[versionKey] = std::to_string(formatVersion);
  if (!labels.empty()) all[labelsKey] = textOf(labels, task);
  return textOf(all, task);
}

// Widest elements first, so that every array lies at a multiple of its elements' bytes.
std::vector<const NamedArray*> placed(const std::vector<NamedArray>& tensors) {
  std::vector<const NamedArray*> order;
  for (const NamedArray& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::ranges::greater(), [](const NamedArray* t) { return bytesOf(underlyingType(t->value)); });
  return order;
}

std::string headerText(const std::vector<NamedArray>& tensors, const std::vector<const NamedArray*>& order,
                       const Metadata& metadata, const Task& task) {
  std::vector<std::uint64_t> begins(tensors.size());
  std::uint64_t next = 0;
  for (const NamedArray* tensor : order) {
    begins[static_cast<std::size_t>(tensor - tensors.data())] = next;
    next += bytesIn(tensor->value);
  }
  std::string text = fmt::format("{{\"{}\":{}", metadataKey, metadataText(tensors, metadata, task));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Size size = dl::size(tensors[i].value);
    const std::vector<Index> shape(std::reverse_iterator(size.end()), std::reverse_iterator(size.begin()));
    const Json entry = {{"dtype", typeName(tensors[i], task)},
                        {"shape", shape},
                        {"data_offsets", {begins[i], begins[i] + bytesIn(tensors[i].value)}}};
    text += fmt::format(",{}:{}", textOf(tensors[i].name, task), entry.dump());
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

// ---- reading -------------------------------------------------------------------------------------------------------------

struct Place {
  std::string name;
  Type type;
  Size size;
  std::uint64_t begin, end;  // behind the header
};

std::string headerOf(FileReader& reader, const Task& task) {
  if (reader.size() < lengthBytes)
    task.fail("format", "not a safetensors file: it has {} bytes, and the length of the header alone takes {}", reader.size(),
              lengthBytes);
  std::uint64_t length;
  reader.read(0, &length, sizeof length);
  char first = 0;
  if (reader.size() > lengthBytes) reader.read(lengthBytes, &first, 1);
  const std::uint64_t rest = reader.size() - lengthBytes;
  if (length < 2 || (rest > 0 && first != '{'))
    task.fail("format", "not a safetensors file: no header begins at its byte {}", lengthBytes);
  if (length > rest)
    task.fail("format", "not a safetensors file, or cut off: its header would have {} bytes, and {} follow", length, rest);
  std::string header(length, ' ');
  reader.read(lengthBytes, header.data(), length);
  return header;
}

std::uint64_t wholeNumber(const Json& value, const std::string& name, const char* what, const Task& task) {
  if (!value.is_number_integer() || value < 0 || value > std::uint64_t{INT64_MAX})
    task.fail("format", "the {} of tensor \"{}\" are damaged: {} is no count", what, name, value.dump());
  return value.get<std::uint64_t>();
}

Type typeOfTensor(const std::string& name, const Json& entry, const Task& task) {
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) task.fail("format", "tensor \"{}\" has no dtype", name);
  const auto& text = found->get_ref<const std::string&>();
  for (const ElementType& known : elementTypes)
    if (text == known.name) return known.type;
  task.fail("type", "tensor \"{}\" is of type {}; arrays are made of F64, F32 and BOOL", name, text);
}

// The array's size, and how many elements it has.
std::pair<Size, std::uint64_t> sizeOfTensor(const std::string& name, const Json& entry, const Task& task) {
  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) task.fail("format", "tensor \"{}\" has no shape", name);
  if (shape->size() > Size::maxDimensions)
    task.fail("format", "tensor \"{}\" has {} dimensions; arrays have {} at most", name, shape->size(), Size::maxDimensions);
  Size size;
  std::uint64_t count = 1, room = 1;
  for (auto d = shape->rbegin(); d != shape->rend(); ++d) {
    const std::uint64_t n = wholeNumber(*d, name, "sizes", task);
    // Sizes beside a zero count too: what is computed from the array could have them without it.
    if (__builtin_mul_overflow(room, std::max<std::uint64_t>(n, 1), &room) || room > INT64_MAX / 16)
      task.fail("format", "tensor \"{}\" of shape {} has more elements than memory could", name, shape->dump());
    count *= n;
    size.push_back(static_cast<Index>(n));
  }
  if (size.size() < 2) size.resize(2);
  return {size, count};
}

Place placeOf(const std::string& name, const Json& entry, std::uint64_t room, const Task& task) {
  if (!entry.is_object()) task.fail("format", "tensor \"{}\" is not described", name);
  const Type type = typeOfTensor(name, entry, task);
  const auto [size, count] = sizeOfTensor(name, entry, task);
  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2)
    task.fail("format", "tensor \"{}\" has no two data_offsets", name);
  const std::uint64_t begin = wholeNumber((*offsets)[0], name, "data_offsets", task),
                      end = wholeNumber((*offsets)[1], name, "data_offsets", task);
  if (begin > end) task.fail("format", "tensor \"{}\" begins at byte {} and ends at byte {}", name, begin, end);
  if (end > room)
    task.fail("format", "cut off: tensor \"{}\" ends at byte {} of the elements, and the file holds {} of them", name, end, room);
  if (count * bytesOf(type) != end - begin)
    task.fail("format", "tensor \"{}\" of shape {} takes {} bytes, and has {}", name, entry["shape"].dump(),
              count * bytesOf(type), end - begin);
  return {name, type, size, begin, end};
}

// Every byte behind the header belongs to one tensor.
void checkCover(const std::vector<Place>& places, std::uint64_t room, const Task& task) {
  std::vector<const Place*> order;
  for (const Place& place : places) order.push_back(&place);
  std::ranges::sort(order, {}, [](const Place* p) { return std::pair(p->begin, p->end); });
  std::uint64_t next = 0;
  for (const Place* place : order) {
    if (place->begin < next)
      task.fail("format", "tensor \"{}\" begins at byte {}, inside of the one before it", place->name, place->begin);
    if (place->begin > next)
      task.fail("format", "{} bytes before tensor \"{}\" belong to none", place->begin - next, place->name);
    next = place->end;
  }
  if (next != room) task.fail("format", "{} bytes at its end belong to no tensor", room - next);
}

Metadata metadataOf(const Json& header, const Task& task) {
  Metadata metadata;
  const auto found = header.find(metadataKey);
  if (found == header.end()) return metadata;
  if (!found->is_object()) task.fail("format", "its metadata are no texts by key");
  for (const auto& [key, text] : found->items()) {
    if (!text.is_string()) task.fail("format", "its metadata \"{}\" is no text", key);
    metadata.emplace_back(key, text.get<std::string>());
  }
  return metadata;
}

void checkVersion(const Metadata& metadata, const Task& task) {
  const std::string* version = findKey(metadata, versionKey);
  if (!version || *version == std::to_string(formatVersion)) return;
  const bool number = !version->empty() && version->size() < 10 && version->find_first_not_of("0123456789") == std::string::npos;
  if (!number || std::stoi(*version) < formatVersion) task.fail("version", "its version, \"{}\", is none", *version);
  task.fail("version", "it has version {} of the format, and this library reads {}; read it with a newer library", *version,
            formatVersion);
}

Shape labelled(const Place& place, const Json& labels, const Task& task) {
  Shape shape{place.size, {}};
  if (const auto found = labels.find(place.name); found != labels.end()) {
    const std::string text = found->is_string() ? found->get<std::string>() : std::string();
    bool good = text.size() == shape.size.size();
    for (std::size_t d = 0; good && d < text.size(); ++d) {
      const Format::Label label = Format::label(text[d]), before = d == 0 ? Format::None : Format::label(text[d - 1]);
      good = label != Format::None && (label > before || (label == before && (label == Format::S || label == Format::U)));
      shape.format.set(d, label);
    }
    if (!good)
      task.fail("format", "the labels of tensor \"{}\", {}, do not fit an array of size {}", place.name, found->dump(),
                toString(shape.size));
  }
  dropTrailing(shape);
  return shape;
}

DlArray arrayAt(FileReader& reader, std::uint64_t start, const Place& place, const Json& labels, const Task& task) {
  DlArray x = Storage::make(labelled(place, labels, task), place.type);
  if (place.begin == place.end) return x;
  auto* elements = Storage::mutableData<unsigned char>(x);
  reader.read(start + place.begin, elements, place.end - place.begin);
  if (place.type == Type::Logical)
    for (std::uint64_t i = 0; i < place.end - place.begin; ++i)
      if (elements[i] > 1) task.fail("format", "tensor \"{}\" of type BOOL holds a byte {}", place.name, int{elements[i]});
  return x;
}

}  // namespace

const std::string* findKey(const Metadata& metadata, std::string_view key) noexcept {
  const auto found = std::ranges::find(metadata, key, &Metadata::value_type::first);
  return found == metadata.end() ? nullptr : &found->second;
}

void writeSafetensors(const std::vector<NamedArray>& tensors, const Metadata& metadata, const Task& task) {
  checkNames(tensors, metadata, task);
  const std::vector<const NamedArray*> order = placed(tensors);
  const std::string header = headerText(tensors, order, metadata, task);
  FileWriter writer(task);
  const std::uint64_t length = header.size();
  writer.write(&length, sizeof length);
  writer.write(header);
  for (const NamedArray* tensor : order) writer.write(Storage::data<void>(tensor->value), bytesIn(tensor->value));
  writer.commit();
}

Safetensors readSafetensors(const Task& task) {
  FileReader reader(task);
  const std::string text = headerOf(reader, task);
  std::vector<std::string> names;
  const Json header = parseJson(text, "its header", task, &names);
  if (!header.is_object()) task.fail("format", "not a safetensors file: its header is no JSON object");
  Metadata metadata = metadataOf(header, task);
  checkVersion(metadata, task);
  const std::string* labelsText = findKey(metadata, labelsKey);
  const Json labels = labelsText ? parseJson(*labelsText, "the list of labels", task) : Json::object();
  if (!labels.is_object()) task.fail("format", "its list of labels is none");
  const std::uint64_t start = lengthBytes + text.size(), room = reader.size() - start;
  std::vector<Place> places;
  for (const std::string& name : names)
    if (name != metadataKey) places.push_back(placeOf(name, header[name], room, task));
  checkCover(places, room, task);
  Safetensors result;
  for (const Place& place : places) result.tensors.push_back({place.name, arrayAt(reader, start, place, labels, task)});
  std::erase_if(metadata, [](const auto& entry) { return entry.first == labelsKey || entry.first == versionKey; });
  result.metadata = std::move(metadata);
  return result;
}

}  // namespace dl::io

namespace dl {

const DlArray& Safetensors::operator[](std::string_view name) const {
  const auto found = std::ranges::find(tensors, name, &NamedArray::name);
  if (found == tensors.end())
    fail({}, "safetensors:name", "safetensors: there is no array \"{}\" among the {} of the file", name, tensors.size());
  return found->value;
}

namespace detail {
const std::vector<std::pair<std::string, std::string>>& noTexts() noexcept {
  static const std::vector<std::pair<std::string, std::string>> none;
  return none;
}
}  // namespace detail

void saveSafetensors(const std::string& file, const std::vector<NamedArray>& tensors,
                     const std::vector<std::pair<std::string, std::string>>& metadata, std::source_location where) {
  io::writeSafetensors(tensors, metadata, {"saveSafetensors", file, where});
}

Safetensors loadSafetensors(const std::string& file, std::source_location where) {
  return io::readSafetensors({"loadSafetensors", file, where});
}

}  // namespace dl
