// Rows for losses with weights and masks, and the same written with ordinary operations.
#include "core/pool.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// A loss with weights and mask, what an element costs, and the same in operations.
struct Loss {
  const char* name;
  std::function<DlArray(const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o)> fused;
  std::function<double(double y, double t)> element;
  std::function<DlArray(const DlArray& y, const DlArray& t)> composed;
};

CrossentropyOptions options(const LossOptions& o, const char* mode) {
  return {mode, o.mask, o.reduction, o.normalizationFactor, o.dataFormat, o.weightsFormat};
}
HuberOptions hubers(const LossOptions& o) {
  return {0.3, o.mask, o.reduction, o.normalizationFactor, o.dataFormat, o.weightsFormat};
}

const Loss losses[] = {
    {"crossentropy",
     [](const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o) {
       return crossentropy(y, t, w, options(o, "single-label"));
     },
     [](double y, double t) { return -t * std::log(y); }, [](const DlArray& y, const DlArray& t) { return -(t % log(y)); }},
    {"crossentropy of many labels",
     [](const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o) {
       return crossentropy(y, t, w, options(o, "multilabel"));
     },
     [](double y, double t) { return -t * std::log(y) - (1 - t) * std::log(1 - y); },
     [](const DlArray& y, const DlArray& t) { return -(t % log(y)) - (1 - t) % log(1 - y); }},
    {"l2loss", [](const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o) { return l2loss(y, t, w, o); },
     [](double y, double t) { return (y - t) * (y - t); }, [](const DlArray& y, const DlArray& t) { return (y - t) % (y - t); }},
    {"l1loss", [](const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o) { return l1loss(y, t, w, o); },
     [](double y, double t) { return std::abs(y - t); }, [](const DlArray& y, const DlArray& t) { return abs(y - t); }},
    {"huber",
     [](const DlArray& y, const DlArray& t, const DlArray& w, const LossOptions& o) { return huber(y, t, w, hubers(o)); },
     [](double y, double t) {
       const double d = std::abs(y - t);
       return d < 0.3 ? d * d / 2 : 0.3 * (d - 0.15);
     },
     [](const DlArray& y, const DlArray& t) {
       const DlArray d = abs(y - t), near = min(d, 0.3);
       return near % (d - near / 2);
     }}};

// Weights and mask over images, and which of their elements belongs to an element of the data.
struct Layout {
  const char *weights, *mask;
  std::function<std::size_t(std::size_t s, std::size_t c, std::size_t b)> weight, included;
};
const Layout layouts[] = {
    {"1(S) x 3(C) x 1(B)", "2(S) x 3(C) x 4(B)", [](auto, auto c, auto) { return c; },
     [](auto s, auto c, auto b) { return s + 2 * (c + 3 * b); }},
    {"2(S) x 3(C) x 4(B)", "4(B) x 1(U)", [](auto s, auto c, auto b) { return s + 2 * (c + 3 * b); },
     [](auto, auto, auto b) { return b; }},
    {"4(B) x 1(U)", "2(S) x 1(U)", [](auto, auto, auto b) { return b; }, [](auto s, auto, auto) { return s; }},
    {"2(S) x 4(B)", "3(C) x 4(B)", [](auto s, auto, auto b) { return s + 2 * b; },
     [](auto, auto c, auto b) { return c + 3 * b; }},
    {"1 x 1", "1 x 1", [](auto, auto, auto) { return 0; }, [](auto, auto, auto) { return 0; }}};

Numbers maskOf(const char* shape) {
  Numbers mask(static_cast<std::size_t>(numel(zeros(parse(shape).size))));
  for (std::size_t k = 0; k < mask.size(); ++k) mask[k] = k % 3 != 1;
  return mask;
}

double largest(const DlArray& x) { return double(max(abs(stripdims(x)), {}, "all")); }

}  // namespace

BOOST_AUTO_TEST_CASE(with_weights_and_mask) {
  const char* shape = "2(S) x 3(C) x 4(B)";
  for (const Loss& loss : losses)
    for (const Layout& layout : layouts)
      for (const bool summed : {true, false})
        check(Row{std::string(loss.name) + (summed ? "" : ", not reduced,") + " with weights " + layout.weights + " and a mask " +
                      layout.mask,
                  {{shape, 0.1, 0.9}, {shape, 0.1, 0.9}, {layout.weights, 0.5, 2}, logical(layout.mask, maskOf(layout.mask))},
                  [=, &loss](const Arrays& x) {
                    return loss.fused(x[0], x[1], x[2], {.mask = x[3], .reduction = summed ? "sum" : "none"});
                  },
                  [=, &loss, &layout](const std::vector<Plain>& x) {
                    Numbers y;
                    double sum = 0;
                    for (std::size_t b = 0; b < 4; ++b)
                      for (std::size_t c = 0; c < 3; ++c)
                        for (std::size_t s = 0; s < 2; ++s) {
                          const std::size_t k = y.size();
                          const double factor = x[2].values[layout.weight(s, c, b)] * x[3].values[layout.included(s, c, b)];
                          y.push_back(factor * loss.element(x[0].values[k], x[1].values[k]));
                          sum += y.back();
                        }
                    return summed ? Numbers{sum / 4} : y;
                  },
                  summed ? "1 x 1" : shape});
}

BOOST_AUTO_TEST_CASE(the_same_in_operations) {
  // Enough for pieces, blocks and threads.
  const DlArray y = dlarray(0.1 + 0.8 * rand(Size{50, 7, 211}), "SCB"), t = dlarray(rand(Size{50, 7, 211}), "SCB");
  const DlArray w = dlarray(rand(1, 7), "UC"), mask = dlarray(rand(50, 211) < 0.7, "SB");
  const DlArray each = dlarray(rand(Size{50, 7, 211}), "SCB");
  for (const Loss& loss : losses)
    for (const bool summed : {true, false}) {
      const auto gradients = [&](const auto& f) {
        return dlfeval(
            [&](const DlArray& a, const DlArray& b, const DlArray& c) {
              const DlArray l = f(a, b, c);
              return std::tuple_cat(std::tuple(l), dlgradient(summed ? l : sum(stripdims(l % each), "all"), a, b, c));
            },
            y, t, w);
      };
      const auto [l1, y1, t1, w1] = gradients([&](const DlArray& a, const DlArray& b, const DlArray& c) {
        return loss.fused(a, b, c, {.mask = mask, .reduction = summed ? "sum" : "none"});
      });
      const auto [l2, y2, t2, w2] = gradients([&](const DlArray& a, const DlArray& b, const DlArray& c) {
        const DlArray elements = loss.composed(a, b) % c % mask;
        return summed ? sum(stripdims(elements), "all") / 211 : elements;
      });
      BOOST_TEST(largest(l1 - l2) < 1e-12 * std::max(1.0, largest(l2)), loss.name);
      BOOST_TEST(largest(y1 - y2) < 1e-13, loss.name);
      BOOST_TEST(largest(t1 - t2) < 1e-13, loss.name);
      BOOST_TEST(largest(w1 - w2) < 1e-12 * largest(w2), loss.name);
      BOOST_TEST(dims(w1) == "CU");
    }
}

BOOST_AUTO_TEST_CASE(what_is_masked_reaches_nothing) {
  const DlArray y = dlarray({{0.2, 0.5, NAN}, {0.8, 0.5, 0.0}}, "CB"), t = dlarray({{1.0, 0.0, 0.0}, {0.0, 1.0, NAN}}, "CB");
  const DlArray w = dlarray({1.0, 2.0, NAN}, "UB"), mask = dlarray({true, true, false}, "UB");
  for (const Loss& loss : losses)
    for (const bool recorded : {false, true}) {
      const auto [l, gy, gt, gw] = dlfeval(
          [&](const DlArray& a, const DlArray& b, const DlArray& c) {
            const DlArray value = loss.fused(a, b, c, {.mask = mask});
            return std::tuple_cat(std::tuple(value), dlgradient(value, a, b, c, {.enableHigherDerivatives = recorded}));
          },
          y, t, w);
      BOOST_TEST(std::isfinite(double(l)), loss.name);
      for (const DlArray& g : {gy, gt, gw}) {
        BOOST_TEST(!bool(any(isnan(stripdims(g)), "all")), loss.name << (recorded ? " recorded" : ""));
        BOOST_TEST(double(g(numel(g) - 1)) == 0, loss.name);
      }
    }
}

// Against the cross-entropy with one-hot targets, of images in more than a piece.
BOOST_AUTO_TEST_CASE(class_numbers_and_one_hot_agree) {
  const DlArray y = dlarray(0.1 + 0.8 * rand(Size{20, 5, 130}), "SCB"), classes = randi({0, 4}, 20, 130);
  DlArray hot = zeros(Size{20, 5, 130});
  for (Index b = 0; b < 130; ++b)
    for (Index s = 0; s < 20; ++s) hot(s, static_cast<Index>(double(classes(s, b))), b) = 1;
  const DlArray mask = dlarray(rand(20, 130) < 0.7, "SB"), each = dlarray(rand(20, 130), "SB");
  for (const char* shape : {"CU", "BU", "SC", "CB"}) {
    const DlArray w = dlarray(shape[0] == 'B'   ? rand(130, 1)
                              : shape[1] == 'U' ? rand(5, 1)
                              : shape[0] == 'S' ? rand(20, 5)
                                                : rand(5, 130),
                              shape);
    for (const bool summed : {true, false})
      for (const Type type : {Type::Double, Type::Single}) {
        const LossOptions o{.mask = mask, .reduction = summed ? "sum" : "none"};
        const auto gradients = [&](const auto& f) {
          return dlfeval(
              [&](const DlArray& a, const DlArray& c) {
                const DlArray l = f(a, c);
                return std::tuple_cat(std::tuple(l), dlgradient(summed ? l : sum(stripdims(sum(l, "C") % each), "all"), a, c));
              },
              cast(y, type), cast(w, type));
        };
        const auto [l1, y1, w1] =
            gradients([&](const DlArray& a, const DlArray& c) { return indexcrossentropy(a, cast(classes, type), c, o); });
        const auto [l2, y2, w2] =
            gradients([&](const DlArray& a, const DlArray& c) { return crossentropy(a, hot, c, options(o, "single-label")); });
        const double close = type == Type::Double ? 1e-13 : 1e-6;
        BOOST_TEST(largest(sum(stripdims(l1), "all") - sum(stripdims(l2), "all")) < close * 130 * 20, shape);
        BOOST_TEST(largest(y1 - y2) < close * largest(y2), shape);
        BOOST_TEST(largest(w1 - w2) < close * 10 * largest(w2), shape);
        BOOST_TEST((underlyingType(l1) == type));
      }
  }
}

// The value needs no memory but small blocks, the derivatives their own.
BOOST_AUTO_TEST_CASE(nothing_as_large_as_the_data_is_made) {
  const DlArray y = dlarray(0.1 + 0.8 * rand(Size{100, 10, 100}), "SCB"), t = dlarray(rand(Size{100, 10, 100}), "SCB");
  const DlArray w = dlarray(rand(10, 1), "CU"), mask = dlarray(rand(100, 100) < 0.7, "SB"), classes = randi({0, 9}, 100, 100);
  constexpr std::size_t bytes = 100 * 10 * 100 * 8, little = bytes / 8;
  const auto peakOf = [](const auto& f) {
    releaseMemory();
    const std::size_t before = memoryUse().inUse;
    f();
    return memoryUse().peak - before;
  };
  const auto check = [&](const char* name, const auto& loss) {
    BOOST_TEST(peakOf([&] { (void)loss(y, w); }) < little, name);
    const auto derivatives = [&](const DlArray& a, const DlArray& b) { return dlgradient(loss(a, b), a, b); };
    BOOST_TEST(peakOf([&] { (void)dlfeval(derivatives, y, w); }) < bytes + little, name);
  };
  for (const Loss& loss : losses)
    check(loss.name, [&](const DlArray& a, const DlArray& b) { return loss.fused(a, t, b, {.mask = mask}); });
  check("indexcrossentropy",
        [&](const DlArray& a, const DlArray& b) { return indexcrossentropy(a, classes, b, {.mask = mask}); });
}

BOOST_AUTO_TEST_CASE(types_of_weights) {
  const DlArray y = dlarray(rand(3, 4), "CB"), t = rand(3, 4);
  BOOST_TEST((underlyingType(l2loss(y, t, rand(3, 4, Type::Single))) == Type::Single));
  BOOST_TEST((underlyingType(l2loss(y, t, t > 0.5)) == Type::Double));
  BOOST_TEST((underlyingType(l2loss(y > 0.5, t > 0.5, t > 0.5)) == Type::Double));
  BOOST_TEST((underlyingType(indexcrossentropy(y, zeros(1, 4), rand(3, 4, Type::Single))) == Type::Single));
}
