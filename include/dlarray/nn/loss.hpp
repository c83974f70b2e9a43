#pragma once
#include <dlarray/array.hpp>

// Losses: what predictions Y cost beside their targets, as an unlabelled scalar. Y is labelled or comes with .dataFormat; targets have its
// size and labels, or its size and no labels. Sizes or labels that differ are an error: nothing expands. What all of them share:
//   weights (third argument)   multiply the losses of the elements: a scalar, an array of the size of Y, or labelled, or with .weightsFormat,
//                              one for each class ("C"), observation ("B"), ...
//   .mask                      elements where it is 0 take no part; of the size of Y, or 1 along some dimensions
//   .reduction                 "sum", or "none" for the losses of the elements, with the labels of Y
//   .normalizationFactor       what the sum is divided by: "batch-size" (the size of B, 1 without), "all-elements" (of Y), "mask-included" (the elements
//                              of Y that the mask includes), "none"
// Wrong words and sizes throw. All differentiate to any order, by Y, targets and weights.
namespace dl {

struct LossOptions {
  DlArray mask = {};
  std::string_view reduction = "sum";
  std::string_view normalizationFactor = "batch-size";
  std::string_view dataFormat = {};
  std::string_view weightsFormat = {};
};

struct CrossentropyOptions {
  std::string_view classificationMode = "single-label";  // or "multilabel"
  DlArray mask = {};
  std::string_view reduction = "sum";
  std::string_view normalizationFactor = "batch-size";
  std::string_view dataFormat = {};
  std::string_view weightsFormat = {};
};
/// The sum of -t log(y) for probabilities y, as `softmax` gives them, and one-hot targets t; of -t log(y) - (1 - t) log(1 - y) in "multilabel", for
/// probabilities of classes that do not exclude each other, as `sigmoid` gives them. y counts as 2^-100 (single) or 2^-1000 (double) at least, 1 - y as
/// half a rounding unit: no loss is infinite, and the derivative through `softmax` is right however wrong a prediction is. (MATLAB: crossentropy)
DlArray crossentropy(Operand y, Operand targets, const CrossentropyOptions& options = {});
DlArray crossentropy(Operand y, Operand targets, Operand weights, const CrossentropyOptions& options = {});

/// The sum of -log(y) of the target classes; `targets` are numbers of classes, from 0, and have no C or one of size 1. Equals `crossentropy` with
/// one-hot targets. Throws for targets that are no class, but for those that .mask leaves out; the mask is of the size of the targets, and
/// "mask-included" counts targets. (MATLAB: indexcrossentropy)
DlArray indexcrossentropy(Operand y, Operand targets, const LossOptions& options = {});
DlArray indexcrossentropy(Operand y, Operand targets, Operand weights, const LossOptions& options = {});

struct MseOptions {
  std::string_view dataFormat = {};
};
/// Half the sum of (y - t)^2, divided by the size of B. (MATLAB: mse)
DlArray mse(Operand y, Operand targets, const MseOptions& options = {});

/// The sum of (y - t)^2, not halved. (MATLAB: l2loss)
DlArray l2loss(Operand y, Operand targets, const LossOptions& options = {});
DlArray l2loss(Operand y, Operand targets, Operand weights, const LossOptions& options = {});
/// The sum of |y - t|; the derivative where they agree is 0. (MATLAB: l1loss)
DlArray l1loss(Operand y, Operand targets, const LossOptions& options = {});
DlArray l1loss(Operand y, Operand targets, Operand weights, const LossOptions& options = {});

struct HuberOptions {
  double transitionPoint = 1;
  DlArray mask = {};
  std::string_view reduction = "sum";
  std::string_view normalizationFactor = "batch-size";
  std::string_view dataFormat = {};
  std::string_view weightsFormat = {};
};
/// The sum of (y - t)^2 / 2 up to the transition point d, of d |y - t| - d^2 / 2 beyond. Throws unless d is positive and finite. (MATLAB: huber)
DlArray huber(Operand y, Operand targets, const HuberOptions& options = {});
DlArray huber(Operand y, Operand targets, Operand weights, const HuberOptions& options = {});

/// The class that stands for no label: a number from 0, "first" or "last".
class BlankIndex {
 public:
  template <Integer I>
  BlankIndex(I number) : number_(static_cast<Index>(number)) {}
  BlankIndex(const char* word);
  BlankIndex(std::string word);

  /// "" when a number was given.
  const std::string& word() const noexcept { return word_; }
  Index number() const noexcept { return number_; }

 private:
  Index number_ = 0;
  std::string word_;
};

struct CtcOptions {
  BlankIndex blankIndex = "first";
  std::string_view dataFormat = {};
};
/// The mean over the batch of -log of the probability that sequences of labels come out of predictions for each time step, in any alignment: repeated
/// labels are merged, then blanks left out. `y` holds probabilities of C classes, as `softmax` gives them, over T; `targets` are labels from 0,
/// `1(C) x B x T` with a time of their own. The masks are 0 where a step or a label is padding, with one element for each, that of `y` also of its
/// size; an empty one, `DlArray()`, leaves nothing out. Throws for labels that are no class or the blank, and for more labels than steps can hold.
/// (MATLAB: ctc; Graves et al., "Connectionist temporal classification", 2006)
DlArray ctc(Operand y, Operand targets, Operand yMask, Operand targetsMask, const CtcOptions& options = {});

}  // namespace dl
