// Rows for functions that rearrange elements.
#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Op = std::function<DlArray(const DlArray&)>;
using Lane = std::function<Numbers(const Numbers&)>;
using Reference = std::function<Numbers(const Plain&)>;

void row(const std::string& name, const char* shape, const Op& op, const Reference& reference, const std::string& expect) {
  check(Row{name,
            {{shape}},
            [&](const Arrays& x) { return op(x[0]); },
            [&](const std::vector<Plain>& x) { return reference(x[0]); },
            expect});
}
Numbers same(const Plain& x) { return x.values; }
Reference order(std::vector<Index> dimensions) {
  return [=](const Plain& x) { return permuted(x, dimensions); };
}
Reference lanes(int dimension, const Lane& f) {
  return [=](const Plain& x) { return along(x, dimension, f); };
}
Numbers reversed(Numbers v) {
  std::reverse(v.begin(), v.end());
  return v;
}
Lane turned(int steps) {
  return [=](const Numbers& v) {
    Numbers y(v.size());
    const int n = static_cast<int>(v.size());
    for (int i = 0; i < n; ++i) y[static_cast<std::size_t>(((i + steps) % n + n) % n)] = v[static_cast<std::size_t>(i)];
    return y;
  };
}
Numbers differences(const Numbers& v) {
  Numbers y;
  for (std::size_t i = 1; i < v.size(); ++i) y.push_back(v[i] - v[i - 1]);
  return y;
}
Numbers repeated(const Numbers& v, int times) {
  Numbers y;
  for (int i = 0; i < times; ++i) y.insert(y.end(), v.begin(), v.end());
  return y;
}
// b behind a along a dimension.
Numbers joined(const Plain& a, const Plain& b, std::size_t dimension) {
  Size size = a.size;
  size.resize(std::max(size.size(), dimension + 1));
  Size sizeB = b.size;
  sizeB.resize(size.size());
  const Index n = size[dimension];
  Plain y{size, "", {}};
  y.size[dimension] += sizeB[dimension];
  forEach(y.size, [&](std::size_t, std::vector<Index>& at) {
    const bool second = at[dimension] >= n;
    if (second) at[dimension] -= n;
    y.values.push_back(second ? b.values[numberAt(sizeB, at)] : a.values[numberAt(size, at)]);
  });
  return y.values;
}
void join(const std::string& name, const char* a, const char* b, const std::function<DlArray(const Arrays&)>& op,
          std::size_t dimension, const char* expect) {
  check(Row{name, {{a}, {b}}, op, [=](const std::vector<Plain>& x) { return joined(x[0], x[1], dimension); }, expect});
}

}  // namespace

BOOST_AUTO_TEST_CASE(reshaping) {
  row(
      "reshape by numbers", "3 x 4", [](const DlArray& x) { return reshape(x, 2, 6); }, same, "2 x 6");
  row(
      "reshape by a size", "3(C) x 4(B)",
      [](const DlArray& x) {
        return reshape(x, Size{2, 3, 2});
      },
      same, "2 x 3 x 2");
  row(
      "reshape with an open size", "2 x 3 x 4", [](const DlArray& x) { return reshape(x, 4, -1); }, same, "4 x 6");
  row(
      "reshape with [] first", "2(S) x 3(C) x 4(B)", [](const DlArray& x) { return reshape(x, {}, 2); }, same, "12 x 2");
  row(
      "reshape with [] last", "2 x 3 x 4", [](const DlArray& x) { return reshape(x, 3, {}); }, same, "3 x 8");
  row(
      "reshape to trailing ones", "3 x 4", [](const DlArray& x) { return reshape(x, 12, 1, 1, 1); }, same, "12 x 1");
  row("squeeze", "1 x 3 x 1 x 4", squeeze, same, "3 x 4");
  row("squeeze of labels", "1(S) x 3(C) x 1(B) x 4(T)", squeeze, same, "3(C) x 4(T)");
  row("squeeze to a column", "1(S) x 3(C) x 1(B)", squeeze, same, "3(C) x 1(U)");
  row("squeeze of a matrix", "1 x 3", squeeze, same, "1 x 3");
}

BOOST_AUTO_TEST_CASE(permuting) {
  row(
      "permute", "2 x 3 x 4",
      [](const DlArray& x) {
        return permute(x, {2, 0, 1});
      },
      order({2, 0, 1}), "4 x 2 x 3");
  row(
      "permute of four dimensions", "2 x 3 x 4 x 2",
      [](const DlArray& x) {
        return permute(x, {3, 1, 0, 2});
      },
      order({3, 1, 0, 2}), "2 x 3 x 2 x 4");
  row(
      "permute to new dimensions", "2 x 3",
      [](const DlArray& x) {
        return permute(x, {2, 0, 1});
      },
      same, "1 x 2 x 3");
  row(
      "permute within a label", "2(S) x 3(S) x 4(C)",
      [](const DlArray& x) {
        return permute(x, {1, 0, 2});
      },
      order({1, 0, 2}), "3(S) x 2(S) x 4(C)");
  row(
      "ipermute", "4 x 2 x 3",
      [](const DlArray& x) {
        return ipermute(x, {2, 0, 1});
      },
      order({1, 2, 0}), "2 x 3 x 4");
  row("transpose", "3 x 5", transpose, order({1, 0}), "5 x 3");
  row("transpose within a label", "3(S) x 5(S)", transpose, order({1, 0}), "5(S) x 3(S)");
  row("ctranspose", "3 x 5", ctranspose, order({1, 0}), "5 x 3");
  row(
      "shiftdim to the left", "2 x 3 x 4", [](const DlArray& x) { return shiftdim(x, 1); }, order({1, 2, 0}), "3 x 4 x 2");
  row(
      "shiftdim to the right", "2 x 3", [](const DlArray& x) { return shiftdim(x, -1); }, same, "1 x 2 x 3");
  row(
      "shiftdim of leading ones", "1 x 1 x 3 x 2", [](const DlArray& x) { return shiftdim(x); }, same, "3 x 2");
}

BOOST_AUTO_TEST_CASE(repeating) {
  row(
      "repmat by one number", "2 x 3", [](const DlArray& x) { return repmat(x, 2); },
      [](const Plain& x) {
        return along({Size{4, 3}, "", along(x, 0, [](const Numbers& v) { return repeated(v, 2); })}, 1,
                     [](const Numbers& v) { return repeated(v, 2); });
      },
      "4 x 6");
  row(
      "repmat down", "2(C) x 3(B)", [](const DlArray& x) { return repmat(x, 3, 1); },
      lanes(0, [](const Numbers& v) { return repeated(v, 3); }), "6(C) x 3(B)");
  row(
      "repmat to a new dimension", "2(C) x 3(B)", [](const DlArray& x) { return repmat(x, 1, 1, 2); },
      [](const Plain& x) { return repeated(x.values, 2); }, "2(C) x 3(B) x 2(U)");
  row(
      "repmat by a size", "2 x 3",
      [](const DlArray& x) {
        return repmat(x, Size{1, 2});
      },
      [](const Plain& x) { return repeated(x.values, 2); }, "2 x 6");
  row(
      "repmat to nothing", "2 x 3", [](const DlArray& x) { return repmat(x, 0, 1); }, [](const Plain&) { return Numbers(); },
      "0 x 3");
}

BOOST_AUTO_TEST_CASE(joining) {
  join(
      "cat along 0", "2 x 3", "4 x 3",
      [](const Arrays& x) {
        return cat(0, {x[0], x[1]});
      },
      0, "6 x 3");
  join(
      "cat along a new dimension", "2 x 3", "2 x 3",
      [](const Arrays& x) {
        return cat(2, {x[0], x[1]});
      },
      2, "2 x 3 x 2");
  join(
      "cat along a label", "3(C) x 2(B)", "3(C) x 4(B)", [](const Arrays& x) { return cat("B", x); }, 1, "3(C) x 6(B)");
  join(
      "cat of labelled and unlabelled", "3(C) x 2(B)", "3 x 4", [](const Arrays& x) { return cat(1, x); }, 1, "3(C) x 6(B)");
  join(
      "cat in the middle", "2 x 3 x 2", "2 x 1 x 2", [](const Arrays& x) { return cat(1, x); }, 1, "2 x 4 x 2");
  join(
      "horzcat", "2 x 3", "2 x 1", [](const Arrays& x) { return horzcat(x[0], x[1]); }, 1, "2 x 4");
  join(
      "horzcat of a list", "2(S) x 3(S)", "2(S) x 1(S)", [](const Arrays& x) { return horzcat(x); }, 1, "2(S) x 4(S)");
  join(
      "vertcat", "2 x 3", "1 x 3", [](const Arrays& x) { return vertcat(x[0], x[1]); }, 0, "3 x 3");
  join(
      "vertcat of a list", "2(C) x 1(U)", "3(C) x 1(U)", [](const Arrays& x) { return vertcat(x); }, 0, "5(C) x 1(U)");
  row(
      "vertcat of an array with itself", "1 x 3", [](const DlArray& x) { return vertcat(x, 2 * x, x); },
      [](const Plain& x) {
        return joined({Size{2, 3}, "", joined(x, {x.size, "", each(x, [](double v) { return 2 * v; })}, 0)}, x, 0);
      },
      "3 x 3");
  row(
      "horzcat with numbers", "1 x 1", [](const DlArray& x) { return horzcat(x, 5, x); },
      [](const Plain& x) {
        return Numbers{x.values[0], 5, x.values[0]};
      },
      "1 x 3");
}

BOOST_AUTO_TEST_CASE(moving) {
  row(
      "flip of a row", "1 x 5", [](const DlArray& x) { return flip(x); }, lanes(1, reversed), "1 x 5");
  row(
      "flip along 0", "3 x 4 x 2", [](const DlArray& x) { return flip(x, 0); }, lanes(0, reversed), "3 x 4 x 2");
  row(
      "flip along 2", "3 x 4 x 2", [](const DlArray& x) { return flip(x, 2); }, lanes(2, reversed), "3 x 4 x 2");
  row(
      "flip along a label", "3(C) x 4(B)", [](const DlArray& x) { return flip(x, "B"); }, lanes(1, reversed), "3(C) x 4(B)");
  row(
      "circshift of a column", "5 x 1", [](const DlArray& x) { return circshift(x, 2); }, lanes(0, turned(2)), "5 x 1");
  row(
      "circshift along 1", "3 x 4 x 2", [](const DlArray& x) { return circshift(x, -1, 1); }, lanes(1, turned(-1)), "3 x 4 x 2");
  row(
      "circshift along a label", "3(C) x 4(B)", [](const DlArray& x) { return circshift(x, 9, "C"); }, lanes(0, turned(9)),
      "3(C) x 4(B)");
  row(
      "circshift along both", "3 x 4",
      [](const DlArray& x) {
        return circshift(x, std::vector<Index>{1, 2});
      },
      [](const Plain& x) {
        return along({x.size, "", along(x, 0, turned(1))}, 1, turned(2));
      },
      "3 x 4");
}

BOOST_AUTO_TEST_CASE(differencing) {
  row(
      "diff of a row", "1 x 5", [](const DlArray& x) { return diff(x); }, lanes(1, differences), "1 x 4");
  row(
      "diff along 0", "4 x 3", [](const DlArray& x) { return diff(x, 1, 0); }, lanes(0, differences), "3 x 3");
  row(
      "diff twice", "3 x 4", [](const DlArray& x) { return diff(x, 2, 1); },
      lanes(1, [](const Numbers& v) { return differences(differences(v)); }), "3 x 2");
  row(
      "diff along a label", "3(C) x 4(B)", [](const DlArray& x) { return diff(x, 1, "B"); }, lanes(1, differences),
      "3(C) x 3(B)");
  row(
      "diff of order 0", "3 x 4", [](const DlArray& x) { return diff(x, 0, 1); }, same, "3 x 4");
}
