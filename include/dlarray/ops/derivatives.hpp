#pragma once
#include <dlarray/autodiff.hpp>

// Derivatives beyond the gradient of a scalar. All are called inside the function that dlfeval evaluates.
namespace dl {

namespace detail {
std::vector<DlArray> hessianTimesVector(const Operand& y, const std::vector<DlArray>& variables, const std::vector<DlArray>& directions,
                                        const GradientOptions& options);
std::vector<DlArray> vectorTimesJacobian(const Operand& u, const std::vector<DlArray>& variables, const DlArray& weights,
                                         const GradientOptions& options);
DlArray jacobianTimesVector(const Operand& u, const std::vector<DlArray>& variables, const std::vector<DlArray>& directions,
                            const GradientOptions& options);
/// Moves the arrays out of a container, and into one.
std::vector<DlArray> takeArrays(const Visitable& container);
void putArrays(const Visitable& container, std::vector<DlArray>&& arrays);
template <class X>
std::vector<DlArray> leavesOf(const X& container) {
  static_assert(visitable<Settled<X>>, "arrays are found in containers of arrays and in structs that list their members by DLARRAY_FIELDS");
  Settled<X> copy = container;
  return takeArrays(Visitable(copy));
}
template <class X>
Settled<X> fillLeaves(const X& like, std::vector<DlArray>&& leaves) {
  Settled<X> result = like;
  putArrays(Visitable(result), std::move(leaves));
  return result;
}
}  // namespace detail

/// The Hessian of a traced scalar y by an array x of n elements: n x n, unlabelled; both directions in the column-major order of x.
DlArray dlhessian(Operand y, const DlArray& x, GradientOptions options = {});

/// The Hessian of a traced scalar y times v, without forming the Hessian; v, and the result, are of the kind and size of x,
/// an array or a container. (Pearlmutter 1994)
template <class X>
detail::Settled<X> dlhvp(Operand y, const X& x, const std::type_identity_t<detail::Settled<X>>& v, GradientOptions options = {}) {
  return detail::fillLeaves(x, detail::hessianTimesVector(y, detail::leavesOf(x), detail::leavesOf(v), options));
}

/// The transposed Jacobian of a traced array u by x times w, which has the size of u: the gradient of sum(u .* w).
template <class X>
detail::Settled<X> dlvjp(Operand u, const X& x, Operand w, GradientOptions options = {}) {
  return detail::fillLeaves(x, detail::vectorTimesJacobian(u, detail::leavesOf(x), w, options));
}

/// The Jacobian of a traced array u by x times v, which is of the kind and size of x; the result has the size of u. It is the
/// derivative of a vector-Jacobian product by its weights, so it needs no rules of its own.
template <class X>
DlArray dljvp(Operand u, const X& x, const std::type_identity_t<detail::Settled<X>>& v, GradientOptions options = {}) {
  return detail::jacobianTimesVector(u, detail::leavesOf(x), detail::leavesOf(v), options);
}

// ---- checking --------------------------------------------------------------------------------------------------------

/// Options of `checkGradients`.
struct GradientCheckOptions {
  /// The largest accepted difference, relative to the larger of 1 and the gradient's size.
  double tolerance = 1e-6;
  /// Prints the worst entry to std::cout.
  bool display = true;
};

/// What `checkGradients` found: the worst entry and whether it is within the tolerance.
struct GradientCheck {
  bool valid;
  double error;  // relative
  std::size_t array;
  Index position;
  double gradient;
  double difference;
  explicit operator bool() const noexcept { return valid; }
};

namespace detail {
/// The function to check at the present values of its variables.
class Evaluation {
 public:
  template <class F>
  Evaluation(const F& value) noexcept : context_(&value), call_([](const void* f) { return (*static_cast<const F*>(f))(); }) {}
  double operator()() const { return call_(context_); }

 private:
  const void* context_;
  double (*call_)(const void*);
};
GradientCheck compareGradients(const Evaluation& value, const std::vector<DlArray*>& variables, const std::vector<DlArray>& gradients,
                               const GradientCheckOptions& options);
template <class R>
concept WithGradient = requires { typename std::tuple_size<R>::type; };
}  // namespace detail

/// Compares gradients with central differences at x, an array of double precision or a container of such, and prints the worst
/// entry. `fun(x)` returns a scalar, or a tuple of a scalar and its gradient, of the kind of x. (MATLAB: checkGradients)
template <class F, class X>
GradientCheck checkGradients(F&& fun, const X& x, GradientCheckOptions options = {}) {
  using Point = detail::Settled<X>;
  using R = std::invoke_result_t<F&, Point&>;
  Point at(x);
  const auto differentiate = [&](auto& point) {
    if constexpr (detail::WithGradient<R>) {
      return detail::leavesOf(std::get<1>(dlfeval(fun, point)));
    } else {
      auto gradient = [&](Point& p) { return dlgradient(DlArray(fun(p)), p); };
      return detail::leavesOf(dlfeval(gradient, point));
    }
  };
  const auto gradients = differentiate(at);
  Point moved = at;
  const auto value = [&]() -> double {
    auto plain = [&](Point& p) {
      if constexpr (detail::WithGradient<R>)
        return DlArray(std::get<0>(fun(p)));
      else
        return DlArray(fun(p));
    };
    return double(dlfeval(plain, moved));
  };
  return detail::compareGradients(value, arraysOf(moved), gradients, options);
}

// ---- functions of the user's own -------------------------------------------------------------------------------------

namespace detail {
/// The two halves of a user's function with the types of its inputs taken away.
class CustomRules {
 public:
  virtual ~CustomRules() = default;
  virtual DlArray forward(const std::vector<DlArray>& x) = 0;
  virtual std::vector<DlArray> backward(const DlArray& gradient, const DlArray& y, const std::vector<DlArray>& x) = 0;
};
/// Takes over the rules; `where` is the line on which they were given.
DlArray applyCustom(CustomRules* rules, const std::vector<DlArray>& x, const std::source_location& where);

template <class Forward, class Backward, std::size_t n>
class CustomRulesFor : public CustomRules {
 public:
  CustomRulesFor(const Forward& forward, const Backward& backward) : forward_(forward), backward_(backward) {}
  DlArray forward(const std::vector<DlArray>& x) override { return DlArray(spread(forward_, x)); }
  std::vector<DlArray> backward(const DlArray& gradient, const DlArray& y, const std::vector<DlArray>& x) override {
    auto result = spread(backward_, x, gradient, y);
    if constexpr (std::convertible_to<decltype(result), DlArray>)
      return {DlArray(result)};
    else
      return leavesOf(result);
  }

 private:
  template <class F, class... Before>
  static decltype(auto) spread(F& fun, const std::vector<DlArray>& x, const Before&... before) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) -> decltype(auto) { return fun(before..., x[i]...); }(std::make_index_sequence<n>());
  }

  Forward forward_;
  Backward backward_;
};
}  // namespace detail

/// A differentiable function made by `customFunction`.
template <class Forward, class Backward>
class CustomFunction {
 public:
  CustomFunction(Forward forward, Backward backward, std::source_location where)
      : forward_(std::move(forward)), backward_(std::move(backward)), where_(where) {}

  template <std::convertible_to<DlArray>... X>
  DlArray operator()(const X&... x) const {
    const auto inputs = detail::arrayList({DlArray(x)...});
    return detail::applyCustom(new detail::CustomRulesFor<Forward, Backward, sizeof...(X)>(forward_, backward_), inputs, where_);
  }

 private:
  Forward forward_;
  Backward backward_;
  std::source_location where_;
};

/// A function with a derivative of the user's own, for what no built-in covers: `forward(x...)` returns an array computed in any way,
/// `backward(gradient, y, x...)` the gradient by each x (an array, or a tuple for several), given the gradient by y. A backward written with
/// the library's functions can itself be differentiated. Throws when a gradient has the wrong size. (MATLAB: deep.DifferentiableFunction)
template <class Forward, class Backward>
CustomFunction<Forward, Backward> customFunction(Forward forward, Backward backward,
                                                 std::source_location where = std::source_location::current()) {
  return {std::move(forward), std::move(backward), where};
}

}  // namespace dl
