#pragma once
#include <dlarray/array.hpp>
#include <tuple>

namespace dl {

/// What scores are multiplied by: a number, or "auto" for 1 / sqrt(channels of a head).
class AttentionScale {
 public:
  template <Number T>
  AttentionScale(T number) : number_(static_cast<double>(number)) {}
  AttentionScale(const char* word);
  AttentionScale(std::string word);

  const std::string& word() const noexcept { return word_; }
  double number() const noexcept { return number_; }
  friend bool operator==(const AttentionScale& a, const AttentionScale& b) noexcept;

 private:
  double number_ = 0;
  std::string word_;
};

/// Which queries see which keys: "none" for all, "causal" for those not behind them, or an array, keys x queries or keys x queries x
/// observations, with zeros where a key is hidden.
class AttentionMask {
 public:
  AttentionMask(const char* word);
  AttentionMask(std::string word);
  AttentionMask(DlArray array);

  /// "" when an array was given.
  const std::string& word() const noexcept { return word_; }
  const DlArray& array() const noexcept { return array_; }

 private:
  std::string word_;
  DlArray array_;
};

/// Options of `attention`.
struct AttentionOptions {
  std::string_view dataFormat = {};        // labels of queries, keys and values when they have none, such as "CBT"
  AttentionScale scale = "auto";           // or a number
  DlArray paddingMask = {};                // 1(C) x B x keys, zero where a key is padding; labelled or laid out as the keys
  AttentionMask attentionMask = "none";    // or "causal", or an array
  double dropoutProbability = 0;           // of a weight, in training
};

/// Dot-product attention: channels are cut into `numHeads` blocks; in each, every query takes the sum of the values, weighted by the softmax
/// over the keys of scale * key' * query. Queries are C x B x T (or S x C x B: one S or T dimension counts the tokens), keys have as many
/// channels, values as many tokens as the keys; keys and values without labels are laid out as the queries. Y has the channels of the
/// values and the tokens and labels of the queries. `attention<2>` gives the weights too, keys x queries x heads x observations, without labels and
/// before dropout. A query that sees no key gets zeros. Throws when sizes or labels do not fit.
/// (MATLAB: attention; Vaswani et al. 2017)
DlArray attention(Operand queries, Operand keys, Operand values, Index numHeads, const AttentionOptions& options = {});

namespace detail {
template <int n>
std::tuple<DlArray, DlArray> attentionWithWeights(const Operand& queries, const Operand& keys, const Operand& values, Index numHeads,
                                                  const AttentionOptions& options);
}
template <int n>
  requires(n == 2)
auto attention(Operand queries, Operand keys, Operand values, Index numHeads, const AttentionOptions& options = {}) {
  return detail::attentionWithWeights<n>(queries, keys, values, numHeads, options);
}

}  // namespace dl
