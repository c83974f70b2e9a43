#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/unary.hpp"

#include <dlarray/device.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>
#include <numeric>

namespace dl {

namespace {

bool isVector(const Size& size) {
  return std::count_if(size.begin(), size.end(), [](Index n) { return n != 1; }) <= 1;
}

}  // namespace

DlArray dlarray(Operand x) { return x; }

DlArray dlarray(Operand x, std::string_view format) {
  std::vector<Format::Label> labels = parseFormat(format, "dlarray", x.where());
  Shape shape{Storage::of(x).size, {}};
  if (labels.empty()) return stripdims(x);
  if (labels.size() == 1 && isVector(shape.size)) {
    shape.size = Size{numel(x), 1};
    labels.push_back(Format::U);
  }
  while (shape.size.size() > std::max<std::size_t>(labels.size(), 2) && shape.size[shape.size.size() - 1] == 1)
    shape.size.resize(shape.size.size() - 1);
  if (labels.size() < shape.size.size())
    fail(x.where(), "dlarray:labels", "dlarray: \"{}\" labels {} of the {} dimensions of {}; every dimension needs a label",
         format, labels.size(), shape.size.size(), toString(shape.size));
  shape.size.resize(labels.size());

  std::vector<Index> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)]; });
  DlArray plain = engine::relabel(x, shape);
  if (!std::is_sorted(order.begin(), order.end())) plain = permute(plain, order);
  Shape stored{Storage::of(plain).size, {}};
  stored.size.resize(labels.size());  // what permute dropped
  for (std::size_t d = 0; d < order.size(); ++d) stored.format.set(d, labels[static_cast<std::size_t>(order[d])]);
  dropTrailing(stored);
  return engine::relabel(plain, stored);
}

DlArray stripdims(Operand x) {
  Shape shape = Storage::shape(x);
  if (!shape.format.labelled()) return x;
  shape.format = {};
  dropTrailing(shape);
  return engine::relabel(x, shape);
}

DlArray stripdims(Operand x, std::string_view format) {
  const std::vector<Format::Label> wanted = parseFormat(format, "stripdims", x.where());
  const auto& h = Storage::of(x);
  if (wanted.empty() || !h.format.labelled()) return x;
  std::vector<Index> order;
  std::vector<bool> used(h.size.size(), false);
  std::size_t extra = h.size.size();
  for (Format::Label label : wanted) {
    std::size_t d = 0;
    while (d < h.size.size() && (used[d] || h.format[d] != label)) ++d;
    order.push_back(static_cast<Index>(d < h.size.size() ? d : extra++));
    if (d < h.size.size()) used[d] = true;
  }
  for (std::size_t d = 0; d < h.size.size(); ++d) {
    if (used[d]) continue;
    if (h.format[d] == Format::U && h.size[d] == 1) {  // an invisible one
      order.push_back(static_cast<Index>(d));
      continue;
    }
    fail(x.where(), "stripdims:labels", "stripdims: \"{}\" lacks label {} of {}; all labels of the array must be named", format,
         Format::letter(h.format[d]), describe(x));
  }
  return permute(stripdims(x), order);
}

DlArray cast(Operand x, Type type) { return engine::castTo(x, type); }
DlArray double_(Operand x) { return engine::castTo(x, Type::Double); }
DlArray single_(Operand x) { return engine::castTo(x, Type::Single); }
DlArray cast(Operand x, std::string_view type) {
  for (const Type known : {Type::Double, Type::Single, Type::Logical})
    if (type == name(known)) return cast(x, known);
  fail(x.where(), "cast:type", "cast: \"{}\" is no element type; \"double\", \"single\" and \"logical\" are", type);
}
DlArray logical_(Operand x) { return engine::castTo(x, Type::Logical); }

namespace detail {
void noteExtraction(const DlArray& x) {
  if (Storage::traced(x)) Storage::of(x).trace->extracted = true;
}
}  // namespace detail

bool canUseGPU() noexcept { return false; }
Device device(const DlArray& x) noexcept { return Storage::of(x).device; }
DlArray gpuArray(Operand x) {
  fail(x.where(), "gpuArray:unavailable",
       "gpuArray: no GPU can be used; this version of the library has no GPU plug-in, test canUseGPU() first");
}
DlArray gather(Operand x) { return x; }

}  // namespace dl
