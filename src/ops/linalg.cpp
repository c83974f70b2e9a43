#include "cpu/blas.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"
#include "ops/dimensions.hpp"

#include <dlarray/ops/compare.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// ---- the product -----------------------------------------------------------------------------------------------------

// op(A) * op(B) page by page, where op transposes if the flag says so: gradients are products again, without transposed copies.
struct Product {
  static constexpr const char* name = "mtimes";
  bool transA, transB;

  // Rows and columns of the product and what is summed over.
  struct Extent {
    Index m, n, k;
  };
  Extent extent(const Size& a, const Size& b) const { return {a[transA], b[!transB], a[!transA]}; }

  static unsigned keep(unsigned traced) { return (traced & 1U) << 1 | (traced >> 1 & 1U); }
  Result infer(const Inputs& in) const {
    const Size &a = Storage::of(in[0]).size, &b = Storage::of(in[1]).size;
    const Extent e = extent(a, b);
    Shape shape{Size::matrix(e.m, e.n), {}};
    for (std::size_t d = 2; d < std::max(a.size(), b.size()); ++d) {
      const Index pages = d < a.size() ? a[d] : 1;
      shape.size.push_back(pages != 1 || d >= b.size() ? pages : b[d]);
    }
    return {shape, Storage::of(in[0]).type};
  }
  void run(const Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      multiply<float>(in, y);
    else
      multiply<double>(in, y);
  }
  void gradient(Backward& b) const;

 private:
  template <class T>
  void multiply(const Inputs& in, DlArray& y) const;
};

// Pages that continue each other in both factors, as one run.
struct PageAxis {
  Index count, a, b;  // steps in elements, 0 where a factor has one page only
};

std::vector<PageAxis> pageAxes(const Size& a, const Size& b, const Size& y) {
  std::vector<PageAxis> axes;
  Index stepA = a[0] * a[1], stepB = b[0] * b[1];
  for (std::size_t d = 2; d < y.size(); ++d) {
    const Index na = d < a.size() ? a[d] : 1, nb = d < b.size() ? b[d] : 1;
    if (y[d] == 1) continue;
    const PageAxis axis{y[d], na == 1 ? 0 : stepA, nb == 1 ? 0 : stepB};
    stepA *= na;
    stepB *= nb;
    if (!axes.empty() && axes.back().a * axes.back().count == axis.a && axes.back().b * axes.back().count == axis.b)
      axes.back().count *= axis.count;
    else
      axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, 0, 0});
  return axes;
}

template <class T>
void Product::multiply(const Inputs& in, DlArray& y) const {
  const Size &a = Storage::of(in[0]).size, &b = Storage::of(in[1]).size, &size = Storage::of(y).size;
  const T *pa = Storage::data<T>(in[0]), *pb = Storage::data<T>(in[1]);
  T* to = Storage::mutableData<T>(y);
  const Extent e = extent(a, b);
  if (size.size() == 2) return cpu::gemm<T>(transA, transB, e.m, e.n, e.k, 1, pa, pb, 0, to);
  const std::vector<PageAxis> axes = pageAxes(a, b, size);
  const Index page = e.m * e.n, runs = numel(y) / (page * axes[0].count);
  for (Index run = 0; run < runs; ++run) {
    Index rest = run, fromA = 0, fromB = 0;
    for (std::size_t i = 1; i < axes.size(); ++i) {
      fromA += rest % axes[i].count * axes[i].a;
      fromB += rest % axes[i].count * axes[i].b;
      rest /= axes[i].count;
    }
    cpu::gemmBatch<T>(transA, transB, e.m, e.n, e.k, 1, pa + fromA, axes[0].a, pb + fromB, axes[0].b, 0,
                      to + run * axes[0].count * page, page, axes[0].count);
  }
}

bool isSinglePage(const DlArray& x) { return Storage::of(x).size.size() == 2; }

// Checked factors of the same floating type. Pages of an untransposed right factor that meet one and the same left matrix are
// columns side by side: one large product in place of many.
DlArray product(const Operand& a, bool transA, const Operand& b, bool transB) {
  if (transB || !isSinglePage(a) || isSinglePage(b)) return engine::apply(Product{transA, transB}, a, b);
  Size full = Storage::of(b).size;
  Index columns = 1;
  for (std::size_t d = 1; d < full.size(); ++d) columns *= full[d];
  const DlArray y = product(a, transA, engine::reshapeTo(b, {Size::matrix(full[0], columns), {}}), false);
  full[0] = size(y, 0);
  return engine::reshapeTo(y, {full, {}});
}

void Product::gradient(Backward& b) const {
  const DlArray& g = b.gradient();
  if (b.needs(0)) b.add(0, transA ? product(b.input(1), transB, g, true) : product(g, false, b.input(1), !transB));
  if (b.needs(1)) b.add(1, transB ? product(g, true, b.input(0), transA) : product(b.input(0), !transA, g, false));
}

// Factors brought to the type that the product is computed in.
DlArray typedProduct(const Operand& a, bool transA, const Operand& b, bool transB) {
  const Type ta = Storage::of(a).type, tb = Storage::of(b).type;
  if (ta == tb && ta != Type::Logical) return product(a, transA, b, transB);
  const Type type = engine::numberType(engine::promote(ta, tb));
  return product(Operand(engine::castTo(a, type), a.where()), transA, Operand(engine::castTo(b, type), b.where()), transB);
}

[[noreturn]] void failInner(const char* function, const DlArray& a, const DlArray& b, const std::source_location& where) {
  fail(where, "mtimes:innerSizes", "{}: inner sizes differ: {} times {}", function, describe(a), describe(b));
}
[[noreturn]] void failLabels(const char* function, const DlArray& a, const DlArray& b, const std::source_location& where) {
  fail(where, "mtimes:labels",
       "{}: {} times {}: a labelled matrix takes no part in a matrix product; take the labels off with stripdims first", function,
       describe(a), describe(b));
}
bool labelled(const DlArray& x) { return Storage::of(x).format.labelled(); }

[[noreturn]] void failMatrices(const Operand& a, const Operand& b) {
  const Size &sa = Storage::of(a).size, &sb = Storage::of(b).size;
  if (!labelled(a) && !labelled(b) && !(ismatrix(a) && ismatrix(b)))
    fail(a.where(), "mtimes:pages", "mtimes: {} times {}: a matrix product takes matrices; pagemtimes multiplies page by page",
         describe(a), describe(b));
  if (sa[1] != sb[0]) failInner("mtimes", a, b, a.where());
  failLabels("mtimes", a, b, a.where());
}

DlArray multiply(const Operand& a, const Operand& b) {
  if (a.isNumber() || b.isNumber()) return engine::binary<formula::Times>(a, b);  // before an array is made of the number
  const auto &ha = Storage::of(a), &hb = Storage::of(b);
  if (ha.numel == 1 || hb.numel == 1) return engine::binary<formula::Times>(a, b);
  if (ha.size.size() != 2 || hb.size.size() != 2 || ha.size[1] != hb.size[0] || ha.format.labelled() || hb.format.labelled())
    failMatrices(a, b);
  return typedProduct(a, false, b, false);
}

bool transposes(std::string_view option, const std::source_location& where) {
  if (option == "transpose" || option == "ctranspose") return true;
  if (option != "none")
    fail(where, "pagemtimes:option", "pagemtimes: \"{}\" is neither \"none\", \"transpose\" nor \"ctranspose\"", option);
  return false;
}

bool scalarPages(const DlArray& x) { return Storage::of(x).size[0] == 1 && Storage::of(x).size[1] == 1; }

DlArray pagesTransposed(const Operand& x, bool transposed) {
  if (!transposed) return x;
  std::vector<Index> order{1, 0};
  while (static_cast<Index>(order.size()) < ndims(x)) order.push_back(static_cast<Index>(order.size()));
  return permute(x, order);
}

DlArray pageProduct(const Operand& a, bool transA, const Operand& b, bool transB) {
  const auto& where = a.where();
  if ((scalarPages(a) && !labelled(a)) || (scalarPages(b) && !labelled(b)))
    return engine::binary<formula::Times>(Operand(pagesTransposed(a, transA), where), Operand(pagesTransposed(b, transB), where));
  const Size &sa = Storage::of(a).size, &sb = Storage::of(b).size;
  if (sa[!transA] != sb[transB]) failInner("pagemtimes", a, b, where);
  if (labelled(a) || labelled(b)) failLabels("pagemtimes", a, b, where);
  for (std::size_t d = 2; d < std::min(sa.size(), sb.size()); ++d)
    if (sa[d] != sb[d] && sa[d] != 1 && sb[d] != 1)
      fail(where, "pagemtimes:pages",
           "pagemtimes: pages do not expand: {} times {}; from the third dimension on sizes must be equal or one of them 1",
           describe(a), describe(b));
  return typedProduct(a, transA, b, transB);
}

// ---- norms -----------------------------------------------------------------------------------------------------------

Dimensions asDimensions(std::uint32_t set) {
  std::vector<Index> numbers;
  for (Index d = 0; d < Size::maxDimensions; ++d)
    if (set >> d & 1U) numbers.push_back(d);
  return numbers;
}

// The same elements as a constant.
DlArray untraced(const DlArray& x) { return Storage::reshaped(x, Storage::shape(x)); }

template <class T>
bool allInRange(const DlArray& x, T low, T high) {
  const T* values = Storage::data<T>(x);
  return std::all_of(values, values + numel(x), [=](T v) { return v >= low && v <= high; });
}

// True when no sum of powers has overflown or come so close to 0 that it lost digits.
bool trustworthy(const DlArray& sums) {
  if (Storage::of(sums).type == Type::Single) {
    using Limits = std::numeric_limits<float>;
    return allInRange<float>(sums, Limits::min() / Limits::epsilon(), Limits::max());
  }
  using Limits = std::numeric_limits<double>;
  return allInRange<double>(sums, Limits::min() / Limits::epsilon(), Limits::max());
}

// sum(|x|^p) along dimensions.
DlArray powerSum(const Operand& x, double p, const Dimensions& dimensions) {
  if (p != 2) return sum(power(abs(x), p), dimensions);
  const Size& s = Storage::of(x).size;
  const bool plainVector =
      s.size() == 2 && (s[0] == 1 || s[1] == 1) && !labelled(x) && dimensions.kind() == Dimensions::Kind::All;
  // Both factors are named anew: a temporary handed in twice would be given away twice.
  if (plainVector && Storage::of(x).type != Type::Logical) return product(x.get(), s[1] == 1, x.get(), s[1] != 1);
  return sum(power(x, 2), dimensions);
}

DlArray root(const DlArray& x, double p) { return p == 2 ? sqrt(x) : power(x, 1 / p); }

// p-norms along dimensions. The norm of s x is s times the norm of x for every constant s: with the largest element for s, no
// power overflows; the derivatives come out the same.
DlArray normAlong(const Operand& x, double p, const Dimensions& dimensions) {
  if (isempty(x)) return sum(abs(x), dimensions);
  if (p == std::numeric_limits<double>::infinity()) return max(abs(x), Empty(), dimensions);
  if (p == -std::numeric_limits<double>::infinity()) return min(abs(x), Empty(), dimensions);
  if (p == 1) return sum(abs(x), dimensions);
  const DlArray sums = powerSum(x, p, dimensions);
  if (trustworthy(sums)) return root(sums, p);
  const DlArray largest = max(abs(untraced(x)), Empty(), dimensions);
  const DlArray scale = engine::select(isfinite(largest / largest), largest, 1.0);
  return scale % root(powerSum(x / scale, p, dimensions), p);
}

void checkPower(double p, const char* function, const std::source_location& where) {
  if (!(p > 0 || std::isinf(p))) fail(where, "norm:power", "{}: p is {}; it must be positive, Inf or -Inf", function, p);
}

DlArray matrixNorm(const Operand& x, double p) {
  if (p == 1 || p == std::numeric_limits<double>::infinity()) {
    const DlArray sums = sum(abs(x), p == 1 ? 0 : 1);
    return max(sums, Empty(), "all");
  }
  fail(x.where(), "norm:matrix",
       "norm: of a matrix, here {}, the norms 1, Inf and \"fro\" are known, not {}; vecnorm gives the norms of rows or columns",
       describe(x), p);
}

}  // namespace

DlArray mtimes(Operand a, Operand b) { return multiply(a, b); }
DlArray operator*(Operand a, Operand b) { return multiply(a, b); }
DlArray& operator*=(DlArray& a, Operand b) { return a = multiply(Operand(a, b.where()), b); }

DlArray pagemtimes(Operand a, Operand b) { return pageProduct(a, false, b, false); }
DlArray pagemtimes(Operand a, std::string_view transposeA, Operand b, std::string_view transposeB) {
  return pageProduct(a, transposes(transposeA, a.where()), b, transposes(transposeB, a.where()));
}

DlArray kron(Operand a, Operand b) {
  if (!ismatrix(a) || !ismatrix(b))
    fail(a.where(), "kron:matrix", "kron: {} and {}: both must be matrices", describe(a), describe(b));
  if (labelled(a) || labelled(b)) failLabels("kron", a, b, a.where());
  const Index ma = size(a, 0), na = size(a, 1), mb = size(b, 0), nb = size(b, 1);
  return reshape(reshape(a, 1, ma, 1, na) % reshape(b, mb, 1, nb, 1), ma * mb, na * nb);
}

DlArray dot(Operand a, Operand b) {
  const bool vectors = isvector(a) && isvector(b) && numel(a) == numel(b);
  if (!vectors || labelled(a) || labelled(b)) return dot(a, b, Dimensions());
  return typedProduct(a, iscolumn(a), b, !iscolumn(b));
}

DlArray dot(Operand a, Operand b, const Dimensions& dimension) {
  if (!(size(a) == size(b))) fail(a.where(), "dot:sizes", "dot: sizes differ: {} and {}", describe(a), describe(b));
  const std::uint32_t set = resolveDimensions(dimension, labelled(b) ? b : a, "dot", a.where());
  return sum(Operand(engine::binary<formula::Times>(a, b), a.where()), asDimensions(set));
}

DlArray cross(Operand a, Operand b, const Dimensions& dimension) {
  const auto& where = a.where();
  if (!(size(a) == size(b)) && isvector(a) && isvector(b) && !labelled(a) && !labelled(b) && numel(a) == numel(b))
    return cross(Operand(reshape(a, Empty(), 1), where), Operand(reshape(b, Empty(), 1), where), 0);
  if (!(size(a) == size(b))) fail(where, "cross:sizes", "cross: sizes differ: {} and {}", describe(a), describe(b));
  const auto d = static_cast<Index>(resolveDimension(dimension, labelled(b) ? b : a, "cross", where));
  if (size(a, d) != 3)
    fail(where, "cross:three", "cross: the vectors along dimension {} of {} have {} elements, not 3", d, describe(a), size(a, d));
  return circshift(a, -1, d) % circshift(b, -2, d) - circshift(a, -2, d) % circshift(b, -1, d);
}

DlArray norm(Operand x, double p) {
  checkPower(p, "norm", x.where());
  if (isvector(x) || isempty(x)) return normAlong(x, p, "all");
  if (!ismatrix(x))
    fail(x.where(), "norm:dimensions",
         "norm: {} is neither a vector nor a matrix; norm(x, \"fro\") takes all elements, vecnorm one dimension", describe(x));
  return matrixNorm(x, p);
}

DlArray norm(Operand x, std::string_view kind) {
  if (kind == "fro") return normAlong(x, 2, "all");
  if (kind == "inf" || kind == "Inf") return norm(x, std::numeric_limits<double>::infinity());
  if (kind == "-inf" || kind == "-Inf") return norm(x, -std::numeric_limits<double>::infinity());
  fail(x.where(), "norm:kind", "norm: \"{}\" is neither \"fro\", \"inf\" nor \"-inf\"", kind);
}

DlArray vecnorm(Operand x, double p, const Dimensions& dimension) {
  checkPower(p, "vecnorm", x.where());
  return normAlong(x, p, asDimensions(resolveDimensions(dimension, x, "vecnorm", x.where())));
}

}  // namespace dl
