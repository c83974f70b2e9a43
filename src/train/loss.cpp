#include "train/loss.hpp"

#include "core/storage.hpp"

namespace dl::train {

namespace {

DlArray crossentropyLoss(const DlArray& y, const DlArray& t) { return crossentropy(y, t); }
DlArray indexLoss(const DlArray& y, const DlArray& t) { return indexcrossentropy(y, t); }
DlArray binaryLoss(const DlArray& y, const DlArray& t) {
  return crossentropy(y, t, {.classificationMode = "multilabel", .normalizationFactor = "all-elements"});
}
DlArray squareLoss(const DlArray& y, const DlArray& t) { return l2loss(y, t, {.normalizationFactor = "all-elements"}); }
DlArray absoluteLoss(const DlArray& y, const DlArray& t) { return l1loss(y, t, {.normalizationFactor = "all-elements"}); }
DlArray huberLoss(const DlArray& y, const DlArray& t) { return huber(y, t, {.normalizationFactor = "all-elements"}); }

struct Entry {
  std::string_view name;
  NamedLoss loss;
};
constexpr Entry losses[] = {{"crossentropy", {crossentropyLoss, false}},
                            {"index-crossentropy", {indexLoss, false}},
                            {"indexcrossentropy", {indexLoss, false}},
                            {"binary-crossentropy", {binaryLoss, true}},
                            {"mse", {squareLoss, true}},
                            {"mean-squared-error", {squareLoss, true}},
                            {"l2loss", {squareLoss, true}},
                            {"mae", {absoluteLoss, true}},
                            {"mean-absolute-error", {absoluteLoss, true}},
                            {"l1loss", {absoluteLoss, true}},
                            {"huber", {huberLoss, true}}};

}  // namespace

const NamedLoss* findLoss(std::string_view name) noexcept {
  for (const Entry& entry : losses)
    if (entry.name == name) return &entry.loss;
  return nullptr;
}

std::string_view lossNames() noexcept {
  return "\"crossentropy\", \"index-crossentropy\", \"binary-crossentropy\", \"mse\" (or \"mean-squared-error\", \"l2loss\"), "
         "\"mae\" (or \"mean-absolute-error\", \"l1loss\"), \"huber\"";
}

Index observations(const DlArray& x) {
  const Shape& shape = Storage::shape(x);
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::B) return shape.size[d];
  return 1;
}

}  // namespace dl::train
