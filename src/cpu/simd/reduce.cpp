// Reductions of columns and of rows; compiled once for every level of the processor.
#include "cpu/simd/reduce.hpp"

#include <cstdint>
#include <limits>
#include <type_traits>
#include <type_traits>

#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// A reduction is a first step on an element, an associative combination, and a neutral start. gather() combines a result
// with four elements.
template <class T>
struct Sum {
    static constexpr T start = 0;
    static T first(T x) { return x; }
    static T combine(T a, T b) { return a + b; }
    static T gather(T y, T a, T b, T c, T d) { return y + ((a + b) + (c + d)); }
};
template <class T>
struct SumSquares : Sum<T> {
    static T first(T x) { return x * x; }
};
template <class T>
struct SumAbs : Sum<T> {
    static T first(T x) { return x < 0 ? -x : x; }
};
template <class T>
struct Prod {
    static constexpr T start = 1;
    static T first(T x) { return x; }
    static T combine(T a, T b) { return a * b; }
    static T gather(T y, T a, T b, T c, T d) { return y * ((a * b) * (c * d)); }
};
// A NaN on the right never wins, so it never gets to the left; only the start value can then remain, see settle().
template <class T>
struct Max {
    static constexpr T start = -std::numeric_limits<T>::infinity();
    static T first(T x) { return x; }
    static T combine(T a, T b) { return b > a ? b : a; }
    static T gather(T y, T a, T b, T c, T d) { return combine(combine(combine(combine(y, a), b), c), d); }
};
template <class T>
struct Min {
    static constexpr T start = std::numeric_limits<T>::infinity();
    static T first(T x) { return x; }
    static T combine(T a, T b) { return b < a ? b : a; }
    static T gather(T y, T a, T b, T c, T d) { return combine(combine(combine(combine(y, a), b), c), d); }
};

template <class Op, class T>
constexpr bool isExtreme = false;
template <class T>
constexpr bool isExtreme<Max<T>, T> = true;
template <class T>
constexpr bool isExtreme<Min<T>, T> = true;

// The start value as the result of an extreme means that it occurs, or that there are only NaN.
template <class Op, class T>
T settle(T result, const T* x, Index stride, Index n) {
    if (result != Op::start) return result;
    for (Index k = 0; k < n; ++k)
        if (x[k * stride] == x[k * stride]) return result;
    return std::numeric_limits<T>::quiet_NaN();
}

// Reduces a column in `lanes` interleaved parts, then the parts in a tree.
template <class Op, int lanes, class T>
T columnInLanes(const T* x, Index n) {
    T part[lanes], last[lanes];
    for (int j = 0; j < lanes; ++j) part[j] = last[j] = Op::start;
    Index i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; ++j) part[j] = Op::combine(part[j], Op::first(x[i + j]));
    if (i < n) {
        std::memcpy(last, x + i, static_cast<std::size_t>(n - i) * sizeof(T));
        for (int j = 0; j < lanes; ++j) part[j] = Op::combine(part[j], Op::first(last[j]));
    }
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int j = 0; j < half; ++j) part[j] = Op::combine(part[j], part[j + half]);
    return part[0];
}

// Up to this length a column is reduced element by element, several columns at a time.
template <class T>
constexpr Index shortColumn = 128 / sizeof(T) - 1;

template <class Op, class T>
T column(const T* x, Index n) {
    constexpr int lanes = 256 / sizeof(T);
    if (n >= lanes) return columnInLanes<Op, lanes>(x, n);
    if (n > shortColumn<T>) return columnInLanes<Op, lanes / 4>(x, n);
    T result = Op::start;
    for (Index i = 0; i < n; ++i) result = Op::combine(result, Op::first(x[i]));
    return result;
}

// Columns of very few elements: the compiler vectorises the loop over columns.
template <class Op, int n, class T>
void fewElements(const T* x, Index count, T* y) {
    for (Index c = 0; c < count; ++c) {
        T result = Op::combine(Op::start, Op::first(x[c * n]));
        for (int i = 1; i < n; ++i) result = Op::combine(result, Op::first(x[c * n + i]));
        y[c] = result;
    }
}

// Columns of few elements: N columns side by side, turned around in registers. Reads whole registers, up to elements of
// the columns after; the last columns, behind which there may be nothing, are left to the caller. Returns where they begin.
template <class Op, int N, class T>
Index turnedColumns(const T* x, Index n, Index count, T* y) {
    T turned[N * N];
    const Index readBehind = (N - 1) * n + (n + N - 1) / N * N;
    Index c = 0;
    for (; c * n + readBehind <= count * n; c += N) {
        T result[N];
        for (int j = 0; j < N; ++j) result[j] = Op::start;
        for (Index l = 0; l < n; l += N) {
            Square<T, N>::run(x + c * n + l, n, turned, N);
            const Index here = n - l < N ? n - l : N;
            for (Index i = 0; i < here; ++i)
                for (int j = 0; j < N; ++j) result[j] = Op::combine(result[j], Op::first(turned[i * N + j]));
        }
        for (int j = 0; j < N; ++j) y[c + j] = result[j];
    }
    return c;
}

template <class Op, class T>
void columns(const T* x, Index n, Index stride, Index count, T* y) {
    constexpr int width = registerBytes / sizeof(T);
    Index c = 0;
    if (n == 2 && stride == 2) fewElements<Op, 2>(x, count, y), c = count;
    else if (n == 3 && stride == 3) fewElements<Op, 3>(x, count, y), c = count;
    else if (n == 4 && stride == 4) fewElements<Op, 4>(x, count, y), c = count;
    else if (n > 4 && n <= shortColumn<T> && stride == n) c = turnedColumns<Op, width>(x, n, count, y);
    for (; c < count; ++c) y[c] = column<Op>(x + c * stride, n);
    if constexpr (isExtreme<Op, T>)
        for (c = 0; c < count; ++c) y[c] = settle<Op>(y[c], x + c * stride, 1, n);
}

template <class Op, class T>
void wideRows(const T* x, Index width, Index stride, Index n, T* y) {
    const auto f = [](T value) { return Op::first(value); };
    Index k = 0;
    if (n >= 4) {
        const T *a = x, *b = a + stride, *c = b + stride, *d = c + stride;
        for (Index i = 0; i < width; ++i) y[i] = Op::gather(Op::start, f(a[i]), f(b[i]), f(c[i]), f(d[i]));
        k = 4;
    } else {
        for (Index i = 0; i < width; ++i) y[i] = Op::start;
    }
    for (; k + 4 <= n; k += 4) {
        const T *a = x + k * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        for (Index i = 0; i < width; ++i) y[i] = Op::gather(y[i], f(a[i]), f(b[i]), f(c[i]), f(d[i]));
    }
    for (; k < n; ++k)
        for (Index i = 0; i < width; ++i) y[i] = Op::combine(y[i], f(x[k * stride + i]));
}

// Narrow rows that lie close together are read as fewer, wider ones.
template <class Op, class T>
void narrowRows(const T* x, Index width, Index n, T* y) {
    constexpr Index target = 1024 / sizeof(T);
    T wide[target];
    const Index together = target / width, groups = n / together;
    wideRows<Op>(x, width * together, width * together, groups, wide);
    for (Index i = 0; i < width; ++i) {
        T result = wide[i];
        for (Index k = 1; k < together; ++k) result = Op::combine(result, wide[i + k * width]);
        for (Index k = groups * together; k < n; ++k) result = Op::combine(result, Op::first(x[i + k * width]));
        y[i] = result;
    }
}

template <class Op, class T>
void rows(const T* x, Index width, Index stride, Index n, T* y) {
    constexpr Index narrow = 256 / sizeof(T);
    if (stride == width && width <= narrow && n * width >= 4 * narrow) narrowRows<Op>(x, width, n, y);
    else wideRows<Op>(x, width, stride, n, y);
    if constexpr (isExtreme<Op, T>)
        for (Index i = 0; i < width; ++i) y[i] = settle<Op>(y[i], x + i, stride, n);
}

template <template <class> class Op, class T>
ReduceKernels<T, T> numeric() {
    return {columns<Op<T>, T>, rows<Op<T>, T>};
}

// Whether an element counts as true: NaN does for all, and does not for any.
template <bool any, class T>
bool isTrue(T x) {
    if constexpr (any && !std::is_same_v<T, bool>) return (x < 0) | (x > 0);
    else return x != T(0);
}

// Whether one of n elements is true (wanted = true), or false.
template <bool wanted, class T>
bool contains(const T* x, Index n) {
    constexpr Index piece = 1024;
    for (Index i = 0; i < n; i += piece) {
        const Index end = i + piece < n ? i + piece : n;
        unsigned found = 0;
        for (Index j = i; j < end; ++j) found |= isTrue<wanted>(x[j]) == wanted;
        if (found) return true;
    }
    return false;
}

template <bool any, class T>
void logicalColumns(const T* x, Index n, Index stride, Index count, bool* y) {
    for (Index c = 0; c < count; ++c) y[c] = contains<any>(x + c * stride, n) == any;
}

// Notes one mark a column in numbers as wide as the elements, which a vector comparison gives at once.
template <bool any, class T>
void logicalRows(const T* x, Index width, Index stride, Index n, bool* y) {
    using Mark = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, unsigned char>>;
    constexpr Index piece = 512;
    Mark marks[piece];
    for (Index first = 0; first < width; first += piece) {
        const Index here = width - first < piece ? width - first : piece;
        for (Index i = 0; i < here; ++i) marks[i] = 0;
        for (Index k = 0; k < n; ++k) {
            const T* row = x + k * stride + first;
            for (Index i = 0; i < here; ++i) marks[i] |= (row[i] != T(0)) == any ? Mark(1) : Mark(0);
        }
        for (Index i = 0; i < here; ++i) y[first + i] = (marks[i] != 0) == any;
    }
}

template <bool any, class T>
ReduceKernels<T, bool> logical() {
    return {logicalColumns<any, T>, logicalRows<any, T>};
}

}  // namespace

template <class In, class Out>
ReduceKernels<In, Out> reduceKernels(Reduction kind) {
    if constexpr (!std::is_same_v<Out, bool>) {
        switch (kind) {
            case Reduction::sum: return numeric<Sum, In>();
            case Reduction::prod: return numeric<Prod, In>();
            case Reduction::max: return numeric<Max, In>();
            case Reduction::min: return numeric<Min, In>();
            case Reduction::sumSquares: return numeric<SumSquares, In>();
            case Reduction::sumAbs: return numeric<SumAbs, In>();
            default: return {};
        }
    } else {
        return kind == Reduction::any ? logical<true, In>() : logical<false, In>();
    }
}

template ReduceKernels<float, float> reduceKernels(Reduction);
template ReduceKernels<double, double> reduceKernels(Reduction);
template ReduceKernels<float, bool> reduceKernels(Reduction);
template ReduceKernels<double, bool> reduceKernels(Reduction);
template ReduceKernels<bool, bool> reduceKernels(Reduction);

}  // namespace dl::cpu::DLARRAY_ARCH
