#include <dlarray/io/csv.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "io/whole_file.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

namespace dl {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view blanks = " \t";

std::string contents(const std::string& path, const std::source_location& where) {
  const auto cannot = [&] { fail(where, "readmatrix:open", "readmatrix: {} cannot be read: {}", path, std::strerror(errno)); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) cannot();
  std::string text;
  char piece[1 << 16];
  while (const std::size_t got = std::fread(piece, 1, sizeof piece, file.get())) text.append(piece, got);
  if (std::ferror(file.get())) cannot();
  return text;
}

std::string_view trimmed(std::string_view cell) {
  const std::size_t first = cell.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(blanks) - first + 1);
}

// The number that a cell holds: NaN when it is empty, none for words.
std::optional<double> numberIn(std::string_view cell) {
  cell = trimmed(cell);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = trimmed(cell.substr(1, cell.size() - 2));
  if (cell.empty()) return nan;
  if (cell.front() == '+') cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size() || cell.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(cell).c_str(), nullptr);
  if (error != std::errc()) return std::nullopt;
  return value;
}

// Calls take(cell) for each cell of a line; blanks as delimiters count once, however many there are.
template <class Take>
void forEachCell(std::string_view line, char delimiter, const Take& take) {
  if (delimiter == ' ') line = trimmed(line);
  std::size_t at = 0;
  while (true) {
    std::size_t stop = at;
    for (bool quoted = false; stop < line.size() && (quoted || line[stop] != delimiter); ++stop) quoted ^= line[stop] == '"';
    take(line.substr(at, stop - at));
    if (stop == line.size()) return;
    at = stop + 1;
    while (delimiter == ' ' && line[at] == ' ') ++at;
  }
}

char guessedDelimiter(std::string_view line) {
  for (const char c : {',', '\t', ';'})
    if (line.find(c) != std::string_view::npos) return c;
  return trimmed(line).find(' ') != std::string_view::npos ? ' ' : ',';
}

bool holdsNumber(std::string_view line, char delimiter) {
  bool found = false;
  forEachCell(line, delimiter, [&](std::string_view cell) { found = found || (!trimmed(cell).empty() && numberIn(cell)); });
  return found;
}

// The lines of a text with their numbers from 1, without blank ones.
struct Line {
  std::string_view text;
  Index number;
};
std::vector<Line> linesOf(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark of UTF-8
  std::vector<Line> lines;
  for (Index number = 1; !text.empty(); ++number) {
    const std::size_t stop = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, stop);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trimmed(line).empty()) lines.push_back({line, number});
    text.remove_prefix(std::min(stop + 1, text.size()));
  }
  return lines;
}

template <class T>
DlArray fromRows(const std::vector<double>& numbers, Index rows, Index columns) {
  DlArray x = Storage::make({Size{rows, columns}, {}}, typeOf<T>);
  T* to = Storage::mutableData<T>(x);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) to[j * rows + i] = static_cast<T>(numbers[static_cast<std::size_t>(i * columns + j)]);
  return x;
}

template <class T>
void writeRows(const DlArray& x, char delimiter, io::FileWriter& file) {
  const Index rows = size(stripdims(x), 0), columns = rows == 0 ? 0 : numel(x) / rows;
  const T* from = Storage::data<T>(x);
  fmt::memory_buffer text;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      if (j > 0) text.push_back(delimiter);
      const T value = from[j * rows + i];
      if constexpr (std::same_as<T, bool>)
        text.push_back(value ? '1' : '0');
      else if (value != value)
        text.append(std::string_view("NaN"));
      else if (value - value != 0)
        text.append(std::string_view(value < 0 ? "-Inf" : "Inf"));
      else
        fmt::format_to(std::back_inserter(text), "{}", value);
    }
    text.push_back('\n');
    file.write(text.data(), text.size());
    text.clear();
  }
}

}  // namespace

DlArray readmatrix(const std::string& file, const ReadmatrixOptions& options, std::source_location where) {
  if (options.delimiter.size() > 1)
    fail(where, "readmatrix:delimiter", "readmatrix: delimiter \"{}\" is more than one character", options.delimiter);
  if (options.outputType != "double" && options.outputType != "single")
    fail(where, "readmatrix:outputType", "readmatrix: outputType \"{}\" is neither \"double\" nor \"single\"",
         options.outputType);
  const std::string text = contents(file, where);
  const std::vector<Line> lines = linesOf(text);
  const auto delimiterOf = [&](const Line& line) {
    return options.delimiter.empty() ? guessedDelimiter(line.text) : options.delimiter[0];
  };
  std::size_t first = 0;
  while (first < lines.size() && (options.numHeaderLines >= 0 ? lines[first].number <= options.numHeaderLines
                                                              : !holdsNumber(lines[first].text, delimiterOf(lines[first]))))
    ++first;
  if (first == lines.size()) return options.outputType == "single" ? fromRows<float>({}, 0, 0) : fromRows<double>({}, 0, 0);

  const char delimiter = delimiterOf(lines[first]);
  std::vector<double> numbers;
  Index columns = 0;
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::size_t before = numbers.size();
    forEachCell(lines[i].text, delimiter, [&](std::string_view cell) { numbers.push_back(numberIn(cell).value_or(nan)); });
    const Index cells = static_cast<Index>(numbers.size() - before);
    if (i == first) columns = cells;
    if (cells != columns)
      fail(where, "readmatrix:ragged", "readmatrix: {}, line {}: {} cells, line {} has {}", file, lines[i].number, cells,
           lines[first].number, columns);
  }
  const Index rows = static_cast<Index>(lines.size() - first);
  return options.outputType == "single" ? fromRows<float>(numbers, rows, columns) : fromRows<double>(numbers, rows, columns);
}

void writematrix(Operand x, const std::string& file, const WritematrixOptions& options) {
  const io::Task task{"writematrix", file, x.where()};
  io::FileWriter output(task);
  switch (underlyingType(x)) {
    case Type::Double:
      writeRows<double>(x, options.delimiter, output);
      break;
    case Type::Single:
      writeRows<float>(x, options.delimiter, output);
      break;
    case Type::Logical:
      writeRows<bool>(x, options.delimiter, output);
      break;
    default:
      fail(x.where(), "writematrix:type", "writematrix: {} arrays cannot be written", name(underlyingType(x)));
  }
  output.commit();
}

}  // namespace dl
