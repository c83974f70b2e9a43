#include <dlarray/nn/window.hpp>

// With the library, so that programs do not compile them each time.
namespace dl {

namespace {
std::vector<Index> side(std::initializer_list<std::initializer_list<Index>> sides, std::size_t i) {
  return sides.size() == 2 ? std::vector<Index>(sides.begin()[i]) : std::vector<Index>();
}
}  // namespace

WindowSizes::WindowSizes(std::initializer_list<detail::WindowNumber> each) {
  for (const detail::WindowNumber n : each) sizes_.push_back(n.value);
}
WindowSizes::WindowSizes(const std::vector<Index>& each) {
  for (const Index n : each) sizes_.push_back(n);
}

PoolSize::PoolSize(const char* word) : WindowSizes(1), word_(word) {}
PoolSize::PoolSize(std::string word) : WindowSizes(1), word_(std::move(word)) {}
bool operator==(const PoolSize& a, const PoolSize& b) noexcept {
  return static_cast<const WindowSizes&>(a) == static_cast<const WindowSizes&>(b) && a.word_ == b.word_;
}

Padding::Padding(std::initializer_list<std::initializer_list<Index>> sides) : starts_(side(sides, 0)), ends_(side(sides, 1)) {}
Padding::Padding(const char* word) : starts_(0), ends_(0), word_(word) {}
Padding::Padding(std::string word) : starts_(0), ends_(0), word_(std::move(word)) {}
bool operator==(const Padding& a, const Padding& b) noexcept {
  return a.starts_ == b.starts_ && a.ends_ == b.ends_ && a.word_ == b.word_;
}

GroupCount::GroupCount(const char* word) : word_(word) {}
GroupCount::GroupCount(std::string word) : word_(std::move(word)) {}
bool operator==(const GroupCount& a, const GroupCount& b) noexcept { return a.count_ == b.count_ && a.word_ == b.word_; }

}  // namespace dl
