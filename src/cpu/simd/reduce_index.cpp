// The extreme of columns and rows with its position; compiled once for every level of the processor.
#include <limits>

#include "cpu/simd/reduce.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <bool max, class T>
bool beats(T challenger, T champion) {
    return max ? challenger > champion : challenger < champion;
}

// The extreme of a piece; NaN never wins, so the start value is left when nothing else is there.
template <bool max, class T>
T extreme(const T* x, Index n, T start) {
    constexpr int lanes = 256 / sizeof(T);
    T part[lanes];
    for (int j = 0; j < lanes; ++j) part[j] = start;
    Index i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; ++j) part[j] = beats<max>(x[i + j], part[j]) ? x[i + j] : part[j];
    for (; i < n; ++i) part[0] = beats<max>(x[i], part[0]) ? x[i] : part[0];
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int j = 0; j < half; ++j) part[j] = beats<max>(part[j + half], part[j]) ? part[j + half] : part[j];
    return part[0];
}

// Finds the extreme piece by piece and looks for its position only in the piece that has it.
template <bool max, class T>
void column(const T* x, Index n, T* value, Index* position) {
    constexpr Index piece = 2048;
    constexpr T worst = max ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    T best = worst;
    Index bestPiece = 0;
    for (Index i = 0; i < n; i += piece) {
        const T here = extreme<max>(x + i, n - i < piece ? n - i : piece, worst);
        if (!beats<max>(here, best)) continue;
        best = here;
        bestPiece = i;
    }
    Index i = bestPiece;
    while (i < n && !(x[i] == best)) ++i;
    *value = i < n ? best : std::numeric_limits<T>::quiet_NaN();
    *position = i < n ? i : 0;
}

template <bool max, class T>
void rows(const T* x, Index width, Index stride, Index n, T* values, T* positions) {
    for (Index i = 0; i < width; ++i) {
        values[i] = x[i];
        positions[i] = 0;
    }
    for (Index k = 1; k < n; ++k) {
        const T* row = x + k * stride;
        const T here = static_cast<T>(k);
        for (Index i = 0; i < width; ++i) {
            const T challenger = row[i], champion = values[i];
            const bool wins = beats<max>(challenger, champion) | ((champion != champion) & (challenger == challenger));
            values[i] = wins ? challenger : champion;
            positions[i] = wins ? here : positions[i];
        }
    }
}

}  // namespace

template <class T>
ReduceIndexKernels<T> reduceIndexKernels(Reduction kind) {
    if (kind == Reduction::max) return {column<true, T>, rows<true, T>};
    return {column<false, T>, rows<false, T>};
}

template ReduceIndexKernels<float> reduceIndexKernels(Reduction);
template ReduceIndexKernels<double> reduceIndexKernels(Reduction);

}  // namespace dl::cpu::DLARRAY_ARCH
