// Rows for dlresize, against a loop over the places in the data where the elements of the result lie.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Way {
  const char* method;
  const char* mode;
  const char* rounding;
};
const Way ways[] = {{"nearest", "half-pixel", "round"},   {"nearest", "half-pixel", "floor"},
                    {"nearest", "asymmetric", "round"},   {"nearest", "asymmetric", "floor"},
                    {"nearest", "asymmetric", "onnx-10"}, {"nearest", "half-pixel", "onnx-10"},
                    {"linear", "half-pixel", "round"},    {"linear", "asymmetric", "round"}};

// f at a place between the elements 0 to n - 1, which go on as they are beyond.
double between(const std::function<double(Index)>& f, Index n, double place, double scale, const Way& way) {
  const auto element = [&](double i) { return f(static_cast<Index>(std::fmin(std::fmax(i, 0), static_cast<double>(n - 1)))); };
  const std::string method = way.method, rounding = way.rounding;
  if (method == "nearest") {
    if (rounding == "round") return element(std::round(place));
    return element(rounding == "floor" || scale >= 1 ? std::floor(place) : std::ceil(place));
  }
  const double low = std::floor(place), part = place - low;
  return (1 - part) * element(low) + part * element(low + 1);
}

double place(Index i, double scale, const Way& way) {
  return std::string(way.mode) == "half-pixel" ? (static_cast<double>(i) + 0.5) / scale - 0.5 : static_cast<double>(i) / scale;
}

// The result for one or two leading spatial dimensions.
Numbers resized(const Plain& x, const Size& out, const std::vector<double>& scales, const Way& way) {
  Numbers y(static_cast<std::size_t>(numel(out)));
  forEach(out, [&](std::size_t k, auto& at) {
    auto there = at;
    const auto along = [&](auto&& self, std::size_t d) -> double {
      if (d == scales.size()) return x.values[numberAt(x.size, there)];
      return between(
          [&](Index i) {
            there[d] = i;
            return self(self, d + 1);
          },
          x.size[d], place(at[d], scales[d], way), scales[d], way);
    };
    y[k] = along(along, 0);
  });
  return y;
}

}  // namespace

// Scales that are sums of few powers of two, so that places come out exactly.
BOOST_AUTO_TEST_CASE(scales_and_sizes) {
  for (const Way& way : ways) {
    const auto options = [&](const ResizeNumbers& scale, const ResizeNumbers& size) {
      return DlresizeOptions{.scale = scale,
                             .outputSize = size,
                             .method = way.method,
                             .geometricTransformMode = way.mode,
                             .nearestRoundingMode = way.rounding};
    };
    const std::string name = std::string(way.method) + " " + way.mode + " " + way.rounding;
    check(Row{"dlresize " + name + ", larger and smaller",
              {{"4(S) x 6(S) x 2(C) x 3(B)"}},
              [&](const Arrays& x) {
                return dlresize(x[0], options({2, 0.5}, {}));
              },
              [&](const std::vector<Plain>& x) {
                return resized(x[0], Size{8, 3, 2, 3}, {2, 0.5}, way);
              },
              "8(S) x 3(S) x 2(C) x 3(B)"});
    check(Row{"dlresize " + name + ", one scale",
              {{"5(S) x 4(S) x 2(C)"}},
              [&](const Arrays& x) { return dlresize(x[0], options(1.25, {})); },
              [&](const std::vector<Plain>& x) {
                return resized(x[0], Size{6, 5, 2}, {1.25, 1.25}, way);
              },
              "6(S) x 5(S) x 2(C)"});
    check(Row{"dlresize " + name + ", to a size",
              {{"8(S) x 3(S) x 2(S) x 2(C)"}},
              [&](const Arrays& x) {
                return dlresize(x[0], options({}, {5, 3, 4}));
              },
              [&](const std::vector<Plain>& x) {
                return resized(x[0], Size{5, 3, 4, 2}, {5.0 / 8, 1, 2}, way);
              },
              "5(S) x 3(S) x 4(S) x 2(C)"});
    check(Row{"dlresize " + name + ", with time",
              {{"4(S) x 2(C) x 3(T)"}},
              [&](const Arrays& x) { return dlresize(x[0], options({}, 7)); },
              [&](const std::vector<Plain>& x) {
                return resized(x[0], Size{7, 2, 3}, {7.0 / 4}, way);
              },
              "7(S) x 2(C) x 3(T)"});
  }
}
