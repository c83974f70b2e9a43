#include "harness/plain.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <sstream>

namespace dl::test {

Plain parse(const std::string& shape) {
  Plain x;
  std::istringstream in(shape);
  Index size;
  for (std::string separator; in >> size; in >> separator) {
    x.size.push_back(size);
    if (in.peek() == '(') {
      in.get();
      x.labels += static_cast<char>(in.get());
      in.get();
    }
  }
  return x;
}

std::string text(const Plain& x) {
  std::ostringstream out;
  for (std::size_t d = 0; d < x.size.size(); ++d) {
    out << (d ? " x " : "") << x.size[d];
    if (!x.labels.empty()) out << '(' << x.labels[d] << ')';
  }
  return out.str();
}

std::string text(const DlArray& x) { return text(plain(x)); }

Plain plain(const DlArray& x) { return {size(x), dims(x), extractdata<Numbers>(x)}; }

DlArray array(const Plain& x, Type type) { return cast(dlarray(x.values, x.size, x.labels), type); }

std::string difference(const DlArray& got, const Numbers& want, double tolerance) {
  return difference(extractdata<Numbers>(got), want, tolerance);
}

std::string difference(const Numbers& got, const Numbers& want, double tolerance) {
  if (got.size() != want.size()) return fmt::format("{} numbers, not {}", got.size(), want.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    const double g = got[k], w = want[k];
    const bool same = std::isfinite(w) ? std::abs(g - w) <= tolerance * std::max(1.0, std::abs(w))
                      : std::isnan(w)  ? std::isnan(g)
                                       : g == w;
    if (!same) return fmt::format("element {} is {:.17g}, not {:.17g}", k, g, w);
  }
  return "";
}

void forEach(const Size& size, const std::function<void(std::size_t, std::vector<Index>&)>& visit) {
  std::vector<Index> at(size.size(), 0);
  const auto n = static_cast<std::size_t>(numel(size));
  for (std::size_t k = 0; k < n; ++k) {
    std::vector<Index> given = at;
    visit(k, given);
    for (std::size_t d = 0; d < at.size() && ++at[d] == size[d]; ++d) at[d] = 0;
  }
}

std::size_t numberAt(const Size& size, const std::vector<Index>& at) {
  Index k = 0;
  for (std::size_t d = size.size(); d-- > 0;) k = k * size[d] + at[d];
  return static_cast<std::size_t>(k);
}

namespace {
// The numbers of each group of elements that differ only along some dimensions, by the position of the group's first element.
std::map<std::vector<Index>, Numbers> groups(const Plain& x, const std::vector<int>& dimensions) {
  std::map<std::vector<Index>, Numbers> all;
  forEach(x.size, [&](std::size_t k, std::vector<Index>& at) {
    for (int d : dimensions) at[static_cast<std::size_t>(d)] = 0;
    all[at].push_back(x.values[k]);
  });
  return all;
}
}  // namespace

Numbers reduce(const Plain& x, const std::vector<int>& dimensions, const std::function<double(const Numbers&)>& f) {
  Size size = x.size;
  for (int d : dimensions) size[static_cast<std::size_t>(d)] = 1;
  Numbers y(static_cast<std::size_t>(numel(size)), f({}));
  for (const auto& [at, numbers] : groups(x, dimensions)) y[numberAt(size, at)] = f(numbers);
  return y;
}

Numbers along(const Plain& x, int dimension, const std::function<Numbers(const Numbers&)>& f) {
  const auto d = static_cast<std::size_t>(dimension);
  Size size = x.size;
  Numbers y;
  for (const auto& [start, lane] : groups(x, {dimension})) {
    const Numbers result = f(lane);
    std::vector<Index> at = start;
    size[d] = static_cast<Index>(result.size());
    y.resize(static_cast<std::size_t>(numel(size)));
    for (Index i = 0; i < size[d]; ++i) {
      at[d] = i;
      y[numberAt(size, at)] = result[static_cast<std::size_t>(i)];
    }
  }
  return y;
}

Numbers pick(const Plain& x, const std::vector<std::vector<Index>>& positions) {
  Size size;
  for (const auto& list : positions) size.push_back(static_cast<Index>(list.size()));
  Numbers y(static_cast<std::size_t>(numel(size)));
  forEach(size, [&](std::size_t k, std::vector<Index>& at) {
    for (std::size_t d = 0; d < at.size(); ++d) at[d] = positions[d][static_cast<std::size_t>(at[d])];
    y[k] = x.values[numberAt(x.size, at)];
  });
  return y;
}

Numbers permuted(const Plain& x, const std::vector<Index>& order) {
  Size from = x.size;
  from.resize(order.size());
  Size to;
  for (Index d : order) to.push_back(from[static_cast<std::size_t>(d)]);
  Numbers y(x.values.size());
  forEach(from, [&](std::size_t k, std::vector<Index>& at) {
    std::vector<Index> moved;
    for (Index d : order) moved.push_back(at[static_cast<std::size_t>(d)]);
    y[numberAt(to, moved)] = x.values[k];
  });
  return y;
}

Numbers product(const Plain& a, const Plain& b) {
  const Index m = a.size[0], k = a.size[1], n = b.size[1];
  Numbers y;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < m; ++i) {
      double sum = 0;
      for (Index l = 0; l < k; ++l)
        sum += a.values[static_cast<std::size_t>(i + l * m)] * b.values[static_cast<std::size_t>(l + j * k)];
      y.push_back(sum);
    }
  return y;
}

Numbers each(const Plain& x, const std::function<double(double)>& f) {
  Numbers y = x.values;
  std::transform(y.begin(), y.end(), y.begin(), f);
  return y;
}

namespace {
// One dimension of an expanded array and the dimensions of both inputs that meet in it, -1 for none.
struct Meeting {
  char label;
  int a, b;
};

std::vector<Meeting> meetings(const Plain& a, const Plain& b) {
  std::vector<Meeting> all;
  const auto has = [](const Plain& x, std::size_t d) { return d < x.size.size() ? static_cast<int>(d) : -1; };
  if (a.labels.empty() || b.labels.empty()) {
    const std::string& labels = a.labels.empty() ? b.labels : a.labels;
    for (std::size_t d = 0; d < std::max(a.size.size(), b.size.size()); ++d)
      all.push_back({labels.empty() ? ' ' : d < labels.size() ? labels[d] : 'U', has(a, d), has(b, d)});
    return all;
  }
  for (char label : std::string("SCBTU"))
    for (std::size_t i = a.labels.find(label), j = b.labels.find(label);; ++i, ++j) {
      const bool inA = i < a.labels.size() && a.labels[i] == label, inB = j < b.labels.size() && b.labels[j] == label;
      if (!inA && !inB) break;
      all.push_back({label, inA ? static_cast<int>(i) : -1, inB ? static_cast<int>(j) : -1});
      // Keeps "not found" from wrapping round to a position.
      if (!inA) i = a.labels.size();
      if (!inB) j = b.labels.size();
    }
  return all;
}
}  // namespace

Plain withoutTrailing(Plain x) {
  while (x.size.size() > 2 && x.size[x.size.size() - 1] == 1 && (x.labels.empty() || x.labels.back() == 'U')) {
    x.size.resize(x.size.size() - 1);
    if (!x.labels.empty()) x.labels.pop_back();
  }
  return x;
}

namespace {
Index sizeAt(const Plain& x, int dimension) { return dimension < 0 ? 1 : x.size[static_cast<std::size_t>(dimension)]; }
}  // namespace

std::optional<Plain> expandedShape(const Plain& a, const Plain& b) {
  Plain y;
  for (const Meeting& m : meetings(a, b)) {
    const Index sizeA = sizeAt(a, m.a), sizeB = sizeAt(b, m.b);
    if (sizeA != sizeB && sizeA != 1 && sizeB != 1) return {};
    y.size.push_back(sizeA == 1 ? sizeB : sizeA);
    if (m.label != ' ') y.labels += m.label;
  }
  return withoutTrailing(y);
}

Plain expand(const Plain& a, const Plain& b, const std::function<double(double, double)>& f) {
  const std::vector<Meeting> dimensions = meetings(a, b);
  Plain y = *expandedShape(a, b);
  Size whole = y.size;
  whole.resize(dimensions.size());
  forEach(whole, [&](std::size_t, std::vector<Index>& at) {
    std::vector<Index> atA(a.size.size(), 0), atB(b.size.size(), 0);
    for (std::size_t d = 0; d < at.size(); ++d) {
      if (const int i = dimensions[d].a; sizeAt(a, i) != 1) atA[static_cast<std::size_t>(i)] = at[d];
      if (const int i = dimensions[d].b; sizeAt(b, i) != 1) atB[static_cast<std::size_t>(i)] = at[d];
    }
    y.values.push_back(f(a.values[numberAt(a.size, atA)], b.values[numberAt(b.size, atB)]));
  });
  return y;
}

Numbers spread(std::size_t n, double low, double high, unsigned seed) {
  Numbers values(n);
  const double offsets[] = {0.37, 0.61, 0.23, 0.77};
  for (std::size_t k = 0; k < n; ++k)
    values[k] = low + (high - low) * (static_cast<double>(k) + offsets[seed % 4]) / static_cast<double>(n);
  unsigned state = seed * 2654435761U + 12345U;
  for (std::size_t k = n; k > 1; --k) {
    state = state * 1664525U + 1013904223U;
    std::swap(values[k - 1], values[(state >> 8) % k]);
  }
  return values;
}

}  // namespace dl::test
