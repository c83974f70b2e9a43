// Sources that give many observations at once, so that a batch is copied and never taken apart.
#pragma once
#include <dlarray/train/datastore.hpp>

namespace dl::train {

/// One variable of several observations: their size, and their elements one observation after the other, numel(size) x n.
struct Block {
  Size size;
  DlArray elements;
};

/// The element type that a block of this variable shall have.
using BlockTypes = detail::Function<Type(std::size_t variable)>;

class StackSource : public DatastoreSource {
 public:
  /// Appends a block for each variable; the variable that comes next is number blocks.size(). False, perhaps after appending,
  /// when the source cannot.
  virtual bool stack(const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks) const = 0;
};

/// The same for any datastore; false for those that have to be read one by one.
bool stack(const Datastore& ds, const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks);

/// Observations of one size as a block; "observation 3 is 2 x 2, the first is 3 x 2" is thrown for others, with numbers[k] for
/// observation k.
Block stackArrays(const std::vector<DlArray>& observations, Type type, const std::vector<Index>& numbers);

}  // namespace dl::train
