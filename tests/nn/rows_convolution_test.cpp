// Convolutions against plain loops: every kind of dimension, window, padding and weights.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Indices = std::vector<Index>;

// What a loop needs to know: the dimensions of the data that the filter moves along, and how.
struct Window {
  Indices along, stride, dilation, start;
};

// Filter sizes, channels, filters and groups, or for the transposed one filter sizes, filters, channels and groups.
Size weightSizes(const Plain& w, const Window& window) {
  Size sizes = w.size;
  sizes.resize(window.along.size() + 3);
  return sizes;
}
Indices onesLike(const Window& w) { return Indices(w.along.size(), 1); }
Window window(Indices along, Indices stride = {}, Indices dilation = {}, Indices start = {}) {
  Window w{std::move(along), std::move(stride), std::move(dilation), std::move(start)};
  if (w.stride.empty()) w.stride = onesLike(w);
  if (w.dilation.empty()) w.dilation = onesLike(w);
  if (w.start.empty()) w.start = Indices(w.along.size(), 0);
  return w;
}

using Outside = std::function<double(const Plain& x, std::vector<Index> at, Index d)>;  // an element that lies outside along d

// Calls visit(place in the result, place in the weights, position in the data) for every product.
void forEachProduct(const Plain& w, const Window& v, const Size& result, std::size_t channel, bool transposed,
                    const std::function<void(std::size_t, std::size_t, const std::vector<Index>&)>& visit) {
  const Size sizes = weightSizes(w, v);
  const std::size_t n = v.along.size();
  forEach(result, [&](std::size_t k, std::vector<Index>& at) {
    forEach(sizes, [&](std::size_t element, std::vector<Index>& tap) {
      const Index in = tap[n + (transposed ? 1 : 0)], out = tap[n + (transposed ? 0 : 1)], group = tap[n + 2];
      const Index ins = sizes[n + (transposed ? 1 : 0)], outs = sizes[n + (transposed ? 0 : 1)];
      if (group * outs + out != at[channel]) return;
      std::vector<Index> from = at;
      from[channel] = group * ins + in;
      for (std::size_t d = 0; d < n; ++d) {
        Index& i = from[static_cast<std::size_t>(v.along[d])];
        if (!transposed) {
          i = i * v.stride[d] + tap[d] * v.dilation[d] - v.start[d];
        } else {
          i = i + v.start[d] - tap[d] * v.dilation[d];
          if (i % v.stride[d] != 0) return;
          i /= v.stride[d];
        }
      }
      visit(k, element, from);
    });
  });
}

Numbers convolved(const std::vector<Plain>& in, const Window& v, const std::string& expect, bool transposed = false,
                  const Outside& outside = {}) {
  const Plain &x = in[0], &w = in[1], y = parse(expect);
  const std::size_t channel = x.labels.find('C');
  Numbers values(static_cast<std::size_t>(numel(y.size)));
  for (std::size_t k = 0; k < values.size(); ++k) {
    std::size_t inner = 1;
    for (std::size_t d = 0; d < channel; ++d) inner *= static_cast<std::size_t>(y.size[d]);
    values[k] = in[2].values[in[2].values.size() == 1 ? 0 : k / inner % static_cast<std::size_t>(y.size[channel])];
  }
  forEachProduct(w, v, y.size, channel, transposed, [&](std::size_t k, std::size_t element, const std::vector<Index>& at) {
    double value = 0;
    Index out = -1;
    for (const Index d : v.along)
      if (at[static_cast<std::size_t>(d)] < 0 || at[static_cast<std::size_t>(d)] >= x.size[static_cast<std::size_t>(d)]) out = d;
    if (out < 0)
      value = x.values[numberAt(x.size, at)];
    else if (outside)
      value = outside(x, at, out);
    values[k] += w.values[element] * value;
  });
  return values;
}

void row(const std::string& name, const char* x, const char* weights, const char* bias, const char* expect, const Window& v,
         const DlconvOptions& options = {}, const Outside& outside = {}) {
  check(Row{"dlconv " + name,
            {{x}, {weights}, {bias}},
            [&](const Arrays& in) { return dlconv(in[0], in[1], in[2], options); },
            [&](const std::vector<Plain>& in) { return convolved(in, v, expect, false, outside); },
            expect});
}
void transposedRow(const std::string& name, const char* x, const char* weights, const char* bias, const char* expect,
                   const Window& v, const DltranspconvOptions& options = {}) {
  check(Row{"dltranspconv " + name,
            {{x}, {weights}, {bias}},
            [&](const Arrays& in) { return dltranspconv(in[0], in[1], in[2], options); },
            [&](const std::vector<Plain>& in) { return convolved(in, v, expect, true); },
            expect});
}

}  // namespace

BOOST_AUTO_TEST_CASE(images_signals_and_volumes) {
  check(Row{"dlconv of images",
            {{"6(S) x 5(S) x 2(C) x 3(B)"}, {"3 x 2 x 2 x 4"}, {"4 x 1"}},
            [](const Arrays& in) { return dlconv(in[0], in[1], in[2]); },
            [](const std::vector<Plain>& in) {
              return convolved(in, window({0, 1}), "4(S) x 4(S) x 4(C) x 3(B)");
            },
            "4(S) x 4(S) x 4(C) x 3(B)"});
  row("of signals", "9(S) x 2(C) x 3(B)", "3 x 2 x 2", "1 x 2", "7(S) x 2(C) x 3(B)", window({0}));
  row("of volumes", "4(S) x 3(S) x 5(S) x 2(C) x 2(B)", "2 x 3 x 2 x 2 x 2", "2(C) x 1(U)", "3(S) x 1(S) x 4(S) x 2(C) x 2(B)",
      window({0, 1, 2}));
  row("of one image", "5(S) x 4(S) x 2(C)", "2 x 2 x 2 x 3", "3 x 1", "4(S) x 3(S) x 3(C)", window({0, 1}));
  row("of one channel with one filter", "5(S) x 4(S) x 1(C) x 2(B)", "2 x 3", "1 x 1", "4(S) x 2(S) x 1(C) x 2(B)",
      window({0, 1}));
  row("of a sequence of images", "4(S) x 3(S) x 2(C) x 2(B) x 3(T)", "2 x 2 x 2 x 2", "2 x 1", "3(S) x 2(S) x 2(C) x 2(B) x 3(T)",
      window({0, 1}));
  row("with one element", "4(S) x 3(S) x 3(C) x 2(B)", "1 x 1 x 3 x 5", "5 x 1", "4(S) x 3(S) x 5(C) x 2(B)", window({0, 1}));
}

BOOST_AUTO_TEST_CASE(along_time) {
  row("along time", "2(C) x 3(B) x 7(T)", "3 x 2 x 2", "2 x 1", "2(C) x 3(B) x 5(T)", window({2}), {.weightsFormat = "TCU"});
}

BOOST_AUTO_TEST_CASE(strides_and_dilations) {
  row("with a stride", "9(S) x 8(S) x 2(C) x 2(B)", "3 x 2 x 2 x 2", "2 x 1", "4(S) x 4(S) x 2(C) x 2(B)", window({0, 1}, {2, 2}),
      {.stride = 2});
  row("with strides and dilations", "9(S) x 11(S) x 2(C) x 2(B)", "3 x 2 x 2 x 2", "2 x 1", "5(S) x 3(S) x 2(C) x 2(B)",
      window({0, 1}, {1, 3}, {2, 4}), {.stride = {1, 3}, .dilationFactor = {2, 4}});
  row("with a stride longer than the filter", "10(S) x 1(C) x 2(B)", "2 x 1 x 2", "2 x 1", "3(S) x 2(C) x 2(B)", window({0}, {4}),
      {.stride = 4});
}

BOOST_AUTO_TEST_CASE(paddings) {
  const char* x = "5(S) x 4(S) x 2(C) x 2(B)";
  const char* w = "3 x 2 x 2 x 2";
  row("padded", x, w, "2 x 1", "7(S) x 7(S) x 2(C) x 2(B)", window({0, 1}, {}, {}, {2, 2}), {.padding = 2});
  row("padded differently", x, w, "2 x 1", "5(S) x 7(S) x 2(C) x 2(B)", window({0, 1}, {}, {}, {1, 2}), {.padding = {1, 2}});
  row("padded on each side", x, w, "2 x 1", "6(S) x 6(S) x 2(C) x 2(B)", window({0, 1}, {}, {}, {1, 0}),
      {.padding = {{1, 0}, {2, 3}}});
  row("of the same size", x, w, "2 x 1", "5(S) x 4(S) x 2(C) x 2(B)", window({0, 1}, {}, {}, {1, 0}), {.padding = "same"});
  row("of the same size with a stride", "7(S) x 6(S) x 1(C) x 2(B)", "3 x 3 x 1 x 2", "2 x 1", "4(S) x 3(S) x 2(C) x 2(B)",
      window({0, 1}, {2, 2}, {}, {1, 0}), {.stride = 2, .padding = "same"});
  row("that looks back", "6(S) x 2(C) x 2(B)", "3 x 2 x 2", "2 x 1", "6(S) x 2(C) x 2(B)", window({0}, {}, {2}, {4}),
      {.dilationFactor = 2, .padding = "causal"});
}

BOOST_AUTO_TEST_CASE(padding_values) {
  const char* x = "4(S) x 3(S) x 1(C) x 2(B)";
  const char* w = "3 x 3 x 1 x 2";
  const auto at = [](const Plain& p, std::vector<Index> place, const std::function<Index(Index i, Index n)>& inside) {
    for (std::size_t d = 0; d < 2; ++d) place[d] = inside(place[d], p.size[d]);
    return p.values[numberAt(p.size, place)];
  };
  const Window v = window({0, 1}, {}, {}, {2, 2});
  const char* y = "6(S) x 5(S) x 2(C) x 2(B)";
  row("padded with a number", x, w, "2 x 1", y, v, {.padding = 2, .paddingValue = 0.75},
      [](const Plain&, const std::vector<Index>&, Index) { return 0.75; });
  row("of one plane, padded with a number", "2(S) x 3(S) x 1(S) x 1(C) x 1(B)", "2 x 2 x 3", "1 x 1",
      "3(S) x 4(S) x 1(S) x 1(C) x 1(B)", window({0, 1, 2}, {}, {}, {1, 1, 1}), {.padding = 1, .paddingValue = 0.75},
      [](const Plain&, const std::vector<Index>&, Index) { return 0.75; });
  const auto include = [](Index i, Index n) { return i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i; };
  const auto exclude = [](Index i, Index n) { return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i; };
  const auto edge = [](Index i, Index n) { return i < 0 ? 0 : i >= n ? n - 1 : i; };
  row("mirrored with its edge", x, w, "2 x 1", y, v, {.padding = 2, .paddingValue = "symmetric-include-edge"},
      [&](const Plain& p, const std::vector<Index>& place, Index) { return at(p, place, include); });
  row("mirrored without its edge", x, w, "2 x 1", y, v, {.padding = 2, .paddingValue = "symmetric-exclude-edge"},
      [&](const Plain& p, const std::vector<Index>& place, Index) { return at(p, place, exclude); });
  row("continued by its edge", x, w, "2 x 1", y, v, {.padding = 2, .paddingValue = "replicate"},
      [&](const Plain& p, const std::vector<Index>& place, Index) { return at(p, place, edge); });
}

BOOST_AUTO_TEST_CASE(groups) {
  row("in groups", "4(S) x 4(S) x 6(C) x 2(B)", "3 x 2 x 2 x 2 x 3", "6 x 1", "2(S) x 3(S) x 6(C) x 2(B)", window({0, 1}));
  row("channel by channel", "5(S) x 4(S) x 3(C) x 2(B)", "3 x 3 x 1 x 1 x 3", "3 x 1", "5(S) x 4(S) x 3(C) x 2(B)",
      window({0, 1}, {}, {}, {1, 1}), {.padding = "same"});
  row("channel by channel, two filters each", "5(S) x 3(C) x 2(B)", "3 x 1 x 2 x 3", "6 x 1", "3(S) x 6(C) x 2(B)", window({0}));
}

BOOST_AUTO_TEST_CASE(transposed) {
  check(Row{"dltranspconv of images",
            {{"3(S) x 2(S) x 2(C) x 3(B)"}, {"3 x 2 x 4 x 2"}, {"4 x 1"}},
            [](const Arrays& in) { return dltranspconv(in[0], in[1], in[2]); },
            [](const std::vector<Plain>& in) {
              return convolved(in, window({0, 1}), "5(S) x 3(S) x 4(C) x 3(B)", true);
            },
            "5(S) x 3(S) x 4(C) x 3(B)"});
  transposedRow("with a stride", "3(S) x 2(S) x 2(C) x 2(B)", "3 x 2 x 3 x 2", "3 x 1", "7(S) x 4(S) x 3(C) x 2(B)",
                window({0, 1}, {2, 2}), {.stride = 2});
  transposedRow("with gaps", "3(S) x 2(C) x 2(B)", "2 x 1 x 2", "1 x 1", "11(S) x 1(C) x 2(B)", window({0}, {4}, {2}),
                {.stride = 4, .dilationFactor = 2});
  transposedRow("cropped", "4(S) x 3(S) x 2(C) x 2(B)", "3 x 3 x 2 x 2", "2 x 1", "7(S) x 3(S) x 2(C) x 2(B)",
                window({0, 1}, {2, 2}, {}, {1, 2}), {.stride = 2, .cropping = {{1, 2}, {1, 2}}});
  transposedRow("of the size times the stride", "3(S) x 2(S) x 2(C) x 2(B)", "4 x 3 x 2 x 2", "2 x 1",
                "6(S) x 4(S) x 2(C) x 2(B)", window({0, 1}, {2, 2}, {}, {1, 0}), {.stride = 2, .cropping = "same"});
  transposedRow("of the size times a stride longer than the filter", "3(S) x 2(C) x 2(B)", "2 x 2 x 2", "2 x 1",
                "9(S) x 2(C) x 2(B)", window({0}, {3}), {.stride = 3, .cropping = "same"});
  transposedRow("of volumes", "2(S) x 3(S) x 2(S) x 2(C) x 1(B)", "2 x 2 x 2 x 1 x 2", "1 x 1",
                "3(S) x 4(S) x 3(S) x 1(C) x 1(B)", window({0, 1, 2}));
  transposedRow("in groups", "3(S) x 4(C) x 2(B)", "2 x 3 x 2 x 2", "6 x 1", "4(S) x 6(C) x 2(B)", window({0}));
}
