#pragma once
// The losses that training, metrics and tests know by name.
#include <dlarray/function.hpp>
#include <dlarray/nn/loss.hpp>
#include <dlarray/train/trainnet.hpp>

namespace dl::train {

/// A loss of a network's outputs and the targets.
using LossFunction = detail::Function<DlArray(const std::vector<DlArray>&, const std::vector<DlArray>&)>;

struct NamedLoss {
  DlArray (*function)(const DlArray& y, const DlArray& t);
  bool perElement;  // a mean over elements; else one over observations
};
/// The loss of this name; null for other names.
const NamedLoss* findLoss(std::string_view name) noexcept;
/// The names for an error sentence.
std::string_view lossNames() noexcept;
/// The observations in a labelled array: the size of B, 1 without.
Index observations(const DlArray& x);

/// What training makes small, ready to be called.
struct Loss {
  LossFunction function;
  bool perElement;
  /// What the loss of these outputs is a mean over.
  double weight(const std::vector<DlArray>& y) const {
    return static_cast<double>(perElement ? numel(y.front()) : observations(y.front()));
  }
};
/// Throws for unknown names; the loss itself throws when a named one is given several outputs.
Loss lossOf(const TrainingLoss& loss, const char* function, const std::source_location& where);

}  // namespace dl::train
