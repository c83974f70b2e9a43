#pragma once
// Tables as text, columns aligned.
#include <string>
#include <vector>

namespace dl::network {

/// Lines of cells; a cell of several lines makes its row as many lines high. The first row is the heading and is underlined.
std::string tableText(const std::vector<std::vector<std::string>>& rows);
/// 999, "1.2k", "84k", "61.1M": what counts of learnables are printed as.
std::string shortCount(long long count);

}  // namespace dl::network
