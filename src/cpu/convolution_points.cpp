// Gradients of convolutions whose filters are one element, with strides: products with the matrix of the elements that are met.
#include "cpu/blas.hpp"
#include "cpu/convolution_passes.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

constexpr Index fewFactors = 4;     // too few channels or filters for products
constexpr Index leastPixels = 256;  // that pay for a product of many channels

// The place in a channel of the data that the first element of a line of results meets; the end of the channel for no line.
Index placeOf(const Convolution& p, Index line) {
  const Index i1 = line % p.axis[1].out, i2 = line / p.axis[1].out;
  if (i2 == p.axis[2].out) return p.volume(&ConvolutionAxis::in);
  return p.axis[0].in * (i1 * p.axis[1].stride + p.axis[1].in * i2 * p.axis[2].stride);
}

// Results that are worked on together: elements begin to end of lines first to last. Of a part of a line there is one.
struct Part {
  Index first, last, begin, end;

  Index width() const { return end - begin; }
  Index pixels() const { return (last - first) * width(); }
};

// How results are cut, so that what is arranged of a part stays in the second cache: into lines, or long ones into pieces.
struct Cut {
  Index line, lines;  // results of a line, lines
  Index width, together;

  Cut(const Convolution& p, Index bytes) : line(p.axis[0].out), lines(p.axis[1].out * p.axis[2].out) {
    const Index fitting = std::max(gridBytes / (p.channels * bytes), leastPixels);
    width = ceilDiv(line, ceilDiv(line, fitting));
    together = ceilDiv(lines, ceilDiv(lines, std::clamp<Index>(fitting / line, 1, lines)));
  }
  Index pieces() const { return ceilDiv(line, width); }
  Index parts() const { return ceilDiv(lines, together) * pieces(); }
  Part part(Index number) const {
    const Index first = number / pieces() * together, begin = number % pieces() * width;
    return {first, std::min(lines, first + together), begin, std::min(line, begin + width)};
  }
  // The first of a part's results; the others follow it.
  Index resultOf(const Part& part) const { return part.first * line + part.begin; }
};

// The elements of some channels that a part of the results meets, as a matrix.
template <class T>
void gather(const Convolution& p, const Part& part, const T* x, Index channels, T* to) {
  const Index stride = p.axis[0].stride, width = part.width();
  for (Index c = 0; c < channels; ++c, x += p.volume(&ConvolutionAxis::in))
    for (Index i = part.first; i < part.last;) {
      const Index count = std::min(part.last - i, p.axis[1].out - i % p.axis[1].out);  // up to the end of the plane
      const T* from = x + placeOf(p, i) + part.begin * stride;
      kernels<T>().fillLines({from, p.axis[0].in * p.axis[1].stride, stride, 0, width, to, width, count});
      to += count * width;
      i += count;
    }
}

// The opposite: a channel's elements from a part of the results, and zeros between them.
template <class T>
void spread(const Convolution& p, const Part& part, const T* products, T* x) {
  const Index stride = p.axis[0].stride;
  for (Index i = part.first; i < part.last; ++i, products += part.width()) {
    const Index line = placeOf(p, i), place = line + part.begin * stride;
    const Index end = part.end == p.axis[0].out ? placeOf(p, i + 1) : line + part.end * stride;
    kernels<T>().spread(products, part.width(), stride, x + place, end - place);
  }
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
  const Cut cut(p, sizeof(T));
  const Index parts = cut.parts(), most = cut.together * cut.width;
  const Index source = p.volume(&ConvolutionAxis::in), target = p.volume(&ConvolutionAxis::out);
  const Index grain = std::max<Index>(1, parallelWork / (most * p.channels * p.filters));
  parallelFor(p.batch * p.groups * parts, grain, [&](Index begin, Index end) {
    const ScratchArray<T, Scratch::caller> products(most * p.channels);
    for (Index unit = begin; unit < end; ++unit) {
      const Index page = unit / parts, group = page % p.groups;
      const Part part = cut.part(unit % parts);
      const Index pixels = part.pixels();
      gemmWithin(false, true, pixels, p.channels, p.filters, T(1), g + page * p.filters * target + cut.resultOf(part), target,
                 w + group * p.channels * p.filters, p.channels, false, products.data(), pixels);
      for (Index c = 0; c < p.channels; ++c) spread(p, part, products.data() + c * pixels, x + (page * p.channels + c) * source);
    }
  });
}

template <class T>
void PointPass<T>::weightGradient(const T* x, const T* g, T* w) const {
  const Cut cut(p, sizeof(T));
  const Index source = p.volume(&ConvolutionAxis::in), target = p.volume(&ConvolutionAxis::out);
  // Threads take channels, and where these are too few for them filters, too.
  const Index work = p.batch * target * p.channels * p.filters;
  const Index wanted = p.groups * work < 2 * parallelWork ? 1 : ceilDiv(threadCount(), p.groups), unit = kernels<T>().width;
  const Index down = std::min(wanted, ceilDiv(p.channels, unit)), across = ceilDiv(wanted, down);
  const Index channels = ceilDiv(ceilDiv(p.channels, down), unit) * unit, filters = ceilDiv(p.filters, across);
  parallelFor(p.groups * down * across, std::max<Index>(1, parallelWork / work), [&](Index begin, Index end) {
    const ScratchArray<T, Scratch::caller> met(cut.together * cut.width * channels);
    for (Index i = begin; i < end; ++i) {
      const Index group = i / down / across, c = i % down * channels, f = i / down % across * filters;
      const Index m = std::min(channels, p.channels - c), n = std::min(filters, p.filters - f);
      if (m <= 0 || n <= 0) continue;
      for (Index page = group; page < p.batch * p.groups; page += p.groups)
        for (Index number = 0; number < cut.parts(); ++number) {
          const Part part = cut.part(number);
          const Index pixels = part.pixels();
          gather(p, part, x + (page * p.channels + c) * source, m, met.data());
          gemmWithin(true, false, m, n, pixels, T(1), met.data(), pixels,
                     g + (page * p.filters + f) * target + cut.resultOf(part), target, page > group || number > 0,
                     w + (group * p.filters + f) * p.channels + c, p.channels);
        }
    }
  });
}

template struct PointPass<float>;
template struct PointPass<double>;

}  // namespace dl::cpu
