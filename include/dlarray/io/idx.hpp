#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// The array in an IDX file (LeCun's format of MNIST), plain or compressed by gzip: single numbers, double ones for 32-bit
/// integers and doubles. With three and more dimensions the file's first dimension, which counts observations, comes last: n
/// pictures give height x width x n, element (i, j, k) being row i and column j of picture k. A matrix stays rows x columns, a
/// list of n numbers is n x 1. Throws, naming the file, for files that cannot be read, are no IDX files, are damaged, or do not
/// hold what their header says.
DlArray readIdx(const std::string& file, std::source_location where = std::source_location::current());

}  // namespace dl
