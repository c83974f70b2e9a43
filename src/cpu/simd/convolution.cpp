// Convolutions as products with a matrix that is never formed: its columns are a padded copy of the data, the grid, shifted.
// Compiled once for every level of the processor.
#include "cpu/simd/convolution.hpp"

#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

#if defined(__AVX512F__)
inline void loadChosen(const float* x, unsigned chosen, __m512& v) {
  v = _mm512_maskz_loadu_ps(static_cast<__mmask16>(chosen), x);
}
inline void loadChosen(const double* x, unsigned chosen, __m512d& v) {
  v = _mm512_maskz_loadu_pd(static_cast<__mmask8>(chosen), x);
}
inline void storeChosen(float* y, unsigned chosen, const __m512& v) {
  _mm512_mask_storeu_ps(y, static_cast<__mmask16>(chosen), v);
}
inline void storeChosen(double* y, unsigned chosen, const __m512d& v) {
  _mm512_mask_storeu_pd(y, static_cast<__mmask8>(chosen), v);
}
// Every second number of two registers, and the opposite: the lower or upper half of one with room between its numbers.
inline __m512 everySecond(const __m512& a, const __m512& b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b);
}
inline __m512d everySecond(const __m512d& a, const __m512d& b) {
  return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), b);
}
inline __m512 spreadLower(const __m512& v) { return _mm512_maskz_expand_ps(0x5555, v); }
inline __m512d spreadLower(const __m512d& v) { return _mm512_maskz_expand_pd(0x55, v); }
inline __m512 spreadUpper(const __m512& v) { return spreadLower(_mm512_maskz_shuffle_f32x4(0xffff, v, v, 0xee)); }
inline __m512d spreadUpper(const __m512d& v) { return spreadLower(_mm512_maskz_shuffle_f64x2(0xff, v, v, 0xee)); }
inline unsigned below(Index n) { return n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1; }

// The registers at one place of every line. What they hold too much is written over by the first register of the next line, which
// comes later: places are taken from the last to the first, lines from the first to the last.
template <bool apart, class T>
void fillPlace(const LineFill<T>& f, Index q) {
  constexpr Index width = Types<T>::width;
  constexpr unsigned full = (1u << width) - 1;
  const unsigned chosen = below(f.last - q) & ~below(f.first - q) & full, spread = _pdep_u32(chosen, 0x55555555u);
  const T* from = f.from + (apart ? 2 * q : q);
  const T* const end = f.to + f.lines * f.cells;
  T* to = f.to + q;
  for (Index line = 0; line < f.lines; ++line, from += f.fromLine, to += f.cells) {
    typename Types<T>::Vector v;
    if constexpr (apart) {
      typename Types<T>::Vector a, b;
      loadChosen(from, spread & full, a);
      loadChosen(from + width, spread >> width & full, b);
      v = everySecond(a, b);
    } else {
      loadChosen(from, chosen, v);
    }
    if (to + width <= end)
      *reinterpret_cast<typename Types<T>::Anywhere*>(to) = v;
    else
      storeChosen(to, below(f.cells - q) & full, v);
  }
}

// n numbers, at most a register, to every second place.
template <class T>
void copyApart(const typename Types<T>::Vector& v, Index n, bool add, T* to) {
  constexpr Index width = Types<T>::width;
  const unsigned apart = _pdep_u32(below(n) & ((1u << width) - 1), 0x55555555u), lower = apart & ((1u << width) - 1),
                 upper = apart >> width;
  typename Types<T>::Vector a = spreadLower(v), before;
  if (add) loadChosen(to, lower, before), a += before;
  storeChosen(to, lower, a);
  // Even a store of no number would keep what is read next at its place waiting.
  if (!upper) return;
  a = spreadUpper(v);
  if (add) loadChosen(to + width, upper, before), a += before;
  storeChosen(to + width, upper, a);
}
#endif

template <class T>
void fillLines(const LineFill<T>& f) {
#if defined(__AVX512F__)
  if (f.step <= 2) {
    constexpr Index width = Types<T>::width;
    for (Index q = (f.cells - 1) / width * width; q >= 0; q -= width)
      f.step == 1 ? fillPlace<false>(f, q) : fillPlace<true>(f, q);
    return;
  }
#endif
  for (Index line = 0; line < f.lines; ++line) {
    const T* from = f.from + line * f.fromLine;
    T* to = f.to + line * f.cells;
    for (Index q = 0; q < f.first; ++q) to[q] = T(0);
    if (f.step == 1)
      for (Index q = f.first; q < f.last; ++q) to[q] = from[q];
    else
      for (Index q = f.first; q < f.last; ++q) to[q] = from[q * f.step];
    for (Index q = f.last; q < f.cells; ++q) to[q] = T(0);
  }
}

template <class T>
void spread(const T* from, Index n, Index step, T* to, Index total) {
  using Vector = typename Types<T>::Vector;
  using Anywhere = typename Types<T>::Anywhere;
  constexpr Index width = Types<T>::width;
  Index done = 0;
#if defined(__AVX512F__)
  if (step == 2)
    for (Index i = 0; i < n; i += width) {
      Vector v;
      loadChosen(from + i, below(n - i), v);
      const Vector halves[] = {spreadLower(v), spreadUpper(v)};
      for (const Vector& half : halves) {
        if (total - done >= width)
          *reinterpret_cast<Anywhere*>(to + done) = half;
        else
          storeChosen(to + done, below(total - done), half);
        done = smaller(total, done + width);
      }
    }
#endif
  const bool rest = done == 0;
  for (; done + width <= total; done += width) *reinterpret_cast<Anywhere*>(to + done) = Vector{};
  for (; done < total; ++done) to[done] = T(0);
  for (Index i = 0; i < (rest ? n : 0); ++i) to[i * step] = from[i];
}

// n numbers from `from` to places `step` apart.
template <class T>
void copyRows(const T* from, Index n, bool add, T* to, Index step) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
#if defined(__AVX512F__)
  if (step == 2) {
    for (Index i = 0; i < n; i += Types::width)
      copyApart(Vector(*reinterpret_cast<const typename Types::Anywhere*>(from + i)), n - i, add, to + 2 * i);
    return;
  }
#endif
  if (step != 1) {
    for (Index i = 0; i < n; ++i) to[i * step] = add ? to[i * step] + from[i] : from[i];
    return;
  }
  for (Index i = 0; i < n; i += Types::width) {
    Vector v = *reinterpret_cast<const typename Types::Anywhere*>(from + i), before;
    if (n - i >= Types::width) {
      if (add) v += *reinterpret_cast<const typename Types::Anywhere*>(to + i);
      *reinterpret_cast<typename Types::Anywhere*>(to + i) = v;
    } else {
      if (add) loadPart(to + i, n - i, before), v += before;
      storePart(to + i, n - i, v);
    }
  }
}

// The rows of a sliver's pieces, for all steps of k. What a register holds too much is written over by what follows.
template <class T>
void gatherRows(const GridProduct<T>& p, const RowSliver& v, Index step) {
  using Anywhere = typename Types<T>::Anywhere;
  constexpr Index width = Types<T>::width;
  for (Index l = 0; l < p.k; ++l) {
    const T* from = p.grid + p.cells[l];
    T* to = p.packed + l * step;
    for (const RowPiece* piece = v.pieces; piece < v.pieces + v.pieceCount; ++piece)
      for (Index i = 0; i < piece->count; i += width)
        *reinterpret_cast<Anywhere*>(to + piece->row + i) = *reinterpret_cast<const Anywhere*>(from + piece->cell + i);
  }
}

// True when each register of a sliver holds one piece, all of them as long and shorter than a register.
template <class T>
bool inRegisters(const GridProduct<T>& p, const RowSliver& v) {
  constexpr Index width = Types<T>::width;
  if (p.packed || v.halves || p.resultStep != 1 || v.pieceCount != v.height) return false;
  for (Index i = 0; i < v.height; ++i)
    if (v.pieces[i].row != i * width || v.pieces[i].count != v.pieces[0].count || v.pieces[i].count >= width) return false;
  return true;
}

// The sums of tiles whose pieces are to be brought to their places. A tile's are brought there when the next one is computed:
// reading at once and in other pieces what was just written would wait for the writing.
template <class T>
struct Sums {
  static constexpr Index width = Types<T>::width, most = widest > tall *wide ? widest : tall *wide;
  // One register more: the last piece is read by whole registers.
  alignas(64) T numbers[2][most * width + width];
  Index turn = 0;
  const RowSliver* of = nullptr;
  Index first, columns;

  T* next() { return numbers[turn]; }
  void wait(const GridProduct<T>& p, const RowSliver& v, Index c, Index count) {
    bring(p);
    of = &v, first = c, columns = count;
    turn = 1 - turn;
    for (Index j = 0; j < (p.add ? count : 0); ++j)
      for (const RowPiece* piece = v.pieces; piece < v.pieces + v.pieceCount; ++piece)
        __builtin_prefetch(p.result + (c + j) * p.resultColumn + piece->target, 1);
  }
  void bring(const GridProduct<T>& p) {
    if (!of) return;
    const T* from = numbers[1 - turn];
    const RowSliver& v = *of;
    // A piece of all columns, then the next: registers reach into neighbouring pieces, and reading would wait for their writing.
    for (const RowPiece* piece = v.pieces; piece < v.pieces + v.pieceCount; ++piece)
      for (Index j = 0; j < columns; ++j)
        copyRows(from + j * v.height * width + piece->row, piece->count, p.add,
                 p.result + piece->target + (first + j) * p.resultColumn, p.resultStep);
    of = nullptr;
  }
};

// One tile: sums for some columns of a sliver. The weights of column `next` on are wanted later, if it is one.
template <class T>
void computeRows(const GridProduct<T>& p, const RowSliver& v, Index c, Index columns, Index next, Sums<T>& sums) {
  const Index step = v.height * Types<T>::width;
  T* result = p.result + c * p.resultColumn;
  Tile<T> t{p.k, p.packed, step, p.weights + c * p.weightColumn, 0, p.weightColumn, T(1), false, sums.next(), step, step};
  t.tableA = p.cells;
  t.tableB = p.elements;
  if (next >= 0) t.next = p.weights + next * p.weightColumn, t.soon = p.soon;
  if (p.bias) t.start = p.bias + c;
  const bool direct = v.pieceCount == 1 && v.pieces[0].count == v.rows && p.resultStep == 1;
  if (direct) t.add = p.add, t.c = result + v.pieces[0].target, t.cColumn = p.resultColumn, t.rows = v.rows;
  Index places[tall];
  const bool apart = !direct && inRegisters(p, v);
  if (apart) {
    for (Index i = 0; i < v.height; ++i) places[i] = v.pieces[i].target;
    t.add = p.add, t.c = result, t.cColumn = p.resultColumn, t.rows = v.pieces[0].count, t.places = places;
  }
  if (p.packed) {
    computeTile<Steps::tableOfB>(v.height, columns, t);
  } else {
    t.a = p.grid + v.cell;
    t.aRegister = v.spacing;
    if (v.halves)
      t.soon ? computeTile<Steps::halvesAhead>(v.height, columns, t) : computeTile<Steps::halves>(v.height, columns, t);
    else
      t.soon ? computeTile<Steps::tablesAhead>(v.height, columns, t) : computeTile<Steps::tables>(v.height, columns, t);
  }
  if (!direct && !apart) sums.wait(p, v, c, columns);
}

// Columns for a single register of rows: each needs an address in a register of its own, and there are no more of these.
constexpr Index beside = widest < 9 ? widest : 9;

template <class T>
void product(const GridProduct<T>& p) {
  Sums<T> sums;
  if (p.packed) {
    for (const RowSliver* v = p.slivers; v < p.slivers + p.sliverCount; ++v) {
      gatherRows(p, *v, v->height * Types<T>::width);
      const Index across = v->height == 1 ? beside : wide;
      for (Index c = 0; c < p.columns; c += across)
        computeRows(p, *v, c, smaller(across, p.columns - c), c + across < p.columns ? c + across : 0, sums);
    }
  } else {
    Index highest = 0;
    for (const RowSliver* v = p.slivers; v < p.slivers + p.sliverCount; ++v) highest = v->height > highest ? v->height : highest;
    const Index across = highest == 1 ? beside : highest > tall ? narrow : wide;
    for (Index c = 0; c < p.columns; c += across)
      for (Index s = 0; s < p.sliverCount; ++s)
        computeRows(p, p.slivers[s], c, smaller(across, p.columns - c), s + 1 == p.sliverCount ? c + across : -1, sums);
  }
  sums.bring(p);
}

template <class T>
void turnedProduct(const TurnedGridProduct<T>& p, bool pack, T* packed) {
  constexpr Index width = Types<T>::width;
  const Index registers = (p.rows + width - 1) / width, k = p.images * p.k;
  if (pack)
    for (Index at = 0; at < registers;) {
      const Index height = sliverHeight(registers - at), rows = smaller(p.rows - at * width, height * width);
      for (Index i = 0; i < p.images; ++i)
        packTurned(p.a + i * p.aImage + at * width * p.aRow, p.aRow, rows, p.k, height,
                   packed + (at * p.images + i * height) * width * p.k);
      at += height;
    }
  const Index across = registers == 1 ? beside : wide;
  for (Index c = 0; c < p.columns; c += across) {
    const Index columns = smaller(across, p.columns - c);
    for (Index at = 0; at < registers;) {
      const Index height = sliverHeight(registers - at), rows = smaller(p.rows - at * width, height * width);
      Tile<T> t{k,
                packed + at * width * k,
                height * width,
                p.grid,
                0,
                0,
                T(1),
                p.add,
                p.result + at * width + c * p.resultColumn,
                p.resultColumn,
                rows};
      t.tableB = p.cells;
      t.columnsOfB = p.columnCells + c;
      computeTile<Steps::tableOfB>(height, columns, t);
      at += height;
    }
  }
}

// So many registers of results at a time, and fewer for the rest, so that sums need not wait for each other.
template <int together, class T>
void combineOf(Index n, const T* grid, const Index* cells, const T* weights, const Index* elements, Index taps, T start, T* y) {
  using Vector = typename Types<T>::Vector;
  using Anywhere = typename Types<T>::Anywhere;
  constexpr Index width = Types<T>::width;
  Index i = 0;
  // The last register may hold too much.
  for (; i + (together - 1) * width < n; i += together * width) {
    Vector sum[together];
#pragma GCC unroll 8
    for (int r = 0; r < together; ++r) sum[r] = Vector{} + start;
    for (Index t = 0; t < taps; ++t) {
      const T* from = grid + i + cells[t];
      const T factor = weights[elements[t]];
#pragma GCC unroll 8
      for (int r = 0; r < together; ++r) sum[r] += *reinterpret_cast<const Anywhere*>(from + r * width) * factor;
    }
#pragma GCC unroll 8
    for (int r = 0; r < together - 1; ++r) *reinterpret_cast<Anywhere*>(y + i + r * width) = sum[r];
    const Index last = n - i - (together - 1) * width;
    T* to = y + i + (together - 1) * width;
    if (last >= width)
      *reinterpret_cast<Anywhere*>(to) = sum[together - 1];
    else
      storePart(to, last, sum[together - 1]);
  }
  if constexpr (together > 1)
    if (i < n) combineOf<together / 2>(n - i, grid + i, cells, weights, elements, taps, start, y + i);
}

template <class T>
void combine(Index n, const T* grid, const Index* cells, const T* weights, const Index* elements, Index taps, T start, T* y) {
  combineOf<8>(n, grid, cells, weights, elements, taps, start, y);
}

template <class T>
T total(const typename Types<T>::Vector& v) {
  constexpr int width = Types<T>::width;
  T sums[width];
  std::memcpy(sums, &v, sizeof(v));
  for (int half = width / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

// `count` taps at a time.
template <int count, class T>
void dotsOf(Index n, const T* grid, const Index* cells, const T* x, T* sums) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  using Anywhere = typename Types::Anywhere;
  Vector sum[count] = {}, here, there;
  const T* from[count];
  for (int t = 0; t < count; ++t) from[t] = grid + cells[t];
  Index i = 0;
  for (; i + Types::width <= n; i += Types::width) {
    here = *reinterpret_cast<const Anywhere*>(x + i);
#pragma GCC unroll 9
    for (int t = 0; t < count; ++t) sum[t] += here * *reinterpret_cast<const Anywhere*>(from[t] + i);
  }
  if (i < n) {
    loadPart(x + i, n - i, here);
    for (int t = 0; t < count; ++t) {
      loadPart(from[t] + i, n - i, there);
      sum[t] += here * there;
    }
  }
  for (int t = 0; t < count; ++t) sums[t] += total<T>(sum[t]);
}

template <class T>
void dots(Index n, const T* grid, const Index* cells, Index taps, const T* x, T* sums) {
  Index t = 0;
  for (; t + 9 <= taps; t += 9) dotsOf<9>(n, grid, cells + t, x, sums + t);
  for (; t + 3 <= taps; t += 3) dotsOf<3>(n, grid, cells + t, x, sums + t);
  for (; t < taps; ++t) dotsOf<1>(n, grid, cells + t, x, sums + t);
}

}  // namespace

template <class T>
const ConvolutionKernels<T>& convolutionKernels() {
  static constexpr ConvolutionKernels<T> kernels{product<T>, turnedProduct<T>, fillLines<T>, spread<T>, combine<T>,
                                                 dots<T>,    Types<T>::width,  tall,         wide};
  return kernels;
}

template const ConvolutionKernels<float>& convolutionKernels();
template const ConvolutionKernels<double>& convolutionKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
