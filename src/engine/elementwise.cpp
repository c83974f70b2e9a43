#include "engine/elementwise.hpp"

#include "engine/loops.hpp"
#include "engine/short.hpp"
#include "engine/symbol.hpp"

namespace dl::engine {

namespace {

using formula::Symbol;

// Numbers as numbers: the shortcut that small objectives live on.
bool isNumber(const dl::detail::Header& h) noexcept {
  return h.plainScalar && (h.type == Type::Double || h.type == Type::Single);
}
bool numberOrNone(const DlArray& x) noexcept { return !Storage::get(x) || isNumber(*Storage::get(x)); }
double numberOrZero(const DlArray& x) noexcept {
  const dl::detail::Header* h = Storage::get(x);
  if (!h) return 0.0;
  return h->type == Type::Double ? *static_cast<const double*>(h->data)
                                 : static_cast<double>(*static_cast<const float*>(h->data));
}
// One input of an operation on plain double scalars.
struct ScalarInput {
  double value;
  std::uint32_t node = 0;  // in the open trace; 0 when it is not to be recorded
  std::uint8_t origin = 0;
  DlArray* place = nullptr;  // a temporary that nobody sees afterwards: the result may take its place, header and all

  // False when the operand is anything else.
  [[gnu::always_inline]] bool read(const Operand& x, const Trace* trace) {
    if (x.isNumber()) {
      value = x.number();
      return true;
    }
    const dl::detail::Header* h = Storage::get(x.get());
    if (!h || !h->plainScalar || h->type != Type::Double) return false;
    value = *static_cast<const double*>(h->data);
    origin = h->origin;
    if (h->node != 0 && (h->trace == trace ? trace->recording : recorded(trace, x.get()))) node = h->node;
    // A traced array gives its header only to a result that is traced too.
    DlArray* dying = x.dying();
    if (dying && (h->node == 0 || node != 0) && Storage::unique(*dying)) place = dying;
    return true;
  }
};

[[gnu::always_inline]] inline DlArray scalarResult(double value, std::uint8_t origin, DlArray* place) {
  if (!place) {
    DlArray y(value);
    if (origin) Storage::get(y)->origin = origin;
    return y;
  }
  dl::detail::Header* h = Storage::get(*place);
  *static_cast<double*>(h->data) = value;
  h->origin = origin;
  return std::move(*place);
}

template <class F>
struct Unary {
  static constexpr const char* name = F::name;
  static constexpr unsigned kept = ((F::needs & formula::X) ? 1U : 0U) | ((F::needs & formula::Y) ? keptResult : 0U);
  static constexpr std::size_t position = formula::UnaryFormulas::position<F>();

  DlArray evaluate(const Inputs& inputs) const { return runUnary(inputs, position); }
  void gradient(Backward& b) const requires(F::differentiable) {
    constexpr bool useX = (F::needs & formula::X) != 0, useY = (F::needs & formula::Y) != 0;
    if (b.isNumber() && b.keepsNumbers(F::needs))
      return b.addNumber(0, F::gradient(b.number(), useX ? b.keptNumber(0) : 0.0, useY ? b.keptNumber(2) : 0.0));
    if constexpr (std::same_as<F, formula::Negate>)
      if (!b.recorded()) return b.subtract(0, b.take());
    if constexpr (requires { F::slope; })
      if (b.isNumber()) return b.addMultiple(0, F::slope * b.number());
    const DlArray none;
    const DlArray &x = useX ? b.input(0) : none, &y = useY ? b.result() : none;
    if (b.recorded())
      b.add(0, F::gradient(Symbol(b.take()), Symbol(x), Symbol(y)).array);
    else if (b.isNumber() && numberOrNone(x) && numberOrNone(y))
      b.addNumber(0, F::gradient(b.number(), numberOrZero(x), numberOrZero(y)));
    else
      b.add(0, runUnaryGradient(b.take(), x, y, position));
  }
};

// The bits of formula::Kept are those of the short way.
template <class F>
constexpr ShortForm unaryForm{&detail::RuleOf<Unary<F>>::rule, Unary<F>::position, {0, F::needs, 0, 0}};

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
  DlArray evaluate(const Inputs& inputs) const { return runBinary(inputs, name, position); }
  void gradient(Backward& b) const {
    const bool needs0 = b.needs(0), needs1 = b.needs(1);
    if (b.isNumber()) {
      constexpr unsigned all = F::needsForA | F::needsForB;
      const bool numbers = b.keepsNumbers((needs0 ? F::needsForA : 0U) | (needs1 ? F::needsForB : 0U));
      if (numbers || small(b)) {
        const auto value = [&](unsigned bit, int i, const auto& array) {
          return !(all & bit) ? 0.0 : numbers ? b.keptNumber(i) : numberOrZero(array());
        };
        const double g = b.number(), x0 = value(formula::A, 0, [&]() -> auto& { return b.input(0); }),
                     x1 = value(formula::B, 1, [&]() -> auto& { return b.input(1); }),
                     y = value(formula::Y, 2, [&]() -> auto& { return b.result(); });
        if (needs0) b.addNumber(0, F::gradientA(g, x0, x1, y));
        if (needs1) b.addNumber(1, F::gradientB(g, x0, x1, y));
        return;
      }
    }
    if (needs0) b.add(0, by<true>(b, needs1 ? DlArray(b.gradient()) : DlArray(b.take())));
    if (!needs1) return;
    if (std::same_as<F, formula::Minus> && !b.recorded()) return b.subtract(1, b.take());
    b.add(1, by<false>(b, b.take()));
  }

 private:
  // What was kept is plain scalars only.
  static bool small(Backward& b) { return numberOrNone(b.input(0)) && numberOrNone(b.input(1)) && numberOrNone(b.result()); }
  // What one loop over g can take beside it: an array of its size, a number, or nothing.
  static bool fits(const DlArray& x, const DlArray& g) {
    const dl::detail::Header* h = Storage::get(x);
    const dl::detail::Header& of = Storage::of(g);
    return !h || (h->type == of.type && (h->numel == 1 || h->size == of.size));
  }
  template <bool first, class T>
  static T derivative(T g, T x, T y, T z) {
    if constexpr (first)
      return F::gradientA(std::move(g), std::move(x), std::move(y), std::move(z));
    else
      return F::gradientB(std::move(g), std::move(x), std::move(y), std::move(z));
  }
  template <bool first>
  static DlArray by(Backward& b, DlArray g) {
    if constexpr (F::simple)
      return simplyBy<first>(b, std::move(g));
    else
      return generallyBy<first>(b, std::move(g));
  }
  // Sums and products, which most walks are made of: what a sum passes on is the gradient itself.
  template <bool first>
  static DlArray simplyBy(Backward& b, DlArray g) {
    if constexpr (std::same_as<F, formula::Times>) {
      const DlArray& other = b.input(first ? 1 : 0);
      return !b.recorded() && fits(other, g) ? runProductGradient(std::move(g), other) : binary<F>(std::move(g), other);
    } else if constexpr (std::same_as<F, formula::Plus> || first) {
      return g;
    } else {
      static_assert(std::same_as<F, formula::Minus>);
      return unary<formula::Negate>(std::move(g));
    }
  }
  template <bool first>
  static DlArray generallyBy(Backward& b, DlArray g) {
    constexpr unsigned needs = first ? F::needsForA : F::needsForB;
    const DlArray none;
    const DlArray& x0 = (needs & formula::A) ? b.input(0) : none;
    const DlArray& x1 = (needs & formula::B) ? b.input(1) : none;
    const DlArray& y = (needs & formula::Y) ? b.result() : none;
    if (!b.recorded() && fits(x0, g) && fits(x1, g)) return runBinaryGradient(std::move(g), x0, x1, y, position, first);
    return derivative<first>(Symbol(std::move(g)), Symbol(x0), Symbol(x1), Symbol(y)).array;
  }
};

template <class F>
constexpr ShortForm binaryForm{
    &detail::RuleOf<Binary<F>>::rule, Binary<F>::position, {0, F::needsForA, F::needsForB, F::needsForA | F::needsForB}};

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
  void gradient(Backward& b) const {
    if (type != Type::Logical) b.add(0, b.take());  // a step is flat wherever it has a slope
  }
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

DlArray numbers(const Operand& x) { return castTo(x, numberType(Storage::of(x).type)); }

template <class F>
DlArray unary(const Operand& x) {
  Trace* trace = Trace::current();
  if (ScalarInput in; in.read(x, trace)) {
    const double value = F::value(in.value);
    DlArray y = scalarResult(value, in.origin, in.place);
    if (in.node) {
      Node& node = appendScalar(*trace, detail::RuleOf<Unary<F>>::rule, 1, in.node, 0, y);
      node.keptNumbers = F::needs;
      if constexpr ((F::needs & formula::X) != 0) node.keepNumber(0, in.value);
      if constexpr ((F::needs & formula::Y) != 0) node.keepNumber(2, value);
    }
    return y;
  }
  if (DlArray y = shortUnary(unaryForm<F>, x, trace); Storage::get(y)) return y;
  if (Storage::of(x).type == Type::Logical) return unary<F>(Operand(numbers(x), x.where()));
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
  const Type type = numberType(promote(Storage::of(a).type, Storage::of(b).type));
  const DlArray a1 = castTo(a, type), b1 = castTo(b, type);
  return next(Operand(a1, a.where()), Operand(b1, b.where()));
}
Type typeOfOperand(const Operand& x) { return x.isNumber() ? Type::Double : Storage::of(x.get()).type; }
bool sameFloating(const Operand& a, const Operand& b) {
  const Type type = typeOfOperand(a);
  return type == typeOfOperand(b) && type != Type::Logical;
}
}  // namespace

template <class F>
DlArray binary(const Operand& a, const Operand& b) {
  Trace* trace = Trace::current();
  if (ScalarInput inA, inB; inA.read(a, trace) && inB.read(b, trace)) {
    const double value = F::value(inA.value, inB.value);
    DlArray y = scalarResult(value, inA.origin | inB.origin, inA.place ? inA.place : inB.place);
    if (inA.node | inB.node) {
      constexpr unsigned all = F::needsForA | F::needsForB;
      Node& node = appendScalar(*trace, detail::RuleOf<Binary<F>>::rule, 2, inA.node, inB.node, y);
      node.keptNumbers = (inA.node ? F::needsForA : 0U) | (inB.node ? F::needsForB : 0U);
      if constexpr ((all & formula::A) != 0) node.keepNumber(0, inA.value);
      if constexpr ((all & formula::B) != 0) node.keepNumber(1, inB.value);
      if constexpr ((all & formula::Y) != 0) node.keepNumber(2, value);
    }
    return y;
  }
  if (DlArray y = shortBinary(binaryForm<F>, a, b, trace); Storage::get(y)) return y;
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
template <class... F>
constexpr auto allUnary(formula::List<F...>) {
  return std::array{&unary<F>...};
}
template <class... F>
constexpr auto allPredicates(formula::List<F...>) {
  return std::array{&predicate<F>...};
}
template <class... F>
constexpr auto allBinary(formula::List<F...>) {
  return std::array{&binary<F>...};
}
template <class... F>
constexpr auto allRelations(formula::List<F...>) {
  return std::array{&relation<F>...};
}
[[gnu::used]] constexpr auto unaryFunctions = allUnary(formula::UnaryFormulas());
[[gnu::used]] constexpr auto predicateFunctions = allPredicates(formula::Predicates());
[[gnu::used]] constexpr auto binaryFunctions = allBinary(formula::BinaryFormulas());
[[gnu::used]] constexpr auto relationFunctions = allRelations(formula::Relations());
}  // namespace

}  // namespace dl::engine
