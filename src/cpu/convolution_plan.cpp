// How a pass over a grid is cut: which results share their taps, how many channels, rows and images are at hand together.
#include "cpu/convolution_passes.hpp"

namespace dl::cpu {
namespace {

constexpr Index stepsOfBlock = 640;           // of k, so that the columns at hand stay in the nearest cache
constexpr Index stepsOfGathered = 1152;       // the same where rows are gathered: bringing sums to their places costs more
constexpr Index imageBytes = Index{1} << 20;  // of the grids of images at hand together, which are read once for each gathering

constexpr Index plannedWork = Index{1} << 21;  // multiplications from which looking for a better plan pays

// Sums of a register and a column that take as long as other work.
constexpr Index gatheredPiece = 4;    // copying a piece of a sliver, for each step of k
constexpr Index scatteredPiece = 10;  // bringing a piece of the sums of one column to its place

}  // namespace

// The targets with rows by rows: those near the border, which some taps miss, apart from the others.
template <class T>
std::vector<GridTarget> GridPass<T>::splitTargets(int cut) const {
  const auto along = static_cast<std::size_t>(cut);
  const GridAxis& whole = axes[along];
  std::vector<GridTarget> split;
  for (const GridTarget& t : targets) {
    const GridAxis& of = t.axes[along];
    Index inner = 1;  // elements of taps that differ along the axes before alone
    for (std::size_t d = 0; d < along; ++d) inner *= static_cast<Index>(t.axes[d].taps.size());
    const auto count = of.taps.size();
    const auto metAt = [&](Index row) {
      std::vector<bool> met(count);
      for (std::size_t i = 0; i < count; ++i) met[i] = whole.meets(of.taps[i], of.begin + row);
      // Results that no element meets are computed all the same, from zeros.
      if (std::find(met.begin(), met.end(), true) == met.end()) met.assign(count, true);
      return met;
    };
    for (Index row = 0, end; row < of.rows; row = end) {
      const std::vector<bool> met = metAt(row);
      for (end = row + 1; end < of.rows && metAt(end) == met;) ++end;
      GridTarget part{t.axes, {}};
      GridAxis& a = part.axes[along];
      a.begin += row;
      a.rows = end - row;
      a.targetStart += row * a.targetStep;
      a.taps.clear();
      for (std::size_t i = 0; i < count; ++i)
        if (met[i]) a.taps.push_back(of.taps[i]);
      for (std::size_t e = 0; e < t.elements.size(); ++e)
        if (met[e / static_cast<std::size_t>(inner) % count]) part.elements.push_back(t.elements[e]);
      split.push_back(std::move(part));
    }
  }
  return split;
}

template <class T>
typename GridPass<T>::Plan GridPass<T>::planFor(Index steps, Index bytes) const {
  Plan plan;
  plan.cut = cutAxis(axes);
  plan.images = 1;
  plan.closely = false;
  const GridAxis& along = axes[static_cast<std::size_t>(plan.cut)];
  Index taps = 0;
  for (const GridTarget& t : targets) taps = std::max(taps, static_cast<Index>(t.elements.size()));
  const Index blocks = std::min(channels, ceilDiv(channels * taps, steps));
  plan.block = ceilDiv(channels, blocks);
  const Index lineBytes = cellsBeside(axes, plan.cut) * plan.block * static_cast<Index>(sizeof(T));
  const Index fitting = std::clamp<Index>(bytes / lineBytes - along.reach(), 1, along.rows);
  plan.parts = ceilDiv(along.rows, fitting);
  plan.rowsOfPart = ceilDiv(along.rows, plan.parts);
  return plan;
}

// What a plan with one part takes for an image, in sums of a register and a column over 256 channels.
template <class T>
Index GridPass<T>::cost(const Plan& plan) const {
  const Grid grid(axes.data(), plan.cut, plan.rowsOfPart, sizeof(T));
  const Part part = partAt(grid, plan, 0, plan.images);
  Index all = 0;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const GridRows& rows = part.rows[t];
    const Index pieces = static_cast<Index>(rows.pieces.size());
    const Index registers = columns < fewColumns ? ceilDiv(rows.cells(), kernels<T>().width) : rows.registers();
    const Index step = registers * columns + (plan.closely ? gatheredPiece * pieces : 0);
    const Index scattered = (plan.closely ? pieces : rows.scattered(kernels<T>().width)) * scatteredPiece * columns;
    all += 256 * step * static_cast<Index>(targets[t].elements.size()) + 256 * scattered / plan.block;
  }
  return all / plan.images;
}

// Where all rows of an image are at hand, the border's rows may be computed apart, without the taps that miss; and several images
// at a time, where the cells between the rows of one cost more than gathering its rows.
template <class T>
typename GridPass<T>::Plan GridPass<T>::plan() {
  Plan best = planFor(stepsOfBlock, gridBytes);
  if (best.parts > 1 || workOfImage() * groups * batch < plannedWork) return best;
  Index least = cost(best);
  const auto consider = [&](const Plan& plan) {
    const Index here = cost(plan);
    if (50 * here >= 49 * least) return false;
    least = here;
    best = plan;
    return true;
  };
  const auto considerImages = [&] {
    if (batch == 1 || columns < fewColumns) return false;
    Plan plan = planFor(stepsOfGathered, imageBytes);
    if (plan.parts > 1) return false;
    const Grid grid(axes.data(), plan.cut, plan.rowsOfPart, sizeof(T));
    const Index bytes = plan.block * grid.channelCells() * static_cast<Index>(sizeof(T));
    const Index weightBytes = std::clamp<Index>(weightGroup * static_cast<Index>(sizeof(T)), Index{128} << 10, imageBytes);
    const Index fitting = std::clamp<Index>(weightBytes / bytes, 1, batch);
    plan.closely = true;
    plan.images = ceilDiv(batch, ceilDiv(batch, fitting));
    return consider(plan);
  };
  considerImages();
  std::vector<GridTarget> split = splitTargets(best.cut);
  if (split.size() == targets.size()) return best;
  split.swap(targets);
  // Fewer taps make larger blocks of channels, of which not all rows may be at hand any more.
  const Plan one = planFor(stepsOfBlock, gridBytes);
  const bool apart = one.parts == 1 && consider(one), images = considerImages();
  if (!apart && !images) split.swap(targets);
  return best;
}

template GridPass<float>::Plan GridPass<float>::plan();
template GridPass<double>::Plan GridPass<double>::plan();

}  // namespace dl::cpu
