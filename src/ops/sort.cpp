#include "cpu/sort.hpp"
#include "ops/along.hpp"

#include <dlarray/ops/sort.hpp>

namespace dl {

namespace {

using cpu::SortOrder;
using engine::Inputs;

// The positions that put each lane into order.
struct SortPositions {
  static constexpr const char* name = "sortPositions";
  Lanes along;
  SortOrder order;

  DlArray evaluate(const Inputs& in) const {
    return positionsBy(in[0], along, Storage::shape(in[0]), [&]<class T>(const T* x, T* positions) {
      cpu::sort(x, along.inner, along.count, along.outer, order, static_cast<T*>(nullptr), positions);
    });
  }
};

// The positions of the k largest elements of each lane.
struct LargestPositions {
  static constexpr const char* name = "topkPositions";
  Lanes along;
  std::size_t dimension;
  Index k;

  DlArray evaluate(const Inputs& in) const {
    Shape shape = Storage::shape(in[0]);
    if (dimension >= shape.size.size() && k != 1) {  // only k = 0 is left
      const std::size_t before = shape.size.size();
      shape.size.resize(dimension + 1);
      for (std::size_t d = before; shape.format.labelled() && d <= dimension; ++d) shape.format.set(d, Format::U);
    }
    if (dimension < shape.size.size()) shape.size[dimension] = k;
    dropTrailing(shape);
    return positionsBy(in[0], along, shape, [&]<class T>(const T* x, T* positions) {
      cpu::topk(x, along.inner, along.count, along.outer, k, SortOrder::descending, static_cast<T*>(nullptr), positions);
    });
  }
};

SortOrder orderOf(std::string_view direction, const std::source_location& where) {
  if (direction == "ascend") return SortOrder::ascending;
  if (direction == "descend") return SortOrder::descending;
  fail(where, "sort:direction", "sort: \"{}\" is not a direction; it is \"ascend\" or \"descend\"", direction);
}

bool isDirection(const Dimensions& d) {
  return d.kind() == Dimensions::Kind::Labels && (d.labels() == "ascend" || d.labels() == "descend");
}

struct Found {
  DlArray positions;
  Lanes along;
};

Found sortPositions(const Operand& x, const Dimensions& dimension, std::string_view direction) {
  if (isDirection(dimension)) return sortPositions(x, {}, dimension.labels());  // MATLAB's sort(x, "descend")
  const Lanes along = lanes(Storage::of(x).size, resolveDimension(dimension, x, "sort", x.where()));
  return {engine::apply(SortPositions{along, orderOf(direction, x.where())}, x), along};
}

Found topkPositions(const Operand& x, Index k, const Dimensions& dimension) {
  const std::size_t d = resolveDimension(dimension, x, "topk", x.where());
  const Lanes along = lanes(Storage::of(x).size, d);
  if (k < 0) fail(x.where(), "topk:count", "topk: {} elements were asked for; the number cannot be negative", k);
  if (k > along.count)
    fail(x.where(), "topk:count", "topk: {} elements were asked for, dimension {} of {} has {}", k, d, describe(x), along.count);
  return {engine::apply(LargestPositions{along, d, k}, x), along};
}

std::tuple<DlArray, DlArray> both(const Operand& x, Found found) {
  DlArray values = gatherAlong(x, found.positions, found.along);
  return {std::move(values), std::move(found.positions)};
}

}  // namespace

DlArray sort(Operand x, const Dimensions& dimension, std::string_view direction) {
  const Found found = sortPositions(x, dimension, direction);
  return gatherAlong(x, found.positions, found.along);
}

DlArray topk(Operand x, Index k, const Dimensions& dimension) {
  const Found found = topkPositions(x, k, dimension);
  return gatherAlong(x, found.positions, found.along);
}

template <int n>
std::tuple<DlArray, DlArray> detail::sortWithPositions(const Operand& x, const Dimensions& dimension,
                                                       std::string_view direction) {
  return both(x, sortPositions(x, dimension, direction));
}
template std::tuple<DlArray, DlArray> detail::sortWithPositions<2>(const Operand& x, const Dimensions& dimension,
                                                                   std::string_view direction);

template <int n>
std::tuple<DlArray, DlArray> detail::topkWithPositions(const Operand& x, Index k, const Dimensions& dimension) {
  return both(x, topkPositions(x, k, dimension));
}
template std::tuple<DlArray, DlArray> detail::topkWithPositions<2>(const Operand& x, Index k, const Dimensions& dimension);

}  // namespace dl
