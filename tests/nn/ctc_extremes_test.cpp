// ctc where probabilities lie farther apart than a double reaches: against the recursion in logarithms, in extended precision.
#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include <dlarray/dlarray.hpp>

using namespace dl;
using test::Numbers;

namespace {

using Real = long double;
using Reals = std::vector<Real>;
constexpr Real never = -1e4000L;

Real logSum(std::initializer_list<Real> of) {
  const Real most = std::max(of);
  if (most == never) return never;
  Real sum = 0;
  for (const Real x : of) sum += std::exp(x - most);
  return most + std::log(sum);
}

// One observation: y[class + classes step], labels without the blank 0. Adds to the derivative by y.
Real reference(const Numbers& y, Index classes, const std::vector<int>& labels, Real least, Reals& derivative) {
  const std::size_t c = static_cast<std::size_t>(classes), states = 2 * labels.size() + 1, steps = y.size() / c;
  const auto label = [&](std::size_t s) { return s % 2 ? static_cast<std::size_t>(labels[s / 2]) : 0; };
  const auto skips = [&](std::size_t s) { return s % 2 && s > 1 && label(s) != label(s - 2); };
  const auto p = [&](std::size_t t, std::size_t s) { return std::max(static_cast<Real>(y[t * c + label(s)]), least); };
  Reals in(states * steps), before(states, never), on(states, never);
  for (std::size_t t = 0; t < steps; ++t) {
    Reals after(states);
    for (std::size_t s = 0; s < states; ++s) {
      const Real start = t == 0 && s < 2 ? 0 : never;
      in[t * states + s] = logSum({start, before[s], s > 0 ? before[s - 1] : never, skips(s) ? before[s - 2] : never});
      after[s] = in[t * states + s] == never ? never : in[t * states + s] + std::log(p(t, s));
    }
    before = after;
  }
  const Real total = logSum({before[states - 1], states > 1 ? before[states - 2] : never});
  on[states - 1] = 0;
  if (states > 1) on[states - 2] = 0;
  for (std::size_t t = steps; t-- > 0;) {
    Reals from(states + 2, never), next(states);
    for (std::size_t s = 0; s < states; ++s) {
      if (in[t * states + s] != never && on[s] != never)
        derivative[t * c + label(s)] -= std::exp(in[t * states + s] + on[s] - total);
      from[s] = on[s] == never ? never : on[s] + std::log(p(t, s));
    }
    for (std::size_t s = 0; s < states; ++s)
      next[s] = logSum({from[s], from[s + 1], s + 2 < states && skips(s + 2) ? from[s + 2] : never});
    on = next;
  }
  return -total;
}

// Of y, classes x 1 x steps, and its labels: the loss and its derivative against the reference.
void check(const char* what, const DlArray& y, const std::vector<int>& labels) {
  const bool single = underlyingType(y) == Type::Single;
  const Index classes = size(y, 0), count = static_cast<Index>(labels.size());
  const DlArray t = reshape(dlarray(Numbers(labels.begin(), labels.end()), Size{count, 1}), 1, 1, count);
  const auto [loss, g] = dlfeval(
      [&](const DlArray& x) {
        const DlArray l = ctc(x, t, DlArray(), DlArray());
        return std::tuple(l, dlgradient(l, x));
      },
      dlarray(y, "CBT"));
  const Numbers values = extractdata<Numbers>(y), derivative = extractdata<Numbers>(g);
  Reals want(values.size());
  const Real exact = reference(values, classes, labels, single ? 0x1p-100L : 0x1p-1000L, want);
  const Real precision = single ? 1e-6L : 1e-12L;
  BOOST_TEST(std::abs(double(loss) - static_cast<double>(exact)) <= static_cast<double>(precision * (1 + std::abs(exact))),
             what << ": " << double(loss) << ", by logarithms " << static_cast<double>(exact));
  BOOST_TEST(double(ctc(dlarray(y, "CBT"), t, DlArray(), DlArray())) == double(loss), what);
  // A derivative is a share of the ways divided by a probability; the shares of a step add up to 1.
  const Real least = single ? 1e-42L : 1e-290L;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    if (!(std::abs(static_cast<Real>(derivative[i]) - want[i]) <= least + 1000 * precision * std::abs(want[i]))) ++wrong;
  BOOST_TEST(wrong == 0, what << ": " << wrong << " of " << want.size() << " derivatives are wrong");
}

std::vector<int> someLabels(Index count, int classes, bool repeated = false) {
  std::vector<int> labels;
  for (Index k = 0; k < count; ++k) labels.push_back(1 + static_cast<int>(repeated ? k / 2 * 5 : k * k + k / 3) % (classes - 1));
  return labels;
}

// How many steps the labels need at least.
Index needed(const std::vector<int>& labels) {
  Index n = static_cast<Index>(labels.size());
  for (std::size_t k = 1; k < labels.size(); ++k) n += labels[k] == labels[k - 1];
  return n;
}

// Predictions so sure that softmax gives 0, and wrong at random.
DlArray sure(Index classes, Index steps, double by, Type type) {
  return stripdims(softmax(cast(dlarray(by * randn(Size{classes, 1, steps}), "CBT"), type)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(as_usual) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Index labels : {1, 7, 8, 9, 16, 40}) {
      check("as usual", sure(29, 100, 1, type), someLabels(labels, 29));
      check("repeated", sure(29, 100, 1, type), someLabels(labels, 29, true));
    }
}

BOOST_AUTO_TEST_CASE(sure_and_wrong) {
  for (const Type type : {Type::Double, Type::Single})
    for (const double by : {10.0, 100.0, 1000.0}) {
      check("sure", sure(12, 60, by, type), someLabels(20, 12));
      check("sure, repeated", sure(12, 60, by, type), someLabels(20, 12, true));
    }
}

// All labels first, then all blanks, by what was predicted; the labels come at the end nevertheless.
BOOST_AUTO_TEST_CASE(ways_that_win_late) {
  for (const Type type : {Type::Double, Type::Single})
    for (const double least : {1e-10, 1e-20, 1e-38, 0.0}) {
      constexpr Index classes = 5, steps = 120;
      const std::vector<int> labels = someLabels(40, classes);
      Numbers y(static_cast<std::size_t>(classes * steps), least);
      for (std::size_t t = 0; t < static_cast<std::size_t>(steps); ++t) {
        if (t < 60)  // the blank alone is likely, and all labels are yet to come
          y[t * classes] = 1;
        else  // one after the other
          y[t * classes + static_cast<std::size_t>(t % 2 ? labels[std::min<std::size_t>((t - 60) / 2, 39)] : 0)] = 1;
      }
      check("late", cast(dlarray(y, Size{classes, 1, steps}), type), labels);
    }
}

BOOST_AUTO_TEST_CASE(a_single_way) {
  for (const Type type : {Type::Double, Type::Single})
    for (const bool repeated : {false, true})
      for (const Index count : {1, 8, 33, 100}) {
        const std::vector<int> labels = someLabels(count, 15, repeated);
        for (const Index more : {0, 1}) {
          check("single way", sure(15, needed(labels) + more, 1, type), labels);
          check("single way, sure", sure(15, needed(labels) + more, 200, type), labels);
        }
        check("impossible", cast(zeros(Size{15, 1, needed(labels)}), type), labels);
      }
}

BOOST_AUTO_TEST_CASE(long_sequences) {
  for (const Type type : {Type::Double, Type::Single}) {
    check("long", sure(10, 1500, 2, type), someLabels(60, 10));
    check("long, sure", sure(10, 1500, 100, type), someLabels(60, 10));
    // More steps than a thread keeps.
    check("long and many labels", sure(10, 900, 3, type), someLabels(400, 10));
  }
}

// They need not add up to 1.
BOOST_AUTO_TEST_CASE(likelier_than_sure) {
  for (const double largest : {100.0, 1e30})
    for (const Type type : {Type::Double, Type::Single}) {
      const DlArray y = cast(largest * rand(Size{9, 1, 150}), type);
      check("large", y, someLabels(30, 9));
      check("large and small", y % (rand(Size{9, 1, 150}) > 0.5), someLabels(30, 9));
    }
  const DlArray far = exp(1400 * (rand(Size{9, 1, 80}) - 0.5));
  check("as far apart as doubles", far, someLabels(30, 9));
  check("as large as doubles", 1e300 * rand(Size{9, 1, 80}), someLabels(30, 9));
}

BOOST_AUTO_TEST_CASE(no_labels) {
  for (const Type type : {Type::Double, Type::Single}) {
    const DlArray y = dlarray(sure(4, 50, 30, type), "CBT");
    const auto [loss, g] = dlfeval(
        [&](const DlArray& x) {
          const DlArray l = ctc(x, ones(1, 1, 3), DlArray(), zeros(1, 1, 3));
          return std::tuple(l, dlgradient(l, x));
        },
        y);
    const double least = type == Type::Single ? 0x1p-100 : 0x1p-1000;
    double want = 0;
    const Numbers values = extractdata<Numbers>(y), derivative = extractdata<Numbers>(g);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double p = std::max(values[i], least);
      if (i % 4 == 0) want -= std::log(p);
      BOOST_TEST_REQUIRE(std::abs(derivative[i] + (i % 4 ? 0 : 1 / p)) <= 1e-6 / p);
    }
    BOOST_TEST(std::abs(double(loss) - want) < 1e-6 * want);
  }
}

// NaN among the probabilities of labels or blank makes the loss NaN, and all derivatives by them; elsewhere it does not matter.
BOOST_AUTO_TEST_CASE(what_is_no_number) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Index step : {0, 11, 23})
      for (const Index which : {0, 2, 5}) {
        DlArray y = sure(6, 24, step == 11 ? 1000 : 1, type);
        y(which, 0, step) = step == 23 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
        const auto [loss, g] = dlfeval(
            [&](const DlArray& x) {
              const DlArray l =
                  ctc(x, dlarray(reshape(dlarray({1, 2, 2, 3, 2, 1, 3, 1, 2, 1, 2}), 1, 1, 11), "CBT"), DlArray(), DlArray());
              return std::tuple(l, dlgradient(l, x));
            },
            dlarray(y, "CBT"));
        BOOST_TEST(std::isnan(double(loss)) == (which != 5));
        const Numbers derivative = extractdata<Numbers>(g);
        for (std::size_t i = 0; i < derivative.size(); ++i)
          BOOST_TEST_REQUIRE(std::isnan(derivative[i]) == (which != 5 && i % 6 < 4), "derivative " << i);
      }
}

// With a factor, from a mean with other observations, twice from one trace.
BOOST_AUTO_TEST_CASE(derivatives_of_expressions) {
  const DlArray y = dlarray(single_(stripdims(softmax(dlarray(randn(Size{8, 3, 40}), "CBT")))), "CBT"),
                t = randi({1, 7}, 1, 3, 9);
  const auto [one, three, again] = dlfeval(
      [&](const DlArray& x) {
        const DlArray l = ctc(x, t, DlArray(), DlArray());
        const DlArray first = dlgradient(l, x, {.retainData = true}), second = dlgradient(-3 * l, x, {.retainData = true});
        return std::tuple(first, second, dlgradient(l, x));
      },
      y);
  const Numbers a = extractdata<Numbers>(one), b = extractdata<Numbers>(three), c = extractdata<Numbers>(again);
  BOOST_TEST(a == c);
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST_REQUIRE(std::abs(b[i] + 3 * a[i]) <= 1e-6 * std::abs(a[i]));
}
