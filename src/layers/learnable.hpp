#pragma once
// What layers with learnables of several names share: their options, and words among which an option chooses.
#include "layers/support.hpp"

#include <initializer_list>

namespace dl::layers {

/// How one learnable starts, and its factors.
struct LearnableOptions {
  Initializer initializer = "zeros";
  DlArray value = {};  // empty: by the initialiser
  double learnRate = 1, l2 = 1;

  /// Throws for an initializer that is not known, and for factors that are none.
  void check(const char* function, const std::source_location& where) const;
  /// Shows "offsetInitializer", "offset", "offsetLearnRateFactor" and "offsetL2Factor" for "offset"; factors may begin with
  /// another word.
  void show(OptionVisitor& visit, std::string_view name, std::string_view factors = {});
  /// Declares the learnable. Throws when the value that was given has another number of elements, or is a matrix of another size.
  void declare(const Layer& layer, Parameters& p, std::string_view name, const Size& size, Fans fans) const;
};

/// Throws unless a word is one of these.
void checkWord(std::string_view word, std::initializer_list<std::string_view> allowed, const char* function, const char* what,
               const std::source_location& where);
/// Throws for a number that is not above 0.
void checkPositive(double number, const char* function, const char* what, const std::source_location& where);
/// Throws for NaN and infinite numbers.
void checkFinite(double number, const char* function, const char* what, const std::source_location& where);
/// Throws for a probability outside [0, 1).
void checkProbability(double p, const char* function, const std::source_location& where);

/// The number of channels of the data; throws when there is no C.
Index channelsOf(const Layer& layer, const Shape& data);
/// The size of parameters with a number for each channel, as MATLAB has it: 1 x 1 x C for images, C x 1 without spatial
/// dimensions.
Size channelSize(const Shape& data);
/// Throws unless the data has as many channels as wanted.
void checkChannels(const Layer& layer, const Shape& data, Index wanted, const char* whose);

/// A state as precise as what it meets: beside double data and double learnables a single state would make all results single.
DlArray statePreciseAs(const DlArray& data, const DlArray& learnable, const DlArray& state);

/// The same values as a constant of this shape: a state takes no part in gradients.
inline DlArray constantOf(const DlArray& x, const Shape& shape) { return Storage::reshaped(x, shape); }

/// The one dimension, T or S, along which the tokens of the data lie. Throws for data with several or none.
struct TokenDimension {
  std::size_t index;
  Index count;
  bool spatial;
  static TokenDimension of(const Layer& layer, const Shape& data);
};

}  // namespace dl::layers
