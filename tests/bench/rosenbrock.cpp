// The chained Rosenbrock function and its derivatives against hand-written C++ for that one problem, measured in the same run:
// fused into one loop, and one pass for each operation as an array library without fusion runs it.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>
#include <cstdlib>

using namespace dl;

namespace {

std::vector<double> start(std::size_t n) {
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = (i % 2 ? 1.0 : -1.2) + 0.01 * static_cast<double>(i % 13);
  return x;
}

double fused(const double* __restrict x, std::size_t n, double* __restrict g) {
  double f = 0;
  double before = 0;  // what the term to the left adds
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    f += 100 * a * a + b * b;
    g[i] = before - 400 * a * x[i] - 2 * b;
    before = 200 * a;
  }
  g[n - 1] = before;
  return f;
}

// Every temporary has its own memory, allocated once.
struct OpByOp {
  std::vector<double> sq, a, q, b, r;
  explicit OpByOp(std::size_t n) : sq(n), a(n), q(n), b(n), r(n) {}
  double operator()(const double* __restrict x, std::size_t n, double* __restrict g) {
    const std::size_t m = n - 1;
    double* __restrict s = sq.data(), * __restrict d = a.data(), * __restrict p = q.data(), * __restrict c = b.data(), * __restrict t = r.data();
    for (std::size_t i = 0; i < m; ++i) s[i] = x[i] * x[i];
    for (std::size_t i = 0; i < m; ++i) d[i] = x[i + 1] - s[i];
    for (std::size_t i = 0; i < m; ++i) p[i] = d[i] * d[i];
    for (std::size_t i = 0; i < m; ++i) p[i] = 100 * p[i];
    for (std::size_t i = 0; i < m; ++i) c[i] = 1 - x[i];
    for (std::size_t i = 0; i < m; ++i) t[i] = c[i] * c[i];
    for (std::size_t i = 0; i < m; ++i) p[i] = p[i] + t[i];
    double f = 0;
    for (std::size_t i = 0; i < m; ++i) f += p[i];
    for (std::size_t i = 0; i < m; ++i) p[i] = 100.0;
    for (std::size_t i = 0; i < m; ++i) d[i] = 2 * d[i] * p[i];
    for (std::size_t i = 0; i < m; ++i) c[i] = -2 * c[i];
    for (std::size_t i = 0; i < m; ++i) s[i] = -2 * x[i] * d[i];
    for (std::size_t i = 0; i < m; ++i) g[i] = s[i] + c[i];
    g[m] = 0;
    for (std::size_t i = 0; i < m; ++i) g[i + 1] += d[i];
    return f;
  }
};

DlArray chained(const DlArray& x) {
  const DlArray a = x(span(1, end)), b = x(span(0, end - 1));
  return sum(100 * pow(a - pow(b, 2), 2) + pow(1 - b, 2));
}

std::tuple<DlArray, DlArray> valueAndGradient(const DlArray& x) {
  DlArray f = chained(x), g = dlgradient(f, x);
  return {f, g};
}

// As MATLAB's documentation writes it, element by element.
std::tuple<DlArray, DlArray> valueAndGradientOfTwo(const DlArray& x) {
  DlArray f = 100 * pow(x(1) - pow(x(0), 2), 2) + pow(1 - x(0), 2), g = dlgradient(f, x);
  return {f, g};
}

void checkGradient(const DlArray& g, const std::vector<double>& expected) {
  const auto got = extractdata<std::vector<double>>(g);
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::abs(got[i] - expected[i]) > 1e-9 * std::max(1.0, std::abs(expected[i]))) {
      std::printf("WRONG gradient at %zu: %g instead of %g\n", i, got[i], expected[i]);
      std::exit(1);
    }
}

void gradientRow(std::size_t n) {
  const std::vector<double> x = start(n);
  std::vector<double> g(n);
  const DlArray X = dlarray(x);
  OpByOp byOp(n);
  fused(x.data(), n, g.data());
  checkGradient(std::get<1>(dlfeval(valueAndGradient, X)), g);
  std::vector<bench::Candidate> all{
      {"hand fused", [&] { bench::keep(fused(x.data(), n, g.data())); }},
      {"hand op by op", [&] { bench::keep(byOp(x.data(), n, g.data())); }},
      {"dlarray", [&] { bench::keep(dlfeval(valueAndGradient, X)); }},
  };
  if (n == 2) all.push_back({"dlarray by element", [&] { bench::keep(dlfeval(valueAndGradientOfTwo, X)); }});
  bench::compare("value + gradient, n = " + std::to_string(n), all);
}

std::vector<double> hessianTimes(const std::vector<double>& x, const std::vector<double>& v) {
  std::vector<double> h(x.size(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    h[i] += (-400 * (x[i + 1] - 3 * x[i] * x[i]) + 2) * v[i] - 400 * x[i] * v[i + 1];
    h[i + 1] += 200 * v[i + 1] - 400 * x[i] * v[i];
  }
  return h;
}

void hessianRow(std::size_t n) {
  const std::vector<double> x = start(n);
  const DlArray X = dlarray(x);
  std::vector<double> H(n * n);
  const auto byHand = [&] {
    std::fill(H.begin(), H.end(), 0.0);
    for (std::size_t i = 0; i + 1 < n; ++i) {
      H[i * n + i] += -400 * (x[i + 1] - 3 * x[i] * x[i]) + 2;
      H[(i + 1) * n + i + 1] += 200;
      H[i * n + i + 1] = H[(i + 1) * n + i] = -400 * x[i];
    }
    bench::keep(H[0]);
  };
  const auto ours = [](const DlArray& p) { return dlhessian(chained(p), p); };
  byHand();
  checkGradient(dlfeval(ours, X), H);
  bench::compare("Hessian, n = " + std::to_string(n), {{"hand", byHand}, {"dlarray", [&] { bench::keep(dlfeval(ours, X)); }}});
}

void hessianVectorRow(std::size_t n) {
  const std::vector<double> x = start(n);
  std::vector<double> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = 1.0 / (1 + static_cast<double>(i % 7));
  const DlArray X = dlarray(x), V = dlarray(v);
  const auto ours = [&](const DlArray& p) { return dlhvp(chained(p), p, V); };
  checkGradient(dlfeval(ours, X), hessianTimes(x, v));
  bench::compare("Hessian times vector, n = " + std::to_string(n),
                 {{"hand", [&] { bench::keep(hessianTimes(x, v)); }}, {"dlarray", [&] { bench::keep(dlfeval(ours, X)); }}});
}

}  // namespace

int main() {
  for (std::size_t n : {2UL, 10UL, 100UL, 10'000UL, 1'000'000UL}) gradientRow(n);
  hessianRow(100);
  hessianVectorRow(10'000);
  std::printf("peak memory %.0f MiB\n", bench::peakMemory());
}
