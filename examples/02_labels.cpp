// Labels: an array that knows which dimension is space (S), channel (C), batch (B) or time (T) needs no dimension numbers.
#include <dlarray/dlarray.hpp>

#include <iostream>

using namespace dl;

// What a mistake says.
template <class F>
void tryIt(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    std::cout << "  " << error.what() << '\n';
  }
}

int main() {
  // Noon temperatures of three cities (rows) on four days (columns), as a table one may have at hand: batch x time.
  const DlArray table = dlarray({{11, 13, 12, 16}, {4, 6, 9, 9}, {21, 22, 20, 25}});

  // The labels of the table as it is written. An array stores its dimensions in the order S, C, B, T, U.
  const DlArray degrees = dlarray(table, "BT");
  const DlArray turned = dlarray(transpose(table), "TB");
  std::cout << "degrees =\n\n" << degrees << '\n';
  std::cout << "written the other way round it is the same: " << std::boolalpha << isequal(degrees, turned) << "\n\n";

  // Questions by label: sizes, positions of dimensions, reductions. Reduced dimensions keep their label, with size 1.
  std::cout << "days: " << size(degrees, "T") << ", dimension " << finddim(degrees, 'T')[0] << " of " << dims(degrees) << "\n\n";
  std::cout << "mean of each city =\n\n" << mean(degrees, "T") << '\n';
  std::cout << "warmest of all =\n\n" << max(degrees, {}, "BT") << '\n';

  // Arrays meet by label, whatever the order and number of their dimensions: here each city's own scale.
  const DlArray anomaly = degrees - mean(degrees, "T");
  std::cout << "anomaly =\n\n" << anomaly << '\n';

  // A vector with one label: two sensors (C) read the cities (B) with an offset each. The result has both labels and time.
  const DlArray offset = dlarray({0.5, -0.25}, "C");
  const DlArray readings = degrees + offset;
  std::cout << "readings: " << size(readings, "C") << " sensors, dims " << dims(readings) << "\n\n";

  // Elements are read in stored order; with a position for every dimension the labels stay.
  std::cout << "second sensor on the first day =\n\n" << readings(1, all, 0) << '\n';

  // Matrix products know no labels: take them off, in the order that the product wants.
  const DlArray days = stripdims(degrees, "TB");
  std::cout << "covariance of the cities =\n\n" << transpose(days - mean(days, 0)) * (days - mean(days, 0)) / 3 << '\n';

  std::cout << "Mistakes are found where they are made:\n";
  tryIt([&] { dlarray(table, "BX"); });
  tryIt([&] { dlarray(table, "BB"); });
  tryIt([&] { dlarray(table, "B"); });
  tryIt([&] { degrees + dlarray({1, 2}, "B"); });
  tryIt([&] { sum(degrees); });
  tryIt([&] { sum(degrees, "C"); });
  tryIt([&] { mtimes(degrees, ones(4, 1)); });
  tryIt([&] { degrees(0, 7); });
}
