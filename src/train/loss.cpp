#include "train/loss.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"

#include <dlarray/nn/embedding.hpp>
#include <dlarray/ops/creation.hpp>

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

namespace {

Index sizeOf(const DlArray& x, Format::Label label) {
  const Shape& shape = Storage::shape(x);
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == label) return shape.size[d];
  return 1;
}

// Class numbers as one-hot vectors, where the outputs have a channel for each class.
DlArray encoded(const DlArray& t, const DlArray& y) {
  const Index classes = sizeOf(y, Format::C);
  if (classes == 1 || sizeOf(t, Format::C) != 1 || !Storage::shape(t).format.labelled()) return t;
  const Shape& shape = Storage::shape(t);
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::C)
      return onehotencode(t, static_cast<Index>(d), Storage::of(y).type,
                          {.classNames = colon(0, static_cast<double>(classes - 1))});
  return t;
}

}  // namespace

Index observations(const DlArray& x) { return sizeOf(x, Format::B); }

Loss lossOf(const TrainingLoss& loss, const char* function, const std::source_location& where) {
  if (loss.name().empty()) return {loss.function(), false};
  const NamedLoss* known = findLoss(loss.name());
  if (!known)
    fail(where, "trainnet:loss", "{}: the loss \"{}\" is not known; use {} or a function", function, loss.name(), lossNames());
  const bool encodes = loss.name() == "crossentropy";
  return {[f = known->function, encodes, function, where, name = loss.name()](const std::vector<DlArray>& y,
                                                                              const std::vector<DlArray>& t) {
            if (y.size() != 1 || t.size() != 1)
              fail(where, "trainnet:loss",
                   "{}: the loss \"{}\" is for one output and one target, there are {} and {}; use a function", function, name,
                   y.size(), t.size());
            return f(y[0], encodes ? encoded(t[0], y[0]) : t[0]);
          },
          known->perElement};
}

}  // namespace dl::train
