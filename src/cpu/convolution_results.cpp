#include "cpu/convolution_passes.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"

namespace dl::cpu {
namespace {

constexpr Index nearWeights = Index{128} << 10;  // bytes of weights that stay near without being asked for

// Cells behind the last that a sliver may read: registers reach beyond the last row, and halves of them to a line that is not
// there.
template <class T>
Index slackFor(const Grid& grid) {
  const Index line = 64 / static_cast<Index>(sizeof(T));
  return (kernels<T>().tall * kernels<T>().width + grid.cells(0) + line - 1) / line * line;
}

}  // namespace

template <class T>
typename GridPass<T>::Steps GridPass<T>::stepsOf(const GridTarget& target, const Grid& grid, Index block) const {
  Steps steps;
  const std::vector<Index> cells = grid.tapCells(target.axes.data());
  for (Index c = 0; c < block; ++c)
    for (std::size_t t = 0; t < cells.size(); ++t) {
      steps.cells.push_back(c * grid.channelCells() + cells[t]);
      steps.elements.push_back(c * weightChannel + target.elements[t]);
    }
  if (weightGroup * static_cast<Index>(sizeof(T)) > nearWeights && weightColumn < weightChannel) steps.soon = linesOf(steps);
  return steps;
}

// The cache lines in which the weights of a tile's columns lie, in the order in which they are met, a step of k each. None where
// there are more of them than steps.
template <class T>
std::vector<Index> GridPass<T>::linesOf(const Steps& steps) const {
  const Index line = 64 / static_cast<Index>(sizeof(T)), k = static_cast<Index>(steps.elements.size());
  std::vector<Index> lines, last(static_cast<std::size_t>(kernels<T>().wide), -1);
  for (const Index e : steps.elements)
    for (Index j = 0; j < kernels<T>().wide; ++j) {
      const Index here = (e + j * weightColumn) / line;
      if (std::find(last.begin(), last.end(), here) != last.end()) continue;
      last[static_cast<std::size_t>(j)] = here;
      lines.push_back(here * line);
    }
  const Index count = static_cast<Index>(lines.size());
  if (count > k) return {};
  std::vector<Index> soon;
  for (Index l = 0; l < k; ++l) soon.push_back(lines[static_cast<std::size_t>(l * count / k)]);
  return soon;
}

template <class T>
typename GridPass<T>::Part GridPass<T>::partAt(const Grid& grid, const Plan& plan, Index number, Index images) const {
  const auto cut = static_cast<std::size_t>(plan.cut);
  const Index first = number * plan.rowsOfPart;
  Part part{partOf(axes, plan.cut, first, std::min(plan.rowsOfPart, axes[cut].rows - first)), {}};
  for (const GridTarget& t : targets) {
    const Axes here = partOf(t.axes, plan.cut, first, plan.rowsOfPart);
    GridRows& rows = part.rows.emplace_back();
    if (plan.closely)
      rows.arrangeClosely(grid, here.data(), images, plan.block * grid.channelCells(),
                          groups * columns * sizeOf(t.axes, &GridAxis::target), kernels<T>().width, kernels<T>().tall);
    else
      rows.arrange(grid, here.data(), static_cast<Index>(t.elements.size()) * plan.block, kernels<T>().width, kernels<T>().tall);
  }
  return part;
}

// Multiplications for a group of an image.
template <class T>
Index GridPass<T>::workOfImage() const {
  Index work = 0;
  for (const GridTarget& t : targets)
    work += sizeOf(t.axes, &GridAxis::rows) * static_cast<Index>(t.elements.size()) * channels * columns;
  return work;
}

template <class T>
void GridPass<T>::run() {
  Plan plan = this->plan();
  const Index threads = threadCount();
  if (plan.closely) {
    // As many units as threads, or a multiple: results do not depend on how many images are at hand.
    const Index units = ceilDiv(ceilDiv(batch, plan.images), threads) * threads;
    if (units <= batch && groups % threads && units > threads) plan.images = ceilDiv(batch, units);
  }
  const Grid grid(axes.data(), plan.cut, plan.rowsOfPart, sizeof(T));
  std::vector<Steps> steps;
  Index most = 0;  // steps of k
  for (const GridTarget& t : targets) {
    steps.push_back(stepsOf(t, grid, plan.block));
    most = std::max(most, static_cast<Index>(t.elements.size()) * plan.block);
  }
  const Index units = ceilDiv(batch, plan.images), whole = units * groups * plan.parts;
  const Index work = ceilDiv(workOfImage(), plan.parts) * plan.images;
  const bool share = whole < 4 * threads && whole % threads && work >= 2 * parallelWork;
  const Index shares = share ? std::min(threads, std::max<Index>(1, columns / (2 * kernels<T>().wide))) : 1;
  const Index slack = slackFor<T>(grid), cellCount = plan.images * plan.block * grid.channelCells() + slack;
  const Index extra = plan.closely           ? (most + 1) * kernels<T>().tall * kernels<T>().width
                      : columns < fewColumns ? grid.channelCells()
                                             : 0;
  parallelFor(whole * shares, std::max<Index>(1, parallelWork / std::max<Index>(1, work / shares)), [&](Index begin, Index end) {
    const ScratchArray<T> memory(cellCount + extra);
    T* scratch = memory.data();
    std::fill(scratch + cellCount - slack, scratch + cellCount, T(0));
    Part part;
    Index arranged = -1, arrangedImages = 0;
    for (Index i = begin; i < end; ++i) {
      const Index s = i % shares, unit = i / shares, at = unit % plan.parts, image = unit / plan.parts / groups * plan.images;
      const Index images = std::min(plan.images, batch - image);
      if (at != arranged || images != arrangedImages)
        part = partAt(grid, plan, at, images), arranged = at, arrangedImages = images;
      const Index unitColumns = ceilDiv(ceilDiv(columns, shares), kernels<T>().wide) * kernels<T>().wide;
      const Index from = std::min(columns, s * unitColumns), to = std::min(columns, from + unitColumns);
      if (from < to) runUnit({image, images, unit / plan.parts % groups, at, from, to - from}, part, grid, steps, plan, scratch);
    }
  });
}

template <class T>
void GridPass<T>::runUnit(const Unit& u, const Part& part, const Grid& grid, const std::vector<Steps>& steps, const Plan& plan,
                          T* scratch) const {
  const Index source = sizeOf(axes, &GridAxis::source), target = sizeOf(targets[0].axes, &GridAxis::target);
  const T* from = data + (u.image * groups + u.group) * channels * source;
  T* extra = scratch + plan.images * plan.block * grid.channelCells() + slackFor<T>(grid);
  if (gaps) clear(u, plan);
  for (Index c = 0; c < channels; c += plan.block) {
    const Index count = std::min(plan.block, channels - c);
    for (Index i = 0; i < u.images; ++i)
      grid.fill(part.axes.data(), from + (i * groups * channels + c) * source, source, count,
                scratch + i * plan.block * grid.channelCells());
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const GridRows& rows = part.rows[t];
      if (rows.slivers.empty()) continue;
      GridProduct<T> p;
      p.grid = scratch;
      p.cells = steps[t].cells.data();
      p.k = count * static_cast<Index>(targets[t].elements.size());
      p.weights = weights + u.group * weightGroup + u.firstColumn * weightColumn + c * weightChannel;
      p.elements = steps[t].elements.data();
      p.weightColumn = weightColumn;
      p.soon = steps[t].soon.empty() ? nullptr : steps[t].soon.data();
      p.bias = bias && c == 0 ? bias + u.group * columns + u.firstColumn : nullptr;
      p.columns = u.columns;
      p.slivers = rows.slivers.data();
      p.sliverCount = static_cast<Index>(rows.slivers.size());
      p.packed = plan.closely ? extra : nullptr;
      p.add = c > 0;
      p.result = result + ((u.image * groups + u.group) * columns + u.firstColumn) * target;
      p.resultStep = targets[t].axes[0].targetStep;
      p.resultColumn = target;
      if (columns < fewColumns)
        runFew(u, p, rows, extra);
      else
        kernels<T>().product(p);
    }
  }
}

// Zeros for the results of a unit, all phases of its rows: just before they are written, not all of them before all.
template <class T>
void GridPass<T>::clear(const Unit& u, const Plan& plan) const {
  const Axes& of = targets[0].axes;
  const Index target = sizeOf(of, &GridAxis::target);
  Index inner = 1;
  for (int d = 0; d < plan.cut; ++d) inner *= of[static_cast<std::size_t>(d)].target;
  const GridAxis& along = of[static_cast<std::size_t>(plan.cut)];
  const Index line = inner * along.targetStep, first = u.part * plan.rowsOfPart * line;
  const Index last = u.part + 1 == plan.parts ? target : (u.part + 1) * plan.rowsOfPart * line;
  for (Index i = 0; i < u.images; ++i)
    for (Index j = 0; j < u.columns; ++j) {
      T* column = result + (((u.image + i) * groups + u.group) * columns + u.firstColumn + j) * target;
      std::fill(column + first, column + last, T(0));
    }
}

// A few columns: sums over whole stretches of cells, from which the results are taken.
template <class T>
void GridPass<T>::runFew(const Unit& u, const GridProduct<T>& p, const GridRows& rows, T* line) const {
  const Index first = rows.runs.front().cell, all = rows.cells();
  for (Index j = 0; j < u.columns; ++j) {
    T* to = p.result + j * p.resultColumn;
    const bool direct = rows.runs.size() == 1 && p.resultStep == 1 && !p.add;
    T* sums = direct ? to + rows.runs[0].target : line;
    const T start = p.bias ? p.bias[j] : T(0);
    kernels<T>().combine(all, p.grid + first, p.cells, p.weights + j * p.weightColumn, p.elements, p.k, start, sums);
    if (direct) continue;
    for (const RowPiece& run : rows.runs) {
      const T* from = line + run.cell - first;
      T* y = to + run.target;
      if (!p.add && p.resultStep == 1)
        std::copy(from, from + run.count, y);
      else
        for (Index i = 0; i < run.count; ++i) y[i * p.resultStep] = p.add ? y[i * p.resultStep] + from[i] : from[i];
    }
  }
}

template struct GridPass<float>;
template struct GridPass<double>;

}  // namespace dl::cpu
