#include "cpu/along.hpp"
#include "cpu/permute.hpp"
#include "cpu/reduce.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "ops/along.hpp"
#include "ops/reduction.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

#include <bit>
#include <limits>
#include <memory>
#include <vector>

// Reductions that choose elements: max, min, median. Derivatives go to the chosen ones by their column-major positions.
namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// MATLAB's max and min of nothing are empty: a dimension of size 0 is not reduced.
Shape extremeShape(const Shape& shape, std::uint32_t set) {
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.size[d] == 0) set &= ~(1U << d);
  return reducedShape(shape, set);
}

Lanes whole(const Size& size) { return {1, numel(size), 1}; }

// An array in which the dimensions of a set are neighbours, so that it has lanes along them; where in the array each element
// of a lane is.
class Arranged {
 public:
  Arranged(const DlArray& x, std::uint32_t set) : size_(Storage::of(x).size), set_(set), array_(x) {
    if (lanes(size_, set, along_)) return;
    moved_ = true;
    std::vector<int> order;
    for (const bool member : {true, false})
      for (std::size_t d = 0; d < size_.size(); ++d)
        if (((set >> d & 1U) != 0) == member) order.push_back(static_cast<int>(d));
    array_ = Storage::make(Storage::shape(x), Storage::of(x).type);
    cpu::permute(Storage::data<void>(x), bytesOf(Storage::of(x).type), {size_.begin(), size_.size()}, order,
                 Storage::mutableData<void>(array_));
    along_ = {1, 1, 1};
    for (std::size_t d = 0; d < size_.size(); ++d) ((set >> d & 1U) ? along_.count : along_.outer) *= size_[d];
  }

  const DlArray& array() const noexcept { return array_; }
  const Lanes& along() const noexcept { return along_; }

  /// Turns positions within lanes, one a lane, into column-major positions in the array before it was arranged.
  void toWhole(double* positions) const {
    for (Index lane = 0; lane < along_.inner * along_.outer; ++lane) {
      const auto k = static_cast<Index>(positions[lane]);
      const Index at = moved_ ? apart(k, set_) + apart(lane, ~set_)
                              : lane % along_.inner + along_.inner * (k + along_.count * (lane / along_.inner));
      positions[lane] = static_cast<double>(at);
    }
  }

 private:
  // The column-major position of the element number k of the dimensions of a set, the others at 0.
  Index apart(Index k, std::uint32_t set) const {
    Index position = 0, stride = 1;
    for (std::size_t d = 0; d < size_.size(); ++d) {
      if (set >> d & 1U) {
        position += k % size_[d] * stride;
        k /= size_[d];
      }
      stride *= size_[d];
    }
    return position;
  }

  Size size_;
  std::uint32_t set_;
  DlArray array_;
  Lanes along_{};
  bool moved_ = false;
};

// Where the largest or smallest elements are: column-major in the whole array, or along the lanes, for which the dimensions of
// the set must be neighbours.
struct ExtremePositions {
  static constexpr const char* name = "extremePositions";
  std::uint32_t set;
  bool largest, inWhole;

  DlArray evaluate(const Inputs& in) const {
    const Arranged arranged(in[0], set);
    const Lanes& l = arranged.along();
    DlArray positions =
        positionsBy(arranged.array(), l, extremeShape(Storage::shape(in[0]), set), [&]<class T>(const T* x, T* to) {
          const std::unique_ptr<T[]> values(new T[static_cast<std::size_t>(l.inner * l.outer)]);
          cpu::reduceIndex(largest ? cpu::Reduction::max : cpu::Reduction::min, x, l.inner, l.count, l.outer, values.get(), to);
        });
    if (inWhole && numel(positions) > 0) arranged.toWhole(Storage::mutableData<double>(positions));
    return positions;
  }
};

template <bool largest>
struct Extreme {
  static constexpr const char* name = largest ? "max" : "min";
  static constexpr unsigned kept = 1;
  std::uint32_t set;

  Result infer(const Inputs& in) const { return {extremeShape(Storage::shape(in[0]), set), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    switch (Storage::of(y).type) {
      case Type::Single:
        return find<float>(in, y);
      case Type::Logical:
        return find<bool>(in, y);
      default:
        return find<double>(in, y);
    }
  }
  template <class T>
  void find(const Inputs& in, DlArray& y) const {
    const Extents extents(Storage::of(in[0]).size, set);
    cpu::reduce(largest ? cpu::Reduction::max : cpu::Reduction::min, Storage::data<T>(in[0]), extents.get(),
                Storage::mutableData<T>(y));
  }
  void gradient(Backward& b) const {
    const DlArray positions = engine::apply(ExtremePositions{set, largest, true}, b.input(0));
    b.add(0, scatterAlong(b.gradient(), positions, whole(b.shape(0).size), b.shape(0)));
  }
};

// The column-major positions of the middle elements of each lane: two columns, the same for lanes of odd length.
struct MedianPositions {
  static constexpr const char* name = "medianPositions";
  std::uint32_t set;

  DlArray evaluate(const Inputs& in) const {
    const Arranged arranged(in[0], set);
    const Lanes& l = arranged.along();
    const Index n = l.inner * l.outer;
    DlArray positions = Storage::make({Size::matrix(n, 2), {}}, Type::Double);
    if (n == 0) return positions;
    auto* to = Storage::mutableData<double>(positions);
    if (Storage::of(in[0]).type == Type::Single)
      cpu::medianPositions(Storage::data<float>(arranged.array()), l.inner, l.count, l.outer, to, to + n);
    else
      cpu::medianPositions(Storage::data<double>(arranged.array()), l.inner, l.count, l.outer, to, to + n);
    arranged.toWhole(to);
    arranged.toWhole(to + n);
    return positions;
  }
};

DlArray extreme(const Operand& x, std::uint32_t set, bool largest) {
  return largest ? engine::apply(Extreme<true>{set}, x) : engine::apply(Extreme<false>{set}, x);
}

}  // namespace

DlArray max(Operand x) { return max(x, {}, {}); }
DlArray max(Operand x, Empty, const Dimensions& dimensions) {
  return extreme(x, resolveDimensions(dimensions, x, "max", x.where()), true);
}
DlArray min(Operand x) { return min(x, {}, {}); }
DlArray min(Operand x, Empty, const Dimensions& dimensions) {
  return extreme(x, resolveDimensions(dimensions, x, "min", x.where()), false);
}

template <int n>
std::tuple<DlArray, DlArray> detail::extremes(const Operand& x, const Dimensions& dimensions, bool largest) {
  const std::uint32_t set = resolveDimensions(dimensions, x, largest ? "max" : "min", x.where());
  const Size& size = Storage::of(x).size;
  const bool single = dimensions.kind() == Dimensions::Kind::None || std::has_single_bit(set) || set == 0;
  Lanes along;
  lanes(size, set, along);
  DlArray positions = engine::apply(ExtremePositions{set, largest, !single}, x);
  DlArray values = gatherAlong(x, positions, single ? along : whole(size));
  return {std::move(values), std::move(positions)};
}
template std::tuple<DlArray, DlArray> detail::extremes<2>(const Operand& x, const Dimensions& dimensions, bool largest);

DlArray median(Operand x, const Dimensions& dimensions) {
  if (Storage::of(x).type == Type::Logical) return median(Operand(engine::numbers(x), x.where()), dimensions);
  const std::uint32_t set = resolveDimensions(dimensions, x, "median", x.where());
  const Size& size = Storage::of(x).size;
  for (std::size_t d = 0; d < size.size(); ++d)
    if ((set >> d & 1U) && size[d] == 0) return sum(x, dimensions) + std::numeric_limits<double>::quiet_NaN();
  const DlArray positions = engine::apply(MedianPositions{set}, x);
  DlArray middle = gatherAlong(x, positions, whole(size)) % numberLike(x, 0.5);
  return engine::reshapeTo(sum(std::move(middle), 1), reducedShape(Storage::shape(x), set));
}

}  // namespace dl
