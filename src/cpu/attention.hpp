// Dot-product attention on queries, keys and values as they lie: channels x observations x tokens, or tokens x channels x observations.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

struct AttentionPlan {
  Index heads, batch, queries, keys;
  Index channels, valueChannels;  // of all heads: of queries and keys, of values and the result
  bool tokensFirst;               // how they lie
  double scale;
  bool causal;
  Index maskQueries, maskBatch;  // the sizes of the mask, keys x maskQueries x maskBatch; each 1 or the full one
};

/// weights (keys x queries x heads x batch): the softmax over the keys of scale * k' * q. Keys with false in `mask`, unless that is
/// null, are left out.
template <class T>
void attentionWeights(const AttentionPlan& plan, const T* q, const T* k, const bool* mask, T* weights);
/// The derivatives by q and k from those by the weights; either may be null.
template <class T>
void attentionWeightsBack(const AttentionPlan& plan, const T* q, const T* k, const T* weights, const T* gradient, T* dq, T* dk);

/// y = v * weights, head by head.
template <class T>
void attentionValues(const AttentionPlan& plan, const T* v, const T* weights, T* y);
/// The derivatives by v and by the weights from those by y; either may be null.
template <class T>
void attentionValuesBack(const AttentionPlan& plan, const T* v, const T* weights, const T* gradient, T* dv, T* dweights);

/// Both at once: y from q, k and v. The weights are kept in `weights` unless that is null.
template <class T>
void attention(const AttentionPlan& plan, const T* q, const T* k, const T* v, const bool* mask, T* weights, T* y);
/// The derivatives by q, k and v from those by y; each may be null.
template <class T>
void attentionBack(const AttentionPlan& plan, const T* q, const T* k, const T* v, const T* weights, const T* gradient, T* dq, T* dk, T* dv);

}  // namespace dl::cpu
