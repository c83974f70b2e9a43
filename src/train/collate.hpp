#pragma once
#include "train/source.hpp"

namespace dl::train {

/// How an output of a queue is made.
struct OutputRule {
  Type type = Type::Single;
  std::string format;
  Index classes = 0;  // to encode for; 0 for none
  bool labels = true;
};

/// Throws for a format that is none, and for classes without a place.
void checkRule(const OutputRule& rule, std::source_location where);

/// The block as an output: classes encoded, observations along B, labels. Observation k is called numbers[k] in errors.
DlArray collate(const Block& block, const OutputRule& rule, const std::vector<Index>& numbers);

/// What a user's function made, with type and labels of the rule.
DlArray finish(const DlArray& x, const OutputRule& rule);

}  // namespace dl::train
