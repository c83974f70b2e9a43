#pragma once
#include <dlarray/array.hpp>

namespace dl {

struct ReadmatrixOptions {
  /// Lines before the numbers; by default all lines at the beginning that hold no number.
  Index numHeaderLines = -1;
  /// What stands between cells: one character, or "" for the first of comma, tab, semicolon and blanks that the first line of
  /// numbers has.
  std::string delimiter = {};
  /// "double" or "single".
  std::string outputType = "double";
};
/// The numbers of a text file, a line for each row; blank lines do not count. Empty cells and words are NaN. Throws, naming file
/// and line, when a line has more or fewer cells than the first, and for files that cannot be read. (MATLAB: readmatrix)
DlArray readmatrix(const std::string& file, const ReadmatrixOptions& options = {},
                   std::source_location where = std::source_location::current());

struct WritematrixOptions {
  char delimiter = ',';
};
/// Writes a matrix as text, a line for each row, with as many digits as it takes to read the same numbers back. Further
/// dimensions continue to the right. The file appears when it is complete, or stays as it was. Throws when it cannot be written.
/// (MATLAB: writematrix)
void writematrix(Operand x, const std::string& file, const WritematrixOptions& options = {});

}  // namespace dl
