#include <dlarray/layers/layer.hpp>

namespace dl {

std::vector<DlArray> Layer::forward(const std::vector<DlArray>& X, const Parameters& p, Parameters&) const { return predict(X, p); }
std::vector<DlArray> Layer::predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters&) const {
  return predict(X, p);
}

AnyLayer AnyLayer::named(std::string name) const {
  AnyLayer other = *this;
  other.name_ = std::move(name);
  return other;
}

AnyLayer AnyLayer::changed(const detail::Function<void(Layer&)>& change) const {
  AnyLayer other(name_, held_->copy());
  change(other.held_->layer());
  return other;
}

}  // namespace dl
