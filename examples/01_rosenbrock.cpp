// Rosenbrock's function at (-1, 2): its value, gradient and Hessian, and Newton's way from there to the minimum at (1, 1).
#include <dlarray/dlarray.hpp>

#include <iostream>
#include <tuple>

using namespace dl;

// One argument: x is the row [x1 x2], and so is the gradient.
auto rosenbrock(const DlArray& x) {
  const DlArray f = 100 * pow(x(1) - pow(x(0), 2), 2) + pow(1 - x(0), 2);
  return std::tuple(f, dlgradient(f, x));
}

// Two arguments: one derivative for each of them, from one call.
auto rosenbrock2(const DlArray& x1, const DlArray& x2) {
  const DlArray f = 100 * pow(x2 - pow(x1, 2), 2) + pow(1 - x1, 2);
  const auto [d1, d2] = dlgradient(f, x1, x2);
  return std::tuple(f, d1, d2);
}

// With second derivatives, for Newton's method.
auto rosenbrockWithHessian(const DlArray& x) {
  const DlArray f = 100 * pow(x(1) - pow(x(0), 2), 2) + pow(1 - x(0), 2);
  const DlArray g = dlgradient(f, x, {.retainData = true});
  return std::tuple(f, g, dlhessian(f, x));
}

// The row p with p H = g, for a symmetric 2 x 2 matrix H, by Cramer's rule.
DlArray solve(const DlArray& H, const DlArray& g) {
  const DlArray determinant = H(0, 0) * H(1, 1) - H(0, 1) * H(1, 0);
  return horzcat(H(1, 1) * g(0) - H(0, 1) * g(1), H(0, 0) * g(1) - H(1, 0) * g(0)) / determinant;
}

int main() {
  const DlArray x0 = dlarray({-1, 2});

  const auto [f, g] = dlfeval(rosenbrock, x0);
  std::cout << "f =\n\n" << f << "\ngradient =\n\n" << g << '\n';

  const DlArray x1 = -1, x2 = 2;
  const auto [f2, d1, d2] = dlfeval(rosenbrock2, x1, x2);
  std::cout << "with two arguments: " << double(f2) << " [" << double(d1) << ' ' << double(d2) << "]\n\n";

  DlArray x = x0;
  for (int iteration = 0; iteration < 20; ++iteration) {
    const auto [value, gradient, H] = dlfeval(rosenbrockWithHessian, x);
    if (iteration == 0) std::cout << "Hessian =\n\n" << H << '\n';
    std::cout << "iteration " << iteration << ": f = " << double(value) << " at (" << double(x(0)) << ", " << double(x(1))
              << ")\n";
    if (norm(gradient) < 1e-10) break;
    x -= solve(H, gradient);
  }
  std::cout << "\nminimum at\n\n" << x;
}
