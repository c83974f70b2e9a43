// Rosenbrock's function with its gradient at (-1, 2), as a user writes it.
#include <dlarray/dlarray.hpp>

#include <iostream>
#include <utility>

std::pair<dl::DlArray, dl::DlArray> rosenbrock(const dl::DlArray& x) {
  const dl::DlArray f = 100.0 * dl::pow(x(1) - dl::pow(x(0), 2), 2) + dl::pow(1.0 - x(0), 2);
  return {f, dl::dlgradient(f, x)};
}

int main() {
  const auto [f, g] = dl::dlfeval(rosenbrock, dl::dlarray({-1.0, 2.0}));
  const double value = double(f), g0 = double(g(0)), g1 = double(g(1));
  std::cout << value << " [" << g0 << ' ' << g1 << "]\n";
  return value == 104 && g0 == 396 && g1 == 200 ? 0 : 1;
}
