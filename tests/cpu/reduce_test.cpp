#include "cpu/reduce.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "cpu/arch.hpp"
#include "cpu/simd/reduce.hpp"
#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

using Dims = std::vector<ReducedExtent>;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

Index keptOf(const Dims& dims) {
  Index n = 1;
  for (const auto& [size, reduced] : dims) n *= reduced ? 1 : size;
  return n;
}

Index totalOf(const Dims& dims) {
  Index n = 1;
  for (const auto& [size, reduced] : dims) n *= size;
  return n;
}

// For each element of x where its result lies in y.
std::vector<std::size_t> targets(const Dims& dims) {
  std::vector<std::size_t> result;
  for (Index i = 0; i < totalOf(dims); ++i) {
    Index rest = i, to = 0, stride = 1;
    for (const auto& [size, reduced] : dims) {
      if (!reduced) to += rest % size * stride, stride *= size;
      rest /= size;
    }
    result.push_back(static_cast<std::size_t>(to));
  }
  return result;
}

template <class T>
std::vector<long double> naive(Reduction kind, const std::vector<T>& x, const Dims& dims) {
  using R = Reduction;
  const long double none = kind == R::prod ? 1 : kind == R::max || kind == R::min ? missing : 0;
  std::vector<long double> y(static_cast<std::size_t>(keptOf(dims)), none);
  const auto to = targets(dims);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double v = x[i];
    long double& r = y[to[i]];
    switch (kind) {
      case R::sum:
        r += v;
        break;
      case R::prod:
        r *= v;
        break;
      case R::sumSquares:
        r += v * v;
        break;
      case R::sumAbs:
        r += std::fabs(v);
        break;
      case R::max:
        r = std::fmax(r, v);
        break;
      default:
        r = std::fmin(r, v);
        break;
    }
  }
  return y;
}

template <class T>
std::vector<T> reduced(Reduction kind, const std::vector<T>& x, const Dims& dims) {
  std::vector<T> y(static_cast<std::size_t>(keptOf(dims)));
  reduce(kind, x.data(), dims, y.data());
  return y;
}

template <class T>
void checkNumeric(const Dims& dims) {
  using R = Reduction;
  for (const R kind : {R::sum, R::prod, R::max, R::min, R::sumSquares, R::sumAbs}) {
    auto x = numbers<T>(totalOf(dims));
    if (kind == R::prod)
      for (T& v : x) v = T(1) + v / T(1024);
    bool same = false;
    const auto y = sameForThreads([&] { return reduced(kind, x, dims); }, same);
    BOOST_TEST(same);
    const auto expected = naive(kind, x, dims);
    const double terms = static_cast<double>(totalOf(dims)) / static_cast<double>(std::max<Index>(keptOf(dims), 1));
    const double tolerance = std::numeric_limits<T>::epsilon() * (kind == R::prod ? 4 + terms : 8 + std::sqrt(terms) * 4);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (kind == R::max || kind == R::min)
        BOOST_REQUIRE((y[i] == T(expected[i]) || (y[i] != y[i] && expected[i] != expected[i])));
      else
        BOOST_REQUIRE_SMALL(static_cast<double>(y[i] - expected[i]), tolerance * std::max(1.0, std::fabs(double(expected[i]))));
    }
  }
}

template <class T>
std::unique_ptr<bool[]> logical(Reduction kind, const T* x, const Dims& dims) {
  std::unique_ptr<bool[]> y(new bool[static_cast<std::size_t>(keptOf(dims)) + 1]());
  reduceLogical(kind, x, dims, y.get());
  return y;
}

template <class T>
void checkLogical(const Dims& dims) {
  const auto n = static_cast<std::size_t>(totalOf(dims)), kept = static_cast<std::size_t>(keptOf(dims));
  const std::unique_ptr<T[]> x(new T[n]);
  const auto source = numbers<double>(totalOf(dims));
  const auto to = targets(dims);
  for (const double density : {0.0, 0.02, 0.5, 0.98, 1.0}) {
    std::vector<bool> some(kept, false), every(kept, true);
    for (std::size_t i = 0; i < n; ++i) {
      const bool on = source[i] * 0.5 + 0.5 < density;
      x[i] = on ? T(source[i] != 0 ? source[i] : 1) : T(0);
      if (on)
        some[to[i]] = true;
      else
        every[to[i]] = false;
    }
    for (const int threads : {1, 2}) {
      const auto any = withThreads(threads, [&] { return logical(Reduction::any, x.get(), dims); });
      const auto all = withThreads(threads, [&] { return logical(Reduction::all, x.get(), dims); });
      for (std::size_t i = 0; i < kept; ++i) {
        BOOST_REQUIRE(any[i] == some[i]);
        BOOST_REQUIRE(all[i] == every[i]);
      }
    }
  }
}

const std::vector<Dims> patterns{
    {},
    {{1, true}},
    {{1, false}, {1, true}},
    {{5, true}},
    {{5, false}},
    {{2, true}, {9, false}},
    {{3, true}, {7, false}},
    {{4, true}, {6, false}},
    {{10, true}, {7, false}},
    {{17, true}, {33, false}},
    {{63, true}, {5, false}},
    {{65, true}, {5, false}},
    {{1000, true}, {3, false}},
    {{4096, true}, {2, false}},
    {{4097, true}, {2, false}},
    {{9000, true}, {1, false}, {3, false}},
    {{7, false}, {5, true}},
    {{3, false}, {1000, true}},
    {{2, false}, {20000, true}},
    {{10, false}, {128, true}},
    {{64, false}, {700, true}},
    {{65, false}, {300, true}},
    {{5000, false}, {9, true}},
    {{3, true}, {4, false}, {5, true}},
    {{3, false}, {4, true}, {5, false}},
    {{3, false}, {4, true}, {5, false}, {6, true}},
    {{3, true}, {4, false}, {5, true}, {6, false}, {2, true}},
    {{3, true}, {4, true}, {1, false}, {5, true}, {6, false}, {2, false}},
};

const std::vector<Dims> bigPatterns{
    {{300001, true}},
    {{1000, true}, {301, false}},
    {{100003, true}, {3, false}},
    {{3, true}, {100003, false}},
    {{1000, false}, {301, true}},
    {{100003, false}, {3, true}},
    {{3, false}, {100003, true}},
    {{30, true}, {400, false}, {30, true}},
    {{30, false}, {400, true}, {30, false}},
    {{9000, false}, {7, true}, {3, false}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_reduce)

BOOST_AUTO_TEST_CASE(every_pattern_against_plain_loops) {
  for (const Dims& dims : patterns) {
    checkNumeric<float>(dims);
    checkNumeric<double>(dims);
    checkLogical<float>(dims);
    checkLogical<double>(dims);
    checkLogical<bool>(dims);
  }
}

BOOST_AUTO_TEST_CASE(big_arrays_do_not_depend_on_threads) {
  for (const Dims& dims : bigPatterns) {
    checkNumeric<float>(dims);
    checkNumeric<double>(dims);
    checkLogical<float>(dims);
    checkLogical<bool>(dims);
  }
}

BOOST_AUTO_TEST_CASE(sums_are_accurate) {
  const std::vector<float> tenths(10'000'000, 0.1f);
  const float sum = reduced(Reduction::sum, tenths, {{10'000'000, true}})[0];
  BOOST_TEST(std::fabs(sum - 1e6f) <= 1.0f);  // one after the other gives 1087937
  const std::vector<float> rows = reduced(Reduction::sum, tenths, {{10, false}, {1'000'000, true}});
  for (const float row : rows) BOOST_TEST(std::fabs(row - 1e5f) <= 0.1f);
}

BOOST_AUTO_TEST_CASE(nothing_to_reduce) {
  using R = Reduction;
  const std::vector<double> none;
  for (const Dims& dims : {Dims{{0, true}, {2, false}}, Dims{{2, false}, {0, true}, {3, true}}}) {
    const auto is = [&](R kind, double value) {
      for (const double y : reduced(kind, none, dims)) BOOST_TEST((y == value || (y != y && value != value)));
      BOOST_TEST(reduced(kind, none, dims).size() == 2);
    };
    is(R::sum, 0), is(R::prod, 1), is(R::sumSquares, 0), is(R::sumAbs, 0), is(R::max, missing), is(R::min, missing);
    BOOST_TEST(!logical(R::any, none.data(), dims)[1]);
    BOOST_TEST(logical(R::all, none.data(), dims)[1]);
  }
  BOOST_TEST(reduced(R::sum, none, {{0, false}, {3, true}}).empty());
}

BOOST_AUTO_TEST_CASE(max_and_min_leave_nan_out) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const Index n : {1, 2, 3, 4, 5, 40, 300, 5000})
    for (const Index columns : {1, 3, 70}) {
      std::vector<double> x(static_cast<std::size_t>(n * columns), missing);
      const auto at = [&](Index i, Index c) -> double& { return x[static_cast<std::size_t>(i + c * n)]; };
      for (Index c = 1; c < columns; ++c) at(c % n, c) = c % 3 == 0 ? -infinity : static_cast<double>(c);
      for (const auto& [kind, position] : {std::pair{Reduction::max, 0}, {Reduction::min, 1}}) {
        const auto y = reduced(kind, x, {{n, true}, {columns, false}});
        BOOST_REQUIRE(std::isnan(y[0]));
        for (Index c = 1; c < columns; ++c) BOOST_REQUIRE(y[static_cast<std::size_t>(c)] == at(c % n, c));
        std::vector<double> rows(x.size());
        for (Index i = 0; i < n; ++i)
          for (Index c = 0; c < columns; ++c) rows[static_cast<std::size_t>(c + i * columns)] = at(i, c);
        const auto z = reduced(kind, rows, {{columns, false}, {n, true}});
        BOOST_REQUIRE(sameBits(y, z));
      }
    }
}

BOOST_AUTO_TEST_CASE(nan_is_true_for_all_and_not_for_any) {
  const std::vector<double> x{0, missing, missing, missing};
  BOOST_TEST(!logical(Reduction::any, x.data(), {{4, true}})[0]);
  BOOST_TEST(!logical(Reduction::any, x.data(), {{2, false}, {2, true}})[1]);
  BOOST_TEST(!logical(Reduction::all, x.data(), {{4, true}})[0]);
  BOOST_TEST(logical(Reduction::all, x.data() + 1, {{3, true}})[0]);
}

BOOST_AUTO_TEST_CASE(max_and_min_of_bool) {
  const bool x[] = {true, false, false, false};
  const Dims dims{{2, true}, {2, false}};
  bool y[2];
  reduce(Reduction::max, x, dims, y);
  BOOST_TEST((y[0] && !y[1]));
  reduce(Reduction::min, x, dims, y);
  BOOST_TEST((!y[0] && !y[1]));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(positions_of_max_and_min, T, Types) {
  const T none = std::numeric_limits<T>::quiet_NaN();
  const Index shapes[][3] = {{1, 1, 1},  {1, 5, 3},     {1, 10, 40}, {1, 3000, 2},   {1, 5000, 30}, {3, 7, 2},
                             {70, 9, 3}, {5000, 20, 2}, {2, 100, 1}, {1, 200000, 1}, {30, 9001, 1}};
  for (const auto& [inner, n, outer] : shapes)
    for (const int variant : {0, 1, 2}) {
      auto x = numbers<T>(inner * n * outer);
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (variant == 1) x[i] = std::round(x[i] * 2);  // many ties
        if (variant == 2 && i % 3 != 1) x[i] = none;
      }
      for (const bool max : {true, false}) {
        const auto size = static_cast<std::size_t>(inner * outer);
        bool same = false;
        const auto both = sameForThreads(
            [&, in = inner, len = n, out = outer] {
              std::vector<T> result(2 * size);
              reduceIndex(max ? Reduction::max : Reduction::min, x.data(), in, len, out, result.data(), result.data() + size);
              return result;
            },
            same);
        BOOST_TEST(same);
        for (Index o = 0; o < outer; ++o)
          for (Index i = 0; i < inner; ++i) {
            T value = none;
            Index at = 0;
            for (Index k = 0; k < n; ++k) {
              const T v = x[static_cast<std::size_t>(i + inner * (k + n * o))];
              if (v == v && (value != value || (max ? v > value : v < value))) value = v, at = k;
            }
            const auto r = static_cast<std::size_t>(i + inner * o);
            BOOST_REQUIRE((both[r] == value || (both[r] != both[r] && value != value)));
            BOOST_REQUIRE(both[size + r] == static_cast<T>(at));
          }
      }
    }
}

BOOST_AUTO_TEST_CASE(positions_are_optional) {
  const std::vector<double> x{1, 5, 2, 8, 3, 4};
  double y[3];
  reduceIndex(Reduction::max, x.data(), 1, 2, 3, y, static_cast<double*>(nullptr));
  BOOST_TEST((y[0] == 5 && y[1] == 8 && y[2] == 4));
  reduceIndex(Reduction::min, x.data(), 3, 2, 1, y, static_cast<double*>(nullptr));
  BOOST_TEST((y[0] == 1 && y[1] == 3 && y[2] == 2));
}

BOOST_AUTO_TEST_CASE(every_level_of_the_processor_sums_alike) {
  const auto x = numbers<float>(5000);
  const auto run = [&](const ReduceKernels<float, float>& kernels) {
    std::vector<float> y(61);
    kernels.columns(x.data(), 5000, 0, 1, y.data());
    kernels.columns(x.data(), 50, 50, 10, y.data() + 1);
    kernels.rows(x.data(), 50, 60, 80, y.data() + 11);
    return y;
  };
  const std::vector<float> y = run(v2::reduceKernels<float, float>(Reduction::sum));
  BOOST_TEST(std::fabs(y[0]) < 200);
#if DLARRAY_X86
  if (arch() >= Arch::v3) BOOST_TEST(sameBits(y, run(v3::reduceKernels<float, float>(Reduction::sum))));
  if (arch() >= Arch::v4) BOOST_TEST(sameBits(y, run(v4::reduceKernels<float, float>(Reduction::sum))));
#endif
}

BOOST_AUTO_TEST_SUITE_END()
