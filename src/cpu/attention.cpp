#include "cpu/attention.hpp"

#include <algorithm>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/blas.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/attention.hpp"

namespace dl::cpu {
namespace {

// Queries that are worked on together: their scores stay in the nearer caches.
constexpr Index together = 128;

// The channels of one head and one observation: a matrix inside the array, channels x tokens, or transposed.
template <class T>
struct Head {
  T* data;
  Index channels, tokens, leading;
  bool transposed;

  Head from(Index token, Index count) const {
    return {data + token * (transposed ? 1 : leading), channels, count, leading, transposed};
  }
};

template <class T>
Head<T> headOf(const AttentionPlan& p, T* x, Index allChannels, Index tokens, Index page) {
  const Index channels = allChannels / p.heads, head = page % p.heads, observation = page / p.heads;
  if (p.tokensFirst) return {x + (observation * allChannels + head * channels) * tokens, channels, tokens, tokens, true};
  return {x + observation * allChannels + head * channels, channels, tokens, allChannels * p.batch, false};
}

// Memory of a thread for the scores of a block of queries (`wanted` of them), and for a block that is gathered.
template <class T>
T* scratch(int which, Index wanted) {
  thread_local std::vector<T> memory[2];
  if (static_cast<Index>(memory[which].size()) < wanted) memory[which].resize(static_cast<std::size_t>(wanted));
  return memory[which].data();
}

// The same matrix with its tokens side by side: each of them may lie on a page of its own, and products read them several times.
template <class T>
Head<const T> gathered(const Head<const T>& x) {
  if (x.transposed) return x;
  T* to = scratch<T>(1, x.channels * x.tokens);
  for (Index t = 0; t < x.tokens; ++t) std::copy_n(x.data + t * x.leading, x.channels, to + t * x.channels);
  return {to, x.channels, x.tokens, x.channels, false};
}

// scores (tokens of a x tokens of b) = alpha * a' * b.
template <class T>
void meet(const Head<const T>& a, const Head<const T>& b, T alpha, T* scores, Index leading) {
  gemmWithin(!a.transposed, b.transposed, a.tokens, b.tokens, a.channels, alpha, a.data, a.leading, b.data, b.leading, false,
             scores, leading);
}

// to (channels x its tokens) = from * op(scores), added where `add` says so.
template <class T>
void mix(const Head<const T>& from, const T* scores, Index leading, bool trans, bool add, const Head<T>& to) {
  if (to.transposed)
    gemmWithin(!trans, false, to.tokens, to.channels, from.tokens, T(1), scores, leading, from.data, from.leading, add, to.data,
               to.leading);
  else
    gemmWithin(false, trans, to.channels, to.tokens, from.tokens, T(1), from.data, from.leading, scores, leading, add, to.data,
               to.leading);
}

// Calls body(page, first query, count) for blocks of queries of every head, in parallel.
template <class F>
void forBlocks(const AttentionPlan& p, F&& body) {
  const Index blocks = (p.queries + together - 1) / together, count = std::min(p.queries, together);
  const Index work = std::max<Index>(1, count * p.keys * (p.channels / p.heads));
  parallelFor(p.heads * p.batch * blocks, std::max<Index>(1, (Index{1} << 18) / work), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index first = unit % blocks * together;
      body(unit / blocks, first, std::min(together, p.queries - first));
    }
  });
}

// The same with all blocks of a head one after the other on one thread, for sums over them.
template <class F>
void forHeads(const AttentionPlan& p, F&& body) {
  const Index work = std::max<Index>(1, p.queries * p.keys * (p.channels / p.heads));
  parallelFor(p.heads * p.batch, std::max<Index>(1, (Index{1} << 18) / work), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page)
      for (Index first = 0; first < p.queries; first += together) body(page, first, std::min(together, p.queries - first));
  });
}

const bool* columnOf(const AttentionPlan& p, const bool* mask, Index query, Index observation) {
  return mask + p.keys * ((p.maskQueries == 1 ? 0 : query) + p.maskQueries * (p.maskBatch == 1 ? 0 : observation));
}

// The weights of a block of queries.
template <class T>
void weigh(const AttentionPlan& p, const T* q, const T* k, const bool* mask, Index page, Index first, Index count, T* weights) {
  const auto softmax = DLARRAY_FOR_ARCH(attentionKernels<T>)().softmax;
  const auto keys = headOf(p, k, p.channels, p.keys, page), queries = headOf(p, q, p.channels, p.queries, page);
  meet(keys, gathered(queries.from(first, count)), static_cast<T>(p.scale), weights, p.keys);
  for (Index m = 0; m < count; ++m) {
    T* column = weights + m * p.keys;
    const Index seen = p.causal ? std::min(p.keys, first + m + 1) : p.keys;
    softmax(seen, mask ? columnOf(p, mask, first + m, page / p.heads) : nullptr, column);
    std::fill(column + seen, column + p.keys, T(0));
  }
}

// The derivatives by the scores of a block from those by the weights; both may lie in one place.
template <class T>
void scoresBack(const AttentionPlan& p, const T* weights, const T* gradient, Index count, T* scores) {
  const auto back = DLARRAY_FOR_ARCH(attentionKernels<T>)().softmaxBack;
  for (Index m = 0; m < count; ++m)
    back(p.keys, static_cast<T>(p.scale), weights + m * p.keys, gradient + m * p.keys, scores + m * p.keys);
}

// The derivatives by the queries of a block and, block by block added up, by the keys from those by the scores.
template <class T>
void spread(const AttentionPlan& p, const T* q, const T* k, Index page, Index first, Index count, const T* scores, T* dq, T* dk) {
  if (dq)
    mix(headOf(p, k, p.channels, p.keys, page), scores, p.keys, false, false,
        headOf(p, dq, p.channels, p.queries, page).from(first, count));
  if (dk)
    mix(headOf(p, q, p.channels, p.queries, page).from(first, count), scores, p.keys, true, first > 0,
        headOf(p, dk, p.channels, p.keys, page));
}

}  // namespace

template <class T>
void attentionWeights(const AttentionPlan& p, const T* q, const T* k, const bool* mask, T* weights) {
  forBlocks(p, [&](Index page, Index first, Index count) {
    weigh(p, q, k, mask, page, first, count, weights + (page * p.queries + first) * p.keys);
  });
}

template <class T>
void attention(const AttentionPlan& p, const T* q, const T* k, const T* v, const bool* mask, T* weights, T* y) {
  forBlocks(p, [&](Index page, Index first, Index count) {
    T* to = weights ? weights + (page * p.queries + first) * p.keys : scratch<T>(0, p.keys * together);
    weigh(p, q, k, mask, page, first, count, to);
    mix(headOf(p, v, p.valueChannels, p.keys, page), to, p.keys, false, false,
        headOf(p, y, p.valueChannels, p.queries, page).from(first, count));
  });
}

template <class T>
void attentionBack(const AttentionPlan& p, const T* q, const T* k, const T* v, const T* weights, const T* gradient, T* dq, T* dk,
                   T* dv) {
  forHeads(p, [&](Index page, Index first, Index count) {
    const T* used = weights + (page * p.queries + first) * p.keys;
    const auto dy = gathered(headOf(p, gradient, p.valueChannels, p.queries, page).from(first, count));
    if (dv) mix(dy, used, p.keys, true, first > 0, headOf(p, dv, p.valueChannels, p.keys, page));
    if (!dq && !dk) return;
    T* scores = scratch<T>(0, p.keys * together);
    meet(headOf(p, v, p.valueChannels, p.keys, page), dy, T(1), scores, p.keys);
    scoresBack(p, used, scores, count, scores);
    spread(p, q, k, page, first, count, scores, dq, dk);
  });
}

template <class T>
void attentionWeightsBack(const AttentionPlan& p, const T* q, const T* k, const T* weights, const T* gradient, T* dq, T* dk) {
  forHeads(p, [&](Index page, Index first, Index count) {
    const Index at = (page * p.queries + first) * p.keys;
    T* scores = scratch<T>(0, p.keys * together);
    scoresBack(p, weights + at, gradient + at, count, scores);
    spread(p, q, k, page, first, count, scores, dq, dk);
  });
}

template <class T>
void attentionValues(const AttentionPlan& p, const T* v, const T* weights, T* y) {
  forBlocks(p, [&](Index page, Index first, Index count) {
    mix(headOf(p, v, p.valueChannels, p.keys, page), weights + (page * p.queries + first) * p.keys, p.keys, false, false,
        headOf(p, y, p.valueChannels, p.queries, page).from(first, count));
  });
}

template <class T>
void attentionValuesBack(const AttentionPlan& p, const T* v, const T* weights, const T* gradient, T* dv, T* dweights) {
  forHeads(p, [&](Index page, Index first, Index count) {
    const Index at = (page * p.queries + first) * p.keys;
    const auto dy = gathered(headOf(p, gradient, p.valueChannels, p.queries, page).from(first, count));
    if (dv) mix(dy, weights + at, p.keys, true, first > 0, headOf(p, dv, p.valueChannels, p.keys, page));
    if (dweights) meet(headOf(p, v, p.valueChannels, p.keys, page), dy, T(1), dweights + at, p.keys);
  });
}

template void attentionWeights(const AttentionPlan&, const float*, const float*, const bool*, float*);
template void attentionWeights(const AttentionPlan&, const double*, const double*, const bool*, double*);
template void attentionWeightsBack(const AttentionPlan&, const float*, const float*, const float*, const float*, float*, float*);
template void attentionWeightsBack(const AttentionPlan&, const double*, const double*, const double*, const double*, double*,
                                   double*);
template void attentionValues(const AttentionPlan&, const float*, const float*, float*);
template void attentionValues(const AttentionPlan&, const double*, const double*, double*);
template void attentionValuesBack(const AttentionPlan&, const float*, const float*, const float*, float*, float*);
template void attentionValuesBack(const AttentionPlan&, const double*, const double*, const double*, double*, double*);

template void attention(const AttentionPlan&, const float*, const float*, const float*, const bool*, float*, float*);
template void attention(const AttentionPlan&, const double*, const double*, const double*, const bool*, double*, double*);
template void attentionBack(const AttentionPlan&, const float*, const float*, const float*, const float*, const float*, float*,
                            float*, float*);
template void attentionBack(const AttentionPlan&, const double*, const double*, const double*, const double*, const double*,
                            double*, double*, double*);

}  // namespace dl::cpu
