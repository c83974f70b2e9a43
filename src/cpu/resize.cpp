#include "cpu/resize.hpp"

#include <algorithm>
#include <utility>

#include "cpu/arch.hpp"
#include "cpu/lines.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/resize.hpp"
#include "cpu/transpose.hpp"

namespace dl::cpu {

namespace {

// What each result is the sum of: elements and their weights, in order.
using Terms = std::vector<std::pair<Index, double>>;

std::vector<Terms> termsOf(const std::vector<Tap>& taps) {
  std::vector<Terms> all;
  for (const Tap& tap : taps) {
    all.push_back({{tap.first, 1 - tap.weight}});
    if (tap.weight != 0) all.back().emplace_back(tap.second, tap.weight);
  }
  return all;
}
// The same for the transpose, of n results.
std::vector<Terms> adjointTermsOf(const std::vector<Tap>& taps, Index n) {
  std::vector<Terms> all(static_cast<std::size_t>(n));
  for (std::size_t t = 0; t < taps.size(); ++t) {
    all[static_cast<std::size_t>(taps[t].first)].emplace_back(t, 1 - taps[t].weight);
    if (taps[t].weight != 0) all[static_cast<std::size_t>(taps[t].second)].emplace_back(t, taps[t].weight);
  }
  return all;
}

// One step of pages of inner x n x outer elements: m in place of n.
template <class T>
class Step {
 public:
  Step(Index inner, Index n, Index outer, const std::vector<Terms>& terms)
      : inner_(inner), n_(n), m_(static_cast<Index>(terms.size())), outer_(outer) {
    for (const Terms& own : terms) {
      for (const auto& [element, weight] : own) elements_.push_back(element), weights_.push_back(static_cast<T>(weight));
      ends_.push_back(static_cast<Index>(elements_.size()));
    }
    if (inner == 1 && kernels_.gathered > 0 && !gather(terms)) base_.clear();
  }
  Index before() const { return inner_ * n_ * outer_; }
  Index after() const { return inner_ * m_ * outer_; }

  void run(const T* from, T* to) const {
    if (!base_.empty()) return runGathered(from, to);
    if (inner_ == 1 && n_ + m_ <= longestColumn) return runTurned(from, to);
    parallelFor(outer_, grainFor(inner_ * (n_ + m_)), [&](Index begin, Index end) {
      for (Index page = begin; page < end; ++page)
        kernels_.combine(from + page * inner_ * n_, inner_, lineSums(), to + page * inner_ * m_);
    });
  }

 private:
  // Columns longer than this are left as they are: so many of them would not stay in the caches.
  static constexpr Index longestColumn = 8192;

  LineSums<T> lineSums() const { return {m_, ends_.data(), elements_.data(), weights_.data()}; }

  // Columns turned, some at a time, which makes lines of them that fill registers; what is left over of the last few is not
  // looked at.
  void runTurned(const T* from, T* to) const {
    const TransposeTile turn = transposeTile(sizeof(T));
    parallelFor(outer_, std::max(turnedLines, grainFor(n_ + m_) / turnedLines * turnedLines), [&](Index begin, Index end) {
      T* const lines = scratchMemory<T>(turnedLines * (n_ + m_));
      T* const results = lines + turnedLines * n_;
      for (Index column = begin; column < end; column += turnedLines) {
        const Index count = std::min(turnedLines, end - column);
        turn(from + column * n_, n_, lines, turnedLines, count, n_);
        kernels_.combine(lines, turnedLines, lineSums(), results);
        turn(results, turnedLines, to + column * m_, m_, m_, count);
      }
    });
  }

  void runGathered(const T* from, T* to) const {
    const Index near = std::max<Index>(1, 4096 / (n_ + m_));  // columns that stay in the nearest cache from block to block
    const Gathering<T> gathering{terms_,          static_cast<Index>(base_.size()) / terms_,
                                 narrow_,         base_.data(),
                                 present_.data(), takes_.data(),
                                 places_.data(),  shares_.data()};
    parallelFor(outer_, std::max(near, grainFor(n_ + m_)), [&](Index begin, Index end) {
      for (Index c = begin; c < end; c += near)
        kernels_.gather(from + c * n_, n_, gathering, m_, std::min(near, end - c), to + c * m_);
    });
  }
  // False where the elements lie too far apart, or are too many.
  bool gather(const std::vector<Terms>& all) {
    std::size_t most = 0;
    for (const Terms& own : all) most = std::max(most, own.size());
    if (most > 8) return false;
    terms_ = static_cast<Index>(most);
    const auto width = static_cast<std::size_t>(kernels_.gathered);
    for (std::size_t first = 0; first < all.size(); first += width)
      for (std::size_t term = 0; term < most; ++term)
        if (!gather(std::span(all).subspan(first, std::min(width, all.size() - first)), term)) return false;
    return true;
  }
  bool gather(std::span<const Terms> results, std::size_t term) {
    const Index width = kernels_.gathered;
    Index low = n_, high = 0;
    for (const Terms& own : results)
      if (term < own.size()) low = std::min(low, own[term].first), high = std::max(high, own[term].first);
    if (high - low >= 2 * width) return false;
    narrow_ = narrow_ && high - low < width;
    base_.push_back(std::min(low, high));
    std::uint32_t takes = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(width); ++r) {
      const bool has = r < results.size() && term < results[r].size();
      const auto [element, weight] = has ? results[r][term] : std::pair(base_.back(), 0.0);
      takes |= static_cast<std::uint32_t>(has) << r;
      places_.push_back(static_cast<typename Gathering<T>::Place>(element - base_.back()));
      shares_.push_back(static_cast<T>(weight));
    }
    takes_.push_back(takes);
    present_.push_back(std::min(2 * width, n_ - base_.back()));
    return true;
  }

  const ResizeKernels<T> kernels_ = DLARRAY_FOR_ARCH(resizeKernels<T>)();
  Index inner_, n_, m_, outer_;
  std::vector<Index> ends_, elements_;
  std::vector<T> weights_;
  // As `Gathering` has them.
  Index terms_ = 0;
  bool narrow_ = true;
  std::vector<Index> base_, present_;
  std::vector<std::uint32_t> takes_;
  std::vector<typename Gathering<T>::Place> places_;
  std::vector<T> shares_;
};

// Takes pages through the steps; what lies between two of them is kept for one page at a time.
template <class T>
void run(const std::vector<Step<T>>& steps, const T* x, Index pages, T* y) {
  Index between = 0;
  for (std::size_t k = 1; k < steps.size(); ++k) between = std::max(between, steps[k].before());
  const Index first = steps.front().before(), last = steps.back().after();
  parallelFor(pages, grainFor(first + last), [&](Index begin, Index end) {
    Lines<T> rooms[2]{Lines<T>(between), Lines<T>(steps.size() > 2 ? between : 0)};
    for (Index page = begin; page < end; ++page) {
      const T* from = x + page * first;
      for (std::size_t k = 0; k < steps.size(); ++k) {
        T* const to = k + 1 == steps.size() ? y + page * last : rooms[k % 2].data();
        steps[k].run(from, to);
        from = to;
      }
    }
  });
}

}  // namespace

template <class T>
void resize(std::span<const ResizeStep> steps, const T* x, Index pages, T* y) {
  std::vector<Step<T>> all;
  for (const ResizeStep& s : steps) all.emplace_back(s.inner, s.n, s.outer, termsOf(s.taps));
  run(all, x, pages, y);
}

template <class T>
void resizeAdjoint(std::span<const ResizeStep> steps, const T* y, Index pages, T* x) {
  std::vector<Step<T>> all;
  for (std::size_t k = steps.size(); k-- > 0;) {
    const ResizeStep& s = steps[k];
    all.emplace_back(s.inner, static_cast<Index>(s.taps.size()), s.outer, adjointTermsOf(s.taps, s.n));
  }
  run(all, y, pages, x);
}

template void resize(std::span<const ResizeStep>, const float*, Index, float*);
template void resize(std::span<const ResizeStep>, const double*, Index, double*);
template void resizeAdjoint(std::span<const ResizeStep>, const float*, Index, float*);
template void resizeAdjoint(std::span<const ResizeStep>, const double*, Index, double*);

}  // namespace dl::cpu
