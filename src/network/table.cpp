#include "network/table.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace dl::network {

namespace {

std::vector<std::string> linesOf(const std::string& cell) {
  std::vector<std::string> lines(1);
  for (const char c : cell)
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  return lines;
}

// Bytes that begin a character, so that names in other scripts are as wide as they look.
std::size_t widthOf(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string tableText(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == widths.size()) widths.push_back(0);
      for (const std::string& line : linesOf(row[c])) widths[c] = std::max(widths[c], widthOf(line));
    }
  std::string text;
  const auto addLine = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c)
      line += (c == 0 ? "  " : "   ") + cells[c] + std::string(widths[c] - widthOf(cells[c]), ' ');
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (const std::string& cell : rows[r]) {
      cells.push_back(linesOf(cell));
      height = std::max(height, cells.back().size());
    }
    for (std::size_t i = 0; i < height; ++i) {
      std::vector<std::string> line;
      for (const auto& cell : cells) line.push_back(i < cell.size() ? cell[i] : "");
      addLine(line);
    }
    if (r > 0) continue;
    std::vector<std::string> rule;
    for (const std::size_t width : widths) rule.emplace_back(width, '_');
    addLine(rule);
  }
  return text;
}

std::string shortCount(long long count) {
  if (count < 1000) return std::to_string(count);
  // 999950 and more would print as 1000k.
  const bool thousands = count < 999950;
  std::string text = fmt::format("{:.1f}", static_cast<double>(count) / (thousands ? 1e3 : 1e6));
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + (thousands ? "k" : "M");
}

}  // namespace dl::network
