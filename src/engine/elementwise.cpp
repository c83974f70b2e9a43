#include "engine/elementwise.hpp"

#include "engine/loops.hpp"
#include "engine/symbol.hpp"

namespace dl::engine {

namespace {

using formula::Symbol;

// Numbers as numbers: the shortcut that small objectives live on.
bool doubleScalar(const DlArray& x) noexcept {
  const auto* h = Storage::get(x);
  return h && h->plainScalar && h->type == Type::Double;
}
double number(const DlArray& x) noexcept { return *static_cast<const double*>(Storage::get(x)->data); }
double numberOrZero(const DlArray& x) noexcept { return Storage::get(x) ? number(x) : 0.0; }
DlArray scalar(double value) { return DlArray(value); }

template <class F>
struct Unary {
  static constexpr const char* name = F::name;
  static constexpr unsigned kept = ((F::needs & formula::X) ? 1U : 0U) | ((F::needs & formula::Y) ? keptResult : 0U);
  static constexpr std::size_t position = formula::UnaryFormulas::position<F>();

  DlArray evaluate(const Inputs& inputs) const {
    if (doubleScalar(inputs[0])) return scalar(F::value(number(inputs[0])));
    return runUnary(inputs, position);
  }
  void gradient(Backward& b) const
    requires(F::differentiable)
  {
    constexpr bool useX = (F::needs & formula::X) != 0, useY = (F::needs & formula::Y) != 0;
    const DlArray none;
    const DlArray &x = useX ? b.input(0) : none, &y = useY ? b.result() : none;
    if (b.recorded())
      b.add(0, F::gradient(Symbol(b.take()), Symbol(x), Symbol(y)).array);
    else if (doubleScalar(b.gradient()))
      b.add(0, scalar(F::gradient(number(b.gradient()), numberOrZero(x), numberOrZero(y))));
    else
      b.add(0, runUnaryGradient(b.take(), x, y, position));
  }
};

template <class F>
struct Predicate {
  static constexpr const char* name = F::name;
  DlArray evaluate(const Inputs& inputs) const { return runPredicate(inputs, formula::Predicates::position<F>()); }
};

template <class F>
struct Binary {
  static constexpr const char* name = F::name;
  static constexpr std::size_t position = formula::BinaryFormulas::position<F>();

  static unsigned keep(unsigned traced) {
    const unsigned needs = ((traced & 1U) ? F::needsForA : 0U) | ((traced & 2U) ? F::needsForB : 0U);
    return (needs & 3U) | ((needs & formula::Y) ? keptResult : 0U);
  }
  DlArray evaluate(const Inputs& inputs) const {
    if (doubleScalar(inputs[0]) && doubleScalar(inputs[1])) return scalar(F::value(number(inputs[0]), number(inputs[1])));
    return runBinary(inputs, name, position);
  }
  void gradient(Backward& b) const {
    const bool both = b.needs(0) && b.needs(1);
    if (b.needs(0)) b.add(0, by<true>(b, both ? DlArray(b.gradient()) : DlArray(b.take())));
    if (b.needs(1)) b.add(1, by<false>(b, b.take()));
  }

 private:
  template <bool first, class T>
  static T derivative(T g, T x, T y, T z) {
    if constexpr (first)
      return F::gradientA(std::move(g), std::move(x), std::move(y), std::move(z));
    else
      return F::gradientB(std::move(g), std::move(x), std::move(y), std::move(z));
  }
  template <bool first>
  static DlArray by(Backward& b, DlArray g) {
    constexpr unsigned needs = first ? F::needsForA : F::needsForB;
    const DlArray none;
    const DlArray& x0 = (needs & formula::A) ? b.input(0) : none;
    const DlArray& x1 = (needs & formula::B) ? b.input(1) : none;
    const DlArray& y = (needs & formula::Y) ? b.result() : none;
    if (!b.recorded()) {
      const auto small = [](const DlArray& x) { return !Storage::get(x) || doubleScalar(x); };
      if (doubleScalar(g) && small(x0) && small(x1) && small(y))
        return scalar(derivative<first>(number(g), numberOrZero(x0), numberOrZero(x1), numberOrZero(y)));
      if constexpr (!F::simple) {
        const auto fits = [&](const DlArray& x) { return !Storage::get(x) || numel(x) == 1 || Storage::of(x).size == Storage::of(g).size; };
        if (fits(x0) && fits(x1)) return runBinaryGradient(std::move(g), x0, x1, y, position, first);
      }
    }
    return derivative<first>(Symbol(std::move(g)), Symbol(x0), Symbol(x1), Symbol(y)).array;
  }
};

template <class F>
struct Relation {
  static constexpr const char* name = F::name;
  DlArray evaluate(const Inputs& inputs) const { return runRelation(inputs, name, formula::Relations::position<F>()); }
};

struct Cast {
  static constexpr const char* name = "cast";
  static constexpr unsigned kept = 0;
  Type type;
  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), type}; }
  void run(const Inputs& in, DlArray& y) const { dl::detail::copyOut(in[0], Storage::mutableData<void>(y), type); }
  void gradient(Backward& b) const { b.add(0, b.take()); }
};

}  // namespace

Type promote(Type a, Type b) noexcept {
  if (a == b) return a;
  if (a == Type::Logical) return b;
  if (b == Type::Logical) return a;
  return Type::Single;
}

DlArray castTo(const Operand& x, Type type) {
  if (Storage::of(x).type == type) return x;
  if (type == Type::ComplexDouble || type == Type::ComplexSingle)
    fail(x.where(), "cast:complex", "cast: complex arrays are not available in this version");
  return apply(Cast{type}, x);
}

template <class F>
DlArray unary(const Operand& x) {
  if (Storage::of(x).type == Type::Logical) return unary<F>(Operand(castTo(x, Type::Double), x.where()));
  return apply(Unary<F>(), x);
}

template <class F>
DlArray predicate(const Operand& x) {
  return apply(Predicate<F>(), x);
}

namespace {
// Brings both inputs to the type computed in, then goes on with `next`.
template <class Next>
DlArray promoted(const Operand& a, const Operand& b, Next next) {
  Type type = promote(Storage::of(a).type, Storage::of(b).type);
  if (type == Type::Logical) type = Type::Double;
  const DlArray a1 = castTo(a, type), b1 = castTo(b, type);
  return next(Operand(a1, a.where()), Operand(b1, b.where()));
}
bool sameFloating(const DlArray& a, const DlArray& b) noexcept {
  return Storage::of(a).type == Storage::of(b).type && Storage::of(a).type != Type::Logical;
}
}  // namespace

template <class F>
DlArray binary(const Operand& a, const Operand& b) {
  if (!sameFloating(a, b)) return promoted(a, b, [](const Operand& x, const Operand& y) { return binary<F>(x, y); });
  return apply(Binary<F>(), a, b);
}

template <class F>
DlArray relation(const Operand& a, const Operand& b) {
  if (!sameFloating(a, b)) return promoted(a, b, [](const Operand& x, const Operand& y) { return relation<F>(x, y); });
  return apply(Relation<F>(), a, b);
}

// Makes every function of the lists part of this file, so that all others only need the declarations.
namespace {
template <class... F> constexpr auto allUnary(formula::List<F...>) { return std::array{&unary<F>...}; }
template <class... F> constexpr auto allPredicates(formula::List<F...>) { return std::array{&predicate<F>...}; }
template <class... F> constexpr auto allBinary(formula::List<F...>) { return std::array{&binary<F>...}; }
template <class... F> constexpr auto allRelations(formula::List<F...>) { return std::array{&relation<F>...}; }
[[gnu::used]] constexpr auto unaryFunctions = allUnary(formula::UnaryFormulas());
[[gnu::used]] constexpr auto predicateFunctions = allPredicates(formula::Predicates());
[[gnu::used]] constexpr auto binaryFunctions = allBinary(formula::BinaryFormulas());
[[gnu::used]] constexpr auto relationFunctions = allRelations(formula::Relations());
}  // namespace

}  // namespace dl::engine
