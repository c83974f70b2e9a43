#include <dlarray/train/datastore.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "ops/creation.hpp"
#include "ops/dimensions.hpp"
#include "train/gather.hpp"
#include "train/source.hpp"

#include <dlarray/ops/shape.hpp>
#include <dlarray/random.hpp>

#include <algorithm>
#include <numeric>

namespace dl {

namespace {

using train::Block;
using train::BlockTypes;

// Slices of an array in memory.
class ArraySource final : public train::StackSource {
 public:
  ArraySource(DlArray a, std::size_t dimension, Index readSize, bool same)
      : array_(std::move(a)), dimension_(dimension), readSize_(readSize), same_(same) {
    const Size& whole = Storage::shape(array_).size;
    count_ = dimension < whole.size() ? whole[dimension] : 1;
    lanes_ = lanes(whole, dimension);
    slice_ = sliceSize(1);
  }

  Index size() const override { return count_; }
  std::vector<DlArray> read(Index i) const override { return {slices({i})}; }

  // What read(ds) answers from observation i on.
  std::vector<DlArray> readMany(Index i) const {
    std::vector<Index> which(static_cast<std::size_t>(std::min(readSize_, count_ - i)));
    std::iota(which.begin(), which.end(), i);
    if (same_) return {slices(which)};
    std::vector<DlArray> each;
    for (const Index k : which) each.push_back(slices({k}));
    return each;
  }
  Index readSize() const noexcept { return readSize_; }

  bool stack(const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks) const override {
    const Index each = numel(slice_), n = static_cast<Index>(which.size());
    DlArray elements = Storage::make({Size{each, n}, {}}, types(blocks.size()));
    train::gather(array_, {lanes_.inner, lanes_.count, lanes_.outer}, which, elements, {lanes_.inner, each});
    blocks.push_back({slice_, std::move(elements)});
    return true;
  }

 private:
  Size sliceSize(Index count) const {
    Size size = Storage::shape(array_).size;
    if (dimension_ < size.size()) size[dimension_] = count;
    return newShape(size).size;
  }
  // Some observations as they lie in the array, side by side along its dimension.
  DlArray slices(const std::vector<Index>& which) const {
    const Index n = static_cast<Index>(which.size());
    DlArray x = Storage::make({sliceSize(n), {}}, underlyingType(array_));
    train::gather(array_, {lanes_.inner, lanes_.count, lanes_.outer}, which, x, {lanes_.inner * n, lanes_.inner});
    return x;
  }

  DlArray array_;
  std::size_t dimension_;
  Index readSize_, count_;
  bool same_;
  Lanes lanes_;
  Size slice_;
};

class CombinedSource final : public train::StackSource {
 public:
  explicit CombinedSource(std::vector<Datastore> parts) : parts_(std::move(parts)) {}
  Index size() const override { return parts_.empty() ? 0 : parts_.front().size(); }
  std::vector<DlArray> read(Index i) const override {
    std::vector<DlArray> variables;
    for (const Datastore& part : parts_)
      for (const DlArray& x : part.source()->read(i)) variables.push_back(x);
    return variables;
  }
  bool stack(const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks) const override {
    return std::ranges::all_of(parts_, [&](const Datastore& part) { return train::stack(part, which, types, blocks); });
  }

 private:
  std::vector<Datastore> parts_;
};

class TransformedSource final : public DatastoreSource {
 public:
  using Change = detail::Function<std::vector<DlArray>(std::vector<DlArray>)>;
  TransformedSource(Datastore ds, Change change) : ds_(std::move(ds)), change_(std::move(change)) {}
  Index size() const override { return ds_.size(); }
  std::vector<DlArray> read(Index i) const override { return change_(ds_.source()->read(i)); }

 private:
  Datastore ds_;
  Change change_;
};

class SubsetSource final : public train::StackSource {
 public:
  // Of a subset it takes the datastore below, so that no number of shuffles makes reading slower.
  SubsetSource(const Datastore& ds, std::vector<Index> indices) : ds_(ds), indices_(std::move(indices)) {
    if (const auto* below = dynamic_cast<const SubsetSource*>(ds.source())) {
      for (Index& i : indices_) i = below->at(i);
      ds_ = Datastore(below->ds_);
    }
  }
  Index size() const override { return static_cast<Index>(indices_.size()); }
  std::vector<DlArray> read(Index i) const override { return ds_.source()->read(at(i)); }
  bool stack(const std::vector<Index>& which, const BlockTypes& types, std::vector<Block>& blocks) const override {
    std::vector<Index> below;
    for (const Index i : which) below.push_back(at(i));
    return train::stack(ds_, below, types, blocks);
  }

 private:
  Index at(Index i) const { return indices_[static_cast<std::size_t>(i)]; }
  Datastore ds_;
  std::vector<Index> indices_;
};

}  // namespace

std::vector<DlArray> Datastore::read(Index i, std::source_location where) const {
  if (i < 0 || i >= size())
    fail(where, "datastore:observation", "read: there is no observation {} among {}, counted from 0", i, size());
  return held_->source().read(i);
}

Datastore arrayDatastore(Operand a, const ArrayDatastoreOptions& options) {
  const std::source_location& where = a.where();
  const std::size_t dimension = resolveDimension(options.iterationDimension, a, "arrayDatastore", where);
  if (options.readSize < 1)
    fail(where, "arrayDatastore:readSize", "arrayDatastore: readSize is {}, must be at least 1", options.readSize);
  const bool same = options.outputType == "same";
  if (!same && options.outputType != "cell")
    fail(where, "arrayDatastore:outputType", "arrayDatastore: outputType \"{}\" is neither \"cell\" nor \"same\"",
         options.outputType);
  // An array of a trace belongs to one thread.
  const DlArray& x = a;
  return ArraySource(Storage::of(x).local ? Storage::copied(x) : x, dimension, options.readSize, same);
}

Datastore combine(const std::vector<Datastore>& datastores, std::source_location where) {
  for (std::size_t i = 1; i < datastores.size(); ++i)
    if (datastores[i].size() != datastores[0].size())
      fail(where, "combine:sizes", "combine: datastore {} has {} observations, the first has {}", i, datastores[i].size(),
           datastores[0].size());
  if (datastores.empty() || !datastores[0].source()) return {};
  return CombinedSource(datastores);
}

Datastore transform(const Datastore& ds, detail::Function<std::vector<DlArray>(std::vector<DlArray>)> fun) {
  if (!ds.source()) return {};
  return TransformedSource(ds, std::move(fun));
}

Datastore subset(const Datastore& ds, const std::vector<Index>& indices, std::source_location where) {
  for (const Index i : indices)
    if (i < 0 || i >= ds.size())
      fail(where, "subset:index", "subset: there is no observation {} among {}, counted from 0", i, ds.size());
  if (!ds.source()) return {};
  return SubsetSource(ds, indices);
}

Datastore subset(const Datastore& ds, Operand indices) {
  const std::source_location& where = indices.where();
  const auto values = extractdata<std::vector<double>>(indices);
  std::vector<Index> which;
  if (underlyingType(indices) == Type::Logical) {
    if (static_cast<Index>(values.size()) != ds.size())
      fail(where, "subset:mask", "subset: the mask has {} elements, the datastore {} observations", values.size(), ds.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0) which.push_back(static_cast<Index>(i));
  } else {
    for (const double v : values) {
      if (!(v >= 0 && v < static_cast<double>(ds.size()) && v == static_cast<double>(static_cast<Index>(v))))
        fail(where, "subset:index", "subset: there is no observation {} among {}, counted from 0", v, ds.size());
      which.push_back(static_cast<Index>(v));
    }
  }
  return subset(ds, which, where);
}

Datastore shuffle(const Datastore& ds) {
  if (!ds.source()) return {};
  const DlArray order = randperm(ds.size());
  const double* at = Storage::data<double>(order);
  return SubsetSource(ds, std::vector<Index>(at, at + ds.size()));
}

Datastore partition(const Datastore& ds, Index n, Index index, std::source_location where) {
  if (n < 1 || index < 0 || index >= n)
    fail(where, "partition:index", "partition: there is no part {} of {} parts, counted from 0", index, n);
  const Index whole = ds.size() / n, more = ds.size() % n;  // the first parts have one observation more
  const Index begin = index * whole + std::min(index, more);
  std::vector<Index> which(static_cast<std::size_t>(whole + (index < more ? 1 : 0)));
  std::iota(which.begin(), which.end(), begin);
  return subset(ds, which, where);
}

Index numobservations(const Datastore& ds) { return ds.size(); }

std::vector<DlArray> read(Datastore& ds, std::source_location where) {
  const Index i = ds.position();
  if (i >= ds.size())
    fail(where, "read:end", "read: all {} observations were read; reset the datastore to begin again", ds.size());
  if (const auto* array = dynamic_cast<const ArraySource*>(ds.source())) {
    std::vector<DlArray> several = array->readMany(i);
    ds.moveTo(std::min(i + array->readSize(), ds.size()));
    return several;
  }
  std::vector<DlArray> variables = ds.read(i, where);
  ds.moveTo(i + 1);
  return variables;
}

std::vector<std::vector<DlArray>> readall(const Datastore& ds) {
  std::vector<std::vector<DlArray>> observations;
  for (Index i = 0; i < ds.size(); ++i) observations.push_back(ds.read(i));
  return observations;
}

bool hasdata(const Datastore& ds) { return ds.position() < ds.size(); }
void reset(Datastore& ds) { ds.moveTo(0); }

std::vector<DlArray> preview(const Datastore& ds, std::source_location where) {
  if (ds.size() == 0) fail(where, "preview:empty", "preview: the datastore has no observations");
  return ds.read(0, where);
}

}  // namespace dl
