// Convolutions and their two gradients against plain loops, for every number of threads.
#include "cpu/convolution.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include "kernel_test.hpp"

#include "harness/sanitized.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

Index count(const Convolution& p, Index ConvolutionAxis::*size) { return p.axis[0].*size * p.axis[1].*size * p.axis[2].*size; }

// Calls visit(x, w, y) with the places of the three factors of every product.
template <class F>
void forEachProduct(const Convolution& p, F&& visit) {
  const Index in = count(p, &ConvolutionAxis::in), taps = count(p, &ConvolutionAxis::filter),
              out = count(p, &ConvolutionAxis::out);
  for (Index o = 0; o < out; ++o)
    for (Index t = 0; t < taps; ++t) {
      Index at[3], restO = o, restT = t;
      bool inside = true;
      for (int d = 0; d < 3; ++d) {
        const ConvolutionAxis& a = p.axis[d];
        at[d] = restO % a.out * a.stride + restT % a.filter * a.dilation - a.start;
        inside = inside && at[d] >= 0 && at[d] < a.in;
        restO /= a.out, restT /= a.filter;
      }
      if (!inside) continue;
      const Index place = at[0] + p.axis[0].in * (at[1] + p.axis[1].in * at[2]);
      for (Index b = 0; b < p.batch; ++b)
        for (Index g = 0; g < p.groups; ++g)
          for (Index c = 0; c < p.channels; ++c)
            for (Index f = 0; f < p.filters; ++f)
              visit(place + in * (c + p.channels * (g + p.groups * b)), t + taps * (c + p.channels * (f + p.filters * g)),
                    o + out * (f + p.filters * (g + p.groups * b)));
    }
}

template <class T>
void compare(const std::vector<T>& got, const std::vector<double>& want, const std::vector<double>& scale, const char* what) {
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double tolerance = 4 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (1 + scale[i]);
    if (!(std::abs(static_cast<double>(got[i]) - want[i]) <= tolerance)) {
      BOOST_ERROR(what << " " << i << ": " << got[i] << ", not " << want[i]);
      return;
    }
  }
}

template <class T>
void check(const Convolution& p) {
  const Index nx = count(p, &ConvolutionAxis::in) * p.channels * p.groups * p.batch;
  const Index nw = count(p, &ConvolutionAxis::filter) * p.channels * p.filters * p.groups;
  const Index ny = count(p, &ConvolutionAxis::out) * p.filters * p.groups * p.batch;
  const auto x = numbers<T>(nx, 1), w = numbers<T>(nw, 2), g = numbers<T>(ny, 3);
  std::vector<double> y(static_cast<std::size_t>(ny)), dx(static_cast<std::size_t>(nx)), dw(static_cast<std::size_t>(nw));
  std::vector<double> sy = y, sx = dx, sw = dw;
  forEachProduct(p, [&](Index i, Index j, Index k) {
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j), c = static_cast<std::size_t>(k);
    y[c] += static_cast<double>(x[a]) * static_cast<double>(w[b]), sy[c] += 1;
    dx[a] += static_cast<double>(g[c]) * static_cast<double>(w[b]), sx[a] += 1;
    dw[b] += static_cast<double>(x[a]) * static_cast<double>(g[c]), sw[b] += 1;
  });
  const T nan = std::numeric_limits<T>::quiet_NaN();
  bool same = false;
  compare(sameForThreads(
              [&] {
                std::vector<T> result(y.size(), nan);
                convolve(p, x.data(), w.data(), result.data());
                return result;
              },
              same),
          y, sy, "result");
  BOOST_TEST(same);
  const auto bias = numbers<T>(p.filters * p.groups, 4);
  const Index page = count(p, &ConvolutionAxis::out);
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] += static_cast<double>(bias[i / static_cast<std::size_t>(page) % bias.size()]), sy[i] += 1;
  compare(sameForThreads(
              [&] {
                std::vector<T> result(y.size(), nan);
                convolve(p, x.data(), w.data(), result.data(), bias.data());
                return result;
              },
              same),
          y, sy, "result with a bias");
  BOOST_TEST(same);
  compare(sameForThreads(
              [&] {
                std::vector<T> result(dx.size(), nan), workspace(dw.size(), nan);
                convolveDataGradient(p, g.data(), w.data(), result.data(), workspace.data());
                return result;
              },
              same),
          dx, sx, "data gradient");
  BOOST_TEST(same);
  compare(sameForThreads(
              [&] {
                std::vector<T> result(dw.size(), nan), workspace(dw.size(), nan);
                convolveWeightGradient(p, x.data(), g.data(), result.data(), workspace.data());
                return result;
              },
              same),
          dw, sw, "weight gradient");
  BOOST_TEST(same);
}

double residentMegabytes() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// How much more memory is held after the two gradients of a convolution.
double heldByGradients(const Convolution& p) {
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  const Index taps = count(p, &ConvolutionAxis::filter) * p.channels * p.filters * p.groups;
  const std::vector<float> x(size(count(p, &ConvolutionAxis::in) * p.channels * p.groups * p.batch), 1), w(size(taps), 1),
      g(size(count(p, &ConvolutionAxis::out) * p.filters * p.groups * p.batch), 1);
  std::vector<float> dx = x, dw = w, workspace = w;
  const double before = residentMegabytes();
  return dl::test::withThreads(1, [&] {
    convolveDataGradient(p, g.data(), w.data(), dx.data(), workspace.data());
    convolveWeightGradient(p, x.data(), g.data(), dw.data(), workspace.data());
    return residentMegabytes() - before;
  });
}

ConvolutionAxis axis(Index in, Index filter, Index stride = 1, Index dilation = 1, Index start = 0, Index end = 0) {
  return {in, filter, (in + start + end - (filter - 1) * dilation - 1) / stride + 1, stride, dilation, start};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_convolution)

BOOST_AUTO_TEST_CASE_TEMPLATE(images, T, Types) {
  check<T>({{axis(9, 3), axis(7, 3), {}}, 3, 5, 1, 2});
  check<T>({{axis(9, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1), {}}, 3, 8, 1, 2});
  check<T>({{axis(32, 3, 1, 1, 1, 1), axis(32, 3, 1, 1, 1, 1), {}}, 16, 16, 1, 3});
  check<T>({{axis(7, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1), {}}, 96, 40, 1, 3});
  check<T>({{axis(28, 5), axis(28, 5), {}}, 1, 6, 1, 2});
  check<T>({{axis(56, 3, 1, 1, 1, 1), axis(56, 3, 1, 1, 1, 1), {}}, 64, 9, 1, 1});
  check<T>({{axis(6, 6), axis(5, 5), {}}, 4, 10, 1, 5});
}

// Lines that share registers, whole images of some of them, and sizes between.
BOOST_AUTO_TEST_CASE_TEMPLATE(short_lines, T, Types) {
  for (const Index size : {2, 3, 4, 5, 7, 8, 9, 14, 15, 16, 17})
    for (const Index filters : {1, 3, 9, 40}) {
      check<T>({{axis(size, 3, 1, 1, 1, 1), axis(size + 1, 3, 1, 1, 1, 1), {}}, 5, filters, 1, 3});
      check<T>({{axis(2 * size, 3, 2, 1, 1, 1), axis(size, 3, 2, 1, 1, 1), {}}, 5, filters, 1, 3});
    }
  check<T>({{axis(8, 3, 1, 7, 7, 7), axis(8, 3, 1, 9, 9, 9), {}}, 3, 8, 1, 2});
}

// Rows that taps miss are computed apart, several images at a time, channels in blocks.
BOOST_AUTO_TEST_CASE_TEMPLATE(borders_of_many_channels, T, Types) {
  check<T>({{axis(7, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1), {}}, 140, 24, 1, 5});
  check<T>({{axis(14, 3, 2, 1, 1, 1), axis(14, 3, 2, 1, 1, 1), {}}, 24, 310, 1, 3});
  check<T>({{axis(12, 5), axis(12, 5), {}}, 20, 50, 1, 3});
  check<T>({{axis(28, 5), axis(28, 5), {}}, 1, 20, 1, 6});
  check<T>({{axis(5, 3, 1, 1, 1, 1), axis(4, 3, 1, 1, 1, 1), axis(6, 5, 1, 1, 2, 2)}, 9, 24, 1, 4});
  check<T>({{axis(6, 3, 1, 2, 2, 2), axis(6, 3, 1, 2, 2, 2), {}}, 24, 32, 2, 6});
  for (const Index size : {3, 4, 5, 8, 9}) {
    check<T>({{axis(size, 3, 1, 1, 1, 1), axis(size + 1, 3, 1, 1, 1, 1), {}}, 72, 56, 1, 5});
    check<T>({{axis(2 * size, 3, 2, 1, 1, 1), axis(size + 4, 3, 2, 1, 1, 1), {}}, 72, 56, 1, 5});
  }
}

// Single images whose weights are many: these are asked for early, and their gradient is a product.
BOOST_AUTO_TEST_CASE_TEMPLATE(single_images, T, Types) {
  check<T>({{axis(7, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1), {}}, 70, 60, 1, 1});
  check<T>({{axis(14, 3, 1, 1, 1, 1), axis(14, 3, 1, 1, 1, 1), {}}, 61, 70, 1, 1});
  check<T>({{axis(7, 3, 2, 1, 1, 1), axis(5, 3, 1, 2, 1, 3), {}}, 10, 40, 2, 1});
}

// Few weights, summed over pieces of the images.
BOOST_AUTO_TEST_CASE_TEMPLATE(many_images, T, Types) {
  check<T>({{axis(9, 3), axis(7, 3), {}}, 3, 8, 1, 151});
  check<T>({{axis(5, 3), axis(5, 2), {}}, 6, 8, 3, 113});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_results, T, Types) {
  check<T>({{axis(32, 3, 2, 1, 1, 1), axis(32, 3, 2, 1, 1, 1), {}}, 16, 8, 1, 5});
  check<T>({{axis(32, 3, 3, 1, 1, 1), axis(64, 2, 2), {}}, 3, 8, 2, 5});
  check<T>({{axis(16, 1), axis(16, 1), {}}, 20, 24, 1, 5});
  check<T>({{axis(30000, 1, 2), axis(2, 1, 3), {}}, 4, 8, 1, 1});
  check<T>({{axis(30000, 1, 3), {}, {}}, 4, 8, 1, 2});
  check<T>({{axis(40, 5, 1, 1, 2, 2), axis(20, 1), {}}, 20, 24, 1, 3});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(single_taps, T, Types) {
  check<T>({{axis(9, 1), axis(7, 1), {}}, 5, 6, 1, 3});
  check<T>({{axis(9, 1, 2), axis(8, 1, 2), {}}, 5, 6, 1, 3});
  check<T>({{axis(56, 1, 2), axis(56, 1, 2), {}}, 64, 32, 1, 1});
  check<T>({{axis(57, 1, 2), axis(58, 1, 2), {}}, 128, 5, 1, 2});
  check<T>({{axis(9, 1, 2), axis(8, 1, 3), axis(5, 1, 2)}, 5, 6, 2, 3});
  check<T>({{axis(30, 1, 3), axis(9, 1), {}}, 20, 6, 1, 3});
  check<T>({{axis(9, 1, 2), axis(8, 1, 3), {}}, 2, 6, 1, 3});
  check<T>({{axis(1, 1), axis(1, 1), {}}, 5, 6, 1, 3});
  check<T>({{axis(1, 1), axis(1, 1), {}}, 1, 1, 1, 1});
}

// Results of single taps that meet zeros behind the data alone.
BOOST_AUTO_TEST_CASE_TEMPLATE(single_taps_behind_the_data, T, Types) {
  check<T>({{axis(9, 1), axis(7, 1, 1, 1, 0, 1), {}}, 5, 6, 1, 2});
  check<T>({{axis(7, 1, 1, 1, 0, 1), axis(7, 1), {}}, 4, 4, 1, 2});
  check<T>({{axis(8, 1, 2, 1, 0, 1), axis(8, 1, 2, 1, 0, 1), {}}, 5, 6, 1, 2});
  check<T>({{axis(8, 1, 2), axis(6, 1, 2, 1, 0, 1), axis(4, 1, 1, 1, 0, 3)}, 5, 6, 2, 3});
  check<T>({{axis(9000, 1, 3, 1, 0, 4), {}, {}}, 8, 8, 1, 1});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(strides_dilations_and_uneven_padding, T, Types) {
  check<T>({{axis(11, 3, 2, 1, 1, 1), axis(12, 3, 3, 1, 0, 2), {}}, 4, 5, 1, 2});
  check<T>({{axis(23, 7, 2, 1, 3, 3), axis(24, 7, 2, 1, 3, 3), {}}, 3, 20, 1, 2});
  check<T>({{axis(16, 3, 2, 1, 1, 1), axis(16, 3, 2, 1, 1, 1), {}}, 32, 64, 1, 2});
  check<T>({{axis(13, 3, 1, 2, 2, 2), axis(14, 3, 1, 3, 0, 4), {}}, 4, 5, 1, 2});
  check<T>({{axis(13, 3, 2, 2, 1, 3), axis(14, 2, 3, 4, 5, 0), {}}, 4, 5, 1, 2});
  check<T>({{axis(13, 2, 4, 1, 1, 3), axis(14, 2, 5, 1, 3, 0), {}}, 4, 5, 1, 2});
  check<T>({{axis(3, 2, 1, 1, 6, 5), axis(2, 2, 3, 1, 4, 4), {}}, 2, 4, 1, 2});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_and_three_dimensions, T, Types) {
  check<T>({{axis(100, 5, 1, 1, 4, 0), {}, {}}, 3, 7, 1, 2});
  check<T>({{axis(5000, 9, 1, 1, 4, 4), {}, {}}, 2, 4, 1, 1});
  check<T>({{axis(7, 3, 1, 1, 1, 1), axis(6, 2), axis(5, 3, 1, 1, 1, 1)}, 3, 4, 1, 2});
  check<T>({{axis(7, 3, 2, 1, 1, 1), axis(6, 2, 1, 2), axis(5, 3, 2, 1, 1, 1)}, 3, 4, 1, 2});
  check<T>({{{}, {}, axis(9, 3)}, 3, 4, 1, 2});
}

// Parts of a line in which some rows' targets have none: rows near the border apart from others, and phases of the data.
BOOST_AUTO_TEST_CASE_TEMPLATE(whole_lines_of_which_every_second_is_a_phase, T, Types) {
  // The last line of a plane and the first of the next lie beside each other, lines of one plane do not.
  for (const Index lines : {3, 5, 9})
    for (const Index first : {1, 3, 9}) {
      check<T>({{axis(first, 1), axis(lines, 2, 2), axis(4, 2)}, 2, 3, 1, 2});
      check<T>({{axis(first, 1), axis(lines, 3, 2), axis(3, 1)}, 2, 3, 1, 2});
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parts_without_rows, T, Types) {
  check<T>({{axis(100, 3, 1, 60, 60, 60), {}, {}}, 640, 16, 1, 1});
  check<T>({{axis(50, 3, 1, 30, 30, 30), {}, {}}, 640, 24, 1, 1});
  check<T>({{axis(sizeof(T) == 4 ? 20605 : 5101, 2, 2), {}, {}}, 1, 640, 1, 1});
}

// Threads keep a few megabytes for the next call, however long a line or large an image is.
BOOST_AUTO_TEST_CASE(little_memory_is_kept, *boost::unit_test::enable_if<!dl::test::sanitized>()) {
  BOOST_TEST(heldByGradients({{axis(200001, 1, 2), {}, {}}, 64, 4, 1, 1}) < 12);
  BOOST_TEST(heldByGradients({{axis(2048, 3, 1, 1, 1, 1), axis(2048, 3, 1, 1, 1, 1), {}}, 1, 1, 1, 1}) < 12);
}

// Lines of single taps that are cut into pieces.
BOOST_AUTO_TEST_CASE_TEMPLATE(pieces_of_lines, T, Types) {
  for (const Index stride : {2, 3}) {
    check<T>({{axis(16001, 1, stride), axis(3, 1, 2), {}}, 18, 6, 1, 2});
    check<T>({{axis(16004, 1, stride), {}, {}}, 36, 5, 2, 1});
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(groups, T, Types) {
  check<T>({{axis(9, 3), axis(7, 3), {}}, 2, 4, 3, 2});
  check<T>({{axis(19, 3, 1, 1, 1, 1), axis(27, 3, 1, 1, 1, 1), {}}, 1, 1, 12, 2});
  check<T>({{axis(19, 3, 2, 1, 1, 1), axis(27, 3, 2, 1, 1, 1), {}}, 1, 1, 5, 2});
  check<T>({{axis(9, 3, 1, 1, 1, 1), axis(7, 1), {}}, 1, 2, 5, 2});
  check<T>({{axis(9, 3, 1, 1, 1, 1), axis(7, 4), {}}, 3, 1, 2, 2});
  check<T>({{axis(9, 3, 1, 1, 1, 1), axis(7, 4), {}}, 700, 2, 1, 2});
}

BOOST_AUTO_TEST_SUITE_END()
