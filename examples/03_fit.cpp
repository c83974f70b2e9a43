// A curve through measured points: Misra1a of the NIST Statistical Reference Datasets, whose best fit is certified to ten digits.
// D. Misra (1978), National Bureau of Standards: 14 measurements of dental research, volume against pressure.
#include <dlarray/dlarray.hpp>

#include <cstdio>
#include <tuple>

using namespace dl;

const DlArray volume =
    dlarray(std::vector{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78});
const DlArray pressure =
    dlarray(std::vector{77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0});

DlArray residuals(const DlArray& b) { return b(0) * (1 - exp(-b(1) * pressure)) - volume; }

// The residuals and their Jacobian, row by row: the gradient of each residual.
auto residualsWithJacobian(const DlArray& b) {
  const DlArray r = residuals(b);
  DlArray J = zeros(numel(r), numel(b));
  for (Index i = 0; i < numel(r); ++i) J(i, all) = dlgradient(r(i), b, {.retainData = true});
  return std::tuple(r, J);
}

// The column p with A p = c, for a 2 x 2 matrix A, by Cramer's rule.
DlArray solve(const DlArray& A, const DlArray& c) {
  const DlArray determinant = A(0, 0) * A(1, 1) - A(0, 1) * A(1, 0);
  return vertcat(A(1, 1) * c(0) - A(0, 1) * c(1), A(0, 0) * c(1) - A(1, 0) * c(0)) / determinant;
}

double sumOfSquares(const DlArray& r) { return double(sum(pow(r, 2))); }

int main() {
  // Gauss and Newton's method from the first of the start points that NIST prescribes; a step that leads upwards is halved.
  DlArray b = dlarray({500, 0.0001});
  auto [r, J] = dlfeval(residualsWithJacobian, b);
  std::printf("iteration   sum of squares   b1        b2\n");
  for (int iteration = 0; iteration < 50; ++iteration) {
    std::printf("%9d   %14.8g   %8.4f  %.4e\n", iteration, sumOfSquares(r), double(b(0)), double(b(1)));
    DlArray step = transpose(solve(transpose(J) * J, transpose(J) * r));
    const double limit = sumOfSquares(r) * (1 + 1e-9);  // near the minimum only rounding is left
    while (sumOfSquares(residuals(b - step)) > limit) step /= 2;
    b -= step;
    std::tie(r, J) = dlfeval(residualsWithJacobian, b);
    if (all(abs(step) < 1e-12 * abs(b))) break;
  }

  // Standard deviations of the parameters: the inverse of J'J times the variance of the residuals.
  const double variance = sumOfSquares(r) / double(numel(r) - numel(b));
  const DlArray A = transpose(J) * J, determinant = A(0, 0) * A(1, 1) - A(0, 1) * A(1, 0);
  std::printf("\n                       fitted               certified\n");
  std::printf("b1                     %.10E     2.3894212918E+02\n", double(b(0)));
  std::printf("b2                     %.10E     5.5015643181E-04\n", double(b(1)));
  std::printf("standard deviation b1  %.10E     2.7070075241E+00\n", double(sqrt(variance * A(1, 1) / determinant)));
  std::printf("standard deviation b2  %.10E     7.2668688436E-06\n", double(sqrt(variance * A(0, 0) / determinant)));
  std::printf("sum of squares         %.10E     1.2455138894E-01\n", sumOfSquares(r));
}
