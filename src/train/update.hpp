#pragma once
// What the trainer and the solvers do with whole arrays, in one pass and in place.
#include <dlarray/array.hpp>

namespace dl::train {

/// The sum of squares, added up in double precision; the same for every number of threads.
double sumOfSquares(const DlArray& x);
/// g += factor w, for single or double g; w has its size.
void addScaled(double factor, const DlArray& w, DlArray& g);

}  // namespace dl::train
