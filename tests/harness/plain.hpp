#pragma once
// Arrays as plain data, and loops over them as one would write them by hand: what the library's results are compared with.
#include <dlarray/dlarray.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dl::test {

using Numbers = std::vector<double>;

/// Sizes, labels ("" for none) and values in column-major order.
struct Plain {
  Size size;
  std::string labels;
  Numbers values;
};

/// "3(C) x 7(B)" or "3 x 7" read back; no values.
Plain parse(const std::string& shape);
/// The opposite of `parse`.
std::string text(const Plain& x);
std::string text(const DlArray& x);
Plain plain(const DlArray& x);
DlArray array(const Plain& x, Type type = Type::Double);

/// What sets the values of an array apart from others, "" when nothing does; the tolerance is relative to the larger of 1 and the
/// value.
std::string difference(const DlArray& got, const Numbers& want, double tolerance = 1e-12);
std::string difference(const Numbers& got, const Numbers& want, double tolerance = 1e-12);

/// Calls visit(k, at) with the number and the position along each dimension of every element.
void forEach(const Size& size, const std::function<void(std::size_t k, std::vector<Index>& at)>& visit);
/// The number of the element at a position.
std::size_t numberAt(const Size& size, const std::vector<Index>& at);

/// f of the numbers that differ only in the position along `dimensions`.
Numbers reduce(const Plain& x, const std::vector<int>& dimensions, const std::function<double(const Numbers&)>& f);
/// f of every lane along a dimension in the place of the lane.
Numbers along(const Plain& x, int dimension, const std::function<Numbers(const Numbers&)>& f);
/// The elements at all combinations of positions along each dimension.
Numbers pick(const Plain& x, const std::vector<std::vector<Index>>& positions);
/// y(at[order[0]], at[order[1]], ...) = x(at).
Numbers permuted(const Plain& x, const std::vector<Index>& order);
/// The product of two matrices.
Numbers product(const Plain& a, const Plain& b);

/// f of each element.
Numbers each(const Plain& x, const std::function<double(double)>& f);
/// Without the dimensions past the second that an array does not show: unlabelled or U, of size 1.
Plain withoutTrailing(Plain x);
/// Size and labels that two arrays expand to; none when two sizes differ and neither is 1.
std::optional<Plain> expandedShape(const Plain& a, const Plain& b);
/// f of two arrays with implicit expansion: the k-th dimension of a label meets the other's k-th, an unlabelled array meets by
/// place.
Plain expand(const Plain& a, const Plain& b, const std::function<double(double, double)>& f);

/// n numbers between `low` and `high`, evenly spread and shuffled: no two are close, and none is close to the middle.
Numbers spread(std::size_t n, double low, double high, unsigned seed = 0);

}  // namespace dl::test
