#include "train/gather.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "ops/dimensions.hpp"
#include "train/source.hpp"

#include <algorithm>

namespace dl::train {

namespace {

template <class From, class To>
void copyPiece(const From* from, To* to, Index n) {
  if constexpr (std::same_as<From, To>)
    std::copy_n(from, n, to);
  else if constexpr (std::same_as<To, bool>)
    std::transform(from, from + n, to, [](From x) { return x != 0; });
  else
    std::transform(from, from + n, to, [](From x) { return static_cast<To>(x); });
}

// Calls work with a number of the C++ type of each of two arrays.
template <class Work>
void withTypes(Type from, Type to, const Work& work) {
  const auto withFirst = [&](Type type, const auto& then) {
    if (type == Type::Double) return then(double());
    if (type == Type::Single) return then(float());
    if (type == Type::Logical) return then(bool());
    fail({}, "datastore:type", "datastore: arrays of type {} cannot be read in batches", name(type));
  };
  withFirst(from, [&](auto a) { withFirst(to, [&](auto b) { work(a, b); }); });
}

}  // namespace

void gather(const DlArray& from, const Slices& s, const std::vector<Index>& which, DlArray& to, const Places& places) {
  withTypes(underlyingType(from), underlyingType(to), [&](auto a, auto b) {
    const auto* x = Storage::data<decltype(a)>(from);
    auto* y = Storage::mutableData<decltype(b)>(to);
    if (s.inner == 1) {
      for (Index o = 0; o < s.outer; ++o) {
        auto* place = y + o * places.outer;
        for (const Index k : which) {
          *place = static_cast<decltype(b)>(x[o * s.count + k]);
          place += places.next;
        }
      }
      return;
    }
    for (Index o = 0; o < s.outer; ++o) {
      auto* place = y + o * places.outer;
      for (const Index k : which) {
        copyPiece(x + (o * s.count + k) * s.inner, place, s.inner);
        place += places.next;
      }
    }
  });
}

void copyElements(const DlArray& from, DlArray& to, Index at) {
  withTypes(underlyingType(from), underlyingType(to), [&](auto a, auto b) {
    copyPiece(Storage::data<decltype(a)>(from), Storage::mutableData<decltype(b)>(to) + at, numel(from));
  });
}

bool stack(const Datastore& ds, const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks) {
  const auto* source = dynamic_cast<const StackSource*>(ds.source());
  return source && source->stack(which, types, blocks);
}

Block stackArrays(const std::vector<DlArray>& observations, Type type, const std::vector<Index>& numbers) {
  const Size& first = Storage::shape(observations.front()).size;
  for (std::size_t k = 1; k < observations.size(); ++k)
    if (!(Storage::shape(observations[k]).size == first))
      fail({}, "minibatchqueue:sizes", "observation {} is {}, observation {} is {}; pad them with padsequences in miniBatchFcn",
           numbers[k], toString(Storage::shape(observations[k]).size), numbers[0], toString(first));
  const Index each = numel(observations.front());
  Block block{first, Storage::make({Size{each, static_cast<Index>(observations.size())}, {}}, type)};
  for (std::size_t k = 0; k < observations.size(); ++k)
    copyElements(observations[k], block.elements, static_cast<Index>(k) * each);
  return block;
}

}  // namespace dl::train
