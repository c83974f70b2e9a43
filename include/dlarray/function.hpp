#pragma once
#include <concepts>
#include <type_traits>
#include <utility>

// In detail, because programs that use the whole namespace have a Function of their own.
namespace dl::detail {

/// Takes a pointer away from its holder. (std::exchange asks a dozen traits about every type.)
template <class T>
T* taken(T*& pointer) noexcept {
  T* const value = pointer;
  pointer = nullptr;
  return value;
}
template <class T>
void exchanged(T*& a, T*& b) noexcept {
  T* const value = a;
  a = b;
  b = value;
}

/// A count of owners that any thread may change. (std::atomic's header alone would double what ours cost a program.)
class OwnerCount {
 public:
  void add() noexcept { __atomic_fetch_add(&owners_, 1, __ATOMIC_RELAXED); }
  /// True when the last owner has gone.
  bool drop() noexcept { return __atomic_sub_fetch(&owners_, 1, __ATOMIC_ACQ_REL) == 0; }
  /// True while there is one owner, who may then change what is owned.
  bool alone() const noexcept { return __atomic_load_n(&owners_, __ATOMIC_ACQUIRE) == 1; }

 private:
  int owners_ = 1;
};

/// What may be callable at all. (Asked first, it saves the question about the arguments for words, numbers and holders themselves.)
template <class F, class Holder>
concept MaybeCallable = !std::same_as<std::decay_t<F>, Holder> &&
                        (std::is_class_v<std::decay_t<F>> || std::is_function_v<std::remove_pointer_t<std::decay_t<F>>>);
/// What can be called with these arguments for this result, as a constant.
template <class F, class R, class... A>
concept CallableAs = std::is_invocable_r_v<R, const std::decay_t<F>&, A...>;

template <class Signature>
class Function;

/// A function of the user's that options, layers and queues carry along: a value whose copies share the callable. Empty until one is given.
/// (What std::function offers, without the cost of its header in every program.)
template <class R, class... A>
class Function<R(A...)> {
 public:
  Function() noexcept = default;
  template <class F>
    requires(!std::same_as<std::decay_t<F>, Function> && CallableAs<F, R, A...>)
  Function(F&& callable) : held_(new Held<std::decay_t<F>>(std::forward<F>(callable))) {}
  Function(const Function& other) noexcept : held_(other.held_) {
    if (held_) held_->owners.add();
  }
  Function(Function&& other) noexcept : held_(taken(other.held_)) {}
  Function& operator=(Function other) noexcept {
    exchanged(held_, other.held_);
    return *this;
  }
  ~Function() {
    if (held_ && held_->owners.drop()) delete held_;
  }

  explicit operator bool() const noexcept { return held_ != nullptr; }
  R operator()(A... arguments) const { return held_->call(std::forward<A>(arguments)...); }

 private:
  struct Any {
    virtual ~Any() = default;
    virtual R call(A... arguments) const = 0;
    OwnerCount owners;
  };
  template <class F>
  struct Held final : Any {
    template <class G>
    explicit Held(G&& g) : callable(std::forward<G>(g)) {}
    R call(A... arguments) const override {
      if constexpr (std::is_void_v<R>)
        callable(std::forward<A>(arguments)...);
      else
        return callable(std::forward<A>(arguments)...);
    }
    F callable;
  };
  Any* held_ = nullptr;
};

}  // namespace dl::detail
