// Gradients of convolutions whose filters are one element, with strides: products with the matrix of the elements that are met.
#include "cpu/blas.hpp"
#include "cpu/convolution_passes.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

constexpr Index fewFactors = 4;  // too few channels or filters for products

// The place in a channel of the data that the first element of a line of results meets; the end of the channel for no line.
Index placeOf(const Convolution& p, Index line) {
  const Index i1 = line % p.axis[1].out, i2 = line / p.axis[1].out;
  if (i2 == p.axis[2].out) return p.volume(&ConvolutionAxis::in);
  return p.axis[0].in * (i1 * p.axis[1].stride + p.axis[1].in * i2 * p.axis[2].stride);
}

// Lines of results that are worked on together: what is arranged of them stays in the second cache.
template <class T>
Index linesOfPart(const Convolution& p) {
  const Index lines = p.axis[1].out * p.axis[2].out, bytes = p.axis[0].out * p.channels * static_cast<Index>(sizeof(T));
  const Index fitting = std::clamp<Index>(gridBytes / bytes, 1, lines);
  return ceilDiv(lines, ceilDiv(lines, fitting));
}

}  // namespace

template <class T>
bool PointPass<T>::applies(const Convolution& p) {
  for (const ConvolutionAxis& a : p.axis)
    if (a.filter != 1 || a.start != 0 || (a.out - 1) * a.stride >= a.in) return false;
  return p.channels >= fewFactors && p.filters >= fewFactors;
}

template <class T>
void PointPass<T>::dataGradient(const T* g, const T* w, T* x) const {
  const Index line = p.axis[0].out, lines = p.axis[1].out * p.axis[2].out, together = linesOfPart<T>(p),
              parts = ceilDiv(lines, together);
  const Index source = p.volume(&ConvolutionAxis::in), target = lines * line;
  const Index grain = std::max<Index>(1, parallelWork / (together * line * p.channels * p.filters));
  parallelFor(p.batch * p.groups * parts, grain, [&](Index begin, Index end) {
    T* products = scratchMemory<T, Scratch::caller>(together * line * p.channels);
    for (Index unit = begin; unit < end; ++unit) {
      const Index page = unit / parts, group = page % p.groups, first = unit % parts * together,
                  last = std::min(lines, first + together), pixels = (last - first) * line;
      gemmWithin(false, true, pixels, p.channels, p.filters, T(1), g + page * p.filters * target + first * line, target,
                 w + group * p.channels * p.filters, p.channels, false, products, pixels);
      for (Index c = 0; c < p.channels; ++c)
        for (Index i = first; i < last; ++i) {
          T* to = x + (page * p.channels + c) * source;
          const Index place = placeOf(p, i);
          kernels<T>().spread(products + c * pixels + (i - first) * line, line, p.axis[0].stride, to + place,
                              placeOf(p, i + 1) - place);
        }
    }
  });
}

// The elements of some channels that lines first to last of the results meet, as a matrix.
template <class T>
void PointPass<T>::gather(const T* x, Index channels, Index first, Index last, T* to) const {
  const Index line = p.axis[0].out;
  for (Index c = 0; c < channels; ++c, x += p.volume(&ConvolutionAxis::in))
    for (Index i = first; i < last;) {
      const Index count = std::min(last - i, p.axis[1].out - i % p.axis[1].out);  // up to the end of the plane
      kernels<T>().fillLines({x + placeOf(p, i), p.axis[0].in * p.axis[1].stride, p.axis[0].stride, 0, line, to, line, count});
      to += count * line;
      i += count;
    }
}

template <class T>
void PointPass<T>::weightGradient(const T* x, const T* g, T* w) const {
  const Index line = p.axis[0].out, lines = p.axis[1].out * p.axis[2].out, together = linesOfPart<T>(p);
  const Index source = p.volume(&ConvolutionAxis::in), target = lines * line;
  const Index work = p.batch * target * p.channels * p.filters;
  // Threads take channels, and where these are too few for them filters, too.
  const Index wanted = p.groups * work < 2 * parallelWork ? 1 : ceilDiv(threadCount(), p.groups), unit = kernels<T>().width;
  const Index down = std::min(wanted, ceilDiv(p.channels, unit)), across = ceilDiv(wanted, down);
  const Index channels = ceilDiv(ceilDiv(p.channels, down), unit) * unit, filters = ceilDiv(p.filters, across);
  parallelFor(p.groups * down * across, std::max<Index>(1, parallelWork / work), [&](Index begin, Index end) {
    T* met = scratchMemory<T, Scratch::caller>(together * line * channels);
    for (Index i = begin; i < end; ++i) {
      const Index group = i / down / across, c = i % down * channels, f = i / down % across * filters;
      const Index m = std::min(channels, p.channels - c), n = std::min(filters, p.filters - f);
      if (m <= 0 || n <= 0) continue;
      for (Index page = group; page < p.batch * p.groups; page += p.groups)
        for (Index first = 0; first < lines; first += together) {
          const Index last = std::min(lines, first + together), pixels = (last - first) * line;
          gather(x + (page * p.channels + c) * source, m, first, last, met);
          gemmWithin(true, false, m, n, pixels, T(1), met, pixels, g + (page * p.filters + f) * target + first * line, target,
                     page > group || first > 0, w + (group * p.filters + f) * p.channels + c, p.channels);
        }
    }
  });
}

template struct PointPass<float>;
template struct PointPass<double>;

}  // namespace dl::cpu
