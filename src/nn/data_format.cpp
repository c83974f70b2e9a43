#include "nn/data_format.hpp"

#include "engine/fit.hpp"

namespace dl {

LabelledData::LabelledData(const Operand& x, std::string_view dataFormat, const char* function) : dataFormat_(dataFormat) {
  const bool labelled = Storage::shape(x).format.labelled();
  if (labelled && !dataFormat.empty())
    fail(x.where(), "dlarray:dataFormat", "{}: {} has labels already; leave .dataFormat = \"{}\" out", function, describe(x), dataFormat);
  if (!labelled && dataFormat.empty())
    fail(x.where(), "dlarray:dataFormat",
         "{}: {} has no labels to tell channels from observations; label it, dlarray(X, \"CB\"), or say .dataFormat = \"CB\"", function,
         describe(x));
  array_ = labelled ? DlArray(x) : dlarray(x, dataFormat);
}

DlArray LabelledData::result(DlArray y) const {
  if (dataFormat_.empty()) return y;
  std::string left = dims(y), order;
  const auto keep = [&](char label) {
    if (const auto at = left.find(label); at != std::string::npos) {
      order += label;
      left.erase(at, 1);
    }
  };
  for (const char label : dataFormat_) keep(label);
  return stripdims(std::move(y), order + left);
}

std::uint32_t dimensionsWith(const Shape& shape, std::string_view labels) noexcept {
  std::uint32_t set = 0;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] != Format::None && labels.find(Format::letter(shape.format[d])) != std::string_view::npos) set |= 1U << d;
  return set;
}

Index sizeOf(const Shape& shape, std::uint32_t dimensions) noexcept {
  Index product = 1;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (dimensions >> d & 1U) product *= shape.size[d];
  return product;
}

DlArray alongChannels(const Operand& values, const Shape& shape, const char* function, const char* what) {
  const std::uint32_t set = dimensionsWith(shape, "C");
  const Index channels = sizeOf(shape, set), count = numel(values);
  if (count != channels && count != 1)
    fail(values.where(), "dlarray:channels", "{}: {} is {} but the data has {} channels: {}", function, what, describe(values), channels,
         toString(shape));
  const Shape& own = Storage::shape(values);
  for (std::size_t d = 0; d < own.size.size(); ++d)
    if (own.size[d] != 1 && own.format.labelled() && own.format[d] != Format::C)
      fail(values.where(), "dlarray:channels", "{}: {} is {}; its elements must lie along C", function, what, describe(values));
  Shape along{shape.size, shape.format};
  for (std::size_t d = 0; d < along.size.size(); ++d)
    if (!(set >> d & 1U)) along.size[d] = 1;
  if (count == 1)
    for (std::size_t d = 0; d < along.size.size(); ++d) along.size[d] = 1;
  return engine::reshapeTo(values, along);
}

}  // namespace dl
