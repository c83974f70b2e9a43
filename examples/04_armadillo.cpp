// Derivatives from here, linear algebra from Armadillo: did the cold break the Challenger's O-rings? A logistic regression
// over the 23 flights before, by Newton's method. (Dalal, Fowlkes, Hoadley, J. Amer. Statist. Assoc. 84, 1989)
#include <dlarray/dlarray.hpp>
#include <dlarray/armadillo.hpp>

#include <iostream>
#include <tuple>

using namespace dl;

// Joint temperature at launch in degrees Fahrenheit, and whether any O-ring showed damage.
const arma::vec temperature = {66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58};
const arma::vec damaged = {0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1};

int main() {
  // Expressions of Armadillo's become arrays as well as matrices do.
  const DlArray X = dlarray(arma::join_rows(arma::ones(temperature.n_elem), temperature));
  const DlArray y = dlarray(damaged);

  // The negative log-likelihood of the weights w with its derivatives.
  const auto likelihood = [&](const DlArray& w) {
    const DlArray z = X * w;
    const DlArray loss = sum(log1p(exp(z)) - y % z);
    const DlArray gradient = dlgradient(loss, w, {.retainData = true});
    return std::tuple(loss, gradient, dlhessian(loss, w));
  };

  DlArray w = zeros(2, 1);
  arma::mat covariance;
  for (int iteration = 0; iteration < 20; ++iteration) {
    const auto [loss, g, H] = dlfeval(likelihood, w);
    std::cout << "iteration " << iteration << ": loss " << double(loss) << '\n';
    // Views copy nothing and keep the array alive.
    const auto hessian = view<arma::mat>(H);
    const auto gradient = view<arma::vec>(g);
    w -= dlarray(arma::solve(*hessian, *gradient));
    covariance = arma::inv_sympd(*hessian);
    if (norm(g) < 1e-10) break;
  }

  const arma::vec weights = extractdata<arma::vec>(w);
  weights.t().print("\nintercept and slope, published: 15.043 and -0.232:");
  arma::sqrt(covariance.diag()).t().print("\nstandard errors, published: 7.379 and 0.108:");
  std::cout << "\nchance of damage at 31 degrees: " << 1 / (1 + std::exp(-weights(0) - 31 * weights(1))) << '\n';

  // A 3-D array is no matrix, and Armadillo's positions are no answers.
  try {
    view<arma::mat>(dlarray(arma::cube(2, 3, 4)));
  } catch (const Error& error) {
    std::cout << '\n' << error.what() << '\n';
  }
}
