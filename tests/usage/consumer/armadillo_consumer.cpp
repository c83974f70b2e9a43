// A matrix goes into an array and comes out again.
#include <dlarray/armadillo.hpp>
#include <dlarray/dlarray.hpp>

#include <iostream>

int main() {
  const arma::mat A = {{1, 2}, {3, 5}};
  const arma::mat B = dl::extractdata<arma::mat>(dl::dlarray(A));
  const arma::mat I = arma::solve(A, B);  // calls LAPACK, so that the settings for linking are tried too
  std::cout << I;
  return arma::approx_equal(I, arma::eye(2, 2), "absdiff", 1e-12) ? 0 : 1;
}
