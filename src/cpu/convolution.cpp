#include "cpu/convolution.hpp"

#include "cpu/blas.hpp"
#include "cpu/convolution_passes.hpp"
#include "cpu/parallel.hpp"
#include "cpu/permute.hpp"

namespace dl::cpu {
namespace {

constexpr Index fewFilters = 4;          // too few for the rows of a tile
constexpr Index arrangedResults = 1024;  // from which arranging the weights pays

Index floorDiv(Index a, Index b) { return a >= 0 ? a / b : -ceilDiv(-a, b); }

// A filter of one element at every place: each image is a matrix, and so are the weights.
bool isProduct(const Convolution& p) {
  for (const ConvolutionAxis& a : p.axis)
    if (a.filter != 1 || a.stride != 1 || a.start != 0 || a.in != a.out) return false;
  return p.groups == 1;
}

std::vector<Index> elementsOf(const Convolution& p, const Axes& axes) {
  return Grid::filterElements(axes.data(), p.axis[0].filter, p.axis[1].filter);
}

// The grid of the data, for results of the convolution.
Axes forwardAxes(const Convolution& p) {
  Axes axes;
  for (int d = 0; d < 3; ++d) {
    const ConvolutionAxis& a = p.axis[d];
    GridAxis& g = axes[static_cast<std::size_t>(d)];
    g.rows = g.target = a.out;
    g.source = a.in;
    g.step = a.stride;
    g.origin = -a.start;
    g.taps.clear();
    for (Index f = 0; f < a.filter; ++f) g.taps.push_back({f, f * a.dilation % a.stride, f * a.dilation / a.stride});
  }
  return axes;
}

// The grid of the results' gradient. Element i * stride + phase of the data meets, by element f of the filter, result i + shift,
// where shift * stride = phase + start - f * dilation; each f belongs to one phase.
Index shiftOf(const ConvolutionAxis& a, Index f) { return -floorDiv(f * a.dilation - a.start, a.stride); }

GridAxis backwardAxis(const ConvolutionAxis& a) {
  GridAxis g;
  g.rows = ceilDiv(a.in, a.stride);
  g.source = a.out;
  g.origin = shiftOf(a, a.filter - 1);
  g.taps.clear();
  for (Index f = 0; f < a.filter; ++f) g.taps.push_back({f, 0, shiftOf(a, f) - g.origin});
  return g;
}
// The part of it that makes the elements of one phase.
GridAxis phaseOf(const ConvolutionAxis& a, Index phase) {
  GridAxis g = backwardAxis(a);
  g.rows = std::max<Index>(0, ceilDiv(a.in - phase, a.stride));
  g.target = a.in;
  g.targetStart = phase;
  g.targetStep = a.stride;
  std::erase_if(g.taps, [&](const GridAxis::Tap& tap) {
    return (tap.shift + g.origin) * a.stride + tap.filter * a.dilation != phase + a.start;
  });
  return g;
}

// y += a number for each page of `count`, all of them `batch` times.
template <class T>
void addToPages(Index elements, Index count, Index batch, const T* numbers, T* y) {
  parallelFor(count * batch, grainFor(elements), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      const T number = numbers[page % count];
      for (T* v = y + page * elements; v < y + (page + 1) * elements; ++v) *v += number;
    }
  });
}

}  // namespace

template <class T>
void convolve(const Convolution& p, const T* x, const T* w, T* y, const T* bias) {
  if (isProduct(p)) {
    const Index pixels = p.volume(&ConvolutionAxis::in);
    gemmBatch<T>(false, false, pixels, p.filters, p.channels, T(1), x, pixels * p.channels, w, 0, T(0), y, pixels * p.filters,
                 p.batch);
    if (bias) addToPages(pixels, p.filters, p.batch, bias, y);
    return;
  }
  const Axes axes = forwardAxes(p);
  const Index taps = p.volume(&ConvolutionAxis::filter);
  GridPass<T>{axes,
              {{axes, elementsOf(p, axes)}},
              p.channels,
              p.filters,
              p.groups,
              p.batch,
              x,
              w,
              taps,
              taps * p.channels,
              taps * p.channels * p.filters,
              y,
              false,
              bias}
      .run();
}

template <class T>
void convolveDataGradient(const Convolution& p, const T* g, const T* w, T* x, T* workspace) {
  const Index results = p.volume(&ConvolutionAxis::out) * p.batch;
  if (isProduct(p)) {
    const Index in = p.channels, pixels = p.volume(&ConvolutionAxis::in);
    return gemmBatch<T>(false, true, pixels, in, p.filters, T(1), g, pixels * p.filters, w, 0, T(0), x, pixels * in, p.batch);
  }
  if (PointPass<T>::applies(p)) return PointPass<T>{p}.dataGradient(g, w, x);
  const auto missesSome = [](const ConvolutionAxis& a) { return a.stride > a.filter || (a.stride > 1 && a.dilation > 1); };
  const bool gaps = missesSome(p.axis[0]) || missesSome(p.axis[1]) || missesSome(p.axis[2]);
  const Index taps = p.volume(&ConvolutionAxis::filter);
  // With enough results to use them, weights are put into the order in which they are read: the filters of a group side by side,
  // and with strides, which take some of the taps at a time, each tap for itself.
  const bool arrange = results >= arrangedResults;
  const bool strided = p.axis[0].stride > 1 || p.axis[1].stride > 1 || p.axis[2].stride > 1;
  Index tapStep = 1, weightChannel = taps * p.channels, weightColumn = taps;
  if (arrange) {
    const Index sizes[] = {taps, p.channels, p.filters, p.groups};
    const int together[] = {0, 2, 1, 3}, apart[] = {2, 1, 0, 3};
    permute(w, sizeof(T), sizes, strided ? apart : together, workspace);
    w = workspace;
    tapStep = strided ? p.filters * p.channels : 1;
    weightChannel = strided ? 1 : taps;
    weightColumn = strided ? p.filters : taps * p.filters;
  }
  const auto phases = [&](int d) { return std::min(p.axis[d].stride, p.axis[d].in); };
  std::vector<GridTarget> targets;
  for (Index phase = 0; phase < phases(0) * phases(1) * phases(2); ++phase) {
    const Axes axes{phaseOf(p.axis[0], phase % phases(0)), phaseOf(p.axis[1], phase / phases(0) % phases(1)),
                    phaseOf(p.axis[2], phase / phases(0) / phases(1))};
    std::vector<Index> elements = elementsOf(p, axes);
    for (Index& e : elements) e *= tapStep;
    if (!elements.empty() && sizeOf(axes, &GridAxis::rows) > 0) targets.push_back({axes, std::move(elements)});
  }
  const Axes axes{backwardAxis(p.axis[0]), backwardAxis(p.axis[1]), backwardAxis(p.axis[2])};
  // Parts of the result can be cleared one by one where each is a stretch of neighbours.
  bool stretches = true;
  for (int d = cutAxis(axes) + 1; d < 3; ++d) stretches = stretches && p.axis[d].in == 1;
  if (targets.empty() || (gaps && !stretches))
    std::fill(x, x + p.volume(&ConvolutionAxis::in) * p.channels * p.groups * p.batch, T(0));
  if (targets.empty()) return;
  GridPass<T>{axes,
              std::move(targets),
              p.filters,
              p.channels,
              p.groups,
              p.batch,
              g,
              w,
              weightChannel,
              weightColumn,
              taps * p.channels * p.filters,
              x,
              gaps && stretches}
      .run();
}

template <class T>
void convolveWeightGradient(const Convolution& p, const T* x, const T* g, T* w, T* workspace) {
  const Index columns = p.volume(&ConvolutionAxis::filter) * p.channels;
  if (isProduct(p)) {
    const Index pixels = p.volume(&ConvolutionAxis::in);
    for (Index b = 0; b < p.batch; ++b)
      gemm<T>(true, false, p.channels, p.filters, pixels, T(1), x + b * pixels * p.channels, g + b * pixels * p.filters, T(b > 0),
              w);
    return;
  }
  if (PointPass<T>::applies(p)) return PointPass<T>{p}.weightGradient(x, g, w);
  if (p.filters < fewFilters) return WeightPass<T>{p, forwardAxes(p), x, g, w}.runFew();
  if (p.batch == 1 && p.volume(&ConvolutionAxis::out) <= p.filters)
    return WeightPass<T>{p, forwardAxes(p), x, g, w}.runSmall(workspace);
  WeightPass<T>{p, forwardAxes(p), x, g, workspace}.run();
  for (Index group = 0; group < p.groups; ++group)
    transpose(workspace + group * columns * p.filters, sizeof(T), p.filters, columns, w + group * columns * p.filters);
}

template void convolve(const Convolution&, const float*, const float*, float*, const float*);
template void convolve(const Convolution&, const double*, const double*, double*, const double*);
template void convolveDataGradient(const Convolution&, const float*, const float*, float*, float*);
template void convolveDataGradient(const Convolution&, const double*, const double*, double*, double*);
template void convolveWeightGradient(const Convolution&, const float*, const float*, float*, float*);
template void convolveWeightGradient(const Convolution&, const double*, const double*, double*, double*);

}  // namespace dl::cpu
