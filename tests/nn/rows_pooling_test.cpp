// Rows for pooling, against loops over the elements of every window.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// How the window moves along each dimension of the data: those that it does not move along have window 1.
struct Moves {
  std::vector<Index> window, stride, before, behind;
};

struct Case {
  const char* shape;
  const char* result;
  PoolSize pool;
  WindowSizes stride;
  Padding padding;
  const char* format;
  Moves moves;
};

const std::vector<Case> cases{
    {"6(S) x 5(S) x 2(C) x 3(B)",
     "5(S) x 4(S) x 2(C) x 3(B)",
     2,
     1,
     0,
     "",
     {{2, 2, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
    {"6(S) x 7(S) x 2(C) x 2(B)",
     "3(S) x 3(S) x 2(C) x 2(B)",
     2,
     2,
     0,
     "",
     {{2, 2, 1, 1}, {2, 2, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
    {"7(S) x 6(S) x 2(C)", "4(S) x 3(S) x 2(C)", 3, 2, 1, "", {{3, 3, 1}, {2, 2, 1}, {1, 1, 0}, {1, 1, 0}}},
    {"9(S) x 3(C) x 2(B)", "3(S) x 3(C) x 2(B)", 4, 3, {{1}, {2}}, "", {{4, 1, 1}, {3, 1, 1}, {1, 0, 0}, {2, 0, 0}}},
    {"5(S) x 4(S) x 3(S) x 2(C)",
     "3(S) x 4(S) x 2(S) x 2(C)",
     {3, 2, 2},
     {2, 1, 1},
     {{1, 1, 0}, {1, 0, 0}},
     "",
     {{3, 2, 2, 1}, {2, 1, 1, 1}, {1, 1, 0, 0}, {1, 0, 0, 0}}},
    {"5(S) x 8(S) x 2(C)", "3(S) x 4(S) x 2(C)", {3, 2}, 2, "same", "", {{3, 2, 1}, {2, 2, 1}, {1, 0, 0}, {1, 0, 0}}},
    {"4(S) x 5(S) x 2(C)", "4(S) x 5(S) x 2(C)", 4, 1, "same", "", {{4, 4, 1}, {1, 1, 1}, {1, 1, 0}, {2, 2, 0}}},
    {"4(S) x 3(S) x 2(C) x 2(B)",
     "1(S) x 1(S) x 2(C) x 2(B)",
     "global",
     1,
     0,
     "",
     {{4, 3, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
    {"3(C) x 2(B) x 7(T)", "3(C) x 2(B) x 3(T)", 3, 2, 0, "T", {{1, 1, 3}, {1, 1, 2}, {0, 0, 0}, {0, 0, 0}}},
    {"5(S) x 2(C) x 4(T)", "4(S) x 2(C) x 3(T)", 2, 1, 0, "ST", {{2, 1, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}},
    {"5(S) x 3(C) x 6(T)", "5(S) x 3(C) x 3(T)", 2, 2, 0, "T", {{1, 1, 2}, {1, 1, 2}, {0, 0, 0}, {0, 0, 0}}},
    {"3(C) x 2(B) x 4(T)", "3(C) x 2(B) x 1(T)", "global", 1, 0, "T", {{1, 1, 4}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}},
    {"21(S) x 3(S) x 1(C)", "20(S) x 2(S) x 1(C)", 2, 1, 0, "", {{2, 2, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}},
    {"41(S) x 5(S) x 1(C)", "21(S) x 3(S) x 1(C)", 3, 2, 1, "", {{3, 3, 1}, {2, 2, 1}, {1, 1, 0}, {1, 1, 0}}},
};

// f of the numbers of the elements in each window, column-major, and how large the window is.
Numbers pooled(const Plain& x, const Moves& m, const std::function<double(const std::vector<std::size_t>&, double)>& f) {
  Size out = x.size, window = x.size;
  double all = 1;
  for (std::size_t d = 0; d < x.size.size(); ++d) {
    out[d] = (x.size[d] + m.before[d] + m.behind[d] - m.window[d]) / m.stride[d] + 1;
    window[d] = m.window[d];
    all *= static_cast<double>(m.window[d]);
  }
  Numbers y(static_cast<std::size_t>(numel(out)));
  forEach(out, [&](std::size_t k, auto& at) {
    std::vector<std::size_t> elements;
    forEach(window, [&](std::size_t, auto& offset) {
      std::vector<Index> there(at.size());
      for (std::size_t d = 0; d < at.size(); ++d) {
        there[d] = at[d] * m.stride[d] - m.before[d] + offset[d];
        if (there[d] < 0 || there[d] >= x.size[d]) return;
      }
      elements.push_back(numberAt(x.size, there));
    });
    y[k] = f(elements, all);
  });
  return y;
}

std::size_t largest(const Plain& x, const std::vector<std::size_t>& elements) {
  std::size_t best = elements[0];
  for (const std::size_t e : elements)
    if (x.values[e] > x.values[best]) best = e;
  return best;
}

}  // namespace

BOOST_AUTO_TEST_CASE(largest_elements) {
  for (const Case& c : cases) {
    const MaxpoolOptions options{.poolFormat = c.format, .stride = c.stride, .padding = c.padding};
    check(Row{"maxpool of " + std::string(c.shape),
              {{c.shape}},
              [&](const Arrays& x) { return maxpool(x[0], c.pool, options); },
              [&](const std::vector<Plain>& x) {
                return pooled(x[0], c.moves, [&](const auto& e, double) { return x[0].values[largest(x[0], e)]; });
              },
              c.result});
    check(Row{"maxpool and positions of " + std::string(c.shape),
              {{c.shape}},
              [&](const Arrays& x) { return std::get<0>(maxpool<3>(x[0], c.pool, options)); },
              [&](const std::vector<Plain>& x) {
                return pooled(x[0], c.moves, [&](const auto& e, double) { return x[0].values[largest(x[0], e)]; });
              },
              c.result});
    // Few values, so that many are equal.
    const std::size_t n = static_cast<std::size_t>(numel(parse(c.shape).size));
    Numbers ties(n);
    for (std::size_t i = 0; i < n; ++i) ties[i] = static_cast<double>(i * 7 % 5 % 3);
    check(Row{"maxpool positions of " + std::string(c.shape),
              {{c.shape, ties}},
              [&](const Arrays& x) { return std::get<1>(maxpool<3>(x[0], c.pool, options)); },
              [&](const std::vector<Plain>& x) {
                return pooled(x[0], c.moves, [&](const auto& e, double) { return static_cast<double>(largest(x[0], e)); });
              },
              c.result + std::string(" double"),
              0});
  }
}

BOOST_AUTO_TEST_CASE(means) {
  for (const Case& c : cases)
    for (const bool mean : {false, true})
      check(Row{"avgpool " + std::string(mean ? "without padding of " : "of ") + c.shape,
                {{c.shape}},
                [&](const Arrays& x) {
                  return avgpool(x[0], c.pool,
                                 {.poolFormat = c.format,
                                  .stride = c.stride,
                                  .padding = c.padding,
                                  .paddingValue = mean ? PoolPaddingValue("mean") : PoolPaddingValue(0)});
                },
                [&](const std::vector<Plain>& x) {
                  return pooled(x[0], c.moves, [&](const auto& elements, double all) {
                    double sum = 0;
                    for (const std::size_t e : elements) sum += x[0].values[e];
                    return sum / (mean ? static_cast<double>(elements.size()) : all);
                  });
                },
                c.result});
}

BOOST_AUTO_TEST_CASE(and_back) {
  for (const Numbers& positions : {Numbers{3, 0, 23, 8, 12, 7, 20, 16}, Numbers{3, 0, 3, 8, 12, 7, 8, 16}})
    check(Row{"maxunpool",
              {{"2(S) x 2(S) x 2(C)"}, constant({"2(S) x 2(S) x 2(C)", positions})},
              [](const Arrays& x) {
                return maxunpool(x[0], x[1], Size{4, 3, 2});
              },
              [](const std::vector<Plain>& x) {
                Numbers y(24);
                for (std::size_t i = 0; i < 8; ++i) y[static_cast<std::size_t>(x[1].values[i])] = x[0].values[i];
                return y;
              },
              "4(S) x 3(S) x 2(C)"});
}
