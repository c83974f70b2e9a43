#include "cpu/loss.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "cpu/ctc.hpp"
#include "formulas/loss.hpp"
#include "kernel_test.hpp"

using namespace dl::cpu;
using namespace dl::formula;

namespace {

using Types = std::tuple<float, double>;

constexpr double parameter = 0.4;

// What is laid over the elements: weights of every `period`-th element, each for `runs` neighbours; a mask of the last dimension.
struct Pattern {
  Index runs, period, outer;
  Index weights() const { return period; }
  Overlay overlay() const {
    const Overlay::Axis axes[] = {{runs, 0}, {period, 1}, {outer, 0}};
    return Overlay(axes);
  }
  Overlay maskOverlay() const {
    const Overlay::Axis axes[] = {{runs * period, 0}, {outer, 1}};
    return Overlay(axes);
  }
};

template <class T>
double eps(double factor) {
  return factor * static_cast<double>(std::numeric_limits<T>::epsilon());
}

// The larger of two errors; NaN stays.
void widen(double& worst, double error) {
  if (worst == worst && !(std::abs(error) <= worst)) worst = std::abs(error);
}

template <class T, class F>
void check(Index n, const Pattern* pattern = nullptr, bool wholeTargets = false) {
  auto a = numbers<T>(n), b = numbers<T>(n, 2);
  for (T& v : a) v = (v + T(1.01)) / T(2.02);
  if (wholeTargets)
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = i % 500 == 499 ? T(0.25) : b[i] < T(0) ? T(0) : T(1);
  constexpr std::size_t formula = LossFormulas::position<F>();
  const auto count = static_cast<std::size_t>(n);
  std::vector<T> weights(count, T(1)), g = numbers<T>(n, 3), few;
  std::vector<char> part(count, 1);
  const std::unique_ptr<bool[]> mask(new bool[count + 1]);
  Losses<T> losses{formula, T(parameter), a.data(), b.data(), n};
  if (pattern) {
    few = numbers<T>(pattern->weights(), 4);
    for (Index o = 0; o < pattern->outer; ++o) mask[static_cast<std::size_t>(o)] = o % 3 != 1;
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<Index>(i);
      weights[i] = few[static_cast<std::size_t>(at / pattern->runs % pattern->period)];
      part[i] = mask[static_cast<std::size_t>(at / pattern->runs / pattern->period)];
      if (!part[i]) a[i] = std::numeric_limits<T>::quiet_NaN();
    }
    losses.weights = few.data();
    losses.weightsLie = pattern->overlay();
    losses.mask = mask.get();
    losses.maskLies = pattern->maskOverlay();
  }
  const auto value = [&](std::size_t i) {
    return part[i] ? F::value(static_cast<double>(a[i]), static_cast<double>(b[i]), parameter) : 0.0;
  };

  bool same = false;
  const double sum = sameForThreads([&] { return std::vector<double>{lossSum(losses)}; }, same)[0];
  BOOST_TEST(same);
  double want = 0, size = 1;
  for (std::size_t i = 0; i < count; ++i) {
    want += static_cast<double>(weights[i]) * value(i);
    size += std::abs(static_cast<double>(weights[i]) * value(i));
  }
  BOOST_REQUIRE_SMALL((sum - want) / size, eps<T>(64));
  std::vector<T> d(count);
  lossValues(losses, g.data(), T(0.5), d.data());
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i)
    widen(worst,
          (static_cast<double>(d[i]) - 0.5 * static_cast<double>(weights[i] * g[i]) * value(i)) / (1 + std::abs(value(i))));
  for (const bool byA : {true, false})
    for (const bool each : {false, true}) {
      lossGradient(losses, byA, each ? g.data() : nullptr, T(0.5), d.data());
      for (std::size_t i = 0; i < count; ++i) {
        const T factor = T(0.5) * weights[i] * (each ? g[i] : T(1));
        const T exact = !part[i] ? T(0)
                        : byA    ? F::gradientA(factor, a[i], b[i], T(parameter))
                                 : F::gradientB(factor, a[i], b[i], T(parameter));
        widen(worst, static_cast<double>((d[i] - exact) / (1 + std::abs(exact))));
      }
    }
  BOOST_REQUIRE_SMALL(worst, eps<T>(16));
  if (!pattern) return;
  std::vector<double> exact(few.size());
  const std::vector<T> byWeights = sameForThreads(
      [&] {
        std::vector<T> result(few.size());
        lossWeightGradient(losses, pattern->overlay(), g.data(), T(0.5), pattern->weights(), result.data());
        return result;
      },
      same);
  BOOST_TEST(same);
  for (std::size_t i = 0; i < count; ++i)
    exact[i / static_cast<std::size_t>(pattern->runs) % few.size()] += 0.5 * static_cast<double>(g[i]) * value(i);
  for (std::size_t k = 0; k < few.size(); ++k)
    BOOST_REQUIRE_SMALL((static_cast<double>(byWeights[k]) - exact[k]) / (1 + static_cast<double>(n)), eps<T>(16));
}

template <class T, class... F>
void checkAll(List<F...>) {
  for (Index n : {0, 1, 31, 64, 129, 4096, 4097, 100000}) (check<T, F>(n), ...);
  for (const Pattern& p : {Pattern{1, 1, 100},
                           {1, 10, 500},
                           {7, 3, 400},
                           {1000, 5, 9},
                           {1, 3000, 3},
                           {5000, 2, 3},
                           {1, 5000, 1},
                           {1, 1, 1},
                           {300, 7, 90},
                           {1, 10, 30000}})
    (check<T, F>(p.runs * p.period * p.outer, &p), ...);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(sums_and_derivatives, T, Types) { checkAll<T>(LossFormulas()); }

// With others among them now and then.
BOOST_AUTO_TEST_CASE_TEMPLATE(targets_of_0_and_1, T, Types) {
  const Pattern weights{3, 7, 30};
  for (Index n : {63, 64, 1000, 10000}) check<T, BinaryCrossEntropy>(n, nullptr, true);
  check<T, BinaryCrossEntropy>(3 * 7 * 30, &weights, true);
}

// Of one page and of many, which threads share in different ways.
BOOST_AUTO_TEST_CASE_TEMPLATE(losses_of_classes, T, Types) {
  for (const auto& [inner, classes, outer] :
       {std::tuple<Index, Index, Index>{1, 10, 30'000}, {90'000, 3, 1}, {50, 7, 900}, {1, 1, 5}}) {
    auto y = numbers<T>(inner * classes * outer), w = numbers<T>(classes, 2), g = numbers<T>(inner * outer, 3);
    for (T& v : y) v = (v + T(1.01)) / T(2.02);
    std::vector<float> targets(g.size());
    for (std::size_t k = 0; k < targets.size(); ++k) targets[k] = static_cast<float>(k * 7 % static_cast<std::size_t>(classes));
    ClassLosses<T> l{y.data(), inner, classes, outer, {.narrow = targets.data()}, w.data()};
    l.classStride = 1;
    std::vector<double> byWeights(w.size());
    std::vector<T> want(y.size()), values(g.size());
    double sum = 0;
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const auto lane = static_cast<Index>(k), target = static_cast<Index>(targets[k]);
      const auto at = static_cast<std::size_t>(lane / inner * inner * classes + lane % inner + target * inner);
      const double loss = -std::log(static_cast<double>(y[at])),
                   weight = static_cast<double>(w[static_cast<std::size_t>(target)]);
      sum += weight * loss;
      values[k] = static_cast<T>(weight * loss);
      want[at] = static_cast<T>(-0.5 * weight * static_cast<double>(g[k]) / static_cast<double>(y[at]));
      byWeights[static_cast<std::size_t>(target)] += 0.5 * static_cast<double>(g[k]) * loss;
    }
    bool same = false, sameByWeights = false;
    const auto results = sameForThreads(
        [&] {
          std::vector<T> d(y.size() + 1);
          classLossGradient(l, g.data(), T(0.5), d.data());
          d.back() = static_cast<T>(classLossSum(l));
          return d;
        },
        same);
    const auto resultsByWeights = sameForThreads(
        [&] {
          std::vector<T> d(w.size());
          classLossWeightGradient(l, g.data(), T(0.5), classes, d.data());
          return d;
        },
        sameByWeights);
    BOOST_TEST(same);
    BOOST_TEST(sameByWeights);
    BOOST_TEST(wrongClass(l) == -1);
    const auto n = static_cast<double>(targets.size());
    double worst = (static_cast<double>(results.back()) - sum) / n;
    for (std::size_t k = 0; k < want.size(); ++k)
      widen(worst, static_cast<double>((results[k] - want[k]) / (1 + std::abs(want[k]))));
    std::vector<T> d(g.size());
    classLossValues(l, d.data());
    for (std::size_t k = 0; k < values.size(); ++k) widen(worst, static_cast<double>(d[k] - values[k]));
    for (std::size_t k = 0; k < w.size(); ++k) widen(worst, (static_cast<double>(resultsByWeights[k]) - byWeights[k]) / n);
    BOOST_TEST(std::abs(worst) < eps<T>(16));
    targets[targets.size() / 2] = static_cast<float>(classes);
    BOOST_TEST(wrongClass(l) == static_cast<Index>(targets.size() / 2));
  }
}

// Relative to the logarithm, all the way from the smallest probability to 1 and beyond.
BOOST_AUTO_TEST_CASE(logarithms_keep_their_digits) {
  std::vector<float> p;
  for (float x = 0x1p-100F; x < 4.0F; x *= 1.0007F) p.push_back(x);
  for (float x = 0x1p-24F; x < 0.5F; x *= 1.01F) p.push_back(1.0F - x), p.push_back(1.0F + x);
  p.push_back(1.0F);
  const std::vector<float> b(p.size(), 1.0F);
  std::vector<float> y(p.size());
  const Losses<float> losses{LossFormulas::position<CrossEntropy>(), 1.0F, p.data(), b.data(), static_cast<Index>(p.size())};
  lossValues<float>(losses, nullptr, 1.0F, y.data());
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double exact = -std::log(static_cast<double>(p[k]));
    BOOST_TEST(std::abs(static_cast<double>(y[k]) - exact) <= 1.5e-7 * std::abs(exact), "-log(" << p[k] << ") = " << y[k]);
  }
}

BOOST_AUTO_TEST_CASE(more_elements_than_blocks) { check<float, SquaredError>(5'000'000); }

BOOST_AUTO_TEST_CASE_TEMPLATE(ctc_is_the_same_for_every_number_of_threads, T, Types) {
  constexpr Index classes = 7, batch = 9, steps = 60, most = 20;
  auto y = numbers<T>(classes * batch * steps);
  for (T& v : y) v = (v + T(1.1)) / T(2.2);
  std::vector<double> part(batch * steps, 1.0), labels(most * batch), counts(batch);
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<double>(1 + k * k % 6);
  for (std::size_t b = 0; b < counts.size(); ++b) counts[b] = static_cast<double>(2 * b);
  const CtcBatch<T> all{y.data(), part.data(), labels.data(), counts.data(), classes, batch, steps, most, 0};
  bool same = false, sameGradient = false;
  sameForThreads([&] { return std::vector<double>{ctc<T>(all, 1.0, nullptr)}; }, same);
  const auto d = sameForThreads(
      [&] {
        std::vector<T> to(y.size());
        ctc(all, 1.0, to.data());
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
