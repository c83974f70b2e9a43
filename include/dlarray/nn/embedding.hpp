#pragma once
#include <dlarray/array.hpp>

// Words, classes and other things that are not numbers, as vectors.
namespace dl {

struct EmbedOptions {
  std::string_view dataFormat = {};
};
/// Columns of `weights` (dimension x words) in place of tokens: `1(C) x 5(B)` becomes `10(C) x 5(B)`, `5(B) x 7(T)` becomes `10(C) x 5(B) x 7(T)`.
/// Tokens count from 0; NaN, negative ones and those that `weights` has no column for take its last one, so keep one more than there are words.
/// Throws for tokens that are not whole, for more than one channel, and for weights that are no matrix. (MATLAB: embed)
DlArray embed(Operand x, Operand weights, const EmbedOptions& options = {});

/// The classes that one-hot vectors have a place for, in that order: numbers, words, or none named.
class ClassNames {
 public:
  ClassNames() noexcept;
  ClassNames(std::initializer_list<const char*> words);
  ClassNames(std::vector<std::string> words);
  ClassNames(std::initializer_list<detail::AnyNumber> numbers);
  ClassNames(std::vector<double> numbers);
  ClassNames(const DlArray& numbers);

  const std::vector<std::string>& words() const noexcept { return words_; }
  const std::vector<double>& numbers() const noexcept { return numbers_; }

 private:
  std::vector<std::string> words_;
  std::vector<double> numbers_;
};

struct OnehotencodeOptions {
  ClassNames classNames = {};
};
/// A 1 in the place of its class for each number of A, 0 in the others, along a dimension that has size 1 in A; NaN in all for a number that is no
/// class. A constant, of single elements when A is single, else of double; or of the type given. Throws without .classNames, for classes named twice,
/// and for logical results that would be NaN. (MATLAB: onehotencode)
DlArray onehotencode(Operand a, const Dimensions& dimension, const OnehotencodeOptions& options);
DlArray onehotencode(Operand a, const Dimensions& dimension, Type type, const OnehotencodeOptions& options);
/// The same for n words: classes x n along dimension 0, n x classes along dimension 1. Without .classNames the classes are the words in
/// alphabetical order, each once. (MATLAB: onehotencode)
DlArray onehotencode(const std::vector<std::string>& a, Index dimension, const OnehotencodeOptions& options = {},
                     std::source_location where = std::source_location::current());
DlArray onehotencode(const std::vector<std::string>& a, Index dimension, Type type, const OnehotencodeOptions& options = {},
                     std::source_location where = std::source_location::current());

/// The class of the largest element along a dimension, the first of several: the opposite of `onehotencode`, and what probabilities vote for. NaN
/// where all elements are. `classes` has a number for each element along the dimension. (MATLAB: onehotdecode)
DlArray onehotdecode(Operand b, Operand classes, const Dimensions& dimension);
namespace detail {
inline DlArray classList(std::initializer_list<AnyNumber> numbers) { return dlarray(ClassNames(numbers).numbers()); }
}  // namespace detail
inline DlArray onehotdecode(Operand b, std::initializer_list<detail::AnyNumber> classes, const Dimensions& dimension) {
  return onehotdecode(b, detail::classList(classes), dimension);
}
/// The same in words, in stored order; "<undefined>" where all elements are NaN. (MATLAB: onehotdecode)
std::vector<std::string> onehotdecode(Operand b, const std::vector<std::string>& classes, const Dimensions& dimension);

}  // namespace dl
