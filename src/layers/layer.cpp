#include <dlarray/layers/layer.hpp>

namespace dl {

Layer::Layer() = default;
Layer::Layer(const Layer& other) = default;
Layer::Layer(Layer&& other) noexcept = default;
Layer& Layer::operator=(const Layer& other) = default;
Layer& Layer::operator=(Layer&& other) noexcept = default;
Layer::~Layer() = default;

std::string Layer::type() const { return "Layer"; }
std::string Layer::stem() const { return "layer"; }
std::vector<std::string> Layer::inputNames() const { return {"in"}; }
std::vector<std::string> Layer::outputNames() const { return {"out"}; }

std::vector<DlArray> Layer::forward(const std::vector<DlArray>& X, const Parameters& p, Parameters&) const {
  return predict(X, p);
}
std::vector<DlArray> Layer::predictAndUpdate(const std::vector<DlArray>& X, const Parameters& p, Parameters&) const {
  return predict(X, p);
}

AnyLayer& AnyLayer::operator=(AnyLayer other) noexcept {
  name_ = std::move(other.name_);
  detail::exchanged(held_, other.held_);
  return *this;
}

AnyLayer AnyLayer::named(std::string name) const {
  AnyLayer other(name, held_->copy());
  other.held_->layer().name = std::move(name);
  return other;
}

AnyLayer AnyLayer::changed(const detail::Function<void(Layer&)>& change) const {
  AnyLayer other(name_, held_->copy());
  change(other.held_->layer());
  return other;
}

}  // namespace dl
