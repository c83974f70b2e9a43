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
    return true;
  }
};

DlArray kept(const Operand& x) {
  const DlArray& array = x.get();
  DlArray* dying = x.dying();
  return dying ? std::move(*dying) : array;
}

template <class F>
struct Unary {
  static constexpr const char* name = F::name;
  static constexpr unsigned kept = ((F::needs & formula::X) ? 1U : 0U) | ((F::needs & formula::Y) ? keptResult : 0U);
  static constexpr std::size_t position = formula::UnaryFormulas::position<F>();

  DlArray evaluate(const Inputs& inputs) const { return runUnary(inputs, position); }
  void gradient(Backward& b) const requires(F::differentiable) {
    constexpr bool useX = (F::needs & formula::X) != 0, useY = (F::needs & formula::Y) != 0;
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
    if (b.isNumber() && small(b)) {
      const double g = b.number(), x0 = numberOrZero(b.input(0)), x1 = numberOrZero(b.input(1)), y = numberOrZero(b.result());
      if (needs0) b.addNumber(0, F::gradientA(g, x0, x1, y));
      if (needs1) b.addNumber(1, F::gradientB(g, x0, x1, y));
      return;
    }
    if (needs0) b.add(0, by<true>(b, needs1 ? DlArray(b.gradient()) : DlArray(b.take())));
    if (needs1) b.add(1, by<false>(b, b.take()));
  }

 private:
  // What was kept is plain scalars only.
  static bool small(Backward& b) { return numberOrNone(b.input(0)) && numberOrNone(b.input(1)) && numberOrNone(b.result()); }
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
      if constexpr (!F::simple) {
        const auto fits = [&](const DlArray& x) {
          return !Storage::get(x) || numel(x) == 1 || Storage::of(x).size == Storage::of(g).size;
        };
        if (fits(x0) && fits(x1)) return runBinaryGradient(std::move(g), x0, x1, y, position, first);
      }
    }
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
    DlArray y(F::value(in.value));
    if (in.origin) Storage::get(y)->origin = in.origin;
    if (in.node) {
      Node& node = appendScalar(*trace, detail::RuleOf<Unary<F>>::rule, 1, in.node, 0, y);
      node.keeps = F::needs != 0;
      if constexpr ((F::needs & formula::X) != 0) node.nearKept[0] = kept(x);
      if constexpr ((F::needs & formula::Y) != 0) node.nearKept[Node::near - 1] = y;
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
    DlArray y(F::value(inA.value, inB.value));
    if (inA.origin | inB.origin) Storage::get(y)->origin = inA.origin | inB.origin;
    if (inA.node | inB.node) {
      Node& node = appendScalar(*trace, detail::RuleOf<Binary<F>>::rule, 2, inA.node, inB.node, y);
      const unsigned keep = Binary<F>::keep((inA.node ? 1U : 0U) | (inB.node ? 2U : 0U));
      node.keeps = keep != 0;
      if (keep & 1U) node.nearKept[0] = kept(a);
      if (keep & 2U) node.nearKept[1] = kept(b);
      if (keep & keptResult) node.nearKept[Node::near - 1] = y;
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
