#include "cpu/loss.hpp"

#include <cmath>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "cpu/ctc.hpp"
#include "formulas/loss.hpp"
#include "kernel_test.hpp"

using namespace dl::cpu;
using namespace dl::formula;

namespace {

using Types = std::tuple<float, double>;

template <class T, class F>
void check(Index n) {
  auto a = numbers<T>(n), b = numbers<T>(n, 2);
  for (T& v : a) v = (v + T(1.01)) / T(2.02);
  constexpr std::size_t formula = LossFormulas::position<F>();
  bool same = false;
  const double sum = sameForThreads([&] { return std::vector<double>{lossSum(formula, a.data(), b.data(), n)}; }, same)[0];
  BOOST_TEST(same);
  double want = 0, size = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    want += F::value(static_cast<double>(a[i]), static_cast<double>(b[i]));
    size += std::abs(F::value(static_cast<double>(a[i]), static_cast<double>(b[i])));
  }
  BOOST_REQUIRE_SMALL((sum - want) / size, 64 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  for (const bool byA : {true, false}) {
    std::vector<T> d(a.size());
    lossGradient(formula, byA, T(0.5), a.data(), b.data(), n, d.data());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const T exact = byA ? F::gradientA(T(0.5), a[i], b[i], T(0)) : F::gradientB(T(0.5), a[i], b[i], T(0));
      BOOST_REQUIRE_SMALL(static_cast<double>((d[i] - exact) / (1 + std::abs(exact))),
                          8 * static_cast<double>(std::numeric_limits<T>::epsilon()));
    }
  }
}

template <class T, class... F>
void checkAll(List<F...>) {
  for (Index n : {0, 1, 31, 64, 129, 4096, 4097, 100000}) (check<T, F>(n), ...);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(sums_and_derivatives, T, Types) { checkAll<T>(LossFormulas()); }

BOOST_AUTO_TEST_CASE(more_elements_than_blocks) { check<float, SquaredError>(5'000'000); }

BOOST_AUTO_TEST_CASE_TEMPLATE(ctc_is_the_same_for_every_number_of_threads, T, Types) {
  constexpr Index classes = 7, batch = 9, steps = 60, most = 20;
  auto y = numbers<T>(classes * batch * steps);
  for (T& v : y) v = (v + T(1.1)) / T(2.2);
  std::vector<double> part(batch * steps, 1.0), labels(most * batch), counts(batch);
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<double>(1 + k * k % 6);
  for (std::size_t b = 0; b < counts.size(); ++b) counts[b] = static_cast<double>(2 * b);
  const CtcBatch<T> all{y.data(), part.data(), labels.data(), counts.data(), classes, batch, steps, most, 0};
  std::vector<double> workspace(static_cast<std::size_t>(all.workspace()));
  bool same = false, sameGradient = false;
  sameForThreads([&] { return std::vector<double>{ctcSum(all, workspace.data())}; }, same);
  const auto d = sameForThreads(
      [&] {
        std::vector<T> to(y.size());
        ctcGradient(all, 1.0, workspace.data(), to.data());
        return to;
      },
      sameGradient);
  BOOST_TEST(same);
  BOOST_TEST(sameGradient);
  // The shares of the states of a step add up to 1.
  for (std::size_t k = 0; k < d.size(); k += classes) {
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += static_cast<double>(d[k + c] * y[k + c]);
    BOOST_REQUIRE_SMALL(sum + 1, 1e-4);
  }
}
