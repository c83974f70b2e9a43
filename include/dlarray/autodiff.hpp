#pragma once
#include <dlarray/array.hpp>
#include <tuple>
#include <vector>

namespace dl {

/// Options of `dlgradient`, as MATLAB's.
struct GradientOptions {
  /// Records the computation of the gradient, so that it can be differentiated in turn; implies `retainData`.
  bool enableHigherDerivatives = false;
  /// Keeps the trace's data for a second dlgradient of the same values.
  bool retainData = false;
  bool allowComplex = true;
};

// ---- arrays inside containers ----------------------------------------------------------------------------------------

/// What is done to every array of a container, and, if that matters, to those that its owner declares constants: frozen parameters.
/// A function that takes a factor as well sees parameters only, each with what its learn rate is multiplied by: 0 for frozen ones, 1 for
/// arrays whose owner names none.
class ArrayVisitor {
 public:
  template <class F>
  ArrayVisitor(F& visit) noexcept : context_(contextOf(visit)) {
    if constexpr (std::is_invocable_v<F&, DlArray&, double>)
      parameterCall_ = parameterCallOf<F>;
    else
      call_ = callOf<F>;
  }
  template <class F, class G>
  ArrayVisitor(F& visit, G& visitConstant) noexcept
      : context_(contextOf(visit)), call_(callOf<F>), constantContext_(contextOf(visitConstant)), constantCall_(callOf<G>) {}
  void operator()(DlArray& x) const { parameterCall_ ? parameterCall_(context_, x, 1) : call_(context_, x); }
  /// A parameter whose learn rate is multiplied by a factor.
  void operator()(DlArray& x, double factor) const {
    if (parameterCall_)
      parameterCall_(context_, x, factor);
    else
      factor != 0 ? call_(context_, x) : constant(x);
  }
  void constant(DlArray& x) const {
    if (constantCall_) constantCall_(constantContext_, x);
  }

 private:
  template <class F>
  static void* contextOf(F& visit) noexcept {
    return const_cast<void*>(static_cast<const void*>(&visit));
  }
  template <class F>
  static void callOf(void* context, DlArray& x) {
    (*static_cast<F*>(context))(x);
  }
  template <class F>
  static void parameterCallOf(void* context, DlArray& x, double factor) {
    (*static_cast<F*>(context))(x, factor);
  }

  void* context_;
  void (*call_)(void*, DlArray&) = nullptr;
  void (*parameterCall_)(void*, DlArray&, double) = nullptr;
  void* constantContext_ = nullptr;
  void (*constantCall_)(void*, DlArray&) = nullptr;
};

/// Visits every DlArray in a value: arrays, vectors, arrays, maps, tuples, pairs, optionals of them, and structs that list
/// their members by DLARRAY_FIELDS. Other values hold no arrays.
template <class T>
void visitArrays(T& value, const ArrayVisitor& visit);

namespace detail {
template <class T> struct Visit {
  static void arrays(T& value, const ArrayVisitor& visit) {
    if constexpr (requires { value.dlarrayFields(value, visit); })
      value.dlarrayFields(value, visit);
    else if constexpr (requires { dlarrayFields(value, visit); })
      dlarrayFields(value, visit);
    else if constexpr (requires { typename T::mapped_type; value.begin()->second; })
      for (auto& entry : value) visitArrays(entry.second, visit);
    else if constexpr (requires { typename T::value_type; value.has_value() ? *value : value.value(); })  // std::optional
      if (value) visitArrays(*value, visit);
  }
};
/// True for types in which `visitArrays` knows where arrays are.
template <class T>
inline constexpr bool visitable = requires(T& value, const ArrayVisitor& visit) { value.dlarrayFields(value, visit); } ||
                                  requires(T& value, const ArrayVisitor& visit) { dlarrayFields(value, visit); } ||
                                  requires(T& value) { typename T::mapped_type; value.begin()->second; } ||
                                  requires(T& value) { typename T::value_type; value.has_value() ? *value : value.value(); } ||
                                  std::same_as<T, DlArray>;
template <class T, class A> inline constexpr bool visitable<std::vector<T, A>> = true;
template <class T, std::size_t n> inline constexpr bool visitable<std::array<T, n>> = true;
template <class... T> inline constexpr bool visitable<std::tuple<T...>> = true;
template <class T, class U> inline constexpr bool visitable<std::pair<T, U>> = true;
template <> struct Visit<DlArray> {
  static void arrays(DlArray& value, const ArrayVisitor& visit) { visit(value); }
};
template <class T, class A> struct Visit<std::vector<T, A>> {
  static void arrays(std::vector<T, A>& values, const ArrayVisitor& visit) {
    if constexpr (!std::is_arithmetic_v<T>)
      for (T& value : values) visitArrays(value, visit);
  }
};
template <class T, std::size_t n> struct Visit<std::array<T, n>> {
  static void arrays(std::array<T, n>& values, const ArrayVisitor& visit) {
    for (T& value : values) visitArrays(value, visit);
  }
};
template <class... T> struct Visit<std::tuple<T...>> {
  static void arrays(std::tuple<T...>& values, const ArrayVisitor& visit) {
    std::apply([&](auto&... value) { (visitArrays(value, visit), ...); }, values);
  }
};
template <class T, class U> struct Visit<std::pair<T, U>> {
  static void arrays(std::pair<T, U>& values, const ArrayVisitor& visit) {
    visitArrays(values.first, visit);
    visitArrays(values.second, visit);
  }
};
}  // namespace detail

template <class T>
void visitArrays(T& value, const ArrayVisitor& visit) {
  detail::Visit<std::remove_const_t<T>>::arrays(value, visit);
}

namespace detail {
/// visitArrays of a value whose type was taken away. Lists of arrays are kept outside of the headers: as soon as a template so much as
/// names a vector, every program compiles that vector's functions.
struct Visitable {
  template <class T>
  explicit Visitable(T& visited) noexcept
      : value(const_cast<void*>(static_cast<const void*>(&visited))),
        visit([](void* v, const ArrayVisitor& visitor) { visitArrays(*static_cast<std::remove_const_t<T>*>(v), visitor); }) {}
  void* value;
  void (*visit)(void* value, const ArrayVisitor& visitor);
};
std::vector<DlArray*> collectArrays(const Visitable& container);
std::vector<DlArray> arrayList(std::initializer_list<DlArray> arrays);
}  // namespace detail

/// The arrays of a container in the order of its members.
template <class T>
std::vector<DlArray*> arraysOf(T& value) {
  return detail::collectArrays(detail::Visitable(value));
}

// Lists the members of a struct that hold arrays, up to a hundred, inside the struct or beside it:
//     struct Params { dl::DlArray W, b; DLARRAY_FIELDS(Params, W, b) };
#define DLARRAY_FIELDS(Type, ...)                                                             \
  inline void dlarrayFields(Type& dlarraySelf, const ::dl::ArrayVisitor& dlarrayVisit) {      \
    DLARRAY_EXPAND(DLARRAY_EACH(__VA_ARGS__))                                                 \
  }
#define DLARRAY_PARENTHESES ()
#define DLARRAY_EXPAND(...) DLARRAY_EXPAND4(DLARRAY_EXPAND4(DLARRAY_EXPAND4(__VA_ARGS__)))
#define DLARRAY_EXPAND4(...) DLARRAY_EXPAND3(DLARRAY_EXPAND3(DLARRAY_EXPAND3(__VA_ARGS__)))
#define DLARRAY_EXPAND3(...) DLARRAY_EXPAND2(DLARRAY_EXPAND2(DLARRAY_EXPAND2(__VA_ARGS__)))
#define DLARRAY_EXPAND2(...) DLARRAY_EXPAND1(DLARRAY_EXPAND1(DLARRAY_EXPAND1(__VA_ARGS__)))
#define DLARRAY_EXPAND1(...) __VA_ARGS__
#define DLARRAY_EACH(member, ...) \
  ::dl::visitArrays(dlarraySelf.member, dlarrayVisit); __VA_OPT__(DLARRAY_EACH_AGAIN DLARRAY_PARENTHESES(__VA_ARGS__))
#define DLARRAY_EACH_AGAIN() DLARRAY_EACH

// ---- tracing ---------------------------------------------------------------------------------------------------------

namespace detail {

/// Opens a trace for its lifetime. Arrays that outlive it are ordinary ones again.
class TraceScope {
 public:
  TraceScope();
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  void* trace_;
};
/// Makes an independent variable of an array.
void makeVariable(DlArray& x);

template <class T> struct Settle { using type = std::decay_t<T>; };
template <> struct Settle<Reference> { using type = DlArray; };
/// The type that an argument or a result is kept as: X(...) becomes the array it refers to.
template <class T> using Settled = typename Settle<std::decay_t<T>>::type;

template <class F, class... A>
decltype(auto) invokeWith(F&& fun, A&... arguments) {
  if constexpr (std::is_invocable_v<F, A&&...>)
    return std::forward<F>(fun)(std::move(arguments)...);
  else
    return std::forward<F>(fun)(arguments...);
}

}  // namespace detail

/// Evaluates `fun(arguments...)` while recording what happens to every array found in the arguments, so that `dlgradient`
/// can be called inside `fun`. Returns what `fun` returns, untraced. Captured arrays are constants. A nested dlfeval has a
/// trace of its own, in which values of the outer one are constants. (MATLAB: dlfeval)
template <class F, class... A>
auto dlfeval(F&& fun, A&&... arguments) {
  std::tuple<detail::Settled<A>...> copies(std::forward<A>(arguments)...);
  detail::TraceScope scope;
  auto mark = [](DlArray& x) { detail::makeVariable(x); };
  visitArrays(copies, ArrayVisitor(mark));
  return std::apply(
      [&](auto&... copy) {
        using R = decltype(detail::invokeWith(std::forward<F>(fun), copy...));
        if constexpr (std::is_void_v<R>)
          detail::invokeWith(std::forward<F>(fun), copy...);
        else
          return detail::Settled<R>(detail::invokeWith(std::forward<F>(fun), copy...));
      },
      copies);
}

namespace detail {
void gradients(const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count, const GradientOptions& options);
/// Puts the gradient by each variable of a container into its place; constants leave an empty array.
void gradientsInPlace(const Operand& y, const Visitable& variables, const GradientOptions& options);

template <class X>
concept Variables = !std::same_as<std::decay_t<X>, GradientOptions> && !std::is_arithmetic_v<std::decay_t<X>>;

template <class... X>
auto gradientsOf(const Operand& y, const GradientOptions& options, const X&... variables) {
  static_assert((visitable<Settled<X>> && ...), "dlgradient differentiates by arrays, containers of arrays, and structs that list their members by DLARRAY_FIELDS");
  std::tuple<Settled<X>...> result(variables...);
  gradientsInPlace(y, Visitable(result), options);
  return result;
}
}  // namespace detail

/// The gradient of a traced real scalar `y` by `x`: an array, or any container of arrays, of which the same container comes
/// back. Zeros where y does not depend on x. Call inside the function that dlfeval evaluates. Throws when y is not scalar,
/// when y or an x is not traced, and when the trace's data was released by an earlier call. (MATLAB: dlgradient)
inline DlArray dlgradient(Operand y, const DlArray& x, GradientOptions options = {}) {
  const DlArray* variable = &x;
  DlArray gradient;
  detail::gradients(y, &variable, &gradient, 1, options);
  return gradient;
}
template <detail::Variables X>
  requires(!std::convertible_to<X, DlArray>)
X dlgradient(Operand y, const X& x, GradientOptions options = {}) {
  return std::get<0>(detail::gradientsOf(y, options, x));
}
/// The gradients by several variables, as a tuple of the same types.
template <detail::Variables A, detail::Variables B>
std::tuple<detail::Settled<A>, detail::Settled<B>> dlgradient(Operand y, const A& a, const B& b, GradientOptions options = {}) {
  return detail::gradientsOf(y, options, a, b);
}
template <detail::Variables A, detail::Variables B, detail::Variables C>
std::tuple<detail::Settled<A>, detail::Settled<B>, detail::Settled<C>> dlgradient(Operand y, const A& a, const B& b, const C& c, GradientOptions options = {}) {
  return detail::gradientsOf(y, options, a, b, c);
}
template <detail::Variables A, detail::Variables B, detail::Variables C, detail::Variables D>
std::tuple<detail::Settled<A>, detail::Settled<B>, detail::Settled<C>, detail::Settled<D>> dlgradient(Operand y, const A& a, const B& b, const C& c, const D& d,
                                                                                                        GradientOptions options = {}) {
  return detail::gradientsOf(y, options, a, b, c, d);
}
/// More than four variables; options, if any, come last and by name: `GradientOptions{.retainData = true}`.
template <detail::Variables A, detail::Variables B, detail::Variables C, detail::Variables D, detail::Variables E, class... More>
auto dlgradient(Operand y, const A& a, const B& b, const C& c, const D& d, const E& e, const More&... more) {
  if constexpr (sizeof...(More) > 0 && std::same_as<std::tuple_element_t<sizeof...(More), std::tuple<E, More...>>, GradientOptions>) {
    const auto arguments = std::forward_as_tuple(a, b, c, d, e, more...);
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return detail::gradientsOf(y, std::get<sizeof...(More) + 4>(arguments), std::get<i>(arguments)...);
    }(std::make_index_sequence<sizeof...(More) + 4>());
  } else {
    return detail::gradientsOf(y, GradientOptions(), a, b, c, d, e, more...);
  }
}

}  // namespace dl
