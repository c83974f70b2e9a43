// What one operation costs, traced and untraced, from 1 to 10 million elements; beside it a plain loop over the same memory.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>

using namespace dl;

namespace {

std::string sizeName(Index n) {
  return n < 1000 ? std::to_string(n) : "1e" + std::to_string(static_cast<int>(std::round(std::log10(static_cast<double>(n)))));
}

void untracedRow(Index n) {
  const DlArray a = rand(Size{n, 1}), b = rand(Size{n, 1});
  const double *x = data<double>(a), *y = data<double>(b);
  std::vector<double> z(static_cast<std::size_t>(n));
  double* __restrict to = z.data();
  bench::compare("untraced, " + sizeName(n) + " elements",
                 {
                     {"loop a + b",
                      [&] {
                        for (Index i = 0; i < n; ++i) to[i] = x[i] + y[i];
                        bench::keep(to);
                      }},
                     {"a + b", [&] { bench::keep(a + b); }},
                     {"exp(a)", [&] { bench::keep(exp(a)); }},
                     {"sum(a)", [&] { bench::keep(sum(a)); }},
                 },
                 n > 1'000'000 ? 7 : 15);
}

// Long traces, so that opening and closing one does not count.
double perOperation(Index n, int count, DlArray (*step)(const DlArray&), bool gradient) {
  const DlArray x0 = rand(Size{n, 1});
  std::vector<bench::Candidate> one{{"", [&] {
                                       bench::keep(dlfeval(
                                           [&](const DlArray& x) {
                                             DlArray y = x;
                                             for (int i = 0; i < count; ++i) y = step(y);
                                             const DlArray f = sum(y);
                                             return gradient ? dlgradient(f, x) : f;
                                           },
                                           x0));
                                     }}};
  bench::measure(one, n > 1'000'000 ? 5 : 15);
  return one[0].seconds / count;
}

void tracedRow(const char* name, Index n, DlArray (*step)(const DlArray&)) {
  const int count = n > 1'000'000 ? 10 : n > 10'000 ? 100 : 1000;
  const double forward = perOperation(n, count, step, false), both = perOperation(n, count, step, true);
  std::printf("%-34s  forward %s  forward + backward %s\n",
              (std::string("traced ") + name + ", " + sizeName(n) + " elements").c_str(), bench::duration(forward).c_str(),
              bench::duration(both).c_str());
}

}  // namespace

int main() {
  for (Index n : {1L, 10L, 1000L, 100'000L, 10'000'000L}) untracedRow(n);
  for (Index n : {1L, 10L, 1000L, 100'000L, 10'000'000L}) {
    tracedRow("x + 1", n, [](const DlArray& x) { return x + 1; });
    tracedRow("tanh(x)", n, [](const DlArray& x) { return tanh(x); });
    tracedRow("x % x", n, [](const DlArray& x) { return x % x; });
  }
  std::printf("peak memory %.0f MiB\n", bench::peakMemory());
}
