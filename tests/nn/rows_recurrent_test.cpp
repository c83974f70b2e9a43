// Rows for recurrent functions, against loops over every number.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

double activate(const std::string& name, double x) {
  if (name == "tanh") return std::tanh(x);
  if (name == "softsign") return x / (1 + std::abs(x));
  if (name == "relu") return x > 0 ? x : 0;
  if (name == "hard-sigmoid") return x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5;
  return 1 / (1 + std::exp(-x));
}

// A matrix with numbers by row and column; data as features x observations x steps.
struct Grid {
  const Numbers& values;
  Index rows, columns;
  double operator()(Index i, Index j, Index t = 0) const {
    return values[static_cast<std::size_t>(i + rows * (j + columns * t))];
  }
};

struct Problem {
  Index features, batch, steps, hidden;
};

// States are taken for every observation when they hold but one.
double startOf(const Plain& state, Index k, Index b, Index hidden) {
  return state.values[static_cast<std::size_t>(static_cast<Index>(state.values.size()) == hidden ? k : k + hidden * b)];
}

struct States {
  Numbers y, h, c;
};

States lstmByHand(const Problem& p, const std::vector<Plain>& in, const std::string& state, const std::string& gate) {
  const Grid x{in[0].values, p.features, p.batch}, w{in[3].values, 4 * p.hidden, p.features},
      r{in[4].values, 4 * p.hidden, p.hidden};
  States s;
  for (Index b = 0; b < p.batch; ++b)
    for (Index k = 0; k < p.hidden; ++k) {
      s.h.push_back(startOf(in[1], k, b, p.hidden));
      s.c.push_back(startOf(in[2], k, b, p.hidden));
    }
  for (Index t = 0; t < p.steps; ++t) {
    const Numbers before = s.h;
    const Grid h{before, p.hidden, p.batch};
    for (Index b = 0; b < p.batch; ++b)
      for (Index k = 0; k < p.hidden; ++k) {
        const auto sum = [&](Index gateNumber) {
          const Index row = gateNumber * p.hidden + k;
          double z = in[5].values[static_cast<std::size_t>(row)];
          for (Index j = 0; j < p.features; ++j) z += w(row, j) * x(j, b, t);
          for (Index j = 0; j < p.hidden; ++j) z += r(row, j) * h(j, b);
          return z;
        };
        const auto at = static_cast<std::size_t>(k + p.hidden * b);
        s.c[at] = activate(gate, sum(1)) * s.c[at] + activate(gate, sum(0)) * activate(state, sum(2));
        s.h[at] = activate(gate, sum(3)) * activate(state, s.c[at]);
      }
    s.y.insert(s.y.end(), s.h.begin(), s.h.end());
  }
  return s;
}

States gruByHand(const Problem& p, const std::vector<Plain>& in, const std::string& mode, const std::string& state,
                 const std::string& gate) {
  const Grid x{in[0].values, p.features, p.batch}, w{in[2].values, 3 * p.hidden, p.features},
      r{in[3].values, 3 * p.hidden, p.hidden};
  const Numbers& bias = in[4].values;
  States s;
  for (Index b = 0; b < p.batch; ++b)
    for (Index k = 0; k < p.hidden; ++k) s.h.push_back(startOf(in[1], k, b, p.hidden));
  for (Index t = 0; t < p.steps; ++t)
    for (Index b = 0; b < p.batch; ++b) {
      const auto first = s.h.begin() + b * p.hidden;
      const Numbers h(first, first + p.hidden);
      const auto fromInput = [&](Index row) {
        double z = bias[static_cast<std::size_t>(row)];
        for (Index j = 0; j < p.features; ++j) z += w(row, j) * x(j, b, t);
        return z;
      };
      const auto fromState = [&](Index row, const Numbers& v) {
        double z = mode == "recurrent-bias-after-multiplication" ? bias[static_cast<std::size_t>(3 * p.hidden + row)] : 0;
        for (Index j = 0; j < p.hidden; ++j) z += r(row, j) * v[static_cast<std::size_t>(j)];
        return z;
      };
      Numbers reset, resetState;
      for (Index k = 0; k < p.hidden; ++k) {
        reset.push_back(activate(gate, fromInput(k) + fromState(k, h)));
        resetState.push_back(reset.back() * h[static_cast<std::size_t>(k)]);
      }
      for (Index k = 0; k < p.hidden; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const double z = activate(gate, fromInput(p.hidden + k) + fromState(p.hidden + k, h));
        const Index row = 2 * p.hidden + k;
        const double recurrent = mode == "before-multiplication" ? fromState(row, resetState) : reset[at] * fromState(row, h);
        first[k] = (1 - z) * activate(state, fromInput(row) + recurrent) + z * h[at];
      }
      if (b + 1 == p.batch) s.y.insert(s.y.end(), s.h.begin(), s.h.end());
    }
  return s;
}

using Op = std::function<DlArray(const Arrays&)>;
using Reference = std::function<Numbers(const std::vector<Plain>&)>;

void row(const std::string& name, std::vector<Input> inputs, const Op& op, const Reference& reference,
         const std::string& expect) {
  check(Row{name, std::move(inputs), op, reference, expect, 2, 1e-12});
}

// Y and both states in one column, so that derivatives run through all of them.
DlArray joined(const DlArray& y, const DlArray& h, const DlArray& c) {
  return vertcat(reshape(y, -1, 1), reshape(h, -1, 1), reshape(c, -1, 1));
}
Numbers joined(const States& s) {
  Numbers all = s.y;
  all.insert(all.end(), s.h.begin(), s.h.end());
  all.insert(all.end(), s.c.begin(), s.c.end());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lstm_of_sequences) {
  const Problem p{3, 2, 4, 5};
  for (const char* state : {"5 x 2", "5 x 1", "5(C) x 2(B)", "5(C) x 1(U)", "5(C) x 2(B) x 1(T)"})
    row(
        std::string("lstm from states ") + state, {"3(C) x 2(B) x 4(T)", state, state, "20 x 3", "20 x 5", "20 x 1"},
        [](const Arrays& x) { return lstm(x[0], x[1], x[2], x[3], x[4], x[5]); },
        [=](const std::vector<Plain>& in) { return lstmByHand(p, in, "tanh", "sigmoid").y; }, "5(C) x 2(B) x 4(T)");
  row(
      "lstm with its states", {"3(C) x 2(B) x 4(T)", "5 x 2", "5 x 2", "20 x 3", "20 x 5", "20 x 1"},
      [](const Arrays& x) {
        const auto [y, h, c] = lstm<3>(x[0], x[1], x[2], x[3], x[4], x[5]);
        return joined(y, h, c);
      },
      [=](const std::vector<Plain>& in) { return joined(lstmByHand(p, in, "tanh", "sigmoid")); }, "60 x 1");
}

BOOST_AUTO_TEST_CASE(lstm_activations) {
  const Problem p{2, 2, 3, 3};
  for (const char* state : {"tanh", "softsign", "relu"})
    for (const char* gate : {"sigmoid", "hard-sigmoid"})
      row(
          std::string("lstm with ") + state + " and " + gate,
          {"2(C) x 2(B) x 3(T)", "3 x 2", "3 x 2", {"12 x 2", -2, 2}, "12 x 3", "12 x 1"},
          [=](const Arrays& x) {
            return lstm(x[0], x[1], x[2], x[3], x[4], x[5], {.stateActivationFunction = state, .gateActivationFunction = gate});
          },
          [=](const std::vector<Plain>& in) { return lstmByHand(p, in, state, gate).y; }, "3(C) x 2(B) x 3(T)");
}

BOOST_AUTO_TEST_CASE(lstm_layouts) {
  const auto of = [](const char* x, const Problem& p, const std::string& expect) {
    const std::string rows = std::to_string(4 * p.hidden), hidden = std::to_string(p.hidden);
    const std::string w = rows + " x " + std::to_string(p.features), r = rows + " x " + hidden, b = rows + " x 1",
                      h = hidden + " x 1";
    row(
        std::string("lstm of ") + x, {x, h.c_str(), h.c_str(), w.c_str(), r.c_str(), b.c_str()},
        [](const Arrays& in) { return lstm(in[0], in[1], in[2], in[3], in[4], in[5]); },
        [=](const std::vector<Plain>& in) { return lstmByHand(p, in, "tanh", "sigmoid").y; }, expect);
  };
  of("3(C) x 4(T)", {3, 1, 4, 2}, "2(C) x 4(T)");
  of("3(C) x 2(B)", {3, 2, 1, 2}, "2(C) x 2(B)");
  of("3(C) x 1(U)", {3, 1, 1, 2}, "2(C) x 1(U)");
  of("2(B) x 3(T)", {1, 2, 3, 2}, "2(C) x 2(B) x 3(T)");
  of("2(S) x 3(C) x 2(B) x 2(T)", {6, 2, 2, 3}, "3(C) x 2(B) x 2(T)");
  of("1(C) x 1(B) x 1(T)", {1, 1, 1, 1}, "1(C) x 1(B) x 1(T)");
  of("3(C) x 2(B) x 1(T)", {3, 2, 1, 17}, "17(C) x 2(B) x 1(T)");
  row(
      "lstm of unlabelled data", {"4 x 3 x 2", "2 x 2", "2 x 2", "8 x 3", "8 x 2", "8 x 1"},
      [](const Arrays& x) {
        const auto [y, h, c] = lstm<3>(x[0], x[1], x[2], x[3], x[4], x[5], {.dataFormat = "TCB"});
        BOOST_TEST((size(y) == Size{4, 2, 2}));
        BOOST_TEST((dims(y) + dims(h) + dims(c)).empty());
        return joined(permute(y, {1, 2, 0}), h, c);
      },
      [](const std::vector<Plain>& in) {
        std::vector<Plain> stored = in;
        stored[0].values = permuted(in[0], {1, 2, 0});
        return joined(lstmByHand({3, 2, 4, 2}, stored, "tanh", "sigmoid"));
      },
      "24 x 1");
}

BOOST_AUTO_TEST_CASE(projected_lstm) {
  // Few channels of the projected state are two products in each step, many are one matrix.
  for (const Index projected : {3, 5}) {
    const auto reference = [](const std::vector<Plain>& in) {
      const auto transposed = [](const Plain& x) { return Plain{Size{x.size[1], x.size[0]}, "", permuted(x, {1, 0})}; };
      std::vector<Plain> plain(in.begin(), in.begin() + 6);
      plain[3] = {Size{20, 4}, "", product(in[3], transposed(in[6]))};
      plain[4] = {Size{20, 5}, "", product(in[4], transposed(in[7]))};
      return lstmByHand({4, 2, 3, 5}, plain, "tanh", "sigmoid");
    };
    const std::string r = "20 x " + std::to_string(projected), out = "5 x " + std::to_string(projected);
    const std::vector<Input> inputs{"4(C) x 2(B) x 3(T)", "5 x 2", "5 x 2", "20 x 2", r.c_str(), "20 x 1", "4 x 2", out.c_str()};
    row(
        "lstmp by " + out, inputs, [](const Arrays& x) { return lstmp(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]); },
        [=](const std::vector<Plain>& in) { return reference(in).y; }, "5(C) x 2(B) x 3(T)");
    row(
        "lstmp with its states by " + out, inputs,
        [](const Arrays& x) {
          const auto [y, h, c] = lstmp<3>(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]);
          return joined(y, h, c);
        },
        [=](const std::vector<Plain>& in) { return joined(reference(in)); }, "50 x 1");
  }
}

BOOST_AUTO_TEST_CASE(gru_of_sequences) {
  const Problem p{3, 2, 4, 5};
  for (const char* mode : {"after-multiplication", "before-multiplication", "recurrent-bias-after-multiplication"}) {
    const char* bias = std::string_view(mode).starts_with("recurrent") ? "30 x 1" : "15 x 1";
    for (const char* state : {"5 x 2", "5(C) x 1(U)"})
      row(
          std::string("gru ") + mode + " from states " + state, {"3(C) x 2(B) x 4(T)", state, "15 x 3", "15 x 5", bias},
          [=](const Arrays& x) { return gru(x[0], x[1], x[2], x[3], x[4], {.resetGateMode = mode}); },
          [=](const std::vector<Plain>& in) { return gruByHand(p, in, mode, "tanh", "sigmoid").y; }, "5(C) x 2(B) x 4(T)");
    row(
        std::string("gru ") + mode + " with its state", {"3(C) x 2(B) x 4(T)", "5 x 2", "15 x 3", "15 x 5", bias},
        [=](const Arrays& x) {
          const auto [y, h] = gru<2>(x[0], x[1], x[2], x[3], x[4], {.resetGateMode = mode});
          return joined(y, h, DlArray());
        },
        [=](const std::vector<Plain>& in) { return joined(gruByHand(p, in, mode, "tanh", "sigmoid")); }, "50 x 1");
  }
  for (const char* state : {"softsign", "relu"})
    row(
        std::string("gru with ") + state, {"3(C) x 2(B) x 4(T)", "5 x 1", "15 x 3", "15 x 5", "15 x 1"},
        [=](const Arrays& x) {
          return gru(x[0], x[1], x[2], x[3], x[4], {.stateActivationFunction = state, .gateActivationFunction = "hard-sigmoid"});
        },
        [=](const std::vector<Plain>& in) { return gruByHand(p, in, "after-multiplication", state, "hard-sigmoid").y; },
        "5(C) x 2(B) x 4(T)");
}

BOOST_AUTO_TEST_CASE(gru_layouts) {
  row(
      "gru over time", {"2(C) x 3(T)", "2 x 1", "6 x 2", "6 x 2", "6 x 1"},
      [](const Arrays& x) { return gru(x[0], x[1], x[2], x[3], x[4]); },
      [](const std::vector<Plain>& in) {
        return gruByHand({2, 1, 3, 2}, in, "after-multiplication", "tanh", "sigmoid").y;
      },
      "2(C) x 3(T)");
  const auto of = [](const char* x, const Problem& p, const std::string& expect, std::string_view format = {}) {
    const std::string rows = std::to_string(3 * p.hidden), hidden = std::to_string(p.hidden);
    const std::string w = rows + " x " + std::to_string(p.features), r = rows + " x " + hidden, b = rows + " x 1",
                      h = hidden + " x 1";
    row(
        std::string("gru of ") + x, {x, h.c_str(), w.c_str(), r.c_str(), b.c_str()},
        [=](const Arrays& in) { return gru(in[0], in[1], in[2], in[3], in[4], {.dataFormat = format}); },
        [=](const std::vector<Plain>& in) { return gruByHand(p, in, "after-multiplication", "tanh", "sigmoid").y; }, expect);
  };
  of("3(C) x 4(T)", {3, 1, 4, 2}, "2(C) x 4(T)");
  of("3(C) x 2(B)", {3, 2, 1, 2}, "2(C) x 2(B)");
  of("2(S) x 3(C) x 2(B) x 2(T)", {6, 2, 2, 3}, "3(C) x 2(B) x 2(T)");
  of("3 x 2 x 2", {3, 2, 2, 2}, "2 x 2 x 2", "CBT");
}

BOOST_AUTO_TEST_CASE(third_derivatives) {
  const Problem p{2, 2, 3, 2};
  check(Row{"lstm",
            {"2(C) x 2(B) x 3(T)", "2 x 2", "2 x 2", "8 x 2", "8 x 2", "8 x 1"},
            [](const Arrays& x) { return lstm(x[0], x[1], x[2], x[3], x[4], x[5]); },
            [=](const std::vector<Plain>& in) { return lstmByHand(p, in, "tanh", "sigmoid").y; },
            "2(C) x 2(B) x 3(T)",
            3});
  check(Row{"gru",
            {"2(C) x 2(B) x 3(T)", "2 x 2", "6 x 2", "6 x 2", "6 x 1"},
            [](const Arrays& x) { return gru(x[0], x[1], x[2], x[3], x[4]); },
            [=](const std::vector<Plain>& in) { return gruByHand(p, in, "after-multiplication", "tanh", "sigmoid").y; },
            "2(C) x 2(B) x 3(T)",
            3});
}
